"""Updates and recalls: owed to those who have the alertgroup, behind the gate, and after what they follow."""

from typing import ClassVar

import msgspec
import pytest

from neighbours.destinations import SECOND, START, Told, owe, told
from neighbours.lanes import SETTINGS, Bench, raises
from tocsin import detection
from tocsin.delivery import Lane, Means
from tocsin.delivery.pace import Gathering, Paced
from tocsin.errors import Malformed, NotFound, Rejected, Skipped, Unavailable
from tocsin.model import TLP, Delivery, Kind, Receipt, Status
from tocsin.sharing import Gate, Profile, Redaction
from tocsin.store import alert, alertgroup, delivery, kinds, recall
from tocsin.store.recall import Toward

EVERYTHING: frozenset[Kind] = frozenset(("alert", "update", "recall"))


class Corrected(Told):
    """Understands everything."""

    kinds: ClassVar[frozenset[Kind]] = EVERYTHING


def opened(bench: Bench, *lanes: str, understood: frozenset[Kind] = EVERYTHING) -> None:
    bench.store.write(lambda tx: delivery.open_lanes(tx, lanes, dict.fromkeys(lanes, understood)))


def taken_back(
    bench: Bench, *groups: int, only: tuple[str, ...] = (), lanes: tuple[str, ...] = ("hook",)
) -> list[Toward]:
    now, understood = bench.clock.at, dict.fromkeys(lanes, EVERYTHING)
    return bench.store.write(lambda tx: recall.put(tx, groups, "wrong host 10.1.2.3", understood, "ann", now, only))


def closed(bench: Bench, group: int) -> None:
    ids = [row.id for row in bench.store.read(lambda tx: alert.of_group(tx, group))]
    bench.store.write(lambda tx: alertgroup.set_alerts(tx, group, ids, Status.CLOSED, "ann", bench.clock.at))


def all_owed(bench: Bench, group: int = 1) -> list[tuple[str, str]]:
    return [(each.kind, each.state) for each in bench.store.read(lambda tx: delivery.of_groups(tx, [group]))[group]]


def keeping(seen: list[Delivery]) -> Corrected:
    def answer(delivery: Delivery) -> Receipt:
        seen.append(delivery)
        return Receipt(remote_id=f"r{delivery.id}", status="posted")

    destination = told(answer, Corrected)
    assert isinstance(destination, Corrected)
    return destination


def test_a_destination_that_has_it_is_sent_the_recall_with_what_it_answered_then(bench: Bench) -> None:
    opened(bench, "hook")
    owe(bench.store, "beacon", "hook")
    seen: list[Delivery] = []
    lane = bench.lane(keeping(seen))
    bench.run(lane)
    bench.clock.pass_s(60)

    [toward] = taken_back(bench, 1)
    bench.run(lane)

    assert (toward.fate, toward.sent) == ("told", START)
    assert [each.kind for each in seen] == ["alert", "recall"]
    assert seen[1].earlier == (Receipt(remote_id="r1", status="posted"),)
    assert (seen[1].reason, seen[1].owed) == ("wrong host 10.1.2.3", START + 60 * SECOND)
    assert seen[1].alertgroup.subject == "beacon"
    assert seen[0].hub == seen[1].hub == bench.store.uid
    assert seen[0].uid != seen[1].uid
    assert all_owed(bench) == [("alert", "delivered"), ("recall", "delivered")]
    [known] = bench.store.read(lambda tx: recall.of_group(tx, 1))
    assert (known.who, known.reason, known.lanes) == ("ann", "wrong host 10.1.2.3", [])


def test_what_was_not_sent_yet_is_not_sent_any_more(bench: Bench) -> None:
    opened(bench, "hook")
    owe(bench.store, "beacon", "hook")

    [toward] = taken_back(bench, 1)
    seen: list[Delivery] = []
    bench.run(bench.lane(keeping(seen)))

    assert toward.fate == "held back"
    assert seen == []
    assert all_owed(bench) == [("alert", "dropped")]


def test_an_attempt_that_may_have_arrived_is_recalled_and_not_made_again(bench: Bench) -> None:
    opened(bench, "hook")
    owe(bench.store, "beacon", "hook")
    destination = told(raises(Unavailable("no answer in time")), Corrected)
    lane = bench.lane(destination)
    bench.run(lane)
    [toward] = taken_back(bench, 1)
    seen: list[Delivery] = []
    bench.clock.pass_s(3600)

    bench.run(bench.lane(keeping(seen)))

    assert toward.fate == "told"
    assert [(each.kind, each.earlier) for each in seen] == [("recall", ())]
    assert all_owed(bench) == [("alert", "dropped"), ("recall", "delivered")]


def test_what_is_being_sent_while_it_is_recalled_is_not_sent_once_more_after_the_recall(bench: Bench) -> None:
    opened(bench, "hook")
    owe(bench.store, "beacon", "hook")
    calls: list[str] = []

    def answer(delivery: Delivery) -> Receipt:
        calls.append(delivery.kind)
        if delivery.kind == "alert":
            taken_back(bench, 1)
            raise Unavailable("the connection broke")
        return Receipt()

    bench.run(bench.lane(told(answer, Corrected)), 60)

    assert calls == ["alert", "recall"]
    assert sorted(all_owed(bench)) == [("alert", "skipped"), ("recall", "delivered")]


def test_a_destination_that_understands_no_recall_is_named_and_sent_none(bench: Bench) -> None:
    owe(bench.store, "beacon", "hook")
    lane = bench.lane(Told())
    bench.run(lane)

    told_there = bench.store.write(lambda tx: recall.put(tx, [1], "wrong", {"hook": Told.kinds}, "ann", START))
    gone = bench.store.read(lambda tx: recall.fates(tx, [1], {}))

    assert [each.fate for each in told_there] == ["cannot be told"]
    assert [each.fate for each in gone] == ["cannot be told"]
    assert all_owed(bench) == [("alert", "delivered")]


def test_a_recall_of_what_is_guarded_more_now_goes_out_without_its_text(bench: Bench) -> None:
    opened(bench, "hook")
    owe(bench.store, "beacon", "hook", tlp=TLP.GREEN)
    seen: list[Delivery] = []
    lane = bench.lane(keeping(seen), Gate({"hook": TLP.GREEN}))
    bench.run(lane)
    bench.store.write(lambda tx: alertgroup.set_fields(tx, 1, {"tlp": "red"}, "ann", bench.clock.at))
    taken_back(bench, 1)

    bench.run(lane)

    bare = seen[1].alertgroup
    assert (bare.subject, bare.columns, bare.tags, bare.body, bare.sources) == ("", (), (), "", ())
    assert [each.json for each in bare.alerts] == ["{}"] * len(seen[0].alertgroup.alerts)
    assert [each.uid for each in bare.alerts] == [each.uid for each in seen[0].alertgroup.alerts]
    assert (bare.uid, bare.id) == (seen[0].alertgroup.uid, 1)
    assert b"beacon" not in msgspec.json.encode(seen[1])
    assert seen[1].reason == "wrong host 10.1.2.3"


def test_the_reason_passes_the_destinations_redaction_too(bench: Bench) -> None:
    opened(bench, "hook")
    owe(bench.store, "beacon", "hook", tlp=TLP.CLEAR)
    profile = Profile.model_validate({"networks": ["10.0.0.0/8"]})
    seen: list[Delivery] = []
    lane = bench.lane(keeping(seen), Gate({"hook": TLP.GREEN}, redactions={"hook": Redaction(profile, b"key")}))
    bench.run(lane)
    taken_back(bench, 1)
    bench.run(lane)

    assert "wrong host" in seen[1].reason
    assert "10.1.2.3" not in seen[1].reason


def test_a_status_that_changes_is_an_update_of_what_was_delivered_and_a_burst_is_one(bench: Bench) -> None:
    opened(bench, "hook")
    owe(bench.store, "beacon", "hook")
    owe(bench.store, "unsent", "other")
    seen: list[Delivery] = []
    lane = bench.lane(keeping(seen))
    bench.run(lane)

    closed(bench, 1)
    bench.store.write(lambda tx: kinds.follow(tx, [1, 2], bench.clock.at))
    bench.run(lane, kinds.AFTER / SECOND + 1)

    assert [(each.kind, each.alertgroup.status) for each in seen] == [
        ("alert", Status.OPEN),
        ("update", Status.CLOSED),
    ]
    assert seen[1].earlier == (Receipt(remote_id="r1", status="posted"),)
    assert all_owed(bench) == [("alert", "delivered"), ("update", "delivered")]
    assert all_owed(bench, 2) == [("alert", "due")]


def test_a_lane_that_hears_of_no_changes_is_owed_no_update(bench: Bench) -> None:
    opened(bench, "hook", understood=EVERYTHING - {"update"})
    owe(bench.store, "beacon", "hook")
    bench.run(bench.lane(Told()))

    closed(bench, 1)

    assert all_owed(bench) == [("alert", "delivered")]


def test_there_are_no_updates_of_what_was_recalled(bench: Bench) -> None:
    opened(bench, "hook")
    owe(bench.store, "beacon", "hook")
    lane = bench.lane(keeping([]))
    bench.run(lane)
    taken_back(bench, 1)
    bench.run(lane)

    closed(bench, 1)

    assert [kind for kind, _ in all_owed(bench)] == ["alert", "recall"]


def test_what_there_is_nothing_to_send_of_is_skipped_and_never_tried_again(bench: Bench) -> None:
    owe(bench.store, "beacon", "hook")
    owe(bench.store, "good", "hook")
    lane = bench.lane(told(raises(Skipped("nothing to assert"), "beacon")))
    bench.run(lane, 7200)

    assert bench.states(2) == ["skipped", "delivered"]
    assert [(each.outcome, each.detail) for each in bench.owed(1).receipts] == [("skipped", "nothing to assert")]
    assert bench.state().skipped == 1
    assert bench.state().last_error == ""
    assert lane.activity.rest_until is None


def test_a_recall_that_waits_is_not_given_up_by_another_one(bench: Bench) -> None:
    opened(bench, "hook")
    owe(bench.store, "beacon", "hook")
    bench.run(bench.lane(keeping([])))
    taken_back(bench, 1)

    assert [each.fate for each in taken_back(bench, 1)] == ["told before"]
    assert all_owed(bench) == [("alert", "delivered"), ("recall", "due")]


def test_a_recall_that_failed_is_made_again_by_another_one(bench: Bench) -> None:
    opened(bench, "hook")
    owe(bench.store, "beacon", "hook")
    bench.run(bench.lane(keeping([])))
    taken_back(bench, 1)
    bench.run(bench.lane(told(raises(Rejected("no such message")), Corrected)))

    assert [each.fate for each in taken_back(bench, 1)] == ["told"]
    assert all_owed(bench) == [("alert", "delivered"), ("recall", "failed"), ("recall", "due")]


def test_a_recall_needs_a_reason_and_alertgroups_that_are_there(bench: Bench) -> None:
    owe(bench.store, "beacon", "hook")

    with pytest.raises(Malformed, match="reason"):
        bench.store.write(lambda tx: recall.put(tx, [1], " ", {"hook": EVERYTHING}, "ann", START))
    with pytest.raises(NotFound, match="7"):
        taken_back(bench, 1, 7)
    assert all_owed(bench) == [("alert", "due")]


def test_a_recall_from_one_destination_leaves_the_others_alone(bench: Bench) -> None:
    opened(bench, "hook", "other")
    owe(bench.store, "beacon", "hook", "other")
    bench.run(bench.lane(keeping([])))

    towards = taken_back(bench, 1, only=("hook",), lanes=("hook", "other"))

    assert [(each.lane, each.fate) for each in towards] == [("hook", "told")]
    assert sorted(all_owed(bench)) == [("alert", "delivered"), ("alert", "due"), ("recall", "due")]


def gathering_lane(bench: Bench, destination: Told, seconds: float) -> Lane:
    plain = bench.lane(destination)
    means = Means(bench.store, SETTINGS, Gate({}), detection.DEFAULT, plain._patience, bench.clock)
    return Lane("hook", destination, means, Paced(gathers=int(seconds * SECOND)))


def test_deliveries_gather_until_the_next_round_and_then_all_go(bench: Bench) -> None:
    destination = Told()
    lane = gathering_lane(bench, destination, 60)
    for number in range(40):
        owe(bench.store, f"beacon {number}", "hook")
    bench.run(lane, 59)
    before = len(destination.calls)
    bench.run(lane, 2)
    owe(bench.store, "late", "hook")
    bench.run(lane, 30)

    assert before == 0
    assert len(destination.calls) == 40
    bench.run(lane, 60)
    assert destination.calls[-1] == ["late"]


def test_what_has_gathered_is_sent_at_the_end_as_far_as_there_is_time(bench: Bench) -> None:
    destination = Told()
    lane = gathering_lane(bench, destination, 3600)
    for number in range(3):
        owe(bench.store, f"beacon {number}", "hook")
    assert lane.turn() > bench.clock.at
    lane.stopping = True

    lane.empty(lambda: False)
    none = len(destination.calls)
    lane.empty(lambda: True)

    assert none == 0
    assert bench.states(3) == ["delivered"] * 3


def test_without_a_delay_nothing_more_is_sent_at_the_end(bench: Bench) -> None:
    destination = Told()
    lane = bench.lane(destination)
    owe(bench.store, "beacon", "hook")

    lane.empty(lambda: True)

    assert destination.calls == []


def test_a_round_takes_what_stood_when_it_began_and_no_more() -> None:
    gathering = Gathering(60, 0)

    assert gathering.ends_at(10) == 60
    assert gathering.ends_at(70) == 70
    gathering.left(70, 75)
    assert gathering.ends_at(76) == 76
    gathering.left(74, 80)
    assert gathering.ends_at(81) == 140
