r"""ArcSight's Common Event Format, version 0 (Implementation Standard, revision 26): a line of text.

    CEF:0|vendor|product|version|signature|name|severity|key=value key=value …

In the header `\` and `|` are escaped, in values `\`, `=` and line ends; other control characters become spaces. Of
several values for one key the first stands there: CEF knows no lists.
"""

import re
from collections.abc import Iterator

from tocsin.model import Alert, Alertgroup, Detection, Endpoint, Severity

SEVERITIES = {
    Severity.INFO: "1",
    Severity.LOW: "3",
    Severity.MEDIUM: "5",
    Severity.HIGH: "8",
    Severity.CRITICAL: "10",
}
LONGEST = 1023
"""Characters of a text, as the standard allows for `msg`."""
NOWHERE, NOTHING = Endpoint(), Detection()
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029\ud800-\udfff]+")
_ENDS = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f\u0085\u2028\u2029\ud800-\udfff]+")
_PREFIX = re.compile(r"(?<![^\s])CEF:\s?\d+\|")
_BAR = re.compile(r"(?<!\\)((?:\\\\)*)\|")
_KEY = re.compile(r"(?:^|\s)([\w.\[\]-]+)=")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_HEADER = ("vendor", "product", "product_version", "signature_id", "name", "severity")


def event(group: Alertgroup, alert: Alert, version: str) -> str:
    """One alert as CEF; it needs its detection set. `version` is Tocsin's."""
    meant = alert.detection or NOTHING
    name = meant.name or meant.category or group.subject
    rated = "Unknown" if meant.severity is None else SEVERITIES[meant.severity]
    head = ["CEF:0", "Tocsin", "Tocsin", version, meant.category or meant.name or "alert", name, rated]
    pairs = " ".join(f"{key}={_value(value)}" for key, value in _pairs(group, alert, meant) if value)
    return "|".join([head[0], *map(_header, head[1:]), pairs])


def read(text: str) -> dict[str, str]:
    """The cells of a line that holds CEF, the header's first; an empty one: it holds none."""
    found = _PREFIX.search(text)
    if found is None:
        return {}
    fields, rest = [], text[found.end() :]
    for _ in _HEADER:
        bar = _BAR.search(rest)
        if bar is None:
            return {}
        fields.append(_plain(rest[: bar.end() - 1]))
        rest = rest[bar.end() :]
    cells = dict(zip(_HEADER, fields, strict=True))
    keys = list(_KEY.finditer(rest))
    ends = [*(key.start() for key in keys[1:]), len(rest)]
    for key, end in zip(keys, ends, strict=False):
        cells[key[1]] = _plain(rest[key.end() : end].rstrip())
    return cells


def _pairs(group: Alertgroup, alert: Alert, meant: Detection) -> Iterator[tuple[str, str]]:
    source, target = (meant.sources or (NOWHERE,))[0], (meant.targets or (NOWHERE,))[0]
    yield "externalId", alert.uid
    yield "rt", _milliseconds(meant.detected or group.created or group.received)
    yield "start", _milliseconds(meant.start)
    yield "end", _milliseconds(meant.end)
    yield "cat", meant.category
    yield from _endpoint(source, "s", "src", "2", "Source IPv6 Address")
    yield from _endpoint(target, "d", "dst", "3", "Destination IPv6 Address")
    yield "proto", next(iter(meant.protocols), "").upper()
    yield "request", next((url for end in (target, source) for url in end.urls), "")
    yield "msg", (meant.description or meant.name or group.subject)[:LONGEST]
    yield "cs1Label", "Alertgroup"
    yield "cs1", group.subject[:LONGEST]
    yield "cs2Label", "AlertgroupUid"
    yield "cs2", group.uid


def _endpoint(end: Endpoint, side: str, key: str, number: str, label: str) -> Iterator[tuple[str, str]]:
    yield key, next((address for address in end.addresses if ":" not in address and "/" not in address), "")
    six = next((address for address in end.addresses if ":" in address and "/" not in address), "")
    yield f"c6a{number}Label", label if six else ""
    yield f"c6a{number}", six
    yield f"{side}pt", next(map(str, end.ports), "")
    yield f"{side}host", next(iter(end.hostnames), "")
    yield f"{side}mac", next(iter(end.macs), "")


def _milliseconds(micros: int | None) -> str:
    return str(micros // 1000) if micros else ""


def _header(text: str) -> str:
    return _CONTROL.sub(" ", text)[:LONGEST].replace("\\", "\\\\").replace("|", "\\|")


def _value(text: str) -> str:
    text = _ENDS.sub(" ", text).strip().replace("\\", "\\\\").replace("=", "\\=")
    return text.replace("\r", "\\r").replace("\n", "\\n")


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda found: {"n": "\n", "r": "\r"}.get(found[1], found[1]), text)
