"""An alertgroup -> everything it is found by: its words, what its detections say, and the entities that stand in it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

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
AT_ONCE = 2000
"""A part has that many terms, moments and entities: what one transaction puts in without holding others up."""

Said = Term | Moment | Sighted
_REACH = 2**63
_UNIONS = ("src", "dst", "endpoint", "ip", "host", "port", "mac", "url", "email")
"""Fields that are several others together: what is said of a side or a part is found under both, as src_ip."""
_STORED = tuple(
    field for field in FIELDS.values() if field.row and field.name not in (*_UNIONS, "data", "alert.id", "alert.status")
)


def read(group: Alertgroup, since: int, known: Known | None) -> list[Indexed]:
    """What the group is found by, in parts. Its alerts carry their detections (`detection.known`) and ids.

    Without `known`, no entities are looked for.
    """
    said: list[Said] = [*_terms(group.alerts), *_moments(group.alerts)]
    if known is not None:
        said += _entities(group, known)
    portions = [said[at : at + AT_ONCE] for at in range(0, max(1, len(said)), AT_ONCE)]
    return [
        Indexed(
            group=group.id,
            since=since,
            received=group.received,
            part=part,
            last=part == len(portions) - 1,
            terms=[one for one in portion if isinstance(one, Term)],
            moments=[one for one in portion if isinstance(one, Moment)],
            entities=[one for one in portion if isinstance(one, Sighted)],
            **({} if part else _words(group)),
        )
        for part, portion in enumerate(portions)
    ]


def _words(group: Alertgroup) -> dict[str, Any]:
    subject, body, *cells = texts(group)
    return {
        "subject": mended(normal(subject)),
        "body": mended(normal(body)),
        "cells": mended(BETWEEN.join(filter(None, map(normal, cells)))),
        "body_text": mended(body) if group.body and not group.body_plain else None,
    }


def mended(text: str) -> str:
    """The text as both engines can hold it: neither NUL nor half of a surrogate pair."""
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _values(field: Field, alerts: Sequence[Alert]) -> Iterator[tuple[Raw, str | None]]:
    """Each value that the field has, and the alerts that have it; None for all of them."""
    of = of_alert(Ref(field.name))
    found: dict[Raw, list[int]] = {}
    for alert in alerts:
        for value in dict.fromkeys(mended(fold(raw)) if isinstance(raw, str) else raw for raw in of(alert)):
            found.setdefault(value, []).append(alert.id)
    for value, ids in found.items():
        yield value, None if len(ids) == len(alerts) else _json(ids)


def _terms(alerts: Sequence[Alert]) -> Iterator[Term]:
    for field in _STORED:
        if field.kind is Kind.DATE:
            continue
        for value, ids in _values(field, alerts):
            text = str(value)
            low, high = addresses.span(text) or (None, None)
            number = rank(field, text) if field.kind is Kind.CHOICE else value if isinstance(value, int) else None
            if number is not None and not -_REACH <= number < _REACH:
                number = None
            amount = float(value) if field.kind is Kind.FRACTION else None
            plain = normal(text) if field.kind is Kind.WORDS else None
            yield Term(
                field=field.name, text=text, normal=plain, number=number, amount=amount, low=low, high=high, alerts=ids
            )


def _moments(alerts: Sequence[Alert]) -> Iterator[Moment]:
    for field in _STORED:
        if field.kind is Kind.DATE:
            for value, ids in _values(field, alerts):
                if -_REACH <= int(value) < _REACH:
                    yield Moment(field=field.name, at=int(value), alerts=ids)


def _entities(group: Alertgroup, known: Known) -> Iterator[Sighted]:
    counts: dict[tuple[str, str], int] = {}
    places: dict[tuple[str, str], list[Any]] = {}
    for one in entities.in_group(group, known):
        entity = (one.found.entity.type, mended(one.found.entity.value))
        n = counts[entity] = counts.get(entity, 0) + 1
        if n <= MOST_PLACES:
            written = None if one.found.text == entity[1] else mended(one.found.text)
            alert = None if one.alert is None else group.alerts[one.alert].id
            path = _path(one.path)
            place = (alert, mended(one.column), one.found.start, one.found.end, written, path, one.in_key)
            places.setdefault(entity, []).append(place)
    for (type, value), n in counts.items():
        low, high = addresses.span(value) or (None, None)
        yield Sighted(type=type, value=value, low=low, high=high, n=n, places=_json(places[type, value]))


def _path(path: Iterable[str | int]) -> list[str | int]:
    return [mended(step) if isinstance(step, str) else step for step in path]


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
