"""A STIX 1.x package as an alertgroup: a row for each value of an indicator, for what was seen, and for what is told.

Versions 1.0 to 1.2 share their namespaces. Entities, DTDs and the network are off; nothing is looked up.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

import msgspec
from lxml import etree

from tocsin.errors import Unreadable
from tocsin.formats.stix.values import network
from tocsin.formats.stix1.names import COMMON, CYBOX, SPACES, STIX, TYPE, tag
from tocsin.formats.stix1.objects import local, values
from tocsin.formats.stix1.write import STRICT
from tocsin.model import TLP, Alert, Alertgroup, Detection, Endpoint, Micros, union_of_keys

ROOT = f"{{{STIX}}}STIX_Package"
OBSERVABLE = f"{{{CYBOX}}}Observable"
MARK = STIX.encode()
LOOKED_AT = 65_536
MOST_ROWS = 100_000
"""A small package can point at the same observables over and over."""
STRICTEST = (TLP.RED, TLP.AMBER_STRICT, TLP.AMBER, TLP.GREEN, TLP.CLEAR)
CONFIDENCES = {"high": 0.85, "medium": 0.5, "low": 0.15, "none": 0.0}
"""The middles of the ranges of STIX 2.1, appendix A."""
TOLD = ("Incident", "TTP", "Exploit_Target", "Course_Of_Action", "Campaign", "Threat_Actor", "Report")
"""Constructs that are a row with their title and description."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


class Identifier(NamedTuple):
    """A package's id, in full: the namespace behind its prefix, and what stands after it."""

    namespace: str
    name: str
    timestamp: str


def is_package(body: bytes) -> bool:
    """Whether these bytes may be a STIX 1.x package, by their beginning."""
    start = body[:LOOKED_AT]
    return start.lstrip(b"\xef\xbb\xbf\0\xff\xfe \t\r\n")[:1] == b"<" and MARK in start.replace(b"\0", b"")


def identifier(body: bytes) -> Identifier:
    """What names a package. Raises Unreadable."""
    root = _root(body)
    prefix, _, name = (root.get("id") or "").rpartition(":")
    return Identifier(root.nsmap.get(prefix or None, ""), name, root.get("timestamp") or "")


def alertgroup(body: bytes) -> Alertgroup:
    """The package as an alertgroup. Raises Unreadable: no such XML, a DTD in it, or nothing told."""
    root = _root(body)
    found = list(islice(_rows(root), MOST_ROWS + 1))
    if len(found) > MOST_ROWS:
        raise Unreadable(f"more than {MOST_ROWS:,} values: indicators that share long lists of observables")
    if not found:
        raise Unreadable("a STIX 1 package that tells nothing: no indicator, observable, incident or the like")
    header = root.find(tag("stix:STIX_Header"))
    title = _text(header, "stix:Title") or next(
        (str(row["title"]) for row, _ in found if row.get("title")), "STIX package without a title"
    )
    name = _first(header, f".//{{{COMMON}}}Name")
    alerts = tuple(Alert.of({key: one for key, one in row.items() if one}, said) for row, said in found)
    return Alertgroup(
        subject=title,
        alerts=alerts,
        columns=union_of_keys(alert.data for alert in alerts),
        tags=("stix",),
        sources=("stix", name) if name and name != "stix" else ("stix",),
        tlp=_tlp(root),
        created=micros(root.get("timestamp") or ""),
        body_plain=_text(header, "stix:Description"),
    )


def micros(text: str) -> Micros | None:
    """A time with its zone; None for any other, as nobody knows when it was."""
    if not _TIME.fullmatch(text):
        return None
    try:
        return (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError):
        return None


def _root(body: bytes) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Unreadable(f"no well-formed XML: {str(error)[:200]}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable("a document type declaration stands in it, which no STIX package has")
    if root.tag != ROOT:
        raise Unreadable(f"no STIX_Package of {STIX} but {str(root.tag)[:100]}")
    return root


def _rows(root: etree._Element) -> Iterator[tuple[dict[str, Any], Detection | None]]:
    """Each row with its meaning."""
    seen: dict[str, etree._Element] = {}
    for one in root.iter(OBSERVABLE):
        if one.get("id"):
            seen.setdefault(str(one.get("id")), one)
    pointed = {one.get("idref") for one in root.iter(OBSERVABLE, tag("indicator:Observable"))}
    for indicator in root.iter(f"{{{STIX}}}Indicator", f"{{{COMMON}}}Indicator"):
        yield from _indicator(indicator, seen)
    for one in root.iter(OBSERVABLE, f"{{{COMMON}}}Observable"):
        if one.get("idref") or one.get("id") in pointed or _inside(one):
            continue
        title = _text(one, "cybox:Title")
        for value in values(one):
            yield {"kind": "observable", "title": title, **value._asdict(), "id": one.get("id")}, None
    for name in TOLD:
        for told in root.iter(f"{{{STIX}}}{name}", f"{{{COMMON}}}{name}"):
            if title := _child(told, "Title"):
                row = {"kind": name.lower(), "title": title, "description": _child(told, "Description")}
                yield row | {"id": told.get("id"), "timestamp": told.get("timestamp")}, None
    yield from _revoked(root)


def _indicator(
    indicator: etree._Element, seen: dict[str, etree._Element]
) -> Iterator[tuple[dict[str, Any], Detection]]:
    title, description = _child(indicator, "Title"), _child(indicator, "Description")
    confidence = _first(indicator, f"./{{{SPACES['indicator']}}}Confidence/{{{COMMON}}}Value")
    types = [one.text or "" for one in indicator if local(one) == "Type"]
    start = _first(indicator, f".//{{{SPACES['indicator']}}}Start_Time")
    sightings = indicator.find(tag("indicator:Sightings"))
    row = {
        "kind": "indicator",
        "title": title,
        "indicator_type": types,
        "description": description,
        "confidence": confidence,
        "valid_from": start,
        "sightings": sightings.get("sightings_count") if sightings is not None else "",
        "id": indicator.get("id"),
        "timestamp": indicator.get("timestamp"),
    }
    said = Detection(
        name=title,
        description=description,
        confidence=CONFIDENCES.get(confidence.lower()),
        detected=micros(indicator.get("timestamp") or "") or micros(start),
    )
    found = [value for one in _patterns(indicator, seen) for value in values(one)]
    for value in dict.fromkeys(found):
        yield row | value._asdict(), msgspec.structs.replace(said, sources=_sources(*value))
    if not found and (title or description):
        yield row, said


def _patterns(indicator: etree._Element, seen: dict[str, etree._Element]) -> Iterator[etree._Element]:
    """What an indicator is for: its observables, wherever in the package they stand."""
    waiting = [one for one in indicator if local(one) == "Observable"]
    pointed: set[str] = set()
    for one in waiting:
        for inner in one.iter(OBSERVABLE, tag("indicator:Observable")):
            reference = inner.get("idref")
            if reference and reference in seen and reference not in pointed:
                pointed.add(reference)
                waiting.append(seen[reference])
        yield one


def _inside(observable: etree._Element) -> bool:
    """Whether it is a part of another one, or of an indicator."""
    names = {local(one) for one in observable.iterancestors()}
    return bool(names & {"Observable", "Indicator"})


def _revoked(root: etree._Element) -> Iterator[tuple[dict[str, Any], None]]:
    for relation in root.iter(f"{{{COMMON}}}Relationship"):
        after = relation.getnext()
        if (relation.text or "").strip() == "Revokes" and after is not None and after.get("idref"):
            row = {"kind": "revokes", "title": f"Revokes {after.get('idref')}", "revokes": after.get("idref")}
            yield row | {"timestamp": root.get("timestamp")}, None


def _sources(type: str, value: str) -> tuple[Endpoint, ...]:
    """Who is bad by an indicator for a value."""
    match type:
        case "ipv4" | "ipv6":
            version, address = network(value)
            return (Endpoint(addresses=(address,)),) if version and "/" not in address else ()
        case "domain":
            return (Endpoint(hostnames=(value.lower(),)),)
        case "url":
            return (Endpoint(urls=(value,)),)
        case "email":
            return (Endpoint(emails=(value,)),)
        case "mac":
            return (Endpoint(macs=(value.lower(),)),)
    return ()


def _tlp(root: etree._Element) -> TLP:
    """The strictest of all its markings."""
    said = set()
    for marking in root.iter(f"{{{SPACES['marking']}}}Marking_Structure"):
        if (marking.get(TYPE) or "").endswith("TLPMarkingStructureType"):
            said.add(_colour(marking.get("color") or ""))
    strict = any(STRICT in (one.text or "") for one in root.iter(f"{{{SPACES['simpleMarking']}}}Statement"))
    found = next((one for one in STRICTEST if one in said), TLP.UNSET)
    return TLP.AMBER_STRICT if strict and found is TLP.RED else found


def _colour(text: str) -> TLP:
    try:
        return TLP(text)
    except ValueError:
        return TLP.UNSET


def _child(parent: etree._Element, name: str) -> str:
    return next(((one.text or "").strip() for one in parent.iterchildren(etree.Element) if local(one) == name), "")


def _text(parent: etree._Element | None, name: str) -> str:
    return _first(parent, tag(name))


def _first(parent: etree._Element | None, path: str) -> str:
    found = parent.find(path) if parent is not None else None
    return (found.text or "").strip() if found is not None else ""
