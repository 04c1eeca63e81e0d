"""The real logs: no line is lost, by counts made in plain Python. Skipped where they are not."""

import json
from collections import Counter
from pathlib import Path

import pytest

from neighbours.imported import REAL, aside, counts, imported, rows
from tocsin.flows.dataset import Dataset
from tocsin.flows.reading.zeek import SIGNS

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="the shared logs are not here")

FOLDERS = ("zeek-json", "zeek-tab", "portscan")


def lines_of(folder: Path) -> Counter[str]:
    """How many lines of which kind stand in a folder, by the names of its files; header lines are none."""
    found: Counter[str] = Counter()
    for file in folder.rglob("*.log"):
        if file.stem in SIGNS:
            found[file.stem] += sum(not line.lstrip().startswith("#") for line in file.read_text().splitlines())
    return found


def undone(text: str) -> str:
    r"""A text without Zeek's \xNN, as Python undoes them."""
    return text.encode().decode("unicode_escape").encode("latin-1").decode()


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """An empty data set."""
    return Dataset(tmp_path / "flows", memory_mb=200, threads=2)


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_line_is_a_row_or_kept_aside(folder: str, dataset: Dataset) -> None:
    expected = lines_of(REAL / folder)

    found = Counter(counts(imported(dataset, REAL / folder)))

    broken = {"notice": 1} if folder == "zeek-tab" else {}  # spaces stand there for tabs
    assert found + Counter(broken) == expected
    assert aside(dataset) == [(21, "23 fields instead of 26")] * len(broken)


def test_cells_of_a_json_log_are_those_that_json_says(dataset: Dataset) -> None:
    lines = [json.loads(line) for line in (REAL / "zeek-json" / "conn.log").read_text().splitlines()]

    found = rows(imported(dataset, REAL / "zeek-json" / "conn.log"), "conn")

    names = {
        "uid": "uid",
        "saddr": "id.orig_h",
        "sport": "id.orig_p",
        "daddr": "id.resp_h",
        "dport": "id.resp_p",
        "dur": "duration",
        "sbytes": "orig_bytes",
        "dbytes": "resp_bytes",
        "state": "conn_state",
        "appproto": "service",
    }
    for row, line in zip(found, lines, strict=True):
        assert {column: row[column] for column in names} == {name: line.get(names[name]) for name in names}
        assert row["start"] == round(line["ts"] * 1e6)
    assert found[1]["aid"] == "2:4AEEqydRN7H7Ng1pz+Hpkm3YvHI="


def test_cells_of_a_tab_separated_log_are_those_between_the_tabs(dataset: Dataset) -> None:
    log = REAL / "zeek-tab" / "dns.log"
    text = [line.split("\t") for line in log.read_text().splitlines()]
    fields = next(line[1:] for line in text if line[0] == "#fields")
    lines = [dict(zip(fields, line, strict=True)) for line in text if not line[0].startswith("#")]

    found = rows(imported(dataset, log), "dns")

    assert [
        (row["uid"], row["query"] or "-", row["sport"], ",".join(row["answers"] or ["-"]), row["start"])
        for row in found
    ] == [
        (line["uid"], undone(line["query"]), int(line["id.orig_p"]), line["answers"], int(line["ts"].replace(".", "")))
        for line in lines
    ]
