"""Words and numbers of severity -> `Severity`.

Scales of numbers:
- ranked: 1 high, 2 medium, 3 low, 4 info (classification.config of Suricata and Snort)
- unit: 0 to 1, Slips' threat levels (info 0, low 0.2, medium 0.5, high 0.8, critical 1), the nearest
- hundred: 0 to 100, Elastic's bands of risk (low to 21, medium to 47, high to 73, critical above)
- cvss: 0 to 10, FIRST CVSS v3.1 section 5 (low to 3.9, medium to 6.9, high to 8.9, critical above)
- words: a number is ranked in a rule hit of Suricata or Snort, and says nothing elsewhere
- ecs: as words; above 4 it can only be of the hundred
"""

from tocsin.detection.cells import scalars
from tocsin.detection.names import SEVERITIES, Found
from tocsin.model import Severity

_WORDS: dict[Severity, str] = {
    Severity.INFO: "info informational information informative notice audit debug none benign",
    Severity.LOW: "low minor minr verylow",
    Severity.MEDIUM: "medium med moderate warning warn average",
    Severity.HIGH: "high major majr error err important serious veryhigh",
    Severity.CRITICAL: "critical crit fatal emergency emerg severe alert",
}
WORDS = {word: severity for severity, words in _WORDS.items() for word in words.split()}
RANKED: dict[float, Severity] = {1: Severity.HIGH, 2: Severity.MEDIUM, 3: Severity.LOW, 4: Severity.INFO}
BANDS: dict[str, tuple[tuple[float, Severity], ...]] = {
    "unit": ((0.1, Severity.INFO), (0.35, Severity.LOW), (0.65, Severity.MEDIUM), (0.9, Severity.HIGH)),
    "hundred": ((1, Severity.INFO), (22, Severity.LOW), (48, Severity.MEDIUM), (74, Severity.HIGH)),
    "cvss": ((0.05, Severity.INFO), (4, Severity.LOW), (7, Severity.MEDIUM), (9, Severity.HIGH)),
}
"""Scale -> (below this number, severity); what is above the last is critical."""
TOP = {"unit": 1.0, "hundred": 100.0, "cvss": 10.0}
SCALES = tuple(scale for _, scale in SEVERITIES)


def found_severity(found: Found) -> Severity | None:
    """The severity of a row from its cells, or None when no column says one that can be read."""
    for rank, cell in found.get("severity", ()):
        scale = "words" if rank < 0 else SCALES[rank]
        for value in scalars(cell):
            severity = _level(value, scale, rule_hit="ids" in found)
            if severity is not None:
                return severity
    return None


def _level(value: str | float, scale: str, *, rule_hit: bool) -> Severity | None:
    if isinstance(value, str):
        word = WORDS.get(value.lower().replace(" ", "").replace("_", "").replace("-", ""))
        if word is not None:
            return word
        try:
            number = float(value)
        except ValueError:
            return None
    else:
        number = value
    if scale in ("words", "ecs"):
        if number > 4:
            return _band(number, "hundred") if scale == "ecs" else None
        return RANKED.get(number) if rule_hit else None
    if scale == "ranked":
        return RANKED.get(number)
    return _band(number, scale)


def _band(number: float, scale: str) -> Severity | None:
    if not 0 <= number <= TOP[scale]:
        return None
    return next((severity for below, severity in BANDS[scale] if number < below), Severity.CRITICAL)
