"""Routes and silences as people write them, in a request or in a form: read whole, and refused with the remedy."""

import time
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from tocsin.app import Hub
from tocsin.config.accumulate import AccumulateTable
from tocsin.config.sections import RepeatsTable, Section
from tocsin.errors import Malformed, Taken
from tocsin.kit.problems import nearest
from tocsin.model import Micros, Route, Silence
from tocsin.query import dates, parse, predicate
from tocsin.query.values import quoted
from tocsin.rules import accumulate, spans
from tocsin.rules.repeats import Rule
from tocsin.rules.spans import SECOND

LONGEST_NAME = 100
LONGEST_QUERY = 4000
LONGEST_TEXT = 1000


def route_of(hub: Hub, route: Route) -> Route:
    """The route, if it can be kept. Raises Malformed, BadQuery; Taken where tocsin.toml has one of that name."""
    name = _name(route.name)
    if any(one.name == name for one in hub.config.routing()):
        raise Taken(f"there is a route named {name!r} in the configuration already: choose another name")
    _read(route.query)
    return Route(
        name=name, query=route.query.strip(), to=_lanes(hub.routable, route.to), every=route.every, last=route.last
    )


def often(text: str) -> Micros:
    """How often, `15m`; empty is at once. Raises Malformed."""
    try:
        return spans.duration(text) if text.strip() else 0
    except Malformed as error:
        raise Malformed(f"every: {error}") from None


def silence_of(hub: Hub, silence: Silence, now: Micros) -> Silence:
    """The silence, if it can be kept. Raises Malformed, BadQuery."""
    _read(silence.query)
    try:
        again = spans.recurrence(silence.recurrence)
    except Malformed as error:
        raise Malformed(f"recurrence: {error}") from None
    if silence.ends is not None and silence.ends <= max(silence.starts, 0 if silence.id else now):
        raise Malformed("ends: it would end before it holds back anything: write a later time, such as now+4h")
    return Silence(
        id=silence.id,
        name=_name(silence.name),
        query=silence.query.strip(),
        to=_lanes(tuple(hub.wiring.destinations), silence.to),
        owner=_text("owner", silence.owner, LONGEST_NAME),
        reason=_text("reason", silence.reason, LONGEST_TEXT),
        starts=silence.starts,
        ends=silence.ends,
        recurrence=again.text if again else "",
    )


def moment(field: str, said: str | int | None, now: Micros) -> Micros | None:
    """A time as it is written in a query, or seconds since 1970; None for nothing. Raises Malformed."""
    text = "" if said is None else str(said).strip()
    if not text:
        return None
    try:
        return now + spans.duration(text)
    except Malformed:
        known = dates.canonical(text)
    if known is None:
        remedy = "write now+4h, 2026-05-04T12:00 (UTC) or seconds since 1970"
        raise Malformed(f"{field}: {text[:40]!r} is no time: {remedy}")
    return dates.bounds(known, now)[0]


def shown(at: Micros | None) -> str:
    """A time as `moment` reads it, to the second; empty for none."""
    return "" if at is None else f"{dates.of_time(at)[:19]}Z"


def left(until: Micros, now: Micros) -> str:
    """How much time is left, in the two largest units."""
    seconds = max(0, until - now) // SECOND
    counts = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min")]
    said = [f"{n} {unit}" for n, unit in counts if n][:2]
    return " ".join(said) or "less than a minute"


def alike(subject: str, sources: Sequence[str]) -> str:
    """A query of alertgroups like that one: of its first source, with its subject's words."""
    told = [f"source:{quoted(source)}" for source in sources[:1]]
    if any(letter.isalnum() for letter in subject):
        told.append(f"subject:{quoted(subject[:500])}")
    return " and ".join(told)


def folding(hub: Hub, label: str, options: dict[str, Any]) -> dict[str, Rule]:
    """The configured rules of folding with this one in its place. Raises Malformed, naming the option."""
    if not label.strip() or len(label) > LONGEST_NAME or "\0" in label:
        raise Malformed("label: write a label of a source, such as splunk, or * for every other source")
    try:
        rule = RepeatsTable.model_validate(options).rule()
    except ValidationError as error:
        raise Malformed(_first_of(error, RepeatsTable)) from None
    if not rule.window:
        raise Malformed("window_h: 0 folds nothing: write how many hours may lie between two, such as 24")
    return {name: table.rule() for name, table in hub.config.repeats.items()} | {label: rule}


def accumulating(hub: Hub, name: str, options: dict[str, Any]) -> accumulate.Rule:
    """The accumulate rule of that name with these options over its own, or a new one. Raises Malformed, BadQuery."""
    standing = hub.config.accumulate.get(name)
    given = standing.model_dump(exclude_unset=True) if standing else {}
    if not standing and not options:
        known = ", ".join(hub.config.accumulate) or "there are none"
        raise Malformed(f"name: there is no rule {name[:60]!r} in tocsin.toml ({known}): give its options")
    try:
        rule = AccumulateTable.model_validate({**given, **options}).rule(name or "tried")
    except ValidationError as error:
        raise Malformed(_first_of(error, AccumulateTable)) from None
    _read(rule.query)
    return rule


def _first_of(error: ValidationError, table: type[Section]) -> str:
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"])) or "options"
    known = "; options are " + ", ".join(table.model_fields) if first["type"] == "extra_forbidden" else ""
    return f"{place}: {first['msg'].removeprefix('Value error, ')}{known}"


def _read(query: str) -> None:
    if len(query) > LONGEST_QUERY or "\0" in query:
        raise Malformed(f"query: it has at most {LONGEST_QUERY:,} characters, and no NUL")
    predicate(parse(query), time.time_ns() // 1000)


def _lanes(known: Sequence[str], to: Sequence[str]) -> tuple[str, ...]:
    for lane in to:
        if lane not in known:
            raise Malformed(f"to: there is no destination {lane[:60]!r}: {nearest(lane[:60], known)}")
    return tuple(dict.fromkeys(to))


def _name(text: str) -> str:
    name = _text("name", text, LONGEST_NAME)
    if not name:
        raise Malformed("name: give it one, so that people know it by it")
    return name


def _text(field: str, text: str, most: int) -> str:
    kept = " ".join(text.split())
    if len(kept) > most:
        raise Malformed(f"{field}: it has at most {most:,} characters; this one has {len(kept):,}")
    if not kept.isprintable():
        raise Malformed(f"{field}: it holds a character that cannot be shown: leave it out")
    return kept
