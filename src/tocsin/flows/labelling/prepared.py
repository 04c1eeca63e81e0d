"""What detections say, laid out for joins by hash: a few tables of one connection.

A detection without uids means the flows between its two addresses in its time. To find them without trying each
against each, time is cut into buckets, finer for the shorter: a flow of some seconds and an alert of some seconds meet
in a bucket of one minute, however many alerts there are of these two addresses on that day.
"""

from typing import TYPE_CHECKING, NamedTuple

from tocsin.flows.dataset import Dataset
from tocsin.flows.labelling.detections import latest

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Options(NamedTuple):
    """How flows are labelled.

    A flow meets an alert's time where it overlaps it, made longer by the tolerance at both ends. `one_sided`: whether
    an alert that names one address and a time, and no other address, means every flow of it.
    """

    tolerance_s: float = 1.0
    one_sided: bool = False
    malicious: str = "malicious"
    benign: str = "benign"


TABLES = ("by_uid", "pair", "slot", "named")
"""What `prepare` makes; each can be copied to wherever `labelled` is to run.

    by_uid   uid -> the rank of the worst detection that names it
    pair     two addresses, the lesser first, the second empty where one stands for itself -> a number
    slot     a detection in one bucket of time, for one pair
    named    rank -> alertgroup, alert, category

The rank settles which detection a flow is labelled by: the lowest, which is the most severe one; of these the earliest
detected; of these one that stands for itself before one that is folded away; of these the first in the store.
"""

WIDTHS_S = (60, 3600, 86400)
"""Of the buckets, in seconds. Above the last of these levels there is one with a single bucket for all of time."""


def prepare(
    connection: "DuckDBPyConnection", dataset: Dataset, options: Options, alertgroup: int = 0, said: str = ""
) -> None:
    """Make the temporary tables that `labelled` joins, from what `refresh` brought in.

    With an `alertgroup`, only what that one says, also where it was closed as false: to show its flows. `said` is
    another table of `said.COLUMNS` than what was brought in. Joins of the connection are made as they are written from
    here on, which keeps the order of rows. Raises FlowsError.
    """
    connection.execute("SET disabled_optimizers = 'join_order,build_side_probe_side'")
    ranked = _ranked(said or latest(dataset), alertgroup)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE said AS {ranked}")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE named AS SELECT DISTINCT rank, alertgroup, alert, category FROM said"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE by_uid AS SELECT uid, min(rank) AS rank"
        " FROM (SELECT unnest(uids) AS uid, rank FROM said) GROUP BY uid"
    )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE ends AS {_ends(options)}")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE pair AS SELECT low, high, row_number() OVER () AS pair"
        " FROM (SELECT DISTINCT low, high FROM ends)"
    )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE slot AS {_slots()}")
    connection.execute("DROP TABLE ends; DROP TABLE said")


def _ranked(said: str, alertgroup: int) -> str:
    if alertgroup:
        counts = f"alertgroup = {alertgroup}"
    else:
        counts = 'NOT "false" AND follows NOT IN (SELECT alertgroup FROM said WHERE alert IS NULL AND "false")'
    return (
        f"WITH said AS MATERIALIZED (SELECT * FROM {said})"
        " SELECT *, dense_rank() OVER (ORDER BY severity DESC NULLS LAST, detected NULLS LAST, follows > 0, alert)"
        f" AS rank FROM said WHERE alert IS NOT NULL AND {counts}"
    )


def _ends(options: Options) -> str:
    """Detections by pairs of addresses; `low_ports` are those of the pair's first address."""
    tolerance = round(options.tolerance_s * 1_000_000)
    when = f"earliest - {tolerance} AS earliest, latest + {tolerance} AS latest"
    sides = (
        "SELECT unnest(sources) AS source, source_ports, targets, target_ports, protocols, earliest, latest, rank"
        " FROM said WHERE sources IS NOT NULL AND targets IS NOT NULL"
    )
    pairs = f"SELECT * EXCLUDE (targets), unnest(targets) AS target FROM ({sides})"
    found = [
        f"SELECT {one} AS low, {other} AS high, {one}_ports AS low_ports, {other}_ports AS high_ports, protocols,"
        f" {when}, rank FROM ({pairs}) WHERE {one} <= {other}"
        for one, other in (("source", "target"), ("target", "source"))
    ]
    if options.one_sided:
        for one, other in (("source", "target"), ("target", "source")):
            found.append(
                f"SELECT unnest({one}s) AS low, '' AS high, {one}_ports AS low_ports, {other}_ports AS high_ports,"
                f" protocols, {when}, rank FROM said"
                f" WHERE {one}s IS NOT NULL AND {other}s IS NULL AND earliest IS NOT NULL"
            )
    return " UNION ALL ".join(found)


def _slots() -> str:
    """Each detection in the buckets of its own level, and of each level above for flows as long as that."""
    columns = "low_ports, high_ports, protocols, earliest, latest, rank"
    whole = len(WIDTHS_S)
    steps = " ".join(
        f"WHEN latest - earliest <= {width * 1_000_000} THEN {level}" for level, width in enumerate(WIDTHS_S)
    )
    own = f"CASE {steps} ELSE {whole} END"
    found = [f"SELECT pair, {_code(whole)} AS code, 0 AS bucket, {columns} FROM leveled"]
    for level, width in enumerate(WIDTHS_S):
        micros = width * 1_000_000
        series = f"{bucket(f'earliest - {micros}', str(micros))}, {bucket('latest', str(micros))}, {micros}"
        found.append(
            f"SELECT pair, {_code(level)} AS code,"
            f" unnest(generate_series({series})) AS bucket, {columns}"
            f" FROM leveled WHERE own <= {level}"
        )
    return (
        f"WITH leveled AS (SELECT pair, {own} AS own, {columns} FROM ends JOIN pair USING (low, high)) "
        + " UNION ALL ".join(found)
    )


def _code(level: int) -> str:
    """SQL: even where flows up to a level's length meet detections of its own, odd where its flows meet shorter."""
    return f"{2 * level} + CASE WHEN own < {level} THEN 1 ELSE 0 END"


def bucket(time: str, width: str) -> str:
    """SQL for the bucket in which a time lies: rounded towards 1970, alike in every engine."""
    return f"(({time}) - ({time}) % {width})"
