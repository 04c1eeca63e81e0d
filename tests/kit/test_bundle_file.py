"""A bundle is whole whenever somebody looks, grows by what is new, and is begun anew where it has gone."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tocsin.errors import Unavailable
from tocsin.kit import bundle_file
from tocsin.kit.bundle_file import BundleFile, Place


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "STIX_data.json"


@pytest.fixture
def file(path: Path) -> Iterator[BundleFile]:
    file = BundleFile(path)
    yield file
    file.close()


def item(number: int) -> bytes:
    return b'{"n":%d,"text":"%s"}' % (number, b"x" * (number * 7 % 23))


def items(*numbers: int) -> list[bytes]:
    return [item(number) for number in numbers]


def standing(path: Path) -> list[int]:
    document = json.loads(path.read_bytes())
    assert document["type"] == "bundle"
    return [one["n"] for one in document["objects"]]


def hidden(path: Path) -> list[str]:
    return sorted(one.name for one in path.parent.iterdir() if one.name not in (path.name, f".{path.name}.place"))


def test_items_follow_one_another_each_on_a_line(file: BundleFile, path: Path) -> None:
    places, cursor = file.append(items(1, 2), "")
    (last,), cursor = file.append(items(3), cursor)

    text = path.read_bytes()
    assert standing(path) == [1, 2, 3]
    assert text[places[1] :].startswith(item(2))
    assert text[last:] == item(3) + b"\n]}\n"
    assert [place for place in text.splitlines() if place.startswith(b'{"n"')] == [
        item(1) + b",",
        item(2) + b",",
        item(3),
    ]


def test_what_stands_first_is_in_a_bundle_that_nothing_was_said_in(file: BundleFile, path: Path) -> None:
    _, cursor = file.append([], "", items(1))
    assert standing(path) == [1]

    file.append([b"", item(2), b""], cursor, items(9))
    assert standing(path) == [1, 2]


def test_without_anything_first_it_is_an_empty_bundle(file: BundleFile, path: Path) -> None:
    _, cursor = file.append([b""], "")
    assert standing(path) == []

    file.append(items(1), cursor)
    assert standing(path) == [1]


def test_what_was_not_settled_is_written_over_and_what_is_the_same_stays(file: BundleFile, path: Path) -> None:
    _, cursor = file.append(items(1), "")
    file.append(items(2, 3), cursor)
    there = path.stat().st_ino

    assert file.append(items(2, 3), cursor)[1] == file.append(items(2, 3), cursor)[1]
    assert path.stat().st_ino == there
    file.append(items(4), cursor)

    assert standing(path) == [1, 4]


def test_an_append_writes_what_is_new_twice_and_nothing_else(
    file: BundleFile, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, cursor = file.append(items(*range(2000)), "")
    _, cursor = file.append(items(1), cursor)
    written: list[int] = []
    pwrite = os.pwrite

    def watched(file: int, text: bytes, at: int) -> int:
        written.append(len(text))
        return pwrite(file, text, at)

    monkeypatch.setattr(os, "pwrite", watched)
    for number in range(20):
        _, cursor = file.append(items(number), cursor)

    assert path.stat().st_size > 50_000
    assert sum(written) < 20 * 2 * 100


def test_a_reader_goes_on_reading_what_it_opened(file: BundleFile, path: Path) -> None:
    _, cursor = file.append(items(*range(100)), "")
    with path.open("rb") as slow:
        begun = slow.read(1000)
        for number in range(100, 110):
            _, cursor = file.append(items(number), cursor)

        assert len(json.loads(begun + slow.read())["objects"]) == 100
    assert standing(path) == list(range(110))


@pytest.mark.parametrize("lacking", ["leases", "links"])
def test_where_the_file_system_cannot_help_it_is_written_whole(
    file: BundleFile, path: Path, monkeypatch: pytest.MonkeyPatch, lacking: str
) -> None:
    if lacking == "leases":
        monkeypatch.setattr(bundle_file, "nobody_reads", lambda file: False)
    else:

        def no_links(this: Path, target: Path) -> None:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr(Path, "hardlink_to", no_links)
    cursor = ""
    for number in range(5):
        _, cursor = file.append(items(number), cursor)
        assert standing(path) == list(range(number + 1))


def test_readers_never_see_anything_but_a_whole_bundle(file: BundleFile, path: Path) -> None:
    file.append([], "")
    over = threading.Event()
    wrong: list[str] = []
    looks = [0]

    def read() -> None:
        seen = 0
        while not over.is_set():
            try:
                found = standing(path)
            except ValueError as error:
                wrong.append(str(error))
                return
            if found != list(range(len(found))) or len(found) < seen:
                wrong.append(f"{len(found)} after {seen}")
            seen = len(found)
            looks[0] += 1

    readers = [threading.Thread(target=read) for _ in range(2)]
    for one in readers:
        one.start()
    cursor, at, until = "", 0, time.monotonic() + 60
    try:
        while at < 300 or (looks[0] < 50 and time.monotonic() < until):
            _, cursor = file.append(items(at, at + 1, at + 2), cursor)
            at += 3
    finally:
        over.set()
        for one in readers:
            one.join()

    assert wrong == []
    assert looks[0] >= 50


def test_another_start_goes_on_and_removes_what_lay_about(path: Path) -> None:
    first = BundleFile(path)
    _, cursor = first.append(items(1), "")
    _, cursor = first.append(items(2), cursor)
    assert hidden(path) == [".STIX_data.json.next"]
    first.close()
    for left in ("next", "before"):
        path.with_name(f".{path.name}.{left}").write_text("left by a crash")

    second = BundleFile(path)
    second.append(items(3), cursor)
    second.close()

    assert standing(path) == [1, 2, 3]
    assert hidden(path) == []


@pytest.mark.parametrize("gone", ["renamed", "removed", "replaced", "cut"])
def test_a_bundle_that_has_gone_is_begun_anew_and_nobodys_file_is_lost(file: BundleFile, path: Path, gone: str) -> None:
    _, cursor = file.append(items(1), "")
    if gone == "renamed":
        path.rename(path.with_name("old.json"))
    elif gone == "removed":
        path.unlink()
    else:
        path.write_text('{"theirs": 1}' if gone == "replaced" else "")

    _, cursor = file.append(items(2), cursor)
    file.append(items(3), cursor)

    assert standing(path) == [2, 3]
    aside = path.with_name("STIX_data.json.1")
    assert aside.exists() is (gone in ("replaced", "cut"))
    assert not aside.exists() or aside.read_text() in ('{"theirs": 1}', "")
    assert json.loads(path.read_bytes())["id"].startswith("bundle--")


def test_a_bundle_begun_for_a_cursor_is_known_after_a_crash(path: Path) -> None:
    """The second name aside is taken already."""
    path.write_text("theirs")
    path.with_name("STIX_data.json.1").write_text("older")
    first = BundleFile(path)
    first.append(items(1, 2), "")
    first.close()

    second = BundleFile(path)
    _, cursor = second.append(items(1), "")
    second.append(items(2), cursor)
    second.close()

    assert standing(path) == [1, 2]
    assert path.with_name("STIX_data.json.2").read_text() == "theirs"


def test_the_next_runs_bundle_begins_where_the_last_settled_item_stands(tmp_path: Path) -> None:
    note = tmp_path / ".place"
    first = BundleFile(tmp_path / "run-1.json", note)
    _, cursor = first.append(items(1), "")
    first.append(items(2), cursor)
    first.close()

    died = BundleFile(tmp_path / "run-2.json", note)
    died.append(items(2), cursor)
    died.close()
    third = BundleFile(tmp_path / "run-3.json", note)
    third.append(items(2, 3), cursor)
    third.close()

    assert [standing(tmp_path / f"run-{number}.json") for number in (1, 2, 3)] == [[1], [], [2, 3]]


def test_callers_without_a_store_go_on_at_the_end(path: Path) -> None:
    for number in (1, 2):
        file = BundleFile(path)
        file.append(items(number), None)
        file.append(items(number + 10), None)
        file.close()

    assert standing(path) == [1, 11, 2, 12]


def test_those_who_may_read_it_may_go_on_reading_it(file: BundleFile, path: Path) -> None:
    _, cursor = file.append(items(1), "")
    path.chmod(0o644)

    for number in (2, 3, 4):
        _, cursor = file.append(items(number), cursor)
        assert path.stat().st_mode & 0o777 == 0o644


def test_two_writers_of_one_bundle_are_told_so(file: BundleFile, path: Path) -> None:
    _, cursor = file.append(items(1), "")
    other = BundleFile(path)

    with pytest.raises(Unavailable, match="give each a file of its own"):
        other.append(items(2), cursor)
    file.append(items(2), cursor)

    assert standing(path) == [1, 2]


def test_a_full_disk_leaves_the_bundle_as_it_was(file: BundleFile, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, cursor = file.append(items(1), "")

    def full(file: int, text: bytes, at: int) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(Unavailable, match="disk is full"):
            file.append(items(2), cursor)
    assert standing(path) == [1]

    file.append(items(2), cursor)
    assert standing(path) == [1, 2]


@pytest.mark.parametrize("act", [lambda file: file.check(), lambda file: file.append([], "")])
def test_a_folder_in_the_way_is_said(file: BundleFile, path: Path, act: Callable[[BundleFile], Any]) -> None:
    path.mkdir()

    with pytest.raises(Unavailable, match="it is a folder"):
        act(file)


def test_the_check_says_what_is_there_and_makes_nothing(file: BundleFile, path: Path) -> None:
    assert "can be written: 0 bytes" in file.check()
    assert not path.exists()
    file.append(items(1), "")
    assert f"{path.stat().st_size} bytes" in file.check()


@pytest.mark.parametrize("text", ["", "x", "1:2", "1::name", "1:ab:", "-1:ab:name", "1:ab:../name"])
def test_what_is_no_place_names_none(text: str) -> None:
    assert Place.parse(text) is None


WRITER = """
import sys
from pathlib import Path
from tocsin.kit.bundle_file import BundleFile
file, settled, cursor, at = BundleFile(Path(sys.argv[1])), Path(sys.argv[2]), sys.argv[4], int(sys.argv[3])
while True:
    found = [b'{"n":%d}' % number for number in range(at, at + 3)]
    _, cursor = file.append(found, cursor)
    at += 3
    fresh = settled.with_suffix(".new")
    fresh.write_text(f"{at}\\n{cursor}")
    fresh.replace(settled)
"""


def test_killed_at_any_moment_it_goes_on_where_it_was(tmp_path: Path, path: Path) -> None:
    settled = tmp_path / "settled"
    at, cursor = "0", ""
    for kill in range(4):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, path, settled, at, cursor])
        until = time.monotonic() + 60
        while settled.read_text().split("\n")[0] == at if settled.exists() else True:
            assert time.monotonic() < until, "the writer writes nothing"
            time.sleep(0.01)
        time.sleep(0.02 * kill)
        writer.kill()
        writer.wait()
        at, cursor = settled.read_text().split("\n")
        found = standing(path)
        assert found == list(range(len(found)))
        assert int(at) <= len(found) <= int(at) + 3
    file = BundleFile(path)
    file.append(items(int(at)), cursor)
    file.close()

    assert standing(path) == list(range(int(at) + 1))
