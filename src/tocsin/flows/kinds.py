"""What is kept: the columns of each kind of flow, with their types and the names that Slips gives them.

Slips' names and what it keeps of which log: Slips `core/flows`, version 1.1.1. Times are microseconds since the epoch.
"""

from typing import NamedTuple


class Column(NamedTuple):
    """One column of the data set."""

    name: str
    type: str
    """In DuckDB's words."""
    slips: str = ""
    """Its key in Slips' `flow` object; the name itself where empty, and none where it is `-`."""

    @property
    def key(self) -> str:
        """Its key in Slips' `flow` object; empty where Slips has none."""
        return "" if self.slips == "-" else self.slips or self.name


class Kind(NamedTuple):
    """A kind of flow: what one line of a log says."""

    name: str
    alternative: bool
    """Whether it was seen inside a connection (Slips' `altflows`) and is not itself one."""
    own: tuple[Column, ...] = ()
    """Its columns besides the common ones."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """All its columns, in the order in which they are stored."""
        return COMMON + self.own


def _own(text: str) -> tuple[Column, ...]:
    """Columns from `name[:TYPE[:slips]]` words; a type is VARCHAR unless said."""
    columns = []
    for word in text.split():
        name, _, rest = word.partition(":")
        type_, _, slips = rest.partition(":")
        columns.append(Column(name, type_ or "VARCHAR", slips))
    return tuple(columns)


COMMON = _own(
    """
    place:BIGINT:- tool:VARCHAR:flow_source interface
    start:BIGINT:starttime uid saddr daddr dur:DOUBLE proto appproto sport:INTEGER dport:INTEGER
    spkts:BIGINT dpkts:BIGINT sbytes:BIGINT dbytes:BIGINT state history smac dmac
    ground_truth_label detailed_ground_truth_label
    finish:BIGINT:endtime pkts:BIGINT bytes:BIGINT aid community_id:VARCHAR:- dir:VARCHAR:dir_
    """
)
"""Every row has them. `place` is the import's id shifted left by 33 bits, plus the line's number: it orders all rows.
`tool` is zeek, suricata, argus or nfdump; `dur` is in seconds. What a log does not say is NULL."""

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("conn", False),
        Kind("argus", False),
        Kind("nfdump", False),
        Kind("dns", True, _own("query qclass_name qtype_name rcode_name answers:VARCHAR[] TTLs:VARCHAR[]")),
        Kind(
            "http",
            True,
            _own(
                "method host uri version user_agent request_body_len:BIGINT response_body_len:BIGINT"
                " status_code:INTEGER status_msg resp_mime_types:VARCHAR[] resp_fuids:VARCHAR[]"
            ),
        ),
        Kind(
            "ssl",
            True,
            _own(
                "version cipher resumed:BOOLEAN established:BOOLEAN cert_chain_fuids:VARCHAR[]"
                " client_cert_chain_fuids:VARCHAR[] subject issuer server_name validation_status curve ja3 ja3s"
                " notbefore notafter"
            ),
        ),
        Kind(
            "ssh",
            True,
            _own(
                "version auth_success:BOOLEAN auth_attempts:INTEGER client server cipher_alg mac_alg compression_alg"
                " kex_alg host_key_alg host_key"
            ),
        ),
        Kind("dhcp", True, _own("uids:VARCHAR[] client_addr server_addr host_name requested_addr")),
        Kind("ftp", True, _own("used_port:INTEGER")),
        Kind("smtp", True, _own("last_reply")),
        Kind("tunnel", True, _own("tunnel_type action")),
        Kind("notice", True, _own("note msg scanning_ip dst scanned_port:INTEGER")),
        Kind(
            "files", True, _own("tx_hosts:VARCHAR[] rx_hosts:VARCHAR[] source analyzers:VARCHAR[] md5 sha1 size:BIGINT")
        ),
        Kind("arp", True, _own("operation src_hw dst_hw")),
        Kind(
            "software",
            True,
            _own("software software_name version_major:INTEGER version_minor:INTEGER unparsed_version"),
        ),
        Kind("weird", True, _own("name addl")),
        Kind("login", True, _own("success:BOOLEAN confused:BOOLEAN user client_user")),
        Kind("alert", True, _own("signature signature_id:BIGINT category severity:INTEGER action event:VARCHAR:-")),
    )
}
"""By name. A password in a login log is not kept. `alert` is a Suricata alert event: what it says of its flow; the
alert itself goes to the analysts as any other (`alerts`), and `event` is the line that says it."""

FLOWS = tuple(kind.name for kind in KINDS.values() if not kind.alternative)
"""Connections: Slips' `flows`."""

ALTERNATIVE = tuple(kind.name for kind in KINDS.values() if kind.alternative)
"""What was seen inside them: Slips' `altflows`."""
