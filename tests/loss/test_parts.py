"""The finder's own parts: they do to a machine what they say, and the same for the same seed."""

import errno
import itertools
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from loss.faults import DATABASE, EVERYWHERE, Fault, Scene, happen, plan
from loss.hub import Hub
from loss.moves import DRAWN, MOVES
from loss.numbered import draw, marks
from loss.rounds import cluster_on_own_disk
from loss.volume import Volume, allow_growth, forbid_growth
from neighbours.missing import missing
from neighbours.postgres import Postgres, programs


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Volume]:
    volume = Volume(tmp_path / "disk", 4)
    if not volume.own:
        pytest.skip("only root may mount a disk of its own")
    yield volume
    volume.unmount()


@pytest.fixture
def database() -> Iterator[tuple[Postgres, Volume]]:
    if programs() is None:
        missing("PostgreSQL", "apt-get install postgresql")
    with cluster_on_own_disk() as made:
        yield made


def test_the_same_seed_plans_the_same_faults() -> None:
    assert plan("7", "postgres") == plan("7", "postgres")
    assert plan("7", "sqlite") == plan("7", "sqlite")


def test_some_seed_plans_each_fault() -> None:
    planned = {fault.kind for seed in range(300) for fault in plan(str(seed), "postgres")}

    assert planned == {*EVERYWHERE, *DATABASE}


def test_some_seed_draws_each_move() -> None:
    drawn = {random.Random(f"{seed} moves").choice(DRAWN) for seed in range(300)}

    assert drawn == set(MOVES)


def test_a_drawn_message_carries_a_mark_on_each_row() -> None:
    chance = random.Random(1)
    for number in range(1, 60):
        message = draw(chance, number, 1, ["<earlier>"])
        found = [marks(row["signature"]) for row in message.rows]

        assert found == [{(number, row)} for row in range(len(message.rows))]


def test_a_filled_disk_takes_nothing_until_it_is_freed(small_disk: Volume) -> None:
    file = small_disk.folder / "file"
    small_disk.fill()
    with pytest.raises(OSError, match="No space") as refused:
        file.write_bytes(b"x")
    assert refused.value.errno == errno.ENOSPC

    small_disk.free()
    file.write_bytes(b"x" * 100_000)
    assert file.stat().st_size == 100_000


def test_a_read_only_disk_takes_nothing_until_it_is_writable(small_disk: Volume) -> None:
    assert small_disk.make_read_only()
    with pytest.raises(OSError, match="Read-only"):
        (small_disk.folder / "file").write_bytes(b"x")

    small_disk.make_writable()
    (small_disk.folder / "file").write_bytes(b"x")


def test_a_process_whose_files_may_not_grow_sees_its_writes_fail(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "for line in sys.stdin:\n"
        "    try:\n"
        f"        open({str(tmp_path / 'file')!r}, 'wb', 0).write(b'x' * 5000) == 5000 or print('short')\n"
        "        print('written', flush=True)\n"
        "    except OSError as error:\n"
        "        print(error.strerror, flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        forbid_growth(child.pid)
        child.stdin.write(b"\n")
        child.stdin.flush()
        assert b"short" in child.stdout.readline()
        child.stdout.readline()
        allow_growth(child.pid)
        child.stdin.write(b"\n")
        child.stdin.flush()
        assert child.stdout.readline() == b"written\n"


def test_every_database_fault_hurts_and_is_lifted(database: tuple[Postgres, Volume], tmp_path: Path) -> None:
    cluster, volume = database
    hub = Hub(tmp_path, tmp_path / "log")
    scene = Scene(hub, Volume(tmp_path / "disk", 4), time.monotonic(), "1", cluster, volume)
    numbers = itertools.count()
    for kind, fault in DATABASE.items():
        before = psycopg.connect(cluster.url(), autocommit=True)
        fault(scene, 0.0)
        if kind not in ("database_frozen", "database_disk_full"):
            with pytest.raises(psycopg.OperationalError):
                before.execute("SELECT 1")
        before.close()
        _wait_writable(cluster, next(numbers))
    scene.volume.unmount()


def test_a_fault_finds_a_server_that_died_by_itself(tmp_path: Path) -> None:
    hub = Hub(tmp_path, tmp_path / "log", program=("/bin/false",))
    scene = Scene(hub, Volume(tmp_path / "disk", 4), time.monotonic(), "1")

    happen(scene, Fault(0, "freeze", -1))

    assert "nobody had killed it" in scene.problems[0]
    scene.volume.unmount()


def _wait_writable(cluster: Postgres, number: int) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            with psycopg.connect(cluster.url(), autocommit=True) as connection:
                connection.execute(f"CREATE TABLE t{number}_{os.getpid()} (a int)".encode())
                return
        except psycopg.OperationalError:
            assert time.monotonic() < until, "the database did not come back"
            time.sleep(0.1)
