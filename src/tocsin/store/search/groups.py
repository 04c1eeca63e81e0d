"""Fields of the alertgroup itself: its columns, labels, bodies, message and deliveries. Conditions on `g`."""

from collections.abc import Callable, Mapping, Sequence

from tocsin.query.fields import DELIVERY_STATES, FIELDS, SEVERITIES, Kind, rank
from tocsin.query.tree import Comparable, Exists, Range
from tocsin.query.values import Number, Phrase, Text
from tocsin.store.search import listed, texts, wording
from tocsin.store.search.listed import AnyOf, Leaf
from tocsin.store.search.writing import FALSE, TRUE, Statement, bounds, joined

_NUMBERS: Mapping[str, tuple[str, str]] = {
    "id": ("g.id", ""),
    "rows": ("g.alert_count", ""),
    "open": ("g.open_count", ""),
    "closed": ("g.closed_count", ""),
    "promoted": ("g.promoted_count", ""),
    "views": ("g.views", ""),
    "message": ("g.message", "g.message <> 0"),
    "repeats": ("g.repeats", "g.repeats IS NOT NULL"),
    "folded": ("g.folded_into", "g.folded_into IS NOT NULL"),
    "seen": ("g.seen", ""),
}
"""Field -> column, and what says that there is a value."""
_TIMES: Mapping[str, tuple[str, str]] = {
    "received": ("g.received", ""),
    "created": ("g.created", ""),
    "updated": ("g.updated", ""),
    "viewed": ("g.firstview", "g.firstview >= 0"),
    "last_seen": ("coalesce(g.last_seen, g.received)", ""),
}
_CHOICES = {"status": "g.status", "tlp": "g.tlp"}
_TEXTS = {"subject": "g.subject", "owner": "g.owner", "message_id": "g.message_id"}
_LABELS = ("source", "tag")
_MESSAGE = {"via": "m.source", "sender": "m.sender", "parser": "m.parser"}
_BODY = "alertgroup_text y LEFT JOIN body_text z ON z.alertgroup = y.alertgroup"
_BODY_TEXT = "coalesce(nullif(y.body_plain, ''), z.text, '')"


def holds(s: Statement, leaf: Leaf) -> str:
    """Whether `g` has such a value."""
    name = leaf.ref.field
    if name in _NUMBERS:
        return _number(s, leaf)
    if name in _TIMES:
        column, there = _TIMES[name]
        asked = listed.moments(s, column, leaf)
        return joined([*filter(None, [there]), asked], "AND")
    return _OTHERS[name](s, leaf)


def names(s: Statement, leaf: Leaf) -> str | None:
    """A SELECT of the alertgroups that have such a value, where an index lists them."""
    name = leaf.ref.field
    if name in _LABELS:
        return f"SELECT l.alertgroup AS id FROM label l WHERE {_label(s, leaf)}"
    if name in ("subject", "body") and isinstance(leaf, AnyOf):
        found = [value for value in leaf.values if isinstance(value, Phrase)]
        return wording.names(s, [found], name) if len(found) == len(leaf.values) else None
    if name == "delivery":
        return f"SELECT d.alertgroup AS id FROM delivery d WHERE {_owed(s, leaf)}" if _is_undelivered(leaf) else None
    if name in ("received", "created", "updated", "gathered"):
        return f"SELECT g.id AS id FROM alertgroup g WHERE {holds(s, leaf)}"
    whole = isinstance(leaf, AnyOf) and all(isinstance(value, Text | Number) for value in leaf.values)
    if whole and name in ("owner", "message_id", "id", "message"):
        return f"SELECT g.id AS id FROM alertgroup g WHERE {holds(s, leaf)}"
    return None


def _number(s: Statement, leaf: Leaf) -> str:
    column, there = _NUMBERS[leaf.ref.field]
    match leaf:
        case Exists():
            return there or TRUE
        case Range():
            limits = [s.put(one.number) if isinstance(one, Number) else None for one in (leaf.low, leaf.high)]
            asked = bounds(column, *limits, low_in=leaf.low_in, high_in=leaf.high_in)
        case AnyOf(values=values):
            whole = [int(value.number) for value in values if isinstance(value, Number)]
            others = [value for value in values if not isinstance(value, Number)]
            found = [f"{column} {s.numbers(whole)}"] if whole else []
            asked = joined([*found, *([_as_text(s, column, others)] if others else [])], "OR")
    return joined([*filter(None, [there]), asked], "AND")


def _as_text(s: Statement, column: str, values: Sequence[Comparable]) -> str:
    """SCOT's filters lay regular expressions over numbers too."""
    return texts.among(s, f"CAST({column} AS TEXT)", values)


def _choice(s: Statement, leaf: Leaf) -> str:
    column, field = _CHOICES[leaf.ref.field], FIELDS[leaf.ref.field]
    match leaf:
        case Exists():
            return f"{column} <> 'unset'" if "unset" in field.choices else TRUE
        case Range():
            low, high = (rank(field, one.text) if isinstance(one, Text) else None for one in (leaf.low, leaf.high))
            ranks = {choice: rank(field, choice) for choice in field.choices}
            found = [choice for choice, at in ranks.items() if at is not None and _between(at, low, high, leaf)]
            return f"{column} {s.texts(found)}" if found else FALSE
        case AnyOf(values=values):
            return texts.among(s, column, values)


def _gathered(s: Statement, leaf: Leaf) -> str:
    asked = texts.among(s, "g.gathered", leaf.values) if isinstance(leaf, AnyOf) else TRUE
    return f"(g.gathered IS NOT NULL AND {asked})"


def _between(at: int, low: int | None, high: int | None, asked: Range) -> bool:
    above = low is None or (at >= low if asked.low_in else at > low)
    return above and (high is None or (at <= high if asked.high_in else at < high))


def _severity(s: Statement, leaf: Leaf) -> str:
    column, field = "g.severity", FIELDS["severity"]
    match leaf:
        case Exists():
            return f"{column} IS NOT NULL"
        case Range():
            limits = [s.put(rank(field, one.text)) if isinstance(one, Text) else None for one in (leaf.low, leaf.high)]
            asked = bounds(column, *limits, low_in=leaf.low_in, high_in=leaf.high_in)
        case AnyOf(values=values):
            whens = " ".join(f"WHEN {level} THEN '{word}'" for level, word in enumerate(SEVERITIES))
            levels = [rank(field, value.text) for value in values if isinstance(value, Text)]
            others = [value for value in values if not isinstance(value, Text)]
            found = [f"{column} {s.numbers([level for level in levels if level is not None])}"] if levels else []
            if others:
                found.append(texts.among(s, f"(CASE {column} {whens} ELSE '' END)", others))
            asked = joined(found, "OR")
    return f"({column} IS NOT NULL AND {asked})"


def _text(s: Statement, leaf: Leaf) -> str:
    column = _TEXTS[leaf.ref.field]
    if isinstance(leaf, AnyOf) and FIELDS[leaf.ref.field].kind is Kind.WORDS:
        return _worded(s, leaf, lambda rest: texts.among(s, column, rest))
    # An index leaves out those that have none.
    return f"({column} <> '' AND {texts.among(s, column, leaf.values) if isinstance(leaf, AnyOf) else TRUE})"


def _body(s: Statement, leaf: Leaf) -> str:
    def among(rest: Sequence[Comparable]) -> str:
        asked = f"{_BODY_TEXT} <> '' AND {texts.among(s, _BODY_TEXT, rest) if rest else TRUE}"
        return f"EXISTS (SELECT 1 FROM {_BODY} WHERE y.alertgroup = g.id AND {asked})"

    return _worded(s, leaf, among) if isinstance(leaf, AnyOf) else among([])


def _worded(s: Statement, leaf: AnyOf, among: Callable[[Sequence[Comparable]], str]) -> str:
    """Phrases are asked of the index of words, everything else of the whole text."""
    phrases = [value for value in leaf.values if isinstance(value, Phrase)]
    rest = [value for value in leaf.values if not isinstance(value, Phrase)]
    found = [wording.holds(s, [phrases], leaf.ref.field)] if phrases else []
    return joined([*found, *([among(rest)] if rest else [])], "OR")


def _labelled(s: Statement, leaf: Leaf) -> str:
    return f"EXISTS (SELECT 1 FROM label l WHERE l.alertgroup = g.id AND {_label(s, leaf)})"


def _label(s: Statement, leaf: Leaf) -> str:
    asked = texts.among(s, "l.value", leaf.values) if isinstance(leaf, AnyOf) else TRUE
    return f"l.kind = '{leaf.ref.field}' AND l.value <> '' AND {asked}"


def _column(s: Statement, leaf: Leaf) -> str:
    columns = s.items("g.columns" if s.sqlite else "readable_json(g.columns)", "v")
    asked = texts.among(s, "v.value", leaf.values) if isinstance(leaf, AnyOf) else TRUE
    return f"EXISTS (SELECT 1 FROM {columns} WHERE v.value <> '' AND {asked})"


def _of_message(s: Statement, leaf: Leaf) -> str:
    column = _MESSAGE[leaf.ref.field]
    asked = texts.among(s, column, leaf.values) if isinstance(leaf, AnyOf) else TRUE
    return f"EXISTS (SELECT 1 FROM message m WHERE m.id = g.message AND {column} <> '' AND {asked})"


def _delivered(s: Statement, leaf: Leaf) -> str:
    return f"EXISTS (SELECT 1 FROM delivery d WHERE d.alertgroup = g.id AND {_owed(s, leaf)})"


def _owed(s: Statement, leaf: Leaf) -> str:
    parts = [f"d.lane = {s.put(leaf.ref.of)}"] if leaf.ref.of else []
    if isinstance(leaf, AnyOf):
        if _is_undelivered(leaf):
            # Our own words, written out, so that an index of what is not delivered serves.
            parts.append(f"d.state <> 'delivered' AND d.state = '{_state(leaf)}'")
        else:
            parts.append(texts.among(s, "d.state", leaf.values))
    return joined(parts, "AND")


def _is_undelivered(leaf: Leaf) -> bool:
    return _state(leaf) in DELIVERY_STATES and _state(leaf) != "delivered"


def _state(leaf: Leaf) -> str:
    value = leaf.values[0] if isinstance(leaf, AnyOf) and len(leaf.values) == 1 else None
    return value.text if isinstance(value, Text) else ""


_OTHERS: Mapping[str, Callable[[Statement, Leaf], str]] = {
    "status": _choice,
    "tlp": _choice,
    "gathered": _gathered,
    "severity": _severity,
    "subject": _text,
    "owner": _text,
    "message_id": _text,
    "body": _body,
    "source": _labelled,
    "tag": _labelled,
    "column": _column,
    "via": _of_message,
    "sender": _of_message,
    "parser": _of_message,
    "delivery": _delivered,
}
