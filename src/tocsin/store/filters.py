"""What a list is asked for, and the SQL of it: the only place where a filter becomes text of a statement.

The API speaks in clauses (SCOT's listing grammar), the pages in one `Filter`; both end in the same SQL.
Names of fields are looked up in the tables below, values travel as parameters, so nothing a reader writes
becomes part of a statement. Alertgroups stand under the alias `g`, alerts under `a`.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

from tocsin.errors import Malformed
from tocsin.model import TLP, Micros, Noun, Severity, Status
from tocsin.store.engine import Tx

Op = Literal[
    "eq", "ne", "in", "not_in", "lt", "le", "gt", "ge", "between", "regex", "matches", "words", "all", "any", "none"
]
Params = dict[str, object]


class Clause(Noun, frozen=True, kw_only=True):
    """One condition: `values` are integers for columns of numbers and times (microseconds), else text.

    `between` takes two values, both inclusive; `in` and `not_in` any number; `all`, `any` and `none` are for
    labels (tag, source); every other operator takes one. `matches` is the text itself or the regular expression;
    `words` is for the subject and asks the index of words: each must begin one of the subject's.
    """

    field: str
    op: Op
    values: tuple[int | str, ...]


class Filter(Noun, frozen=True, kw_only=True):
    """What the pages offer under the headers of a list; an empty field asks for nothing."""

    ids: tuple[int, ...] = ()
    statuses: tuple[Status, ...] = ()
    subject: str = ""
    """Words; each must begin a word of the subject, whatever its case."""
    sources: tuple[str, ...] = ()
    """All of them."""
    tags: tuple[str, ...] = ()
    """All of them; one that begins with `!` must be absent. The same goes for sources."""
    tlps: tuple[TLP, ...] = ()
    owner: str = ""
    message_id: str = ""
    min_severity: Severity | None = None
    received_from: Micros | None = None
    received_to: Micros | None = None
    min_rows: int | None = None
    max_rows: int | None = None
    min_views: int | None = None
    max_views: int | None = None


GROUP_NUMBERS: Mapping[str, str] = {
    name: f"g.{name}"
    for name in (
        "id",
        "alert_count",
        "open_count",
        "closed_count",
        "promoted_count",
        "severity",
        "views",
        "received",
        "created",
        "updated",
        "seen",
    )
} | {"entry_count": "0", "folded_into": "g.folded_into"}
"""Alertgroups hold no entries of SCOT's kind; the count stands in its grammar."""
GROUP_TEXTS: Mapping[str, str] = {name: f"g.{name}" for name in ("subject", "status", "tlp", "owner", "message_id")}
LABELS: Mapping[str, str] = {"tag": "tag", "source": "source"}
ALERT_NUMBERS: Mapping[str, str] = {
    "id": "a.id",
    "alertgroup": "a.alertgroup",
    "received": "g.received",
    "created": "g.created",
    "updated": "a.updated",
    "severity": "g.severity",
}
ALERT_TEXTS: Mapping[str, str] = {
    "status": "a.status",
    "subject": "g.subject",
    "tlp": "g.tlp",
    "owner": "g.owner",
    "message_id": "g.message_id",
}

_SIGNS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "="}
_WORDS = {
    "sqlite": "g.id IN (SELECT rowid FROM alertgroup_words WHERE alertgroup_words MATCH :{})",
    "postgres": "to_tsvector('simple', g.subject) @@ to_tsquery('simple', :{})",
}


def _fts5(words: str) -> str:
    return " AND ".join('"' + word.replace('"', '""') + '" *' for word in words.split() if _says_something(word))


def _tsquery(words: str) -> str:
    quoted = (word.replace("\\", " ").replace("'", " ") for word in words.split() if _says_something(word))
    return " & ".join(f"'{word}':*" for word in quoted)


def _says_something(word: str) -> bool:
    """Whether the index knows anything of the word: marks alone are no words."""
    return any(letter.isalnum() for letter in word)


_WORD_QUERY: Mapping[str, Callable[[str], str]] = {"sqlite": _fts5, "postgres": _tsquery}


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


def words_query(engine: str, words: str) -> str:
    """Words as the engine's index of them is asked."""
    return _WORD_QUERY[engine](words)


def of_groups(clauses: Iterable[Clause], engine: str, prefix: str = "f") -> tuple[str, Params]:
    """The WHERE text (never empty) and its parameters for `FROM alertgroup g`; deleted groups are left out.

    So are folded ones, unless they are asked for, or alertgroups are named by their ids. `engine` is the transaction's:
    the index of words is asked differently.
    """
    clauses = list(clauses)
    where, params = _where({**GROUP_NUMBERS, **GROUP_TEXTS}, clauses, engine, prefix, walked=True)
    asked = any(one.field == "folded_into" or (one.field == "id" and one.op in ("eq", "in")) for one in clauses)
    return where if asked else f"{where} AND g.folded_into IS NULL", params


def of_alerts(clauses: Iterable[Clause], engine: str, prefix: str = "f") -> tuple[str, Params]:
    """The same for `FROM alert a JOIN alertgroup g ON g.id = a.alertgroup`; labels are those of the group."""
    return _where({**ALERT_NUMBERS, **ALERT_TEXTS}, clauses, engine, prefix, walked=False)


def order_of_groups(sort: Sequence[tuple[str, bool]]) -> str:
    """The ORDER BY text for (field, descending) pairs; ends with the id, so paging is stable."""
    return _order({**GROUP_NUMBERS, **GROUP_TEXTS}, "g.id", sort)


def order_of_alerts(sort: Sequence[tuple[str, bool]]) -> str:
    """The same for alerts."""
    return _order({**ALERT_NUMBERS, **ALERT_TEXTS}, "a.id", sort)


def clauses_of(asked: Filter) -> tuple[Clause, ...]:
    """The pages' filter in clauses."""
    found: list[Clause] = []
    _lists(asked, found)
    if any(_says_something(word) for word in asked.subject.split()):
        found.append(Clause(field="subject", op="words", values=(asked.subject,)))
    exact = (("owner", asked.owner), ("message_id", asked.message_id))
    found += [Clause(field=field, op="eq", values=(text,)) for field, text in exact if text]
    bounds: tuple[tuple[str, Op, int | None], ...] = (
        ("severity", "ge", asked.min_severity),
        ("received", "ge", asked.received_from),
        ("received", "le", asked.received_to),
        ("alert_count", "ge", asked.min_rows),
        ("alert_count", "le", asked.max_rows),
        ("views", "ge", asked.min_views),
        ("views", "le", asked.max_views),
    )
    found += [Clause(field=field, op=op, values=(int(value),)) for field, op, value in bounds if value is not None]
    return tuple(found)


def _lists(asked: Filter, found: list[Clause]) -> None:
    if asked.ids:
        found.append(Clause(field="id", op="in", values=asked.ids))
    if asked.statuses:
        found.append(Clause(field="status", op="in", values=tuple(str(status) for status in asked.statuses)))
    if asked.tlps:
        found.append(Clause(field="tlp", op="in", values=tuple(str(tlp) for tlp in asked.tlps)))
    for field, labels in (("source", asked.sources), ("tag", asked.tags)):
        if wanted := tuple(label for label in labels if not label.startswith("!")):
            found.append(Clause(field=field, op="all", values=wanted))
        if barred := tuple(label[1:] for label in labels if label.startswith("!")):
            found.append(Clause(field=field, op="none", values=barred))


def _where(
    columns: Mapping[str, str], clauses: Iterable[Clause], engine: str, prefix: str, *, walked: bool
) -> tuple[str, Params]:
    params: Params = {}

    def put(value: int | str) -> str:
        name = f"{prefix}{len(params)}"
        params[name] = value
        return name

    conditions = ["g.deleted IS NULL"]
    for clause in clauses:
        if clause.field in LABELS:
            conditions += _label(clause, put, walked=walked)
        elif clause.op == "words":
            conditions.append(_WORDS[engine].format(put(words_query(engine, str(clause.values[0])))))
        else:
            conditions.append(_compared(columns[clause.field], clause, engine, put))
    return " AND ".join(conditions), params


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


def _label(clause: Clause, put: Callable[[int | str], str], *, walked: bool) -> list[str]:
    """`walked`: `paging` has chosen what is looked through, and each alertgroup met there is asked for its labels."""
    kind = LABELS[clause.field]
    standing = [f"l.kind = '{kind}' AND l.value = :{put(value)}" for value in clause.values]
    if clause.op in ("any", "in", "eq"):
        one = " OR ".join(f"({each})" for each in standing) or "1 = 0"
        return [f"g.id IN (SELECT l.alertgroup FROM label l WHERE {one})"]
    if clause.op == "all" and not walked:
        return [f"g.id IN (SELECT l.alertgroup FROM label l WHERE {one})" for one in standing]
    barred = "" if clause.op == "all" else "NOT "
    return [f"{barred}EXISTS (SELECT 1 FROM label l WHERE l.alertgroup = g.id AND {one})" for one in standing]


def _order(columns: Mapping[str, str], last: str, sort: Sequence[tuple[str, bool]]) -> str:
    parts = [f"{columns[field]} {'DESC' if descending else 'ASC'}" for field, descending in sort]
    if not any(columns[field] == last for field, _ in sort):
        parts.append(f"{last} DESC")
    return ", ".join(parts)
