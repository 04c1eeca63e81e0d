"""One job on flows in a process of its own, for `flows.py`: `flows_jobs.py JOB FOLDER [FLOWS DETECTIONS]`.

Prints the seconds it took and what it has to say as JSON. Whatever writes a file has it on disk before the clock stops.
"""

import csv
import json
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

import flows_made
from tocsin.flows import cluster
from tocsin.flows.dataset import Dataset
from tocsin.flows.exporting import shape
from tocsin.flows.exporting.export import export_file, export_stream
from tocsin.flows.exporting.plan import Form, Wish
from tocsin.flows.importing import import_paths
from tocsin.flows.kinds import KINDS as ALL
from tocsin.flows.labelling.detections import refresh
from tocsin.flows.labelling.expression import labelled
from tocsin.flows.labelling.prepared import Options, prepare
from tocsin.model import Detection

KINDS = ("conn", "http")
PART, FILLED = 200_000, 20_000
"""Flows of the export by rows, which is slow, and of its filling, which is slower."""
ZSTD = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1"


class Bench:
    """The files that the jobs share, in one folder."""

    def __init__(self, folder: Path, flows: int, detections: int) -> None:
        self.folder, self.flows, self.detections = folder, flows, detections
        self.logs = [folder / "logs" / f"{kind}.log" for kind in KINDS]
        self.dataset = Dataset(folder / "flows")
        self.out = folder / "out"
        self.begin()

    def begin(self) -> None:
        """Have the clock begin now."""
        self.began, self.processor = time.perf_counter(), time.process_time()

    def parts(self, *kinds: str) -> list[str]:
        """The Parquet files of some kinds, in order."""
        with self.dataset.catalogue() as catalogue:
            return [str(self.dataset.folder / part.file) for part in catalogue.parts(kinds)]

    def parquet(self, name: str) -> Path:
        """A file that a baseline reads or writes."""
        return self.folder / f"{name}.parquet"


def synced(*files: Path) -> int:
    """See files on disk; their size."""
    for file in files:
        handle = os.open(file, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)
    return sum(file.stat().st_size for file in files)


def make(bench: Bench) -> int:
    """The logs; how many lines of flows."""
    return flows_made.logs(bench.flows, bench.folder / "logs")


def import_ours(bench: Bench) -> int:
    """Read, fingerprint and store the logs; the rows."""
    return sum(done.rows for done in import_paths(bench.dataset, bench.logs))


def detect(bench: Bench) -> int:
    """What the alerts say, brought in once; for the baselines the same, flat."""
    done = refresh(bench.dataset, lambda _: flows_made.news(bench.flows, bench.detections))
    said: dict[str, list[tuple[Any, ...]]] = {"uid": [], "ends": []}
    for news in flows_made.news(bench.flows, bench.detections):
        for group in news.groups:
            for judged in group.alerts:
                one = judged.alert.detection or Detection()
                said["uid"] += [(uid,) for uid in one.flow_uids]
                for source, target in zip(one.sources, one.targets, strict=True):
                    ends = (source.addresses[0], target.addresses[0], target.ports[0], one.protocols[0])
                    said["ends"].append((*ends, (one.start or 0) - 1_000_000, (one.end or 0) + 1_000_000))
    pl.DataFrame(said["uid"], ["uid"], orient="row").unique().write_parquet(bench.parquet("uid"))
    names = ["saddr", "daddr", "dport", "proto", "earliest", "latest"]
    pl.DataFrame(said["ends"], names, orient="row").write_parquet(bench.parquet("ends"))
    return done.rows


def import_duckdb(bench: Bench) -> int:
    """DuckDB merely reads the logs, its types guessed, and writes Parquet."""
    with duckdb.connect() as connection:
        for log in bench.logs:
            read = (
                f"read_csv('{log}', delim = '\t', quote = '', escape = '', comment = '#', header = false,"
                f" nullstr = '-', names = {_fields(log)})"
            )
            target = f"TO '{bench.parquet(log.stem)}' ({ZSTD})"
            connection.execute(f"COPY (SELECT * FROM {read}) {target}")
    return synced(*(bench.parquet(kind) for kind in KINDS))


def import_polars(bench: Bench) -> int:
    """Polars reads the logs, casts their fields and writes Parquet."""
    for log in bench.logs:
        frame = pl.scan_csv(
            log, separator="\t", comment_prefix="#", has_header=False, quote_char=None, infer_schema=False,
            null_values="-", new_columns=_fields(log),
        )  # fmt: skip
        types: dict[str, Any] = {
            "orig_bytes": pl.Int64,
            "resp_bytes": pl.Int64,
            "orig_pkts": pl.Int64,
            "resp_pkts": pl.Int64,
        }
        types |= {"id.orig_p": pl.Int32, "id.resp_p": pl.Int32, "duration": pl.Float64, "status_code": pl.Int32}
        types |= {"request_body_len": pl.Int64, "response_body_len": pl.Int64}
        there = [pl.col(name).cast(type_) for name, type_ in types.items() if name in _fields(log)]
        start = (pl.col("ts").cast(pl.Decimal(18, 6)) * 1_000_000).cast(pl.Int64).alias("start")
        frame.with_columns(start, *there).sink_parquet(bench.parquet(log.stem), compression="zstd", compression_level=1)
    return synced(*(bench.parquet(kind) for kind in KINDS))


def _fields(log: Path) -> list[str]:
    return (flows_made.CONN if log.stem == "conn" else flows_made.LOG).split()


def export_ours(bench: Bench, form: Form) -> int:
    """Label and export all kinds to a file; its bytes."""
    export_file(bench.dataset, Wish(form, alternative=True), bench.out, now=flows_made.BEGIN)
    return bench.out.stat().st_size


def stream_ours(bench: Bench, form: Form) -> int:
    """Label and export to somebody who counts the bytes: what it takes without a disk for them."""
    size = 0

    def take(piece: bytes) -> None:
        nonlocal size
        size += len(piece)

    export_stream(bench.dataset, Wish(form, alternative=True), take, now=flows_made.BEGIN)
    return size


def start_spark(_: Bench, master: str) -> int:
    """Spark alone, with nothing to do."""
    with cluster.session(master) as spark:
        return int(spark.range(1).count())


def export_spark(bench: Bench, form: Form, master: str) -> int:
    """The same by Spark, once it was started and stopped; its bytes."""
    start_spark(bench, master)
    bench.begin()
    cluster.export(bench.dataset, Wish(form, alternative=True), bench.out, now=flows_made.BEGIN, master=master)
    return bench.out.stat().st_size


def shape_all(bench: Bench, form: Form) -> int:
    """The rows of our export once as Parquet, by kind, for DuckDB to copy; `flow` is text for TSV, else an object."""
    options = Options()
    with bench.dataset.reading(KINDS) as parts, duckdb.connect() as connection:
        prepare(connection, bench.dataset, options)
        for kind in KINDS:
            rows = bench.dataset.rows([part for part in parts if part.kind == kind], ALL[kind].columns)
            query = shape.slips(
                labelled(rows, options), kind, first=flows_made.BEGIN, alternative=True, as_text=form == "tsv"
            )
            connection.execute(f"COPY ({query}) TO '{bench.parquet(f'{form}-{kind}')}' ({ZSTD})")
    return bench.flows


def copy_duckdb(bench: Bench, form: Form) -> int:
    """DuckDB copies those rows to the same format, with all the memory it likes."""
    options = "FORMAT csv, DELIMITER '\t', HEADER" if form == "tsv" else "FORMAT json"
    files = [bench.out.with_name(f"out-{kind}") for kind in KINDS]
    with duckdb.connect() as connection:
        for kind, file in zip(KINDS, files, strict=True):
            connection.execute(f"COPY (SELECT * FROM '{bench.parquet(f'{form}-{kind}')}') TO '{file}' ({options})")
    return synced(*files)


def export_polars(bench: Bench, form: Form) -> int:
    """Polars labels the same rows by the same tables, shapes and writes them; order kept."""
    files = []
    for kind in KINDS:
        rows = pl.scan_parquet(bench.parts(kind))
        flow = pl.struct(*_keys(kind))
        window = ((pl.col("start") - flows_made.BEGIN) // 3_600_000_000 + 1).cast(pl.String)
        shaped = rows.with_columns(label=pl.col("place").is_in(_malicious(bench, rows).implode())).select(
            "uid",
            (flow.struct.json_encode() if form == "tsv" else flow).alias("flow"),
            pl.when("label").then(pl.lit("malicious")).otherwise(pl.lit("benign")).alias("label"),
            ("profile_" + pl.col("saddr")).alias("profileid"),
            ("timewindow" + window).alias("twid"),
            "aid",
            pl.lit("" if kind == "conn" else kind).alias("flow_type"),
        )
        files.append(bench.out.with_name(f"out-{kind}"))
        if form == "tsv":
            shaped.sink_csv(files[-1], separator="\t")
        else:
            shaped.sink_ndjson(files[-1])
    return synced(*files)


def _keys(kind: str) -> Iterator[pl.Expr]:
    """What stands in `flow`, each key as ours has it, in no order that matters."""
    for column in ALL[kind].columns:
        if column.name in ("place", "community_id", "start", "finish"):
            continue
        cell = pl.col(column.name)
        yield (cell.fill_null("") if column.type == "VARCHAR" else cell).alias(column.key)
    yield (pl.col("start") / 1e6).alias("starttime")
    yield pl.lit(kind).alias("type_")
    if kind == "conn":
        yield (pl.col("finish") / 1e6).alias("endtime")
        yield pl.coalesce("history", "state", pl.lit("")).alias("state_hist")
        yield pl.col("appproto").fill_null("").alias("dport_name")
        time = pl.from_epoch("start", time_unit="us")
        yield time.dt.strftime("%Y/%m/%d %H:%M:%S%.6f+0000").alias("timestamp_human")
        established = pl.col("state").is_in(["S1", "SF", "S2", "S3", "RSTO", "RSTR", "RSTP", "OTH"])
        yield (
            pl.when(established)
            .then(pl.lit("Established"))
            .otherwise(pl.lit("Not Established"))
            .alias("interpreted_state")
        )


def _malicious(bench: Bench, rows: pl.LazyFrame) -> pl.Series:
    """The places of rows that are named by their uid, or by both addresses, a port, the protocol and the time."""
    uid, ends = pl.scan_parquet(bench.parquet("uid")), pl.scan_parquet(bench.parquet("ends"))
    there = rows.select("place", "uid", "saddr", "daddr", "sport", "dport", "proto", "start", "finish")
    finish = pl.max_horizontal("start", "finish")
    found = [there.join(uid, on="uid", how="semi").select("place")]
    for one, other, port in (("saddr", "daddr", "dport"), ("daddr", "saddr", "sport")):
        met = there.join(ends, left_on=[one, other], right_on=["saddr", "daddr"], suffix="_said")
        fits = (pl.col(port) == pl.col("dport_said")) & (
            pl.col("proto").is_null() | (pl.col("proto") == pl.col("proto_said"))
        )
        found.append(
            met.filter(fits, pl.col("start") <= pl.col("latest"), finish >= pl.col("earliest")).select("place")
        )
    return pl.concat(found).unique().collect(engine="streaming")["place"]


def fill_rows(bench: Bench) -> int:
    """Tables as Slips has them, of the first flows, whose JSON is ready; the last of them a transaction each, timed."""
    bench.parquet("rows").unlink(missing_ok=True)
    columns = "uid, flow, 'benign', profileid, twid"
    kept = "uid TEXT PRIMARY KEY, flow TEXT, label TEXT, profileid TEXT, twid TEXT"
    with duckdb.connect() as source, closing(_table(bench)) as table:
        flows = source.execute(f"SELECT {columns}, aid FROM '{bench.parquet('tsv-conn')}' LIMIT {PART}").fetchall()
        others = source.execute(
            f"SELECT {columns}, flow_type FROM '{bench.parquet('tsv-http')}' LIMIT {PART // flows_made.HTTP}"
        ).fetchall()
        for name, last in (("flows", "aid"), ("altflows", "flow_type")):
            table.execute(f"CREATE TABLE {name} ({kept}, {last} TEXT)")
        for name, rows in (("flows", flows[FILLED:]), ("altflows", others)):
            table.executemany(f"INSERT OR REPLACE INTO {name} VALUES (?, ?, ?, ?, ?, ?)", rows)
        table.commit()
        bench.begin()
        for row in flows[:FILLED]:
            table.execute("INSERT OR REPLACE INTO flows VALUES (?, ?, ?, ?, ?, ?)", row)
            table.commit()
    return len(flows[:FILLED])


def export_rows(bench: Bench) -> int:
    """Two UPDATEs, a transaction each, for each malicious uid; then every row through Python's csv, in order."""
    with duckdb.connect() as source:
        query = f"SELECT uid FROM (SELECT * FROM '{bench.parquet('tsv-conn')}' LIMIT {PART}) WHERE label = 'malicious'"
        malicious = source.execute(query).fetchall()
    with closing(_table(bench)) as table, bench.out.open("w", newline="") as out:
        for (uid,) in malicious:
            for name in ("flows", "altflows"):
                table.execute(f"UPDATE {name} SET label = 'malicious' WHERE uid = ?", (uid,))
                table.commit()
        writer = csv.writer(out, delimiter="\t")
        writer.writerow(("uid", "flow", "label", "profileid", "twid", "aid"))
        rows = 0
        for row in table.execute("SELECT * FROM flows UNION SELECT * FROM altflows"):
            writer.writerow(row)
            rows += 1
    synced(bench.out)
    return rows


def _table(bench: Bench) -> sqlite3.Connection:
    table = sqlite3.connect(bench.parquet("rows"))
    table.execute("PRAGMA journal_mode = WAL")
    table.execute("PRAGMA synchronous = FULL")
    return table


JOBS: dict[str, Callable[..., int]] = {
    job.__name__: job
    for job in (
        make, import_ours, import_duckdb, import_polars, detect, shape_all, export_ours, stream_ours, copy_duckdb,
        start_spark, export_spark, export_polars, fill_rows, export_rows,
    )
}  # fmt: skip


def main() -> None:
    """Run the job, print what came of it."""
    job, folder, flows, detections, *more = sys.argv[1:]
    bench = Bench(Path(folder), int(flows), int(detections))
    bench.begin()
    said = JOBS[job](bench, *more)
    print(json.dumps([time.perf_counter() - bench.began, time.process_time() - bench.processor, said]))


if __name__ == "__main__":
    main()
