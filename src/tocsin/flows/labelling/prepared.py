"""What detections say, laid out for joins by hash: tables of one connection."""

from typing import TYPE_CHECKING, NamedTuple

from tocsin.flows.dataset import Dataset

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Options(NamedTuple):
    """How flows are labelled."""

    tolerance_s: float = 1.0
    one_sided: bool = False
    malicious: str = "malicious"
    benign: str = "benign"


TABLES = ("by_uid", "pair", "slot", "named")
"""What `prepare` makes, each small enough to be copied to wherever `labelled` is to run."""


def prepare(connection: "DuckDBPyConnection", dataset: Dataset, options: Options, alertgroup: int = 0) -> None:
    """Make the temporary tables that `labelled` joins, from what `refresh` brought in.

    With an `alertgroup`, only what that one says, also where it was closed as false: to show its flows.
    """
    raise NotImplementedError
