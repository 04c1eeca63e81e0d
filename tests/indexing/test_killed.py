"""Killed at any moment while it indexes, it ends with the same index as one that was never disturbed."""

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from neighbours.messages import posted
from neighbours.postgres import Postgres
from tocsin.model import Alertgroup
from tocsin.store import Part, Store, entry, index, open_store

GROUPS, LARGE = 60, 1500
PROGRAM = """
import sys, threading
from pathlib import Path
from tocsin.detection import DEFAULT
from tocsin.entities import Known
from tocsin.indexing import Indexer, worker
from tocsin.store import open_store

if __name__ == "__main__":
    worker.GROUPS, worker.ITEMS = 7, 60
    store = open_store(sys.argv[1], Path(sys.argv[2]))
    write = store.write
    def told(work):
        done = write(work)
        print("wrote", flush=True)
        return done
    store.write = told
    indexer = Indexer(store, DEFAULT, Known, "digest")
    indexer.start()
    while indexer.behind():
        threading.Event().wait(0.02)
    indexer.stop()
    store.close()
"""


@pytest.fixture(params=["sqlite", "postgres"])
def urls(request: pytest.FixtureRequest) -> list[str]:
    """Two empty stores of one engine."""
    if request.param == "sqlite":
        return ["sqlite", "sqlite"]
    cluster: Postgres = request.getfixturevalue("postgres")
    return [cluster.url(cluster.new_database()) for _ in range(2)]


def filled(url: str, folder: Path) -> None:
    """Alertgroups that share entities, and a large one among them."""
    folder.mkdir()
    store = open_store(url, folder)
    for number in range(GROUPS):
        rows: list[dict[str, Any]] = [
            {"src": f"10.0.0.{number % 7}", "note": f"at host{number % 5}.example.com", "n": number} for _ in range(3)
        ]
        if number == GROUPS // 2:
            rows = [{"src": f"10.1.{n // 250}.{n % 250}", "sha": hashlib.sha256(b"%d" % n).hexdigest()}
                    for n in range(LARGE)]  # fmt: skip
        group = Alertgroup.of_rows(f"beacon {number}", rows)
        message = posted(f"{number}".encode())
        store.append(entry(message, [Part(group=group, severity=None, lanes=())], "scot", "1")).result()
    store.close()


def indexes(url: str, folder: Path, kills: list[int]) -> int:
    """Index it, killed after so many writes each time, then undisturbed; how often it was killed."""
    program = folder.with_suffix(".py")
    program.write_text(PROGRAM)
    killed = 0
    for writes in [*kills, 1 << 30]:
        with subprocess.Popen(
            [sys.executable, str(program), url, str(folder)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            for number, _ in enumerate(process.stdout, 1):
                if number == writes:
                    process.kill()
                    killed += 1
                    break
            process.stdout.read()
        assert process.returncode in (0, -9)
    return killed


def everything(store: Store) -> dict[str, list[Any]]:
    """The index without the numbers that its rows happen to have."""
    asked = {
        "term": "SELECT field, key, text, number, amount, low, high, alertgroups FROM term",
        "posting": "SELECT t.field, t.key, p.alertgroup, p.alerts FROM posting p JOIN term t ON t.id = p.term",
        "moment": "SELECT field, at, alertgroup, alerts FROM moment",
        "entity": "SELECT type, key, value, low, high, first_seen, last_seen, alertgroups, sightings FROM entity",
        "sighting": "SELECT e.type, e.key, s.alertgroup, n, places FROM sighting s JOIN entity e ON e.id = s.entity",
        "indexed": "SELECT alertgroup, part FROM indexed",
        "words": "SELECT rowid FROM word_index WHERE word_index MATCH 'beacon'"
        if store.engine == "sqlite"
        else "SELECT alertgroup, field, part, normal FROM word_index",
    }
    found = store.read(lambda tx: {name: sorted(tx.rows(sql), key=repr) for name, sql in asked.items()})
    assert store.read(index.lag).waiting == 0
    return found


def test_killed_while_it_indexes_it_ends_with_the_same_index(urls: list[str], tmp_path: Path) -> None:
    once, often = tmp_path / "once", tmp_path / "often"
    filled(urls[0], once)
    filled(urls[1], often)
    assert indexes(urls[0], once, []) == 0
    assert indexes(urls[1], often, [2, 3, 5, 4, 8, 12, 3]) >= 4

    stores = [open_store(url, folder) for url, folder in zip(urls, (once, often), strict=True)]
    first, second = (everything(store) for store in stores)
    for store in stores:
        store.close()
    assert len(first["entity"]) > 2 * LARGE
    assert second == first
