"""Values of Tocsin's types of entities as CybOX 2.1 objects, in the forms that the writer of STIX 2.1 gives them."""

from collections.abc import Callable
from typing import Protocol

from lxml import etree

from tocsin.formats.stix import values
from tocsin.formats.stix1 import names
from tocsin.formats.stix1.names import under

ADDRESS = "AddressObj:AddressObjectType"
HASHES = {"md5": "MD5", "sha1": "SHA1", "sha256": "SHA256", "sha512": "SHA512"}
"""Our type -> its name in CybOX's HashNameVocab."""
WATCHLISTS = {
    "ipv4": "IP Watchlist",
    "ipv6": "IP Watchlist",
    "cidr": "IP Watchlist",
    "domain": "Domain Watchlist",
    "url": "URL Watchlist",
    "email": "Malicious E-mail",
    **dict.fromkeys((*HASHES, "file"), "File Hash Watchlist"),
}
"""Our type -> the word of STIX's IndicatorTypeVocab."""
_LIST = "##comma##"
"""What separates the values of a list in one field, unless the field names another delimiter."""


class _Maker(Protocol):
    """Puts a value's properties under an object and gives the field that holds it; None if it is no such value."""

    def __call__(self, holder: etree._Element, value: str, pattern: bool, /) -> etree._Element | None: ...


def described(observable: etree._Element, id: str, type: str, value: str, *, pattern: bool) -> bool:
    """Put the object for a value, by its id, under an observable; False, and nothing, if CybOX has none for it.

    As a `pattern` it finds what equals the value.
    """
    make = MAKERS.get(type)
    if make is None or not names.writable(value):
        return False
    holder = under(observable, "cybox:Object", id=id)
    if make(holder, value, pattern) is None:
        observable.remove(holder)
        return False
    return True


def _field(properties: etree._Element, name: str, value: str, pattern: bool) -> etree._Element:
    field = under(properties, name, value)
    if pattern:
        field.set("condition", "Equals")
        if _LIST in value:
            delimiter = _LIST
            while delimiter in value:
                delimiter = f"#{delimiter}#"
            field.set("delimiter", delimiter)
    return field


def _address(category: str, form: Callable[[str], str]) -> _Maker:
    def make(holder: etree._Element, value: str, pattern: bool) -> etree._Element | None:
        value = form(value)
        if not value:
            return None
        properties = under(holder, "cybox:Properties", type=ADDRESS, category=category)
        return _field(properties, "AddressObj:Address_Value", value, pattern)

    return make


def _network(holder: etree._Element, value: str, pattern: bool) -> etree._Element | None:
    version, net = values.network(value)
    if not version:
        return None
    category = "cidr" if "/" in net else f"ipv{version}-addr"
    properties = under(holder, "cybox:Properties", type=ADDRESS, category=category)
    return _field(properties, "AddressObj:Address_Value", net, pattern)


def _domain(holder: etree._Element, value: str, pattern: bool) -> etree._Element | None:
    value = values.name(value)
    if not value:
        return None
    properties = under(holder, "cybox:Properties", type="DomainNameObj:DomainNameObjectType")
    properties.set("type", "FQDN")
    return _field(properties, "DomainNameObj:Value", value, pattern)


def _url(holder: etree._Element, value: str, pattern: bool) -> etree._Element | None:
    value = values.url(value)
    if not value:
        return None
    properties = under(holder, "cybox:Properties", type="URIObj:URIObjectType")
    properties.set("type", "URL")
    return _field(properties, "URIObj:Value", value, pattern)


def _file(holder: etree._Element, value: str, pattern: bool) -> etree._Element | None:
    if not value:
        return None
    properties = under(holder, "cybox:Properties", type="FileObj:FileObjectType")
    return _field(properties, "FileObj:File_Name", value, pattern)


def _hash(type: str) -> _Maker:
    def make(holder: etree._Element, value: str, pattern: bool) -> etree._Element | None:
        value = values.digest(type, value)
        if not value:
            return None
        properties = under(holder, "cybox:Properties", type="FileObj:FileObjectType")
        hash = under(under(properties, "FileObj:Hashes"), "cyboxCommon:Hash")
        under(hash, "cyboxCommon:Type", HASHES[type], type="cyboxVocabs:HashNameVocab-1.0")
        return _field(hash, "cyboxCommon:Simple_Hash_Value", value, pattern)

    return make


def _registry_key(holder: etree._Element, value: str, pattern: bool) -> etree._Element | None:
    hive, _, key = value.partition("\\")
    if not hive or not key:
        return None
    properties = under(holder, "cybox:Properties", type="WinRegistryKeyObj:WindowsRegistryKeyObjectType")
    _field(properties, "WinRegistryKeyObj:Key", key, pattern)
    return _field(properties, "WinRegistryKeyObj:Hive", hive, pattern)


def _asn(value: str) -> str:
    digits = value.upper().removeprefix("AS")
    return f"AS{int(digits)}" if digits.isascii() and digits.isdecimal() and len(digits) <= 10 else ""


MAKERS: dict[str, _Maker] = {
    "ipv4": _network,
    "ipv6": _network,
    "cidr": _network,
    "domain": _domain,
    "url": _url,
    "email": _address("e-mail", values.email),
    "mac": _address("mac", values.mac),
    "asn": _address("asn", _asn),
    "file": _file,
    "registry_key": _registry_key,
    **{type: _hash(type) for type in HASHES},
}
"""Our types of entities -> what makes their objects."""
