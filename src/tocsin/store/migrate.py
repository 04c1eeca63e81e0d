"""One history of migrations for both engines: `NNNN_name.sql`, then `NNNN_name.<engine>.sql` where they must differ."""

import re
from collections.abc import Iterator
from importlib.resources import files

from tocsin.errors import SchemaTooNew
from tocsin.store.engine import Tx

_END = re.compile(r";\n(?=(?:[^$]|\$(?!\$)|\$\$(?:[^$]|\$(?!\$))*\$\$)*\Z)")
"""The end of a statement; what stands between two $$, the text of a function, is one."""
_NAME = re.compile(r"(\d{4})_\w+(?:\.(sqlite|postgres))?\.sql")


def newest() -> int:
    """The schema this Tocsin writes."""
    return max(version for version, _, _ in _files())


def present(tx: Tx) -> int:
    """The schema that stands in the store; 0 in an empty one."""
    tx.run("CREATE TABLE IF NOT EXISTS migration (version BIGINT PRIMARY KEY, applied BIGINT NOT NULL)")
    row = tx.row("SELECT max(version) FROM migration")
    return int(row[0]) if row and row[0] is not None else 0


def migrate(tx: Tx, now: int) -> int:
    """Apply what is missing, in this one transaction; the version now reached. Raises SchemaTooNew."""
    here, target = present(tx), newest()
    if here > target:
        raise SchemaTooNew(
            f"the data was written by a newer Tocsin (schema {here}, this one knows {target}): start the newer one"
        )
    for version, engine, text in sorted(_files(), key=lambda file: (file[0], file[1])):
        if version > here and engine in ("", tx.engine):
            for statement in _statements(text):
                tx.run(statement)
    for version in range(here + 1, target + 1):
        tx.run("INSERT INTO migration (version, applied) VALUES (:version, :now)", version=version, now=now)
    return target


def _files() -> Iterator[tuple[int, str, str]]:
    for entry in files("tocsin.store").joinpath("migrations").iterdir():
        if match := _NAME.fullmatch(entry.name):
            yield int(match[1]), match[2] or "", entry.read_text(encoding="utf-8")


def _statements(text: str) -> Iterator[str]:
    bare = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))
    for statement in _END.split(bare):
        if statement.strip(" \n;"):
            yield statement.strip(" \n;")
