"""Backups: from each engine, into each engine, whole or not at all."""

import io
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

import msgspec
import pytest

from neighbours.heaps import came, gather
from neighbours.indexed import found, put_all
from neighbours.postgres import Postgres
from tocsin.errors import SchemaTooNew, StoreError
from tocsin.model import TLP, Alert, Alertgroup, Detection, Link, Message, Route, Severity, Silence, Status, Why
from tocsin.store import (
    Part,
    Store,
    Stored,
    access,
    again,
    alertgroup,
    backup,
    collection,
    delivery,
    entry,
    habit,
    handed_in,
    index,
    message,
    open_store,
    recall,
    replay,
    rule,
    tally,
    view,
    warden,
)
from tocsin.store.backup import read_manifest, restore, write_backup
from tocsin.store.collection import Item
from tocsin.store.habit import Habit
from tocsin.store.handed_in import Thing
from tocsin.store.repeat import Fold
from tocsin.store.replay import Wish
from tocsin.store.rule import Ruled
from tocsin.store.view import Wanted

NOW = 1_760_000_000_000_000


@pytest.fixture(params=["sqlite", "postgres"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Where to restore: the url and folder of an empty store, on each engine whatever the first one is."""
    folder = tmp_path / "restored"
    folder.mkdir()
    if request.param == "sqlite":
        yield "sqlite", folder
        return
    cluster: Postgres = request.getfixturevalue("postgres")
    database = cluster.new_database()
    yield cluster.url(database), folder
    cluster.drop(database)


def receive(store: Store, number: int = 1, rows: int = 2) -> Stored:
    """A message of one alertgroup with something in every field."""
    group = Alertgroup(
        subject=f"beacon {number} <b>",
        alerts=tuple(
            Alert(
                json=f'{{"n": {n}, "x": 1.10, "who": "Ünï ☃ \\"q\\""}}',
                detection=Detection(category="c2", severity=Severity.HIGH),
            )
            for n in range(rows)
        ),
        columns=("n", "x", "who"),
        tags=("c2", f"tag{number}"),
        sources=("zeek",),
        tlp=TLP.AMBER_STRICT,
        message_id=f"m{number}",
        body="<p>body</p>",
        body_plain="body",
        ahrefs=(Link(subject="back", link="https://detector.example/1"),),
        groups={"read": ["soc"]},
        owner="ada",
    )
    came = Message(
        source="rest",
        sender="splunk",
        body=b"\x00\xff" + b"x" * 1000 + str(number).encode(),
        media_type="application/json",
        received=NOW + number,
        message_id=f"m{number}",
    )
    part = Part(
        group=group,
        severity=Severity.HIGH,
        lanes=("log", "held"),
        fold=Fold(fingerprint=str(number), window=1, longest=1),
        ruled=Ruled(due={"log": NOW, "held": NOW}, held={"held": 1}, why=(Why(kind="silence", name="s", said="held"),)),
    )
    return store.append(entry(came, [part], "scot", "1")).result()


def fill(store: Store) -> None:
    """Something in every table."""
    for number in range(1, 6):
        receive(store, number)
    odd = Message(source="rest", body=b"?", media_type="text/plain", received=NOW)
    store.append(entry(odd, [], "", "", reason="no parser claims it")).result()
    store.append(came("evidence", gather((1,)))).result()

    def work(tx: Any) -> None:
        key = access.add_key(tx, "splunk", "digest", "sender", NOW)
        access.revoke_key(tx, key.id, NOW + 1)
        access.add_user(tx, "ada", "hash", "analyst", NOW)
        access.add_session(tx, "session digest", "ada", NOW, NOW + 1, csrf="token")
        alertgroup.set_status(tx, 1, Status.PROMOTED, "ada", NOW)
        alertgroup.delete(tx, 2, "ada", NOW)
        alertgroup.saw(tx, 1, "ada", "192.0.2.1", NOW)
        tally.source_failed(tx, "imap", NOW, "no route to host")
        again.stays(tx, 6, "generic", "1", "still nobody claims it", "ada", NOW)
        again.replace(tx, 1, Alertgroup.of_rows("beacon, read again", [{"n": 1}]), None, "scot", "2", "ada", NOW)
        habit.keep(tx, {("imap", "splunk", ""): (NOW, Habit(message=1))}, 3)
        view.put(tx, "ada", Wanted(name="queue", query="status:open", shared=True), NOW)
        rule.put_route(tx, Route(name="r", query="tag:x", to=("log",)), "ada", NOW)
        rule.put_silence(tx, Silence(id=0, name="s", query="tag:x"), "ada", NOW)
        delivery.note(tx, "log", "ada", NOW, "paused")
        replay.put(tx, Wish(lane="log", starts=NOW), 6, "ada", NOW)
        recall.put(tx, [3], "a test", {}, "ada", NOW)
        collection.put(tx, "shared", [Item(id="url--1", type="url", version=None, json="{}")], NOW)
        handed_in.put(tx, "default", "ada", NOW, 1, [Thing(id="url--1")], [])
        event = warden.Item(alertgroup=1, client="a.b", categories=("Test",), tags=(), event="e", digest="d", json="{}")
        warden.put(tx, [event], NOW)
        warden.move(tx, "a.b", 2, NOW)
        warden.remember(tx, "a.b", [warden.Sent("e", "d")], NOW)
        tx.run("INSERT INTO lane (name, cursor) VALUES ('log', 'alerts.log 4711')")
        tx.run("UPDATE delivery SET state = 'delivered', settled = 7 WHERE id = 1")
        tx.run(
            """INSERT INTO receipt (delivery, attempt, at, took, outcome, remote_id, detail)
               VALUES (1, 1, 2, 3, 'delivered', 'r1', '')"""
        )

    store.write(work)


def everything(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables that a backup holds."""

    def work(tx: Any) -> dict[str, list[tuple[Any, ...]]]:
        tables = {table.name: table for table in backup._tables(tx)}
        return {
            name: sorted(tx.rows(f"SELECT {', '.join(table.columns)} FROM {name}"), key=repr)
            for name, table in tables.items()
        }

    return store.read(work)


def test_what_is_restored_is_what_was_backed_up(store: Store, target: tuple[str, Path], tmp_path: Path) -> None:
    fill(store)
    manifest = write_backup(store, tmp_path / "one.zip")
    before = everything(store)
    assert all(before.values()), "the test must put something into every table"

    restored = open_store(*target)
    restore(restored, tmp_path / "one.zip")
    restored.close()
    again = open_store(*target)

    assert everything(again) == before
    assert again.uid == store.uid == manifest.uid
    assert again.read(lambda tx: message.original(tx, 1)) == store.read(lambda tx: message.original(tx, 1))
    assert again.read(lambda tx: alertgroup.load(tx, [1])) == store.read(lambda tx: alertgroup.load(tx, [1]))
    again.close()


def test_a_restored_hub_goes_on_where_the_backup_ended(store: Store, target: tuple[str, Path], tmp_path: Path) -> None:
    fill(store)
    write_backup(store, tmp_path / "one.zip")
    restored = open_store(*target)
    restore(restored, tmp_path / "one.zip")

    assert receive(restored, 3).repeated
    assert receive(restored, 9).alertgroups == (7,)
    key = restored.write(lambda tx: access.add_key(tx, "next", "another digest", "sender", NOW))
    restored.write(lambda tx: alertgroup.set_status(tx, 7, Status.CLOSED, "ada", NOW))

    assert key.id == 2
    assert restored.read(index.lag).waiting == 7
    put_all(restored)
    assert found(restored, "subject:beacon") == [7, 5, 4, 3, 1]
    assert restored.read(alertgroup.totals) == {"open": 3, "closed": 1, "promoted": 1}
    restored.close()


def test_sessions_are_left_out(store: Store, tmp_path: Path) -> None:
    fill(store)
    manifest = write_backup(store, tmp_path / "one.zip")

    assert "session" not in {line.name for line in manifest.tables}
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert not any(b"session digest" in archive.read(name) for name in archive.namelist())


def test_every_table_but_sessions_migrations_and_the_index_is_in_a_backup(store: Store, tmp_path: Path) -> None:
    asked = (
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'word_index_%'"
        if store.engine == "sqlite"
        else "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    )
    tables = {row[0] for row in store.read(lambda tx: tx.rows(asked))} - {"session", "migration"}
    tables -= set(index.TABLES)

    assert {line.name for line in write_backup(store, io.BytesIO()).tables} == tables


def test_a_backup_is_one_moment_while_others_write(store: Store, tmp_path: Path) -> None:
    ended = threading.Event()
    acknowledged: list[int] = []

    def send() -> None:
        number = 0
        while not ended.is_set():
            number += 1
            acknowledged.append(receive(store, number, rows=3).alertgroups[0])

    sender = threading.Thread(target=send)
    sender.start()
    try:
        while len(acknowledged) < 20:
            ended.wait(0.01)
        before = len(acknowledged)
        manifest = write_backup(store, tmp_path / "one.zip")
        after = len(acknowledged)
    finally:
        ended.set()
        sender.join()

    rows = {line.name: line.rows for line in manifest.tables}
    assert before <= rows["alertgroup"] <= after + 1
    assert rows["alert"] == 3 * rows["alertgroup"]
    assert rows["message"] == rows["original"] == rows["decision"] == rows["alertgroup"]
    assert rows["delivery"] == 2 * rows["alertgroup"]


def test_a_backup_can_be_written_to_a_stream_that_cannot_seek(store: Store, tmp_path: Path) -> None:
    class Pipe(io.RawIOBase):
        """Takes bytes in order and nothing else."""

        def __init__(self) -> None:
            self.parts: list[bytes] = []

        def writable(self) -> bool:
            return True

        def seekable(self) -> bool:
            return False

        def write(self, data: Any) -> int:
            self.parts.append(bytes(data))
            return len(data)

    fill(store)
    pipe = Pipe()
    manifest = write_backup(store, cast("IO[bytes]", pipe))
    (tmp_path / "one.zip").write_bytes(b"".join(pipe.parts))

    assert read_manifest(tmp_path / "one.zip") == manifest


def test_a_backup_file_is_for_its_owner_only_and_leaves_nothing_beside_it(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    write_backup(store, folder / "one.zip")

    assert (folder / "one.zip").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in folder.iterdir()] == ["one.zip"]


def test_batches_hold_every_row_once_however_they_are_cut(
    store: Store, target: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store)
    monkeypatch.setattr(backup, "_ROWS", 3)
    monkeypatch.setattr(backup, "_BYTES", 30)
    write_backup(store, tmp_path / "one.zip")
    restored = open_store(*target)
    restore(restored, tmp_path / "one.zip")

    assert everything(restored) == everything(store)
    restored.close()


def test_a_store_that_is_not_empty_is_left_as_it_is(store: Store, target: tuple[str, Path], tmp_path: Path) -> None:
    fill(store)
    write_backup(store, tmp_path / "one.zip")
    other = open_store(*target)
    other.write(lambda tx: access.add_user(tx, "grace", "hash", "admin", NOW))
    before = everything(other)

    with pytest.raises(StoreError, match="not empty"):
        restore(other, tmp_path / "one.zip")

    assert everything(other) == before
    other.close()


def damaged(source: Path, change: Any) -> io.BytesIO:
    """The archive with one member changed, its own checksums right again."""
    out = io.BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return out


@pytest.fixture
def whole(store: Store, tmp_path: Path) -> Path:
    """A good backup."""
    fill(store)
    write_backup(store, tmp_path / "whole.zip")
    return tmp_path / "whole.zip"


@pytest.fixture
def empty(target: tuple[str, Path]) -> Iterator[Store]:
    """An empty store that must still be empty when the test is over."""
    other = open_store(*target)
    before = everything(other)
    yield other
    assert everything(other) == before
    other.close()


def test_an_archive_with_changed_rows_is_refused(whole: Path, empty: Store) -> None:
    changed = damaged(whole, lambda name, data: data.replace(b"beacon 3", b"beacon 4"))

    with pytest.raises(StoreError, match=r"damaged in alertgroup"):
        restore(empty, changed)


def test_an_archive_cut_short_is_refused(whole: Path, empty: Store, tmp_path: Path) -> None:
    (tmp_path / "cut.zip").write_bytes(whole.read_bytes()[:-200])

    with pytest.raises(StoreError, match=r"cut\.zip is not a Tocsin backup"):
        restore(empty, tmp_path / "cut.zip")


def test_an_archive_with_a_flipped_bit_is_refused(whole: Path, empty: Store, tmp_path: Path) -> None:
    flipped = bytearray(whole.read_bytes())
    with zipfile.ZipFile(whole) as archive:  # a bit of what is kept: those of dates in headers change nothing
        largest = max(archive.infolist(), key=lambda one: one.compress_size)
    flipped[largest.header_offset + 30 + len(largest.filename) + largest.compress_size // 2] ^= 16
    (tmp_path / "flipped.zip").write_bytes(flipped)

    with pytest.raises(StoreError, match="damaged"):
        restore(empty, tmp_path / "flipped.zip")


def test_another_zip_is_refused(empty: Store) -> None:
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("letter.txt", "dear sir")

    with pytest.raises(StoreError, match="not a Tocsin backup"):
        restore(empty, other)


def relabelled(source: Path, **fields: Any) -> io.BytesIO:
    def change(name: str, data: bytes) -> bytes:
        return msgspec.json.encode(msgspec.json.decode(data) | fields) if name == "manifest.json" else data

    return damaged(source, change)


def test_a_backup_of_a_newer_tocsin_is_refused(whole: Path, empty: Store) -> None:
    with pytest.raises(SchemaTooNew, match=r"newer Tocsin \(9\.9, schema 9999"):
        restore(empty, relabelled(whole, schema=9999, tocsin="9.9"))
    with pytest.raises(SchemaTooNew, match="form 2"):
        restore(empty, relabelled(whole, form=2))


def test_a_backup_of_an_older_schema_says_what_to_do(whole: Path, empty: Store) -> None:
    with pytest.raises(StoreError, match=r"restore it with that one, then start this one"):
        restore(empty, relabelled(whole, schema=0))


def test_tables_of_strange_names_never_reach_the_sql(whole: Path, empty: Store) -> None:
    strange = [{"name": "alert; DROP TABLE alert", "columns": ["id"], "rows": 0, "sha256": ""}]

    with pytest.raises(StoreError, match="does not fit"):
        restore(empty, relabelled(whole, tables=strange))
