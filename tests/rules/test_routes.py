"""Routes and silences: who is owed what, when, what is held back, and what is said of it."""

from datetime import UTC, datetime

import pytest

from tocsin.errors import BadQuery, Malformed
from tocsin.model import Alertgroup, Micros, Route, Silence, Why
from tocsin.query import View
from tocsin.rules import Decision, Owed, Rulebook
from tocsin.rules.spans import duration, recurrence

LANES = ("siem", "slack", "partner")
HOUR: Micros = 3600 * 1_000_000


def at(text: str) -> Micros:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


NOW = at("2026-05-04T12:10:00")


def a_view(subject: str = "Beacon", source: str = "suricata") -> View:
    return View.fresh(Alertgroup.of_rows(subject, [{"n": 1}], sources=(source,), received=NOW))


def route(name: str, query: str, *to: str, every: Micros = 0, last: bool = False) -> Route:
    return Route(name=name, query=query, to=to, every=every, last=last)


def silence(
    query: str, *to: str, starts: Micros = 0, ends: Micros | None = None, hours: str = "", id: int = 7
) -> Silence:
    return Silence(id=id, name="noise", query=query, to=to, reason="known", starts=starts, ends=ends, recurrence=hours)


def decide(routes: list[Route], silences: list[Silence] = [], now: Micros = NOW) -> Decision:  # noqa: B006 - only read
    return Rulebook(routes, silences, LANES).decide(a_view(), now)


def owed(*lanes: str) -> tuple[Owed, ...]:
    return tuple(Owed(lane=lane, due=NOW) for lane in lanes)


def test_without_routes_every_destination_is_owed_everything() -> None:
    assert decide([]).owed == owed(*LANES)
    assert not Rulebook([], [], LANES).asks


def test_every_route_that_means_it_adds_its_destinations_once() -> None:
    found = decide(
        [route("a", "source:suricata", "siem"), route("b", "", "slack", "siem"), route("c", "tag:x", "partner")]
    )

    assert found.owed == owed("siem", "slack")
    assert found.why == (
        Why(kind="route", name="a", said="to siem"),
        Why(kind="route", name="b", said="to slack, siem"),
    )


def test_the_last_route_ends_the_asking() -> None:
    found = decide([route("noise", "subject:beacon", last=True), route("all", "", "siem")])

    assert found.owed == ()
    assert found.why == (Why(kind="route", name="noise", said="to nobody"),)


def test_what_no_route_means_is_owed_to_nobody_and_says_so() -> None:
    found = decide([route("a", "tag:x", "siem")])

    assert found.owed == ()
    assert [why.kind for why in found.why] == ["default"]


def test_a_digest_is_due_at_the_next_full_hour_and_at_once_wins() -> None:
    hourly = route("digest", "", "slack", every=HOUR)
    assert decide([hourly]).owed == (Owed(lane="slack", due=at("2026-05-04T13:00:00")),)
    assert decide([hourly, route("now", "", "slack")]).owed == owed("slack")


def test_a_silence_holds_back_what_is_owed_and_names_itself() -> None:
    found = decide([], [silence("subject:beacon", "slack")])

    assert found.owed == (*owed("siem"), Owed(lane="slack", due=NOW, held=7), *owed("partner"))
    assert found.why[-1] == Why(kind="silence", name="noise", said="held back from slack: known", id=7)


def test_a_silence_without_destinations_holds_back_from_all() -> None:
    assert {one.held for one in decide([], [silence("")]).owed} == {7}


@pytest.mark.parametrize(
    ("starts", "ends", "hours", "holds"),
    [
        (NOW, None, "", True),
        (NOW + 1, None, "", False),
        (0, NOW, "", False),
        (0, NOW + 1, "", True),
        (0, None, "mon 12:00-13:00", True),
        (0, None, "tue-sun 12:00-13:00", False),
        (0, None, "daily 12:00-13:00 Europe/Prague", False),
        (0, None, "daily 14:00-14:30 Europe/Prague", True),
        (0, None, "sun 22:00-13:00", True),
        (0, None, "mon 22:00-12:00", False),
    ],
)
def test_a_silence_holds_in_its_time_only(starts: Micros, ends: Micros | None, hours: str, holds: bool) -> None:
    found = decide([], [silence("", starts=starts, ends=ends, hours=hours)])

    assert ({one.held for one in found.owed} == {7}) is holds


def test_dates_of_a_query_are_those_of_the_moment_it_is_asked_at() -> None:
    book = Rulebook([route("fresh", "received>now-1h", "siem")], [], LANES)

    assert [one.lane for one in book.decide(a_view(), NOW).owed] == ["siem"]
    assert book.decide(a_view(), NOW + 2 * HOUR).owed == ()
    assert [one.lane for one in book.decide(a_view(), NOW).owed] == ["siem"]


@pytest.mark.parametrize(
    ("query", "rows", "entities"),
    [("tag:x", False, False), ("src:10.0.0.0/8", True, False), ("not entity:10.0.0.1", False, True)],
)
def test_a_book_knows_what_its_rules_ask_for(query: str, rows: bool, entities: bool) -> None:
    book = Rulebook([route("a", query, "siem")], [], LANES)

    assert (book.asks_rows, book.asks_entities, book.asks) == (rows, entities, True)


def test_a_rule_that_cannot_be_read_is_refused_where_it_is_made() -> None:
    with pytest.raises(BadQuery, match="did you mean source"):
        Rulebook([route("a", "sorce:x", "siem")], [], LANES)
    with pytest.raises(Malformed, match="no recurrence"):
        Rulebook([], [silence("", hours="sometimes")], LANES)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("15m", 900), ("1h", 3600), (" 7d ", 604800), ("2w", 1209600)]
)
def test_spans_are_read_as_people_write_them(text: str, seconds: int) -> None:
    assert duration(text) == seconds * 1_000_000


@pytest.mark.parametrize("text", ["", "1", "0h", "-1h", "1y", "367d", "1h30m", "١h"])
def test_other_spans_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(Malformed, match="write 90s"):
        duration(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("daily", "no recurrence"), ("daily 25:00-26:00", "no recurrence"), ("daily 8:00-8:00", "end when they begin"),
        ("day 8:00-9:00", "no day"), ("mon-x 8:00-9:00", "no day"), ("daily 8:00-9:00 Mars/Olympus", "no time zone"),
        ("daily 8:00-9:00 ../../etc/passwd", "no time zone"), ("daily 0:00-24:30", "behind 24:00"),
    ],
)  # fmt: skip
def test_other_recurrences_are_refused_with_an_example(text: str, told: str) -> None:
    with pytest.raises(Malformed, match=told):
        recurrence(text)


def test_days_may_be_told_one_by_one_and_over_the_weekend() -> None:
    found = recurrence("fri-mon,wed 0:00-24:00")
    assert found is not None
    assert found.days == {4, 5, 6, 0, 2}
    assert recurrence("  ") is None
