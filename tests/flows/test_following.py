"""Growing files, followed: nothing twice, nothing missed, however they are rotated; what fails is shown."""

import gzip
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from neighbours.growing import each_once, grow, line, lines, numbers
from tocsin.flows import following
from tocsin.flows.dataset import Dataset
from tocsin.flows.following import Following


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return Dataset(tmp_path / "flows", memory_mb=200, threads=1)


@pytest.fixture
def follow(dataset: Dataset, logs: Path) -> Iterator[Following]:
    started = Following(dataset, [logs])
    yield started
    started.close()


def once(follow: Following) -> str:
    return follow.once(threading.Event())


def age(path: Path, seconds: float) -> None:
    long_ago = time.time() - seconds
    os.utime(path, (long_ago, long_ago))


def test_what_a_file_gains_is_read_in_whole_lines_and_half_a_line_waits(
    follow: Following, dataset: Dataset, logs: Path
) -> None:
    log = logs / "conn.log"
    log.write_bytes(lines(0, 3) + line(3)[:20])
    assert once(follow) == ""
    assert numbers(dataset) == [0, 1, 2]
    assert [one.behind for one in follow.state()] == [20]

    grow(log, line(3)[20:] + line(4))
    once(follow)

    assert numbers(dataset) == [0, 1, 2, 3, 4]
    assert [one.behind for one in follow.state()] == [0]


def test_the_rest_of_a_renamed_file_comes_before_what_is_in_its_place(
    follow: Following, dataset: Dataset, logs: Path
) -> None:
    log = logs / "conn.log"
    log.write_bytes(lines(0, 2))
    once(follow)
    grow(log, lines(2, 5))
    log.rename(logs / "conn.2026-11-22-10-00-00.log")
    log.write_bytes(lines(5, 7))
    once(follow)

    assert numbers(dataset) == list(range(7))


def test_a_file_that_is_moved_out_of_sight_is_read_to_its_end(
    follow: Following, dataset: Dataset, logs: Path, tmp_path: Path
) -> None:
    log = logs / "conn.log"
    log.write_bytes(lines(0, 2))
    once(follow)
    grow(log, lines(2, 4))
    log.rename(tmp_path / "elsewhere")
    once(follow)
    assert numbers(dataset) == [0, 1, 2, 3]
    grow(tmp_path / "elsewhere", line(4).rstrip())  # whoever wrote it goes on until there is another one
    log.write_bytes(lines(5, 6))
    once(follow)

    assert numbers(dataset) == list(range(6))


def test_a_file_that_is_copied_and_cut_is_read_on_from_its_new_beginning(
    follow: Following, dataset: Dataset, logs: Path
) -> None:
    log = logs / "conn.log"
    log.write_bytes(lines(0, 3))
    once(follow)
    grow(log, lines(3, 4))
    (logs / "conn.log.1").write_bytes(log.read_bytes())
    age(logs / "conn.log.1", 5)
    os.truncate(log, 0)
    grow(log, lines(4, 6))
    once(follow)

    assert numbers(dataset) == list(range(6))


def test_a_packed_file_is_the_file_that_it_was(follow: Following, dataset: Dataset, logs: Path) -> None:
    log = logs / "conn.log"
    log.write_bytes(lines(0, 3))
    once(follow)
    grow(log, lines(3, 4))
    packed = logs / "conn.1.log.gz"
    packed.write_bytes(gzip.compress(log.read_bytes()))
    age(packed, 60)
    log.unlink()
    once(follow)

    assert each_once(dataset, 4)


def test_a_packed_file_that_is_still_written_waits(follow: Following, dataset: Dataset, logs: Path) -> None:
    packed = logs / "conn.1.log.gz"
    packed.write_bytes(gzip.compress(lines(0, 500))[:200])

    assert once(follow) == ""
    assert not dataset.exists() or numbers(dataset) == []


def test_a_file_that_cannot_be_read_is_shown_and_stops_no_other(
    follow: Following, dataset: Dataset, logs: Path
) -> None:
    broken = logs / "a.log.gz"
    broken.write_bytes(gzip.compress(lines(0, 500))[:200])
    age(broken, 60)
    (logs / "conn.log").write_bytes(lines(0, 2))

    said = once(follow)

    assert "a.log.gz" in said
    assert [bool(one.trouble) for one in follow.state()] == [True, False]
    assert numbers(dataset) == [0, 1]
    broken.unlink()
    assert once(follow) == ""


def test_the_last_line_of_a_file_that_rests_needs_no_end(follow: Following, dataset: Dataset, logs: Path) -> None:
    log = logs / "conn.log"
    log.write_bytes(lines(0, 1) + line(1).rstrip())
    once(follow)
    assert numbers(dataset) == [0]
    age(log, following.ENDED_S + 60)
    once(follow)

    assert numbers(dataset) == [0, 1]


def test_what_was_read_to_its_end_is_not_looked_at_again_after_a_start(
    dataset: Dataset, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = logs / "conn.log"
    log.write_bytes(lines(0, 2))
    age(log, following.ENDED_S + 60)
    once(Following(dataset, [logs]))
    asked: list[object] = []
    monkeypatch.setattr(following, "import_growth", lambda *given, **_: asked.append(given))
    once(Following(dataset, [logs]))

    assert asked == []


def test_a_start_goes_on_where_the_last_one_ended(dataset: Dataset, logs: Path) -> None:
    log = logs / "conn.log"
    log.write_bytes(lines(0, 2))
    once(Following(dataset, [log]))
    grow(log, lines(2, 3))
    log.rename(logs / "conn.1.log")  # nobody looked
    log.write_bytes(lines(3, 4))
    once(Following(dataset, [log]))

    assert numbers(dataset) == [0, 1, 2, 3]


def test_a_path_that_is_not_there_yet_is_told_and_read_once_it_is(dataset: Dataset, logs: Path) -> None:
    follow = Following(dataset, [logs / "eve*.json"])
    assert once(follow) == f"there is no file {logs}/eve*.json yet"
    (logs / "eve-1.json").write_bytes(lines(0, 2))

    assert once(follow) == ""
    assert numbers(dataset) == [0, 1]


def test_a_file_whose_name_is_no_text_is_read_and_stops_no_other(
    follow: Following, dataset: Dataset, logs: Path
) -> None:
    odd = logs / os.fsdecode(b"conn-\xff.log")
    odd.write_bytes(lines(0, 2))
    (logs / "conn.log").write_bytes(lines(2, 4))
    (logs / os.fsdecode(b"broken-\xff.log.gz")).write_bytes(gzip.compress(lines(4, 9))[:-9])
    age(odd, 2 * following.ENDED_S)
    age(logs / os.fsdecode(b"broken-\xff.log.gz"), 2 * following.PACKED_S)

    trouble = once(follow)

    assert each_once(dataset, 4)
    assert "broken-\\xff.log.gz" in trouble
    assert [Path(one.path).name for one in follow.state()] == ["broken-\\xff.log.gz", "conn-\\xff.log", "conn.log"]


def test_a_folder_that_cannot_be_listed_is_said_and_the_named_file_in_it_is_read(
    dataset: Dataset, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (logs / "conn.log").write_bytes(lines(0, 1))
    named = Following(dataset, [logs / "conn.log"])

    def closed(_path: Path) -> Iterator[Path]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", closed)
    trouble = once(named)
    named.close()

    assert numbers(dataset) == [0]
    assert "cannot be listed (Permission denied)" in trouble


def test_a_file_that_goes_while_it_is_looked_at_stops_no_other(
    follow: Following, dataset: Dataset, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2):
        (logs / f"conn-{number}.log").write_bytes(lines(number, number + 1))
    opened = os.open

    def gone(path: Path, flags: int) -> int:
        if Path(path).name == "conn-0.log":
            Path(path).unlink()
        return opened(path, flags)

    monkeypatch.setattr(os, "open", gone)
    once(follow)

    assert numbers(dataset) == [1]
