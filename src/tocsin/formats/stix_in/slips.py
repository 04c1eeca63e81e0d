"""The indicator that Slips writes -> the evidence it was made of, in Slips' own words.

`formats/stix/slips.py` writes it; what is read here and written there is the same indicator again.
"""

from collections.abc import Mapping
from typing import Any

from tocsin.formats.stix import values
from tocsin.formats.stix_in.document import Thing
from tocsin.model import Detection, Endpoint, Severity

PREFIX = "x_slips_"
TOLD = frozenset(
    f"{PREFIX}{name}"
    for name in ("evidence_id", "threat_level", "profile_ip", "timewindow", "attacker_direction", "attacker_ti",
                 "victim", "flow_uids", "dst_port", "src_port")
)  # fmt: skip


def is_slips(thing: Thing) -> bool:
    """Whether Slips wrote it, or somebody in its words."""
    return thing.type == "indicator" and f"{PREFIX}evidence_id" in thing.properties


def is_told(name: str, value: object) -> bool:
    """Whether the evidence's fields tell a property; one of a form that Slips never writes stays what it is."""
    return name in TOLD and value not in (None, "", {}, []) and (isinstance(value, str) or not name.endswith("_level"))


def cells(thing: Thing, attacker: str) -> dict[str, Any]:
    """The evidence's fields, as Slips names them; `attacker` is the value of its pattern."""
    said = thing.properties
    inner: dict[str, Mapping[str, Any]] = {
        "attacker": {
            "value": attacker or None,
            "direction": said.get(f"{PREFIX}attacker_direction"),
            "TI": said.get(f"{PREFIX}attacker_ti"),
        },
        "victim": {"value": said.get(f"{PREFIX}victim")},
        "profile": {"ip": said.get(f"{PREFIX}profile_ip")},
        "timewindow": {"number": said.get(f"{PREFIX}timewindow")},
    }
    found: dict[str, Any] = {
        "evidence_type": thing.said("name"),
        "threat_level": thing.said(f"{PREFIX}threat_level").lower(),
        **{name: {key: one for key, one in cell.items() if one is not None} for name, cell in inner.items()},
        "src_port": said.get(f"{PREFIX}src_port"),
        "dst_port": said.get(f"{PREFIX}dst_port"),
        "uid": said.get(f"{PREFIX}flow_uids"),
        "id": said.get(f"{PREFIX}evidence_id"),
    }
    return {name: cell for name, cell in found.items() if cell not in (None, "", {})}


def detection(thing: Thing, attacker: str) -> Detection:
    """What the evidence means. The attacker stands in the sources, whichever way its flow went."""
    outward = thing.said(f"{PREFIX}attacker_direction").upper() != "DST"
    own, other = _port(thing, "src_port"), _port(thing, "dst_port")
    if not outward:
        own, other = other, own
    profile = thing.said(f"{PREFIX}profile_ip")
    victim = thing.said(f"{PREFIX}victim") or (profile if profile != attacker else "")
    return Detection(
        name=thing.said("name"),
        category=thing.said("name"),
        description=thing.said("description"),
        severity=_severity(thing.said(f"{PREFIX}threat_level")),
        confidence=None,
        detected=thing.time("valid_from", "created"),
        sources=_side(attacker, own),
        targets=_side(victim, other),
        flow_uids=tuple(thing.listed(f"{PREFIX}flow_uids")),
    )


def _severity(word: str) -> Severity | None:
    return Severity[word.upper()] if word.upper() in Severity.__members__ else None


def _port(thing: Thing, name: str) -> int | None:
    value = thing.properties.get(f"{PREFIX}{name}")
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 65535 else None


def _side(value: str, port: int | None) -> tuple[Endpoint, ...]:
    """One side of it; nothing but a port is no side."""
    ports = () if port is None else (port,)
    version, address = values.network(value)
    if version and "/" not in address:
        return (Endpoint(addresses=(address,), ports=ports),)
    if url := values.url(value):
        return (Endpoint(urls=(url,), ports=ports),)
    name = values.name(value)
    return (Endpoint(hostnames=(name,), ports=ports),) if name else ()
