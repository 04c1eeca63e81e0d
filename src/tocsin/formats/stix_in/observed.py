"""Cyber-observable objects (STIX 2.1 section 6) -> texts that people and the finder of entities read, and endpoints.

In STIX 2.0 they stand inside an observed-data and refer to each other by its keys; here both are one.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from tocsin.formats.stix import values
from tocsin.formats.stix_in.document import clean
from tocsin.formats.stix_in.pattern import Value
from tocsin.model import Endpoint

Properties = Mapping[str, Any]
Known = Mapping[str, Properties]
"""Observables by what refers to them."""

MOST_VALUES = 256
LONGEST = 1000
"""Characters of one property that are told in the row of another object."""
ALWAYS = frozenset(("type", "id", "spec_version", "object_marking_refs", "defanged"))
FLOW = frozenset(("src_ref", "dst_ref", "src_port", "dst_port", "protocols", "start", "end", "is_active"))
_TOLD_BY: Mapping[str, tuple[str, ...]] = {
    "ipv4-addr": ("value",),
    "ipv6-addr": ("value",),
    "domain-name": ("value",),
    "url": ("value",),
    "email-addr": ("value", "display_name"),
    "mac-addr": ("value",),
    "file": ("name", "hashes"),
    "autonomous-system": ("number", "name"),
    "windows-registry-key": ("key",),
    "user-account": ("user_id", "account_login", "display_name"),
    "directory": ("path",),
    "mutex": ("name",),
    "software": ("name", "vendor", "version"),
    "process": ("command_line",),
    "email-message": ("subject",),
    "artifact": ("url", "hashes"),
    "x509-certificate": ("subject", "issuer", "serial_number", "hashes"),
}
"""What says most of an object of a type; and of those up to `mac-addr` and a few more there seldom is anything else."""


class Flow(NamedTuple):
    """Who spoke with whom, as far as is known."""

    source: Endpoint | None
    target: Endpoint | None
    protocols: tuple[str, ...]


def texts(observable: Properties, known: Known) -> list[str]:
    """What it is, in a few words each; nothing for a type that nobody knows."""
    type = observable.get("type")
    if type == "network-traffic":
        return [flow_text(observable, known)]
    found: list[str] = []
    for name in _TOLD_BY.get(str(type), ()):
        value = observable.get(name)
        if name == "number" and isinstance(value, int):
            found.append(f"AS{value}")
        elif isinstance(value, dict):
            found += [f"{key}: {one}" for key, one in list(value.items())[:10] if isinstance(one, str)]
        elif isinstance(value, str | int | float):
            found.append(str(value))
    return [clean(text[:LONGEST]) for text in found if text]


def is_told(observable: Properties) -> bool:
    """Whether its texts say all that stands in it."""
    type = str(observable.get("type"))
    told = FLOW if type == "network-traffic" else frozenset(_TOLD_BY.get(type, ()))
    values = {name: value for name, value in observable.items() if name not in ALWAYS}
    if not values or not told.issuperset(values):
        return False
    return all(_is_short(value) for value in values.values())


def _is_short(value: object) -> bool:
    if isinstance(value, dict):
        return len(value) <= 10 and all(isinstance(one, str) and len(one) <= LONGEST - 100 for one in value.values())
    if isinstance(value, list):
        return len(value) <= 10 and all(isinstance(one, str) and len(one) <= 100 for one in value)
    return not isinstance(value, str) or len(value) <= LONGEST


def flow_text(traffic: Properties, known: Known) -> str:
    """`198.51.100.7:4444 -> 192.0.2.9:443 tcp http`."""
    source, target = (_end_text(traffic, side, known) for side in ("src", "dst"))
    times = "/".join(str(traffic[name]) for name in ("start", "end") if isinstance(traffic.get(name), str))
    return clean(" ".join(filter(None, (f"{source} -> {target}", *protocols(traffic), times)))[:LONGEST])


def _end_text(traffic: Properties, side: str, known: Known) -> str:
    value, port = _ref(traffic, side, known).get("value"), traffic.get(f"{side}_port")
    text = value if isinstance(value, str) else "?"
    if not isinstance(port, int):
        return text
    return f"[{text}]:{port}" if ":" in text else f"{text}:{port}"


def _ref(traffic: Properties, side: str, known: Known) -> Properties:
    ref = traffic.get(f"{side}_ref")
    return known.get(ref, {}) if isinstance(ref, str) else {}


def protocols(traffic: Properties) -> tuple[str, ...]:
    """The protocols of a connection, the outermost first; how addresses are spelled is none."""
    listed = traffic.get("protocols")
    words = [one.lower()[:32] for one in listed[:10] if isinstance(one, str)] if isinstance(listed, list) else []
    return tuple(clean(word) for word in dict.fromkeys(words) if word not in ("", "ipv4", "ipv6"))


def flow(traffic: Properties, known: Known) -> Flow:
    """A connection's two sides."""
    sides = []
    for side in ("src", "dst"):
        end, port = _ref(traffic, side, known), traffic.get(f"{side}_port")
        ports = (port,) if isinstance(port, int) and not isinstance(port, bool) and 0 <= port <= 65535 else ()
        value = end.get("value")
        found = endpoint([Value(f"{end.get('type')}:value", value)] if isinstance(value, str) else [], ports)
        sides.append(found)
    return Flow(sides[0], sides[1], protocols(traffic))


def endpoint(named: Iterable[Value], ports: tuple[int, ...] = ()) -> Endpoint | None:
    """One side of a detection with these values; None if none of them is one that a side is known by."""
    found: dict[str, dict[str, None]] = {"addresses": {}, "hostnames": {}, "urls": {}, "emails": {}, "macs": {}}
    for place, value in _places(named):
        if len(found[place]) < MOST_VALUES:
            found[place][value] = None
    if not any(found.values()):
        return None
    return Endpoint(**{place: tuple(each) for place, each in found.items()}, ports=ports)


def _places(named: Iterable[Value]) -> Iterator[tuple[str, str]]:
    """Where each value belongs, in its one form. A network is no address, so it has no place."""
    for path, value in named:
        type, _, inner = path.partition(":")
        if type == "url" and inner == "value":
            found = ("urls", values.url(value))
        elif type == "mac-addr" and inner == "value":
            found = ("macs", values.mac(value))
        elif not (inner == "value" or inner.endswith(("_ref.value", "_refs[*].value"))):
            continue
        elif "@" in value:
            found = ("emails", values.email(value))
        else:
            version, text = values.network(value.removesuffix("/32").removesuffix("/128"))
            found = ("addresses", "" if "/" in text else text) if version else ("hostnames", values.name(value))
        if found[1]:
            yield found
