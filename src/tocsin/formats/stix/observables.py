"""What was seen in one alert -> cyber-observable objects, each with the id that the specification derives from it."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from tocsin.formats.stix import values
from tocsin.formats.stix.ids import specified
from tocsin.formats.stix.objects import (
    SPEC,
    URL,
    AutonomousSystem,
    DomainName,
    EmailAddress,
    File,
    IPv4Address,
    IPv6Address,
    MACAddress,
    NetworkTraffic,
    Observable,
    Refs,
    RegistryKey,
)
from tocsin.model import Detection, Endpoint, Entity

MOST_CONNECTIONS = 256
"""Of one alert: sources times targets. Where there are more, the addresses stand alone."""
_LARGEST_ASN = 2**32 - 1
_PROTOCOL = re.compile(r"[a-z0-9][a-z0-9-]*")


def of_alert(detection: Detection, entities: Iterable[Entity], span: tuple[str, str], marked: Refs) -> list[Observable]:
    """Everything observable in an alert, each once: its endpoints, their connections, and the entities in its row.

    `span` are the times at which its connections began and ended, empty if nobody said; `marked` are the ids of the
    marking definitions that all of it bears.
    """
    found: dict[str, Observable] = {}
    for endpoint in (*detection.sources, *detection.targets):
        for type, value in entities_of(endpoint):
            _add(found, observable(type, value, marked))
    for entity in entities:
        _add(found, observable(entity.type, entity.value, marked))
    for connection in _connections(detection, span, marked):
        _add(found, connection)
    return list(found.values())


def entities_of(endpoint: Endpoint) -> Iterator[tuple[str, str]]:
    """The values of one side of a detection, by their types as entities."""
    for address in endpoint.addresses:
        yield ("ipv6" if ":" in address else "ipv4"), address
    if not (endpoint.hostnames or endpoint.urls or endpoint.emails or endpoint.macs):
        return  # nearly all of them
    for type, listed in (
        ("domain", endpoint.hostnames), ("url", endpoint.urls), ("email", endpoint.emails), ("mac", endpoint.macs),
    ):  # fmt: skip
        for value in listed:
            yield type, value


@lru_cache(8192)
def observable(type: str, value: str, marked: Refs = ()) -> Observable | None:
    """The object for a value of one of Tocsin's types of entities, or None if STIX has none for it."""
    make = MAKERS.get(type)
    return make(value, marked) if make else None


def _network(value: str, marked: Refs) -> Observable | None:
    version, net = values.network(value)
    if version == 4:
        return IPv4Address(
            spec_version=SPEC, id=specified("ipv4-addr", {"value": net}), object_marking_refs=marked, value=net
        )
    if version == 6:
        return IPv6Address(
            spec_version=SPEC, id=specified("ipv6-addr", {"value": net}), object_marking_refs=marked, value=net
        )
    return None


def _of_one_value(
    type: str, kind: type[DomainName] | type[URL] | type[EmailAddress] | type[MACAddress], form: Callable[[str], str]
) -> Callable[[str, Refs], Observable | None]:
    def make(value: str, marked: Refs) -> Observable | None:
        value = form(value)
        if not value:
            return None
        return kind(spec_version=SPEC, id=specified(type, {"value": value}), object_marking_refs=marked, value=value)

    return make


def _hash(type: str) -> Callable[[str, Refs], Observable | None]:
    algorithm, _ = values.HASHES[type]

    def make(value: str, marked: Refs) -> Observable | None:
        value = values.digest(type, value)
        hashes = {algorithm: value}
        id = specified("file", {"hashes": hashes})
        return File(spec_version=SPEC, id=id, object_marking_refs=marked, hashes=hashes) if value else None

    return make


def _file(value: str, marked: Refs) -> Observable | None:
    id = specified("file", {"name": value})
    return File(spec_version=SPEC, id=id, object_marking_refs=marked, name=value) if value else None


def _asn(value: str, marked: Refs) -> Observable | None:
    digits = value.upper().removeprefix("AS")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 10 and int(digits) <= _LARGEST_ASN):
        return None
    id = specified("autonomous-system", {"number": int(digits)})
    return AutonomousSystem(spec_version=SPEC, id=id, object_marking_refs=marked, number=int(digits))


def _registry_key(value: str, marked: Refs) -> Observable | None:
    id = specified("windows-registry-key", {"key": value})
    return RegistryKey(spec_version=SPEC, id=id, object_marking_refs=marked, key=value) if value else None


MAKERS: dict[str, Callable[[str, Refs], Observable | None]] = {
    "ipv4": _network,
    "ipv6": _network,
    "cidr": _network,
    "domain": _of_one_value("domain-name", DomainName, values.name),
    "url": _of_one_value("url", URL, values.url),
    "email": _of_one_value("email-addr", EmailAddress, values.plain_email),
    "mac": _of_one_value("mac-addr", MACAddress, values.mac),
    "file": _file,
    "asn": _asn,
    "registry_key": _registry_key,
    **{type: _hash(type) for type in values.HASHES},
}
"""Our types of entities -> what makes their objects."""


def _connections(detection: Detection, span: tuple[str, str], marked: Refs) -> Iterator[NetworkTraffic]:
    """Who spoke with whom, where both sides are known: from every source's address to every target's."""
    sources, targets = _sides(detection.sources), _sides(detection.targets)
    if not sources or not targets or len(sources) * len(targets) > MOST_CONNECTIONS:
        return
    start, end = span
    named = tuple(word for word in map(str.lower, detection.protocols) if _PROTOCOL.fullmatch(word))
    for source, source_port in sources:
        for target, target_port in targets:
            protocols = named or (("ipv6",) if target.startswith("ipv6") else ("ipv4",))
            contributing = {
                "start": start, "end": end, "src_ref": source, "dst_ref": target,
                "src_port": source_port, "dst_port": target_port, "protocols": protocols,
            }  # fmt: skip
            yield NetworkTraffic(
                spec_version=SPEC,
                id=specified(
                    "network-traffic", {key: one for key, one in contributing.items() if one not in ("", None)}
                ),
                object_marking_refs=marked,
                start=start,
                end=end,
                is_active=False if end else None,
                src_ref=source,
                dst_ref=target,
                src_port=source_port,
                dst_port=target_port,
                protocols=protocols,
            )


def _sides(endpoints: Iterable[Endpoint]) -> list[tuple[str, int | None]]:
    """The ids of all addresses, each with the port if there is one and no more."""
    sides: dict[tuple[str, int | None], None] = {}
    for endpoint in endpoints:
        port = endpoint.ports[0] if len(endpoint.ports) == 1 and 0 <= endpoint.ports[0] <= 65535 else None
        for address in endpoint.addresses:
            one = observable("ipv6" if ":" in address else "ipv4", address)
            if one is not None:
                sides[one.id, port] = None
    return list(sides)


def _add(found: dict[str, Observable], one: Observable | None) -> None:
    if one is not None:
        found[one.id] = one
