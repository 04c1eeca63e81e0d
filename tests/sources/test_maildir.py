"""Mail out of a Maildir: stored first, then put away; nothing doubled, nothing skipped."""

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from neighbours.dovecot import a_mail
from neighbours.mailbox import at_work, kept, state, subjects, until
from tocsin.sources.maildir import Maildir
from tocsin.store import Store, tally


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for part in ("tmp", "new", "cur"):
        (tmp_path / "mail" / part).mkdir(parents=True)
    return tmp_path / "mail"


def followed(folder: Path, **options: Any) -> Maildir:
    return Maildir.model_validate({"path": folder, "permitted_senders": ["*"], "interval_s": 0.05} | options)


def deliver(folder: Path, name: str, mail: bytes, part: str = "new") -> Path:
    (folder / "tmp" / name).write_bytes(mail)
    return (folder / "tmp" / name).rename(folder / part / name)


def names(folder: Path, part: str) -> list[str]:
    return sorted(file.name for file in (folder / part).iterdir())


def test_mail_is_taken_in_order_and_flagged_as_seen(folder: Path, inbox: Store) -> None:
    deliver(folder, "1.a.host", a_mail(1))
    deliver(folder, "2.b.host:2,F", a_mail(2), part="cur")
    deliver(folder, "0.seen.host:2,RS", a_mail("seen"), part="cur")
    with at_work(followed(folder), inbox):
        until(lambda: len(kept(inbox)) == 2)
        deliver(folder, "3.c.host", a_mail(3))
        until(lambda: len(names(folder, "cur")) == 4)

    assert subjects(inbox) == ["mail 1", "mail 2", "mail 3"]
    assert names(folder, "new") == []
    assert names(folder, "cur") == ["0.seen.host:2,RS", "1.a.host:2,S", "2.b.host:2,FS", "3.c.host:2,S"]


def test_mail_is_moved_to_another_maildir_once_it_is_stored(folder: Path, inbox: Store) -> None:
    deliver(folder, "1.a.host", a_mail(1))
    done = folder.with_name("done")
    with at_work(followed(folder, afterwards="move", move_to=done), inbox):
        until(lambda: (done / "cur").is_dir() and names(done, "cur") == ["1.a.host:2,S"])

    assert subjects(inbox) == ["mail 1"]
    assert names(folder, "new") == names(folder, "cur") == []


def test_mail_that_is_left_is_stored_once_over_starts(folder: Path, inbox: Store) -> None:
    deliver(folder, "1.a.host", a_mail(1, message_id=None))
    with at_work(followed(folder, afterwards="leave"), inbox):
        until(lambda: len(kept(inbox)) == 1)
    with at_work(followed(folder, afterwards="leave"), inbox):
        until(lambda: inbox.read(tally.totals)[0].repeated == 1)
        deliver(folder, "2.a.host", a_mail(2))
        until(lambda: len(kept(inbox)) == 2)

    assert subjects(inbox) == ["mail 1", "mail 2"]
    assert inbox.read(tally.totals)[0].repeated == 1
    assert names(folder, "new") == ["1.a.host", "2.a.host"]


def test_strangers_and_mail_too_large_are_kept_with_the_reason(folder: Path, inbox: Store) -> None:
    large = a_mail(2) + b"x" * 1024 * 1024
    deliver(folder, "1.a.host", a_mail(1, sender="x@evil.example"))
    deliver(folder, "2.b.host", large)
    with at_work(followed(folder, permitted_senders=["ids@example.com"], max_mib=1), inbox):
        until(lambda: len(names(folder, "cur")) == 2)
    stranger, too_large = kept(inbox)

    assert "x@evil.example is not permitted" in stranger.reason
    assert "more than max_mib = 1" in too_large.reason
    assert too_large.body == large[: 1024 * 1024]


def test_what_is_no_mail_file_stops_no_mail(folder: Path, inbox: Store) -> None:
    (folder / "new" / "0.link").symlink_to("/etc/passwd")
    os.mkfifo(folder / "new" / "0.pipe")
    (folder / "new" / "0.folder").mkdir()
    deliver(folder, "1.a.host", a_mail(1))
    with at_work(followed(folder), inbox):
        until(lambda: subjects(inbox) == ["mail 1"])
        until(lambda: "cannot be read or put away" in state(inbox).last_error)

    assert subjects(inbox) == ["mail 1"]


def test_a_maildir_that_is_not_there_is_shown_and_found_once_it_is(folder: Path, inbox: Store) -> None:
    hidden = folder.rename(folder.with_name("hidden"))
    with at_work(followed(folder), inbox):
        until(lambda: "cannot be used as a Maildir (No such file or directory)" in state(inbox).last_error)
        deliver(hidden, "1.a.host", a_mail(1))
        hidden.rename(folder)
        until(lambda: subjects(inbox) == ["mail 1"])

    assert names(folder, "cur") == ["1.a.host:2,S"]


def test_moving_needs_a_place_to_move_to(folder: Path) -> None:
    with pytest.raises(ValidationError, match="belong together"):
        followed(folder, afterwards="move")
    with pytest.raises(ValidationError, match="must not be the Maildir that is read"):
        followed(folder, afterwards="move", move_to=folder)
