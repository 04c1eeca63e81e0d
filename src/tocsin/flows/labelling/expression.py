"""Rows of flows -> the same rows with their labels: one SQL text, for DuckDB and (through sqlglot) for Spark.

A flow is named by a detection that gives its uid, or that gives its two addresses, in either direction, and whose
ports, protocol and time do not speak against it. What a detection does not say does not constrain. Ports that the flow
does not know are not those that are asked for; an unknown protocol may be any, since most of Zeek's logs have none.
"""

from tocsin.flows.labelling.prepared import WIDTHS_S, Options, bucket
from tocsin.flows.labelling.said import ICMP

NEEDED = ("place", "uid", "start", "finish", "saddr", "daddr", "sport", "dport", "proto")
"""Columns that the rows must have; all but `place` may be NULL."""
ADDED = ("label", "alertgroup", "alert", "category")
"""Columns that stand behind those of the rows, which may not have any of these names. All but the label are NULL for a
benign flow."""


def labelled(rows: str, options: Options, *, uids: bool = False) -> str:
    """SQL for the rows with their labels, in brackets to stand after FROM; the tables of `prepare` must be there.

    `rows` is SQL in brackets, as `Dataset.rows` gives it, or the name of a table; it is read twice. `uids`: they have
    a column `uids` (VARCHAR[], of the kind dhcp), each of which names the flow as its `uid` does. They are as many as
    before; DuckDB keeps their order only where one thread reads them, so order them by `place` where it counts.
    """
    malicious, benign = (word.replace("'", "''") for word in (options.malicious, options.benign))
    rank = "CASE WHEN u.rank IS NULL OR h.rank < u.rank THEN h.rank ELSE u.rank END"
    return (
        f"(SELECT f.*, CASE WHEN n.rank IS NULL THEN '{benign}' ELSE '{malicious}' END AS label,"
        " n.alertgroup AS alertgroup, n.alert AS alert, n.category AS category"
        f" FROM {rows} AS f"
        " LEFT JOIN by_uid AS u ON u.uid = f.uid"
        f" LEFT JOIN ({_hits(rows, options, uids)}) AS h ON h.place = f.place"
        f" LEFT JOIN named AS n ON n.rank = {rank})"
    )


def _hits(rows: str, options: Options, uids: bool) -> str:
    """By place, the lowest rank of the detections that name a flow by other means than its uid."""
    found = (
        "SELECT m.place AS place, s.rank AS rank"
        f" FROM ({_tries(rows, options)}) AS m"
        " JOIN slot AS s ON s.pair = m.pair AND s.code = m.code AND s.bucket = m.bucket"
        " WHERE (s.earliest IS NULL OR (m.start <= s.latest AND m.until >= s.earliest))"
        " AND (s.low_ports IS NULL OR list_contains(s.low_ports, m.low_port))"
        " AND (s.high_ports IS NULL OR list_contains(s.high_ports, m.high_port))"
        " AND (s.protocols IS NULL OR m.proto IS NULL OR list_contains(s.protocols, m.proto))"
    )
    if uids:
        found += (
            " UNION ALL SELECT d.place AS place, b.rank AS rank"
            f" FROM (SELECT place, unnest(uids) AS uid FROM {rows} AS l WHERE uids IS NOT NULL) AS d"
            " JOIN by_uid AS b ON b.uid = d.uid"
        )
    return f"SELECT place, min(rank) AS rank FROM ({found}) AS every GROUP BY place"


def _tries(rows: str, options: Options) -> str:
    """Flows of which anything is said, once for each way in which a detection may lie in a bucket with them."""
    levels = ", ".join(
        f"({level}, {2 * level + more}, {more}, {width * 1_000_000})"
        for level, width in enumerate((*WIDTHS_S, 1))
        for more in (0, 1)
    )
    return (
        "SELECT k.place, k.pair, w.code, k.start, k.until, k.proto, k.low_port, k.high_port,"
        f" CASE WHEN w.level = {len(WIDTHS_S)} THEN 0 ELSE {bucket('k.start', 'w.width')} END AS bucket"
        f" FROM ({_known(rows, options)}) AS k"
        f" JOIN (VALUES {levels}) AS w(level, code, longer, width)"
        " ON k.level = w.level OR (k.level < w.level AND w.longer = 0)"
    )


def _known(rows: str, options: Options) -> str:
    """Flows of a pair of which anything is said, with the level of their length."""
    steps = " ".join(
        f"WHEN e.until - e.start <= {width * 1_000_000} THEN {level}" for level, width in enumerate(WIDTHS_S)
    )
    return (
        "SELECT e.place, p.pair, e.start, e.until, e.proto, e.low_port, e.high_port,"
        f" CASE WHEN e.start IS NULL THEN {len(WIDTHS_S)} {steps} ELSE {len(WIDTHS_S)} END AS level"
        f" FROM ({_ends(rows, options)}) AS e JOIN pair AS p ON p.low = e.low AND p.high = e.high"
    )


def _ends(rows: str, options: Options) -> str:
    icmp = ", ".join(f"'{name}'" for name in ICMP)
    rest = (
        "place, start, CASE WHEN finish > start THEN finish ELSE start END AS until,"
        f" CASE WHEN lower(proto) IN ({icmp}) THEN 'icmp' WHEN proto = '' THEN NULL ELSE lower(proto) END AS proto"
    )
    if not options.one_sided:
        first = "CASE WHEN saddr <= daddr THEN {} ELSE {} END AS {}"
        cells = ", ".join(
            first.format(*each)
            for each in (
                ("saddr", "daddr", "low"),
                ("daddr", "saddr", "high"),
                ("sport", "dport", "low_port"),
                ("dport", "sport", "high_port"),
            )
        )
        return f"SELECT {cells}, {rest} FROM {rows} AS r"
    low = "CASE WHEN t.side = 1 OR (t.side = 0 AND saddr <= daddr) THEN {} ELSE {} END AS {}"
    return (
        f"SELECT {low.format('saddr', 'daddr', 'low')},"
        " CASE WHEN t.side > 0 THEN '' WHEN saddr <= daddr THEN daddr ELSE saddr END AS high,"
        f" {low.format('sport', 'dport', 'low_port')}, {low.format('dport', 'sport', 'high_port')}, {rest}"
        f" FROM {rows} AS r CROSS JOIN (VALUES (0), (1), (2)) AS t(side)"
    )
