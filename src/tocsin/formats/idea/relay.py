"""An event that came as IDEA0 and leaves as IDEA0: with every key it came with, in strict form, our node in front.

Valid keys, and keys that IDEA0 does not know, leave to the byte as they came (behind the gate: as it left them). One
that the strict schema refuses leaves mended, and as it came under `_Tocsin.Received`. The id stays, for it is what
receivers know the event by; our own stands under `_Tocsin`.
"""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from tocsin.formats.idea.mend import LEVEL, mended
from tocsin.formats.idea.objects import GONE_NAMES, Extra, is_pseudonym
from tocsin.formats.idea.schema import is_strict
from tocsin.model import TLP, Alert, Alertgroup

MARK = '"IDEA0"'
GONE = "[redacted]"
"""What the gate puts where it leaves nothing."""
_TOUCHED = re.compile(rb'redacted|"2[45][0-9]\.|"[45][0-9A-Fa-f]{3}:')
"""Whether the gate may have been at it."""
Cells = dict[str, msgspec.Raw]
_IDS = msgspec.json.Decoder(tuple[str, ...])
_encode = msgspec.json.Encoder().encode


def came_as_idea(alert: Alert) -> Cells | None:
    """The keys of the event that the row is, each in its own spelling; None for any other row."""
    if MARK not in alert.json:
        return None
    cells = LEVEL.decode(alert.json)
    return cells if bytes(cells.get("Format", b"")).strip() == MARK.encode() else None


def relayed(group: Alertgroup, alert: Alert, cells: Cells, node: bytes, detect_time: str) -> Cells:
    """The event to send, made of `cells`, which it uses up.

    `node` is ours as JSON; `detect_time` stands where there was none that could be read.
    """
    touched = [side for side in ("Source", "Target") if side in cells and _TOUCHED.search(bytes(cells[side]))]
    for side in touched:
        cells[side] = _raw(_anonymised(msgspec.json.decode(cells[side])))
    event, received = (cells, {}) if not touched and is_strict(alert.json) else mended(cells)
    if "_Tocsin" in event:
        received["_Tocsin"] = event.pop("_Tocsin")
    event.setdefault("ID", _raw(alert.uid))
    event.setdefault("DetectTime", _raw(detect_time))
    event.setdefault("Category", _raw(["Other"]))
    before = bytes(event["Node"]).strip()[1:-1].strip() if "Node" in event else b""
    event["Node"] = msgspec.Raw(b"[" + node + (b"," + before if before else b"") + b"]")
    if group.tlp is not TLP.UNSET:
        event["TLP"] = _raw(tlp_word(group))
    extra = Extra(alertgroup=group.id, alertgroup_uid=group.uid, alert_uid=alert.uid, received=received)
    event["_Tocsin"] = _raw(extra)
    return {name: _one_line(raw) for name, raw in event.items()}


def tlp_word(group: Alertgroup) -> str:
    """The TLP as Mentat compares it; nothing where nobody set one."""
    return "" if group.tlp is TLP.UNSET else group.tlp.value.upper().replace("+", "-")


def id_of(event: Cells) -> str:
    """The id of a relayed event."""
    return msgspec.json.decode(event["ID"], type=str)


def gathers(event: Cells, ids: Sequence[str]) -> bool:
    """Whether a relayed event says already that it was made of some of these."""
    return "CorrelID" in event and not set(ids).isdisjoint(_IDS.decode(event["CorrelID"]))


def _anonymised(ends: Any) -> Any:
    """The ends without what the gate left nothing of; those that it was at say so."""
    if not isinstance(ends, list):
        return ends
    found = []
    for end in ends:
        if isinstance(end, dict):
            kept = {key: _without(value) for key, value in end.items() if value != GONE}
            hidden = any(is_pseudonym(one) for key in ("IP4", "IP6") for one in _texts(end.get(key)))
            if kept != end or hidden or any(GONE_NAMES in one for one in _texts(end.get("Hostname"))):
                kept["Anonymised"] = True
            end = kept
        found.append(end)
    return found


def _without(value: Any) -> Any:
    return [item for item in value if item != GONE] if isinstance(value, list) else value


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(_encode(value))


def _one_line(raw: msgspec.Raw) -> msgspec.Raw:
    """The same without the line feeds and spaces between its signs; every number and text as it was spelled."""
    return (
        msgspec.Raw(msgspec.json.format(bytes(raw), indent=-1)) if b"\n" in bytes(raw) or b"\r" in bytes(raw) else raw
    )
