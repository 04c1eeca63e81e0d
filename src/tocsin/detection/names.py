"""The table: which column holds which field of a detection.

Spellings of Splunk CIM, ECS, Zeek, Suricata EVE, Snort and Sourcefire, Slips, IDEA0 and IDMEFv2. Names are compared
by their letters and digits alone, so `src_ip`, `SrcIP`, `Src IP`, `src.ip`, `src-ip` and `{"src": {"ip": …}}` are one
column. A field's columns stand in the order in which they are asked.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

from tocsin.errors import ConfigError, Problem

FIELDS: dict[str, str] = {
    "name": "what was detected, in a few words: a rule's or signature's name",
    "category": "the detector's own word for the kind of attack",
    "description": "the detection in a sentence",
    "severity": "info, low, medium, high, critical, or a number of a scale that the row makes certain",
    "confidence": "0 to 1, or a percentage written with %",
    "detected": "when it was detected: a time with its zone, or a number since 1970",
    "start": "when what was detected began",
    "end": "when it ended",
    "src": "the attacking side: addresses, host names, or address:port",
    "src_port": "its ports",
    "src_mac": "its MAC addresses",
    "src_url": "its URLs",
    "src_email": "its mail addresses",
    "dest": "the attacked side: addresses, host names, or address:port",
    "dest_port": "its ports",
    "dest_mac": "its MAC addresses",
    "dest_url": "its URLs",
    "dest_email": "its mail addresses",
    "protocol": "transport and application protocols, by name or IP protocol number",
    "flow_uid": "the ids under which the sensor knows the flows",
}
"""The fields to which a user may add columns, each with what its cells hold."""

SEVERITIES: tuple[tuple[str, str], ...] = (
    ("alert.severity", "ranked"),
    ("suricata.eve.alert.severity", "ranked"),
    ("kibana.alert.severity", "words"),
    ("severity", "words"),
    ("severity_id", "words"),
    ("threat_level", "unit"),
    ("x_slips_threat_level", "unit"),
    ("priority", "ranked"),
    ("alert.priority", "ranked"),
    ("event.severity", "ecs"),
    ("kibana.alert.risk_score", "hundred"),
    ("signal.rule.severity", "words"),
    ("signal.rule.risk_score", "hundred"),
    ("event.risk_score_norm", "hundred"),
    ("vulnerability.severity", "words"),
    ("vulnerability.score.base", "cvss"),
    ("cvss", "cvss"),
    ("cvss_score", "cvss"),
    ("cvss3", "cvss"),
    ("cvss_base_score", "cvss"),
    ("urgency", "words"),
    ("alert.metadata.signature_severity", "words"),
)
"""The columns of severity and the scale of their numbers; `severity.py` knows the scales."""

COLUMNS: dict[str, str] = {
    "name": """alert.signature signature suricata.eve.alert.signature kibana.alert.rule.name signal.rule.name rule.name
        evidence_type note signature_name sig_name msg attack_name threat_name alert_name rule_title search_name title
        name rule""",
    "category": """alert.category suricata.eve.alert.category category classtype classification class evidence_type
        rule.category note attack_type ids_category threat.tactic.name kibana.alert.rule.threat.tactic.name
        event.category""",
    "description": "description alert.description attach.content event.reason message msg summary",
    "confidence": "confidence alert.confidence",
    "detected": """timestamp @timestamp _time ts time seconds detect_time detected detected_at event.created
        event_time alert_time start_time create_time occurred date""",
    "start": """flow.start suricata.eve.flow.start event.start start_time starttime start event_time first_seen
        win_start_time""",
    "end": "flow.end suricata.eve.flow.end event.end end_time endtime end cease_time last_seen win_end_time",
    "src": """src_ip src id.orig_h source.ip src_addr src_ap saddr sip source.ip4 source.ip6 source.address
        source_host source_hostname src_host src_hostname src_dns src_nt_host source.domain attacker attacker.value
        attacker_ip initiator_ip orig_h x_slips_profile_ip""",
    "src:address": "source",
    "src_port": "src_port id.orig_p source.port sport initiator_port orig_p spt s_port x_slips_src_port",
    "src_mac": "src_mac source.mac smac eth_src ether.src_mac orig_l2_addr id.orig_l2_addr",
    "src_url": "source.url src_url",
    "src_email": "src_email source.email sender from mailfrom email.from email.from.address smtp.mail_from",
    "dest": """dest_ip dest dst_ip dst id.resp_h destination.ip dest_addr dst_addr dst_ap daddr dip target.ip target.ip4
        target.ip6 destination.address dest_host dest_hostname dst_host dst_hostname dest_dns dest_nt_host
        destination.domain destination_host destination_hostname target.hostname target.address victim victim.value
        victim_ip responder_ip resp_h server_name x_slips_victim""",
    "dest:address": "destination target",
    "dest_port": """dest_port dst_port id.resp_p destination.port target.port dport responder_port resp_p dpt d_port p
        x_slips_dst_port""",
    "dest_mac": """dest_mac dst_mac destination.mac target.mac dmac eth_dst ether.dest_mac resp_l2_addr
        id.resp_l2_addr""",
    "dest_url": "url url.full url.original target.url dest_url",
    "dest_email": """dest_email target.email recipient recipients to rcptto email.to email.to.address
        smtp.rcpt_to""",
    "protocol": """proto transport network.transport protocol ip_proto source.proto target.proto source.protocol
        app_proto suricata.eve.app_proto service network.protocol network.application
        application_protocol app explanation.protocol""",
    "flow_uid": "flow_id flow_uid flow_uids suricata.eve.flow_id zeek.session_id x_slips_flow_uids zeek_uid",
    "flow_uid:text": "uid uids",
    "attacker_direction": "attacker.direction x_slips_attacker_direction",
    "ids": """alert.signature_id signature_id suricata.eve.alert.signature_id suricata.eve.flow_id sid sig_id gid
        generator_id sig_generator classtype""",
}
"""Field -> columns. `src:address` holds addresses only (a bare `source` is the log file in Splunk), `flow_uid:text`
needs a letter (a bare number under `uid` is a user). `attacker_direction` says on which side of the flow Slips'
attacker stands; a column of `ids` marks a rule hit of Suricata or Snort, whose severity 1 is the worst."""

MOST_SHAPES = 1024
MOST_COLUMNS = 256
"""Shapes of rows remembered per level, and columns of a shape worth remembering: senders with random column names
cannot make the memory grow further."""

Cells = Mapping[str, Any]
Table = Mapping[str, tuple[tuple[str, int], ...]]
"""Column -> the fields it feeds, each with the column's rank among those of the field."""
Found = dict[str, list[tuple[int, Any]]]
"""Field -> (rank, cell) of the columns found; the lowest rank is asked first."""


class Place(NamedTuple):
    """What a spelling means at its level: the fields it feeds with their ranks, and the level below it."""

    fields: tuple[tuple[str, int], ...]
    below: "Level | None"


class Level:
    """The known columns below one path of a row, remembering the shapes of rows it has met."""

    def __init__(self, table: Table, levels: dict[str, "Level"], path: str = "") -> None:
        """`levels`: those of the whole table by path, one for each beginning of a column."""
        self._table = table
        self._levels = levels
        self._path = path
        self._shapes: dict[tuple[str, ...], tuple[tuple[str, Place], ...]] = {}

    def gather(self, cells: Cells, found: Found) -> None:
        """Add every cell that stands in a known column to `found`."""
        shape = tuple(cells)
        places = self._shapes.get(shape)
        for key, place in self._learn(shape) if places is None else places:
            cell = cells[key]
            if cell is None:
                continue
            if isinstance(cell, dict):
                if place.below is not None:
                    place.below.gather(cell, found)
                continue
            if isinstance(cell, list):
                if place.below is not None:
                    for item in cell:
                        if isinstance(item, dict):
                            place.below.gather(item, found)
                cell = [item for item in cell if not isinstance(item, dict)]
                if not cell:
                    continue
            for field, rank in place.fields:
                if field in found:
                    found[field].append((rank, cell))
                else:
                    found[field] = [(rank, cell)]

    def _learn(self, shape: tuple[str, ...]) -> tuple[tuple[str, Place], ...]:
        places = tuple((key, place) for key in shape if (place := self._place(key)) is not None)
        if len(shape) <= MOST_COLUMNS and len(self._shapes) < MOST_SHAPES:
            self._shapes[shape] = places
        return places

    def _place(self, key: str) -> Place | None:
        spelled = normal(key)
        if not spelled:
            return None
        path = self._path + spelled
        fields = self._table.get(path, ())
        below = self._levels.get(path)
        return Place(fields, below) if fields or below else None


class Names:
    """Which columns hold which field. Safe to share between threads; remembers spellings, not rows."""

    def __init__(self, added: Mapping[str, Sequence[str]] | None = None) -> None:
        """`added`: field -> columns, asked before the built-in ones.

        Raises:
            ConfigError: a field that does not exist, or a column without a letter or digit.
        """
        added = added or {}
        _check(added)
        table: dict[str, dict[str, int]] = {}
        for field, columns in added.items():
            for rank, column in enumerate(columns, start=-len(columns)):
                table.setdefault(normal(column), {})[field] = rank
        built_in = {field: columns.split() for field, columns in COLUMNS.items()}
        built_in["severity"] = [column for column, _ in SEVERITIES]
        for field, columns in built_in.items():
            for rank, column in enumerate(columns):
                table.setdefault(normal(column), {}).setdefault(field, rank)
        places = {column: tuple(fields.items()) for column, fields in table.items()}
        self._table: Table = places
        self._all = _level(places)
        self._severity = _level({column: only for column, fields in places.items() if (only := _of_severity(fields))})

    def with_users(self, added: Mapping[str, Sequence[str]]) -> Self:
        """The same table with columns that users named, asked before the built-in ones.

        Raises:
            ConfigError: as the constructor.
        """
        return type(self)(added)

    def fields(self, column: str) -> frozenset[str]:
        """The fields that a column feeds; the names of a cell inside of objects are joined."""
        return frozenset(field for field, _ in self._table.get(normal(column), ()))

    def find(self, cells: Cells) -> Found:
        """Every cell in a known column, by field, the column asked first in front."""
        return _sorted(self._all, cells)

    def find_severity(self, cells: Cells) -> Found:
        """As `find`, for the fields `severity` and `ids` alone."""
        return _sorted(self._severity, cells)


def _level(table: Table) -> Level:
    levels: dict[str, Level] = {}
    for path in {column[:end] for column in table for end in range(len(column))}:
        levels[path] = Level(table, levels, path)
    return levels[""]


def _of_severity(fields: tuple[tuple[str, int], ...]) -> tuple[tuple[str, int], ...]:
    return tuple(each for each in fields if each[0] in ("severity", "ids"))


def _sorted(level: Level, cells: Cells) -> Found:
    found: Found = {}
    level.gather(cells, found)
    for ranked in found.values():
        if len(ranked) > 1:
            ranked.sort(key=_rank)
    return found


def _rank(ranked: tuple[int, Any]) -> int:
    return ranked[0]


def _check(added: Mapping[str, Sequence[str]]) -> None:
    problems = [
        Problem("", f"detection.names.{field}", "", f"no such field; the fields are {', '.join(FIELDS)}")
        for field in added
        if field not in FIELDS
    ]
    problems += [
        Problem("", f"detection.names.{field}", repr(column), "a column needs a letter or a digit")
        for field, columns in added.items()
        for column in columns
        if not normal(column)
    ]
    if problems:
        raise ConfigError(problems)


def normal(name: str) -> str:
    """A column name by its letters and digits alone, in lower case."""
    return "".join(filter(str.isalnum, name.lower()))


DEFAULT = Names()
"""The built-in table."""
