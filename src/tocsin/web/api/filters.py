"""SCOT's listing grammar, as it was meant: query parameters become clauses, a bad one is told what to write instead.

Every value is first tried as JSON (`"x"`, `[1,2]`), and a repeated parameter is a list:

    id views alert_count …   5   !5   [5,6]   ["!5","!6"]   x>=5   3<=x<8
    created updated when     two epochs in any order, [3,7] or 3,7 or repeated; both ends included
    tag source               a   !a   a,b (all)   a|b (any)   ["a","!b"]
    status tlp               one of the words, or a list of them
    subject owner message_id a regular expression (RE2), found anywhere, case folded
    sort limit offset columns
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec
import re2

from tocsin.errors import Malformed
from tocsin.model import TLP, Status
from tocsin.store.filters import Clause, Op

Kind = Literal["number", "date", "label", "status", "tlp", "text", "id_text"]
Query = Mapping[str, list[str]]

NOT_FILTERS = ("columns", "limit", "offset", "sort", "withsubject")
LATEST_S = 9_000_000_000_000
MOST_VALUES = 1000
_INT64 = 2**63


class Field(NamedTuple):
    """What a parameter asks for: the store's name of it, and how its values are read."""

    name: str
    kind: Kind


Grammar = dict[str, Field]

_EVERY: Grammar = {
    "id": Field("id", "number"),
    "severity": Field("severity", "number"),
    "created": Field("created", "date"),
    "updated": Field("updated", "date"),
    "when": Field("received", "date"),
    "received": Field("received", "date"),
    "tag": Field("tag", "label"),
    "tags": Field("tag", "label"),
    "source": Field("source", "label"),
    "sources": Field("source", "label"),
    "status": Field("status", "status"),
    "tlp": Field("tlp", "tlp"),
    "subject": Field("subject", "text"),
    "owner": Field("owner", "text"),
    "message_id": Field("message_id", "id_text"),
}
ALERTGROUPS: Grammar = _EVERY | {
    name: Field(name, "number")
    for name in (
        *("views", "entry_count", "alert_count", "open_count", "closed_count", "promoted_count"),
        *("seen", "folded_into"),
    )
}
ALERTS: Grammar = _EVERY | {"alertgroup": Field("alertgroup", "number")}


class Asked(NamedTuple):
    """A list as it was asked for. `columns` empty: all; `limit` 0: all."""

    clauses: list[Clause]
    sort: list[tuple[str, bool]]
    limit: int
    offset: int
    columns: tuple[str, ...]


class _Values(NamedTuple):
    parameter: str
    texts: list[str]
    listed: bool

    def wrong(self, remedy: str) -> Malformed:
        shown = ", ".join(text[:60] for text in self.texts[:3])
        return Malformed(f"The filter {self.parameter}={shown} cannot be read: {remedy}.")


def asked(query: Query, grammar: Grammar, columns: Sequence[str], also: Sequence[str] = ()) -> Asked:
    """What the query asks of a list whose records have these columns; parameters in `also` are somebody else's.

    Raises Malformed, naming the parameter.
    """
    clauses: list[Clause] = []
    for parameter, raw in query.items():
        if parameter in NOT_FILTERS or parameter in also:
            continue
        field = grammar.get(parameter)
        if field is None:
            known = ", ".join(sorted(grammar))
            raise Malformed(f"There is no filter {parameter!r}: use {known}, or {', '.join((*also, *NOT_FILTERS))}.")
        values = _values(parameter, raw)
        if not values.texts:  # an empty list asks for nothing
            continue
        if len(values.texts) > MOST_VALUES:
            raise Malformed(f"The filter {parameter} has more than {MOST_VALUES:,} values: ask in several turns.")
        clauses += _READERS[field.kind](field.name, values)
    return Asked(
        clauses,
        _sort(query, grammar),
        _count("limit", query, 50),
        _count("offset", query, 0),
        restricted(query, columns),
    )


def restricted(query: Query, columns: Sequence[str]) -> tuple[str, ...]:
    """The columns asked for, in the record's order; empty when all are. Raises Malformed."""
    wanted = _values("columns", query.get("columns", []))
    for name in wanted.texts:
        if name not in columns:
            remedy = "repeat the parameter or give a JSON array of names"
            raise Malformed(f"columns={name[:60]} cannot be read: {remedy}; there are {', '.join(columns)}.")
    return tuple(name for name in columns if name in wanted.texts)


def _values(parameter: str, raw: Sequence[str]) -> _Values:
    texts: list[str] = []
    listed = len(raw) > 1
    for text in raw:
        value = _json(text)
        if isinstance(value, list):
            listed = True
            texts += [_member(parameter, item) for item in value]
        else:
            texts.append(value if isinstance(value, str) else text)
    if any("\x00" in text for text in texts):
        raise Malformed(f"The filter {parameter} holds a NUL character: leave it out.")
    return _Values(parameter, texts, listed)


def _json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return None


def _member(parameter: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return msgspec.json.encode(value).decode()
    raise Malformed(f"The filter {parameter} has a list with something else than texts and numbers in it.")


def _number(values: _Values, text: str) -> int:
    if re.fullmatch(r"-?[0-9]{1,19}", text) and -_INT64 <= (number := int(text)) < _INT64:
        return number
    raise values.wrong("write a whole number, !5 for others, or with x: x>5, x<=5, 3<=x<8")


_BOUNDS = re.compile(r"(?:(-?[0-9]{1,19})(<=|>=|<|>|=))?([A-Za-z_]+)(?:(<=|>=|<|>|=)(-?[0-9]{1,19}))?")
_SIGNS: Mapping[str, Op] = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "=": "eq"}
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}


def _read_numbers(name: str, values: _Values) -> list[Clause]:
    if not values.listed and (bounds := _BOUNDS.fullmatch(re.sub(r"\s", "", values.texts[0]))):
        low, low_sign, _, high_sign, high = bounds.groups()
        clauses: list[Clause] = []
        if low is not None:
            clauses.append(Clause(field=name, op=_SIGNS[_TURNED[low_sign]], values=(_number(values, low),)))
        if high is not None:
            clauses.append(Clause(field=name, op=_SIGNS[high_sign], values=(_number(values, high),)))
        if clauses:
            return clauses
    barred = any(text.startswith("!") for text in values.texts)
    numbers = tuple(_number(values, text.strip().removeprefix("!").strip()) for text in values.texts)
    if values.listed:
        return [Clause(field=name, op="not_in" if barred else "in", values=numbers)]
    return [Clause(field=name, op="ne" if barred else "eq", values=numbers)]


def _read_dates(name: str, values: _Values) -> list[Clause]:
    texts = values.texts if values.listed else values.texts[0].split(",")
    seconds = [int(text) for text in texts if re.fullmatch(r"\s*[0-9]{1,13}\s*", text)]
    if len(texts) != 2 or len(seconds) != 2 or max(seconds) > LATEST_S:
        raise values.wrong("write two times in whole seconds since 1970, such as [1700000000,1700003600]")
    first, last = sorted(seconds)
    return [Clause(field=name, op="between", values=(first * 1_000_000, last * 1_000_000 + 999_999))]


def _read_labels(name: str, values: _Values) -> list[Clause]:
    texts = values.texts
    if not values.listed:
        if "|" in texts[0]:
            texts = [text.strip() for text in texts[0].split("|")]
            if any(not text or text.startswith("!") or "," in text for text in texts):
                raise values.wrong("between | stand plain names; for others ask in several turns")
            return [Clause(field=name, op="any", values=tuple(texts))]
        texts = [text.strip() for text in texts[0].split(",")]
    wanted = tuple(text for text in texts if not text.startswith("!"))
    barred = tuple(text[1:] for text in texts if text.startswith("!"))
    if not all(wanted) or not all(barred):
        raise values.wrong("a name is missing; write a, !a, a,b for all or a|b for any")
    clauses: list[Clause] = []
    if wanted:
        clauses.append(Clause(field=name, op="all", values=wanted))
    if barred:
        clauses.append(Clause(field=name, op="none", values=barred))
    return clauses


def _read_status(name: str, values: _Values) -> list[Clause]:
    if unknown := [text for text in values.texts if text not in list(Status)]:
        raise values.wrong(f"{unknown[0][:60]!r} is not one of {', '.join(Status)}")
    return [Clause(field=name, op="in", values=tuple(values.texts))]


def _read_tlp(name: str, values: _Values) -> list[Clause]:
    try:
        return [Clause(field=name, op="in", values=tuple(TLP(text).value for text in values.texts))]
    except ValueError:
        raise values.wrong(f"write one of {', '.join(TLP)}") from None


def _read_text(name: str, values: _Values) -> list[Clause]:
    return _pattern(name, values, "regex")


def _read_id(name: str, values: _Values) -> list[Clause]:
    return _pattern(name, values, "matches")


def _pattern(name: str, values: _Values, op: Op) -> list[Clause]:
    if values.listed:
        raise values.wrong("write one regular expression; a|b finds either")
    pattern = values.texts[0]
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = False
    try:
        re2.compile(pattern, options)
    except re2.error as error:
        if op == "matches":
            return [Clause(field=name, op="eq", values=(pattern,))]
        reason = error.args[0] if error.args else ""
        reason = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise values.wrong(f"this is no regular expression ({reason}); put \\ before . + ( [ to mean them") from None
    return [Clause(field=name, op=op, values=(pattern,))] if pattern else []


_READERS = {
    "number": _read_numbers,
    "date": _read_dates,
    "label": _read_labels,
    "status": _read_status,
    "tlp": _read_tlp,
    "text": _read_text,
    "id_text": _read_id,
}


def _count(name: str, query: Query, default: int) -> int:
    raw = query.get(name)
    if raw is None:
        return default
    text = _values(name, raw).texts[-1] if _values(name, raw).texts else ""
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise Malformed(f"{name}={text[:60]} cannot be read: write a whole number, 0 or more.")
    return int(text)


def _sort(query: Query, grammar: Grammar) -> list[tuple[str, bool]]:
    wanted: list[tuple[str, bool]] = []
    for raw in query.get("sort", []):
        value = _json(raw)
        match value:
            case dict():
                wanted += [(name, _downwards(name, way)) for name, way in value.items()]
            case list():
                wanted += [_direction(_member("sort", item)) for item in value]
            case _:
                wanted.append(_direction(value if isinstance(value, str) else raw))
    found: dict[str, bool] = {}
    for name, descending in wanted:
        field = grammar.get(name)
        if field is None or field.kind == "label":
            fields = ", ".join(sorted(name for name, field in grammar.items() if field.kind != "label"))
            raise Malformed(f"sort={name[:60]} cannot be read: sort by {fields}, with - before it for downwards.")
        found.setdefault(field.name, descending)
    return list(found.items())


def _direction(text: str) -> tuple[str, bool]:
    text = text.strip()
    return text.lstrip("+-"), text.startswith("-")


def _downwards(name: str, way: Any) -> bool:
    if isinstance(way, bool) or way not in (1, -1, "1", "-1"):
        raise Malformed(f"sort by {name[:60]!r} has no direction: write 1 or -1.")
    return str(way) == "-1"
