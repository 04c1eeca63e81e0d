r"""The line of `alerts.log`, as Slips writes it for an evidence, one for each alert.

    <time> (TW <n>): Src IP <address padded to 26>. Detected <text> Threat level: <word>. <rest>

- time: when it was detected, else when the alertgroup was made or received: ISO 8601, UTC.
- `(TW n)`: Slips' time window, where the row has one (`timewindow`, a number or an object with `number`).
- the address column: the first source address, with its host name in brackets; `-` where no source is known.
- rest: `192.0.2.7:4444 -> 198.51.100.9:23 tcp, category: …, alertgroup: 7, id: <the alert's uid>`.

A line is a pure function of alertgroup, alert and detection. No text, whoever wrote it, can end a line or begin
another: control characters, Unicode's line ends and marks of writing direction stand as escapes (`\n`, `\x1b`,
`\u2028`).
"""

import re

from tocsin.formats.times import rfc3339, writable
from tocsin.model import Alert, Alertgroup, Detection, Endpoint

COLUMN = 26
"""Width of the address column (slips.py's alerts.log)."""

UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
EMPTY = Detection()
NOWHERE = Endpoint()


def lines(group: Alertgroup) -> bytes:
    """Every alert of a group on a line of its own, in order, as UTF-8; an alert needs its detection set."""
    return "".join([f"{line(group, alert, alert.detection or EMPTY)}\n" for alert in group.alerts]).encode()


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
    for moment in (detection.detected, group.created):
        if moment is not None and writable(moment):
            return rfc3339(moment)
    return rfc3339(group.received)


def _window(alert: Alert) -> str:
    if '"timewindow"' not in alert.json:
        return ""
    window = alert.data.get("timewindow")
    number = window.get("number") if isinstance(window, dict) else window
    return f" (TW {number})" if isinstance(number, int) and not isinstance(number, bool) else ""


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
