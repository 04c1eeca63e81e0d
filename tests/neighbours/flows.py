"""Flows laid into a data set as an import would leave them, and what they are to answer, worked out one by one."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from tocsin.flows import engine
from tocsin.flows.catalogue import Imported, Part, place
from tocsin.flows.dataset import Dataset
from tocsin.flows.kinds import KINDS
from tocsin.flows.searching.fields import FLOWS, columns_of, texts_of
from tocsin.model import Micros
from tocsin.query import matching
from tocsin.query.fields import Kind
from tocsin.query.tree import And, Everything, Exists, Is, Node, Not, Or, Range, Words
from tocsin.query.words import normal

Row = dict[str, Any]
"""A row by the names of its columns; `kind` besides them."""


def lay(dataset: Dataset, rows: Iterable[Row], rows_of_a_part: int = 1000) -> list[Row]:
    """Have them in the data set, in parts by day and kind; the rows with their places, in order."""
    with dataset.catalogue() as catalogue, catalogue.importing():
        id = catalogue.begin("laid", "laid")
        laid = [row | {"place": place(id, line)} for line, row in enumerate(rows, 1)]
        groups: dict[tuple[str, str], list[Row]] = {}
        for row in laid:
            groups.setdefault((_day(row.get("start")), row["kind"]), []).append(row)
        parts = [
            _part(dataset, id, f"{id}-{number}", day, some[at : at + rows_of_a_part])
            for number, ((day, _), some) in enumerate(groups.items())
            for at in range(0, len(some), rows_of_a_part)
        ]
        done = Imported(id, "laid", "laid", 0, id, str(id), len(laid), len(laid), 0, 0, 0)
        catalogue.finish(done, parts)
    return laid


def _day(start: Micros | None) -> str:
    return "unknown" if start is None else dt.datetime.fromtimestamp(start // 1_000_000, dt.UTC).date().isoformat()


def _part(dataset: Dataset, importing: int, name: str, day: str, rows: Sequence[Row]) -> Part:
    kind = KINDS[rows[0]["kind"]]
    places = [row["place"] for row in rows]
    starts = [row["start"] for row in rows if row.get("start") is not None]
    file = f"day={day}/kind={kind.name}/{name}-{places[0]}.parquet"
    path = dataset.folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = path.with_suffix(".json")
    lines.write_bytes(
        b"".join(msgspec.json.encode({one.name: row.get(one.name) for one in kind.columns}) + b"\n" for row in rows)
    )
    columns = ", ".join(f"{engine.name(one.name)}: '{one.type}'" for one in kind.columns)
    with dataset.connection() as connection:
        connection.execute(
            f"COPY (SELECT * FROM read_json({engine.text(lines)}, format = 'newline_delimited',"
            f" columns = {{{columns}}})) TO {engine.text(path)} (FORMAT parquet)"
        )
    lines.unlink()
    span = (min(starts, default=None), max(starts, default=None))
    return Part(file, importing, day, kind.name, len(rows), min(places), max(places), *span)


def means(node: Node, row: Row, now: Micros) -> bool:
    """Whether a query means a row; its label, alertgroup, alert and category stand in it under `said`."""
    match node:
        case Everything():
            return True
        case And():
            return all(means(part, row, now) for part in node.parts)
        case Or():
            return any(means(part, row, now) for part in node.parts)
        case Not():
            return not means(node.part, row, now)
        case Words():
            needle = matching.phrase_needle(node.phrase)
            texts = [text for column in texts_of(row["kind"]) for text in _values(row, column.name)]
            return any(needle in normal(str(text)) for text in texts)
        case Exists():
            return bool(_of_field(node.ref.field, row))
        case Is() | Range():
            field = FLOWS.fields[node.ref.field]
            make: Callable[..., matching.Test] = matching.is_value if isinstance(node, Is) else matching.in_range
            return any(map(make(field, node, now), _of_field(field.name, row)))
    raise AssertionError(node)


def _of_field(name: str, row: Row) -> list[Any]:
    said: Mapping[str, Any] = row.get("said", {})
    if name in ("label", "alertgroup", "alert", "category"):
        found = [said.get(name)]
    elif name == "kind":
        found = [row["kind"]]
    elif name == "alternative":
        found = [KINDS[row["kind"]].alternative]
    else:
        found = [value for column in columns_of(name, row["kind"]) for value in _values(row, column.name)]
    there = [value for value in found if value is not None and value != ""]
    return [_mac(value) for value in there] if FLOWS.fields[name].kind is Kind.MAC else there


def _values(row: Row, column: str) -> list[Any]:
    value = row.get(column)
    return value if isinstance(value, list) else [] if value is None else [value]


def _mac(text: str) -> str:
    digits = "".join(letter for letter in text.lower() if letter in "0123456789abcdef")
    return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))
