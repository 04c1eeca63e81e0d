"""Zeek's logs, whatever they are written in: which log a file is, and which of its fields stands where in a row.

Field names: Zeek's `Log::` records of each log (docs.zeek.org, "Log Files"), older names beside newer ones.
"""

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from tocsin.flows.engine import name, text
from tocsin.flows.kinds import KINDS

TOOL = "zeek"
LISTS = "VARCHAR[]"
TIME = "TIME"
"""The type of `ts`: seconds or milliseconds since the epoch, or ISO 8601, as `LogAscii::json_timestamps` says."""

SIGNS: dict[str, tuple[frozenset[str], ...]] = {
    kind: tuple(frozenset(sign.split()) for sign in signs.split("|"))
    for kind, signs in {
        "conn": "conn_state|conn_state history|orig_pkts resp_pkts proto",
        "dns": "trans_id rejected|query qtype_name|query rcode_name|query answers",
        "http": "request_body_len|trans_depth method|trans_depth uri|trans_depth status_code",
        "smtp": "helo|mailfrom|rcptto|trans_depth last_reply",
        "ssl": "resumed established|cipher established|cipher server_name",
        "ssh": "auth_attempts|kex_alg|host_key_alg|cipher_alg mac_alg",
        "dhcp": "msg_types|uids mac|lease_time mac|assigned_ip mac",
        "ftp": "data_channel.passive|data_channel.resp_p|reply_code command|command arg user",
        "tunnel": "tunnel_type",
        "notice": "note actions|note msg",
        "files": "fuid seen_bytes|fuid tx_hosts|fuid analyzers",
        "arp": "operation orig_hw|operation src_mac",
        "software": "software_type",
        "weird": "name notice|name peer|name addl",
        "login": "confused|client_user success",
    }.items()
}
"""Fields that only this log has: all of one group. Of a JSON log with fields left out, what its first lines have."""

LABELS = ("label",)
DETAILS = ("detailedlabel", "detailed-label", "detailed_label")

_COMMON: dict[str, tuple[str, ...]] = {
    "start": ("ts",),
    "uid": ("uid",),
    "saddr": ("id.orig_h",),
    "sport": ("id.orig_p",),
    "daddr": ("id.resp_h",),
    "dport": ("id.resp_p",),
    "proto": ("proto",),
    "interface": ("interface",),
    "ground_truth_label": LABELS,
    "detailed_ground_truth_label": DETAILS,
}

_OWN: dict[str, dict[str, tuple[str, ...]]] = {
    "conn": {
        "appproto": ("service",),
        "dur": ("duration",),
        "sbytes": ("orig_bytes",),
        "dbytes": ("resp_bytes",),
        "spkts": ("orig_pkts",),
        "dpkts": ("resp_pkts",),
        "state": ("conn_state",),
        "smac": ("orig_l2_addr",),
        "dmac": ("resp_l2_addr",),
    },
    "ssl": {
        "cert_chain_fuids": ("cert_chain_fps", "cert_chain_fuids"),
        "client_cert_chain_fuids": ("client_cert_chain_fps", "client_cert_chain_fuids"),
        "notbefore": ("not_valid_before",),
        "notafter": ("not_valid_after",),
    },
    "dhcp": {
        "saddr": ("client_addr", "id.orig_h"),
        "daddr": ("server_addr", "id.resp_h"),
        "smac": ("mac",),
        "client_addr": ("client_addr", "assigned_ip"),
    },
    "ftp": {"used_port": ("data_channel.resp_p",)},
    "notice": {
        "saddr": ("id.orig_h", "src"),
        "daddr": ("id.resp_h", "dst"),
        "dport": ("id.resp_p", "p"),
        "scanning_ip": ("src",),
        "scanned_port": ("p",),
    },
    "files": {"uid": ("fuid",), "size": ("total_bytes",)},
    "arp": {
        "saddr": ("orig_h",),
        "daddr": ("resp_h",),
        "smac": ("src_mac",),
        "dmac": ("dst_mac",),
        "src_hw": ("orig_hw",),
        "dst_hw": ("resp_hw",),
    },
    "software": {
        "saddr": ("host", "id.orig_h"),
        "sport": ("host_p", "id.orig_p"),
        "software": ("software_type",),
        "software_name": ("name",),
        "version_major": ("version.major",),
        "version_minor": ("version.minor",),
    },
}
"""Where a column's field has another name than the column, by kind. The first that a line has counts."""

_IMPLIED = {"http": "'tcp'", "ssh": "'tcp'", "ftp": "'tcp'", "smtp": "'tcp'", "login": "'tcp'"}
"""Of logs that do not say their protocol, which it is: fingerprints need it."""

UNKNOWN_PROTOCOL = "unknown_transport"


class Field(NamedTuple):
    """A field of a log that is kept."""

    name: str
    type: str


def kind_of(fields: Collection[str], path: str = "") -> str | None:
    """The kind of a log with those fields; `path` is what the log calls itself. None for a log that is not kept."""
    there = set(fields)
    if path in SIGNS:
        return path
    return next((kind for kind, signs in SIGNS.items() if any(sign <= there for sign in signs)), None)


def columns_of(kind: str) -> Mapping[str, tuple[str, ...]]:
    """The fields of each column of a kind, the first of them that a line has counts."""
    own = {column.name: (column.name,) for column in KINDS[kind].own}
    stored = {column.name: (column.name,) for column in KINDS[kind].columns if column.name == "history"}
    return {**_COMMON, **stored, **own, **_OWN.get(kind, {})}


def fields_of(kind: str) -> list[Field]:
    """Every field that a row of the kind is made of, each once, with its type."""
    types = {column.name: column.type for column in KINDS[kind].columns}
    wanted = {"ts": TIME}
    for column, sources in columns_of(kind).items():
        for source in sources:
            wanted.setdefault(source, types[column])
    if kind == "files":
        wanted |= {"id.orig_h": "VARCHAR", "id.resp_h": "VARCHAR", "is_orig": "BOOLEAN"}
    return [Field(*field) for field in wanted.items()]


def select(kind: str, fields: Collection[Field], given: str, raw: Callable[[Field], str], broken: str = "") -> str:
    """A SELECT of rows as a reader yields them.

    `fields` are those that the log has, of `fields_of(kind)`; `given` is a relation with `no` and whatever `raw` reads:
    SQL for the text of a field, NULL where it is unset (a list of texts where the field is one). `broken` is SQL that
    says what is wrong with a whole line, NULL for nothing.
    """
    texts = ", ".join(f"{raw(field)} AS {name('raw ' + field.name)}" for field in fields)
    typed = ", ".join(f"{_typed(field)} AS {name(field.name)}" for field in fields)
    kept = ", ".join(
        f"{sql} AS {name(column)}" for column, sql in _columns(kind, {field.name for field in fields}).items()
    )
    faults = f"CASE WHEN {broken} IS NOT NULL THEN {broken} " if broken else "CASE "
    faults += " ".join(_fault(field) for field in fields if field.type not in ("VARCHAR", LISTS))
    faults += f" WHEN {name('ts')} IS NULL THEN 'ts is missing' END"
    said = f", {broken} AS broken_line" if broken else ""
    if broken:
        faults = faults.replace(broken, "broken_line")
    return f"SELECT no, {kept}, {faults} AS wrong FROM (SELECT *, {typed} FROM (SELECT no{said}, {texts} FROM {given}))"


def _columns(kind: str, there: Collection[str]) -> dict[str, str]:
    """SQL for each column of a row over the typed fields that there are."""
    found = {}
    for column, sources in columns_of(kind).items():
        present = [name(source) for source in sources if source in there]
        if present:
            found[column] = present[0] if len(present) == 1 else f"coalesce({', '.join(present)})"
    if "proto" in found:
        found["proto"] = f"nullif({found['proto']}, {text(UNKNOWN_PROTOCOL)})"
    if kind == "dhcp" and "uids" in there:
        found["uid"] = f"coalesce({name('uids')}[1], {found['uid']})" if "uid" in found else f"{name('uids')}[1]"
    if kind == "files":
        found |= _ends_of_a_file(there)
    if "ts" in there:
        found["aid_time"] = (
            f"CASE WHEN regexp_full_match({name('raw ts')}, '[0-9]+[.][0-9]{{7,}}') THEN {name('raw ts')} END"
        )
    if kind == "ssl" and "version" in there:
        found["aid_proto"] = f"CASE WHEN starts_with({name('version')}, 'DTLS') THEN 'udp' ELSE 'tcp' END"
    elif kind in _IMPLIED:
        found["aid_proto"] = _IMPLIED[kind]
    return found


def _ends_of_a_file(there: Collection[str]) -> dict[str, str]:
    """Who sent a file and who got it: Zeek 5.1 names the connection's ends and says whether its originator sent."""
    orig, resp = (name(f"id.{end}_h") if f"id.{end}_h" in there else "NULL::VARCHAR" for end in ("orig", "resp"))
    is_orig = name("is_orig") if "is_orig" in there else "NULL::BOOLEAN"
    hosts = [f"{name(hosts)}[1]" if hosts in there else "NULL::VARCHAR" for hosts in ("tx_hosts", "rx_hosts")]
    return {
        "saddr": f"coalesce({hosts[0]}, CASE WHEN {is_orig} THEN {orig} ELSE {resp} END)",
        "daddr": f"coalesce({hosts[1]}, CASE WHEN {is_orig} THEN {resp} ELSE {orig} END)",
        "sport": "NULL::INTEGER",
        "dport": "NULL::INTEGER",
    }


def _typed(field: Field) -> str:
    raw = name("raw " + field.name)
    if field.type in ("VARCHAR", LISTS):
        return raw
    if field.type == TIME:
        seconds = f"TRY_CAST({raw} AS DOUBLE)"
        return (
            f"coalesce(TRY_CAST(CASE WHEN {seconds} >= 1e11 THEN {seconds} * 1e3 ELSE {seconds} * 1e6 END AS BIGINT),"
            f" epoch_us(TRY_CAST({raw} AS TIMESTAMPTZ)))"
        )
    return f"TRY_CAST({raw} AS {field.type})"


def _fault(field: Field) -> str:
    meant = {TIME: "time", "BOOLEAN": "truth value"}.get(field.type, "number")
    words = text(f"{field.name} is not a {meant}: ")
    raw = name("raw " + field.name)
    return f"WHEN {name(field.name)} IS NULL AND {raw} IS NOT NULL THEN {words} || left({raw}, 60)"
