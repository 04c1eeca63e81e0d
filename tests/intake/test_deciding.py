"""The rules at the door: what is stored as owed, for when, as silenced, and why; on both engines."""

import msgspec
import pytest

from neighbours.messages import NOW, posted
from neighbours.parsers import Picky
from tocsin import detection
from tocsin.entities import DEFAULT
from tocsin.errors import NotFound, StoreUnavailable, Taken
from tocsin.intake import Intake, Limits
from tocsin.intake.deciding import Decider
from tocsin.model import Route, Silence
from tocsin.parsers.scot import Scot
from tocsin.store import Store, delivery, retention, rule, sending

LANES = ("siem", "slack")
HOUR = 3600 * 1_000_000


def an_intake(store: Store, *routes: Route) -> Intake:
    decider = Decider(store, routes, LANES, detection.DEFAULT, DEFAULT)
    return Intake(store, {"scot": Scot(), "picky": Picky()}, LANES, Limits(), decider=decider)


def post(intake: Intake, subject: str = "beacon", **row: str) -> int:
    body = {"subject": subject, "source": ["zeek"], "data": [{"n": subject, **row}]}
    return intake.accept(posted(msgspec.json.encode(body), "application/json")).alertgroups[0]


def states(store: Store, group: int) -> dict[str, tuple[str, int]]:
    owed = store.read(lambda tx: delivery.of_groups(tx, [group]))[group]
    return {each.lane: (each.state, each.due) for each in owed}


def test_routes_say_who_is_owed_it_and_when_and_why(store: Store) -> None:
    routes = (
        Route(name="beacons", query="subject:beacon and src:192.0.2.0/24", to=("siem",)),
        Route(name="digest", query="source:zeek", to=("slack",), every=HOUR),
    )
    intake = an_intake(store, *routes)
    both, one = post(intake, src="192.0.2.7"), post(intake, "other")

    assert states(store, both) == {"siem": ("due", NOW), "slack": ("due", -(-NOW // HOUR) * HOUR)}
    assert list(states(store, one)) == ["slack"]
    assert [why.name for why in store.read(lambda tx: rule.why(tx, both))] == ["beacons", "digest"]
    assert store.read(lambda tx: sending.next_due(tx, "slack")) == -(-NOW // HOUR) * HOUR


def test_a_silence_made_while_it_runs_holds_back_from_then_on(store: Store) -> None:
    intake = an_intake(store)
    before = post(intake)
    made = store.write(
        lambda tx: rule.put_silence(tx, Silence(id=0, name="scan", query="subject:beacon", to=("slack",)), "ann", NOW)
    )
    held = post(intake, "beacon again")
    store.write(lambda tx: rule.end_silence(tx, made, "ann", NOW))
    after = post(intake, "beacon at last")

    assert [states(store, group)["slack"][0] for group in (before, held, after)] == ["due", "silenced", "due"]
    assert states(store, held)["siem"][0] == "due"
    line = store.read(lambda tx: rule.silence(tx, made))
    assert (line.held, line.last_held, line.ended) == (1, NOW, NOW)
    assert store.read(lambda tx: rule.held_by(tx, made, 10)) == [held]
    assert [each.what for each in store.read(lambda tx: rule.past(tx, "silence", made))][-1] == "ended"


def test_rules_that_were_changed_and_cannot_be_read_keep_senders_waiting(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    intake = an_intake(store)
    post(intake)
    silence = Silence(id=0, name="scan", query="subject:beacon", to=("slack",))
    store.write(lambda tx: rule.put_silence(tx, silence, "ann", NOW))

    def away(_: object) -> None:
        raise StoreUnavailable("the database is gone")

    with monkeypatch.context() as patched:
        patched.setattr(store, "read", away)
        with pytest.raises(StoreUnavailable):
            post(intake, "beacon meanwhile")

    assert states(store, post(intake, "beacon afterwards"))["slack"][0] == "silenced"


def test_what_is_silenced_is_never_claimed_and_sent_when_a_person_says_so(store: Store) -> None:
    store.write(lambda tx: rule.put_silence(tx, Silence(id=0, name="all", query=""), "ann", NOW))
    group = post(an_intake(store))

    assert store.read(lambda tx: sending.next_due(tx, "siem")) is None
    owed = store.read(lambda tx: delivery.of_groups(tx, [group]))[group]
    assert store.write(lambda tx: delivery.retry(tx, [each.id for each in owed], "ann", NOW)) == 2
    assert store.read(lambda tx: sending.next_due(tx, "siem")) == NOW


def test_routes_made_on_the_page_are_asked_after_those_of_the_configuration(store: Store) -> None:
    intake = an_intake(store, Route(name="mine", query="tag:none", to=("siem",)))
    first = store.write(lambda tx: rule.put_route(tx, Route(name="a", query="", to=("slack",)), "ann", NOW))
    second = store.write(lambda tx: rule.put_route(tx, Route(name="b", query="", to=(), last=True), "ann", NOW))
    assert list(states(store, post(intake))) == ["slack"]

    store.write(lambda tx: rule.move_route(tx, second, first, "ann", NOW))
    assert states(store, post(intake, "two")) == {}
    store.write(lambda tx: rule.drop_route(tx, second, "ann", NOW))
    assert list(states(store, post(intake, "three"))) == ["slack"]
    store.write(
        lambda tx: rule.put_route(tx, Route(name="a", query="", to=("slack",)), "ann", NOW, first, active=False)
    )
    assert states(store, post(intake, "four")) == {}


def test_a_name_is_taken_once_and_what_is_not_there_is_said(store: Store) -> None:
    store.write(lambda tx: rule.put_route(tx, Route(name="a", query="", to=()), "ann", NOW))
    with pytest.raises(Taken, match="'a'"):
        store.write(lambda tx: rule.put_route(tx, Route(name="a", query="", to=()), "ann", NOW))
    for work in (
        lambda tx: rule.drop_route(tx, 99, "ann", NOW),
        lambda tx: rule.move_route(tx, 99, 0, "ann", NOW),
        lambda tx: rule.end_silence(tx, 99, "ann", NOW),
        lambda tx: rule.put_silence(tx, Silence(id=99, name="x", query=""), "ann", NOW),
        lambda tx: rule.silence(tx, 99),
    ):
        with pytest.raises(NotFound, match="99"):
            store.write(work)


def test_silences_that_are_over_are_listed_only_when_asked_for(store: Store) -> None:
    store.write(lambda tx: rule.put_silence(tx, Silence(id=0, name="past", query="", ends=NOW), "ann", NOW))
    store.write(lambda tx: rule.put_silence(tx, Silence(id=0, name="stands", query=""), "ann", NOW))

    assert [line.silence.name for line in store.read(lambda tx: rule.silences(tx, NOW))] == ["stands"]
    assert len(store.read(lambda tx: rule.silences(tx, NOW, over=True))) == 2


def test_retention_takes_what_was_decided_with_the_alertgroup(store: Store) -> None:
    store.write(lambda tx: rule.put_silence(tx, Silence(id=0, name="all", query=""), "ann", NOW))
    post(an_intake(store))

    class Ages:
        originals_days, alerts_days, receipts_days = 0.0, 1.0, 0.0

    retention.sweep(store, Ages(), NOW + 3 * retention.DAY, lambda _: None)
    tables = ("decision", "held", "alertgroup", "delivery")
    counted = store.read(lambda tx: [tx.rows(f"SELECT count(*) FROM {table}")[0][0] for table in tables])
    assert counted == [0, 0, 0, 0]
