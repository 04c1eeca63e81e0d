"""Many alertgroups of a believable kind with everything they are found by, for searches to be measured on.

They go through the store's own append and the index's own put, many in one transaction. What the index would sort into
its places one by one is put down as it comes and sorted once, at the end; so are the indexes of the other tables.
"""

import random
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from tocsin import detection
from tocsin.entities import DEFAULT
from tocsin.indexing.reading import read
from tocsin.model import TLP, Alert, Alertgroup, Message, Severity, Status
from tocsin.store import Entry, Part, Store, Tx, entry, index, open_store
from tocsin.store.append import append_all
from tocsin.store.engine import Engine, Session
from tocsin.store.index import Indexed
from tocsin.store.sqlite import Sqlite
from tocsin.store.store import DATABASE

NOW = 1_772_000_000_000_000
DAY = 86_400_000_000
DAYS = 90
ROWS = 10
CHUNK = 500
LANES = ("idea_log", "text_log")

RARE_TAG, RARE_SOURCE, RARE_WORD, RARE_HOST, RARE_NET = (
    "crown jewels",
    "honeypot",
    "supernova",
    "203.0.113.77",
    "10.99.7",
)
"""A hundred alertgroups of each, whatever the number of all, so that pages of small and large are equally long."""
SOURCES = (("splunk",), ("suricata",), ("email", "fireeye"), ("zeek", "corelight"), ("slips",), ("email", "sourcefire"))
TAGS = ("c2", "scan", "phishing", "malware", "bruteforce", "exfiltration", "dns", "vip", "false positive")
FAMILIES = ("qakbot", "emotet", "icedid", "trickbot", "dridex", "agent tesla", "remcos", "lokibot", "cobalt strike")
DEEDS = (
    "beacon", "certificate", "download", "checkin", "command and control", "dns query", "exfiltration", "scan",
    "loader", "policy violation", "login brute force", "sql injection", "web shell", "lateral movement",
)  # fmt: skip
SUBJECTS = (
    "Splunk Alert: beacons to {domain} (View results)",
    "ET MALWARE Observed {family} command and control from {host}",
    "Port scan of {host}",
    "Many failed logins of {user} on {host}",
    "Phishing mail reported by {user}: invoice {number}",
    "FireEye: malware-object {family} on {host}",
    "DNS query for {domain} by {host}",
    "Data leaves {host}: {number} MB",
)
BODY = (
    "<html><body><p>The search <b>{subject}</b> found {rows} rows.</p><p>See <a href='https://splunk.example.org/"
    "app/{number}'>the results</a> or ask {user}.</p><p>Do not answer this mail.</p></body></html>"
)
_STAGED = ("posting", "moment", "sighting")
_KEYS = {"posting": "term, alertgroup", "moment": "field, at, alertgroup", "sighting": "entity, alertgroup"}
_INDEXED = ("alertgroup", "alert", "label", "delivery", "receipt", "message", "word_index")


def fill(url: str, data: Path, groups: int, processes: int = 3) -> None:
    """Put so many alertgroups, of ten alerts on average, and their index into an empty store that no server runs on."""
    data.mkdir(parents=True, exist_ok=True)
    store = open_store(url, data)
    store.close()
    began = time.monotonic()
    engine: Engine = Sqlite(data / DATABASE) if url == "sqlite" else _postgres(url)
    session = engine.open()
    if url == "sqlite":
        for pragma in (
            "cache_size = -3000000",
            "temp_store = file",
            "journal_mode = off",
            "synchronous = off",
        ):
            session.tx.run(f"PRAGMA {pragma}")
    with _commit(session) as tx:
        later = _make_room(tx)
    for chunk, (entries, packed) in enumerate(_made(groups, processes), 1):
        batch = msgspec.msgpack.decode(packed, type=list[Indexed])
        with _commit(session) as tx:
            _put(tx, entries, batch)
        if chunk * CHUNK % 50_000 == 0:
            print(f"  {chunk * CHUNK:,} of {groups:,} alertgroups after {time.monotonic() - began:.0f} s", flush=True)
    for work in (_delivered, _looked_at):
        with _commit(session) as tx:
            work(tx)
    for statement in later:
        with _commit(session) as tx:
            tx.run(statement)
    if url != "sqlite":
        # It gathers statistics by itself some minutes after so much has changed; we cannot wait for that.
        session.tx.run("VACUUM ANALYZE")
    print(f"  {groups:,} alertgroups filled in {time.monotonic() - began:.0f} s", flush=True)
    session.close()
    engine.close()


def _postgres(url: str) -> Engine:
    from tocsin.store.postgres import Postgres  # noqa: PLC0415  # only needed, and only there, for this engine

    return Postgres(url)


@contextmanager
def _commit(session: Session) -> Iterator[Tx]:
    session.begin()
    session.tx.changes.clear()
    try:
        yield session.tx
        session.commit()
    except BaseException:
        session.rollback()
        raise


def _put(tx: Tx, entries: Sequence[Entry], batch: Sequence[Indexed]) -> None:
    append_all(tx, entries)
    if index.put(tx, batch) != len(batch):
        raise RuntimeError("the numbers foretold are not those that were handed out")


def _made(groups: int, processes: int) -> Iterator[tuple[list[Entry], bytes]]:
    """Entries and what they are found by, chunk by chunk, in order; the ids are foretold."""
    waiting: deque[Future[tuple[list[Entry], bytes]]] = deque()
    alert = 0
    with ProcessPoolExecutor(processes) as pool:
        for start in range(0, groups, CHUNK):
            size = min(CHUNK, groups - start)
            waiting.append(pool.submit(make, start, size, alert, groups))
            alert += sum(_lengths(start, size))
            while len(waiting) > 4 * processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _lengths(start: int, size: int) -> list[int]:
    chance = random.Random(start)  # noqa: S311  # the same filling every time
    return [1 + min(int(chance.expovariate(1 / (ROWS - 1))), 19 * ROWS) for _ in range(size)]


def make(start: int, size: int, alert: int, groups: int) -> tuple[list[Entry], bytes]:
    """The entries of some alertgroups, and packed what they are found by."""
    chance = random.Random(start + 1)  # noqa: S311  # the same filling every time
    entries: list[Entry] = []
    batch: list[Indexed] = []
    lengths = _lengths(start, size)
    last = _received(start + size - 1, groups)
    for number, count in enumerate(lengths, start):
        made = _entry(chance, number, groups, count)
        group = made.parts[0].group
        alerts = tuple(msgspec.structs.replace(one, id=alert + n) for n, one in enumerate(group.alerts, 1))
        alert += count
        known = detection.known(
            msgspec.structs.replace(group, id=number + 1, alerts=alerts, received=made.message.received)
        )
        batch += read(known, last, DEFAULT)
        entries.append(made)
    return entries, msgspec.msgpack.encode(batch)


def _received(number: int, groups: int) -> int:
    return NOW - (groups - number) * (DAYS * DAY // groups)


def _zipf(chance: random.Random, n: int) -> int:
    """0 to n - 1, the first ones by far the most often."""
    return int(n ** chance.random()) - 1


def _entry(chance: random.Random, number: int, groups: int, count: int) -> Entry:
    received, seldom, turn = _received(number, groups), max(1, groups // 101), number % max(1, groups // 101)
    source = chance.choices(SOURCES, (60, 20, 6, 6, 5, 3))[0]
    tags = dict.fromkeys(TAGS[_zipf(chance, len(TAGS))] for _ in range(chance.choice((0, 1, 1, 2, 3))))
    if source == ("slips",):
        tags.pop("scan", None)
    subject = chance.choice(SUBJECTS).format(
        domain=f"{chance.choice(FAMILIES).replace(' ', '-')}{_zipf(chance, 5000)}.example",
        family=chance.choice(FAMILIES),
        host=f"host{_zipf(chance, 20_000)}",
        user=f"user{_zipf(chance, 5000)}",
        number=chance.randrange(100_000),
    )
    rows = [_row(chance, received) for _ in range(count)]
    if source == ("suricata",):
        for row in rows:
            row["flow_id"] = chance.randrange(2**50)
    if turn == 4 % seldom:
        rows[0] |= {
            "dest": RARE_HOST,
            "src": f"{RARE_NET}.{chance.randrange(250)}",
            "dest_port": 4444,
            "user": "mallory",
        }
    body = ""
    if chance.random() < 0.1:
        body = BODY.format(subject=subject, rows=count, number=number, user=f"user{_zipf(chance, 5000)}")
    group = Alertgroup(
        subject=subject + f" {RARE_WORD}" * (turn == 3 % seldom),
        alerts=tuple(Alert(json=msgspec.json.encode(row).decode()) for row in rows),
        columns=tuple(rows[0]),
        tags=(*tags, RARE_TAG) if turn == 1 % seldom else tuple(tags),
        sources=(RARE_SOURCE,) if turn == 2 % seldom else source,
        tlp=chance.choice((TLP.UNSET, TLP.GREEN, TLP.AMBER)),
        message_id=f"fill-{number}",
        created=received - chance.randrange(600) * 1_000_000,
        status=chance.choices((Status.CLOSED, Status.OPEN, Status.PROMOTED), (70, 25, 5))[0],
        body=body,
        owner=f"user{_zipf(chance, 20)}" if chance.random() < 0.2 else "",
    )
    message = Message(
        source="rest",
        sender="fill",
        body=b'{"number": %d}' % number,
        media_type="application/json",
        received=received,
    )
    severity = Severity(chance.choices(range(5), (10, 30, 35, 20, 5))[0])
    return entry(message, [Part(group=group, severity=severity, lanes=LANES)], "scot", "1")


def _row(chance: random.Random, received: int) -> dict[str, object]:
    place, other = _zipf(chance, 1_000_000), _zipf(chance, 500_000)
    inside = f"10.{place % 97}.{place // 97 % 250}.{place // 24250 % 250}"
    begun = (23, 45, 91, 146, 185, 193)[other % 6]
    outside = f"{begun}.{other // 6 % 250}.{other // 1500 % 250}.{other % 251}"
    day, hour = 1 + received // DAY % 28, received // 3_600_000_000 % 24
    return {
        "_time": f"2026-02-{day:02}T{hour:02}:{received % 60:02}:07.000Z",
        "src": inside if chance.random() < 0.8 else f"fd00::{place:x}",
        "src_port": 1024 + chance.randrange(60_000),
        "dest": outside,
        "dest_port": chance.choices((443, 53, 80, 22, 445, 8080), (50, 20, 15, 8, 5, 2))[0],
        "protocol": chance.choice(("tcp", "tcp", "udp")),
        "signature": f"ET {chance.choice(FAMILIES)} {chance.choice(DEEDS)} {_zipf(chance, 200)}",
        "user": f"user{_zipf(chance, 5000)}",
        "severity": chance.choice(("low", "medium", "high")),
    }


def _make_room(tx: Tx) -> list[str]:
    """Take away what is quicker made in one go; the statements that bring it back."""
    later: list[str] = []
    for table in _STAGED:
        tx.run(f"ALTER TABLE {table} RENAME TO {table}_sorted")
        tx.run(f"CREATE TABLE {table} AS SELECT * FROM {table}_sorted WHERE 1 = 0")  # noqa: S608  # our own names
        key = _KEYS[table]
        later.append(f"INSERT INTO {table}_sorted SELECT * FROM {table} ORDER BY {key}")  # noqa: S608  # our own names
        later.append(f"DROP TABLE {table}")
        later.append(f"ALTER TABLE {table}_sorted RENAME TO {table}")
    for name, statement in _indexes(tx):
        tx.run(f"DROP INDEX {name}")
        later.append(statement)
    return later


def _indexes(tx: Tx) -> list[tuple[str, str]]:
    tables = [[table] for table in _INDEXED]
    if tx.engine == "sqlite":
        return tx.rows(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
            " AND tbl_name IN (SELECT value ->> 0 FROM {each:tables})",
            tables=tables,
        )
    return tx.rows(
        "SELECT i.indexname, i.indexdef FROM pg_indexes i JOIN pg_class c ON c.relname = i.indexname"
        " JOIN pg_index x ON x.indexrelid = c.oid AND NOT x.indisprimary"
        " WHERE i.schemaname = current_schema AND i.tablename IN (SELECT value ->> 0 FROM {each:tables})",
        tables=tables,
    )


def _looked_at(tx: Tx) -> None:
    """A third was looked at, and changed some time after it came."""
    tx.run(
        """UPDATE alertgroup SET views = 1 + id % 7, firstview = received + 60000000,
               updated = received + (id * 7919 % 86400) * 1000000
           WHERE id % 3 = 0"""
    )


def _delivered(tx: Tx) -> None:
    """All but a hundred."""
    row = tx.row("SELECT max(id) FROM alertgroup")
    groups = int(row[0]) if row else 0
    tx.run(
        """UPDATE delivery SET attempt = 1, settled = created + 500000, state = CASE
               WHEN lane = 'idea_log' AND alertgroup % :seldom = 5 % :seldom THEN 'failed' ELSE 'delivered' END""",
        seldom=max(1, groups // 101),
    )


def counted(store: Store) -> dict[str, Any]:
    """How many rows the index has."""
    tables = ("alertgroup", "alert", "term", "posting", "entity", "sighting")
    counts = [f"SELECT '{table}', count(*) FROM {table}" for table in tables]  # noqa: S608  # our own names
    return dict(store.read(lambda tx: tx.rows(" UNION ALL ".join(counts))))
