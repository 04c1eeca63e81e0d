"""Namespaces, ids and texts of STIX 1.2 packages."""

import re
from functools import cache

from lxml import etree

from tocsin.formats.stix.ids import ours

STIX = "http://stix.mitre.org/stix-1"
COMMON = "http://stix.mitre.org/common-1"
CYBOX = "http://cybox.mitre.org/cybox-2"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
PREFIX = "tocsin"
"""Of our ids; its namespace is that of the hub."""
SPACES = {
    "stix": STIX,
    "stixCommon": COMMON,
    "stixVocabs": "http://stix.mitre.org/default_vocabularies-1",
    "indicator": "http://stix.mitre.org/Indicator-2",
    "incident": "http://stix.mitre.org/Incident-1",
    "marking": "http://data-marking.mitre.org/Marking-1",
    "tlpMarking": "http://data-marking.mitre.org/extensions/MarkingStructure#TLP-1",
    "simpleMarking": "http://data-marking.mitre.org/extensions/MarkingStructure#Simple-1",
    "cybox": CYBOX,
    "cyboxCommon": "http://cybox.mitre.org/common-2",
    "cyboxVocabs": "http://cybox.mitre.org/default_vocabularies-2",
    "AddressObj": "http://cybox.mitre.org/objects#AddressObject-2",
    "DomainNameObj": "http://cybox.mitre.org/objects#DomainNameObject-1",
    "FileObj": "http://cybox.mitre.org/objects#FileObject-2",
    "URIObj": "http://cybox.mitre.org/objects#URIObject-2",
    "WinRegistryKeyObj": "http://cybox.mitre.org/objects#WinRegistryKeyObject-2",
    "xsi": XSI,
}
TYPE = f"{{{XSI}}}type"
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 document can hold (section 2.2)."""


def namespace(hub: str) -> str:
    """The namespace of the ids of everything that this Tocsin writes: no other has it."""
    return f"urn:uuid:{_uuid('hub', hub)}"


def identifier(kind: str, hub: str, *key: str) -> str:
    """The id of a thing of ours (`Package`, `indicator` …) from what makes it that thing: the same at every attempt."""
    return f"{PREFIX}:{kind}-{_uuid(kind, hub, *key)}"


@cache
def tag(name: str) -> str:
    """`stix:Indicator` as lxml writes it."""
    prefix, _, local = name.partition(":")
    return f"{{{SPACES[prefix]}}}{local}"


def writable(text: str) -> bool:
    """Whether XML can hold a text as it is."""
    return _FORBIDDEN.search(text) is None


def text(text: str) -> str:
    """A text in which U+FFFD stands for what XML cannot hold."""
    return _FORBIDDEN.sub("\ufffd", text)


def under(parent: etree._Element, name: str, content: str = "", **attributes: str) -> etree._Element:
    """A new last child; `type` is its xsi:type."""
    said = {TYPE if key == "type" else key: value for key, value in attributes.items()}
    child = etree.SubElement(parent, tag(name), said)
    if content:
        child.text = text(content)
    return child


def _uuid(kind: str, *key: str) -> str:
    return ours(f"stix1/{kind}", *map(text, key)).rpartition("--")[2]
