"""The DuckDB that reads and writes flows: in memory, spilling beside the data set, nothing fetched from outside."""

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from tocsin.errors import NotInstalled

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY_MB = 600
MISSING = "flows need DuckDB: pip install 'tocsin[flows]'"
SPILL = "spill"


def installed() -> bool:
    """Whether the extra `flows` is."""
    return importlib.util.find_spec("duckdb") is not None


def connect(folder: Path, *, memory_mb: int = MEMORY_MB, threads: int = 0) -> "DuckDBPyConnection":
    """A DuckDB of its own for one task; close it afterwards. `threads` 0: one for each processor.

    Raises:
        NotInstalled: the extra `flows` is missing.
    """
    try:
        import duckdb
    except ImportError as error:
        raise NotInstalled(MISSING) from error
    settings: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "memory_limit": f"{memory_mb}MB",
        "temp_directory": str(folder / SPILL),
        "preserve_insertion_order": True,
    }
    if threads:
        settings["threads"] = threads
    connection = duckdb.connect(":memory:", config=settings)
    connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
    return connection


def text(value: str | Path) -> str:
    """A value as a text of SQL."""
    return "'" + str(value).replace("'", "''") + "'"


def name(value: str) -> str:
    """A name as SQL has it, whatever it holds."""
    return '"' + value.replace('"', '""') + '"'
