"""How fast flows are imported, labelled and exported.

Five million lines of a conn.log and half a million of an http.log, and ten thousand detections, half of which name
uids, half two addresses with a port and a time. Every job runs in a process of its own, ours and its baselines in turn,
and the best of some turns counts; seconds are those of the work, without the start of Python; whoever writes a file
has it on disk before the clock stops.

- import: against DuckDB merely reading the same logs and writing Parquet, and polars reading, casting and writing them
  (neither works out fingerprints, checks lines, or digests the file)
- label and export as TSV and as JSON, in Slips' shape: against DuckDB copying the finished rows, which it finds in
  Parquet, to the same format; against polars doing the same job; and against tables of SQLite as Slips has them, with a
  transaction for each malicious uid, and its UNION row by row through Python's csv (on 200,000 rows, scaled)
- import, label and export against the same with the tables' filling, a transaction for each flow (on 20,000 rows)
- with --only-spark: the same export by Spark with one, two and four workers, its start told apart
- with --ten: ten times the flows and the same detections, exported to somebody who counts the bytes

Prints a line for each figure: ours, the baseline, the ratio, the aim.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from machine import machine

JOBS = Path(__file__).with_name("flows_jobs.py")
FORMS = ("tsv", "json")
WORKERS = (1, 2, 4)
AIM_COPY, AIM_POLARS, AIM_ROWS, AIM_MEMORY_MB, AIM_TEN = 1.5, 1.0, 20.0, 1000, 11.0
BYTES_A_FLOW = 2_200
"""Of disk, at most at one time."""
BYTES_OF_TEN = 350
"""Of disk, where exports go to nobody's disk."""
BYTES_A_FLOW_LEFT = 300
"""Of disk, of the flows themselves, meanwhile."""


class Took(NamedTuple):
    """What a job took: seconds, seconds of processors, most memory in MB; and what it said (rows or bytes)."""

    seconds: float
    processor: float
    memory_mb: int
    said: int


class Bench(NamedTuple):
    """Where the data are, and how much."""

    folder: Path
    flows: int
    detections: int

    def run(self, job: str, *more: str) -> Took:
        """A job in a process of its own. Raises CalledProcessError."""
        command = [sys.executable, str(JOBS), job, str(self.folder), str(self.flows), str(self.detections), *more]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
            said = child.stdout.read() if child.stdout else b""
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise subprocess.CalledProcessError(child.returncode, command)
        seconds, processor, count = json.loads(said)
        took = Took(seconds, processor, usage.ru_maxrss >> 10, count)
        print(
            f"  {' '.join((job, *more)):20} {seconds:8.2f} s, {processor:8.2f} s of processors,"
            f" {took.memory_mb:6,} MB, load {os.getloadavg()[0]:.0f}",
            flush=True,
        )
        return took

    def in_turn(self, turns: int, *jobs: Sequence[str], fresh: Sequence[str] = ()) -> list[list[Took]]:
        """Each job so many times, one after the other; what is not kept is removed after each."""
        found: list[list[Took]] = [[] for _ in jobs]
        for _ in range(turns):
            for number, job in enumerate(jobs):
                for name in fresh:
                    shutil.rmtree(self.folder / name, ignore_errors=True)
                found[number].append(self.run(*job))
                for file in self.folder.glob("out*"):
                    file.unlink()
        return found


class Figures:
    """Prints figures as they come, and keeps them."""

    def __init__(self) -> None:
        self.kept: list[dict[str, object]] = []

    def put(self, name: str, ours: float, baseline: float, unit: str, *, most: float = 0, least: float = 0) -> None:
        """One figure: how often ours holds the baseline (aim: at most), or the baseline ours (aim: at least)."""
        ratio = baseline / ours if least else ours / baseline
        met = ratio >= least if least else ratio <= most if most else None
        said = (
            "no aim" if met is None else f"aim {'≥' if least else '≤'} {least or most:g} {'met' if met else 'NOT MET'}"
        )
        print(f"{name:52} {ours:9.1f} {unit:2} against {baseline:9.1f} {unit:2} {ratio:8.2f} ×  {said}", flush=True)
        self.kept.append({"name": name, "ours": ours, "baseline": baseline, "unit": unit, "ratio": ratio, "met": met})


def measure(bench: Bench, turns: int, figures: Figures) -> None:
    """Everything on one set of flows."""
    lines = bench.run("make").said
    duck, polars, ours = bench.in_turn(
        turns, ("import_duckdb",), ("import_polars",), ("import_ours",), fresh=("flows",)
    )
    if ours[0].said != lines:
        raise SystemExit(f"{lines} lines were written, {ours[0].said} imported")
    bench.run("detect")
    most = {"import": max(one.memory_mb for one in ours)}
    figures.put("import, against DuckDB reading", best(ours), best(duck), "s")
    figures.put("import, against polars reading", best(ours), best(polars), "s")
    for form in FORMS:
        bench.run("shape_all", form)
        copied, joined, exported = bench.in_turn(
            turns, ("copy_duckdb", form), ("export_polars", form), ("export_ours", form)
        )
        most[form] = max(one.memory_mb for one in exported)
        name = f"label and export {form}, against"
        figures.put(f"{name} DuckDB copying", best(exported), best(copied), "s", most=AIM_COPY)
        figures.put(f"{name} polars", best(exported), best(joined), "s", least=AIM_POLARS)
        if form == "tsv":
            filled = bench.run("fill_rows")
            (rows,) = bench.in_turn(turns, ("export_rows",))
            scaled = best(rows) * lines / rows[0].said
            figures.put(f"{name} SQLite by rows", best(exported), scaled, "s", least=AIM_ROWS)
            whole = scaled + filled.seconds * lines / filled.said
            figures.put(f"import, {name} SQLite by rows", best(ours) + best(exported), whole, "s", least=AIM_ROWS)
    for name, memory in most.items():
        figures.put(f"most memory, {name}", memory, AIM_MEMORY_MB, "MB", most=1)


def ten(bench: Bench, more: Bench, figures: Figures) -> None:
    """Ten times the flows, and ten times the time at most, in the same memory."""
    took = {}
    for some in (bench, more):
        if some is more:
            some.run("make")
        shutil.rmtree(some.folder / "flows", ignore_errors=True)
        took[some, "import"] = some.run("import_ours")
        some.run("detect")
        for form in FORMS:
            took[some, form] = some.run("stream_ours", form)
    for job in ("import", *FORMS):
        one, other = took[bench, job], took[more, job]
        figures.put(f"ten times the flows, {job}", other.seconds, one.seconds, "s", most=AIM_TEN)
        figures.put(f"ten times the flows, memory, {job}", other.memory_mb, AIM_MEMORY_MB, "MB", most=1)


def spark(bench: Bench, form: str, figures: Figures) -> None:
    """Spark with one, two and four workers of this machine against DuckDB with all of it; its start told apart."""
    (ours,) = bench.in_turn(1, ("export_ours", form))
    figures.put("Spark's start, local[1]", bench.run("start_spark", "local[1]").seconds, best(ours), "s")
    for workers in WORKERS:
        (took,) = bench.in_turn(1, ("export_spark", form, f"local[{workers}]"))
        if took[0].said != ours[0].said:
            print(f"Spark wrote {took[0].said:,} bytes, DuckDB {ours[0].said:,}")
        figures.put(f"label and export {form}, local[{workers}] against DuckDB", best(took), best(ours), "s")


def best(took: Sequence[Took]) -> float:
    """Seconds of the best turn."""
    return min(one.seconds for one in took)


@contextmanager
def folder(within: Path | None) -> Iterator[Path]:
    """A folder of our own, deleted afterwards."""
    made = Path(tempfile.mkdtemp(prefix="tocsin-bench-", dir=within))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def main() -> None:
    """Measure, print, and write JSON if asked."""
    asked = argparse.ArgumentParser(description="Flows imported, labelled and exported.")
    asked.add_argument("--flows", type=int, default=5_000_000, help="lines of conn.log (default 5,000,000)")
    asked.add_argument("--detections", type=int, default=10_000, help="that name flows (default 10,000)")
    asked.add_argument("--turns", type=int, default=3, help="of which the best counts (default 3)")
    asked.add_argument("--ten", action="store_true", help="also ten times the flows")
    asked.add_argument("--only-ten", action="store_true", help="nothing but ten times the flows, against the flows")
    asked.add_argument("--only-spark", action="store_true", help="nothing but Spark with one, two and four workers")
    asked.add_argument("--within", type=Path, help="the data go to a folder in this one (default: the temporary one)")
    asked.add_argument("--json", type=Path, help="write the figures there")
    options = asked.parse_args()
    figures = Figures()
    with folder(options.within) as made:
        print(machine(made))
        bench, more = (
            Bench(made / name, options.flows * by, options.detections) for name, by in (("1", 1), ("10", 10))
        )
        needed = options.flows * BYTES_A_FLOW
        if options.ten or options.only_ten:
            needed = max(needed, options.flows * (BYTES_A_FLOW_LEFT + 10 * BYTES_OF_TEN))
        if shutil.disk_usage(made).free < needed:
            raise SystemExit(f"{made} has less than the {needed / 1e9:.0f} GB that are needed: choose with --within")
        if options.only_ten or options.only_spark:
            bench.run("make")
        if options.only_spark:
            bench.run("import_ours")
            bench.run("detect")
            for form in FORMS:
                spark(bench, form, figures)
        elif not options.only_ten:
            measure(bench, options.turns, figures)
        if options.ten or options.only_ten:
            for file in bench.folder.glob("*.parquet"):
                file.unlink()
            ten(bench, more, figures)
    if options.json:
        options.json.write_text(json.dumps(figures.kept))


if __name__ == "__main__":
    main()
