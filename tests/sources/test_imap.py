"""Mail fetched from a real Dovecot: what is taken, in which order, and what becomes of it in the mailbox."""

import time

import pytest

from neighbours.dovecot import Dovecot, a_mail
from neighbours.mailbox import at_work, kept, state, subjects, until
from sources.mailboxes import mailbox
from tocsin.store import Store, tally


def test_new_mail_is_taken_and_older_mail_is_not(dovecot: Dovecot, inbox: Store) -> None:
    dovecot.deliver(a_mail("old"))
    with at_work(mailbox(dovecot, fetch="new"), inbox):
        until(lambda: state(inbox).cursor != "")
        dovecot.deliver(a_mail(1), a_mail(2))
        until(lambda: len(kept(inbox)) == 2)
    found = kept(inbox)

    assert [one.subject for one in found] == ["mail 1", "mail 2"]
    assert found[0].body == a_mail(1)
    assert (found[0].source, found[0].sender, found[0].message_id) == ("soc", "ids@example.com", "<1@example.com>")


def test_mail_that_came_while_nobody_fetched_is_taken_afterwards(dovecot: Dovecot, inbox: Store) -> None:
    source = mailbox(dovecot, fetch="new")
    with at_work(source, inbox):
        until(lambda: state(inbox).cursor != "")
    dovecot.deliver(a_mail(1), a_mail(2))
    with at_work(source, inbox):
        until(lambda: len(kept(inbox)) == 2)
        dovecot.deliver(a_mail(3))
        until(lambda: len(kept(inbox)) == 3)

    assert subjects(inbox) == ["mail 1", "mail 2", "mail 3"]
    assert inbox.read(tally.totals)[0].repeated == 0


def test_nothing_in_the_mailbox_changes_unless_asked(dovecot: Dovecot, inbox: Store) -> None:
    dovecot.deliver(a_mail(1))
    with at_work(mailbox(dovecot), inbox):
        until(lambda: subjects(inbox) == ["mail 1"])

    assert b"Seen" not in dovecot.flags()[0]


def test_unseen_mail_alone_is_taken_and_then_flagged(dovecot: Dovecot, inbox: Store) -> None:
    dovecot.deliver(a_mail("read before"), flags="\\Seen")
    dovecot.deliver(a_mail(1), a_mail(2))
    with at_work(mailbox(dovecot, afterwards="seen"), inbox):
        until(lambda: all(b"Seen" in flags for flags in dovecot.flags()))

    assert subjects(inbox) == ["mail 1", "mail 2"]


def test_another_client_that_flags_mail_hides_none_that_is_new(dovecot: Dovecot, inbox: Store) -> None:
    source = mailbox(dovecot, fetch="new")
    with at_work(source, inbox):
        until(lambda: state(inbox).cursor != "")
    dovecot.deliver(a_mail(1), a_mail(2), a_mail(3))
    with dovecot.client() as other:
        other.select("INBOX")
        other.store("2", "+FLAGS", "\\Seen \\Flagged")
    with at_work(source, inbox):
        until(lambda: len(kept(inbox)) == 3)
        with dovecot.client() as other:
            other.select("INBOX")
            other.store("1:3", "+FLAGS", "\\Seen")
        dovecot.deliver(a_mail(4))
        until(lambda: len(kept(inbox)) == 4)

    assert subjects(inbox) == ["mail 1", "mail 2", "mail 3", "mail 4"]


def test_mail_that_a_person_marks_as_unseen_again_is_read_again_and_stored_once(dovecot: Dovecot, inbox: Store) -> None:
    dovecot.deliver(a_mail(1), a_mail(2))
    with at_work(mailbox(dovecot, afterwards="seen"), inbox):
        until(lambda: all(b"Seen" in flags for flags in dovecot.flags()))
        with dovecot.client() as other:
            other.select("INBOX")
            other.store("1", "-FLAGS", "\\Seen")
        until(lambda: inbox.read(tally.totals)[0].repeated == 1)
        until(lambda: all(b"Seen" in flags for flags in dovecot.flags()))

    assert subjects(inbox) == ["mail 1", "mail 2"]


def test_since_begins_with_mail_of_the_last_hours(dovecot: Dovecot, inbox: Store) -> None:
    with dovecot.client() as client:
        for hours, number in ((100, "too old"), (30, "yesterday"), (3, 1), (0, 2)):
            client.append("INBOX", "\\Seen", time.time() - hours * 3600, a_mail(number))
    with at_work(mailbox(dovecot, fetch="since", since_hours=5), inbox):
        until(lambda: len(kept(inbox)) == 2)
        dovecot.deliver(a_mail(3))
        until(lambda: len(kept(inbox)) == 3)

    assert subjects(inbox) == ["mail 1", "mail 2", "mail 3"]


def test_mail_is_moved_once_it_is_stored(dovecot: Dovecot, inbox: Store) -> None:
    dovecot.deliver(a_mail(1), a_mail(2))
    with at_work(mailbox(dovecot, afterwards="move", move_to="Häufen.Done"), inbox):
        until(lambda: dovecot.count() == 0)
        dovecot.deliver(a_mail(3))
        until(lambda: dovecot.count() == 0)

    assert subjects(inbox) == ["mail 1", "mail 2", "mail 3"]
    assert dovecot.count('"H&AOQ-ufen.Done"') == 3


def test_a_folder_that_cannot_be_moved_to_stops_no_mail(dovecot: Dovecot, inbox: Store) -> None:
    with at_work(mailbox(dovecot, afterwards="move", move_to="Done"), inbox):
        until(lambda: dovecot.count("Done") == 0)
        with dovecot.client() as other:
            other.delete("Done")
        dovecot.deliver(a_mail(1), a_mail(2))
        until(lambda: "cannot be moved to Done" in state(inbox).last_error)
        dovecot.deliver(a_mail(3))
        until(lambda: len(kept(inbox)) == 3)
        with dovecot.client() as other:
            other.create("Done")
        until(lambda: dovecot.count("Done") == 3)

    assert subjects(inbox) == ["mail 1", "mail 2", "mail 3"]
    assert inbox.read(tally.totals)[0].repeated == 0


def test_strangers_stand_in_quarantine_and_stop_nobody(dovecot: Dovecot, inbox: Store) -> None:
    dovecot.deliver(a_mail(1, sender="x@evil.example"), a_mail(2), a_mail(3, sender="ids@sub.example.com"))
    with at_work(mailbox(dovecot, permitted_senders=["example.com"], afterwards="seen"), inbox):
        until(lambda: len(kept(inbox)) == 3)
        until(lambda: all(b"Seen" in flags for flags in dovecot.flags()))
    refused, *others = kept(inbox)

    assert refused.reason.startswith("the sender x@evil.example is not permitted")
    assert refused.body == a_mail(1, sender="x@evil.example")
    assert [one.reason for one in others] == ["", ""]


def test_only_the_named_server_vouches_for_a_sender(dovecot: Dovecot, inbox: Store) -> None:
    def mail(number: int, results: str) -> bytes:
        return f"Authentication-Results: {results}\r\n".encode() + a_mail(number)

    dovecot.deliver(
        mail(1, "mx.example.com; dkim=pass header.d=example.com"),
        mail(2, "mx.evil.example; dkim=pass header.d=example.com"),
        mail(3, "mx.example.com; dkim=pass header.d=evil.example"),
    )
    with at_work(mailbox(dovecot, authentication_server="mx.example.com"), inbox):
        until(lambda: len(kept(inbox)) == 3)

    assert [bool(one.reason) for one in kept(inbox)] == [False, True, True]
    assert "not proven" in kept(inbox)[1].reason


def test_of_a_mail_too_large_the_beginning_is_kept(dovecot: Dovecot, inbox: Store) -> None:
    large = a_mail("large") + b"x" * (2 * 1024 * 1024)
    dovecot.deliver(a_mail(1), large, a_mail(2))
    with at_work(mailbox(dovecot, max_mib=1), inbox):
        until(lambda: len(kept(inbox)) == 3)
    found = {one.subject: one for one in kept(inbox)}

    assert found["mail large"].body == large[: 1024 * 1024]
    assert f"the mail has {len(large):,} bytes, more than max_mib = 1" in found["mail large"].reason
    assert (found["mail 1"].reason, found["mail 2"].reason) == ("", "")


def test_mails_without_an_id_and_different_mails_with_one_id_are_all_kept(dovecot: Dovecot, inbox: Store) -> None:
    mails = [
        a_mail(1, message_id=None),
        a_mail(2, message_id=None),
        a_mail(3, message_id="<same@example.com>"),
        a_mail(4, message_id="<same@example.com>"),
        a_mail(5, message_id=f"<{'x' * 5000}@example.com>"),
    ]
    dovecot.deliver(*mails, *mails)
    with at_work(mailbox(dovecot), inbox):
        until(lambda: inbox.read(tally.totals) != [] and inbox.read(tally.totals)[0].repeated == 5)

    assert subjects(inbox) == ["mail 1", "mail 2", "mail 3", "mail 4", "mail 5"]


def test_mail_that_makes_no_sense_stops_nobody(dovecot: Dovecot, inbox: Store) -> None:
    mails = [b"", b"\r\n", b"no header at all", b"From: " + b"(" * 50_000 + b"\r\n\r\n", b"\xff\xfe: x\r\n\r\n\xff"]
    for odd in mails[1:]:
        dovecot.deliver(odd)
    dovecot.deliver(a_mail(1))
    with at_work(mailbox(dovecot), inbox):
        until(lambda: "mail 1" in subjects(inbox))

    assert len(kept(inbox)) == 5


@pytest.mark.parametrize("recreate", ["while connected", "while away"])
def test_a_mailbox_made_anew_is_read_again_and_nothing_is_doubled(
    dovecot: Dovecot, inbox: Store, recreate: str
) -> None:
    source = mailbox(dovecot, fetch="new", folder="Alerts")
    with dovecot.client() as other:
        other.create("Alerts")

    def anew() -> None:
        with dovecot.client() as other:
            other.delete("Alerts")
            time.sleep(1.1)  # UIDVALIDITY is a time in seconds
            other.create("Alerts")
        dovecot.deliver(a_mail(2), a_mail(1), a_mail(3), folder="Alerts")

    with at_work(source, inbox):
        until(lambda: state(inbox).cursor != "")
        dovecot.deliver(a_mail(1), a_mail(2), folder="Alerts")
        until(lambda: len(kept(inbox)) == 2)
        if recreate == "while connected":
            anew()
            until(lambda: len(kept(inbox)) == 3)
    if recreate == "while away":
        anew()
        with at_work(source, inbox):
            until(lambda: len(kept(inbox)) == 3)

    assert subjects(inbox) == ["mail 1", "mail 2", "mail 3"]
    until(lambda: inbox.read(tally.totals)[0].repeated == 2)


def test_a_sign_of_life_is_no_alert_and_silence_is_one(dovecot: Dovecot, inbox: Store) -> None:
    source = mailbox(dovecot, fetch="new", health_subject="mail health*", silent_after_h=2 / 3600)
    with at_work(source, inbox):
        until(lambda: state(inbox).cursor != "")
        begun = state(inbox).cursor
        dovecot.deliver(a_mail("health check 1"))
        until(lambda: state(inbox).cursor != begun)
        until(lambda: len(kept(inbox)) == 1)
        time.sleep(0.5)
        dovecot.deliver(a_mail(1))
        until(lambda: len(kept(inbox)) == 3)
    first, mail, second = kept(inbox)

    assert (first.source, mail.source, second.source) == ("tocsin", "soc", "tocsin")
    assert b"No mail in alice@localhost/INBOX since" in first.body
    assert (mail.subject, first.reason, second.reason) == ("mail 1", "", "")
