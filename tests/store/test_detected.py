"""What is new and what changed, followed from a stamp on, on either engine."""

import time
from functools import partial
from pathlib import Path

import msgspec

from neighbours.messages import NOW
from tocsin.model import Alertgroup, Detection, Message, News, Since, Status, Triaged
from tocsin.store import Part, Store, alert, alertgroup, detected, entry, open_store
from tocsin.store.append import append_all
from tocsin.store.repeat import Fold

S = 1_000_000
KIND = Fold(fingerprint="kind", window=24 * 3600 * S, longest=168 * 3600 * S)


def post(store: Store, *names: str, at: int = NOW, fold: Fold | None = None) -> list[int]:
    """Store one alertgroup for each name, with one alert of that flow and one that only has cells; their ids."""
    ids: list[int] = []
    for name in names:
        message = Message(source="rest", body=name.encode(), media_type="text/plain", received=at, sender="k")
        group = Alertgroup.of_rows(name, [{"x": 1}, {"uid": name}], tags=("t",))
        said = msgspec.structs.replace(group.alerts[0], detection=Detection(flow_uids=(name,)))
        group = msgspec.structs.replace(group, alerts=(said, *group.alerts[1:]))
        written = [entry(message, [Part(group=group, severity=None, lanes=(), fold=fold)], "scot", "1")]
        stored = store.write(partial(append_all, entries=written))
        ids += stored[0].alertgroups
    return ids


class Follower:
    """Somebody who follows a store, and keeps the stamp."""

    def __init__(self, store: Store) -> None:
        self.store, self.since = store, Since()
        self.news: list[News] = []

    def look(self) -> list[Triaged]:
        """What is told now."""
        self.news = list(detected.changed(self.store, self.since))
        for news in self.news:
            # As it is kept: in JSON.
            self.since = msgspec.json.decode(msgspec.json.encode(news.since), type=Since)
        return [group for news in self.news for group in news.groups]


def test_what_is_new_is_told_once_with_what_its_alerts_say(store: Store) -> None:
    follower = Follower(store)
    assert follower.look() == []
    assert follower.news[0].anew
    first, second = post(store, "a", "b")
    told = follower.look()
    assert [(one.id, one.status, one.tags, one.gone) for one in told] == [
        (first, Status.OPEN, ("t",), False),
        (second, Status.OPEN, ("t",), False),
    ]
    said, cells = told[0].alerts
    assert said.alert.detection == Detection(flow_uids=("a",))
    assert cells.alert.detection is None
    assert cells.alert.data == {"uid": "a"}
    assert follower.look() == []
    assert follower.news == [], "a stamp that need not be kept"


def test_triage_is_told_and_what_is_deleted_is_gone_until_it_is_brought_back(store: Store) -> None:
    follower = Follower(store)
    (group,) = post(store, "a")
    follower.look()
    store.write(lambda tx: alertgroup.set_status(tx, group, Status.CLOSED, "ann", NOW + S))
    store.write(lambda tx: alertgroup.set_labels(tx, group, "tag", ["fp"], "ann", NOW + S))
    (told,) = follower.look()
    assert (told.status, told.tags) == (Status.CLOSED, ("fp",))
    assert {judged.alert.status for judged in told.alerts} == {Status.CLOSED}
    one = told.alerts[1].alert.id
    store.write(lambda tx: alert.set_tags(tx, one, ["x"], "ann", NOW + 2 * S))
    assert [judged.tags for judged in follower.look()[0].alerts] == [(), ("x",)]
    store.write(lambda tx: alertgroup.delete(tx, group, "ann", NOW + 3 * S))
    (told,) = follower.look()
    assert (told.gone, told.alerts) == (True, ())
    store.write(lambda tx: alertgroup.undelete(tx, group, "ann", NOW + 4 * S))
    (told,) = follower.look()
    assert (told.gone, len(told.alerts)) == (False, 2)


def test_a_change_that_bears_an_earlier_time_than_the_last_one_told_is_not_lost(store: Store) -> None:
    follower = Follower(store)
    early, late = post(store, "a", "b")
    store.write(lambda tx: alertgroup.set_status(tx, late, Status.CLOSED, "ann", NOW + 20 * S))
    follower.look()
    store.write(lambda tx: alertgroup.set_status(tx, early, Status.CLOSED, "ann", NOW + 10 * S))
    assert [one.id for one in follower.look()] == [early]
    assert follower.look() == []


def test_a_change_after_the_clock_was_put_right_is_not_lost(store: Store) -> None:
    """What was changed while it was ahead is told again at most once."""
    follower = Follower(store)
    ahead = time.time_ns() // 1000 + 3 * 3600 * S
    early, late = post(store, "a", "b")
    follower.look()
    store.write(lambda tx: alertgroup.set_status(tx, late, Status.CLOSED, "ann", ahead))
    assert [one.id for one in follower.look()] == [late]
    store.write(lambda tx: alertgroup.set_status(tx, early, Status.CLOSED, "ann", time.time_ns() // 1000))
    assert [one.id for one in follower.look()] == [early]
    assert follower.look() == []


def test_an_alertgroup_of_an_old_message_is_told_when_it_comes(store: Store) -> None:
    """One that leaves quarantine bears the time at which its message was received."""
    follower = Follower(store)
    post(store, "a")
    follower.look()
    (old,) = post(store, "b", at=NOW - 100 * 24 * 3600 * S)
    assert [one.id for one in follower.look()] == [old]


def test_evidence_of_which_there_is_not_enough_is_gone_and_comes_back_following_what_it_was_raised_to(
    store: Store,
) -> None:
    follower = Follower(store)
    (evidence, raised) = post(store, "a", "b")
    follower.look()
    store.write(lambda tx: tx.run("UPDATE alertgroup SET gathered = 'below' WHERE id = :id", id=evidence))
    (told,) = follower.look()
    assert (told.id, told.gone) == (evidence, True)
    (first, _) = store.read(lambda tx: [row.id for row in alert.of_group(tx, evidence)])
    store.write(
        lambda tx: tx.run(
            "INSERT INTO pile (alert, alertgroup, rule, width, source, begun, turn, weight, raised_into)"
            " VALUES (:alert, :evidence, 'r', 1, '', 0, 0, 1, :raised)",
            alert=first,
            evidence=evidence,
            raised=raised,
        )
    )
    store.write(lambda tx: tx.run("UPDATE alertgroup SET gathered = 'raised' WHERE id = :id", id=evidence))
    (told,) = follower.look()
    assert (told.gone, [(one.alert.id, one.follows) for one in told.alerts]) == (False, [(first, raised)])


def test_a_repeat_follows_the_alertgroup_it_is_folded_into(store: Store) -> None:
    follower = Follower(store)
    first, repeat, again = (post(store, "a", at=NOW + n * S, fold=KIND)[0] for n in range(3))
    told = {one.id: one.alerts[0].follows for one in follower.look()}
    assert told == {first: 0, repeat: first, again: first}
    store.write(lambda tx: alertgroup.delete(tx, first, "ann", NOW + 600 * S))
    assert {one.id: (one.gone, [each.follows for each in one.alerts]) for one in follower.look()} == {
        first: (True, []),
        repeat: (False, [0, 0]),
        again: (False, [repeat, repeat]),
    }


def test_many_come_in_portions_and_whoever_stops_in_the_middle_goes_on_there(store: Store) -> None:
    ids = post(store, *(f"n{n}" for n in range(12)))
    follower = Follower(store)
    was, detected.GROUPS, detected.LOOK = (detected.GROUPS, detected.LOOK), 5, 4
    try:
        first = next(detected.changed(store, follower.since))
        assert [one.id for one in first.groups] == ids[:5]
        follower.since = first.since
        assert [one.id for one in follower.look()] == ids[5:]
        assert [news.anew for news in follower.news] == [False] * len(follower.news)
        for id in ids:
            store.write(partial(alertgroup.set_status, id=id, status=Status.CLOSED, who="ann", now=NOW + S))
        assert [one.id for one in follower.look()] == ids
        assert follower.look() == []
    finally:
        detected.GROUPS, detected.LOOK = was


def test_a_store_that_was_set_back_and_another_hub_are_told_anew(store: Store, tmp_path: Path) -> None:
    (known,) = post(store, "a")
    follower = Follower(store)
    follower.look()
    follower.since = msgspec.structs.replace(follower.since, id=known + 1)
    assert [one.id for one in follower.look()] == [known]
    assert follower.news[0].anew
    other = open_store("sqlite", tmp_path)
    try:
        follower.store = other
        assert follower.look() == []
        assert [news.anew for news in follower.news] == [True]
    finally:
        other.close()
