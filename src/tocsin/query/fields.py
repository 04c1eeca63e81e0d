"""The one table of fields: what can be asked for, of which type it is, and under which other names people know it.

It is that of alertgroups. Whoever has other things to ask for brings a `Table` of its own: the language stays the same.
"""

import difflib
import enum
from collections.abc import Iterable, Mapping

import msgspec

from tocsin.model import TLP, Noun, Severity, Status


class Kind(enum.StrEnum):
    """The type of a field's values, and with it what they are compared with."""

    WHOLE = "whole number"
    FRACTION = "number from 0 to 1"
    CHOICE = "choice"
    DATE = "date"
    WORDS = "words"
    KEYWORD = "text"
    ADDRESS = "address"
    ENDPOINT = "address or text"
    MAC = "MAC address"
    CELL = "cell"
    AMOUNT = "number"


class Field(Noun, frozen=True, kw_only=True):
    """One field. `row`: it belongs to an alert, and an alertgroup has the values of all its alerts.

    `many`: there may be several values even so. `behind`: what must (`NAME`) or may (`[NAME]`) stand behind a dot.
    `choices` stand in their order, if `ordered`; `spellings` are other words for them.
    """

    name: str
    kind: Kind
    about: str
    row: bool = False
    many: bool = False
    behind: str = ""
    choices: tuple[str, ...] = ()
    ordered: bool = False
    spellings: Mapping[str, str] = msgspec.field(default_factory=dict)
    aliases: tuple[str, ...] = ()


DELIVERY_STATES = ("due", "sending", "delivered", "failed", "withheld", "silenced", "skipped", "dropped")
GATHERED = ("below", "raised")
SEVERITIES = tuple(severity.name.lower() for severity in Severity)
_SEVERITY_SPELLINGS = {
    "informational": "info", "information": "info", "med": "medium", "moderate": "medium", "crit": "critical",
    **{str(severity.value): severity.name.lower() for severity in Severity},
}  # fmt: skip
_TLPS = tuple(str(tlp) for tlp in TLP)
_TLP_SPELLINGS = {"white": "clear", "black": "red", "amber-strict": "amber+strict"}
_TLP_SPELLINGS |= {f"tlp:{tlp}": tlp for tlp in _TLPS} | {"tlp:white": "clear"}


def _field(name: str, kind: Kind, about: str, aliases: str = "", **rest: object) -> Field:
    return Field(name=name, kind=kind, about=about, aliases=tuple(aliases.split()), **rest)  # type: ignore[arg-type] # handed on


_GROUP = (
    _field("id", Kind.WHOLE, "the alertgroup's number", "alertgroup"),
    _field("subject", Kind.WORDS, "its subject", "title"),
    _field("body", Kind.WORDS, "its text: the plain body, or the HTML one without its tags"),
    _field("status", Kind.CHOICE, "where triage stands", choices=tuple(Status)),
    _field("source", Kind.KEYWORD, "the labels that say where it came from", "sources", many=True),
    _field("tag", Kind.KEYWORD, "its tags", "tags", many=True),
    _field("tlp", Kind.CHOICE, "how far it may travel", choices=_TLPS, ordered=True, spellings=_TLP_SPELLINGS),
    _field("owner", Kind.KEYWORD, "who looks after it"),
    _field(
        "severity",
        Kind.CHOICE,
        "how bad its worst alert is",
        choices=SEVERITIES,
        ordered=True,
        spellings=_SEVERITY_SPELLINGS,
    ),
    _field("received", Kind.DATE, "when it was received", "when event.ingested"),
    _field("created", Kind.DATE, "when its sender says it was made; else when it was received"),
    _field("updated", Kind.DATE, "when somebody or something changed it last"),
    _field("viewed", Kind.DATE, "when somebody looked at it first", "firstview"),
    _field("rows", Kind.WHOLE, "how many alerts it holds", "alerts alert_count"),
    _field("open", Kind.WHOLE, "how many of them are open", "open_count"),
    _field("closed", Kind.WHOLE, "how many of them are closed", "closed_count"),
    _field("promoted", Kind.WHOLE, "how many of them are promoted", "promoted_count"),
    _field("views", Kind.WHOLE, "how often it was looked at"),
    _field("column", Kind.KEYWORD, "the names of its columns", "columns", many=True),
    _field("message_id", Kind.KEYWORD, "its sender's id for the message"),
    _field("message", Kind.WHOLE, "the number of the message it was read from"),
    _field("repeats", Kind.WHOLE, "the earlier alertgroup with the same message id and other content"),
    _field("folded", Kind.WHOLE, "the first alertgroup that it is folded into as a repeat", "folded_into"),
    _field(
        "gathered",
        Kind.CHOICE,
        "as evidence: not enough of it yet, or raised to an alertgroup with others",
        choices=GATHERED,
    ),
    _field("seen", Kind.WHOLE, "how often it came: itself, and its repeats folded into it"),
    _field("last_seen", Kind.DATE, "when the newest of those was received"),
    _field("via", Kind.KEYWORD, "the source that took its message in, such as rest or imap"),
    _field("sender", Kind.KEYWORD, "whose key or mailbox the message came with"),
    _field("parser", Kind.KEYWORD, "the parser that understood the message"),
    _field("entity", Kind.ENDPOINT, "an entity in it, of any type or of the one named", behind="[TYPE]", many=True),
    _field("entity.type", Kind.KEYWORD, "the types of the entities in it", many=True),
    _field(
        "delivery",
        Kind.CHOICE,
        "how its delivery to a destination stands, to any or to the one named",
        behind="[DESTINATION]",
        many=True,
        choices=DELIVERY_STATES,
    ),
)
_ALERT = (
    _field("data", Kind.CELL, "a cell of a row, by its column; * is every column", row=True, many=True, behind="NAME"),
    _field("alert.id", Kind.WHOLE, "an alert's number", row=True),
    _field("alert.status", Kind.CHOICE, "an alert's own status", row=True, choices=tuple(Status)),
    _field(
        "alert.severity",
        Kind.CHOICE,
        "an alert's own severity",
        row=True,
        choices=SEVERITIES,
        ordered=True,
        spellings=_SEVERITY_SPELLINGS,
    ),
    _field("name", Kind.WORDS, "what was detected: a rule's or signature's name", "rule.name signature", row=True),
    _field("category", Kind.KEYWORD, "the detector's word for the kind of attack", "rule.category", row=True),
    _field("description", Kind.WORDS, "the detection in a sentence", "rule.description", row=True),
    _field("confidence", Kind.FRACTION, "how sure the detector is; 80% is 0.8", row=True),
    _field("detected", Kind.DATE, "when it was detected", "@timestamp", row=True),
    _field("start", Kind.DATE, "when what was detected began", "event.start", row=True),
    _field("end", Kind.DATE, "when it ended", "event.end", row=True),
    _field(
        "proto",
        Kind.KEYWORD,
        "transport and application protocols",
        "protocol network.transport network.protocol",
        row=True,
        many=True,
    ),
    _field("uid", Kind.KEYWORD, "the sensor's ids of the flows", "flow_uid flow_id flow.id", row=True, many=True),
)
_SIDES = (
    ("src", "the attacking side", "source"),
    ("dst", "the attacked side", "destination"),
    ("", "either side", ""),
)
_PARTS = (
    ("ip", Kind.ADDRESS, "addresses", "ip"),
    ("host", Kind.KEYWORD, "host names", "domain"),
    ("port", Kind.WHOLE, "ports", "port"),
    ("mac", Kind.MAC, "MAC addresses", "mac"),
    ("url", Kind.KEYWORD, "URLs", ""),
    ("email", Kind.KEYWORD, "mail addresses", ""),
)
_OTHER_NAMES = {
    "src": "source.address src_addr saddr",
    "dst": "destination.address dest dst_addr daddr",
    "endpoint": "",
    "ip": "related.ip",
    "host": "related.hosts domain",
    "src_port": "sport spt",
    "dst_port": "dest_port dport dpt",
    "dst_ip": "dest_ip",
    "dst_host": "dest_host",
    "dst_mac": "dest_mac",
    "url": "url.full url.original",
}


def _endpoints() -> Iterable[Field]:
    for side, about, ecs in _SIDES:
        aliases = _OTHER_NAMES[side or "endpoint"]
        told = f"{about}: an address, host name, MAC address, URL or mail address"
        yield _field(side or "endpoint", Kind.ENDPOINT, told, aliases, row=True, many=True)
        for part, kind, what, ecs_part in _PARTS:
            name = f"{side}_{part}" if side else part
            aliases = _OTHER_NAMES.get(name, "") + (f" {ecs}.{ecs_part}" if ecs and ecs_part else "")
            yield _field(name, kind, f"{what} of {about}", aliases, row=True, many=True)


class Table:
    """The fields that one kind of thing is asked for by: every field by its name, in the order in which they are told.

    `rows`: whether there are rows of which alert:{ } can ask for one.
    """

    def __init__(self, fields: Iterable[Field], *, rows: bool = False) -> None:
        self.fields = {field.name: field for field in fields}
        self.names = {name: field.name for field in self.fields.values() for name in (field.name, *field.aliases)}
        self.rows = rows

    def find(self, name: str) -> tuple[Field, str] | None:
        """The field of a written name, and what stands behind its dot; None if there is none.

        Names of fields are taken in any case and with - for _; what stands behind the dot is taken as it is.
        """
        plain = name.lower().replace("-", "_")
        if known := self.names.get(plain):
            field = self.fields[known]
            return None if field.behind == "NAME" else (field, "")
        head, _, behind = name.partition(".")
        known_head = self.names.get(head.lower())
        if known_head is None or not behind or not self.fields[known_head].behind:
            return None
        return self.fields[known_head], behind


ALERTGROUPS = Table((*_GROUP, *_ALERT, *_endpoints()), rows=True)
FIELDS: dict[str, Field] = ALERTGROUPS.fields
"""Those of alertgroups."""
NAMES: dict[str, str] = ALERTGROUPS.names
"""Name or alias -> name."""
find = ALERTGROUPS.find


def nearest(wrong: str, names: Iterable[str]) -> str:
    """The name that looks most like the wrong one, or ""."""
    found = difflib.get_close_matches(wrong[:40].lower(), list(names), n=1, cutoff=0.6)
    return found[0] if found else ""


def rank(field: Field, choice: str) -> int | None:
    """Where a choice stands in the order, from 0; None for `unset`, which is no value."""
    return None if choice == "unset" else field.choices.index(choice)
