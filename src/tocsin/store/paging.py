"""How a page of alertgroups is found without looking at them all.

Three ways, and which is quick depends on how much the filter leaves over:

- in order of ids, walk what a label or a word names, newest or oldest first, until the page is full;
- in another order, if a label, a word or a time names few alertgroups, fetch those and sort them;
- else walk the index of that order (within the status, where one is asked for) and pass over what does not match.

PostgreSQL weighs this by its own statistics; SQLite has none worth the name and is told.
"""

from collections.abc import Sequence
from typing import NamedTuple

from tocsin.store import filters
from tocsin.store.engine import Tx
from tocsin.store.filters import Clause, Params

_FEW = 3000
"""So many alertgroups are fetched and sorted about as quickly as an index is walked to fill a page."""

_SOME = 10_000
"""The same for a span of time, which stands closer together."""
_NEVER = 2**63 - 1

_INDEXES = {
    "subject": "alertgroup_subject",
    "status": "alertgroup_status",
    "updated": "alertgroup_updated",
    "created": "alertgroup_created",
    "alert_count": "alertgroup_rows",
    "views": "alertgroup_views",
}


class Way(NamedTuple):
    """FROM and WHERE of a page, its parameters, and where the ids are read from."""

    tables: str
    condition: str
    params: Params
    id: str = "g.id"


class _Narrow(NamedTuple):
    """Something in the filter that names alertgroups, and how many, counted no further than needed."""

    clause: Clause
    value: str
    named: int


def way(tx: Tx, clauses: Sequence[Clause], column: str, *, descending: bool = True) -> Way:
    """The quickest way to the alertgroups of a filter in the order of a column of `alertgroup`."""
    condition, params = filters.of_groups(clauses, tx.engine)
    plain = Way("alertgroup g", condition, params)
    if tx.engine != "sqlite" or any(clause.field == "id" for clause in clauses):
        return plain
    # Among many and many the words are walked: a label is asked of one alertgroup at once, a word is not.
    narrow = min(_narrow(tx, clauses), key=lambda one: (one.named, one.clause.op != "words"), default=None)
    if narrow and (column == "id" or narrow.named <= _FEW):
        return _driven(tx, clauses, narrow)
    begin, end = _span(clauses)
    newest_first = column == "id" and descending and end == _NEVER
    if begin and not newest_first and _received(tx, begin, end) <= _SOME:
        return Way("alertgroup g INDEXED BY alertgroup_received", condition, params)
    if column in _INDEXES:
        statuses = [clause.values for clause in clauses if clause.field == "status" and clause.op == "in"]
        within = len(statuses) == 1 and len(set(statuses[0])) == 1 and column != "status"
        index = f"alertgroup_status_{column}" if within else _INDEXES[column]
        return Way(f"alertgroup g INDEXED BY {index}", condition, params)
    return plain


def _narrow(tx: Tx, clauses: Sequence[Clause]) -> list[_Narrow]:
    found: list[_Narrow] = []
    for clause in clauses:
        if clause.field in filters.LABELS and clause.op == "all":
            found += [_Narrow(clause, str(value), _labelled(tx, clause.field, str(value))) for value in clause.values]
        elif clause.op == "words":
            words = filters.words_query(tx.engine, str(clause.values[0]))
            found.append(_Narrow(clause, words, _worded(tx, words)))
    return found


def _span(clauses: Sequence[Clause]) -> tuple[int, int]:
    """The time of receiving that is asked for; from 0, to the end of time where nothing is said."""
    begin, end = 0, _NEVER
    for clause in clauses:
        if clause.field == "received" and clause.op in ("ge", "gt", "between"):
            begin = max(begin, int(clause.values[0]))
        if clause.field == "received" and clause.op in ("le", "lt", "between"):
            end = min(end, int(clause.values[-1]))
    return begin, end


def _received(tx: Tx, begin: int, end: int) -> int:
    """How many came in that time, counted no further than needed."""
    row = tx.row(
        f"""SELECT count(*) FROM (
            SELECT 1 FROM alertgroup WHERE received BETWEEN :begin AND :end LIMIT {_SOME + 1})""",
        begin=begin,
        end=end,
    )
    return int(row[0]) if row else 0


def _labelled(tx: Tx, field: str, value: str) -> int:
    row = tx.row(
        f"SELECT count(*) FROM (SELECT 1 FROM label WHERE kind = :kind AND value = :value LIMIT {_FEW + 1})",
        kind=filters.LABELS[field],
        value=value,
    )
    return int(row[0]) if row else 0


def _worded(tx: Tx, words: str) -> int:
    row = tx.row(
        f"""SELECT count(*) FROM (
            SELECT 1 FROM alertgroup_words WHERE alertgroup_words MATCH :words LIMIT {_FEW + 1})""",
        words=words,
    )
    return int(row[0]) if row else 0


def _driven(tx: Tx, clauses: Sequence[Clause], narrow: _Narrow) -> Way:
    """Walk what the label or word names; everything else is asked of each alertgroup found there."""
    others = tuple(_without(clause, narrow) for clause in clauses)
    condition, params = filters.of_groups([clause for clause in others if clause is not None], tx.engine)
    if narrow.clause.op == "words":
        tables, id = "alertgroup_words d CROSS JOIN alertgroup g ON g.id = d.rowid", "d.rowid"
        condition += " AND d.alertgroup_words MATCH :narrow"
    else:
        tables, id = "label d CROSS JOIN alertgroup g ON g.id = d.alertgroup", "d.alertgroup"
        condition += f" AND d.kind = '{filters.LABELS[narrow.clause.field]}' AND d.value = :narrow"
    return Way(tables, condition, params | {"narrow": narrow.value}, id)


def _without(clause: Clause, narrow: _Narrow) -> Clause | None:
    """The clause less what is walked already."""
    if clause is not narrow.clause:
        return clause
    rest = tuple(value for value in clause.values if value != narrow.value)
    return None if clause.op == "words" or not rest else Clause(field=clause.field, op=clause.op, values=rest)
