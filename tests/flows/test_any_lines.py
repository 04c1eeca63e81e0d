"""Whatever stands in a line: it becomes a row, is kept aside or is left, and no other line is lost for it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neighbours.imported import SAMPLES
from tocsin.flows import engine
from tocsin.flows.kinds import KINDS
from tocsin.flows.reading import argus, eve, nfdump
from tocsin.flows.reading.delimited import Delimited
from tocsin.flows.reading.reader import Piece

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FORMS = {
    "eve.json": eve.recognise,
    "argus.binetflow": argus.recognise,
    "argus.tabs.binetflow": argus.recognise,
    "nfdump-1.7.1.csv": nfdump.recognise,
    "nfdump-1.7.5.csv": nfdump.recognise,
}

odd = st.one_of(
    st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=12),
    st.sampled_from(
        [
            "-1", "1.5", "1e400", "nan", "infinity", "0x", "0xffff", "65536", "99999999999999999999", "true", "\\", "'",
            "9999-12-31 23:59:59", "0000-01-01T00:00:00Z", "2026-02-30T10:00:00", "2026-03-01T10:00:60+9999",
            "99999999999.999999999", "1700000000.9999999", "epoch", "-infinity", "1.2.3.4.5", "8.0", "8.", "\0",
        ]
    ),
)  # fmt: skip
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | odd,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(odd, inner, max_size=2),
    max_leaves=4,
)


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator["DuckDBPyConnection"]:
    """One DuckDB for all examples."""
    folder = tmp_path_factory.mktemp("flows")
    (folder / engine.SPILL).mkdir()
    connection = engine.connect(folder, memory_mb=200, threads=2)
    yield connection
    connection.close()


def read(lines: list[str], file: Path, name: str, connection: "DuckDBPyConnection") -> dict[int, str]:
    """The number of every line that became something, and what: a kind, or `malformed`."""
    reader = FORMS[name]((SAMPLES / name).read_bytes())
    assert isinstance(reader, eve.Eve | Delimited)
    file.write_text("".join(f"{line}\n" for line in lines), newline="")
    found = reader.read(Piece(file, 1, len(lines), True), connection)
    became = [
        (no, kind)
        for kind, rows in found.rows.items()
        for no, *_ in connection.execute(f"SELECT no, * FROM ({_typed(kind, rows, connection)})").fetchall()
    ]
    if found.malformed:
        became += [(no, "malformed") for no, _, _ in connection.execute(found.malformed).fetchall()]
    assert len(became) + found.skipped == len(lines)
    assert len(dict(became)) == len(became), "no line became two"
    return dict(became)


def _typed(kind: str, rows: str, connection: "DuckDBPyConnection") -> str:
    """The rows, after a look at the types of their columns."""
    types = {column.name: column.type for column in KINDS[kind].columns} | {"no": "BIGINT"}
    for column, type_, *_ in connection.execute(f"DESCRIBE {rows}").fetchall():
        assert type_ == types[column], f"{kind}.{column}"
    return rows


@pytest.mark.parametrize("name", [name for name in FORMS if name != "eve.json"])
@given(data=st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_field_may_hold_anything(
    data: st.DataObject, name: str, connection: "DuckDBPyConnection", tmp_path: Path
) -> None:
    header, first, *_ = (SAMPLES / name).read_text().splitlines()
    delimiter = "\t" if "\t" in header else ","
    lines = [header, first]
    for _ in range(4):
        fields = first.split(delimiter)
        for at in data.draw(st.lists(st.integers(0, len(fields) - 1), max_size=3)):
            fields[at] = data.draw(odd)
        lines.append(delimiter.join(fields))
    became = read([*lines, first], tmp_path / "piece", name, connection)
    kind = "argus" if name.startswith("argus") else "nfdump"
    assert became[2] == became[len(lines) + 1] == kind
    assert set(became) >= set(range(2, len(lines) + 2)) - _blank(lines)


def _blank(lines: list[str]) -> set[int]:
    return {number for number, line in enumerate(lines, 1) if not line.strip()}


@given(data=st.data())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_event_may_hold_anything(data: st.DataObject, connection: "DuckDBPyConnection", tmp_path: Path) -> None:
    samples = [json.loads(line) for line in (SAMPLES / "eve.json").read_text().splitlines()[:13]]
    lines = []
    for _ in range(4):
        event = data.draw(st.sampled_from(samples))
        inner = [event, *(value for value in event.values() if isinstance(value, dict))]
        where = data.draw(st.sampled_from(range(len(inner))))
        key = data.draw(st.sampled_from(sorted(inner[where])))
        changed = json.loads(json.dumps(event))
        (changed if where == 0 else next(v for k, v in changed.items() if v == inner[where]))[key] = data.draw(values)
        lines.append(json.dumps(changed))
    whole = json.dumps(samples[0])
    became = read([whole, *lines, whole], tmp_path / "piece", "eve.json", connection)
    assert became[1] == became[len(lines) + 2] == "conn"
