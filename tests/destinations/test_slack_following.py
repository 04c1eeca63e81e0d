"""What becomes of a message in Slack: edits, threads, recalls; and Slips' messages that it started and stopped."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neighbours.posts import Open, a_delivery, after, text_of
from neighbours.slack import CHANNEL, Slack, fault_of
from tocsin.destinations.slack.words import FORM
from tocsin.errors import DeliveryError, Rejected, Skipped, Unavailable
from tocsin.kit.secrets import Secret
from tocsin.model import Alertgroup, Delivery, Receipt, Status

ENDINGS = pytest.mark.parametrize("code", ["edit_window_closed", "cant_update_message", "msg_too_long"])


def test_an_update_edits_the_first_message_and_posts_nothing(slack: Slack, to: Open) -> None:
    destination, first = to(), a_delivery(rows=9)
    receipt = destination.send(first)
    told = destination.send(after(first, receipt, status=Status.CLOSED, seen=5))

    (message,) = slack.messages
    assert told == Receipt(remote_id=receipt.remote_id, status="edited")
    assert message["edited"] is True
    assert "*closed* · seen 5 times · as of 2026-11-18T11:08:20Z" in text_of(message)
    assert "… and 4 more" in text_of(message)
    assert message["metadata"]["event_payload"] == {"deliveries": ["uid-1"]}
    assert message["parse"] == "none"


def test_an_update_may_be_told_any_number_of_times(slack: Slack, to: Open) -> None:
    destination, first = to(), a_delivery()
    receipt = destination.send(first)
    slack.next = ["lost"]
    with pytest.raises(Unavailable):
        destination.send(after(first, receipt))
    assert destination.send(after(first, receipt, attempt=2, seen=7)).status == "edited"

    assert len(slack.messages) == 1
    assert "seen 7 times" in text_of(slack.messages[0])


def a_digest(slack: Slack, destination: Any, n: int = 30) -> list[tuple[Delivery, Receipt]]:
    """Alertgroups that share one message, with their receipts."""
    firsts = [a_delivery(number) for number in range(1, n + 1)]
    outcomes = destination.send_batch(firsts, "").outcomes
    assert len(slack.messages) == 1
    return list(zip(firsts, outcomes, strict=True))


def test_what_stands_in_a_digest_is_told_in_its_thread(slack: Slack, to: Open) -> None:
    destination = to()
    first, receipt = a_digest(slack, destination)[4]
    told = destination.send(after(first, receipt, status=Status.PROMOTED))

    digest, reply = slack.messages
    assert "edited" not in digest
    assert reply["thread_ts"] == digest["ts"]
    assert told == Receipt(remote_id=f"{CHANNEL}/{reply['ts']}/reply", status="told in the thread")
    assert "*promoted*" in text_of(reply)
    assert "<https://tocsin.example/alerts/5|Beacon to evil[.]example[.]com" in text_of(reply)


def test_a_flood_of_updates_folds_into_few_replies(slack: Slack, to: Open) -> None:
    destination = to()
    there = a_digest(slack, destination)
    sent = destination.send_batch([after(*each, status=Status.CLOSED) for each in there], "c")

    replies = slack.messages[1:]
    assert len(replies) == 3
    assert sum(len(reply["blocks"]) for reply in replies) == 30
    assert [fault_of(reply) for reply in replies] == [""] * 3
    assert [type(outcome) for outcome in sent.outcomes] == [Receipt] * 30


def test_a_reply_whose_answer_was_lost_is_not_posted_again_and_newcomers_are(slack: Slack, to: Open) -> None:
    destination = to()
    there = a_digest(slack, destination)
    slack.next = ["lost"]
    lost = destination.send_batch([after(*each) for each in there[:3]], "").outcomes
    assert [type(outcome) for outcome in lost] == [Unavailable] * 3
    again = [after(*each, attempt=2) for each in there[:3]]
    outcomes = destination.send_batch([*again, after(*there[3])], "").outcomes

    assert [len(reply["blocks"]) for reply in slack.messages[1:]] == [3, 1]
    assert [outcome.status for outcome in outcomes if isinstance(outcome, Receipt)] == [
        *["stood there already"] * 3,
        "told in the thread",
    ]


@ENDINGS
def test_what_can_no_longer_be_edited_is_told_in_its_thread(slack: Slack, to: Open, code: str) -> None:
    destination, first = to(), a_delivery()
    receipt = destination.send(first)
    slack.next = [code]
    told = destination.send(after(first, receipt, status=Status.CLOSED))

    assert told.remote_id.endswith("/reply")
    assert [reply["text"] for reply in slack.under(slack.messages[0]["ts"])]
    assert "edited" not in slack.messages[0]


def test_an_update_of_a_message_somebody_deleted_has_nowhere_to_go(slack: Slack, to: Open) -> None:
    destination, first = to(), a_delivery()
    receipt = destination.send(first)
    slack.messages.clear()
    with pytest.raises(Skipped, match="deleted"):
        destination.send(after(first, receipt))

    assert slack.messages == []


def test_an_update_of_a_digest_somebody_deleted_has_nowhere_to_go(slack: Slack, to: Open) -> None:
    destination = to()
    there = a_digest(slack, destination)
    slack.messages.clear()
    outcomes = destination.send_batch([after(*each) for each in there], "").outcomes

    assert [type(outcome) for outcome in outcomes] == [Skipped] * 30
    assert slack.messages == []


def test_a_refusal_of_one_edit_does_not_keep_the_others(slack: Slack, to: Open) -> None:
    destination, firsts = to(), [a_delivery(1), a_delivery(2)]
    receipts = [destination.send(first) for first in firsts]
    slack.next = ["is_archived"]
    outcomes = destination.send_batch([after(*each) for each in zip(firsts, receipts, strict=True)], "").outcomes

    assert [type(outcome).__mro__[1] for outcome in outcomes[:1]] == [Rejected]
    assert isinstance(outcomes[1], Receipt)


@pytest.mark.parametrize("bad", [429, "ratelimited", 503])
def test_when_slack_wants_a_pause_the_rest_is_not_tried(slack: Slack, to: Open, bad: str | int) -> None:
    destination, firsts = to(), [a_delivery(n) for n in range(1, 6)]
    there = [(first, destination.send(first)) for first in firsts]
    slack.next, before = ["", bad], len(slack.asked)
    outcomes = destination.send_batch([after(*each) for each in there], "").outcomes

    assert [type(outcome) for outcome in outcomes] == [Receipt, *[Unavailable] * 4]
    assert slack.asked[before:] == ["chat.update"] * 2


def test_a_recall_takes_the_content_away_and_says_why(slack: Slack, to: Open) -> None:
    destination, first = to(), a_delivery()
    receipt = destination.send(first)
    told = destination.send(after(first, receipt, "recall", reason="A test of ours, <!channel> sorry"))

    message, reply = slack.messages
    assert told == Receipt(remote_id=receipt.remote_id, status="edited, and told in the thread")
    assert "*Recalled:* A test of ours, &lt;!channel&gt; sorry" in text_of(message)
    assert "~Beacon to evil[.]example[.]com~" in text_of(message)
    assert "192" not in text_of(message)
    assert reply["thread_ts"] == message["ts"]
    assert "A test of ours" in text_of(reply)


def test_a_recall_without_text_still_says_which_and_why(slack: Slack, to: Open) -> None:
    destination, first = to(), a_delivery()
    receipt = destination.send(first)
    destination.send(after(first, receipt, "recall", bare=True, reason="wrong network"))

    message, reply = slack.messages
    assert "Beacon" not in text_of(message) + text_of(reply)
    for said in (message, reply):
        assert "<https://tocsin.example/alerts/1|" in text_of(said)
        assert "wrong network" in text_of(said)
        assert fault_of(said) == ""


def test_a_recall_edits_every_message_that_stands(slack: Slack, to: Open) -> None:
    destination, first = to(), a_delivery()
    receipts = (destination.send(first), destination.send(first))
    destination.send(after(first, receipts[0], "recall", earlier=receipts, reason="wrong"))

    assert [each.get("edited", False) for each in slack.messages] == [True, True, False, False]


def test_a_recall_of_a_part_of_a_digest_is_told_in_its_thread(slack: Slack, to: Open) -> None:
    destination = to()
    first, receipt = a_digest(slack, destination)[0]
    destination.send(after(first, receipt, "recall", reason="wrong"))

    digest, reply = slack.messages
    assert "edited" not in digest
    assert "*recalled:* wrong" in text_of(reply)


def test_a_recall_half_told_is_told_once_in_the_thread(slack: Slack, to: Open) -> None:
    destination, first = to(), a_delivery()
    receipt = destination.send(first)
    slack.next = ["", "lost"]
    with pytest.raises(Unavailable):
        destination.send(after(first, receipt, "recall", reason="wrong"))
    destination.send(after(first, receipt, "recall", attempt=2, reason="wrong"))

    assert len(slack.messages) == 2


def test_a_recall_of_a_deleted_message_is_posted_anew_once(slack: Slack, to: Open) -> None:
    destination, first = to(), a_delivery()
    receipt = destination.send(first)
    slack.messages.clear()
    slack.next = ["", "lost"]
    with pytest.raises(Unavailable):
        destination.send(after(first, receipt, "recall", reason="wrong"))
    told = destination.send(after(first, receipt, "recall", attempt=2, reason="wrong"))

    assert told.status == "stood there already"
    assert ["Recalled" in each["text"] for each in slack.messages] == [True]


def test_a_webhook_edits_nothing_but_tells_of_a_recall(slack: Slack, to: Open) -> None:
    destination, first = to(token=None, webhook=Secret(f"{slack.url}/services/T/B/secret")), a_delivery()
    receipt = destination.send(first)
    with pytest.raises(Skipped, match="need a token"):
        destination.send(after(first, receipt))
    assert destination.send(after(first, receipt, "recall", reason="wrong")).status == "posted"

    assert [each["text"] for each in slack.messages[1:]] == ["Recalled: alertgroup 1: wrong"]


def test_alerts_updates_and_recalls_in_one_batch_keep_their_order(slack: Slack, to: Open) -> None:
    destination, first = to(), a_delivery(1)
    receipt = destination.send(first)
    mixed = [a_delivery(2), after(first, receipt), a_delivery(3), after(a_delivery(4), Receipt())]
    outcomes = destination.send_batch(mixed, "c").outcomes

    said = [each.status if isinstance(each, Receipt) else type(each).__name__ for each in outcomes]
    assert said == ["posted", "edited", "posted", "Skipped"]


def test_the_style_of_slips_is_lines_of_text_in_edits_too(slack: Slack, to: Open) -> None:
    destination, first = to(style="slips", sensor="sensor1"), a_delivery(rows=90)
    receipt = destination.send(first)
    destination.send(after(first, receipt, status=Status.CLOSED))
    assert slack.messages[0]["text"].splitlines()[-1] == "sensor1: *closed* · as of 2026-11-18T11:08:20Z"

    destination.send(after(first, receipt, "recall", reason="wrong"))
    message, reply = slack.messages
    assert message["text"] == "sensor1: Recalled: alertgroup 1: wrong"
    assert reply["text"].startswith("sensor1: ")
    assert not message["blocks"]


def test_slips_says_that_it_started_and_stopped(slack: Slack, to: Open) -> None:
    destination = to(style="slips", sensor="sensor1", presence=True)
    destination.check()
    assert slack.messages == []
    destination.send(a_delivery(1))
    destination.send(a_delivery(2))
    destination.close()
    destination.close()

    texts = [message["text"].splitlines()[0] for message in slack.messages]
    when = r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{6}\+0000"
    assert [re.sub(when, "TIME", text) for text in texts] == [
        "sensor1: TIME: Slips started on sensor: sensor1.",
        "sensor1: Src IP 192[.]0[.]2[.]7 Detected Beacon seen",
        "sensor1: Src IP 192[.]0[.]2[.]7 Detected Beacon seen",
        "sensor1: TIME: Slips stopped on sensor: sensor1.",
    ]


def test_one_that_never_sent_anything_neither_started_nor_stopped(slack: Slack, to: Open) -> None:
    to(style="slips", presence=True).close()
    assert slack.messages == []


@pytest.mark.parametrize("bad", ["invalid_blocks", 500, "reset"])
def test_slack_not_hearing_of_the_start_fails_no_delivery(slack: Slack, to: Open, bad: str | int) -> None:
    destination = to(style="slips", presence=True)
    slack.next = [bad]
    assert destination.send(a_delivery()).status == "posted"
    slack.next = [bad]
    destination.close()

    assert len(slack.messages) == 1


hostile = st.text(st.characters(codec="utf-8"), max_size=60) | st.sampled_from(
    ["<!channel>", "<@U123>", "<http://x.example|ok>", "&lt;", "*" * 4000, "&" * 9000, "a.b." * 3000, "\u202e", "~x~"]
)


@given(hostile, hostile, st.integers(0, 2**62))
def test_no_text_makes_an_edit_or_a_reply_that_slack_refuses_or_pings_with(
    subject: str, reason: str, owed: int
) -> None:
    group = Alertgroup.of_rows(subject, [{subject: reason}], tags=(subject,), id=2**40)
    link = "https://t.example/alerts/1"
    for kind in ("update", "recall"):
        change = Delivery(id=1, uid="u", alertgroup=group, kind=kind, reason=reason, owed=owed, seen=9)
        said = {"text": FORM.fallback(group), "blocks": FORM.blocks(group, link, FORM.news(change))}
        if kind == "recall":
            said = dict(zip(("text", "blocks"), FORM.recalled(change, link), strict=True))
        notes = dict(zip(("text", "blocks"), FORM.notes([change] * 10, [link] * 10), strict=True))
        for each in (said, notes):
            assert fault_of(each) == ""
            assert "<" not in text_of(each).replace(f"<{link}|", "")


def test_every_failure_is_an_outcome_of_its_own_delivery(slack: Slack, to: Open) -> None:
    destination, first = to(), a_delivery(1)
    receipt = destination.send(first)
    slack.next = ["invalid_blocks"]
    outcomes = destination.send_batch([after(first, receipt), a_delivery(2)], "").outcomes

    assert [isinstance(outcome, DeliveryError) for outcome in outcomes] == [False, True]
