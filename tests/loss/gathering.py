"""Afterwards: what stands in the store, in the files and at the receiver, as evidence."""

import re
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import apsw
import psycopg

from loss.deeds import LANES, Deeds, RouteRule, Rules, SilenceRule
from loss.evidence import Balance, Line, Owed, ReplayTold, StoredGroup, Told
from loss.faults import FILES
from loss.hub import Hub
from loss.ledger import FILE_LANES

REPLAYED = re.compile(r" by replay (\d+) of ")


def wait_drained(hub: Hub, deeds: Deeds, within: float) -> str:
    """Wait until no lane that is let go on owes anything, and no replay to one goes on: "" or what is left."""
    until = time.monotonic() + within
    owing = "nobody was asked"
    while time.monotonic() < until:
        left = [
            f"{lane['name']}: {lane['due']} due, {lane['sending']} sending ({lane['last_error']})"
            for lane in hub.get("/api/v2/lane")["records"]
            if lane["sending"] or (lane["due"] and not deeds.paused.get(lane["name"]))  # what is in hand is still sent
        ]
        left += [
            f"replay {one['id']} to {one['to']} is at {one['cursor']} of {one['upto']} ({one['waits']})"
            for one in hub.get("/api/v2/replay?limit=1000")["records"]
            if one["state"] == "running" and not deeds.paused[one["to"]]
        ]
        owing = ", ".join(left)
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


def held(hub: Hub) -> set[int]:
    """The alertgroups that silences held back, as a person is shown them."""
    silences = hub.get("/api/v2/silence?over=1")["records"]
    lists = [hub.get(f"/api/v2/silence/{one['id']}/held?limit=1000")["records"] for one in silences]
    return {group["id"] for found in lists for group in found}


def lanes(hub: Hub) -> dict[str, Told]:
    """How each lane stands."""
    known = {one["name"]: one for one in hub.get("/api/v2/lane")["records"]}
    return {name: Told(known[name]["paused"], known[name]["due"], known[name]["failed"]) for name in LANES}


def rules(hub: Hub) -> Rules:
    """Routes and silences as they stand, in the words of the deeds."""
    routes = [
        RouteRule(one["name"], _tag(one["query"]), tuple(one["to"]), one["last"], one["every"], one["active"])
        for one in hub.get("/api/v2/route")["records"]
    ]
    silences = [
        SilenceRule(one["name"], _tag(one["query"]), tuple(one["to"]))
        for one in hub.get("/api/v2/silence")["records"]
        if one["holding"]
    ]
    return Rules(tuple(routes), tuple(sorted(silences, key=lambda one: int(one.name.split()[1]))))


def replays(hub: Hub) -> list[ReplayTold]:
    """Every replay as it stands."""
    return [
        ReplayTold(*(one[name] for name in ("id", "state", "upto", "owed", "delivered", "under_way")))
        for one in hub.get("/api/v2/replay?limit=1000")["records"]
    ]


def drained(folder: Path) -> dict[str, list[bytes]]:
    """By lane, the whole lines of the file it was emptied into. What a killed server left torn is not there."""
    files = {file.stem: file.read_bytes() for file in folder.glob("*.jsonl")}
    return {lane: content.split(b"\n")[:-1] for lane, content in files.items()}


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


_OWED = """
SELECT d.alertgroup, d.lane, d.state, d.id, EXISTS (SELECT 1 FROM receipt r WHERE r.delivery = d.id
    AND r.outcome = 'delivered' AND r.detail LIKE 'drained into a file%') FROM delivery d WHERE d.kind = 'alert'"""
_PAST = "SELECT alertgroup, what FROM history WHERE what LIKE '% by replay %' ORDER BY id"


def owed(hub: Hub, store: str) -> tuple[list[Owed], dict[int, list[int]]]:
    """Every delivery, and by replay what it had sent, from the database itself, once the server is stopped."""
    if store != "sqlite":
        with psycopg.connect(store) as database:
            rows = database.execute(_OWED).fetchall()
            past = database.execute(_PAST).fetchall()
    else:
        file = apsw.Connection(str(database_file(hub.data)), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            rows, past = file.execute(_OWED).fetchall(), file.execute(_PAST).fetchall()
        finally:
            file.close()
    sent: dict[int, list[int]] = defaultdict(list)
    for group, what in past:
        if found := REPLAYED.search(what):
            sent[int(found[1])].append(group)
    return [Owed(group, lane, state, id, bool(drained)) for group, lane, state, id, drained in rows], dict(sent)


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
    (file,) = [path for path in data.iterdir() if path.is_file() and _is_sqlite(path)]
    return file


def _tag(query: str) -> str:
    return query.partition(":")[2]


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as opened:
        return opened.read(16) == b"SQLite format 3\0"
