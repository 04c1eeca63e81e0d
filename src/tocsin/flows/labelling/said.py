"""An alertgroup as triage left it -> rows of what it says of flows."""

import ipaddress
from collections.abc import Iterator, Sequence

import msgspec

from tocsin.detection import Names, read
from tocsin.model import Detection, Endpoint, Judged, Micros, Status, Triaged

COLUMNS = {
    "alertgroup": "BIGINT",
    "alert": "BIGINT",
    "follows": "BIGINT",
    "false": "BOOLEAN",
    "category": "VARCHAR",
    "severity": "INTEGER",
    "detected": "BIGINT",
    "uids": "VARCHAR[]",
    "sources": "VARCHAR[]",
    "source_ports": "INTEGER[]",
    "targets": "VARCHAR[]",
    "target_ports": "INTEGER[]",
    "protocols": "VARCHAR[]",
    "earliest": "BIGINT",
    "latest": "BIGINT",
}
"""Of a row, with DuckDB's types."""

TRANSPORT = frozenset(
    ("tcp", "udp", "icmp", "sctp", "igmp", "gre", "esp", "ah", "ipip", "ipv6", "ospf", "pim", "eigrp", "udplite")
)
"""Protocols that say which flows are meant; what they carry (http, tls) sensors name in ways of their own."""
ICMP = ("icmp6", "icmpv6", "ipv6-icmp")
"""Names of what Zeek writes as icmp, too."""

MOST_IN_ROW = 1000
MOST_PAIRS = 10_000
"""An alert that names more pairs of addresses labels by the first of them."""
REACH = 2**55
"""Times are cut off that far from 1970, some 1,100 years: nothing that is reckoned with them overflows."""


class Row(msgspec.Struct, kw_only=True):
    """One row: an alert, or a part of one that names many flows. Times in microseconds.

    Without an alert it marks its alertgroup, and `false` says whether what follows it is false, too: what is folded
    into it or was raised to it.
    """

    alertgroup: int
    alert: int | None = None
    follows: int = 0
    false: bool = False
    category: str = ""
    severity: int | None = None
    detected: Micros | None = None
    uids: list[str] | None = None
    sources: list[str] | None = None
    source_ports: list[int] | None = None
    targets: list[str] | None = None
    target_ports: list[int] | None = None
    protocols: list[str] | None = None
    earliest: Micros | None = None
    latest: Micros | None = None


def rows(group: Triaged, names: Names, false: frozenset[str]) -> Iterator[Row]:
    """What the alertgroup says of flows, behind its mark. `false` are tags in small letters.

    An alert is false where it is closed, and it or its alertgroup bears one of these tags. One that names flows by
    their uids says nothing else of them; one that names neither flows nor addresses has no row.
    """
    wrong = not false.isdisjoint(tag.casefold() for tag in group.tags)
    yield Row(alertgroup=group.id, false=group.gone or (wrong and group.status is Status.CLOSED))
    for judged in group.alerts:
        tagged = wrong or not false.isdisjoint(tag.casefold() for tag in judged.tags)
        yield from _alert(group.id, judged, read(judged.alert, names), tagged)


def _alert(group: int, judged: Judged, said: Detection, tagged: bool) -> Iterator[Row]:
    alert = judged.alert
    row = Row(
        alertgroup=group,
        alert=alert.id,
        follows=judged.follows,
        false=tagged and alert.status is Status.CLOSED,
        category=_clean(said.category or said.name),
        severity=None if said.severity is None else int(said.severity),
    )
    row.earliest, row.latest = window(said)
    row.detected = _near(said.detected) if said.detected is not None else row.earliest
    if uids := [_clean(uid) for uid in said.flow_uids if uid]:
        for at in range(0, len(uids), MOST_IN_ROW):
            yield msgspec.structs.replace(row, uids=uids[at : at + MOST_IN_ROW])
        return
    row.protocols = transports(said.protocols)
    yield from _ends(row, said)


def _ends(row: Row, said: Detection) -> Iterator[Row]:
    left = MOST_PAIRS
    for source in said.sources or (Endpoint(),):
        for target in said.targets or (Endpoint(),):
            if not source.addresses and not target.addresses:
                continue
            for some in _few(source):
                for others in _few(target):
                    if left <= 0:
                        return
                    others = others[: max(1, left // max(1, len(some)))]
                    left -= max(1, len(some)) * max(1, len(others))
                    yield msgspec.structs.replace(
                        row,
                        sources=some or None,
                        source_ports=list(source.ports) or None,
                        targets=others or None,
                        target_ports=list(target.ports) or None,
                    )


def _few(end: Endpoint) -> list[list[str]]:
    addresses = [spelled for address in end.addresses if address for spelled in _spelled(_clean(address))]
    return [addresses[at : at + MOST_IN_ROW] for at in range(0, len(addresses), MOST_IN_ROW)] or [[]]


def _spelled(address: str) -> list[str]:
    """As sensors write it: Suricata leaves no zero of an IPv6 address out."""
    if ":" not in address:
        return [address]
    try:
        return [address, ipaddress.IPv6Address(address).exploded]
    except ValueError:
        return [address]


def window(said: Detection) -> tuple[Micros | None, Micros | None]:
    """From when to when a detection means flows; None and None where it says no time at all."""
    times = [time for time in (said.start, said.end, said.detected) if time is not None]
    if not times:
        return None, None
    begin = times[0]
    end = next(time for time in (said.end, said.detected, begin) if time is not None)
    return _near(min(begin, end)), _near(max(begin, end))


def transports(protocols: Sequence[str]) -> list[str] | None:
    """Those by which flows are told apart; None for none."""
    names = ["icmp" if name in ICMP else name for name in protocols]
    return list(dict.fromkeys(name for name in names if name in TRANSPORT)) or None


def _near(time: Micros) -> Micros:
    return max(-REACH, min(REACH, time))


def _clean(text: str) -> str:
    """Text as DuckDB can hold it: neither NUL nor half of a surrogate pair."""
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
