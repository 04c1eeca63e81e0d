"""Spark on this machine exports what DuckDB exports, from the same Parquet and the same text of SQL."""

import csv
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from neighbours.labels import told, triaged
from neighbours.missing import missing
from neighbours.parts import S, T, lay, read_json
from tocsin.errors import FlowsError
from tocsin.flows import cluster
from tocsin.flows.dataset import Dataset
from tocsin.flows.exporting.export import export_file
from tocsin.flows.exporting.plan import Form, Wish
from tocsin.model import Detection, Endpoint

SETTINGS = {
    "spark.sql.shuffle.partitions": "4",
    "spark.driver.memory": "1g",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}
STRANGE = 'a "quoted"\ttab,\nand end\r é\\ '


WISHES = {
    "json": Wish("json", alternative=True),
    "tsv": Wish("tsv", alternative=True, since=T + 5 * S, until=T + 25 * S),
}
PROGRAM = """
import sys
from pathlib import Path
import msgspec
from tocsin.flows import cluster
from tocsin.flows.dataset import Dataset
from tocsin.flows.exporting.plan import Wish
folder = Path(sys.argv[1])
for name, wish in msgspec.json.decode(sys.argv[2], type=dict[str, Wish]).items():
    print(cluster.export(Dataset(folder / "flows"), wish, folder / f"spark.{name}", now=0, master="local[2]"))
"""


@pytest.fixture(scope="module", autouse=True)
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Of a process in which Spark is small and talks to nobody else."""
    if not shutil.which("java") and not os.environ.get("JAVA_HOME"):
        missing("Java", "apt-get install default-jre-headless")
    if importlib.util.find_spec("pyspark") is None:
        missing("Spark", "make setup")
    folder = tmp_path_factory.mktemp("spark")
    (folder / "spark-defaults.conf").write_text("".join(f"{key} {value}\n" for key, value in SETTINGS.items()))
    return os.environ | {"SPARK_CONF_DIR": str(folder)}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Three kinds in several parts, with labels by uid, by addresses and by lists of uids."""
    dataset = Dataset(tmp_path_factory.mktemp("data") / "flows")
    for number in range(3):
        lay(
            dataset,
            "conn",
            [
                {
                    "uid": f"C{number}{n}",
                    "start": T + (10 * number + n) * S + 1,
                    "saddr": f"10.0.0.{n}",
                    "daddr": "192.0.2.7",
                    "sport": 1000 + n,
                    "dport": 80,
                    "proto": "tcp",
                    "state": "SF",
                    "dur": 0.25 * n,
                    "aid": f"2:{n}",
                }
                for n in range(10)
            ],
        )
    lay(dataset, "http", [{"uid": "C05", "uri": STRANGE, "resp_mime_types": ["text/html", STRANGE]}, {"uid": "C99"}])
    lay(dataset, "dhcp", [{"uid": "D1", "uids": ["D1", "D2"], "host_name": " kept "}, {"uid": "D3", "uids": ["D3"]}])
    one, other = Endpoint(addresses=("10.0.0.3",)), Endpoint(addresses=("192.0.2.7",))
    told(
        dataset,
        triaged(1, Detection(flow_uids=("C05", "C11", "D2"))),
        triaged(2, Detection(sources=(one,), targets=(other,), start=T + 12 * S, end=T + 15 * S)),
    )
    return dataset


@pytest.fixture(scope="module")
def exported(dataset: Dataset, environment: dict[str, str]) -> Path:
    """A folder with what DuckDB writes, and what Spark does, which is begun once for all."""
    folder = dataset.folder.parent
    counts = [export_file(dataset, wish, folder / f"duckdb.{name}", now=0).rows for name, wish in WISHES.items()]
    words = [sys.executable, "-c", PROGRAM, str(folder), msgspec.json.encode(WISHES).decode()]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [int(line) for line in done.stdout.split()] == counts
    return folder


def rows_of_tsv(file: Path) -> list[list[Any]]:
    with file.open(newline="", encoding="utf-8") as text:
        rows: list[list[Any]] = list(csv.reader(text, delimiter="\t"))
    return rows


def test_spark_writes_the_json_that_duckdb_writes_in_its_order(exported: Path) -> None:
    ours, theirs = read_json(exported / "duckdb.json"), read_json(exported / "spark.json")

    assert theirs == ours
    assert [row["uid"] for row in theirs if row["label"] == "malicious"] == ["C05", "C11", "C13", "C05", "D1"]


def test_spark_writes_the_tsv_that_duckdb_writes_within_a_span(exported: Path) -> None:
    ours, theirs = rows_of_tsv(exported / "duckdb.tsv"), rows_of_tsv(exported / "spark.tsv")

    assert theirs[0] == ours[0]
    assert len(ours) == 1 + 20 + 4
    for rows in (ours, theirs):
        for row in rows[1:]:
            row[1] = json.loads(row[1])
    assert theirs == ours


def test_the_command_has_spark_write_a_folder_of_parquet_and_leaves_nothing_else(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    dataset = Dataset(tmp_path / "flows")
    lay(dataset, "conn", [{"uid": f"C{number}", "start": T + number * S, "dur": 0.5} for number in range(20)])
    lay(dataset, "http", [{"uid": "C5", "uri": STRANGE, "resp_mime_types": ["text/html"]}])
    (tmp_path / "tocsin.toml").write_text('[flows]\nengine = "spark"\nspark_master = "local[2]"\n')
    target = tmp_path / "out" / "flows.parquet"
    target.parent.mkdir()
    command = ["flows", "export", "--data", str(tmp_path), "--format", "parquet", "--profile", "flat", "--altflows"]
    words = [sys.executable, "-m", "tocsin", *command, "--to", str(target)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "wrote 21 flows" in done.stderr
    with dataset.connection() as connection:
        names = "uid, label, dur, uri, resp_mime_types"
        rows = connection.execute(f"SELECT {names} FROM read_parquet('{target}/*.parquet')").fetchall()
    assert rows[:20] == [(f"C{number}", "benign", 0.5, None, None) for number in range(20)]
    assert rows[20:] == [("C5", "benign", None, STRANGE, ["text/html"])]
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("form", ["tsv", "json"])
def test_a_query_is_refused_in_words_and_nothing_is_left_behind(tmp_path: Path, form: Form) -> None:
    dataset = Dataset(tmp_path / "flows")

    with pytest.raises(FlowsError, match="have DuckDB answer --query"):
        cluster.export(dataset, Wish(form, query="dport:80"), tmp_path / "out", now=T)

    assert not list(tmp_path.glob("*out*"))


def test_an_export_takes_the_place_of_nothing_but_an_export(dataset: Dataset, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.odt").write_text("years of work")
    (tmp_path / "flows.parquet").write_text("a file")

    refused: tuple[tuple[Form, Path, str], ...] = (
        ("parquet", mine, "more in .* than an export"),
        ("json", mine, "is a folder"),
        ("parquet", tmp_path / "flows.parquet", "is a file"),
    )
    for form, target, why in refused:
        with pytest.raises(FlowsError, match=why):
            cluster.export(dataset, Wish(form), target, now=T)

    assert (mine / "thesis.odt").read_text() == "years of work"
