"""Small parts put together, days removed, files removed that nobody reads: while others read and import."""

import threading
from collections import Counter
from pathlib import Path

import pytest

from neighbours.growing import BEGIN, each_once, grow, line, lines, numbers
from tocsin.flows import keeping
from tocsin.flows.dataset import Dataset
from tocsin.flows.importing import import_growth
from tocsin.model import Micros

DAY = 86_400_000_000
NOW: Micros = int(BEGIN) * 1_000_000


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return Dataset(tmp_path / "flows", memory_mb=200, threads=1)


def grown(dataset: Dataset, log: Path, steps: int, first: int = 0) -> None:
    """So many imports of three lines."""
    for step in range(steps):
        grow(log, lines(first + 3 * step, first + 3 * step + 3))
        import_growth(dataset, log)


def files(dataset: Dataset) -> set[str]:
    return {str(file.relative_to(dataset.folder)) for file in dataset.folder.glob("day=*/kind=*/*")}


def counting(dataset: Dataset) -> set[str]:
    with dataset.reading() as parts:
        return {part.file for part in parts}


def test_small_parts_become_one_and_keep_the_order_of_their_rows(dataset: Dataset, tmp_path: Path) -> None:
    grown(dataset, tmp_path / "conn.log", keeping.FEW)
    with dataset.reading() as before:
        pass

    assert keeping.put_together(dataset) == keeping.FEW - 1

    with dataset.reading() as parts:
        (part,) = parts
    assert part[4:] == (
        3 * keeping.FEW,
        before[0].first,
        before[-1].last,
        before[0].earliest,
        before[-1].latest,
    )
    assert numbers(dataset) == list(range(3 * keeping.FEW))
    assert keeping.put_together(dataset) == 0


def test_a_few_small_parts_stay_as_they_are(dataset: Dataset, tmp_path: Path) -> None:
    grown(dataset, tmp_path / "conn.log", keeping.FEW - 1)

    assert keeping.put_together(dataset) == 0


def test_files_stay_for_those_who_listed_them_and_go_after_them(dataset: Dataset, tmp_path: Path) -> None:
    grown(dataset, tmp_path / "conn.log", keeping.FEW)
    with dataset.reading() as parts:
        keeping.put_together(dataset)
        assert keeping.sweep(dataset, grace_s=0) == 0
        with dataset.connection() as connection:
            ((count,),) = connection.execute(f"SELECT count(*) FROM {dataset.rows(parts)}").fetchall()
    assert count == 3 * keeping.FEW
    assert keeping.sweep(dataset) == 0  # whoever listed them without saying so has a while

    assert keeping.sweep(dataset, grace_s=0) == keeping.FEW
    assert files(dataset) == counting(dataset)


def test_what_a_killed_process_was_putting_together_is_removed(dataset: Dataset, tmp_path: Path) -> None:
    grown(dataset, tmp_path / "conn.log", 1)
    (part,) = counting(dataset)
    folder = (dataset.folder / part).parent
    for left in ("together-1.half", "together-2.parquet"):
        (folder / left).write_bytes(b"PAR1")

    assert keeping.sweep(dataset) == 2
    assert files(dataset) == {part}


def test_readers_see_every_row_once_while_parts_are_put_together(dataset: Dataset, tmp_path: Path) -> None:
    log = tmp_path / "conn.log"
    grown(dataset, log, 2)
    stop, wrong = threading.Event(), list[Counter[int]]()

    def read() -> None:
        while not stop.is_set():
            found = Counter(numbers(dataset))
            if found != Counter(range(len(found))):
                wrong.append(found)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for step in range(4):
            grown(dataset, log, keeping.FEW, first=6 + 3 * keeping.FEW * step)
            keeping.put_together(dataset)
            keeping.sweep(dataset, grace_s=0)
    finally:
        stop.set()
        for reader in readers:
            reader.join()

    assert not wrong
    assert each_once(dataset, 6 + 3 * keeping.FEW * 4)


def test_days_that_are_over_go_unless_they_were_imported_since(dataset: Dataset, tmp_path: Path) -> None:
    log = tmp_path / "conn.log"
    log.write_bytes(line(0) + line(86_400 * 5))
    import_growth(dataset, log)
    with dataset.catalogue() as catalogue:
        (done,) = catalogue.imports()

    assert keeping.forget(dataset, 3, done.at + 2 * DAY) == 0
    assert keeping.forget(dataset, 0, done.at + 20 * 366 * DAY) == 0
    later = max(done.at, NOW + 5 * DAY) + 2 * DAY
    with dataset.catalogue() as catalogue:
        days = sorted(part.day for part in catalogue.parts())
    assert len(days) == 2

    assert keeping.forget(dataset, 4, max(later, done.at + 5 * DAY)) >= 1
    assert 0 not in numbers(dataset)


def test_what_is_forgotten_is_not_read_again_from_a_file_that_is_still_there(dataset: Dataset, tmp_path: Path) -> None:
    log = tmp_path / "conn.log"
    log.write_bytes(lines(0, 3))
    done = import_growth(dataset, log)
    assert done is not None
    assert keeping.forget(dataset, 1, max(done.at, NOW) + 10 * DAY) == 3

    assert import_growth(dataset, log) is None
    assert numbers(dataset) == []
    assert keeping.sweep(dataset, grace_s=-60) == 1
    assert not files(dataset)
