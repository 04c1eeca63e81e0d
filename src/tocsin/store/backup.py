"""The whole store in one file, of either engine and for either engine; also the way from one engine to the other.

The archive is a zip: per table `tables/NAME`, a stream of batches, and at its end `manifest.json`. A batch is four
bytes of length (big endian) and a MessagePack array of rows, each an array of cells in the order of the manifest's
columns. Sessions are left out: people sign in again; and so is the index, which is made again from the alerts.

After a restore the hub is the same hub: its uid, its counters, its deliveries and its lane cursors are those of the
backup. What was delivered after the backup is owed again. A file destination that finds its file longer than its
cursor cuts it back to the cursor and writes those lines again; one that finds no such file starts a new one.
"""

import errno
import hashlib
import os
import time
import zipfile
import zlib
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import msgspec

from tocsin import __version__
from tocsin.errors import SchemaTooNew, StoreError
from tocsin.model import Micros, Noun
from tocsin.store import index, migrate
from tocsin.store.engine import Tx

if TYPE_CHECKING:
    from tocsin.store import Store

_FORM = 1
_MANIFEST = "manifest.json"
_LEFT_OUT = ("migration", "session", *index.TABLES)
_ROWS = 1000
_BYTES = 8 * 2**20
"""A batch holds at most that many rows and bytes, or one row that is larger."""


class TableLine(Noun, frozen=True, kw_only=True):
    """One table of an archive."""

    name: str
    columns: tuple[str, ...]
    rows: int
    sha256: str


class Manifest(Noun, frozen=True, kw_only=True):
    """What an archive holds; `created` is when the snapshot was taken."""

    form: int
    tocsin: str
    schema: int
    engine: str
    uid: str
    created: Micros
    tables: tuple[TableLine, ...]


class _Table(NamedTuple):
    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    wide: tuple[str, ...]
    """The columns of text and bytes, whose cells may be long."""
    serial: bool
    """Whether the engine hands out its ids from a counter of its own, apart from the rows."""


def write_backup(store: "Store", target: Path | IO[bytes]) -> Manifest:
    """Write everything as it stands at one moment, while others go on writing; memory stays small.

    A file appears under its name once it is whole and on disk, readable by its owner only. A stream need not seek.
    Raises StoreUnavailable, OSError.
    """
    if not isinstance(target, Path):
        return store.read(partial(_write, target=target))
    part = target.with_name(target.name + ".part")
    try:
        with open(part, "wb", opener=partial(os.open, mode=0o600)) as stream:
            manifest = store.read(partial(_write, target=stream))
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return manifest


def read_manifest(source: Path | IO[bytes]) -> Manifest:
    """What an archive says of itself. Raises StoreError when it is none, OSError."""
    with _reading(source), zipfile.ZipFile(source) as archive:
        return _manifest(archive)


def restore(store: "Store", source: Path | IO[bytes]) -> Manifest:
    """Fill an empty store from an archive, all of it or nothing. Open the store anew afterwards: its uid has changed.

    The archive's sums are checked before the first row is written. Raises StoreError when the archive is damaged or
    of another schema or the store is not empty, SchemaTooNew, StoreUnavailable, OSError.
    """
    tables = store.read(_tables)
    with _reading(source), zipfile.ZipFile(source) as archive:
        manifest = _manifest(archive)
        _check_schema(manifest)
        _check_tables(manifest, tables)
        for line in manifest.tables:
            _check_sum(archive, line)
    with zipfile.ZipFile(source) as archive:
        store.write(partial(_fill, archive=archive, manifest=manifest, tables=tables))
    return manifest


@contextmanager
def _reading(source: Path | IO[bytes]) -> Iterator[None]:
    """Whatever a damaged archive makes of its readers, it is told as one thing."""
    name = str(source) if isinstance(source, Path) else "this"
    try:
        yield
    except KeyError as error:
        raise StoreError(f"{name} is not a Tocsin backup: {error.args[0]}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise StoreError(f"{name} is not a Tocsin backup, or it is damaged: {error}") from error
    except OSError as error:
        if error.errno not in (None, errno.EINVAL):  # none: a codec's; invalid: a place before the beginning
            raise
        raise StoreError(f"{name} is not a Tocsin backup, or it is damaged: {error}") from error


def _write(tx: Tx, target: IO[bytes]) -> Manifest:
    lines: list[TableLine] = []
    created = time.time_ns() // 1000
    uid = tx.row("SELECT uid FROM hub")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        for table in _tables(tx):
            digest, count = hashlib.sha256(), 0
            with archive.open(f"tables/{table.name}", "w", force_zip64=True) as stream:
                for rows in _batches(tx, table):
                    batch = msgspec.msgpack.encode(rows)
                    for part in (len(batch).to_bytes(4, "big"), batch):
                        digest.update(part)
                        stream.write(part)
                    count += len(rows)
            lines.append(TableLine(name=table.name, columns=table.columns, rows=count, sha256=digest.hexdigest()))
        manifest = Manifest(
            form=_FORM,
            tocsin=__version__,
            schema=migrate.newest(),
            engine=tx.engine,
            uid=uid[0] if uid else "",
            created=created,
            tables=tuple(lines),
        )
        archive.writestr(_MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
    return manifest


def _batches(tx: Tx, table: _Table) -> Iterator[list[tuple[Any, ...]]]:
    """The rows in order of their key. How long they are is asked first, so a batch never outgrows memory."""
    key = ", ".join(table.key)
    length = " + ".join(f"coalesce(octet_length({column}), 0)" for column in table.wide) or "0"
    past = f"({key}) > ({', '.join(f':after{n}' for n in range(len(table.key)))})"
    upto = f"({key}) <= ({', '.join(f':upto{n}' for n in range(len(table.key)))})"
    after: dict[str, Any] = {}
    while True:
        where = f"WHERE {past}" if after else ""
        ahead = tx.rows(f"SELECT {key}, {length} FROM {table.name} {where} ORDER BY {key} LIMIT {_ROWS}", **after)
        if not ahead:
            return
        sizes = list(accumulate(row[-1] for row in ahead))
        end = ahead[min(bisect_left(sizes, _BYTES), len(ahead) - 1)][:-1]
        bounds = after | {f"upto{n}": cell for n, cell in enumerate(end)}
        where = f"WHERE {past} AND {upto}" if after else f"WHERE {upto}"
        yield tx.rows(f"SELECT {', '.join(table.columns)} FROM {table.name} {where} ORDER BY {key}", **bounds)
        after = {f"after{n}": cell for n, cell in enumerate(end)}


def _tables(tx: Tx) -> list[_Table]:
    """The tables as they stand, without what the engine derives from them (indexes of words)."""
    rows = tx.rows(_SQLITE_COLUMNS if tx.engine == "sqlite" else _POSTGRES_COLUMNS)
    tables: dict[str, list[tuple[Any, ...]]] = {}
    for name, *column in rows:
        if name not in _LEFT_OUT:
            tables.setdefault(name, []).append(tuple(column))
    return [
        _Table(
            name,
            columns=tuple(column[0] for column in columns),
            key=tuple(column[0] for column in sorted(columns, key=lambda column: column[2]) if column[2]),
            wide=tuple(column[0] for column in columns if column[1].lower() in ("text", "blob", "bytea")),
            serial=any(column[3] for column in columns),
        )
        for name, columns in sorted(tables.items())
    ]


_SQLITE_COLUMNS = """
SELECT t.name, c.name, c.type, c.pk, 0 FROM pragma_table_list AS t, pragma_table_info(t.name) AS c
WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY t.name, c.cid"""

_POSTGRES_COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, NULL),
       coalesce(array_position(CAST(i.indkey AS int2[]), a.attnum) + 1, 0), CASE a.attidentity WHEN '' THEN 0 ELSE 1 END
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
WHERE c.relkind = 'r' AND c.relnamespace = CAST(current_schema() AS regnamespace) ORDER BY c.relname, a.attnum"""


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    try:
        manifest = msgspec.json.decode(archive.read(_MANIFEST), type=Manifest)
    except msgspec.MsgspecError as error:
        raise StoreError(f"this archive is not a Tocsin backup: {error}") from error
    if manifest.form != _FORM:
        raise SchemaTooNew(f"the backup has form {manifest.form}, this Tocsin reads {_FORM}: use the newer Tocsin")
    return manifest


def _check_schema(manifest: Manifest) -> None:
    newest = migrate.newest()
    if manifest.schema > newest:
        raise SchemaTooNew(
            f"the backup was written by a newer Tocsin ({manifest.tocsin}, schema {manifest.schema}; this one knows"
            f" {newest}): restore it with that one"
        )
    if manifest.schema < newest:
        raise StoreError(
            f"the backup was written by Tocsin {manifest.tocsin} (schema {manifest.schema}, this one writes {newest}):"
            " restore it with that one, then start this one on the restored data"
        )


def _check_tables(manifest: Manifest, tables: list[_Table]) -> None:
    here = {table.name: set(table.columns) for table in tables}
    there = {line.name: set(line.columns) for line in manifest.tables}
    if here != there:
        names = sorted(name for name in here.keys() | there.keys() if here.get(name) != there.get(name))
        raise StoreError(f"the backup does not fit this schema: {', '.join(names)}")


def _check_sum(archive: zipfile.ZipFile, line: TableLine) -> None:
    digest = hashlib.sha256()
    with archive.open(f"tables/{line.name}") as stream:
        while part := stream.read(2**20):
            digest.update(part)
    if digest.hexdigest() != line.sha256:
        raise StoreError(f"the backup is damaged in {line.name}: its sum is not the one that was written down")


def _fill(tx: Tx, archive: zipfile.ZipFile, manifest: Manifest, tables: list[_Table]) -> None:
    for name in ("message", "alertgroup", "account", "api_key"):
        if tx.row(f"SELECT 1 FROM {name} LIMIT 1"):
            raise StoreError("the store is not empty: restore into a new data folder or a new database")
    serial = {table.name for table in tables if table.serial}
    for line in manifest.tables:
        tx.run(f"DELETE FROM {line.name}")
        places = ", ".join(f":c{n}" for n in range(len(line.columns)))
        insert = f"INSERT INTO {line.name} ({', '.join(line.columns)}) VALUES ({places})"
        count = 0
        for rows in _read_batches(archive, line):
            tx.many(insert, [{f"c{n}": cell for n, cell in enumerate(row)} for row in rows])
            count += len(rows)
        if count != line.rows:
            raise StoreError(f"the backup is damaged in {line.name}: {count} rows instead of {line.rows}")
        if line.name in serial:
            tx.row(
                f"""SELECT setval(pg_get_serial_sequence('{line.name}', 'id'), coalesce(max(id), 1),
                          max(id) IS NOT NULL)
                    FROM {line.name}"""
            )
    index.wait_all(tx, time.time_ns() // 1000)


def _read_batches(archive: zipfile.ZipFile, line: TableLine) -> Iterator[list[list[Any]]]:
    with archive.open(f"tables/{line.name}") as stream:
        while prefix := stream.read(4):
            yield msgspec.msgpack.decode(stream.read(int.from_bytes(prefix, "big")), type=list[list[Any]])
