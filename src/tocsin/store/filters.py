"""What the API's lists are asked for in SCOT's grammar; of alerts the SQL of it, of alertgroups only the order.

What is asked of alertgroups becomes a query (`query/scot.py`), which `search` finds. Names of fields are looked up in
the tables below, values travel as parameters, so nothing a reader writes becomes part of a statement. Alertgroups stand
under the alias `g`, alerts under `a`.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

from tocsin.errors import Malformed
from tocsin.model import Noun
from tocsin.store.engine import Tx

Op = Literal["eq", "ne", "in", "not_in", "lt", "le", "gt", "ge", "between", "regex", "matches", "all", "any", "none"]
Params = dict[str, object]


class Clause(Noun, frozen=True, kw_only=True):
    """One condition: `values` are integers for columns of numbers and times (microseconds), else text.

    `between` takes two values, both inclusive; `in` and `not_in` any number; `all`, `any` and `none` are for
    labels (tag, source); every other operator takes one. `matches` is the text itself or the regular expression.
    """

    field: str
    op: Op
    values: tuple[int | str, ...]


_GROUP_COLUMNS: Mapping[str, str] = {
    name: f"g.{name}"
    for name in (
        *("id", "alert_count", "open_count", "closed_count", "promoted_count", "severity", "views", "received"),
        *("created", "updated", "seen", "folded_into", "subject", "status", "tlp", "owner", "message_id"),
    )
} | {"entry_count": "g.id * 0"}
"""Alertgroups hold no entries of SCOT's kind; the count stands in its grammar."""
LABELS: Mapping[str, str] = {"tag": "tag", "source": "source"}
_ALERT_COLUMNS: Mapping[str, str] = {
    "id": "a.id",
    "alertgroup": "a.alertgroup",
    "received": "g.received",
    "created": "g.created",
    "updated": "a.updated",
    "severity": "g.severity",
    "status": "a.status",
    "subject": "g.subject",
    "tlp": "g.tlp",
    "owner": "g.owner",
    "message_id": "g.message_id",
}

_SIGNS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "="}


def check(tx: Tx, clauses: Iterable[Clause]) -> None:
    """Ask the engine whether it can read the regular expressions. Raises Malformed.

    They were written for RE2; PostgreSQL reads nearly all of them in the same way, and refuses some.
    """
    for clause in clauses:
        if tx.engine == "postgres" and clause.op in ("regex", "matches"):
            pattern = _pattern(str(clause.values[0]), tx.engine)
            try:
                tx.row("SELECT {regex:'':pattern}", pattern=pattern)
            except Malformed as error:
                raise Malformed(f"The filter {clause.field} has a {error}.") from None


_RE2_ONLY = {"\\b": "\\y", "\\B": "\\Y", "\\z": "\\Z"}


def _pattern(text: str, engine: str) -> str:
    """An RE2 pattern in the engine's spelling."""
    if engine == "sqlite":
        return text
    return re.sub(r"\\.", lambda escape: _RE2_ONLY.get(escape.group(), escape.group()), text)


def of_alerts(clauses: Iterable[Clause], engine: str, prefix: str = "f") -> tuple[str, Params]:
    """The WHERE text (never empty) and its parameters for `FROM alert a JOIN alertgroup g ON g.id = a.alertgroup`.

    Alerts of deleted groups are left out; labels are those of the group. `engine` is the transaction's.
    """
    params: Params = {}

    def put(value: int | str) -> str:
        name = f"{prefix}{len(params)}"
        params[name] = value
        return name

    conditions = ["g.deleted IS NULL"]
    for clause in clauses:
        if clause.field in LABELS:
            conditions += _label(clause, put)
        else:
            conditions.append(_compared(_ALERT_COLUMNS[clause.field], clause, engine, put))
    return " AND ".join(conditions), params


def order_of_groups(sort: Sequence[tuple[str, bool]], id: str = "g.id") -> str:
    """The ORDER BY text for (field, descending) pairs; ends with the id, so paging is stable."""
    return _order({**_GROUP_COLUMNS, "id": id}, id, sort)


def order_of_alerts(sort: Sequence[tuple[str, bool]]) -> str:
    """The same for alerts."""
    return _order(_ALERT_COLUMNS, "a.id", sort)


def _compared(column: str, clause: Clause, engine: str, put: Callable[[int | str], str]) -> str:
    values = clause.values
    if clause.op in _SIGNS:
        return f"{column} {_SIGNS[clause.op]} :{put(values[0])}"
    if clause.op == "ne":
        return f"({column} IS NULL OR {column} <> :{put(values[0])})"
    if clause.op == "between":
        return f"{column} BETWEEN :{put(values[0])} AND :{put(values[1])}"
    if clause.op == "regex":
        return f"{{regex:{column}:{put(_pattern(str(values[0]), engine))}}}"
    if clause.op == "matches":
        pattern = put(_pattern(str(values[0]), engine))
        return f"({column} = :{put(values[0])} OR {{regex:{column}:{pattern}}})"
    if clause.op in ("in", "not_in"):
        listed = ", ".join(f":{put(value)}" for value in values)
        among = f"{column} IN ({listed})" if values else "1 = 0"
        return among if clause.op == "in" else f"({column} IS NULL OR NOT ({among}))"
    raise KeyError(clause.op)


def _label(clause: Clause, put: Callable[[int | str], str]) -> list[str]:
    kind = LABELS[clause.field]
    standing = [f"l.kind = '{kind}' AND l.value = :{put(value)}" for value in clause.values]
    if clause.op in ("any", "in", "eq"):
        one = " OR ".join(f"({each})" for each in standing) or "1 = 0"
        return [f"g.id IN (SELECT l.alertgroup FROM label l WHERE {one})"]
    if clause.op == "all":
        return [f"g.id IN (SELECT l.alertgroup FROM label l WHERE {one})" for one in standing]
    return [f"NOT EXISTS (SELECT 1 FROM label l WHERE l.alertgroup = g.id AND {one})" for one in standing]


def _order(columns: Mapping[str, str], last: str, sort: Sequence[tuple[str, bool]]) -> str:
    parts = [f"{columns[field]} {'DESC' if descending else 'ASC'}" for field, descending in sort]
    if not any(columns[field] == last for field, _ in sort):
        parts.append(f"{last} DESC")
    return ", ".join(parts)
