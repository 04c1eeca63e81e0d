"""The fields under the headers of the list, and the query they write into: what each says there, and what it shows.

A field shows what the query says where it can be said in it; what was typed otherwise stays in the query, out of the
field's reach, but for `status`, `id` and `received`, which an alertgroup has once: those are exchanged as a whole.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from tocsin.errors import Malformed
from tocsin.model import Micros, Status
from tocsin.query import dates, editing, parse
from tocsin.query.editing import Part
from tocsin.query.tree import Is, Node, Not, Or, Range
from tocsin.query.values import Date, Glob, Number, Phrase, Text, glob, letters, literal
from tocsin.query.words import words
from tocsin.web.pages import ranges

FIELDS = ("id", "status", "subject", "source", "tag", "from", "to")
SPANS: Mapping[str, str] = {"1h": "last hour", "24h": "last 24 h", "7d": "last 7 days"}
OTHERWISE = "…"
"""What a field of one choice shows where the query says more than it can show."""
MOST_IDS = 1000
MOST_ITEMS = 50
_LABEL = re.compile(r"[^,*?!\"][^,*?]*")
_ITEM = re.compile(r'"[^"]*"|\S+')


class Said(NamedTuple):
    """What the fields show of a query, and the time range in a few words."""

    fields: Mapping[str, str]
    span: str


class Written(NamedTuple):
    """A query with what stands in the fields; `problems` by field, `received` for the two times."""

    query: str
    problems: Mapping[str, str]


class Wrong(Malformed):
    """A field that cannot be read."""


def said(query: str, now: Micros) -> Said:
    """What the query says that the fields can show. Raises BadQuery."""
    shown: dict[str, list[str]] = {name: [] for name in FIELDS}
    span = "any time"
    for part in editing.parts(query):
        name = _field_of(part.node)
        if name == "received":
            span = _show_span(part, query, shown, now)
        elif name in ("id", "status"):
            one = _SHOWN[name](part.node)
            shown[name] = [OTHERWISE] if one is None or shown[name] else [one]
        elif name:
            shown[name] += filter(None, (_SHOWN[name](node) for node in editing.flat(part.node)))
    joints = {"subject": " ", "source": ", ", "tag": ", "}
    return Said({name: joints.get(name, "").join(texts) for name, texts in shown.items()}, span)


def written(query: str, fields: Mapping[str, str], before: Mapping[str, str], span: str) -> Written:
    """The query with what was changed in the fields, and the time range `span` (or any) that was pressed.

    Raises BadQuery when the query itself cannot be read. A field that cannot is left out, and named.
    """
    problems: dict[str, str] = {}
    for name in ("id", "status", "subject", "source", "tag", "received"):
        try:
            new = _from_fields(name, fields, before, span)
        except Wrong as error:
            problems[name] = str(error)
        else:
            query = query if new is None else editing.changed(query, _replaced(name), new)
    return Written(query, problems)


def _from_fields(name: str, fields: Mapping[str, str], before: Mapping[str, str], span: str) -> str | None:
    """What a field asks for now, None if nobody changed it."""
    if name == "received":
        if span:
            return f"received>=now-{span}" if span in SPANS else ""
        new = _range(fields)
        return None if new == _range(before) else new
    if fields[name] == before[name]:
        return None
    new = _WRITTEN[name](fields[name])
    # `web-1` and `web.1` are the same words: compared by what they mean.
    same = before[name] != OTHERWISE and parse(new) == parse(_WRITTEN[name](before[name]))
    return None if same else new


def _field_of(node: Node) -> str:
    """The one field a condition asks for, if it stands under a header."""
    for name in ("id", "status", "subject", "source", "tag", "received"):
        if editing.only_of((name,))(node):
            return name
    return ""


def _replaced(name: str) -> Callable[[Node], bool]:
    """Which conditions a field takes the place of."""
    if name in ("id", "status", "received"):
        return editing.only_of((name,))
    return lambda node: editing.only_of((name,))(node) and _SHOWN[name](node) is not None


def _show_status(node: Node) -> str | None:
    return node.value.text if isinstance(node, Is) and isinstance(node.value, Text) else None


def _write_status(text: str) -> str:
    return f"status:{text}" if text in list(Status) else ""


def _show_ids(node: Node) -> str | None:
    found: list[str] = []
    for one in node.parts if isinstance(node, Or) else (node,):
        match one:
            case Is(value=Number(number=number)):
                found.append(str(number))
            case Range(low=Number(number=low), high=Number(number=high), low_in=True, high_in=True):
                found.append(f"{low}-{high}")
            case _:
                return None
    return ",".join(found)


def _write_ids(text: str) -> str:
    try:
        found = ranges.read(re.sub(r"[\s,]+", ",", text.removeprefix(OTHERWISE)).strip(","))
    except Malformed as error:
        raise Wrong(str(error)) from None
    spans = ranges.written(found).split(",") if found else []
    if len(spans) > MOST_IDS:
        raise Wrong(f"The id filter takes at most {MOST_IDS:,} ids and ranges.")
    shown = [f"[{span.replace('-', ' TO ')}]" if "-" in span else span for span in spans]
    return f"id:({' or '.join(shown)})" if len(shown) > 1 else f"id:{shown[0]}" if shown else ""


def _show_word(node: Node) -> str | None:
    if not isinstance(node, Is) or not isinstance(node.value, Phrase):
        return None
    if node.value.prefix:
        return ".".join(node.value.words)
    return f'"{" ".join(node.value.words)}"'


def _write_words(text: str) -> str:
    """Each word begins one of the subject's; what stands in quotes is meant as it is."""
    found: list[str] = []
    for item in _ITEM.findall(text)[:MOST_ITEMS]:
        exact = item.startswith('"') and item.endswith('"') and len(item) > 1
        if not words(item):
            continue
        if exact:
            found.append(literal(item[1:-1]))
        else:
            plain = literal(item)
            found.append(f"{plain}*" if plain == item else f"{Phrase(words(item), prefix=True)}")
    return f"subject:({' '.join(found)})" if len(found) > 1 else f"subject:{found[0]}" if found else ""


def _show_label(node: Node) -> str | None:
    sign = "!" if isinstance(node, Not) else ""
    one = node.part if isinstance(node, Not) else node
    match one:
        case Is(value=Text(text=text)) if _LABEL.fullmatch(text) and text == text.strip():
            return f"{sign}{text}"
        case Is(value=Glob(text=text)) if not set(text) & set('\\,"') and not text.startswith("!"):
            return f"{sign}{text}"
    return None


def _write_labels(kind: str) -> Callable[[str], str]:
    def write(text: str) -> str:
        found: list[str] = []
        for item in list(filter(None, map(str.strip, text.split(","))))[:MOST_ITEMS]:
            bare = item.removeprefix("!").strip()
            if not bare:
                continue
            value = str(glob(letters(bare))) if set(bare) & set("*?") and "\\" not in bare else literal(bare)
            found.append(f"{'not ' if item.startswith('!') else ''}{kind}:{value}")
        return " and ".join(found)

    return write


_SHOWN: Mapping[str, Callable[[Node], str | None]] = {
    "id": _show_ids,
    "status": _show_status,
    "subject": _show_word,
    "source": _show_label,
    "tag": _show_label,
}
_WRITTEN: Mapping[str, Callable[[str], str]] = {
    "id": _write_ids,
    "status": _write_status,
    "subject": _write_words,
    "source": _write_labels("source"),
    "tag": _write_labels("tag"),
}


def _show_span(part: Part, query: str, shown: dict[str, list[str]], now: Micros) -> str:
    """Put the time range into its two fields, if it is two points in time, and say it in a few words."""
    node = part.node
    typed = query[part.start : part.end]
    if not isinstance(node, Range):
        return typed
    low, high = node.low, node.high
    if high is None and node.low_in and isinstance(low, Date) and low.text.removeprefix("now-") in SPANS:
        return SPANS[low.text.removeprefix("now-")]
    if any(isinstance(limit, Date) and limit.text.startswith("now") for limit in (low, high)):
        return typed
    if isinstance(low, Date):
        shown["from"] = [_iso(dates.bounds(low.text, now)[0 if node.low_in else 1])]
    if isinstance(high, Date):
        shown["to"] = [_iso(dates.bounds(high.text, now)[1 if node.high_in else 0] - 1)]
    return "range set"


def _iso(time: Micros) -> str:
    """As the field of a form takes a time: to the second, without a zone, meaning UTC."""
    return dates.of_time(time)[:19]


def _range(times: Mapping[str, str]) -> str:
    first, last = (_moment(times[name]) for name in ("from", "to"))
    if first and last:
        return f"received:[{first} TO {last}]"
    return f"received>={first}" if first else f"received<={last}" if last else ""


def _moment(text: str) -> str:
    """A time of the form, to the second; without a zone it is UTC. Raises Wrong."""
    if not text:
        return ""
    try:
        when = datetime.fromisoformat(text)
        when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Wrong(f"{text[:40]!r} is not a date and time such as 2026-05-04T13:30.") from None
    return f"{when.year:04}{when:-%m-%dT%H:%M:%S}Z"
