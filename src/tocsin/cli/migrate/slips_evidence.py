"""Slips' threshold of evidence: the accumulate rule that raises alerts as Slips does, for evidence without alerts."""

import math

from tocsin.cli.migrate.slips_keys import Keys
from tocsin.cli.migrate.written import value_of
from tocsin.config import AccumulateTable

DETECTION, PARAMETERS = "detection", "parameters"
THRESHOLD, WIDTH = "evidence_detection_threshold", "time_window_width"
USUAL, USUAL_S = 0.25, 3600.0
SHORTEST_S, LONGEST_S = 60.0, 366 * 86_400.0
QUERY = "parser:slips and not name:ALERT"


def accumulating(keys: Keys) -> list[str]:
    """Lines of TOML: none where neither key is there. Switched off, since Slips raises its alerts itself."""
    if all(key not in keys.tree.get(section, {}) for section, key in ((DETECTION, THRESHOLD), (PARAMETERS, WIDTH))):
        return []
    a_minute = keys.number(DETECTION, THRESHOLD, USUAL, "threshold of [accumulate.slips], which is switched off")
    width = min(max(_width(keys.tree.get(PARAMETERS, {}).get(WIDTH)), SHORTEST_S), LONGEST_S)
    # Slips takes 0 and less for reached by the first evidence.
    threshold = min(max(a_minute * width / 60, 0.000001), 1e9)
    options = {"enabled": False, "query": QUERY, "window_h": round(width / 3600, 6), "threshold": round(threshold, 6)}
    AccumulateTable.model_validate(options)
    return [
        "",
        "# When evidence makes an alert, as Slips reckons it. Slips does so itself, and exports each evidence besides:",
        "# this is off. Switch it on where evidence comes without Slips' alerts, and is to be sent once it is enough.",
        "[accumulate.slips]",
        *(f"{name} = {value_of(value)}" for name, value in options.items()),
    ]


def _width(given: object) -> float:
    """Seconds; what became of the key says whoever else reads it (`slips_flows`)."""
    if given == "only_one_tw":
        return LONGEST_S
    try:
        found = float(str(given))
    except ValueError:
        return USUAL_S
    return found if math.isfinite(found) else USUAL_S
