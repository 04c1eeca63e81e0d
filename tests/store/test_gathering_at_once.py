"""Evidence stored by several nodes at once, killed in between, in a store of before: none is lost or counts twice."""

import os
import subprocess
import sys
import threading
from pathlib import Path

from neighbours.heaps import ONE, came, copies, evidence, gather, post
from neighbours.indexed import found as listed
from neighbours.postgres import Postgres
from tocsin.store import alertgroup, migrate, open_store
from tocsin.store.engine import Tx

PIECES = 60
PROGRAM = """
import sys
from pathlib import Path
from neighbours.heaps import came, gather
from tocsin.store import open_store

if __name__ == "__main__":
    store = open_store(sys.argv[1], Path(sys.argv[2]))
    for number in range(int(sys.argv[3]), int(sys.argv[4])):
        store.append(came(str(number), gather((1,)))).result()
        print(number, flush=True)
    store.close()
"""


def test_two_nodes_that_store_at_once_raise_each_piece_once(postgres: Postgres, tmp_path: Path) -> None:
    url = postgres.url(postgres.new_database())
    nodes = [open_store(url, tmp_path) for _ in range(2)]

    def store(node: int) -> None:
        for n in range(PIECES // 2):
            nodes[node].append(came(f"{node} {n}", gather((1,)))).result(60)

    threads = [threading.Thread(target=store, args=(node,)) for node in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    raised = [copies(nodes[0], group) for group in listed(nodes[0])]
    assert [len(one) for one in raised] == [3] * (PIECES // 3)
    assert sorted(piece for one in raised for piece in one) == sorted(
        f"{node} {n} 0" for node in (0, 1) for n in range(PIECES // 2)
    )
    for one in nodes:
        one.close()


def test_killed_between_any_two_pieces_it_raises_what_it_would_have_raised(engine: str, data: Path) -> None:
    data.mkdir()
    program = data / "program.py"
    program.write_text(PROGRAM)
    begin = acknowledged = 0
    for kill_after in (1, 4, 2, 7, 5, 1 << 30):
        command = [sys.executable, str(program), engine, str(data), str(begin), str(PIECES)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=_environment()) as process:
            assert process.stdout is not None
            for count, line in enumerate(process.stdout, 1):
                acknowledged = int(line)
                if count == kill_after:
                    process.kill()
                    break
            process.stdout.read()
        assert process.returncode in (0, -9)
        store = open_store(engine, data)
        standing, heaps = store.read(lambda tx: (_stored(tx), tx.rows("SELECT weight, raised FROM heap")))
        # Every piece that was acknowledged stands; what was under way when it was killed stands whole or not at all.
        assert standing[: acknowledged + 1] == list(range(acknowledged + 1))
        assert heaps == [(len(standing) % 3 * ONE, len(standing) // 3)]
        begin = len(standing)
        store.close()

    store = open_store(engine, data)
    raised = [copies(store, group) for group in sorted(listed(store))]
    assert raised == [[f"{n} 0" for n in range(first, first + 3)] for first in range(0, PIECES, 3)]
    assert store.read(alertgroup.totals)["open"] == PIECES // 3
    assert store.read(lambda tx: tx.row("SELECT count(*) FROM delivery")) == (2 * PIECES // 3,)
    store.close()


def test_a_store_of_before_takes_evidence_and_shows_what_it_had(engine: str, data: Path) -> None:
    data.mkdir()
    store = open_store(engine, data)
    (before,) = post(store, came("before", None))
    store.write(_as_before)
    store.close()

    store = open_store(engine, data)
    assert store.schema == migrate.newest()
    assert listed(store) == [before]
    evidence(store, 3)
    assert len(listed(store)) == 2
    store.close()


def _as_before(tx: Tx) -> None:
    """Take out what the migration brings, so that it is applied to a store with alertgroups in it."""
    for table in ("heap", "pile", "evidence"):
        tx.run(f"DROP TABLE {table}")
    tx.run("DROP INDEX alertgroup_gathered")
    tx.run("DROP INDEX alertgroup_standing")
    tx.run("ALTER TABLE alertgroup DROP COLUMN gathered")
    tx.run("DELETE FROM migration WHERE version >= 15")


def _stored(tx: Tx) -> list[int]:
    rows = tx.rows("SELECT subject FROM alertgroup WHERE gathered IS NOT NULL ORDER BY id")
    return [int(row[0].removeprefix("evidence ")) for row in rows]


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
