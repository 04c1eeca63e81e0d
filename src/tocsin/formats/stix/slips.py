"""The one STIX 2.1 indicator that Slips writes for each evidence, for those who read its feed (SlipsWeb).

Its words and their order are Slips' (`exporting_alerts/stix_exporter.py`): name is the evidence's type, labels are that
and the threat level in small letters, and everything of its own begins with `x_slips_`. Unlike there the id is the same
at every attempt, every value is escaped, flow uids stand in order, and what is ours is never called bad.

A row that is an evidence, as Slips stores it, says its own words; for any other the detection does.
"""

from collections.abc import Mapping
from typing import Any

from tocsin.formats.stix import values
from tocsin.formats.stix.ids import ours
from tocsin.formats.stix.objects import SPEC, Object
from tocsin.formats.stix.observables import entities_of
from tocsin.formats.stix.patterns import literal
from tocsin.formats.stix.write import EMPTY, Own, is_ours, stamp
from tocsin.formats.times import writable
from tocsin.model import Alert, Alertgroup, Endpoint, Micros

NAMELESS = "Slips Alert"
NOTHING_FOUND = "[ipv4-addr:value = '']"
"""A pattern that finds nothing, for readers that do not know `revoked`."""
_NOTHING: Mapping[str, Any] = {}


class SlipsIndicator(Object, frozen=True, kw_only=True, tag="indicator"):
    """As Slips writes it."""

    created: str
    modified: str
    revoked: bool = False
    name: str
    description: str = ""
    pattern: str
    pattern_type: str
    pattern_version: str
    valid_from: str
    labels: tuple[str, ...] = ()
    date_added: str
    x_slips_attacker_direction: str = ""
    x_slips_attacker_ti: str = ""
    x_slips_dst_port: int | None = None
    x_slips_evidence_id: str = ""
    x_slips_flow_uids: tuple[str, ...] = ()
    x_slips_profile_ip: str = ""
    x_slips_src_port: int | None = None
    x_slips_threat_level: str = ""
    x_slips_timewindow: int | None = None
    x_slips_victim: str = ""


def indicator(
    group: Alertgroup, index: int, own: Own | None = None, modified: Micros | None = None, hub: str = ""
) -> SlipsIndicator | None:
    """The indicator of one alert of a stored group, or None if it names no address, network, name or URL to assert.

    Args:
        group: with its uid, its alerts with their detections.
        index: which of its alerts.
        own: what is never said to be bad; without it everything may be, as Slips has it.
        modified: when the group last changed; when it was received, if not given.
        hub: the uid of this Tocsin, so that no other one makes the same id.
    """
    alert = group.alerts[index]
    detection, row = alert.detection or EMPTY, alert.data
    profile = _text(_inner(row, "profile").get("ip")) or _first_address(detection.sources)
    attacker = _text(_inner(row, "attacker").get("value")) or _first(detection.sources)
    victim = _text(_inner(row, "victim").get("value")) or _first(detection.targets)
    value = attacker or profile or victim
    type, pattern = _pattern(value)
    if not pattern or (own is not None and is_ours(own, type, value)):
        return None
    received = group.received if writable(group.received) else 0
    seen = next(
        (time for time in (detection.detected, detection.start) if time is not None and writable(time)), received
    )
    name = _text(row.get("evidence_type")) or detection.name or detection.category or NAMELESS
    level = _text(row.get("threat_level")) or ("" if detection.severity is None else detection.severity.name)
    later = modified if modified is not None and writable(modified) else received
    return SlipsIndicator(
        spec_version=SPEC,
        id=indicator_id(hub, group, index),
        created=stamp(received),
        modified=stamp(max(later, received)),
        name=name,
        description=_text(row.get("description")) or detection.description,
        pattern=pattern,
        pattern_type="stix",
        pattern_version=SPEC,
        valid_from=stamp(seen),
        labels=tuple(filter(None, (name.lower(), level.lower()))),
        date_added=_added(seen),
        x_slips_attacker_direction=_text(_inner(row, "attacker").get("direction")) or ("SRC" if attacker else ""),
        x_slips_attacker_ti=_text(_inner(row, "attacker").get("TI")),
        x_slips_dst_port=_port(row.get("dst_port"), detection.targets),
        x_slips_evidence_id=_evidence_id(row, alert),
        x_slips_flow_uids=tuple(sorted(set(filter(None, detection.flow_uids)))),
        x_slips_profile_ip=profile,
        x_slips_src_port=_port(row.get("src_port"), detection.sources),
        x_slips_threat_level=level.upper(),
        x_slips_timewindow=_window(row),
        x_slips_victim=victim,
    )


def taken_back(group: Alertgroup, when: Micros, hub: str) -> tuple[SlipsIndicator, ...]:
    """The indicators of all alerts of a group that has no text any more, revoked: they find nothing and say nothing."""
    at = stamp(group.received if writable(group.received) else 0)
    return tuple(
        SlipsIndicator(
            spec_version=SPEC,
            id=indicator_id(hub, group, index),
            created=at,
            modified=stamp(when),
            revoked=True,
            name=NAMELESS,
            pattern=NOTHING_FOUND,
            pattern_type="stix",
            pattern_version=SPEC,
            valid_from=at,
            date_added=_added(max(group.received, 0)),
        )
        for index in range(len(group.alerts))
    )


def indicator_id(hub: str, group: Alertgroup, index: int) -> str:
    """The id of the indicator of one alert, whether or not there is anything to say in one."""
    return ours("indicator", hub, "slips", group.alerts[index].uid or f"{group.uid}/{index}")


def _pattern(value: str) -> tuple[str, str]:
    """The type of a value, found in Slips' order, and its pattern in Slips' words."""
    version, net = values.network(value)
    if version:
        return f"ipv{version}", f"[ipv{version}-addr:value = {literal(net)}]"
    if uri := values.url(value):
        return "url", f"[url:value = {literal(uri)}]"
    name = values.name(value)
    return "domain", f"[domain-name:value = {literal(name)}]" if "." in name else ""


def _inner(row: Mapping[str, Any], column: str) -> Mapping[str, Any]:
    cell = row.get(column)
    return cell if isinstance(cell, dict) else _NOTHING


def _text(cell: Any) -> str:
    return cell if isinstance(cell, str) else ""


def _evidence_id(row: Mapping[str, Any], alert: Alert) -> str:
    return (_text(row.get("id")) if "evidence_type" in row else "") or alert.uid


def _window(row: Mapping[str, Any]) -> int | None:
    cell = row.get("timewindow")
    number = cell.get("number") if isinstance(cell, dict) else cell
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def _port(cell: Any, endpoints: tuple[Endpoint, ...]) -> int | None:
    """A port; none for zero, as there."""
    if isinstance(cell, int) and not isinstance(cell, bool) and 0 < cell <= 65535:
        return cell
    ports = {port for endpoint in endpoints for port in endpoint.ports if 0 < port <= 65535}
    return ports.pop() if len(ports) == 1 else None


def _first(endpoints: tuple[Endpoint, ...]) -> str:
    found = (value for endpoint in endpoints for type, value in entities_of(endpoint) if type not in ("email", "mac"))
    return next(found, "")


def _first_address(endpoints: tuple[Endpoint, ...]) -> str:
    return next((address for endpoint in endpoints for address in endpoint.addresses), "")


def _added(time: Micros) -> str:
    """As Python writes a time in UTC: `2024-10-04T13:45:30.123456+00:00`."""
    return stamp(time).replace(".000000Z", "Z").replace("Z", "+00:00")
