"""IBM QRadar's Log Event Extended Format, versions 1.0 and 2.0: a line of text.

    LEEF:2.0|vendor|product|version|event|^|key=value^key=value …

Written with a tab between the attributes. LEEF knows no escape: what would end a value (a tab, a line end, `|` in the
header) becomes a space. Of several values for one key the first stands there.
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
NOWHERE, NOTHING = Endpoint(), Detection()
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029\ud800-\udfff]+")
_PREFIX = re.compile(r"(?<![^\s])LEEF:\s?(1|2)(?:\.0)?\|")
_HEADER = ("vendor", "product", "product_version", "signature_id")
_HEX = re.compile(r"0?x([0-9a-fA-F]{1,4})")


def event(group: Alertgroup, alert: Alert, version: str) -> str:
    """One alert as LEEF 2.0; it needs its detection set. `version` is Tocsin's."""
    meant = alert.detection or NOTHING
    head = ["LEEF:2.0", "Tocsin", "Tocsin", version, meant.category or meant.name or "alert", "x09"]
    pairs = [f"{key}={_CONTROL.sub(' ', value).strip()}" for key, value in _pairs(group, alert, meant) if value]
    return "|".join([*(_CONTROL.sub(" ", each).replace("|", " ") for each in head), "\t".join(pairs)])


def read(text: str) -> dict[str, str]:
    """The cells of a line that holds LEEF, the header's first; an empty one: it holds none."""
    found = _PREFIX.search(text)
    if found is None:
        return {}
    parts = text[found.end() :].split("|", len(_HEADER))
    if len(parts) <= len(_HEADER):
        return {}
    cells, rest, between = dict(zip(_HEADER, parts, strict=False)), parts[-1], "\t"
    said, bar, after = rest.partition("|")
    if found[1] == "2" and bar and "=" not in said.rstrip("="):
        rest, between = after, _delimiter(said) or between
    for pair in rest.split(between):
        key, equals, value = pair.partition("=")
        if equals and key.strip():
            cells[key.strip()] = value.strip()
    return cells


def _delimiter(said: str) -> str:
    found = _HEX.fullmatch(said)
    return chr(int(found[1], 16)) if found else said[:1]


def _pairs(group: Alertgroup, alert: Alert, meant: Detection) -> Iterator[tuple[str, str]]:
    source, target = (meant.sources or (NOWHERE,))[0], (meant.targets or (NOWHERE,))[0]
    moment = meant.detected or group.created or group.received
    yield "devTime", str(moment // 1000) if moment else ""
    yield "sev", "" if meant.severity is None else SEVERITIES[meant.severity]
    yield "cat", meant.category
    yield "name", meant.name or meant.category or group.subject
    for end, side in ((source, "src"), (target, "dst")):
        yield side, next((address for address in end.addresses if "/" not in address), "")
        yield f"{side}Port", next(map(str, end.ports), "")
        yield f"{side}MAC", next(iter(end.macs), "")
        yield f"{side}HostName", next(iter(end.hostnames), "")
    yield "proto", next(iter(meant.protocols), "")
    yield "url", next((url for end in (target, source) for url in end.urls), "")
    yield "msg", meant.description or meant.name or group.subject
    yield "uid", alert.uid
    yield "alertgroup", group.subject
    yield "alertgroupUid", group.uid
