"""An alertgroup -> everything it is found by: its words, what its detections say, and the entities that stand in it."""

from collections.abc import Iterator, Sequence

import msgspec

from tocsin import entities
from tocsin.entities import Known
from tocsin.model import Alert, Alertgroup
from tocsin.query import addresses
from tocsin.query.fields import FIELDS, Field, Kind, rank
from tocsin.query.matching import fold
from tocsin.query.tree import Ref
from tocsin.query.view import Raw, of_alert
from tocsin.query.words import normal, texts
from tocsin.store.index import Indexed, Moment, Sighted, Term

MOST_PLACES = 1000
"""Of one entity in one alertgroup; how many there are is counted all the same."""
BETWEEN = "¶"
"""Stands between two texts, so that no phrase reaches from one into the next; no word of any text."""

_UNIONS = ("src", "dst", "endpoint", "ip", "host", "port", "mac", "url", "email")
"""Fields that are several others together: what is said of a side or a part is found under both, as src_ip."""
_STORED = tuple(
    field
    for field in FIELDS.values()
    if field.row and field.name not in (*_UNIONS, "data", "alert.id", "alert.status")
)


def read(group: Alertgroup, since: int, known: Known) -> Indexed:
    """What the group is found by. Its alerts carry their detections (`detection.known`) and ids."""
    subject, body, *cells = texts(group)
    return Indexed(
        group=group.id,
        since=since,
        received=group.received,
        subject=normal(subject),
        body=normal(body),
        cells=BETWEEN.join(filter(None, map(normal, cells))),
        body_text=body if group.body and not group.body_plain else None,
        terms=list(_terms(group.alerts)),
        moments=list(_moments(group.alerts)),
        entities=list(_entities(group, known)),
    )


def _values(field: Field, alerts: Sequence[Alert]) -> Iterator[tuple[Raw, list[int] | None]]:
    """Each value that the field has, and the alerts that have it; None for all of them."""
    of = of_alert(Ref(field.name))
    found: dict[Raw, list[int]] = {}
    for alert in alerts:
        for value in dict.fromkeys(fold(raw) if isinstance(raw, str) else raw for raw in of(alert)):
            found.setdefault(value, []).append(alert.id)
    for value, ids in found.items():
        yield value, None if len(ids) == len(alerts) else ids


def _terms(alerts: Sequence[Alert]) -> Iterator[Term]:
    for field in _STORED:
        if field.kind is Kind.DATE:
            continue
        for value, ids in _values(field, alerts):
            text = str(value)
            low, high = addresses.span(text) or (None, None)
            number = rank(field, text) if field.kind is Kind.CHOICE else value if isinstance(value, int) else None
            amount = float(value) if field.kind is Kind.FRACTION else None
            yield Term(field=field.name, text=text, number=number, amount=amount, low=low, high=high, alerts=ids)


def _moments(alerts: Sequence[Alert]) -> Iterator[Moment]:
    for field in _STORED:
        if field.kind is Kind.DATE:
            for value, ids in _values(field, alerts):
                yield Moment(field=field.name, at=int(value), alerts=ids)


def _entities(group: Alertgroup, known: Known) -> Iterator[Sighted]:
    found: dict[tuple[str, str], Sighted] = {}
    for one in entities.in_group(group, known):
        entity = one.found.entity
        seen = found.get((entity.type, entity.value))
        if seen is None:
            low, high = addresses.span(entity.value) or (None, None)
            seen = Sighted(type=entity.type, value=entity.value, low=low, high=high, n=0, places=[])
        if seen.n < MOST_PLACES:
            written = None if one.found.text == entity.value else one.found.text
            alert = None if one.alert is None else group.alerts[one.alert].id
            place = (alert, one.column, one.found.start, one.found.end, written, list(one.path), one.in_key)
            seen.places.append(place)
        found[entity.type, entity.value] = msgspec.structs.replace(seen, n=seen.n + 1)
    yield from found.values()
