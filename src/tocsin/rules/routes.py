"""Which destination is owed an alertgroup, when, and what holds it back.

Routes are asked in order: each that means the alertgroup adds its destinations, and one that is `last` ends the asking.
Where there are no routes at all, every destination is owed everything. A silence that means it at that moment holds
back what is owed: it stands in the ledger as silenced and is not sent. Why is told in the order of asking.

Collections have a query of their own. It is asked apart from the routes, which neither add to a collection nor keep
anything from it; silences hold for both.
"""

from collections.abc import Collection, Sequence

from tocsin.model import Micros, Noun, Route, Silence, Why
from tocsin.query import FIELDS, Kind, Predicate, View, parse, predicate
from tocsin.query.tree import And, Exists, Is, Node, Not, Or, Range, Row
from tocsin.rules.spans import SECOND, Recurrence, recurrence, written


class Owed(Noun, frozen=True, kw_only=True):
    """A destination that is owed it, not before `due`; held back by the silence `held`, if that is not 0."""

    lane: str
    due: Micros
    held: int = 0


class Decision(Noun, frozen=True, kw_only=True):
    """What follows for an alertgroup."""

    owed: tuple[Owed, ...] = ()
    why: tuple[Why, ...] = ()


class Question:
    """A query as it is asked now: what is said of dates in it holds for a second."""

    def __init__(self, query: str) -> None:
        self._tree = parse(query)
        self.fields = fields_of(self._tree)
        self._dated = any(FIELDS[field].kind is Kind.DATE for field in self.fields)
        self._second = -1
        self._means: Predicate | None = None

    def means(self, view: View, now: Micros) -> bool:
        """Whether it means the alertgroup."""
        second = now // SECOND if self._dated else 0
        if self._means is None or second != self._second:
            self._means, self._second = predicate(self._tree, now), second
        return self._means(view)


class Rulebook:
    """Routes and silences, understood once. Raises BadQuery, Malformed."""

    def __init__(
        self,
        routes: Sequence[Route],
        silences: Sequence[Silence],
        lanes: Sequence[str],
        collections: Sequence[Route] = (),
    ) -> None:
        """`lanes` are those that routes may owe; each of the `collections` owes its own lane alone."""
        self.routes, self.silences = tuple(routes), tuple(silences)
        self._lanes = tuple(lanes)
        self._routes = [(route, Question(route.query)) for route in routes]
        self._collections = [(route, Question(route.query)) for route in collections]
        self._silences = [(one, Question(one.query), recurrence(one.recurrence)) for one in silences]
        questions = [asked for _, asked in self._routes + self._collections] + [asked for _, asked, _ in self._silences]
        fields = {field for asked in questions for field in asked.fields}
        self.asks_entities = bool(fields & {"entity", "entity.type"})
        self.asks_rows = any(FIELDS[field].row or field == "severity" for field in fields)
        self.asks = bool(questions)
        """Whether there is anything to be asked of an alertgroup at all."""

    def decide(self, view: View, now: Micros) -> Decision:
        """What follows for the alertgroup at that moment."""
        due: dict[str, Micros] = {}
        why: list[Why] = []
        for route, asked in self._routes:
            if not asked.means(view, now):
                continue
            when = -(-now // route.every) * route.every if route.every else now
            for lane in route.to:
                if lane in self._lanes:
                    due[lane] = min(when, due.get(lane, when))
            why.append(Why(kind="route", name=route.name, said=f"to {', '.join(route.to) or 'nobody'}{_often(route)}"))
            if route.last:
                break
        if not self._routes:
            due = dict.fromkeys(self._lanes, now)
            if self._lanes:
                why.append(Why(kind="default", name="", said="no routes are configured: every destination is owed it"))
        elif not why:
            why.append(Why(kind="default", name="", said="no route means it: nobody is owed it"))
        for route, asked in self._collections:
            if asked.means(view, now):
                due |= dict.fromkeys(route.to, now)
                why.append(Why(kind="collection", name=route.name, said=f"to {', '.join(route.to)}"))
        held = self._held(view, now, due, why)
        owed = tuple(Owed(lane=lane, due=when, held=held.get(lane, 0)) for lane, when in due.items())
        return Decision(owed=owed, why=tuple(why))

    def _held(self, view: View, now: Micros, due: Collection[str], why: list[Why]) -> dict[str, int]:
        """By lane, which silence holds back what is owed to it."""
        held: dict[str, int] = {}
        for silence, asked, hours in self._silences:
            if active(silence, hours, now) and asked.means(view, now):
                lanes = [lane for lane in due if lane in (silence.to or due) and lane not in held]
                held |= dict.fromkeys(lanes, silence.id)
                said = f"held back from {', '.join(lanes) or 'nobody'}: {silence.reason or 'no reason given'}"
                why.append(Why(kind="silence", name=silence.name, said=said, id=silence.id))
        return held


def active(silence: Silence, hours: Recurrence | None, now: Micros) -> bool:
    """Whether a silence holds at that moment."""
    begun = silence.starts <= now and (silence.ends is None or now < silence.ends)
    return begun and (hours is None or hours.holds(now))


def fields_of(tree: Node) -> set[str]:
    """The names of the fields that a query asks for."""
    match tree:
        case And() | Or():
            return {name for part in tree.parts for name in fields_of(part)}
        case Not() | Row():
            return fields_of(tree.part)
        case Is() | Range() | Exists():
            return {tree.ref.field}
    return set()


def _often(route: Route) -> str:
    return f" every {written(route.every)}" if route.every else ""
