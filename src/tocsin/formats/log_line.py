r"""The lines of `alerts.log`, as Slips writes them for an evidence and, in the form `slips`, for an alert too.

    <time> (TW <n>): Src IP <address padded to 26>. Detected <text> Threat level: <word>. <rest>
    <time>: Src IP <address padded to 26>. Generated an alert given enough evidence on timewindow <n>. (real time <…>)

- time: when it was detected, else when the alertgroup was made or received: ISO 8601, UTC. Slips writes that of its
  machine's zone; here the same alert is the same line on every machine.
- `(TW n)`: Slips' time window, where the row has one (`timewindow`, a number or an object with `number`).
- the address column: the first source address, with its host name in brackets; `-` where no source is known.
- rest: `192.0.2.7:4444 -> 198.51.100.9:23 tcp, category: …, alertgroup: 7, id: <the alert's uid>`.

The form `slips` is Slips' own to the letter: the rest is what the row knows of the addresses of attacker and victim,
and nothing, behind a space, where it knows nothing; and an alertgroup of several alerts, an alert in its words, ends
with a line that says so. A row that stands for the whole alertgroup (`CorrelID` names others) has that line alone.

A line is a pure function of alertgroup, alert and detection. No text, whoever wrote it, can end a line or begin
another: control characters, Unicode's line ends and marks of writing direction stand as escapes (`\n`, `\x1b`,
`\u2028`).
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from tocsin.formats.slips import told
from tocsin.formats.times import rfc3339, writable
from tocsin.model import Alert, Alertgroup, Detection, Endpoint, Micros

Form = Literal["tocsin", "slips"]

COLUMN = 26
"""Width of the address column (slips.py's alerts.log)."""

UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
EMPTY = Detection()
NOWHERE = Endpoint()
SAYS_LEVEL = "Threat level:"
"""What Slips puts behind the description itself, before it writes alerts.json."""


def lines(group: Alertgroup, form: Form = "tocsin") -> bytes:
    """Every alert of a group on a line of its own, in order, as UTF-8; an alert needs its detection set."""
    if form == "slips":
        return "".join([f"{text}\n" for text in _slips_lines(group)]).encode()
    return "".join([f"{line(group, alert, alert.detection or EMPTY)}\n" for alert in group.alerts]).encode()


def _slips_lines(group: Alertgroup) -> Iterator[str]:
    evidence = [alert for alert in group.alerts if not gathers(alert)]
    for alert in evidence:
        yield evidence_line(group, alert)
    if len(evidence) != 1 or len(group.alerts) > 1:
        yield alert_line(group)


def evidence_line(group: Alertgroup, alert: Alert) -> str:
    """One alert's line in Slips' own form, without its line feed."""
    detection = alert.detection or EMPTY
    said = detection.description or detection.name or group.subject
    if detection.severity is not None and SAYS_LEVEL not in said:
        said = f"{said} {SAYS_LEVEL} {detection.severity.name.lower()}."
    head = f"{_iso(_moment(group, detection))}{_window(alert)}: Src IP {source(detection):<{COLUMN}}."
    return plain(f"{head} Detected {said} {_known(alert)}")


def alert_line(group: Alertgroup) -> str:
    """The line of an alertgroup that is an alert of Slips, without its line feed."""
    meant = [alert.detection or EMPTY for alert in group.alerts]
    moments = [_moment(group, each) for each in meant]
    numbers = [number for alert in group.alerts if (number := window(alert)) is not None]
    on = f" on timewindow {numbers[0]}" if numbers else ""
    real = datetime.fromtimestamp(group.received // 1_000_000, UTC).strftime("%Y/%m/%d %H:%M:%S")
    return plain(
        f"{_iso(max(moments, default=group.received))}: Src IP {source(meant[0] if meant else EMPTY):<{COLUMN}}. "
        f"Generated an alert given enough evidence{on}. (real time {real}.{group.received % 1_000_000:06}+0000)"
    )


def gathers(alert: Alert) -> bool:
    """Whether a row stands for others: an incident that names its evidence."""
    return '"CorrelID"' in alert.json and bool(alert.data.get("CorrelID"))


def line(group: Alertgroup, alert: Alert, detection: Detection) -> str:
    """One alert's line, without its line feed."""
    parts = [f"{_time(group, detection)}{_window(alert)}: Src IP {source(detection):<{COLUMN}}."]
    parts.append(f"Detected {detection.description or detection.name or group.subject}")
    if detection.severity is not None:
        parts.append(f"Threat level: {detection.severity.name.lower()}.")
    flow = _flow(detection)
    rest = [flow] if flow else []
    if detection.category:
        rest.append(f"category: {detection.category}")
    if group.id:
        rest.append(f"alertgroup: {group.id}")
    if alert.uid:
        rest.append(f"id: {alert.uid}")
    parts.append(", ".join(rest))
    return plain(" ".join(parts))


def plain(text: str) -> str:
    """The text with everything escaped that could end a line or turn its direction."""
    return UNSAFE.sub(_escaped, text) if UNSAFE.search(text) else text


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    code = ord(character)
    return SHORT.get(character) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")


def _time(group: Alertgroup, detection: Detection) -> str:
    return rfc3339(_moment(group, detection))


def _moment(group: Alertgroup, detection: Detection) -> Micros:
    """When it was detected, else when the group was made or received."""
    for moment in (detection.detected, group.created):
        if moment is not None and writable(moment):
            return moment
    return group.received


def _iso(moment: Micros) -> str:
    """As Python writes a time in UTC: `2024-10-04T13:45:30.123456+00:00`."""
    return rfc3339(moment).replace("Z", "+00:00")


def window(alert: Alert) -> int | None:
    """The number of Slips' time window that a row names: beside the rest, or in the Note of an IDMEFv2 message."""
    if "timewindow" not in alert.json:
        return None
    window = told(alert.data, "timewindow")
    number = window.get("number") if isinstance(window, dict) else window
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def _window(alert: Alert) -> str:
    number = window(alert)
    return "" if number is None else f" (TW {number})"


def _known(alert: Alert) -> str:
    """What an evidence knows of the addresses of its attacker and victim."""
    if '"attacker"' not in alert.json:
        return ""
    ends = (alert.data.get("attacker"), alert.data.get("victim"))
    return ", ".join(filter(None, [_known_of(end) for end in ends if isinstance(end, dict)]))


def _known_of(end: Mapping[str, Any]) -> str:
    """`IP 192.0.2.7: a.example, AS: AS1 Example, rDNS: b.example, SNI: c.example, `, of what there is."""
    names, system = end.get("DNS_resolution"), end.get("AS")
    parts = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    if isinstance(system, dict):
        system = " ".join(str(system[key]) for key in ("number", "org") if system.get(key))
    parts += [
        f"{word}: {told}" for word, told in (("AS", system), ("rDNS", end.get("rDNS")), ("SNI", end.get("SNI"))) if told
    ]
    return f"IP {end.get('value')}: {', '.join(parts)}, " if parts and end.get("ioc_type") == "IP" else ""


def source(detection: Detection) -> str:
    """The first source as the address column has it: the address with its host name in brackets, or what there is."""
    source = detection.sources[0] if detection.sources else NOWHERE
    if source.addresses and source.hostnames:
        return f"{source.addresses[0]} ({source.hostnames[0]})"
    return next(iter(source.addresses + source.hostnames + source.macs + source.emails + source.urls), "-")


def _flow(detection: Detection) -> str:
    """`192.0.2.7:4444 -> 198.51.100.9:23 tcp/ssh`; what is not known is left out."""
    ends = [_ends(endpoints) for endpoints in (detection.sources, detection.targets)]
    if not any(ends):
        return ""
    flow = f"{ends[0] or '?'} -> {ends[1] or '?'}"
    return f"{flow} {'/'.join(detection.protocols)}" if detection.protocols else flow


def _ends(endpoints: tuple[Endpoint, ...]) -> str:
    texts = []
    for end in endpoints:
        ports = "+".join(map(str, end.ports))
        for name in end.addresses or end.hostnames or end.macs or end.emails or end.urls or ("",):
            host = f"[{name}]" if ":" in name and ports and name in end.addresses else name
            texts.append(f"{host}:{ports}" if ports else host)
    return " ".join(texts)
