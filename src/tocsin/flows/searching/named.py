"""What can be said of a row before it is labelled, where only rows that an alert names are asked for."""

from itertools import product

from tocsin.flows.searching.asked import MARK, Asked
from tocsin.flows.searching.warm import Reading

_MOST_MARKS = 4
_FEW = 500
"""So many uids and addresses are written out, which lets DuckDB skip pieces of a file; more are looked up."""


def naming(reading: Reading, asked: Asked) -> list[str]:
    """Conditions of which every row fulfils exactly one that an alert may name, for kinds with one uid to a row.

    Empty where others count as well; `false` where no alert names anything. The tables of `prepare` must be there. Each
    is one that DuckDB can skip pieces of a file by, as it cannot by both at once.
    """
    if not asked.labelled or len(asked.marks) > _MOST_MARKS or _means_benign(reading, asked):
        return []
    uids = [row[0] for row in reading.rows(f"SELECT uid FROM by_uid LIMIT {_FEW + 1}")]
    pairs = reading.rows(f"SELECT low, high FROM pair LIMIT {_FEW + 1}")
    by_uid = f"uid IN ({_texts(uids) if len(uids) <= _FEW else 'SELECT uid FROM by_uid'})"
    found = [by_uid] if uids else []
    if pairs:
        other = f" AND NOT coalesce({by_uid}, false)" if uids else ""
        found.append(f"{_of_pairs(pairs)}{_in_time(reading)}{other}")
    return found or ["false"]


def _of_pairs(pairs: list[tuple[str, str]]) -> str:
    if len(pairs) > _FEW:
        both = "(least(saddr, daddr), greatest(saddr, daddr)) IN (SELECT (low, high) FROM pair)"
        alone = "(SELECT low FROM pair WHERE high = '')"
        return f"({both} OR saddr IN {alone} OR daddr IN {alone})"
    single = sorted({low for low, high in pairs if not high})
    ends = sorted({end for low, high in pairs if high for end in (low, high)})
    both = f"saddr IN ({_texts(ends)}) AND daddr IN ({_texts(ends)})" if ends else "false"
    return f"({both} OR saddr IN ({_texts(single)}) OR daddr IN ({_texts(single)}))" if single else both


def _in_time(reading: Reading) -> str:
    """The time in which all that is said of pairs of addresses lies, if all of it has one."""
    asked = "SELECT min(earliest), max(latest), count(*) FILTER (earliest IS NULL OR latest IS NULL) FROM slot"
    ((first, last, untimed),) = reading.rows(asked)
    if untimed or first is None:
        return ""
    return f" AND (start IS NULL OR start <= {last}) AND (start IS NULL OR start >= {first} OR finish >= {first})"


def _means_benign(reading: Reading, asked: Asked) -> bool:
    """Whether a row can be meant that no alert names: asked of DuckDB, for whatever the row itself may say."""
    marks = [f"{MARK}{number}" for number in range(len(asked.marks))]
    cases = " UNION ALL ".join(
        "SELECT " + ", ".join(f"{value} AS {mark}" for mark, value in zip(marks, case, strict=True))
        if case
        else "SELECT 0"
        for case in product(("true", "false"), repeat=len(marks))
    )
    benign = reading.options.benign.replace("'", "''")
    row = f"SELECT *, '{benign}' AS label, NULL::BIGINT AS alertgroup, NULL::BIGINT AS alert, NULL::VARCHAR AS category"
    return bool(reading.rows(f"SELECT 1 FROM ({row} FROM ({cases})) WHERE {asked.labelled}"))


def _texts(values: list[str]) -> str:
    return ", ".join("'" + value.replace("'", "''") + "'" for value in values)
