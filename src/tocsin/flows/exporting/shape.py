"""The rows of an export as SQL: Slips' shape, and a flat one with a column for each field.

What stands here is one expression over the rows of a kind, with their labels; ibis reads it in DuckDB's dialect and
says it in Spark's. Three things differ there: Spark's `to_json` leaves keys with NULL out (`ignoreNullFields`),
lists are of its own type, and TSV and JSON are written by its own writers.

Slips' `flow` object: the keys of Slips' data classes (`core/flows`, version 1.1.1, with those that its profiler adds),
in Slips' order. The same keys stand in every row of a kind, whichever tool wrote it: what Suricata alone says comes
last. Absent text is "", an absent list is [], an absent number or truth is null. Slips keeps what a log left out as
"", 0, false or "-", depending on the tool.
"""

from collections.abc import Sequence

from tocsin.flows.engine import name, text
from tocsin.flows.kinds import ALTERNATIVE, COMMON, KINDS, Column
from tocsin.flows.labelling.expression import ADDED

_TRUTH = "ground_truth_label detailed_ground_truth_label type_"
_SURICATA = "proto appproto flow_source"

KEYS: dict[str, str] = {
    "conn": "interface starttime uid saddr daddr dur proto appproto sport dport spkts dpkts sbytes dbytes state history"
    " smac dmac ground_truth_label detailed_ground_truth_label endtime pkts bytes state_hist aid dport_name"
    " timestamp_human interpreted_state type_ dir_ flow_source",
    "argus": "interface starttime endtime dur proto appproto saddr sport dir_ daddr dport state pkts spkts dpkts bytes"
    " sbytes dbytes uid smac dmac type_",
    "nfdump": "interface starttime endtime dur proto saddr sport dir_ daddr dport state spkts dpkts sbytes dbytes uid"
    " type_",
    "dns": "interface starttime uid saddr daddr sport dport proto query qclass_name qtype_name rcode_name answers TTLs"
    f" {_TRUTH} appproto flow_source",
    "http": "interface starttime uid saddr daddr method host uri version user_agent request_body_len response_body_len"
    f" status_code status_msg resp_mime_types resp_fuids {_TRUTH} sport dport {_SURICATA}",
    "ssl": "interface starttime uid saddr daddr version sport dport cipher resumed established cert_chain_fuids"
    " client_cert_chain_fuids subject issuer validation_status curve server_name ja3 ja3s is_DoH"
    f" {_TRUTH} notbefore notafter {_SURICATA}",
    "ssh": "interface starttime uid saddr daddr version auth_success auth_attempts client server cipher_alg mac_alg"
    f" compression_alg kex_alg host_key_alg host_key {_TRUTH} sport dport {_SURICATA}",
    "dhcp": f"interface starttime uids client_addr server_addr host_name smac requested_addr {_TRUTH} saddr daddr uid",
    "ftp": f"interface starttime uid saddr daddr sport dport used_port {_TRUTH}",
    "smtp": f"interface starttime uid saddr daddr sport dport last_reply {_TRUTH}",
    "tunnel": f"interface starttime uid saddr daddr sport dport tunnel_type action {_TRUTH}",
    "notice": f"interface starttime saddr daddr sport dport note msg scanned_port scanning_ip dst {_TRUTH} uid",
    "files": "interface starttime uid saddr daddr size md5 source analyzers sha1 tx_hosts rx_hosts"
    f" {_TRUTH} sport dport {_SURICATA}",
    "arp": "interface starttime uid saddr daddr smac dmac src_hw dst_hw operation dur proto state pkts sport dport"
    f" bytes sbytes dbytes spkts dpkts appproto {_TRUTH}",
    "software": "interface starttime uid saddr sport software software_name unparsed_version version_major"
    f" version_minor daddr {_TRUTH} http_browser",
    "weird": f"interface starttime uid saddr daddr name addl {_TRUTH}",
    "login": f"interface starttime uid saddr daddr sport dport proto success confused user client_user {_TRUTH}",
    "alert": "interface starttime uid saddr daddr sport dport signature signature_id category severity action"
    f" {_TRUTH} {_SURICATA}",
}
"""The keys of `flow`, by kind. `alert` is ours: Slips does not read Suricata's alerts."""

_STATES = {
    "Not Established": "S0 REJ RSTOS0 RSTRH SH SHR closed",
    "Established": "S1 SF S2 S3 RSTO RSTR RSTP OTH new established",
}
# Not `state IN (...)`: DuckDB makes a join of that, and a join loses the order of rows.
_INTERPRETED = " ".join(f"WHEN '{state}' THEN '{said}'" for said, states in _STATES.items() for state in states.split())
_DERIVED = {
    "state_hist": "coalesce(nullif(history, ''), state, '')",
    "dport_name": "coalesce(appproto, '')",
    "timestamp_human": "coalesce(strftime(make_timestamp(start), '%Y/%m/%d %H:%M:%S.%f+0000'), '')",
    "interpreted_state": f"CASE state {_INTERPRETED} ELSE '' END",
    "is_DoH": "false",
    "http_browser": "coalesce(software = 'HTTP::BROWSER', false)",
}
_TIMES = ("start", "finish")


def named(kind: str, column: str) -> str:
    """What a column of a kind is called here: with its kind before it where a label's column has the name already."""
    return f"{kind}_{column}" if column in ADDED else column


def renamed(rows: str, kind: str) -> str:
    """SQL for the rows of a kind under these names; in brackets, to stand after FROM. Labels come after that."""
    moved = [column.name for column in KINDS[kind].columns if named(kind, column.name) != column.name]
    if not moved:
        return rows
    cells = "".join(f", {name(column)} AS {name(named(kind, column))}" for column in moved)
    return f"(SELECT * EXCLUDE ({', '.join(map(name, moved))}){cells} FROM {rows} AS one)"


def slips(
    rows: str, kind: str, *, first: int, timewindow_s: float = 3600, alternative: bool = False, as_text: bool = True
) -> str:
    """SQL for labelled rows of a kind as Slips exports them: `uid flow label profileid twid aid`.

    `alternative` adds `flow_type`: the kind of an alternative flow, "" for any other. `flow` is JSON text, or a struct
    where not `as_text`. Time windows are counted from 1 at `first`, in microseconds, as Slips does from its first flow.
    """
    flow = "{" + ", ".join(f"{text(key)}: {_value(kind, key)}" for key in KEYS[kind].split()) + "}"
    width = max(1, round(timewindow_s * 1_000_000))
    cells = [
        "coalesce(uid, '') AS uid",
        f"CAST(to_json({flow}) AS VARCHAR) AS flow" if as_text else f"{flow} AS flow",
        "label",
        "concat('profile_', saddr) AS profileid",
        f"coalesce('timewindow' || CAST((start - {first}) // {width} + 1 AS VARCHAR), '') AS twid",
        "coalesce(aid, '') AS aid",
    ]
    if alternative:
        cells.append(f"{text(kind if kind in ALTERNATIVE else '')} AS flow_type")
    return f"SELECT {', '.join(cells)} FROM {rows} AS flow_row"


def fields(kinds: Sequence[str]) -> list[Column]:
    """The columns of the flat shape, for rows of those kinds: the common ones, then each kind's own, each once."""
    found = {column.name: column for column in COMMON if column.name != "place"}
    for kind in kinds:
        for column in KINDS[kind].own:
            there = Column(named(kind, column.name), column.type)
            found.setdefault(there.name, there)
    return list(found.values())


def flat(rows: str, kind: str, columns: Sequence[Column], *, form: str) -> str:
    """SQL for labelled rows of a kind, with a column for each field: `kind`, those columns, then the labels.

    Times are seconds with six decimals, in Parquet timestamps with UTC. Lists are JSON text in `form` "tsv".
    """
    there = {named(kind, column.name) for column in KINDS[kind].columns}
    cells = ["kind", *(_cell(column, form, column.name in there) for column in columns), *ADDED]
    return f"SELECT {', '.join(cells)} FROM {rows} AS flow_row"


def _value(kind: str, key: str) -> str:
    """A value of the `flow` object."""
    if key in _DERIVED:
        return _DERIVED[key]
    if key == "type_":
        return text(kind)
    column = next(column for column in KINDS[kind].columns if column.key == key)
    there = name(named(kind, column.name))
    if column.name in _TIMES:
        return _seconds(there)
    if column.type == "VARCHAR":
        return f"coalesce({there}, '')"
    return f"coalesce({there}, [])" if column.type.endswith("[]") else there


def _cell(column: Column, form: str, there: bool) -> str:
    """A column of the flat shape."""
    listed = column.type.endswith("[]")
    if not there:
        return f"CAST(NULL AS {'VARCHAR' if listed and form == 'tsv' else column.type}) AS {name(column.name)}"
    cell = name(column.name)
    if column.name in _TIMES:
        return f"{_moment(cell) if form == 'parquet' else _seconds(cell)} AS {cell}"
    return f"CAST(to_json({cell}) AS VARCHAR) AS {cell}" if listed and form == "tsv" else cell


def _moment(column: str) -> str:
    """Microseconds as a timestamp with UTC; every connection's zone is UTC."""
    return f"CAST(make_timestamp({column}) AS TIMESTAMPTZ)"


def _seconds(column: str) -> str:
    """Microseconds as seconds with six decimals, exactly."""
    return f"CAST({column} AS DECIMAL(19, 0)) * 0.000001"
