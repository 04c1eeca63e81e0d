"""Exports come back equal: what others read from them is what is stored, whatever stands in it."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neighbours.imported import REAL, SAMPLES, imported, rows
from neighbours.labels import told, triaged
from neighbours.parts import Row, S, T, lay, micros, read_json, read_tsv
from tocsin.flows.dataset import Dataset
from tocsin.flows.exporting.export import export_file
from tocsin.flows.exporting.plan import Form, Profile, Wish
from tocsin.flows.exporting.shape import KEYS, named
from tocsin.flows.kinds import ALTERNATIVE, FLOWS, KINDS, Column
from tocsin.model import Detection

LABELS = {"label": "benign", "alertgroup": None, "alert": None, "category": None}
SLIPS = ["uid", "flow", "label", "profileid", "twid", "aid"]


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """An empty data set."""
    return Dataset(tmp_path / "flows", memory_mb=200, threads=2)


def written(dataset: Dataset, form: Form, profile: Profile = "slips", **rest: Any) -> Path:
    """An export of everything, in a file of its own."""
    file = dataset.folder / f"out.{profile}.{form}"
    export_file(dataset, Wish(form, profile, **{"alternative": True, **rest}), file, now=T)
    return file


def stored(dataset: Dataset) -> list[tuple[str, Row]]:
    """Kind and cells of every row, in the order of an export."""
    return [(kind, row) for kind in FLOWS + ALTERNATIVE for row in rows(dataset, kind)]


def in_tsv(column: Column, value: Any) -> str:
    """A cell of the flat shape as TSV has it."""
    if value is None:
        return ""
    if column.type == "BOOLEAN":
        return str(value).lower()
    if column.type.endswith("[]"):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return str(value)


def in_flow(column: Column, value: Any) -> Any:
    """A value of Slips' `flow` object."""
    if value is None:
        return "" if column.type == "VARCHAR" else [] if column.type.endswith("[]") else None
    return value


def assert_come_back_equal(dataset: Dataset) -> None:
    """All four: flat and as Slips, TSV and JSON."""
    expected = stored(dataset)
    flat_json, flat_tsv = read_json(written(dataset, "json", "flat")), read_tsv(written(dataset, "tsv", "flat"))
    slips_json, slips_tsv = read_json(written(dataset, "json")), read_tsv(written(dataset, "tsv"))

    assert [len(each) for each in (flat_json, flat_tsv, slips_json, slips_tsv)] == [len(expected)] * 4
    for (kind, row), as_json, as_tsv, slips, line in zip(
        expected, flat_json, flat_tsv, slips_json, slips_tsv, strict=True
    ):
        columns = {column.name: column for column in KINDS[kind].columns if column.name != "place"}
        back = {name: as_json[named(kind, name)] for name in columns}
        for time in ("start", "finish"):
            back[time] = None if back[time] is None else round(back[time] * S)
            assert micros(as_tsv[time]) == row[time]
        assert {**back, "place": row["place"]} == row
        assert as_json["kind"] == as_tsv["kind"] == kind
        for name, column in columns.items():
            cell = as_tsv[named(kind, name)]
            if column.type.endswith("[]") and cell:
                assert json.loads(cell) == row[name]
            elif column.type == "DOUBLE" and cell:
                assert float(cell) == row[name]
            elif name not in ("start", "finish"):
                assert cell == in_tsv(column, row[name])
        assert_as_slips(kind, row, slips)
        assert {**line, "flow": json.loads(line["flow"])} == slips


def assert_as_slips(kind: str, row: Row, slips: Row) -> None:
    """The row in Slips' shape."""
    assert list(slips) == [*SLIPS, "flow_type"]
    assert list(slips["flow"]) == KEYS[kind].split()
    for column in KINDS[kind].columns:
        if column.key in slips["flow"] and column.name not in ("start", "finish"):
            assert slips["flow"][column.key] == in_flow(column, row[column.name])
    assert (slips["uid"], slips["aid"]) == (row["uid"] or "", row["aid"] or "")
    assert slips["profileid"] == f"profile_{row['saddr'] or ''}"
    assert slips["flow_type"] == (kind if kind in ALTERNATIVE else "")


def test_our_samples_come_back_equal(dataset: Dataset) -> None:
    files = [path for path in SAMPLES.iterdir() if path.suffix not in (".pcap", ".nfdump")]

    assert_come_back_equal(imported(dataset, *files))

    assert {kind for kind, _ in stored(dataset)} >= set(KINDS) - {"nfdump"}


@pytest.mark.skipif(not REAL.is_dir(), reason="the shared logs are not here")
def test_the_real_logs_come_back_equal(dataset: Dataset) -> None:
    paths = [path for path in REAL.iterdir() if path.name != "nfdump"]

    assert_come_back_equal(imported(dataset, *paths))

    assert len(stored(dataset)) > 4000


words = st.text(max_size=12) | st.sampled_from(
    ["\t", "\n", "\r\n", '"', '""', "'", "\\", "\\N", "NULL", "#", " lead", "trail ", "é\u2028\x85\x1f", "{}", "\0", ""]
)
texts = st.none() | words
a_row = st.fixed_dictionaries(
    {
        "uid": texts,
        "saddr": texts,
        "history": texts,
        "appproto": texts,
        "state": texts,
        "start": st.none() | st.integers(0, 2**52),
        "finish": st.none() | st.integers(-(2**52), 2**52),
        "dur": st.none() | st.floats(0, 1e9),
        "sbytes": st.none() | st.integers(-(2**63), 2**63 - 1),
        "query": texts,
        "answers": st.none() | st.lists(words, max_size=3),
    }
)


@settings(max_examples=15, deadline=None)
@given(several=st.lists(a_row, min_size=1, max_size=12))
def test_any_text_comes_back_from_every_form(several: list[Row]) -> None:
    with TemporaryDirectory() as folder:
        dataset = Dataset(Path(folder) / "flows", memory_mb=200, threads=1)
        lay(dataset, "dns", several)

        assert [row["query"] for row in rows(dataset, "dns")] == [row["query"] for row in several]
        assert_come_back_equal(dataset)


def test_a_flow_looks_as_slips_writes_it(dataset: Dataset) -> None:
    cells = {"saddr": "10.0.0.1", "daddr": "10.0.0.9", "sport": 4444, "dport": 53, "proto": "udp", "tool": "zeek"}
    lay(
        dataset,
        "conn",
        [
            {"uid": "C1", "start": T, "finish": T + 1, "state": "SF", "dir": "->", "aid": "2:x", **cells},
            {"uid": "C2", "start": T + 3600 * S, "state": "S0", "history": "S", "appproto": "dns", **cells},
        ],
    )
    told(dataset, triaged(7, Detection(flow_uids=("C2",), category="scan")))

    first, second = read_json(written(dataset, "json", alternative=False))
    text = written(dataset, "json", alternative=False).read_text()
    header = written(dataset, "tsv", alternative=False).read_text().split("\n", 1)[0]
    flat = read_json(written(dataset, "json", "flat", alternative=False))

    assert header.split("\t") == list(first) == SLIPS
    assert '"starttime":1700000000.000000,' in text
    assert '"endtime":1700000000.000001,' in text
    assert first["flow"] == {
        **dict.fromkeys(KEYS["conn"].split(), None),
        **dict.fromkeys(("interface", "appproto", "history", "smac", "dmac", "dport_name"), ""),
        **dict.fromkeys(("ground_truth_label", "detailed_ground_truth_label"), ""),
        "uid": "C1", "saddr": "10.0.0.1", "daddr": "10.0.0.9", "sport": 4444, "dport": 53, "proto": "udp",
        "starttime": 1700000000, "endtime": 1700000000.000001, "state": "SF", "state_hist": "SF", "aid": "2:x",
        "timestamp_human": "2023/11/14 22:13:20.000000+0000", "interpreted_state": "Established", "type_": "conn",
        "dir_": "->", "flow_source": "zeek",
    }  # fmt: skip
    assert [first[name] for name in ("label", "profileid", "twid")] == ["benign", "profile_10.0.0.1", "timewindow1"]
    assert [second[name] for name in ("label", "profileid", "twid")] == ["malicious", "profile_10.0.0.1", "timewindow2"]
    assert [second["flow"][name] for name in ("state_hist", "dport_name", "interpreted_state")] == [
        "S",
        "dns",
        "Not Established",
    ]
    assert [{name: row[name] for name in LABELS} for row in flat] == [
        LABELS,
        {"label": "malicious", "alertgroup": 7, "alert": 700, "category": "scan"},
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_of_slips_has_its_column(kind: str) -> None:
    keys = KEYS[kind].split()
    owned = {column.key for column in KINDS[kind].own} - {""}

    assert len(keys) == len(set(keys))
    assert owned <= set(keys)
