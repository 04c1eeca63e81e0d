"""The same export by Spark: the same SQL over the same Parquet, through ibis, for more flows than one machine reads.

DuckDB lays out what the alerts say (a few small tables) and writes it beside the target; everything else is said to
Spark by ibis, from the text that DuckDB runs otherwise. The data folder and the target must be at one path on all
machines of the cluster (a shared file system). Needs the extra `spark` and Java.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tocsin.errors import FlowsError, NotInstalled
from tocsin.flows import engine
from tocsin.flows.catalogue import Part
from tocsin.flows.dataset import Dataset
from tocsin.flows.exporting import shape
from tocsin.flows.exporting.export import NAMES
from tocsin.flows.exporting.files import lasting
from tocsin.flows.exporting.plan import Form, Planner, Wish
from tocsin.flows.kinds import KINDS
from tocsin.flows.labelling.expression import ADDED, labelled
from tocsin.flows.labelling.prepared import TABLES, Options, prepare
from tocsin.model import Micros

if TYPE_CHECKING:
    from ibis.backends.pyspark import Backend
    from pyspark.sql import DataFrame, SparkSession

MASTER = "local[*]"
"""All processors of this machine; `spark://host:7077` and `yarn` are clusters."""
SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.jsonGenerator.ignoreNullFields": "false",
}
TSV = {
    "sep": "\t",
    "escape": '"',
    "emptyValue": "",
    "ignoreLeadingWhiteSpace": "false",
    "ignoreTrailingWhiteSpace": "false",
}
PIECES = "part-*.parquet"
Tell = Callable[[int, int], None]


def export(
    dataset: Dataset,
    wish: Wish,
    target: Path,
    *,
    now: Micros,
    master: str = MASTER,
    tell: Tell | None = None,
) -> int:
    """Write what is wished for; how many rows that were. TSV and JSON become one file, Parquet a folder of files.

    The target has its old content until it has all of the new one. Spark's own settings, such as
    `spark.executor.memory`, are those of its `spark-defaults.conf` (SPARK_CONF_DIR).

    Raises:
        NotInstalled: the extra `spark` or Java is missing.
        FlowsError: what the data set, or Spark, could not do; a query, which is said in DuckDB's words alone.
        OSError
    """
    if wish.query.strip():
        raise FlowsError(
            "Spark exports kinds and spans of time: ask for --since and --until, or have DuckDB answer --query"
        )
    planner = Planner(dataset, wish, now)
    _spare(wish, target)
    work = target.with_name(f".{target.name}.spark")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True, mode=0o700)
    try:
        with (
            dataset.reading(planner.kinds, since=planner.since, until=planner.until) as parts,
            session(master) as spark,
        ):
            first = _laid_out(dataset, wish, work)
            count = _Export(spark, dataset, wish, planner, first).write(parts, work / "pieces", tell)
        _put(wish, work, target)
        return count
    finally:
        shutil.rmtree(work, ignore_errors=True)


def export_labeled(
    dataset: Dataset,
    options: Options,
    folder: Path,
    forms: Sequence[Form],
    *,
    now: Micros,
    timewindow_s: float,
    master: str,
) -> list[Path]:
    """As `exporting.export.export_labeled`, by Spark. Raises what `export` does."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / NAMES[form] for form in forms]
    for form, file in zip(forms, files, strict=True):
        wish = Wish(form, alternative=True, options=options, timewindow_s=timewindow_s)
        export(dataset, wish, file, now=now, master=master)
    return files


@contextmanager
def session(master: str) -> "Iterator[SparkSession]":
    """Spark for one task. Raises NotInstalled, and FlowsError for what Spark could not do."""
    try:
        import ibis.backends.pyspark  # noqa: F401  # ibis needs both
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise NotInstalled("Spark is spoken to through ibis: pip install 'tocsin[spark]'") from error
    builder = SparkSession.builder.master(master).appName("tocsin")
    for key, value in SETTINGS.items():
        builder = builder.config(key, value)
    try:
        spark = builder.getOrCreate()
    except PySparkException as error:
        if error.getCondition() == "JAVA_GATEWAY_EXITED":
            raise NotInstalled("Spark needs Java 17 or newer: install it, or set JAVA_HOME") from error
        raise FlowsError(f"Spark at {master} cannot be reached: {error}") from error
    try:
        yield spark
    except PySparkException as error:
        raise FlowsError(f"Spark at {master} could not export the flows: {error}") from error
    finally:
        spark.stop()


def _laid_out(dataset: Dataset, wish: Wish, work: Path) -> Micros:
    """Write the tables of the labels to the work folder; when the first flow of the data set began."""
    with dataset.catalogue() as catalogue:
        first = min((part.earliest for part in catalogue.parts() if part.earliest is not None), default=0)
    with dataset.connection() as connection:
        prepare(connection, dataset, wish.options)
        for table in TABLES:
            connection.execute(f"COPY {table} TO {engine.text(work / f'{table}.parquet')} (FORMAT parquet)")
    return first


class _Export:
    """One export, kind after kind."""

    def __init__(self, spark: "SparkSession", dataset: Dataset, wish: Wish, planner: Planner, first: Micros) -> None:
        import ibis

        self._spark, self._dataset, self._wish, self._planner, self._first = spark, dataset, wish, planner, first
        self._ibis: Backend = ibis.pyspark.connect(spark)

    def write(self, parts: Sequence[Part], pieces: Path, tell: Tell | None) -> int:
        """Write each kind to a folder of its own, named so that their order is that of the export; the rows."""
        for table in TABLES:
            self._spark.read.parquet(str(pieces.with_name(f"{table}.parquet"))).createOrReplaceTempView(table)
        whole, seen, count = sum(part.rows for part in parts), 0, 0
        for number, kind in enumerate(self._planner.kinds):
            there = [part for part in parts if part.kind == kind]
            if not there:
                continue
            frame = self._rows(kind, there)
            _save(frame, self._wish.form, pieces / f"{number:02d}-{kind}")
            seen += sum(part.rows for part in there)
            count += self._count(there)
            if tell:
                tell(seen, whole)
        return count

    def _rows(self, kind: str, parts: Sequence[Part]) -> "DataFrame":
        """What is exported of a kind, in order."""
        wish = self._wish
        names = [engine.name(column.name).replace('"', "`") for column in KINDS[kind].columns]
        files = [str(self._dataset.folder / part.file) for part in parts]
        there = self._spark.read.parquet(*files).selectExpr(f"'{kind}' AS kind", *names)
        there.createOrReplaceTempView("stored")
        where = " AND ".join(self._conditions())
        rows = f"(SELECT * FROM stored{f' WHERE {where}' if where else ''})"
        uids = any(column.name == "uids" for column in KINDS[kind].own)
        rows = labelled(shape.renamed(rows, kind), wish.options, uids=uids)
        rows = f"(SELECT * FROM {rows} AS labelled_row ORDER BY place)"
        if wish.profile == "flat":
            kinds = (kind,) if wish.form == "json" else wish.kinds()
            text = shape.flat(rows, kind, shape.fields(kinds), form=wish.form)
        else:
            text = shape.slips(
                *(rows, kind),
                first=self._first,
                timewindow_s=wish.timewindow_s,
                alternative=wish.alternative,
                as_text=wish.form != "json",
            )
        return self._spark.sql(self._ibis.compile(self._ibis.sql(text, dialect="duckdb")))

    def _conditions(self) -> Iterator[str]:
        if self._planner.since is not None:
            yield f"(start IS NULL OR start >= {self._planner.since})"
        if self._planner.until is not None:
            yield f"(start IS NULL OR start < {self._planner.until})"

    def _count(self, parts: Sequence[Part]) -> int:
        where = " AND ".join(self._conditions())
        if not where:
            return sum(part.rows for part in parts)
        (row,) = self._spark.sql(f"SELECT count(*) FROM stored WHERE {where}").collect()
        return int(row[0])


def _save(frame: "DataFrame", form: str, folder: Path) -> None:
    writer: Any = frame.write
    if form == "tsv":
        writer.options(**TSV).csv(str(folder))
    elif form == "json":
        writer.json(str(folder))
    else:
        writer.parquet(str(folder))


def _put(wish: Wish, work: Path, target: Path) -> None:
    """Put the pieces together under the target's name."""
    pieces = sorted((work / "pieces").glob("*/part-*")) if (work / "pieces").exists() else []
    whole = work / "whole"
    if wish.form == "parquet":
        whole.mkdir(mode=0o700)
        for number, piece in enumerate(pieces):
            piece.replace(whole / f"part-{number:05d}.parquet")
        shutil.rmtree(target, ignore_errors=True)
    else:
        with whole.open("wb") as file:
            whole.chmod(0o600)
            if wish.form == "tsv":
                file.write(("\t".join(_head(wish)) + "\n").encode())
            for piece in pieces:
                with piece.open("rb") as part:
                    shutil.copyfileobj(part, file, 1 << 20)
        lasting(whole)
    whole.replace(target)


def _spare(wish: Wish, target: Path) -> None:
    """Refuse to put an export in the place of what cannot be one."""
    if target.is_dir() and wish.form != "parquet":
        raise FlowsError(f"{target} is a folder: name a file")
    if target.is_dir() and any(not each.match(PIECES) for each in target.iterdir()):
        raise FlowsError(f"there is more in {target} than an export: name another folder, or empty it")
    if wish.form == "parquet" and target.is_file():
        raise FlowsError(f"{target} is a file, and Spark writes a folder: name another")


def _head(wish: Wish) -> list[str]:
    if wish.profile == "flat":
        return ["kind", *(column.name for column in shape.fields(wish.kinds())), *ADDED]
    return ["uid", "flow", "label", "profileid", "twid", "aid", *(["flow_type"] if wish.alternative else [])]
