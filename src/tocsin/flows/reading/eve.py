"""Suricata's EVE log, one JSON event a line (Suricata manual, "Eve JSON Output").

A `flow` is a connection; `dns`, `http`, `tls`, `ssh`, `fileinfo` and `alert` are what was seen inside one. Events of
other types are left. The original text of an alert event is kept with it: `flows.alerts` hands it to the analysts.
"""

import json
import re
from typing import TYPE_CHECKING

import msgspec

from tocsin.flows.engine import text as quoted
from tocsin.flows.reading.cells import MOMENT, PORT, Cell, complaint, selected
from tocsin.flows.reading.reader import Found, Piece, Reader, lines

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

KINDS = {
    "flow": "conn",
    "dns": "dns",
    "http": "http",
    "tls": "ssl",
    "ssh": "ssh",
    "fileinfo": "files",
    "alert": "alert",
}
"""The kind of each type of event that is kept."""

_BEGIN = re.compile(
    rb'\s*\{\s*"timestamp":\s*"[^"]{8,40}",\s*(?:"[a-z_]+":\s*(?:[0-9]+|"[^"]*"),\s*)*"event_type":\s*"[a-z0-9_]+"'
)
"""How Suricata writes an event: enough of one that is longer than what a form gets to see."""

_GROUPED = ("CNAME", "A", "AAAA", "NS", "PTR", "MX", "TXT", "SRV", "NULL")

_TEXT = "VARCHAR"
_SHAPE = {
    **dict.fromkeys(("timestamp", "event_type", "flow_id", "src_ip", "src_port", "dest_ip", "dest_port"), _TEXT),
    **dict.fromkeys(("proto", "app_proto", "icmp_type", "icmp_code"), _TEXT),
    "ether": dict.fromkeys(("src_mac", "dest_mac"), _TEXT) | {key: [_TEXT] for key in ("src_macs", "dest_macs")},
    "flow": dict.fromkeys(
        ("start", "end", "state", "pkts_toserver", "pkts_toclient", "bytes_toserver", "bytes_toclient"), _TEXT
    ),
    "dns": dict.fromkeys(("rrname", "rrtype", "rcode", "ttl", "rdata"), _TEXT)
    | {
        "queries": [{"rrname": _TEXT, "rrtype": _TEXT}],
        "answers": [{"rdata": _TEXT, "ttl": _TEXT}],
        "grouped": {each: [_TEXT] for each in _GROUPED},
    },
    "http": dict.fromkeys(
        ("http_method", "hostname", "url", "protocol", "http_user_agent", "status", "request_body_len", "length"), _TEXT
    )
    | {"http_content_type": _TEXT},
    "tls": dict.fromkeys(
        ("version", "subject", "issuerdn", "sni", "notbefore", "notafter", "fingerprint", "session_resumed"), _TEXT
    )
    | {"ja3": {"hash": _TEXT}, "ja3s": {"hash": _TEXT}},
    "ssh": {"client": {"proto_version": _TEXT, "software_version": _TEXT}, "server": {"software_version": _TEXT}},
    "fileinfo": dict.fromkeys(("size", "md5", "sha1"), _TEXT),
    "alert": dict.fromkeys(("signature", "signature_id", "category", "severity", "action"), _TEXT),
}

_ANY = (
    Cell("uid", "e.flow_id"),
    Cell("saddr", "e.src_ip"),
    Cell("sport", "coalesce(e.src_port, e.icmp_type)", PORT),
    Cell("daddr", "e.dest_ip"),
    Cell("dport", "coalesce(e.dest_port, e.icmp_code)", PORT),
    Cell("proto", "e.proto"),
    Cell("appproto", "e.app_proto"),
    Cell("smac", "coalesce(e.ether.src_mac, e.ether.src_macs[1])"),
    Cell("dmac", "coalesce(e.ether.dest_mac, e.ether.dest_macs[1])"),
)
_SEEN = (Cell("start", "e.timestamp", MOMENT), *_ANY)

_LISTED = "list_filter(e.dns.answers, lambda answer: answer.rdata IS NOT NULL)"
_IN_GROUPS = "flatten([" + ", ".join(f"coalesce(e.dns.grouped.{each}, [])" for each in _GROUPED) + "])"

_CELLS = {
    "conn": (
        Cell("start", "e.flow.start", MOMENT),
        Cell("finish", 'e.flow."end"', MOMENT),
        *_ANY,
        Cell("spkts", "e.flow.pkts_toserver", "BIGINT"),
        Cell("dpkts", "e.flow.pkts_toclient", "BIGINT"),
        Cell("sbytes", "e.flow.bytes_toserver", "BIGINT"),
        Cell("dbytes", "e.flow.bytes_toclient", "BIGINT"),
        Cell("state", "e.flow.state"),
    ),
    "dns": (
        *_SEEN,
        Cell("query", "coalesce(e.dns.rrname, e.dns.queries[1].rrname)"),
        Cell("qtype_name", "coalesce(e.dns.rrtype, e.dns.queries[1].rrtype)"),
        Cell("rcode_name", "e.dns.rcode"),
        # Each answer with its time to live; in the grouped form without; in version 1 an event has one answer.
        Cell(
            "answers",
            f"CASE WHEN len({_LISTED}) > 0 THEN list_transform({_LISTED}, lambda answer: answer.rdata)"
            f" WHEN e.dns.grouped IS NOT NULL AND len({_IN_GROUPS}) > 0 THEN {_IN_GROUPS}"
            " WHEN e.dns.rdata IS NOT NULL THEN [e.dns.rdata] END",
            "VARCHAR[]",
        ),
        Cell(
            "TTLs",
            f"CASE WHEN len({_LISTED}) > 0 THEN list_transform({_LISTED}, lambda answer: answer.ttl)"
            " WHEN e.dns.ttl IS NOT NULL THEN [e.dns.ttl] END",
            "VARCHAR[]",
        ),
    ),
    "http": (
        *_SEEN,
        Cell("method", "e.http.http_method"),
        Cell("host", "e.http.hostname"),
        Cell("uri", "e.http.url"),
        Cell("version", "e.http.protocol"),
        Cell("user_agent", "e.http.http_user_agent"),
        Cell("status_code", "e.http.status", "INTEGER"),
        Cell("request_body_len", "e.http.request_body_len", "BIGINT"),
        Cell("response_body_len", "e.http.length", "BIGINT"),
        Cell(
            "resp_mime_types",
            "CASE WHEN e.http.http_content_type <> '' THEN [e.http.http_content_type] END",
            "VARCHAR[]",
        ),
    ),
    "ssl": (
        *_SEEN,
        Cell("version", "e.tls.version"),
        Cell("subject", "e.tls.subject"),
        Cell("issuer", "e.tls.issuerdn"),
        Cell("server_name", "e.tls.sni"),
        Cell("notbefore", "e.tls.notbefore"),
        Cell("notafter", "e.tls.notafter"),
        Cell("resumed", "e.tls.session_resumed", "BOOLEAN"),
        Cell("ja3", "e.tls.ja3.hash"),
        Cell("ja3s", "e.tls.ja3s.hash"),
        Cell("cert_chain_fuids", "CASE WHEN e.tls.fingerprint <> '' THEN [e.tls.fingerprint] END", "VARCHAR[]"),
    ),
    "ssh": (
        *_SEEN,
        Cell("version", "e.ssh.client.proto_version"),
        Cell("client", "e.ssh.client.software_version"),
        Cell("server", "e.ssh.server.software_version"),
    ),
    "files": (
        *_SEEN,
        Cell("tx_hosts", "CASE WHEN e.src_ip <> '' THEN [e.src_ip] END", "VARCHAR[]"),
        Cell("rx_hosts", "CASE WHEN e.dest_ip <> '' THEN [e.dest_ip] END", "VARCHAR[]"),
        Cell("source", "e.app_proto"),
        Cell("md5", "e.fileinfo.md5"),
        Cell("sha1", "e.fileinfo.sha1"),
        Cell("size", "e.fileinfo.size", "BIGINT"),
    ),
    "alert": (
        *_SEEN,
        Cell("signature", "e.alert.signature"),
        Cell("signature_id", "e.alert.signature_id", "BIGINT"),
        Cell("category", "e.alert.category"),
        Cell("severity", "e.alert.severity", "INTEGER"),
        Cell("action", "e.alert.action"),
        Cell("event", "text"),
    ),
}


class Eve:
    """One EVE log; every line stands for itself."""

    form = "suricata eve"
    tool = "suricata"

    def read(self, piece: Piece, connection: "DuckDBPyConnection") -> Found:
        """Rows of the events that are kept; one that is none, or has a field that cannot be read, is malformed."""
        kinds = " ".join(f"WHEN '{type_}' THEN '{kind}'" for type_, kind in KINDS.items())
        wrong = " ".join(f"WHEN '{kind}' THEN {complaint(cells, ('start',))}" for kind, cells in _CELLS.items())
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE eve AS SELECT *, CASE WHEN e IS NULL THEN 'not JSON'"
            f" WHEN e.event_type IS NULL THEN 'no event_type' ELSE CASE kind {wrong} END END AS reason"
            f" FROM (SELECT *, CASE e.event_type {kinds} END AS kind FROM (SELECT no, text,"
            f" json_transform(CASE WHEN json_valid(text) THEN text END, {quoted(json.dumps(_SHAPE))}) AS e"
            f" FROM {lines(piece, connection)} WHERE trim(text, ' \t\r') <> ''))"
        )
        counts = connection.execute("SELECT kind, count(*) FROM eve WHERE reason IS NULL GROUP BY kind").fetchall()
        (malformed,) = connection.execute("SELECT count(*) FROM eve WHERE reason IS NOT NULL").fetchall()[0]
        kept = {kind: count for kind, count in counts if kind is not None}
        return Found(
            rows={kind: _rows(kind) for kind in _CELLS if kind in kept},
            malformed="SELECT no, text, reason FROM eve WHERE reason IS NOT NULL" if malformed else "",
            skipped=piece.lines - malformed - sum(kept.values()),
        )

    def passed(self, lines: bytes) -> None:
        """There is no header."""


def recognise(head: bytes) -> Reader | None:
    """A line among the first that is an event: a JSON object with an `event_type` and a `timestamp`."""
    return Eve() if any(_is_event(line) for line in head.splitlines()) else None


def _rows(kind: str) -> str:
    seconds = ", (finish - start) / 1e6 AS dur" if kind == "conn" else ""
    rows = f"SELECT no, {selected(_CELLS[kind])} FROM eve WHERE kind = '{kind}' AND reason IS NULL"
    return f"SELECT *{seconds} FROM ({rows})"


def _is_event(line: bytes) -> bool:
    if b'"event_type"' not in line or b'"timestamp"' not in line:
        return False
    if _BEGIN.match(line):
        return True
    try:
        event = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return isinstance(event, dict) and isinstance(event.get("event_type"), str) and "timestamp" in event
