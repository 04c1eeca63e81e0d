"""Labelled flows, written to a file or a stream."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tocsin.flows import engine
from tocsin.flows.dataset import Dataset
from tocsin.flows.exporting.files import Growing, State, growing, lasting
from tocsin.flows.exporting.marking import VARIABLE
from tocsin.flows.exporting.plan import Form, Plan, Planner, Step, Wish, options_of
from tocsin.flows.exporting.pouring import Take, pour
from tocsin.flows.labelling.detections import stamp
from tocsin.flows.labelling.prepared import Options, prepare
from tocsin.model import Micros

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Tell = Callable[[int, int], None]
"""Told how many rows were looked at, and of how many."""

NAMES: dict[Form, str] = {
    "tsv": "labeled_flows.tsv",
    "json": "labeled_flows.json",
    "parquet": "labeled_flows.parquet",
}
"""What Slips calls its exports."""


class Exported(NamedTuple):
    """What was written: `rows` in all, of which `before` were there already, from an export that was cut off.

    `anew`: there was the beginning of one, but flows, labels or what was asked for are others since.
    """

    rows: int
    before: int = 0
    anew: bool = False


def export_file(dataset: Dataset, wish: Wish, file: Path, *, now: Micros, tell: Tell | None = None) -> Exported:
    """Write what is wished for to a file, which has the old content until it has all of the new one.

    Where one was cut off before, and neither flows nor labels have changed, this goes on behind its last whole portion.
    Raises BadQuery, FlowsError, NotInstalled, OSError.
    """
    with growing(file) as growth, _prepared(dataset, wish, now) as (connection, plan):
        state, anew = growth.begin(plan.digest)
        before = state.rows
        write = _pieces if wish.form == "parquet" else _lines
        state = write(connection, plan, growth, state, tell)
        growth.end()
        return Exported(state.rows, before, anew)


def export_stream(dataset: Dataset, wish: Wish, take: Take, *, now: Micros, tell: Tell | None = None) -> Exported:
    """Hand what is wished for to `take`, as bytes of TSV or JSON.

    Raises BadQuery, FlowsError, NotInstalled, and what `take` raises as OSError.
    """
    with _prepared(dataset, wish, now) as (connection, plan):
        rows = seen = 0
        for number, step in enumerate(plan.steps):
            told = _Counted(take, tell, seen, step.rows, plan.rows)
            _mark(connection, step)
            rows += pour(connection, step.query, options_of(plan.form, head=number == 0), told.take)
            seen += step.rows
            if tell:
                tell(seen, plan.rows)
        return Exported(rows)


def export_labeled(
    dataset: Dataset,
    options: Options,
    folder: Path,
    forms: Sequence[Form] = ("tsv", "json"),
    *,
    now: Micros,
    timewindow_s: float = 3600.0,
) -> list[Path]:
    """Write all flows and alternative flows, each with its AID, to `labeled_flows.*` of a folder, as Slips does.

    Each file has its old content until the new one is complete. Raises FlowsError, NotInstalled, OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / NAMES[form] for form in forms]
    for form, file in zip(forms, files, strict=True):
        wish = Wish(form, alternative=True, options=options, timewindow_s=timewindow_s)
        export_file(dataset, wish, file, now=now)
    return files


@contextmanager
def _prepared(dataset: Dataset, wish: Wish, now: Micros) -> Iterator[tuple["DuckDBPyConnection", Plan]]:
    """A DuckDB that knows the labels, and the queries; the files they read stay until this is left."""
    planner = Planner(dataset, wish, now)
    with (
        dataset.connection() as connection,
        dataset.reading(planner.kinds, since=planner.since, until=planner.until) as parts,
    ):
        connection.execute("SET async_threads = 0")  # pipes are written in order, see `pour`
        with dataset.catalogue() as catalogue:
            first = min((part.earliest for part in catalogue.parts() if part.earliest is not None), default=0)
        labels = ""
        while labels != (labels := stamp(dataset)):  # what is prepared is what the name says
            prepare(connection, dataset, wish.options)
        try:
            yield connection, planner.plan(parts, first, f"{labels} {wish.options}")
        except RuntimeError as error:
            if "interrupted" in str(error):  # what DuckDB makes of Ctrl-C
                raise KeyboardInterrupt from error
            raise


def _lines(connection: "DuckDBPyConnection", plan: Plan, growth: Growing, state: State, tell: Tell | None) -> State:
    """Append the portions that are not there yet, one after the other."""
    seen = sum(step.rows for step in plan.steps[: state.portions])
    with growth.appending(state) as end:
        for number in range(state.portions, len(plan.steps)):
            step = plan.steps[number]
            told = _Counted(partial(_write, end.handle), tell, seen, step.rows, plan.rows)
            _mark(connection, step)
            rows = pour(connection, step.query, options_of(plan.form, head=number == 0), told.take)
            size = os.lseek(end.handle, 0, os.SEEK_CUR)
            state = State(state.digest, number + 1, state.rows + rows, size)
            end.settle(state)
            seen += step.rows
            if tell:
                tell(seen, plan.rows)
    return state


def _pieces(connection: "DuckDBPyConnection", plan: Plan, growth: Growing, state: State, tell: Tell | None) -> State:
    """Write the portions that are not there yet, each to a file of its own, then put them together."""
    seen = sum(step.rows for step in plan.steps[: state.portions])
    for number in range(state.portions, len(plan.steps)):
        step, file = plan.steps[number], growth.piece(number)
        _mark(connection, step)
        rows = _copy(connection, step.query, file)
        state = State(state.digest, number + 1, state.rows + rows)
        growth.reached(state)
        seen += step.rows
        if tell:
            tell(seen, plan.rows)
    if len(plan.steps) == 1:
        growth.piece(0).replace(growth.data)
        return state
    files = ", ".join(engine.text(growth.piece(number)) for number in range(len(plan.steps)))
    _copy(connection, f"SELECT * FROM read_parquet([{files}], hive_partitioning = false)", growth.data)
    return state


def _mark(connection: "DuckDBPyConnection", step: Step) -> None:
    """Find out which rows of a portion are malicious, where its query looks that up."""
    if step.marks:
        connection.execute(f"SET VARIABLE {VARIABLE} = ({step.marks})")


def _copy(connection: "DuckDBPyConnection", query: str, file: Path) -> int:
    (rows,) = connection.execute(
        f"COPY ({query}) TO {engine.text(file)} ({options_of('parquet', head=True)})"
    ).fetchall()[0]
    lasting(file)
    return int(rows)


class _Counted:
    """Passes bytes on, and tells how many lines went by; a text that holds line ends makes them a few too many."""

    def __init__(self, take: Take, tell: Tell | None, seen: int, rows: int, whole: int) -> None:
        self._take, self._tell, self._seen, self._rows, self._whole = take, tell, seen, rows, whole
        self._lines = 0

    def take(self, piece: bytes) -> None:
        self._take(piece)
        if self._tell:
            self._lines += piece.count(b"\n")
            self._tell(self._seen + min(self._lines, self._rows), self._whole)


def _write(handle: int, piece: bytes) -> None:
    """All of it. Raises OSError."""
    view = memoryview(piece)
    while view:
        view = view[os.write(handle, view) :]
