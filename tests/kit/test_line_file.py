"""The file holds each owed line exactly once, whatever died in between."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tocsin.errors import Rejected, Unavailable
from tocsin.kit import disk, line_file
from tocsin.kit.line_file import LineFile, Place
from tocsin.model import Alertgroup, Delivery, Receipt


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "alerts.json"


def again(path: Path, cursor: str, *texts: bytes) -> str:
    """What a fresh process does with the stored cursor."""
    file = LineFile(path)
    try:
        return file.append(texts, cursor)[1]
    finally:
        file.close()


def delivery(number: int) -> Delivery:
    return Delivery(id=number, uid=f"d{number}", alertgroup=Alertgroup(subject=f"s{number}", alerts=(), id=number))


def text_of(delivery: Delivery) -> bytes:
    return f"line {delivery.alertgroup.id}\n".encode()


def test_appends_behind_the_cursor_over_many_processes(path: Path) -> None:
    cursor = ""
    for number in range(5):
        cursor = again(path, cursor, f"line {number}\n".encode())

    assert path.read_text() == "line 0\nline 1\nline 2\nline 3\nline 4\n"
    place = Place.parse(cursor)
    assert place is not None
    assert (place.inode, place.offset) == (path.stat().st_ino, path.stat().st_size)


def test_the_file_can_be_read_by_its_group_alone(path: Path) -> None:
    again(path, "", b"one\n")

    assert stat.S_IMODE(path.stat().st_mode) & 0o137 == 0


@pytest.mark.parametrize("written", range(len(b"one\ntwo\nthree\n") + 1))
def test_a_tail_that_was_not_settled_is_written_on_from_any_byte(path: Path, written: int) -> None:
    cursor = again(path, "", b"zero\n")
    tail = b"one\ntwo\nthree\n"
    with path.open("ab") as file:
        file.write(tail[:written])

    again(path, cursor, b"one\n", b"two\n", b"three\n")

    assert path.read_bytes() == b"zero\n" + tail


def test_a_compatible_tail_never_makes_the_file_shrink(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cursor = again(path, "", b"zero\n")
    again(path, cursor, b"one\n", b"two\n")
    cut: list[int] = []
    truncate = os.ftruncate

    def watched(file: int, size: int) -> None:
        cut.append(size)
        truncate(file, size)

    monkeypatch.setattr(os, "ftruncate", watched)

    later = again(path, cursor, b"one\n")
    assert path.read_bytes() == b"zero\none\ntwo\n", "what the smaller batch leaves is the next one's"
    again(path, later, b"two\n", b"three\n")

    assert path.read_bytes() == b"zero\none\ntwo\nthree\n"
    assert cut == []


def test_a_tail_that_is_no_longer_owed_is_cut_off(path: Path) -> None:
    cursor = again(path, "", b"zero\n")
    again(path, cursor, b"one\n", b"two\n")

    again(path, cursor, b"two\n", b"three\n")

    assert path.read_bytes() == b"zero\ntwo\nthree\n"


def test_nothing_of_a_longer_tail_stays_behind_other_lines(path: Path) -> None:
    cursor = again(path, "", b"zero\n")
    again(path, cursor, b"one\n", b"two\n")

    again(path, cursor, b"six\n")

    assert path.read_bytes() == b"zero\nsix\n"


def test_the_first_batch_of_all_is_written_once_though_no_cursor_was_stored(path: Path) -> None:
    again(path, "", b"one\n", b"two\n")

    again(path, "", b"one\n", b"two\n", b"three\n")

    assert path.read_bytes() == b"one\ntwo\nthree\n"


def test_a_file_that_was_there_before_us_is_kept_and_ended(path: Path) -> None:
    path.write_bytes(b"theirs\ntorn")

    again(path, "", b"one\n")
    again(path, "", b"one\n")

    assert path.read_bytes() == b"theirs\ntorn\none\n"


@pytest.mark.parametrize("written", [b"", b"\n", b"\non", b"\none\n"])
def test_ending_a_torn_line_survives_a_crash_at_any_byte(path: Path, written: bytes) -> None:
    path.write_bytes(b"torn")
    again(path, "", b"one\n")
    path.write_bytes(b"torn" + written)

    again(path, "", b"one\n")

    assert path.read_bytes() == b"torn\none\n"


def test_after_a_rename_the_new_file_is_begun_and_the_old_one_loses_its_unsettled_tail(path: Path) -> None:
    cursor = again(path, "", b"zero\n")
    again(path, cursor, b"one\n", b"two\n")
    rotated = path.rename(path.with_name("alerts.json.1"))

    again(path, cursor, b"one\n", b"two\n")

    assert rotated.read_bytes() == b"zero\n"
    assert path.read_bytes() == b"one\ntwo\n"


def test_a_new_file_begun_after_a_rename_is_not_doubled_by_a_crash(path: Path) -> None:
    cursor = again(path, "", b"zero\n")
    path.rename(path.with_name("alerts.json.1"))
    again(path, cursor, b"one\n")

    again(path, cursor, b"one\n", b"two\n")

    assert path.read_bytes() == b"one\ntwo\n"


def test_two_rotations_and_two_crashes_under_one_cursor_still_write_once(path: Path) -> None:
    cursor = again(path, "", b"zero\n")
    path.rename(path.with_name("alerts.json.2"))
    again(path, cursor, b"one\n", b"two\n")
    middle = path.rename(path.with_name("alerts.json.1"))
    again(path, cursor, b"one\n")

    again(path, cursor, b"one\n", b"two\n")

    assert middle.read_bytes() == b""
    assert path.read_bytes() == b"one\ntwo\n"


def test_a_running_writer_follows_a_rename(path: Path) -> None:
    file = LineFile(path)
    _, cursor = file.append([b"one\n"], "")
    elsewhere = path.parent / "old"
    elsewhere.mkdir()
    moved = path.rename(elsewhere / "alerts.json")

    _, cursor = file.append([b"two\n"], cursor)
    _, cursor = file.append([b"three\n"], cursor)

    assert moved.read_bytes() == b"one\n"
    assert path.read_bytes() == b"two\nthree\n"
    file.close()


def test_a_removed_file_is_begun_again(path: Path) -> None:
    cursor = again(path, "", b"one\n")
    path.unlink()

    cursor = again(path, cursor, b"two\n")
    again(path, cursor, b"three\n")

    assert path.read_bytes() == b"two\nthree\n"


def test_a_file_copied_and_truncated_goes_on_where_it_was_cut(path: Path) -> None:
    cursor = again(path, "", b"one\n" * 50)
    os.truncate(path, 0)

    again(path, cursor, b"two\n")
    again(path, cursor, b"two\n", b"three\n")

    assert path.read_bytes() == b"two\nthree\n"


def test_another_file_under_the_same_inode_is_not_cut(path: Path) -> None:
    cursor = again(path, "", b"one\ntwo\n")
    with path.open("r+b") as file:
        file.write(b"somebody's own and longer lines\n")

    again(path, cursor, b"three\n")

    assert path.read_bytes() == b"somebody's own and longer lines\nthree\n"


def test_a_device_number_that_changed_with_a_mount_is_no_rotation(path: Path) -> None:
    cursor = again(path, "", b"one\n")
    place = Place.parse(cursor)
    assert place is not None
    again(path, cursor, b"two\n")

    again(path, str(place._replace(device=place.device + 1)), b"two\n", b"three\n")

    assert path.read_bytes() == b"one\ntwo\nthree\n"


def test_a_full_disk_is_unavailable_and_the_half_line_is_finished_later(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cursor = again(path, "", b"zero\n")
    write = os.pwrite
    room = [6]

    def tight(file: int, text: bytes, offset: int) -> int:
        if room[0] == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        text = bytes(text)[: room[0]]
        room[0] -= len(text)
        return write(file, text, offset)

    file = LineFile(path)
    monkeypatch.setattr(os, "pwrite", tight)
    with pytest.raises(Unavailable, match=r"cannot write .*alerts\.json: the disk is full: free some space"):
        file.append([b"one\n", b"two\n"], cursor)
    assert path.read_bytes() == b"zero\none\ntw"
    monkeypatch.setattr(os, "pwrite", write)
    file.append([b"one\n", b"two\n"], cursor)

    assert path.read_bytes() == b"zero\none\ntwo\n"
    file.close()


def test_lines_whose_sync_failed_are_written_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cursor = again(path, "", b"zero\n")
    file = LineFile(path)
    sync, write = os.fsync, os.pwrite
    written: list[bytes] = []

    def watched(file: int, text: bytes, offset: int) -> int:
        written.append(bytes(text))
        return write(file, text, offset)

    def broken(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(Unavailable, match="the disk reports an error"):
        file.append([b"one\n"], cursor)
    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "pwrite", watched)
    file.append([b"one\n"], cursor)

    assert written == [b"one\n"], "pages of a failed sync may be gone though they still read"
    assert path.read_bytes() == b"zero\none\n"
    file.close()


def make_folder(path: Path) -> None:
    path.mkdir()


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_loop(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (make_folder, "it is a folder: remove it, or choose another path"),
        (make_pipe, "it is a device or pipe: lines are kept in ordinary files only"),
        (make_loop, "its links lead in a circle"),
    ],
)
def test_what_is_no_file_is_unavailable_with_a_remedy(path: Path, make: Callable[[Path], None], words: str) -> None:
    make(path)
    file = LineFile(path)

    for act in (lambda: file.append([b"one\n"], ""), file.check):
        with pytest.raises(Unavailable, match=words):
            act()


def test_a_missing_folder_is_unavailable_with_a_remedy(tmp_path: Path) -> None:
    file = LineFile(tmp_path / "none" / "alerts.json")

    for act in (lambda: file.append([b"one\n"], ""), file.check):
        with pytest.raises(Unavailable, match="its folder does not exist: create it"):
            act()


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS, errno.EDQUOT, errno.ENOTDIR, errno.EMFILE])
def test_every_error_of_the_system_is_unavailable_and_names_the_path(
    path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", refuse)

    with pytest.raises(Unavailable, match=r"^cannot write .*alerts\.json: ."):
        LineFile(path).append([b"one\n"], "")


def test_a_second_writer_is_kept_out_until_the_first_lets_go(path: Path) -> None:
    first, second = LineFile(path), LineFile(path)
    _, cursor = first.append([b"one\n"], "")

    with pytest.raises(Unavailable, match="another destination or program writes it"):
        second.append([b"two\n"], cursor)
    first.close()
    second.append([b"two\n"], cursor)

    assert path.read_bytes() == b"one\ntwo\n"
    second.close()


def test_a_folder_synced_before_a_new_file_counts(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    sync = disk.sync_folder

    def watched(folder: Path) -> None:
        synced.append(folder)
        sync(folder)

    monkeypatch.setattr(line_file, "sync_folder", watched)

    again(path, "", b"one\n")

    assert path.parent in synced


def test_a_batch_gets_a_receipt_each_and_one_that_cannot_be_rendered_is_rejected_alone(path: Path) -> None:
    def render(delivery: Delivery) -> bytes:
        if delivery.id == 2:
            raise ValueError("no such time")
        return text_of(delivery)

    file = LineFile(path)
    sent = file.deliver([delivery(1), delivery(2), delivery(3)], "", render)

    assert sent.outcomes[0] == Receipt(remote_id="alerts.json:0", status="written")
    assert isinstance(sent.outcomes[1], Rejected)
    assert "no such time" in str(sent.outcomes[1])
    assert sent.outcomes[2] == Receipt(remote_id="alerts.json:7", status="written")
    file.close()
    again(path, sent.cursor, b"line 4\n")
    assert path.read_bytes() == b"line 1\nline 3\nline 4\n"


def test_a_batch_that_cannot_be_written_is_unavailable_as_a_whole_and_keeps_its_cursor(tmp_path: Path) -> None:
    file = LineFile(tmp_path / "none" / "alerts.json")

    sent = file.deliver([delivery(1), delivery(2)], "1:2:3:x", text_of)

    assert [type(outcome) for outcome in sent.outcomes] == [Unavailable, Unavailable]
    assert sent.cursor == "1:2:3:x"


def test_single_deliveries_without_a_cursor_stand_in_order_behind_what_is_there(path: Path) -> None:
    again(path, "", b"zero\n")
    file = LineFile(path)

    receipts = [file.deliver_one(delivery(number), text_of) for number in (1, 2)]

    assert path.read_bytes() == b"zero\nline 1\nline 2\n"
    assert [receipt.remote_id for receipt in receipts] == ["alerts.json:5", "alerts.json:12"]
    file.close()


def test_the_note_beside_the_file_goes_when_its_cursor_has_gone(path: Path) -> None:
    cursor = again(path, "", b"one\n")
    assert path.with_name(".alerts.json.place").exists()

    again(path, cursor, b"two\n")

    assert [each.name for each in path.parent.iterdir()] == ["alerts.json"]


def test_a_check_touches_nothing(path: Path) -> None:
    assert "can be written: 0 bytes" in LineFile(path).check()
    assert not path.exists()
    again(path, "", b"one\n")
    before = path.stat()

    assert "can be written: 4 bytes" in LineFile(path).check()

    assert path.stat().st_mtime_ns == before.st_mtime_ns
