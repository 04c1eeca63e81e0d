"""Through a lane and the store's receipts, what stands in Slack follows its alertgroup: edits, threads and recalls."""

from collections.abc import Iterator

import pytest

from neighbours import slack as neighbour
from neighbours.destinations import owe
from neighbours.lanes import Bench
from neighbours.posts import Open, text_of
from neighbours.slack import Slack
from tocsin.model import Status
from tocsin.store import alert, alertgroup, delivery, recall


@pytest.fixture
def slack() -> Iterator[Slack]:
    with neighbour.slack() as known:
        yield known


@pytest.fixture
def to(slack: Slack) -> Iterator[Open]:
    made = Open(slack)
    yield made
    for destination in made.made:
        destination.close()


def stored(bench: Bench, n: int) -> None:
    bench.store.write(lambda tx: delivery.open_lanes(tx, ("hook",), {"hook": frozenset(("alert", "update", "recall"))}))
    for number in range(1, n + 1):
        owe(bench.store, f"beacon {number}", "hook")


def closed(bench: Bench, group: int) -> None:
    ids = [row.id for row in bench.store.read(lambda tx: alert.of_group(tx, group))]
    bench.store.write(lambda tx: alertgroup.set_alerts(tx, group, ids, Status.CLOSED, "ann", bench.clock.at))


def taken_back(bench: Bench, group: int) -> None:
    understood = {"hook": frozenset(("recall",))}
    bench.store.write(lambda tx: recall.put(tx, [group], "a test of ours", understood, "ann", bench.clock.at))


def answers(bench: Bench, group: int) -> list[tuple[str, str]]:
    owed = bench.store.read(lambda tx: delivery.of_groups(tx, [group]))[group]
    return [(each.kind, each.receipts[-1].detail) for each in owed]


def test_a_message_of_its_own_is_edited_twice_and_recalled(bench: Bench, slack: Slack, to: Open) -> None:
    stored(bench, 1)
    lane = bench.lane(to())
    bench.run(lane)
    closed(bench, 1)
    bench.run(lane, 60)
    [message] = slack.messages
    assert "*closed*" in text_of(message)

    bench.store.write(lambda tx: alertgroup.set_status(tx, 1, Status.OPEN, "ann", bench.clock.at))
    bench.run(lane, 60)
    assert "*open*" in text_of(message)
    taken_back(bench, 1)
    bench.run(lane)

    assert "*Recalled:* a test of ours" in text_of(message)
    assert len(slack.under(message["ts"])) == 1
    assert answers(bench, 1) == [
        ("alert", "posted"),
        ("update", "edited"),
        ("update", "edited"),
        ("recall", "edited, and told in the thread"),
    ]


def test_lines_of_a_digest_are_told_in_its_thread(bench: Bench, slack: Slack, to: Open) -> None:
    stored(bench, 12)
    lane = bench.lane(to())
    bench.run(lane)
    for group in range(1, 13):
        closed(bench, group)
    bench.run(lane, 60)
    taken_back(bench, 3)
    bench.run(lane)

    digest = slack.messages[0]
    assert "edited" not in digest
    assert [len(reply["blocks"]) for reply in slack.under(digest["ts"])] == [10, 2, 1]
    assert answers(bench, 3) == [
        ("alert", "posted"),
        ("update", "told in the thread"),
        ("recall", "told in the thread"),
    ]
