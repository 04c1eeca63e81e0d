"""Rule hits of Sourcefire, Firepower and Snort, mailed as their lines of log.

[1:9100020:4] "SMB login" [Impact: Vulnerable] From "sensor/eth1" at Mon Mar  2 08:00:00 2026 UTC
    [Classification: Attempted Admin] [Priority: 1] {tcp} 192.0.2.7:49877 -> 192.0.2.5:445
03/02-08:00:00.123456  [**] [1:9100020:4] SMB login [**] [Classification: …] [Priority: 1] {TCP} … -> …
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, ClassVar

from pydantic import Field

from tocsin.errors import Unreadable
from tocsin.kit.flow_ends import ends
from tocsin.kit.html_table import Page
from tocsin.kit.letter import is_marked, letter
from tocsin.model import Alertgroup, Message, union_of_keys
from tocsin.plugin import Parser

HIT = re.compile(
    r"""(?:(?P<time>\d\d/\d\d(?:/\d\d(?:\d\d)?)?-\d\d:\d\d:\d\d(?:\.\d{1,9})?)\s+(?:\[(?P<action>\w{1,20})\]\s+)?)?
    (?:\[\*\*\]\s*)?
    \[(?P<sid>\d{1,10}:\d{1,12}(?::\d{1,10})?)\]\s+
    (?:"(?P<quoted>[^"]{0,1000})"|(?P<bare>[^\[\]{}]{0,1000}?(?:\[(?!\*\*|Classification|Priority|Impact)[^\[\]{}]{0,200}){0,9}))\s*
    (?:\[\*\*\]\s*)?
    (?:\[Impact:\s*(?P<impact>[^\]]{0,200})\]\s*)?
    (?:From\s+"?(?P<sensor>[^"\n]{1,200}?)"?(?:/(?P<interface>[\w.:-]{1,60}))?\s+at\s+(?P<when>[^\[]{1,80}?)\s*)?
    (?:\[Classification:\s*(?P<class>[^\]]{0,300})\]\s*)?
    (?:\[Priority:\s*(?P<priority>\d{1,5})\]:?\s*)?
    (?:\[[^\]{}]{1,200}\]\s*){0,5}
    \{(?P<proto>[^}]{1,40})\}\s*(?P<src>[^\s>]{2,60}?)\s*-+>\s*(?P<dst>[0-9A-Fa-f.:\[\]]{2,60})""",
    re.VERBOSE,
)
WITH_PORTS = ("tcp", "udp", "sctp", "6", "17", "132")
COLUMNS = ("sid", "rule", "class", "priority", "proto", "src", "sport", "dst", "dport")


class Sourcefire(Parser):
    """Rule hits mailed by Sourcefire, Firepower or Snort, one row each."""

    order: ClassVar[int] = 20
    subjects: tuple[str, ...] = Field(
        default=("auto generated email",), description="Words one of which stands in the mail's subject, or …"
    )
    senders: tuple[str, ...] = Field(
        default=("sourcefire", "firepower", "snort"),
        description="… words one of which stands in the sender's name or address.",
    )

    def claims(self, message: Message) -> bool:
        """A mail whose subject or sender says so."""
        return is_marked(message, self.subjects, self.senders)

    def parse(self, message: Message) -> Iterator[Alertgroup]:
        """One alertgroup. Raises Unreadable when the text holds no rule hit."""
        mail = letter(message)
        rows = _rows(mail.text)
        if not rows and mail.html:
            rows = _rows(Page(mail.html).text())
        if not rows:
            raise Unreadable("no rule hit of the form [gid:sid:rev] … {protocol} source -> destination in the text")
        columns = tuple(dict.fromkeys((*COLUMNS, *union_of_keys(rows))))
        yield mail.group(rows=rows, columns=columns, sources=("email", "sourcefire"))


def _rows(text: str) -> list[dict[str, Any]]:
    """Lines may be broken anywhere; with single spaces between the words no run of them costs time."""
    return [_row(hit) for hit in HIT.finditer(" ".join(text.split()))]


def _row(hit: re.Match[str]) -> dict[str, Any]:
    proto = hit["proto"].strip().lower()
    src, sport, dst, dport = ends(hit["src"], hit["dst"], ports=proto in WITH_PORTS)
    row: dict[str, Any] = {
        "sid": hit["sid"],
        "rule": " ".join((hit["quoted"] or hit["bare"] or "").split()),
        "class": " ".join((hit["class"] or "").split()),
        "priority": int(hit["priority"]) if hit["priority"] else None,
        "proto": proto,
        "src": src,
        "sport": sport,
        "dst": dst,
        "dport": dport,
    }
    sensor, _, interface = (hit["sensor"] or "").partition("/")
    more = {
        "impact": hit["impact"],
        "sensor": sensor.strip(),
        "interface": hit["interface"] or interface.strip(),
        "timestamp": _time(hit["when"]) if hit["when"] else hit["time"],
        "action": hit["action"],
    }
    return row | {name: value for name, value in more.items() if value}


def _time(when: str) -> str:
    """ISO 8601 where the zone is said to be UTC; as it was written otherwise."""
    when = " ".join(when.split())
    try:
        return datetime.strptime(when, "%a %b %d %H:%M:%S %Y UTC").replace(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return when
