"""NetFlow as nfdump keeps it, read through the program; and nfdump's CSV (nfdump(1), `-o csv`).

One record is one row: NetFlow's are of one direction each, and both directions of a connection are two flows. Who wants
them as one imports what `nfdump -b -o csv -r FILE` writes. nfdump writes local times: its own times are asked for as
seconds since the epoch; those of a CSV are UTC unless the import says another zone (`cells.moment`).

Of ICMP nfdump writes type and code into the destination's port, as `8.0` or as one number (2048); here as elsewhere
`sport` is the type and `dport` the code.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tocsin.errors import FlowsError
from tocsin.flows.fingerprint import PROTOCOLS
from tocsin.flows.reading import program
from tocsin.flows.reading.cells import MOMENT, PORT, Cell, moment
from tocsin.flows.reading.delimited import Delimited, field
from tocsin.flows.reading.reader import Reader

MAGIC = tuple(bytes.fromhex(magic) for magic in ("0ca50100", "0ca50200", "a50c0001", "a50c0002"))
"""A file of layout 1 or 2 begins so (nffile.h), of a little-endian machine or a big-endian one."""

_OLD = "ts te td sa da sp dp pr flg fwd stos ipkt ibyt opkt obyt in out sas das smk dmk dtos dir"
_WITHOUT_HEADER = _OLD.split()
"""The first columns of nfdump up to 1.7.4, which `-q` prints without a header."""

_COLUMNS = {
    "first": ("ts", "firstseen"),
    "last": ("te", "lastseen"),
    "dur": ("td", "duration"),
    "saddr": ("sa", "srcaddr"),
    "daddr": ("da", "dstaddr"),
    "sport": ("sp", "srcport"),
    "dport": ("dp", "dstport"),
    "proto": ("pr", "proto"),
    "state": ("flg", "flags"),
    "spkts": ("ipkt", "inpackets", "packets"),
    "sbytes": ("ibyt", "inbytes", "bytes"),
    "dpkts": ("opkt", "outpackets"),
    "dbytes": ("obyt", "outbytes"),
    "dir": ("dir", "direction"),
    "smac": ("ismc", "insrcmac"),
    "dmac": ("odmc", "outdstmac"),
}
"""Of each column, its names in the headers: up to 1.7.4, and since; in small letters."""

_ASKED = {
    "firstSeen": "%tsr",
    "lastSeen": "%ter",
    "duration": "%td",
    "proto": "%pr",
    "srcAddr": "%sa",
    "srcPort": "%sp",
    "dstAddr": "%da",
    "dstPort": "%dp",
    "flags": "%flg",
    "inPackets": "%ipkt",
    "inBytes": "%ibyt",
    "outPackets": "%opkt",
    "outBytes": "%obyt",
    "direction": "%dir",
    "inSrcMac": "%ismc",
    "outDstMac": "%odmc",
}
"""What the program is asked for, under the names of its newer header."""

_NAMES = {number: name.upper() for name, number in reversed(PROTOCOLS.items())} | {58: "ICMP6"}
_COUNTS = ("spkts", "sbytes", "dpkts", "dbytes")


class Nfdump:
    """A file of nfcapd's, in its own layout."""

    form = "nfdump"

    @contextmanager
    def translated(self, file: Path, folder: Path) -> Iterator[Sequence[Path]]:
        """One file of lines, as nfdump has them. Raises NotInstalled, FlowsError."""
        nfdump = program.found("nfdump", file, "on Debian, apt install nfdump")
        listed = folder / "nfdump.csv"
        with listed.open("wb") as output:
            output.write(f"{','.join(_ASKED)}\n".encode())
            output.flush()
            columns = ",".join(_ASKED.values())
            command = [nfdump, "-r", str(file.resolve()), "-q", "-N", "-6", "-o", f"fmt:{columns}"]
            said = program.run(command, file, folder, output=output)
        if said:  # it ends well where a file is cut short, and complains
            raise FlowsError(f"nfdump could not read all of {file}: {said}")
        yield [listed]


def recognise(head: bytes) -> Reader | Nfdump | None:
    """The own layout by its magic number; the CSV by its header, or by two times and two addresses without one."""
    if head.startswith(MAGIC):
        return Nfdump()
    header = head.partition(b"\n")[0].decode("utf-8", "replace").rstrip("\r")
    names = [name.strip().lower() for name in header.rstrip(",").split(",")]
    found = _fields(names)
    if found.keys() >= {"first", "saddr", "daddr", "proto"}:
        return _csv(found, header, len(names))
    if len(names) >= len(_WITHOUT_HEADER) and _is_time(names[0]) and _is_time(names[1]) and names[7] and names[3]:
        return _csv(_fields(_WITHOUT_HEADER), "", len(names))
    return None


def _csv(found: dict[str, str], header: str, fields: int) -> Reader:
    return Delimited(
        "nfdump csv", "nfdump", _cells(found), delimiter=",", header=header, fields=fields, until="Summary"
    )


def _is_time(text: str) -> bool:
    return len(text) >= 19 and (text[4], text[7], text[10], text[13]) == ("-", "-", " ", ":")


def _fields(names: list[str]) -> dict[str, str]:
    """SQL for the text of each column that the header has."""
    return {
        column: field(names.index(name) + 1) for column, known in _COLUMNS.items() for name in known if name in names
    }


def _cells(found: dict[str, str]) -> list[Cell]:
    first, proto = _seconds(found["first"]), _protocol(found["proto"])
    cells = [
        Cell("start", first, MOMENT),
        Cell("proto", proto),
        Cell("saddr", found["saddr"]),
        Cell("daddr", found["daddr"]),
    ]
    duration = found.get("dur", "NULL")
    if "last" in found:
        # Milliseconds are right in the duration alone: nfdump 1.7.1 prints those of the end wrong, its CSV none.
        span = f"(({moment(_seconds(found['last']))} - {moment(first)}) / 1e6)::VARCHAR"
        duration = f"CASE WHEN TRY_CAST({duration} AS DOUBLE) IS NULL THEN {span} ELSE {duration} END"
    cells.append(Cell("dur", duration, "DOUBLE"))
    sport, dport = _ports(found.get("sport", "NULL"), found.get("dport", "NULL"), proto)
    cells += [Cell("sport", sport, PORT), Cell("dport", dport, PORT)]
    cells += [Cell(column, found[column], "BIGINT") for column in _COUNTS if column in found]
    cells += [Cell(column, found[column]) for column in ("state", "dir") if column in found]
    cells += [Cell(mac, f"nullif({found[mac]}, '00:00:00:00:00:00')") for mac in ("smac", "dmac") if mac in found]
    return cells


def _seconds(text: str) -> str:
    """SQL: `csv-fast` has milliseconds since the epoch."""
    milliseconds = f"regexp_full_match({text}, '[0-9]{{12,14}}')"
    return f"CASE WHEN {milliseconds} THEN left({text}, -3) || '.' || right({text}, 3) ELSE {text} END"


def _protocol(text: str) -> str:
    """SQL for its name, which newer nfdumps write as a number."""
    named = " ".join(f"WHEN '{number}' THEN '{name}'" for number, name in _NAMES.items())
    return f"CASE {text} {named} ELSE {text} END"


def _ports(sport: str, dport: str, proto: str) -> tuple[str, str]:
    """SQL for both ports, and for type and code of ICMP."""
    icmp = f"{proto} IN ('ICMP', 'ICMP6')"
    dotted = f"{icmp} AND regexp_full_match({dport}, '[0-9]+[.][0-9]+')"
    word = f"{icmp} AND {sport} = '0' AND regexp_full_match({dport}, '[0-9]{{1,5}}')"
    type_, code = (f"split_part({dport}, '.', {number})" for number in (1, 2))
    high, low = (f"(TRY_CAST({dport} AS INTEGER) {part})::VARCHAR" for part in (">> 8", "& 255"))
    return (
        f"CASE WHEN {dotted} THEN {type_} WHEN {word} THEN {high} ELSE {sport} END",
        f"CASE WHEN {dotted} THEN {code} WHEN {word} THEN {low} ELSE {dport} END",
    )
