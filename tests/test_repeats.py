"""With folding on nothing is lost, the counts add up, and taken back all is as if it had been off."""

import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neighbours.messages import NOW
from tocsin.intake import Intake
from tocsin.model import Message, Status
from tocsin.parsers.scot import Scot
from tocsin.rules.repeats import HOUR, Rule
from tocsin.store import Store, alertgroup, delivery, open_store, repeat, tally

RULES = {
    "s": Rule(window=2 * HOUR, longest=5 * HOUR),
    "t": Rule(window=HOUR, longest=HOUR, by=("source", "subject"), reopen=True),
}


def posts() -> st.SearchStrategy[tuple[str, str, str, int, int]]:
    """Source, subject, message id, the one cell that counts, and how many minutes it comes after the one before."""
    return st.tuples(
        st.sampled_from(["s", "s", "t", "off"]),
        st.sampled_from(["beacon", "scan"]),
        st.sampled_from(["", "", "m1", "m2"]),
        st.integers(0, 1),
        st.sampled_from([0, 1, 30, 61, 119, 121]),
    )


DEEDS = ("close", "delete", "undelete", "unfold", "unfold_all", "apart", "together")
STEPS = st.lists(st.one_of(posts(), st.tuples(st.sampled_from(DEEDS), st.integers(0, 30))), max_size=14)


def message(post: tuple[str, str, str, int, int], at: int) -> Message:
    source, subject, id, cell, _ = post
    body = {
        "message_id": id, "subject": subject, "source": [source], "columns": ["cell", "_time"],
        "data": [{"cell": cell, "_time": at}, {"cell": "x", "_time": at + 1}],
    }  # fmt: skip
    return Message(
        source="rest", body=msgspec.json.encode(body), media_type="application/json", received=at, sender="k",
        message_id=id,
    )  # fmt: skip


def do(store: Store, name: str, group: int, at: int) -> None:
    """What a person does to one of the alertgroups, where it can be done."""
    known = store.read(lambda tx: alertgroup.get(tx, group))
    kind = store.read(lambda tx: repeat.of_group(tx, group))
    if name == "close" and known.deleted is None:
        store.write(lambda tx: alertgroup.set_status(tx, group, Status.CLOSED, "ann", at))
    elif name == "delete" and known.deleted is None:
        store.write(lambda tx: alertgroup.delete(tx, group, "ann", at))
    elif name == "undelete":
        store.write(lambda tx: alertgroup.undelete(tx, group, "ann", at))
    elif (name == "unfold" and known.folded_into is not None) or (name == "unfold_all" and kind.folded):
        store.write(lambda tx: repeat.unfold(tx, group, "ann", at))
    elif name in ("apart", "together") and kind.fingerprint:
        store.write(lambda tx: repeat.set_apart(tx, group, name == "apart", "ann", at))


def run(store: Store, steps: list[Any], rules: dict[str, Rule], deeds: bool = True) -> dict[int, str]:
    """Do all steps; the body of the message of every alertgroup."""
    intake = Intake(store, {"scot": Scot()}, ["a", "b"], folded=rules)
    at, bodies = NOW, dict[int, str]()
    with closing(intake):
        for step in steps:
            if isinstance(step[1], int):
                if deeds and bodies:
                    do(store, step[0], sorted(bodies)[step[1] % len(bodies)], at)
                continue
            at += step[4] * 60_000_000
            sent = message(step, at)
            for group in intake.accept(sent).alertgroups:
                bodies.setdefault(group, sent.body.decode())
    return bodies


def check_counts(store: Store, groups: dict[int, str]) -> None:
    known = [store.read(partial(alertgroup.get, id=one)) for one in groups]
    folded = Counter(one.folded_into for one in known if one.folded_into is not None)
    newest = {one: max(each.received for each in known if each.folded_into == one) for one in folded}
    for one in known:
        assert one.seen == 1 + folded[one.id]
        assert one.last_seen == newest.get(one.id)
        assert one.folded_into is None or (folded[one.id] == 0 and one.folded_into in groups)
    standing = Counter(one.status.value for one in known if one.folded_into is None and one.deleted is None)
    assert store.read(alertgroup.totals) == {name: standing[name] for name in ("open", "closed", "promoted")}


def as_it_stands(store: Store, groups: dict[int, str]) -> dict[int, Any]:
    loaded = store.read(lambda tx: alertgroup.load(tx, list(groups)))
    owed = store.read(lambda tx: delivery.of_groups(tx, list(groups)))
    plain = {one: msgspec.structs.replace(loaded[one], uid="", alerts=()) for one in groups}
    return {
        one: (
            plain[one],
            [(alert.id, alert.json, alert.status) for alert in loaded[one].alerts],
            sorted(each.lane for each in owed[one]),
            store.read(partial(alertgroup.get, id=one)).repeats,
        )
        for one in groups
    }


@pytest.fixture
def fresh(engine: str, request: pytest.FixtureRequest) -> Callable[[Path], Store]:
    """A new empty store at each call, on either engine."""
    if engine == "sqlite":
        return partial(open_store, "sqlite")
    cluster = request.getfixturevalue("postgres")
    return lambda folder: open_store(cluster.url(cluster.new_database()), folder)


FEW = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FEW
@given(steps=STEPS)
def test_nothing_is_lost_and_the_counts_add_up(fresh: Callable[[Path], Store], steps: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder, closing(fresh(Path(folder))) as store:
        groups = run(store, steps, RULES)

        loaded = store.read(lambda tx: alertgroup.load(tx, list(groups)))
        for one, body in groups.items():
            sent = msgspec.json.decode(body)
            assert [alert.data for alert in loaded[one].alerts] == sent["data"]
            assert loaded[one].subject == sent["subject"]
        assert sum(line.stored for line in store.read(tally.totals)) == len(groups)
        check_counts(store, groups)


@FEW
@given(steps=STEPS)
def test_taken_back_all_is_as_if_folding_had_been_off(fresh: Callable[[Path], Store], steps: list[Any]) -> None:
    with (
        tempfile.TemporaryDirectory() as first,
        tempfile.TemporaryDirectory() as second,
        closing(fresh(Path(first))) as store,
        closing(fresh(Path(second))) as plain,
    ):
        rules = {label: msgspec.structs.replace(rule, reopen=False) for label, rule in RULES.items()}
        groups = run(store, steps, rules, deeds=False)
        assert run(plain, steps, {}, deeds=False) == groups
        for one in groups:
            if store.read(partial(repeat.of_group, group=one)).folded:
                store.write(partial(repeat.unfold, group=one, who="ann", now=NOW))

        check_counts(store, groups)
        assert as_it_stands(store, groups) == as_it_stands(plain, groups)
