"""The part of the configuration that is about flows: what is followed, how it is labelled, where it is exported."""

import importlib.util
import zoneinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, Field
from pydantic import model_validator as after_all

from tocsin.config.sections import Name, Section
from tocsin.errors import Problem
from tocsin.flows.dataset import FOLDER, Dataset
from tocsin.flows.engine import MEMORY_MB
from tocsin.flows.labelling.prepared import Options
from tocsin.kit.paths import DataPath

if TYPE_CHECKING:
    from tocsin.config import Config

DAY_S = 86_400


def _zone(text: str) -> str:
    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be the name of a time zone, such as UTC or Europe/Prague") from None
    return text


def _word(text: str) -> str:
    if text.strip() and text.isprintable():
        return text
    raise ValueError("must be a word that can be printed")


Word = Annotated[str, AfterValidator(_word)]


class FlowsSection(Section):
    """Network flows: read, labelled by what alerts say of them, exported ([how that works](../flows.md)).

    They need the extra `flows` (`pip install 'tocsin[flows]'`). Without this table nothing is followed and nothing is
    exported by itself; `tocsin flows import` and `tocsin flows export` work all the same.
    """

    follow: list[DataPath] = Field(
        default=[],
        description="Files, folders or patterns that grow, read as they do: `/opt/zeek/logs/current`, "
        "`/var/log/suricata/eve*.json`. What stands there already is read, too; what was read once is not read again.",
    )
    interval_s: float = Field(default=5, gt=0, le=3600, description="Look for growth so often.")
    zone: Annotated[str, AfterValidator(_zone)] = Field(
        default="UTC",
        description="The time zone of times that say none (Argus, nfdump); never that of the machine.",
    )
    alert_source: Name = Field(
        default="flows", description="The source under which Suricata's alert events come in as messages."
    )
    memory_mb: int = Field(
        default=MEMORY_MB,
        ge=100,
        le=1_000_000,
        description="What one task on flows may take of memory, in MB; what is larger goes through the disk.",
    )
    threads: int = Field(
        default=0, ge=0, le=1024, description="So many threads work on one task; 0: one for each processor."
    )
    keep_days: int = Field(
        default=0, ge=0, le=36_500, description="Remove the flows of days that are longer ago; 0 keeps them for ever."
    )
    malicious: Word = Field(default="malicious", description="The label of a flow that an alert names.")
    benign: Word = Field(default="benign", description="The label of every other flow.")
    tolerance_s: float = Field(
        default=1,
        ge=0,
        le=DAY_S,
        description="A flow that is found by its addresses, and not by its uid, may begin and end so long before or "
        "after what the alert says.",
    )
    one_sided: bool = Field(
        default=False,
        description="Whether an alert that names one address only, and neither uid nor peer, labels every flow of that "
        "address in its time.",
    )
    false_tags: list[Word] = Field(
        default=["false_positive", "false-positive", "fp"],
        description="An alertgroup closed with one of these tags was a false alarm: its flows are benign again.",
    )
    timewindow_s: float = Field(
        default=3600, gt=0, le=366 * DAY_S, description="The width of Slips' time windows, for `twid` of the export."
    )
    export_labeled_flows: bool = Field(
        default=False,
        description="Whether labelled flows are written to `labeled_flows.tsv` and the like, at the end of an import "
        "and every so often while files are followed.",
    )
    export_to: DataPath | None = Field(
        default=None, description="The folder they are written to; none: `flows` of the data folder."
    )
    export_every_s: float = Field(
        default=3600,
        ge=0,
        le=366 * DAY_S,
        description="So often, where something came in or was labelled anew; 0: at the end of an import only.",
    )
    export_formats: list[Literal["tsv", "json", "parquet"]] = Field(
        default=["tsv", "json"], min_length=1, description="In which forms."
    )
    engine: Literal["duckdb", "spark"] = Field(
        default="duckdb",
        description="What labels and exports: DuckDB on this machine, or Spark on a cluster, which needs the extra "
        "`spark`.",
    )
    spark_master: str = Field(
        default="local[*]", min_length=1, description='Spark\'s master: "local[4]", "spark://host:7077", "yarn".'
    )

    @after_all(mode="after")
    def _words_differ(self) -> Self:
        if self.malicious == self.benign:
            raise ValueError("malicious and benign must be different words")
        return self

    @property
    def asks(self) -> bool:
        """Whether something is to be done with flows by itself."""
        return bool(self.follow) or self.export_labeled_flows or self.engine == "spark"

    def dataset(self, data: Path) -> Dataset:
        """The data set of a data folder, with the memory and the threads that it may take."""
        return Dataset(data / FOLDER, memory_mb=self.memory_mb, threads=self.threads)

    def options(self) -> Options:
        """How flows are labelled."""
        return Options(self.tolerance_s, self.one_sided, self.malicious, self.benign)

    def exports(self, data: Path) -> Path:
        """The folder that is exported to by itself."""
        return self.export_to or data / FOLDER


def faults(config: "Config", file: str) -> list[Problem]:
    """What is wrong with the table in the company it keeps: names of others, and extras that are not installed."""
    table, problems = config.flows, list[Problem]()
    if table.asks and importlib.util.find_spec("duckdb") is None:
        problems.append(Problem(file, "flows", "", "flows need DuckDB: pip install 'tocsin[flows]'"))
    if table.engine == "spark" and any(importlib.util.find_spec(name) is None for name in ("ibis", "pyspark")):
        problems.append(Problem(file, "flows.engine", '"spark"', "it needs Spark: pip install 'tocsin[spark]'"))
    if table.follow and table.alert_source in config.sources:
        remedy = "there is a source of that name, and each names what it hands in by its own; name another"
        problems.append(Problem(file, "flows.alert_source", f'"{table.alert_source}"', remedy))
    return problems
