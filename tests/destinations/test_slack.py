"""Slack: what is posted, what is never posted, and every way to fail told apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from neighbours import slack as neighbour
from neighbours.posts import Open, a_delivery, text_of
from neighbours.slack import CHANNEL, Slack, fault_of
from tocsin.destinations.slack import Slack as Destination
from tocsin.destinations.slack.words import FORM
from tocsin.errors import Rejected, Unavailable
from tocsin.kit.secrets import Secret
from tocsin.model import Alertgroup, Receipt


def test_an_alertgroup_is_a_message_with_its_rows_and_a_link_back(slack: Slack, to: Open) -> None:
    receipt = to().send(a_delivery(rows=9))
    (message,) = slack.messages
    shown = text_of(message)

    assert receipt == Receipt(remote_id=f"{CHANNEL}/{message['ts']}", status="posted")
    assert message["unfurl_links"] is False
    assert "high" in message["text"]
    assert "evil[.]example[.]com" in shown
    assert "… and 4 more" in shown
    assert "<https://tocsin.example/alerts/1|Alertgroup 1>" in shown
    assert "TLP:GREEN" in shown
    assert "#vpn" in shown
    assert "<!channel>" not in shown
    assert message["metadata"]["event_payload"] == {"deliveries": ["uid-1"]}


def test_the_style_of_slips_is_its_one_line_for_each_alert(slack: Slack, to: Open) -> None:
    to(style="slips", sensor="sensor1").send(a_delivery())

    assert slack.messages[0]["text"].splitlines() == ["sensor1: Src IP 192[.]0[.]2[.]7 Detected Beacon seen"] * 2


def test_many_that_wait_become_one_message(slack: Slack, to: Open) -> None:
    deliveries = [a_delivery(n) for n in range(1, 51)]
    sent = to().send_batch(deliveries, "c")

    assert len(slack.messages) == 1
    assert "50 alertgroups" in slack.messages[0]["text"]
    assert text_of(slack.messages[0]).count("https://tocsin.example/alerts/") == 50
    assert sent.cursor == "c"
    assert len(set(map(str, sent.outcomes))) == 1
    assert [type(outcome) for outcome in sent.outcomes] == [Receipt] * 50


def test_few_are_posted_each_for_itself(slack: Slack, to: Open) -> None:
    to().send_batch([a_delivery(n) for n in range(1, 4)], "")

    assert len(slack.messages) == 3


def test_a_message_whose_answer_was_lost_is_not_posted_again(slack: Slack, to: Open) -> None:
    slack.next = ["lost"]
    with pytest.raises(Unavailable):
        to().send(a_delivery())
    receipt = to().send(a_delivery(attempt=2))

    assert len(slack.messages) == 1
    assert receipt == Receipt(remote_id=f"{CHANNEL}/{slack.messages[0]['ts']}", status="stood there already")


def test_another_delivery_of_a_later_attempt_is_posted(slack: Slack, to: Open) -> None:
    to().send(a_delivery(1))
    to().send(a_delivery(2, attempt=2))

    assert len(slack.messages) == 2


def test_without_the_scope_to_look_it_is_posted_again(slack: Slack, to: Open) -> None:
    slack.scopes.discard("channels:history")
    assert to().send(a_delivery(attempt=2)).status == "posted"


@pytest.mark.parametrize(
    ("bad", "wait"), [("internal_error", None), ("fatal_error", None), (500, None), (503, None), (429, 7.0)]
)
def test_what_passes_is_tried_again(slack: Slack, to: Open, bad: str | int, wait: float | None) -> None:
    slack.next = [bad]
    with pytest.raises(Unavailable) as caught:
        to().send(a_delivery())

    assert (caught.value.retry_after.total_seconds() if caught.value.retry_after else None) == wait


@pytest.mark.parametrize("bad", ["hang", "reset"])
def test_silence_and_a_broken_line_are_tried_again(slack: Slack, to: Open, bad: str) -> None:
    slack.next = [bad]
    with pytest.raises(Unavailable, match=r"said nothing|broke the connection"):
        to(timeout_s=1).send(a_delivery())


@pytest.mark.parametrize(
    "bad", ["channel_not_found", "not_in_channel", "is_archived", "token_revoked", "missing_scope", "invalid_blocks"]
)
def test_what_stays_says_what_to_do(slack: Slack, to: Open, bad: str) -> None:
    slack.next = [bad]
    with pytest.raises(Rejected, match=f"{bad}: "):
        to().send(a_delivery())


def test_a_wrong_token_is_told_and_never_shown(slack: Slack, to: Open) -> None:
    destination = to(token=Secret("xoxb-wrong-one"))
    with pytest.raises(Rejected, match="invalid_auth: the token is wrong") as caught:
        destination.send(a_delivery())

    assert "xoxb" not in str(caught.value) + repr(destination)
    with pytest.raises(Rejected, match="the token is wrong"):
        destination.check()


def test_the_pace_of_a_channel_is_kept_by_waiting_outside() -> None:
    with neighbour.slack(per_second=0.2) as slow:
        destination = Open(slow)()
        destination.send(a_delivery(1))
        with pytest.raises(Unavailable, match="429") as caught:
            destination.send(a_delivery(2))
        destination.close()

    assert caught.value.retry_after is not None


def test_a_webhook_is_the_other_way(slack: Slack, to: Open) -> None:
    destination = to(token=None, webhook=Secret(f"{slack.url}/services/T/B/secret"))
    assert destination.send(a_delivery()).status == "posted"
    assert "evil[.]example[.]com" in text_of(slack.messages[0])

    slack.next = ["no_service"]
    with pytest.raises(Rejected) as caught:
        destination.send(a_delivery())
    assert "secret" not in str(caught.value)


def test_check_says_who_we_are(slack: Slack, to: Open) -> None:
    assert to().check() == "Slack knows the token: tocsin of csirt"


@pytest.mark.parametrize("options", [{}, {"token": "x"}, {"token": "x", "webhook": "y", "channel": "c"}])
def test_one_way_to_post_is_required(options: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match=r"give either a token|channel is required"):
        Destination.model_validate(options)


hostile = st.text(st.characters(codec="utf-8"), max_size=60) | st.sampled_from(
    ["<!channel>", "<@U123>", "<http://x.example|ok>", "&lt;", "*" * 4000, "&" * 9000, "a.b." * 3000, "\u202e", "`"]
)


@given(hostile, st.lists(st.dictionaries(hostile, hostile, max_size=9), max_size=9), st.lists(hostile, max_size=12))
def test_no_text_makes_a_message_that_slack_refuses_or_pings_with(
    subject: str, rows: list[dict[str, str]], tags: list[str]
) -> None:
    group = Alertgroup.of_rows(subject, rows, tags=tuple(tags), sources=tuple(tags))
    one = {"text": FORM.fallback(group), "blocks": FORM.blocks(group, "https://t.example/alerts/1")}
    text, blocks = FORM.digest([group] * 50, ["https://t.example/alerts/1"] * 50)

    for said in (one, {"text": text, "blocks": blocks}):
        assert fault_of(said) == ""
        shown = text_of(said).replace("<https://t.example/alerts/1|", "")
        assert "<" not in shown
