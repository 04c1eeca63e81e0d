"""Argus' flows as `ra` prints them: binetflow, fields divided by commas or tabs under a header (ra(1)).

Which column is what is told by a part of its name, as Slips does it: `StartTime`, `SrcAddr`, `sAddr` and the like.
Times have no zone: they are UTC unless the import says another (`cells.moment`).

Ports are decimal or hexadecimal. Of ICMP, Argus writes type and code as one hexadecimal word in the source's port, the
type in the low byte, and an identifier in the other. Here as elsewhere `sport` is the type; `dport` is the code where
the type has no answer (3: 0x0103 becomes 3 and 1), and stays the identifier where it has one (8), which no fingerprint
looks at.
"""

from tocsin.flows.reading.cells import MOMENT, PORT, Cell, moment
from tocsin.flows.reading.delimited import Delimited, field
from tocsin.flows.reading.reader import Reader

_COLUMNS = (
    ("finish", ("endtime", "lasttime")),
    ("start", ("time",)),
    ("dur", ("dur",)),
    ("appproto", ("appproto",)),
    ("proto", ("proto",)),
    ("saddr", ("srca", "saddr")),
    ("sport", ("sport",)),
    ("dir", ("dir",)),
    ("daddr", ("dsta", "daddr")),
    ("dport", ("dport",)),
    ("state", ("state",)),
    ("pkts", ("totpkts",)),
    ("bytes", ("totbytes",)),
    ("sbytes", ("srcbytes",)),
    ("dbytes", ("dstbytes",)),
    ("spkts", ("srcpkts",)),
    ("dpkts", ("dstpkts",)),
    ("smac", ("srcmac", "smac")),
    ("dmac", ("dstmac", "dmac")),
    ("ground_truth_label", ("label",)),
)
"""Of each column, what a part of its name in the header is, in small letters; the first that fits counts."""

_COUNTS = ("pkts", "bytes", "sbytes", "dbytes", "spkts", "dpkts")
_TYPES = {"start": MOMENT, "finish": MOMENT, "dur": "DOUBLE", "sport": PORT, "dport": PORT} | dict.fromkeys(
    _COUNTS, "BIGINT"
)
_NEEDED = {"start", "proto", "saddr", "daddr"}

_HEXADECIMAL = "'0x[0-9a-fA-F]{1,4}'"
_ICMP_WITH_ANSWER = "(0, 8, 9, 10, 13, 14, 15, 16, 17, 18)"


def recognise(head: bytes) -> Reader | None:
    """A header that names a start, a protocol and two addresses among its fields, divided by commas or tabs."""
    header = head.partition(b"\n")[0].decode("utf-8", "replace").rstrip("\r")
    delimiter = "\t" if "\t" in header else ","
    names = header.rstrip(delimiter).lower().split(delimiter)
    found = _fields(names)
    if not found.keys() >= _NEEDED:
        return None
    form = "argus, tab-separated" if delimiter == "\t" else "argus, comma-separated"
    return Delimited(form, "argus", _cells(found), delimiter=delimiter, header=header, fields=len(names))


def _fields(names: list[str]) -> dict[str, str]:
    """SQL for the text of each column that the header has."""
    found: dict[str, str] = {}
    for number, name in enumerate(names, 1):
        column = next((column for column, parts in _COLUMNS if any(part in name for part in parts)), "")
        if column:
            found.setdefault(column, field(number))
    return found


def _cells(found: dict[str, str]) -> list[Cell]:
    texts = dict(found)
    texts["sport"], texts["dport"] = _ports(found)
    if "finish" in found and "dur" not in found:
        texts["dur"] = f"(({moment(found['finish'])} - {moment(found['start'])}) / 1e6)::VARCHAR"
    for whole, one, other in (("pkts", "spkts", "dpkts"), ("bytes", "sbytes", "dbytes")):
        for missing, there in ((other, one), (one, other)):
            if missing not in found and {whole, there} <= found.keys():
                rest = f"TRY_CAST({found[whole]} AS BIGINT) - TRY_CAST({found[there]} AS BIGINT)"
                texts[missing] = f"CASE WHEN {rest} >= 0 THEN ({rest})::VARCHAR END"
    return [Cell(column, text, _TYPES.get(column, "VARCHAR")) for column, text in texts.items()]


def _ports(found: dict[str, str]) -> tuple[str, str]:
    """SQL for both ports as decimal texts."""
    sport, dport = _decimal(found.get("sport", "NULL")), _decimal(found.get("dport", "NULL"))
    if "sport" not in found:
        return sport, dport
    word = f"TRY_CAST({found['sport']} AS INTEGER)"
    icmp = f"lower({found['proto']}) = 'icmp' AND regexp_full_match({found['sport']}, {_HEXADECIMAL})"
    unanswered = f"{icmp} AND ({word} & 255) NOT IN {_ICMP_WITH_ANSWER}"
    return (
        f"CASE WHEN {icmp} THEN ({word} & 255)::VARCHAR ELSE {sport} END",
        f"CASE WHEN {unanswered} THEN ({word} >> 8)::VARCHAR ELSE {dport} END",
    )


def _decimal(text: str) -> str:
    hexadecimal = f"regexp_full_match({text}, {_HEXADECIMAL})"
    return f"CASE WHEN {hexadecimal} THEN TRY_CAST({text} AS INTEGER)::VARCHAR ELSE {text} END"
