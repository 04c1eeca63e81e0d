"""Labels without a join: rows keep their order, which DuckDB's joins do not leave to them.

The rows of a portion are numbered as they stand in their files. Those that a detection names are found by the join,
first and for themselves; their numbers become a string of bits, and each row looks up its own.
"""

from collections.abc import Sequence

from tocsin.flows import engine
from tocsin.flows.catalogue import Part
from tocsin.flows.dataset import Dataset
from tocsin.flows.kinds import KINDS
from tocsin.flows.labelling.expression import NEEDED, labelled
from tocsin.flows.labelling.prepared import Options

VARIABLE = "marked"
_NUMBER = "file_row_number"


def numbered(dataset: Dataset, parts: Sequence[Part]) -> str:
    """SQL in brackets for the rows of parts of one kind, with all columns, and with `number` from 0."""
    found, before = [], 0
    for part in parts:
        columns = ", ".join(engine.name(column.name) for column in KINDS[part.kind].columns)
        read = f"read_parquet({engine.text(dataset.folder / part.file)}, hive_partitioning = false, {_NUMBER} = true)"
        found.append(f"SELECT {engine.text(part.kind)} AS kind, {columns}, {_NUMBER} + {before} AS number FROM {read}")
        before += part.rows
    return f"({' UNION ALL '.join(found)})"


def marks(dataset: Dataset, parts: Sequence[Part], where: str, options: Options) -> str:
    """SQL for the numbers of the rows that are malicious, as a string of bits; NULL if none is."""
    uids = any(column.name == "uids" for column in KINDS[parts[0].kind].own)
    columns = ", ".join([*NEEDED, "number", *(["uids"] if uids else [])])
    rows = f"(SELECT {columns} FROM {numbered(dataset, parts)} AS every{where})"
    hits = f"SELECT number FROM {labelled(rows, options, uids=uids)} AS one WHERE alert IS NOT NULL"
    return f"SELECT bitstring_agg(number, 0, {max(0, sum(part.rows for part in parts) - 1)}) FROM ({hits}) AS hit"


def marked(rows: str, options: Options) -> str:
    """SQL in brackets for numbered rows with their `label`; the marks are in the variable."""
    bit = f"get_bit(getvariable('{VARIABLE}'), CAST(number AS INTEGER))"
    words = f"WHEN {bit} = 1 THEN {engine.text(options.malicious)} ELSE {engine.text(options.benign)}"
    return f"(SELECT *, CASE {words} END AS label FROM {rows} AS numbered_row)"
