"""The index follows the alerts: put in, put in again, taken out, on both engines."""

from typing import Any

import pytest

from neighbours.messages import NOW, posted
from tocsin import detection
from tocsin.entities import DEFAULT
from tocsin.indexing.reading import read
from tocsin.model import Alertgroup, Severity
from tocsin.store import Part, Store, alertgroup, entry, index, retention

TABLES = ("term", "posting", "moment", "entity", "sighting", "word_index", "indexed")
ROWS: list[dict[str, Any]] = [
    {"src_ip": "10.0.0.1", "dest_ip": "198.51.100.7", "severity": "high", "start_time": "2026-05-04T11:50:00Z"},
    {"src_ip": "10.0.0.2", "dest_port": 443, "note": "see hxxp://evil[.]example.com"},
]


def stored(store: Store, subject: str = "Café beacon") -> int:
    group = Alertgroup.of_rows(subject, ROWS, body="<p>at <b>night</b></p>")
    part = Part(group=group, severity=Severity.HIGH, lanes=())
    answer = store.append(entry(posted(subject.encode()), [part], "scot", "1")).result(60)
    return answer.alertgroups[0]


def put_all(store: Store) -> int:
    waiting = store.read(lambda tx: index.waiting(tx, 100))
    groups = store.read(lambda tx: alertgroup.load(tx, [each.group for each in waiting]))
    batch = [part for each in waiting for part in read(detection.known(groups[each.group]), each.since, DEFAULT)]
    return store.write(lambda tx: index.put(tx, batch))


def counts(store: Store) -> dict[str, int]:
    return store.read(lambda tx: {table: tx.rows(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES})


def test_what_is_put_twice_is_the_same_as_put_once(store: Store) -> None:
    stored(store)
    assert put_all(store) == 1
    once = counts(store)
    known = store.read(lambda tx: tx.rows("SELECT type, key, alertgroups, sightings, first_seen FROM entity"))
    assert ("url", "http://evil.example.com/", 1, 1, NOW) in known
    assert once["term"] == once["posting"] > 0

    assert store.write(lambda tx: index.wait_all(tx, NOW)) == 1
    assert put_all(store) == 1
    assert counts(store) == once
    assert store.read(index.lag).waiting == 0
    assert store.read(lambda tx: tx.rows("SELECT type, key, alertgroups, sightings, first_seen FROM entity")) == known


def test_what_changed_meanwhile_keeps_waiting(store: Store) -> None:
    group = stored(store)
    (waiting,) = store.read(lambda tx: index.waiting(tx, 100))
    found = store.read(lambda tx: alertgroup.load(tx, [group]))[group]
    late = read(detection.known(found), waiting.since, DEFAULT)
    store.write(lambda tx: index.wait(tx, [group], NOW))

    assert store.write(lambda tx: index.put(tx, late)) == 0
    assert store.read(index.lag).waiting == 1
    assert put_all(store) == 1


def test_counts_grow_and_shrink_with_the_alertgroups(store: Store) -> None:
    first, _ = stored(store), stored(store, "another")
    assert put_all(store) == 2
    counted = "SELECT alertgroups, sightings FROM entity WHERE key = '10.0.0.1'"
    assert store.read(lambda tx: tx.rows(counted)) == [(2, 2)]

    store.write(lambda tx: index.drop(tx, [first]))
    assert store.read(lambda tx: tx.rows(counted)) == [(1, 1)]


@pytest.mark.parametrize("waits", [True, False])
def test_retention_takes_alertgroups_out_of_the_index(store: Store, waits: bool) -> None:
    stored(store)
    if not waits:
        put_all(store)

    class Ages:
        originals_days, alerts_days, receipts_days = 0.0, 1.0, 0.0

    retention.sweep(store, Ages(), NOW + 3 * retention.DAY, lambda _: None)
    assert set(counts(store).values()) == {0}
    assert store.read(index.lag).waiting == 0
