"""CybOX objects -> values: what an object is of, as one of Tocsin's types of entities where it is one."""

from collections.abc import Iterator
from typing import NamedTuple

from lxml import etree

from tocsin.formats.stix1.names import CYBOX, TYPE

LIST = "##comma##"
PROPERTIES = f"{{{CYBOX}}}Properties"
CATEGORIES = {"ipv4-addr": "ipv4", "ipv6-addr": "ipv6", "ipv4-net": "cidr", "ipv6-net": "cidr", "e-mail": "email"}
"""AddressObj's categories that are called otherwise here; where there is none, it is `ipv4-addr`."""
FIELDS = {
    ("DomainNameObjectType", "Value"): "domain",
    ("HostnameObjectType", "Hostname_Value"): "domain",
    ("URIObjectType", "Value"): "url",
    ("LinkObjectType", "Value"): "url",
    ("FileObjectType", "File_Name"): "file",
    ("FileObjectType", "Simple_Hash_Value"): "hash",
    ("FileObjectType", "Fuzzy_Hash_Value"): "hash",
    ("EmailMessageObjectType", "Subject"): "email_subject",
    ("EmailMessageObjectType", "Message_ID"): "message_id",
    ("EmailMessageObjectType", "From"): "email",
    ("WindowsRegistryKeyObjectType", "Key"): "registry_key",
    ("PortObjectType", "Port_Value"): "port",
    ("MutexObjectType", "Name"): "mutex",
}
"""Type of an object and its field -> the type of value that stands there."""
DIGITS = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}
PASSED_BY = frozenset(("Type", "Port_Protocol", "Hive"))
"""Fields that say something of another one."""


class Value(NamedTuple):
    """What stands in an object."""

    type: str
    value: str


def local(element: etree._Element) -> str:
    """An element's name without its namespace."""
    return etree.QName(element).localname


def values(holder: etree._Element) -> Iterator[Value]:
    """The values of all objects in an element, in order, each list taken apart."""
    for properties in holder.iter(PROPERTIES):
        type = kind(properties)
        for field in properties.iter(etree.Element):
            text = (field.text or "").strip()
            if not text or len(field) or local(field) in PASSED_BY:
                continue
            delimiter = field.get("delimiter") or LIST
            for value in text.split(delimiter):
                if value.strip():
                    yield Value(_type(type, field, value.strip()), _whole(field, value.strip()))


def kind(properties: etree._Element) -> str:
    """The type of an object: the local part of its xsi:type."""
    return (properties.get(TYPE) or "").rpartition(":")[2]


def _type(holder: str, field: etree._Element, value: str) -> str:
    name = local(field)
    if name == "Address_Value":
        address = field.getparent()
        category = (address.get("category") if address is not None else None) or "ipv4-addr"
        if "/" in value and category.startswith(("ipv", "cidr")):
            return "cidr"
        return "ipv6" if category == "ipv4-addr" and ":" in value else CATEGORIES.get(category, category)
    type = FIELDS.get((holder, name), "")
    if type == "hash":
        return DIGITS.get(len(value), "hash")
    if type:
        return type
    return f"{holder.removesuffix('ObjectType').removesuffix('Object') or 'object'}.{name}"


def _whole(field: etree._Element, value: str) -> str:
    """A registry key with its hive; anything else as it is."""
    if local(field) != "Key":
        return value
    hive = next((one.text for one in field.itersiblings() if local(one) == "Hive" and one.text), "")
    return f"{hive.strip()}\\{value}" if hive else value
