"""Afterwards: what stands in the store, in the files and at the receiver, as evidence."""

import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import apsw
import psycopg

from loss.evidence import Balance, Line, Owed, StoredGroup
from loss.faults import FILES
from loss.hub import Hub
from loss.verdict import FILE_LANES

UNSETTLED = ("due", "sending")


def wait_drained(hub: Hub, within: float) -> str:
    """Wait until no lane owes anything: "" or what they still owe."""
    until = time.monotonic() + within
    owing = "nobody was asked"
    while time.monotonic() < until:
        lanes = hub.get("/api/v2/lane")["records"]
        owing = ", ".join(
            f"{lane['name']}: {lane['due']} due, {lane['sending']} sending ({lane['last_error']})"
            for lane in lanes
            if lane["due"] or lane["sending"]
        )
        if not owing:
            return ""
        time.sleep(0.05)
    return owing


def stored(hub: Hub) -> list[StoredGroup]:
    """Every alertgroup with its rows, from the API's two lists."""
    rows: dict[int, list[tuple[int, dict[str, Any]]]] = defaultdict(list)
    for alert in hub.get("/scot/api/v2/alert?limit=0")["records"]:
        rows[alert["alertgroup"]].append((alert["id"], alert["data"]))
    answer = hub.get("/scot/api/v2/alertgroup?limit=0")
    groups = answer["records"]
    assert answer["totalRecordCount"] == len(groups), f"{len(groups)} records of {answer['totalRecordCount']}"
    return [
        StoredGroup(
            id=group["id"],
            subject=group["subject"],
            status=group["status"],
            alert_count=group["alert_count"],
            open_count=group["open_count"],
            rows=tuple(row for _, row in sorted(rows[group["id"]], key=lambda pair: pair[0])),
        )
        for group in groups
    ]


def parked(hub: Hub, lane: str) -> set[int]:
    """The alertgroups of the lane's failed deliveries, as a person is shown them."""
    return {record["alertgroup"] for record in hub.get(f"/api/v2/lane/{lane}/failed?limit=1000")["records"]}


def balance(hub: Hub) -> Balance:
    """The hub's own count."""
    told = hub.get("/api/v2/flow-of-alerts")["all"]
    return Balance(*(int(told[name]) for name in ("received", "stored", "quarantined", "refused")))


def lines(folder: Path) -> list[Line]:
    """Every line of the two files, over all the pieces they were rotated into."""
    found = []
    for file, lane in zip(FILES, FILE_LANES, strict=True):
        for piece in sorted(folder.glob(f"{file}*")):
            texts = piece.read_bytes().split(b"\n")
            rest = texts.pop()
            found += [Line(lane, piece.name, place, text) for place, text in enumerate(texts, 1)]
            if rest:
                found.append(Line(lane, piece.name, len(texts) + 1, rest, whole=False))
    return found


def owed(hub: Hub, store: str) -> list[Owed]:
    """Every delivery, from the database itself, once the server is stopped."""
    sql = "SELECT alertgroup, lane, state, (SELECT count(*) FROM receipt WHERE delivery = d.id) FROM delivery d"
    if store != "sqlite":
        with psycopg.connect(store) as database:
            return [Owed(*row) for row in database.execute(sql).fetchall()]
    file = apsw.Connection(str(database_file(hub.data)), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        rows: list[Any] = file.execute(sql).fetchall()
        return [Owed(*row) for row in rows]
    finally:
        file.close()


def damage(hub: Hub) -> str:
    """What SQLite finds wrong with its file: "" when it is whole."""
    file = apsw.Connection(str(database_file(hub.data)))
    try:
        said = "; ".join(str(row[0]) for row in file.execute("PRAGMA integrity_check").fetchall())
    finally:
        file.close()
    return "" if said == "ok" else said


def database_file(data: Path) -> Path:
    """The one SQLite file of a data folder."""
    (file,) = [path for path in data.iterdir() if _is_sqlite(path)]
    return file


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as opened:
        return opened.read(16) == b"SQLite format 3\0"
