"""How a page is walked: which index or which list of ids drives, and what is asked of each alertgroup met there.

Every part that must hold for the whole query may have a list of the ids that fulfil it. Measured on SQLite: a row of a
list costs 0.06 µs, a look at one alertgroup for a label or a value of the index 0.5 µs, at a row of `alertgroup` that
is not in memory 4 µs, at one alertgroup's words 200 µs. So

- in order of ids the sparsest list is walked, sparse where the page begins: the nearest `_NEAR` of it lie far apart.
  Lists in order of ids that are not much denser are merged with it, and lists of words always. Nothing is sorted and
  nothing read that does not stand on the way to the page's end;
- in another order a list of few is fetched and sorted; else the index of that order is walked;
- what is left over is asked of each alertgroup that was met.

PostgreSQL weighs this by its own statistics, but for lists of few, which it is told of.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from tocsin.query import Tree
from tocsin.query.fields import FIELDS, Kind
from tocsin.query.standing import NOT_GATHERED
from tocsin.query.tree import And, Exists, Is, Node, Not, Or, Range, Words
from tocsin.query.values import Phrase, Text
from tocsin.store import alertgroup
from tocsin.store.alertgroup import Cursor, Order
from tocsin.store.engine import Tx
from tocsin.store.search import listed, wording
from tocsin.store.search.compiling import Compiler, Params, leads
from tocsin.store.search.wording import Needed

_FEW = 2000
"""So many alertgroups are fetched and sorted about as quickly as an index is walked to fill a page."""
_NEAR = 200
"""How many of a list are walked to see how far apart they lie."""
_DENSER = 8
"""A list that many times denser than the sparsest is walked in the time in which single looks would have done."""
_RARE = 0.1
"""What is no evidence is walked by an index of its own where it is so rare."""
_SINGLE = 1000
"""Values that are looked up one by one, to know how many alertgroups they have together."""
_SORTED = 120
"""In order of ids, a dear list is sorted up to so many times the root of how many alertgroups there are: much less than
asking one alertgroup after the other until a page is full and a thousand are counted."""
_SOON = 20_000
_INDEXES = {
    "subject": "alertgroup_subject",
    "status": "alertgroup_status",
    "updated": "alertgroup_updated",
    "created": "alertgroup_created",
    "alert_count": "alertgroup_rows",
    "views": "alertgroup_views",
}
_LINKS = {"term": "posting", "entity": "sighting"}
_NOWHERE = "SELECT 0 AS id WHERE 1 = 0"


class Way(NamedTuple):
    """FROM and WHERE of a page, its parameters, and where the ids are read from."""

    tables: str
    condition: str
    params: Params
    id: str = "g.id"


class List(NamedTuple):
    """The ids for which some parts of the query may hold: a SELECT of one column `id`."""

    select: str
    nodes: tuple[Node, ...] = ()
    """The parts that hold for exactly these."""
    sorted: bool = False
    """Comes in order of ids without being sorted, each once."""
    words: bool = False
    dear: bool = False
    """To be asked of one alertgroup: it looks at all of its values."""
    density: float = 1.0
    """Which share of all ids, where the page begins."""
    few: bool = False
    """No more than `_FEW`, certainly."""


def way(tx: Tx, tree: Tree, order: Order, now: int, after: Cursor | None = None) -> Way:
    """A quick way to the alertgroups that a tree means, in an order, behind a cursor."""
    asked = Compiler(tx.engine, now)
    parts = tree.parts if isinstance(tree, And) else (tree,)
    by_id = order.column == "id" or order.column not in _INDEXES
    begin = int(after[1]) if after and by_id else None
    found = _Lists(tx, asked, by_id=by_id, descending=order.descending, after=begin)
    lists = [one for one in found.all(parts) if one.few or (by_id and tx.engine == "sqlite")]
    driver = min(lists, key=lambda one: one.density, default=None)
    if by_id and tx.engine == "sqlite":
        merged = found.merged(driver, lists)
        barred = [found.cut(one) for one in found.barred(parts)]
        return _along(asked, parts, merged, barred, order)
    if driver is not None:
        words = [one for one in found.all(parts) if one.words and one != driver] if tx.engine == "sqlite" else []
        return _along(asked, parts, [driver, *words], [], order)
    if tx.engine == "sqlite":
        return _in_order(asked, parts, found, order)
    return Way("alertgroup g", _rest(asked, parts), asked.params)


def _in_order(asked: Compiler, parts: Sequence[Node], found: "_Lists", order: Order) -> Way:
    """Walk the index of a column, unless common lists have few ids together: those are fetched and sorted."""
    lists, barred = [one for one in found.all(parts) if one.sorted], found.barred(parts)
    if lists and len(lists) + len(barred) > 1 and found.few_together(lists, barred):
        return _along(asked, parts, lists, barred, order)
    index, within = _index(asked, parts, order.column)
    single = [one for one in lists if found.is_soon_met(one)]
    said = {node for one in single for node in one.nodes}
    condition = _rest(asked, [part for part in parts if part not in said]) + within
    condition += "".join(f" AND EXISTS ({one.select} AND w.rowid = g.id)" for one in single)
    return Way(f"alertgroup g INDEXED BY {index}", condition, asked.params)


def _index(asked: Compiler, parts: Sequence[Node], column: str) -> tuple[str, str]:
    """The index of an order, within the status where one is asked for."""
    statuses = [status for part in parts if (status := _status(part))]
    if len(statuses) == 1 and column != "status":
        return f"alertgroup_status_{column}", f" AND g.status = {asked.s.put(statuses[0])}"
    return _INDEXES[column], ""


def _along(asked: Compiler, parts: Sequence[Node], lists: Sequence[List], barred: Sequence[List], order: Order) -> Way:
    """Walk what stands in all of the lists and in none of the barred; ask each alertgroup there for the rest."""
    said = {node for one in (*lists, *barred) for node in one.nodes}
    condition = _rest(asked, [part for part in parts if part not in said])
    if not lists and not barred:
        return Way("alertgroup g", condition, asked.params)
    join = "CROSS JOIN" if asked.s.sqlite else "JOIN"
    select = _merged(asked, lists, barred, order)
    return Way(f"({select}) AS d {join} alertgroup g ON g.id = d.id", condition, asked.params, "d.id")


def _merged(asked: Compiler, lists: Sequence[List], barred: Sequence[List], order: Order) -> str:
    """A SELECT of the ids in all of the lists and in none of the barred, each once."""
    alone = len(lists) == 1 and not barred
    selects = [_fetched(asked, one) for one in lists] or ["SELECT h.id AS id FROM alertgroup h"]
    merged = " INTERSECT ".join(selects) + "".join(f" EXCEPT {one.select}" for one in barred)
    if alone and not lists[0].sorted:
        merged = f"SELECT DISTINCT n.id AS id FROM ({merged}) AS n"
    if not (alone and lists[0].sorted):
        merged += f" ORDER BY 1 {'DESC' if order.descending else 'ASC'}"
        # With a limit of its own SQLite takes it in its order, row by row as the page is filled, as PostgreSQL does.
        merged += " LIMIT -1" if asked.s.sqlite else ""
    return merged


def _fetched(asked: Compiler, one: List) -> str:
    """The list as it is merged: one to be sorted is fetched by its own index first, not by walking all ids in order."""
    if one.sorted or not asked.s.sqlite:
        return one.select
    return f"SELECT f.id AS id FROM ({one.select} LIMIT -1) AS f"


def _rest(asked: Compiler, parts: Sequence[Node]) -> str:
    return f"g.deleted IS NULL AND {asked.all_of(parts)}"


class _Lists:
    """The lists of one query."""

    def __init__(self, tx: Tx, asked: Compiler, *, by_id: bool, descending: bool, after: int | None) -> None:
        self._tx = tx
        self._asked = asked
        self._descending = descending
        self._top = alertgroup.max_id(tx) + 1
        self._most = max(_FEW, _SORTED * math.isqrt(self._top)) if by_id and tx.engine == "sqlite" else _FEW
        begin = self._top if descending else 0
        self._begin = begin if after is None else after
        self._after = None if after is None else asked.s.put(after)
        self._known: list[List] | None = None

    def all(self, parts: Sequence[Node]) -> list[List]:
        """What there are lists of, each weighed; of words at most one."""
        if self._known is None:
            found = [self._words(parts)] if any(map(_phrases, parts)) else []
            leading = [(lead, part) for part in parts if not _phrases(part) for lead in leads(part)]
            found += [one for lead, part in leading if (one := self._list(lead, part)) is not None]
            found += self._apart(parts)
            self._known = [weighed for one in found if (weighed := self._weighed(one)) is not None]
        return self._known

    def merged(self, driver: List | None, lists: Sequence[List]) -> list[List]:
        """The lists that are walked side by side, cut where the page begins."""
        if driver is None:
            return []
        others = [one for one in lists if one is not driver]
        near = [one for one in others if one.words or (one.sorted and one.density < _DENSER * driver.density)]
        return [self.cut(one) for one in (driver, *near)]

    def few_together(self, lists: Sequence[List], barred: Sequence[List]) -> bool:
        """Whether few ids stand in all of the lists and in none of the barred."""
        together = List(_merged(self._asked, lists, barred, Order()))
        return self._counted(together, _FEW) <= _FEW

    def is_soon_met(self, one: List) -> bool:
        """Whether words stand in so many that looking at one alertgroup after the other soon fills a page.

        A page's fifty take 200 µs for each that is looked at; the list takes 0.5 µs for each in it.
        """
        return one.words and bool(one.nodes) and one.density**2 * self._top > _SOON

    def barred(self, parts: Sequence[Node]) -> list[List]:
        """The lists of what must not be in a text."""
        return [
            List(wording.names(self._asked.s, [needed]), (part,), sorted=True, words=True)
            for part in parts
            if isinstance(part, Not) and (needed := _phrases(part.part))
        ]

    def cut(self, one: List) -> List:
        """The same without what stands before the page."""
        if self._after is None:
            return one
        sign = "<" if self._descending else ">"
        return one._replace(select=f"SELECT n.id AS id FROM ({one.select}) AS n WHERE n.id {sign} {self._after}")

    def _apart(self, parts: Sequence[Node]) -> list[List]:
        """What is no evidence, where most is: there may be thousands of pieces between two alertgroups of a list."""
        if NOT_GATHERED not in parts or not self._asked.s.sqlite:
            return []
        select = "SELECT h.id AS id FROM alertgroup h INDEXED BY alertgroup_standing WHERE h.gathered IS NULL"
        one = self._weighed(List(select, (NOT_GATHERED,), sorted=True))
        return [one] if one is not None and one.density < _RARE else []

    def _words(self, parts: Sequence[Node]) -> List:
        needed: Needed = [phrases for part in parts if (phrases := _phrases(part))]
        nodes = tuple(part for part in parts if _phrases(part))
        return List(wording.names(self._asked.s, needed), nodes, sorted=self._asked.s.sqlite, words=True)

    def _list(self, lead: Node, part: Node) -> List | None:
        """The list of a part that must hold if `part` does; nothing is known of how long it is."""
        exact = (part,) if lead is part else ()
        if (status := _status(lead)) and self._asked.s.sqlite:
            standing = f"SELECT h.id AS id FROM alertgroup h WHERE h.status = {self._asked.s.put(status)}"
            return List(standing, exact, sorted=True)
        if isinstance(lead, Is | Range | Exists) and _is_listed(lead):
            return self._values(listed.leaf(lead), exact)
        select = self._asked.names(lead)
        if select is None:
            return None
        if isinstance(lead, Is) and lead.ref.field in ("source", "tag") and isinstance(lead.value, Text):
            return List(select, exact, sorted=self._asked.s.sqlite)
        if isinstance(lead, Is) and lead.ref.field in ("subject", "body") and isinstance(lead.value, Phrase):
            return List(select, exact, sorted=self._asked.s.sqlite, words=True)
        if isinstance(lead, Is) and lead.ref.field == "data":
            return List(select, sorted=self._asked.s.sqlite, words=True)
        return List(select)

    def _values(self, leaf: listed.Leaf, exact: tuple[Node, ...]) -> List | None:
        """Few values are looked up, for the index tells how many alertgroups have each."""
        found = listed.lookup(self._asked.s, leaf)
        if found.table not in _LINKS:
            return List(listed.names(self._asked.s, found), exact, dear=True)
        rows = self._tx.rows(
            f"SELECT t.id, t.alertgroups FROM {found.table} t WHERE {found.where} LIMIT {_SINGLE + 1}",
            **self._asked.params,
        )
        total = sum(row[1] for row in rows)
        if len(rows) > _SINGLE:
            return None if total > self._most else List(listed.names(self._asked.s, found), exact, dear=True)
        if not rows:
            return List(_NOWHERE, exact, sorted=True, density=0.0, few=True)
        among = self._asked.s.numbers([row[0] for row in rows])
        select = f"SELECT p.alertgroup AS id FROM {_LINKS[found.table]} p WHERE p.{found.table} {among}"
        if len(rows) > 1 and total > self._most:
            return None
        return List(select, exact, sorted=len(rows) == 1, density=total / self._top, few=total <= _FEW)

    def _weighed(self, one: List) -> List | None:
        """With its density; None if it is too long to be sorted and has no order of its own."""
        if one.density < 1.0 and (one.few or not one.sorted):
            return one
        if one.words and not self._asked.s.sqlite and self._guessed(one) > 10 * _FEW:
            return None
        near = self._nearest(one) if one.sorted and self._asked.s.sqlite else None
        if near is not None:
            return one._replace(density=_NEAR / max(_NEAR, abs(self._begin - near)))
        most = self._most if one.dear else _FEW
        total = self._counted(one, most)
        return None if total > most else one._replace(density=total / self._top, few=total <= _FEW)

    def _counted(self, one: List, most: int) -> int:
        """How many there are, counted no further than one more than `most`."""
        row = self._tx.row(
            f"SELECT count(*) FROM (SELECT 1 AS one FROM ({one.select}) AS n LIMIT {most + 1}) AS counted",
            **self._asked.params,
        )
        return int(row[0]) if row else 0

    def _nearest(self, one: List) -> int | None:
        """The last of the nearest `_NEAR`, None if there are fewer."""
        direction = "DESC" if self._descending else "ASC"
        row = self._tx.row(
            f"SELECT n.id FROM ({self.cut(one).select}) AS n ORDER BY n.id {direction} LIMIT 1 OFFSET {_NEAR - 1}",
            **self._asked.params,
        )
        return int(row[0]) if row else None

    def _guessed(self, one: List) -> int:
        """How many PostgreSQL thinks that there are: counting them would read them all."""
        rows = self._tx.rows(f"EXPLAIN (FORMAT JSON) {one.select}", **self._asked.params)
        return int(rows[0][0][0]["Plan"]["Plan Rows"])


def _phrases(node: Node) -> list[Phrase]:
    """The phrases one of which must stand in the texts, if that is all that the node says."""
    if isinstance(node, Words):
        return [node.phrase]
    if isinstance(node, Or) and all(isinstance(part, Words) for part in node.parts):
        return [part.phrase for part in node.parts if isinstance(part, Words)]
    return []


def _status(node: Node) -> str:
    """The status that is asked for, if that is all that the node says."""
    if isinstance(node, Is) and node.ref.field == "status" and isinstance(node.value, Text):
        return node.value.text
    return ""


def _is_listed(node: Is | Range | Exists) -> bool:
    """Whether the index has the field's values."""
    field = FIELDS[node.ref.field]
    if field.name in ("entity", "entity.type"):
        return True
    return field.row and field.kind is not Kind.CELL and field.name not in ("alert.id", "alert.status")
