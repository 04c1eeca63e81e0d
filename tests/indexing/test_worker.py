"""The worker: what is stored is indexed soon, whatever is in it, and only once it is; on both engines."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from neighbours.messages import NOW, posted
from neighbours.poison import POISON, Deadly, Fragile, unready
from tocsin.detection import DEFAULT as NAMES
from tocsin.entities import Known
from tocsin.indexing import Indexer
from tocsin.model import Alertgroup
from tocsin.store import Part, Store, alertgroup, entry, index, open_store
from tocsin.store.alert import set_data
from tocsin.store.backup import restore, write_backup


def keep(store: Store, subject: str, rows: list[dict[str, Any]] | None = None, **rest: Any) -> int:
    """The id of a stored alertgroup."""
    group = Alertgroup.of_rows(subject, rows or [{"src": "10.0.0.1", "note": "evil.example.com"}], **rest)
    stored = store.append(entry(posted(subject.encode()), [Part(group=group, severity=None, lanes=())], "scot", "1"))
    return stored.result(60).alertgroups[0]


@contextmanager
def indexing(store: Store, told: Any = Known) -> Iterator[Indexer]:
    """A worker at work on the store."""
    indexer = Indexer(store, NAMES, told, "digest")
    indexer.start()
    try:
        yield indexer
    finally:
        indexer.stop()


def settled(indexer: Indexer, seconds: float = 60) -> bool:
    """Whether nothing waits any more."""
    until = time.monotonic() + seconds
    while indexer.behind() and time.monotonic() < until:
        time.sleep(0.02)
    return indexer.behind() == 0


def values(store: Store) -> set[tuple[str, int, int]]:
    """The entities: value, alertgroups, sightings."""
    return {(row[0], row[1], row[2]) for row in store.read(lambda tx: tx.rows(
        "SELECT value, alertgroups, sightings FROM entity"))}  # fmt: skip


def test_what_is_stored_and_changed_is_indexed_by_itself(store: Store) -> None:
    heard: list[tuple[int, ...]] = []
    store.on_commit(lambda change: heard.append(change.alertgroups) if change.kind == "indexed" else None)
    with indexing(store) as indexer:
        group = keep(store, "beacon")
        assert settled(indexer)
        assert values(store) == {("10.0.0.1", 1, 1), ("evil.example.com", 1, 1)}
        found = store.read(lambda tx: alertgroup.load(tx, [group]))[group].alerts[0]
        store.write(lambda tx: set_data(tx, found.id, '{"src": "10.0.0.2"}', "ada", NOW))
        assert settled(indexer)

    assert values(store) == {("10.0.0.2", 1, 1)}
    assert heard[0] == (group,)


def test_what_waited_while_nobody_worked_is_indexed_at_the_start(store: Store) -> None:
    for number in range(30):
        keep(store, f"beacon {number}")
    with indexing(store) as indexer:
        assert settled(indexer)

    assert values(store) == {("10.0.0.1", 30, 30), ("evil.example.com", 30, 30)}


@pytest.mark.parametrize("told", [Fragile, Deadly])
def test_a_group_whose_entities_cannot_be_found_is_indexed_without_and_harms_no_other(store: Store, told: Any) -> None:
    before, poison, after = keep(store, "one"), keep(store, "two", [{"src": POISON}]), keep(store, "three")
    with capture_logs() as logs, indexing(store, told) as indexer:
        assert settled(indexer)
        assert indexer.failed == 1

    assert values(store) == {("10.0.0.1", 2, 2), ("evil.example.com", 2, 2)}
    terms = store.read(lambda tx: tx.rows(
        "SELECT p.alertgroup FROM posting p JOIN term t ON t.id = p.term WHERE t.field = 'src_ip' AND t.key = :key",
        key=POISON))  # fmt: skip
    assert terms == [(poison,)]
    assert {line["alertgroup"] for line in logs if line["log_level"] == "error"} == {poison}
    assert {before, poison, after} == {
        row[0] for row in store.read(lambda tx: tx.rows("SELECT alertgroup FROM indexed"))
    }


def test_what_the_engine_refuses_is_marked_as_done_and_harms_no_other(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = index.put

    def put(tx: Any, batch: Any) -> int:
        if any(one.text == POISON for each in batch for one in each.terms):
            tx.run("INSERT INTO term (nonsense) VALUES (1)")
        return real(tx, batch)

    monkeypatch.setattr(index, "put", put)
    keep(store, "one")
    poison = keep(store, "two", [{"src": POISON}])
    with indexing(store) as indexer:
        assert settled(indexer)
        assert indexer.failed == 1

    assert values(store) == {("10.0.0.1", 1, 1), ("evil.example.com", 1, 1)}
    assert store.read(lambda tx: tx.rows("SELECT terms FROM indexed WHERE alertgroup = :id", id=poison)) == [("[]",)]


def test_characters_that_an_engine_cannot_hold_are_mended(store: Store) -> None:
    odd = {"src": "evil\0host", "note": "x\0y a\0b.example.com", "n\0": "c.example.com", "deep": [{"k\0": "10.9.9.9"}]}
    keep(store, "nul", [odd])
    with indexing(store) as indexer:
        assert settled(indexer)
        assert indexer.failed == 0

    assert ("c.example.com", 1, 1) in values(store)


def test_an_empty_alertgroup_is_indexed_as_well(store: Store) -> None:
    group = Alertgroup(subject="nothing", alerts=())
    store.append(entry(posted(b"empty"), [Part(group=group, severity=None, lanes=())], "scot", "1")).result(60)
    with indexing(store) as indexer:
        assert settled(indexer)

    assert store.read(lambda tx: tx.rows("SELECT count(*) FROM indexed")) == [(1,)]


def test_a_large_alertgroup_goes_in_in_parts_and_comes_out_whole(store: Store) -> None:
    rows = [{"src": f"10.1.{n // 250}.{n % 250}", "sha": hashlib.sha256(b"%d" % n).hexdigest()} for n in range(3000)]
    large, small = keep(store, "large", rows), keep(store, "small")
    with indexing(store) as indexer:
        assert settled(indexer)
        parts = store.read(lambda tx: tx.rows("SELECT part FROM indexed WHERE alertgroup = :id", id=large))
        assert len(parts) > 2
        assert len(values(store)) == 6002
        assert indexer.rebuild() == 2
        assert settled(indexer)
        assert len(values(store)) == 6002

        store.write(lambda tx: tx.run("DELETE FROM alertgroup WHERE id = :id", id=large))
        store.write(lambda tx: index.remove(tx, [large]))
        indexer.look()
        assert settled(indexer)

    assert values(store) == {("10.0.0.1", 1, 1), ("evil.example.com", 1, 1)}
    assert store.read(lambda tx: tx.rows("SELECT alertgroup FROM indexed")) == [(small,)]
    assert store.read(lambda tx: tx.rows("SELECT DISTINCT alertgroup FROM posting")) == [(small,)]


def test_a_restored_backup_is_indexed_again(store: Store, tmp_path: Path) -> None:
    keep(store, "beacon")
    with indexing(store) as indexer:
        assert settled(indexer)
    write_backup(store, tmp_path / "one.zip")
    (tmp_path / "restored").mkdir()
    other = open_store("sqlite", tmp_path / "restored")
    restore(other, tmp_path / "one.zip")
    with indexing(other) as indexer:
        assert settled(indexer)

    assert values(other) == values(store) == {("10.0.0.1", 1, 1), ("evil.example.com", 1, 1)}
    other.close()


def test_while_no_reader_can_be_started_everything_waits(store: Store) -> None:
    keep(store, "beacon")
    with capture_logs() as logs, indexing(store, unready) as indexer:
        until = time.monotonic() + 60
        while not any(line["event"] == "the index waits" for line in logs) and time.monotonic() < until:
            time.sleep(0.05)
        assert indexer.behind() == 1

    assert [line["event"] for line in logs][:1] == ["the index waits"]
