"""Each content counts once: under another name, compressed, grown, torn, by two at once, or after a kill."""

import gzip
import itertools
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from neighbours.imported import SAMPLES, aside, counts, imported, rows, some
from tocsin.errors import FlowsError
from tocsin.flows.catalogue import Imported, line_of
from tocsin.flows.dataset import Dataset
from tocsin.flows.importing import Outcome, import_each, import_growth, import_paths
from tocsin.flows.prefixes import Memory
from tocsin.flows.reading import pieces

HEADER = (
    b"#separator \\x09\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tconn_state\n"
)
DAY = 86_400
LOADED = 60


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """An empty data set."""
    return Dataset(tmp_path / "flows", memory_mb=200, threads=2)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of three connections."""
    file = tmp_path / "conn.log"
    file.write_bytes(HEADER + flows(0, 3))
    return file


def flows(first: int, after: int, seconds: float = 0.25) -> bytes:
    """Lines of connections."""
    return b"".join(
        b"%.6f\tC%08d\t10.0.0.1\t%d\t10.0.0.2\t80\ttcp\tSF\n" % (1_700_000_000 + n * seconds, n, n % 65536)
        for n in range(first, after)
    )


def uids(dataset: Dataset) -> list[int]:
    return [int(row["uid"][1:]) for row in rows(dataset, "conn")]


def said(dataset: Dataset, *paths: Path) -> list[str]:
    return [one.said for one in import_each(dataset, paths)]


@contextmanager
def small_pieces(size: int) -> Iterator[None]:
    """Have files cut into pieces of so many bytes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "PIECE", size)
        patch.setattr(pieces, "BLOCK", size // 4)
        patch.setattr(pieces.Content.read, "__defaults__", (size // 4,))
        yield


def test_the_same_content_adds_nothing_whatever_it_is_called(dataset: Dataset, log: Path, tmp_path: Path) -> None:
    imported(dataset, log)
    other, packed = tmp_path / "conn.00:00:00-01:00:00.log", tmp_path / "packed.gz"
    other.write_bytes(log.read_bytes())
    packed.write_bytes(gzip.compress(log.read_bytes()[:99]) + gzip.compress(log.read_bytes()[99:]))

    assert said(dataset, log, other, packed) == ["known"] * 3
    assert uids(dataset) == [0, 1, 2]


def test_of_a_file_that_grew_only_what_is_new_is_read(dataset: Dataset, log: Path, tmp_path: Path) -> None:
    imported(dataset, log)
    packed = tmp_path / "conn.log.gz"
    packed.write_bytes(gzip.compress(log.read_bytes() + flows(3, 5)))
    size = log.stat().st_size

    (done,) = import_paths(dataset, [packed])

    assert (done.begin, done.rows, done.lines) == (size, 2, 2)
    assert uids(dataset) == [0, 1, 2, 3, 4]
    assert [line_of(row["place"])[1] for row in rows(dataset, "conn")] == [4, 5, 6, 7, 8]
    assert said(dataset, log, packed) == ["known", "known"]


def test_contents_that_only_begin_alike_are_two(dataset: Dataset, log: Path, tmp_path: Path) -> None:
    imported(dataset, log)
    other = tmp_path / "other.log"
    other.write_bytes(log.read_bytes()[:-3] + b"S0\n" + flows(3, 4))

    (done,) = import_paths(dataset, [other])

    assert (done.begin, done.rows) == (0, 4)
    assert len(uids(dataset)) == 7


def test_a_long_file_is_known_by_more_than_its_beginning(dataset: Dataset, tmp_path: Path) -> None:
    log, grown, other = (tmp_path / name for name in ("a.log", "b.log", "c.log"))
    log.write_bytes(HEADER + flows(0, 500))
    grown.write_bytes(log.read_bytes() + flows(500, 600))
    other.write_bytes(HEADER + flows(0, 499) + flows(700, 702))

    with small_pieces(4096):
        assert [done.rows for done in import_paths(dataset, [log, grown, other])] == [500, 100, 501]
        assert said(dataset, grown, log, other) == ["known"] * 3


def test_pieces_of_a_file_keep_its_order_and_its_line_numbers(dataset: Dataset, tmp_path: Path) -> None:
    log = tmp_path / "conn.log"
    broken = b"no flow at all\n"
    log.write_bytes(HEADER + flows(0, 700) + broken + flows(700, 900).replace(b"\n", b"\r\n"))

    with small_pieces(8192):
        imported(dataset, log)

    assert uids(dataset) == list(range(900))
    assert aside(dataset) == [(704, "1 fields instead of 8")]
    with dataset.catalogue() as catalogue:
        parts = catalogue.parts()
    assert len(parts) > 5
    assert all(one.last < other.first for one, other in itertools.pairwise(parts))


def test_rows_lie_by_the_day_of_their_start(dataset: Dataset, tmp_path: Path) -> None:
    log = tmp_path / "conn.log"
    beyond = b"9e14\tC8\t-\t-\t-\t-\ttcp\tSF\n"
    log.write_bytes(HEADER + flows(0, 3, seconds=DAY) + flows(0, 1) + beyond)

    imported(dataset, log)

    with dataset.catalogue() as catalogue:
        parts = catalogue.parts()
    assert [(part.day, part.kind, part.rows) for part in parts] == [
        ("2023-11-14", "conn", 2),
        ("2023-11-15", "conn", 1),
        ("2023-11-16", "conn", 1),
        ("unknown", "conn", 1),
    ]
    assert next(part.file for part in parts) == "day=2023-11-14/kind=conn/1-0.parquet"
    assert [(part.earliest, part.latest) for part in parts][1] == (1_700_086_400_000_000, 1_700_086_400_000_000)
    assert parts[-1].earliest is None


def test_a_last_line_without_its_end_is_read_if_it_is_whole(dataset: Dataset, log: Path) -> None:
    log.write_bytes(log.read_bytes()[:-1])

    assert said(dataset, log) == ["read"]
    assert uids(dataset) == [0, 1, 2]
    log.write_bytes(HEADER + flows(0, 4))
    assert said(dataset, log) == ["read"]
    assert uids(dataset) == [0, 1, 2, 3]
    assert aside(dataset) == []


def test_a_torn_last_line_waits_for_its_end(dataset: Dataset, log: Path) -> None:
    log.write_bytes(log.read_bytes() + flows(3, 4)[:30])

    first, again = (list(import_each(dataset, [log])) for _ in range(2))

    assert [one.note for one in first + again] == ["line 7 is not whole and waits for its end"] * 2
    assert [one.said for one in first + again] == ["read", "known"]
    assert aside(dataset) == []
    log.write_bytes(HEADER + flows(0, 4))
    assert said(dataset, log) == ["read"]
    assert uids(dataset) == [0, 1, 2, 3]


@pytest.mark.parametrize("remembering", [True, False], ids=["remembering", "anew"])
def test_a_growing_file_is_read_in_whole_lines(remembering: bool, dataset: Dataset, log: Path) -> None:
    memory = Memory() if remembering else None
    whole = HEADER + flows(0, 50)
    gained: list[Imported | None] = []
    for size in [*range(20, len(whole), 333), len(whole)]:
        log.write_bytes(whole[:size])  # the same inode, longer each time
        gained.append(import_growth(dataset, log, memory=memory))

    assert uids(dataset) == list(range(50))
    assert sum(done.rows for done in gained if done) == 50
    assert import_growth(dataset, log, memory=memory) is None


def test_a_growing_file_ends_with_its_last_line(dataset: Dataset, log: Path) -> None:
    log.write_bytes(log.read_bytes()[:-1])
    with log.open("rb") as handle:
        path, name = Path(f"/proc/self/fd/{handle.fileno()}"), "/logs/conn.log"
        log.rename(log.with_suffix(".old"))

        growing, ended = (import_growth(dataset, path, name=name, ended=ended) for ended in (False, True))

    assert growing is not None
    assert ended is not None
    assert (growing.rows, ended.rows, ended.path) == (2, 1, name)


@pytest.mark.parametrize("remembering", [True, False], ids=["remembering", "anew"])
def test_a_file_that_is_written_over_begins_anew(remembering: bool, dataset: Dataset, log: Path) -> None:
    memory = Memory() if remembering else None
    import_growth(dataset, log, memory=memory)
    log.write_bytes(HEADER + flows(9, 15))

    done = import_growth(dataset, log, memory=memory)

    assert done is not None
    assert (done.begin, done.rows) == (0, 6)


def test_growth_of_a_file_without_flows_is_none(dataset: Dataset, tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("These are notes.\n")

    assert import_growth(dataset, notes) is None
    assert not counts(dataset)


def test_headers_that_were_read_before_hold_for_what_is_new(dataset: Dataset, log: Path) -> None:
    fields = HEADER.decode().rstrip("\n").split("\t")
    turned = "\t".join([*fields[:-2], fields[-1], fields[-2]]).encode() + b"\n"
    log.write_bytes(log.read_bytes() + turned)
    imported(dataset, log)
    log.write_bytes(log.read_bytes() + b"1700000009.5\tC00000009\t10.0.0.1\t1\t10.0.0.2\t80\tSF\tudp\n")

    imported(dataset, log)

    assert some(rows(dataset, "conn")[-1], "proto", "state") == ("udp", "SF")


def test_a_line_beyond_all_bounds_is_kept_aside(dataset: Dataset, log: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "LONGEST", 3000)
        with small_pieces(2000):
            log.write_bytes(HEADER + flows(0, 2) + b"x" * 10_000 + b"\n" + flows(2, 4))
            imported(dataset, log)

    assert uids(dataset) == [0, 1, 2, 3]
    assert [line for line, _ in aside(dataset)] == [6]
    assert [line_of(row["place"])[1] for row in rows(dataset, "conn")] == [4, 5, 7, 8]
    (done,) = _imports(dataset)
    assert (done.lines, done.rows, done.malformed, done.skipped) == (8, 4, 1, 3)
    assert said(dataset, log) == ["known"]


def test_a_compressed_file_that_breaks_off_is_said_and_the_others_are_read(
    dataset: Dataset, log: Path, tmp_path: Path
) -> None:
    torn = tmp_path / "a.log.gz"
    torn.write_bytes(gzip.compress(HEADER + flows(0, 2000))[:-500])

    failed, done = import_each(dataset, [torn, log])

    assert (failed.said, done.said) == ("failed", "read")
    assert failed.note.startswith(f"{torn} is broken, or not written to its end")
    assert uids(dataset) == [0, 1, 2]
    with pytest.raises(FlowsError, match="broken"):
        import_growth(dataset, torn)
    assert not list((dataset.folder / "spill").iterdir())


def test_a_zone_that_does_not_exist_is_refused(dataset: Dataset, log: Path) -> None:
    with pytest.raises(FlowsError, match="no time zone 'Mars/Olympus'"):
        import_paths(dataset, [log], zone="Mars/Olympus")


def test_two_imports_at_once_wait_for_each_other(dataset: Dataset, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.log").write_bytes(HEADER + flows(0, 2000))
    found: list[Outcome] = []

    def run(name: str) -> None:
        found.extend(import_each(dataset, [tmp_path / f"{name}.log"]))

    threads = [threading.Thread(target=run, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LOADED)

    assert sorted(one.said for one in found) == ["known", "read"]
    assert uids(dataset) == list(range(2000))


CHILD = """
import sys
from pathlib import Path
from tocsin.flows.dataset import Dataset
from tocsin.flows.importing import import_paths
from tocsin.flows.reading import pieces
pieces.PIECE, pieces.Content.read.__defaults__ = 40_000, (20_000,)
print("ready", flush=True)
import_paths(Dataset(Path(sys.argv[1]), memory_mb=200, threads=2), [Path(path) for path in sys.argv[2:]])
print("done", flush=True)
"""


def test_a_kill_at_any_moment_leaves_nothing_double_and_nothing_half(dataset: Dataset, tmp_path: Path) -> None:
    logs = [tmp_path / f"{number}.log" for number in range(3)]
    for number, file in enumerate(logs):
        file.write_bytes(HEADER + flows(number * 5000, number * 5000 + 5000, seconds=20))
    wait, killed = random.Random(8), 0
    arguments = [sys.executable, "-c", CHILD, str(dataset.folder), *map(str, logs)]
    for _ in range(9):
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            time.sleep(wait.uniform(0.05, 1.5))
            child.kill()
        killed += child.returncode == -signal.SIGKILL
        _counts_by_whole_files(dataset)
    assert killed

    assert subprocess.run(arguments, stdout=subprocess.PIPE, timeout=LOADED, check=True).stdout == b"ready\ndone\n"

    assert uids(dataset) == list(range(15_000))
    with dataset.catalogue() as catalogue:
        there = {part.file for part in catalogue.parts()}
        imports = [done.path for done in catalogue.imports()]
    assert {str(file.relative_to(dataset.folder)) for file in dataset.folder.glob("day=*/*/*")} == there
    assert imports == [str(file) for file in logs]
    assert not list((dataset.folder / "spill").iterdir())


def _counts_by_whole_files(dataset: Dataset) -> None:
    if dataset.exists():
        assert len(uids(dataset)) == 5000 * len(_imports(dataset))


def _imports(dataset: Dataset) -> list[Imported]:
    with dataset.catalogue() as catalogue:
        return catalogue.imports()


def test_samples_of_both_forms_make_one_data_set(dataset: Dataset) -> None:
    imported(dataset, SAMPLES / "zeek-tab", SAMPLES / "zeek-json")

    assert counts(dataset)["conn"] == 6
    assert len(counts(dataset)) == 15


def test_a_pipe_is_refused_in_words_and_not_read_in_part(dataset: Dataset, tmp_path: Path) -> None:
    out, into = os.pipe()
    with os.fdopen(into, "wb") as written:
        written.write(HEADER + flows(0, 3))
    try:
        (outcome,) = import_each(dataset, [Path(f"/dev/fd/{out}")])
        assert outcome.said == "failed"
        assert "no file that can be read again" in outcome.note
        assert os.read(out, 1 << 16) == HEADER + flows(0, 3)
    finally:
        os.close(out)


def test_a_password_is_not_kept_with_a_line_that_could_not_be_read_either(dataset: Dataset, tmp_path: Path) -> None:
    header = b"#path\tlogin\n#fields\tts\tuid\tid.orig_p\tsuccess\tconfused\tuser\tclient_user\tpassword\n"
    (tmp_path / "login.log").write_bytes(header + b"1700000000.0\tC1\t70000000000\tT\tF\tjoe\t-\thunter2\n")
    (done,) = import_paths(dataset, [tmp_path / "login.log"])
    with dataset.catalogue() as catalogue:
        (line,) = catalogue.malformed(done.id)

    assert (line.line, line.reason) == (3, "id.orig_p is not a number: 70000000000")
    assert "hunter2" not in line.text
    assert not any(b"hunter2" in file.read_bytes() for file in dataset.folder.rglob("*") if file.is_file())
