"""The fields that Slips 1.1.1, its last release with IDEA0, wrote beside those of IDEA0.

For each alert: ConnCount, the sentence as Attach, the type of the source, accumulated_threat_level and timewindow. For
the alertgroup, which is an alert there: profileid, threat_level, the line of alerts.log as Attach. Unlike there it is
still IDEA0: Format and Category are IDEA0's, and CorrelID names the evidence.
"""

from typing import Any, NamedTuple

import msgspec

from tocsin.formats import log_line
from tocsin.formats.idea.objects import Attach
from tocsin.formats.slips import EVIDENCE, accumulated
from tocsin.model import Alert, Alertgroup, Detection

UNSET = msgspec.UNSET


class Extras(NamedTuple):
    """What stands beside; nothing by default."""

    conn_count: int | msgspec.UnsetType = UNSET
    attach: tuple[Attach, ...] = ()
    tag: str = ""
    accumulated: float | msgspec.UnsetType = UNSET
    window: int | msgspec.UnsetType = UNSET
    profile: str = ""


NOTHING = Extras()


def extras(alert: Alert, detection: Detection, description: str) -> Extras:
    """What stands beside one alert."""
    cells = alert.data
    evidence = EVIDENCE.get(detection.category)
    count = next((cells[name] for name in ("ConnCount", "conn_count") if name in cells), 1)
    return Extras(
        conn_count=count if _is_whole(count) and count >= 0 else 1,
        attach=(_text(detection.description or description),),
        tag="" if evidence is None else evidence.tag,
        accumulated=_accumulated(cells),
        window=_window(alert),
    )


def extras_of_group(group: Alertgroup) -> Extras:
    """What stands beside an alertgroup; `accumulated` is that of its last alert that says it."""
    last = [found for alert in group.alerts if (found := _accumulated(alert.data)) is not UNSET]
    address = log_line.source((group.alerts[0].detection or Detection()) if group.alerts else Detection())
    return Extras(
        attach=(_text(log_line.alert_line(group)),),
        accumulated=last[-1] if last else UNSET,
        window=_window(group.alerts[0]) if group.alerts else UNSET,
        profile="" if address == "-" else f"profile_{address.partition(' ')[0]}",
    )


def _text(content: str) -> Attach:
    return Attach(content=content, content_type="text/plain")


def _accumulated(cells: dict[str, Any]) -> float | msgspec.UnsetType:
    level = accumulated(cells)
    return UNSET if level is None else level


def _window(alert: Alert) -> int | msgspec.UnsetType:
    number = log_line.window(alert)
    return UNSET if number is None else number


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
