"""Rows of flows -> the same rows with their labels: one SQL text, for DuckDB and (through sqlglot) for Spark."""

from tocsin.flows.labelling.prepared import Options

NEEDED = ("place", "uid", "start", "finish", "saddr", "daddr", "sport", "dport", "proto")
"""Columns that the rows must have; `finish` may be NULL."""
ADDED = ("label", "alertgroup", "alert", "category")
"""Columns that `labelled` adds behind those of the rows. All but the label are NULL for a benign flow."""


def labelled(rows: str, options: Options) -> str:
    """SQL for the rows with their labels, in brackets to stand after FROM.

    `rows` is SQL in brackets, as `Dataset.rows` gives it, or the name of a table; it is read twice.
    The tables of `prepare` must be there.
    """
    raise NotImplementedError
