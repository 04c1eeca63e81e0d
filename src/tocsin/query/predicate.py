"""A tree -> whether an alertgroup in memory is meant. The store's SQL says the same of a stored one."""

from collections.abc import Callable

from tocsin.model import Alert, Micros
from tocsin.query import matching
from tocsin.query.fields import FIELDS, Kind
from tocsin.query.matching import Test
from tocsin.query.tree import And, Everything, Exists, Is, Node, Not, Or, Range, Ref, Row, Tree, Words
from tocsin.query.view import View, of_alert, of_group

Predicate = Callable[[View], bool]
_Of = Callable[[View, Alert | None], bool]
"""Of a group, or of one alert of it."""


def predicate(tree: Tree, now: Micros) -> Predicate:
    """What says of an alertgroup whether the query means it. Dates such as `now-1h` are those of `now`."""
    asked = _compiled(tree, now)
    return lambda view: asked(view, None)


def _compiled(node: Node, now: Micros) -> _Of:
    match node:
        case Everything():
            return lambda _view, _alert: True
        case Words():
            needle = matching.phrase_needle(node.phrase)
            return lambda view, _alert: needle in view.searched
        case Not():
            part = _compiled(node.part, now)
            return lambda view, alert: not part(view, alert)
        case And():
            parts = [_compiled(one, now) for one in node.parts]
            return lambda view, alert: all(one(view, alert) for one in parts)
        case Or():
            parts = [_compiled(one, now) for one in node.parts]
            return lambda view, alert: any(one(view, alert) for one in parts)
        case Row():
            of_one = _compiled(node.part, now)
            return lambda view, _alert: any(of_one(view, alert) for alert in view.group.alerts)
        case Exists():
            choice = FIELDS[node.ref.field].kind is Kind.CHOICE
            return _any_value(node.ref, lambda value: not (choice and value == "unset"))
        case Is():
            return _any_value(node.ref, matching.is_value(FIELDS[node.ref.field], node, now))
        case Range():
            return _any_value(node.ref, matching.in_range(FIELDS[node.ref.field], node, now))


def _any_value(ref: Ref, test: Test) -> _Of:
    """Some value passes: of the group, of the one alert in question, or of any of the group's alerts."""
    if not FIELDS[ref.field].row:
        values = of_group(ref)
        return lambda view, _alert: any(map(test, values(view)))
    cells = of_alert(ref)
    return lambda view, alert: any(
        test(value) for one in (view.group.alerts if alert is None else (alert,)) for value in cells(one)
    )
