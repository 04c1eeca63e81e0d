"""What can be asked of a flow: the common columns under the names people know, and each kind's own under theirs."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from tocsin.flows.kinds import KINDS, Column
from tocsin.query.fields import Field, Kind, Table

LABELLED = frozenset({"label", "alertgroup", "alert", "category"})
"""Fields that no column holds: they follow from what alerts say."""

_YES_NO = {"yes": "true", "no": "false", "t": "true", "f": "false", "1": "true", "0": "false"}


def _field(
    name: str,
    kind: Kind,
    about: str,
    aliases: str = "",
    *,
    many: bool = False,
    choices: tuple[str, ...] = (),
    spellings: Mapping[str, str] = MappingProxyType({}),
) -> Field:
    names = tuple(aliases.split())
    return Field(name=name, kind=kind, about=about, aliases=names, many=many, choices=choices, spellings=spellings)


_HAND_MADE = (
    _field("id", Kind.WHOLE, "the flow's number: where it stands among all that were imported", "place"),
    _field(
        "kind",
        Kind.CHOICE,
        "which kind of line it was: conn, dns, http …",
        "log type flow_type event_type",
        choices=tuple(KINDS),
        spellings={"tls": "ssl", "fileinfo": "files", "flow": "conn", "connection": "conn", "file": "files"},
    ),
    _field(
        "alternative",
        Kind.CHOICE,
        "whether it was seen inside a connection (dns, http …) and is not one itself",
        "altflow",
        choices=("true", "false"),
        spellings=_YES_NO,
    ),
    _field("label", Kind.KEYWORD, "malicious if an alert names it, else benign, or your own words for it"),
    _field("alertgroup", Kind.WHOLE, "the alertgroup that names it"),
    _field("alert", Kind.WHOLE, "the alert that names it", "alert.id"),
    _field("category", Kind.KEYWORD, "what that alert's detector calls the kind of attack", "rule.category"),
    _field("tool", Kind.KEYWORD, "what wrote it: zeek, suricata, argus or nfdump", "flow_source"),
    _field("interface", Kind.KEYWORD, "the interface it was seen on"),
    _field("start", Kind.DATE, "when it began", "ts time when starttime event.start @timestamp"),
    _field("end", Kind.DATE, "when it ended", "finish endtime event.end"),
    _field("uid", Kind.KEYWORD, "the sensor's id of it", "uids flow_uid flow_id flow.id", many=True),
    _field(
        "src",
        Kind.ADDRESS,
        "the address it comes from",
        "saddr src_ip src_addr source.ip source.address id.orig_h orig_h srca",
    ),
    _field(
        "dst",
        Kind.ADDRESS,
        "the address it goes to",
        "daddr dst_ip dst_addr dest dest_ip destination.ip destination.address id.resp_h resp_h dsta",
        many=True,
    ),
    _field("ip", Kind.ADDRESS, "either address", "addr address endpoint related.ip", many=True),
    _field("sport", Kind.WHOLE, "the port it comes from; ICMP's type", "src_port spt source.port id.orig_p orig_p"),
    _field(
        "dport",
        Kind.WHOLE,
        "the port it goes to; ICMP's code",
        "dst_port dest_port dpt destination.port id.resp_p resp_p",
    ),
    _field("port", Kind.WHOLE, "either port", many=True),
    _field("proto", Kind.KEYWORD, "the transport: tcp, udp, icmp …", "protocol transport network.transport"),
    _field("service", Kind.KEYWORD, "the protocol inside it", "appproto app_proto network.protocol"),
    _field("duration", Kind.AMOUNT, "how long it took, in seconds", "dur event.duration"),
    _field("bytes", Kind.WHOLE, "bytes both ways", "total_bytes network.bytes"),
    _field("sbytes", Kind.WHOLE, "bytes from the source", "src_bytes orig_bytes bytes_toserver source.bytes"),
    _field("dbytes", Kind.WHOLE, "bytes from the destination", "dst_bytes resp_bytes bytes_toclient destination.bytes"),
    _field("pkts", Kind.WHOLE, "packets both ways", "packets network.packets"),
    _field("spkts", Kind.WHOLE, "packets from the source", "src_pkts orig_pkts pkts_toserver source.packets"),
    _field("dpkts", Kind.WHOLE, "packets from the destination", "dst_pkts resp_pkts pkts_toclient destination.packets"),
    _field("state", Kind.KEYWORD, "how it stood at its end, in the sensor's words", "conn_state"),
    _field("history", Kind.KEYWORD, "the letters of what happened in it"),
    _field("smac", Kind.MAC, "the source's MAC address", "src_mac source.mac"),
    _field("dmac", Kind.MAC, "the destination's MAC address", "dst_mac dest_mac destination.mac"),
    _field("mac", Kind.MAC, "either MAC address", many=True),
    _field("ground_truth", Kind.KEYWORD, "the label that stood in the log", "ground_truth_label"),
    _field("ground_truth_detail", Kind.KEYWORD, "its finer label there", "detailed_ground_truth_label detailedlabel"),
    _field("dir", Kind.KEYWORD, "which way it went, as an arrow", "direction dir_"),
    _field("aid", Kind.KEYWORD, "its fingerprint with the time in it"),
    _field("community_id", Kind.KEYWORD, "its Community ID", "communityid network.community_id"),
    _field(
        "domain",
        Kind.KEYWORD,
        "a name of a host: asked for in DNS, of a web server, in TLS, of a client",
        "hostname related.hosts",
        many=True,
    ),
    _field("hash", Kind.KEYWORD, "a file's MD5 or SHA-1", "file.hash related.hash", many=True),
    _field("signature_category", Kind.KEYWORD, "what the sensor's own rule calls it (kind alert)", "alert.category"),
)

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "id": ("place",),
    "end": ("finish",),
    "uid": ("uid", "uids"),
    "src": ("saddr",),
    "dst": ("daddr", "dst"),
    "ip": ("saddr", "daddr"),
    "port": ("sport", "dport"),
    "service": ("appproto",),
    "duration": ("dur",),
    "mac": ("smac", "dmac"),
    "ground_truth": ("ground_truth_label",),
    "ground_truth_detail": ("detailed_ground_truth_label",),
    "domain": ("query", "host", "server_name", "host_name"),
    "hash": ("md5", "sha1"),
    "signature_category": ("category",),
}
"""Where it is not the field's own name."""

_ADDRESSES = frozenset({"client_addr", "server_addr", "requested_addr", "scanning_ip", "tx_hosts", "rx_hosts"})
_HIDDEN = frozenset({"dst", "uids", "category", "event"})
"""Columns of kinds that stand behind another name, or are not asked for."""
_OTHER_NAMES = {
    "query": "dns.question.name rrname",
    "qtype_name": "qtype rrtype",
    "rcode_name": "rcode",
    "method": "http_method http.request.method",
    "uri": "url url.path",
    "host": "http.hostname",
    "user_agent": "user_agent.original http_user_agent",
    "status_code": "status http.response.status_code",
    "server_name": "sni tls.server_name tls.sni",
    "ja3": "tls.client.ja3",
    "ja3s": "tls.server.ja3s",
    "signature": "rule.name",
    "signature_id": "sid rule.id",
    "size": "file.size",
    "tx_hosts": "",
}


def _of_kinds() -> Iterable[Field]:
    """The kinds' own columns, each once however many kinds have it; `dns.query` is `query` as well."""
    at: dict[str, list[str]] = {}
    types: dict[str, str] = {}
    for kind in KINDS.values():
        for column in kind.own:
            at.setdefault(column.name, []).append(kind.name)
            types[column.name] = column.type
    for name, kinds in at.items():
        if name not in _HIDDEN:
            alias = f"{kinds[0]}.{name}" if len(kinds) == 1 else ""
            about = f"of {', '.join(kinds)}"
            yield _of_type(name, types[name], about, f"{_OTHER_NAMES.get(name, '')} {alias}")


def _of_type(name: str, type_: str, about: str, aliases: str) -> Field:
    many = type_.endswith("[]")
    match type_.removesuffix("[]"):
        case "BOOLEAN":
            return _field(name, Kind.CHOICE, about, aliases, choices=("true", "false"), spellings=_YES_NO)
        case "DOUBLE":
            return _field(name, Kind.AMOUNT, about, aliases)
        case "BIGINT" | "INTEGER":
            return _field(name, Kind.WHOLE, about, aliases, many=many)
    return _field(name.lower(), Kind.ADDRESS if name in _ADDRESSES else Kind.KEYWORD, about, aliases.lower(), many=many)


FLOWS = Table((*_HAND_MADE, *_of_kinds()))
"""The fields of flows."""

_EXACT = {column.name.lower(): column.name for kind in KINDS.values() for column in kind.columns}


def columns_of(field: str, kind: str) -> list[Column]:
    """The columns of a kind in which the field's values stand; none where the kind knows nothing of it."""
    wanted = _COLUMNS.get(field, (_EXACT.get(field, field),))
    there = {column.name: column for column in KINDS[kind].columns}
    found = [there[name] for name in wanted if name in there]
    if field == "signature_category" and kind != "alert":
        return []
    return found


def texts_of(kind: str) -> list[Column]:
    """The columns that free words are looked for in: all texts but fingerprints, which have fields of their own."""
    left_out = ("aid", "community_id", "tool", "event")
    return [one for one in KINDS[kind].columns if one.type.startswith("VARCHAR") and one.name not in left_out]
