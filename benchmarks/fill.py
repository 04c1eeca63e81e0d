"""Many alertgroups of a believable kind, through the store's own append, for the pages to be measured on."""

import random
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tocsin.model import TLP, Alert, Alertgroup, Message, Severity, Status
from tocsin.store import Entry, Part, Store, Stored, Tx, entry, open_store

if TYPE_CHECKING:
    from concurrent.futures import Future

NOW = 1_772_000_000_000_000
SECOND = 1_000_000
ROWS = 10
OWED = 20_000
"""So many of the newest have deliveries, as where receipts are kept for some days only."""
LANES = ("idea_log", "text_log")

SUBJECTS = (
    "Splunk alert: beacons to {domain}",
    "ET MALWARE Observed {family} command and control from {host}",
    "Port scan of {host} from 192.0.2.{octet}",
    "Many failed logins of {user} on {host}",
    "Phishing mail reported by {user}: invoice {number}",
    "FireEye: malware-object {family} on {host}",
    "DNS query for {domain} by {host}",
    "Data leaves {host}: {number} MB to 198.51.100.{octet}",
)
FAMILIES = ("qakbot", "emotet", "icedid", "trickbot", "dridex", "agent tesla", "remcos", "lokibot")
USERS = ("ada", "grace", "edsger", "barbara", "donald", "radia", "ken", "margaret")
SOURCES = (("splunk",), ("email", "sourcefire"), ("email", "fireeye"), ("suricata",), ("slips",), ("zeek", "corelight"))
TAGS = ("c2", "scan", "phishing", "malware", "bruteforce", "exfiltration", "dns", "policy", "vip", "false positive")
# A hundred of each, whatever the number of alertgroups, so that pages of small and large stores are equally long.
RARE_TAG, RARE_SOURCE, RARE_WORD = "crown jewels", "honeypot", "supernova"


def fill(url: str, data: Path, groups: int, say: bool = True) -> None:
    """Put so many alertgroups, of ten alerts on average, into an empty store that no server runs on."""
    data.mkdir(parents=True, exist_ok=True)
    store = open_store(url, data)
    began = time.monotonic()
    waiting: deque[Future[Stored]] = deque()
    for done, item in enumerate(_entries(groups), 1):
        waiting.append(store.append(item))
        while len(waiting) > 4096:
            waiting.popleft().result()
        if say and done % 100_000 == 0:
            print(f"  {done:,} of {groups:,} alertgroups after {time.monotonic() - began:.0f} s", flush=True)
    for future in waiting:
        future.result()
    store.write(_looked_at)
    store.write(_delivered)
    _analyse(store)
    store.close()


def _entries(groups: int) -> Iterator[Entry]:
    chance = random.Random(1)  # noqa: S311  # the same filling every time
    rows = tuple(Alert(json=msgspec.json.encode(_row(chance, n)).decode()) for n in range(2000))
    seldom = max(1, groups // 101)
    for number in range(groups):
        received = NOW - (groups - number) * 20 * SECOND
        start, count = chance.randrange(1980), 1 + min(int(chance.expovariate(1 / (ROWS - 1))), 19 * ROWS)
        tags = tuple(chance.sample(TAGS, chance.choice((0, 1, 1, 2, 3))))
        group = Alertgroup(
            subject=_subject(chance) + f" {RARE_WORD}" * (number % seldom == 3),
            alerts=(rows[start:] + rows)[:count] if count > 20 else rows[start : start + count],
            columns=tuple(rows[0].data),
            tags=(*tags, RARE_TAG) if number % seldom == 1 else tags,
            sources=(RARE_SOURCE,) if number % seldom == 2 else chance.choice(SOURCES),
            tlp=chance.choice((TLP.UNSET, TLP.GREEN, TLP.AMBER)),
            message_id=f"fill-{number}",
            created=received - chance.randrange(600) * SECOND,
            status=chance.choices((Status.CLOSED, Status.OPEN, Status.PROMOTED), (70, 25, 5))[0],
        )
        message = Message(
            source="rest",
            sender="fill",
            body=b'{"number": %d}' % number,
            media_type="application/json",
            received=received,
            message_id=f"fill-{number}",
        )
        lanes = LANES if number >= groups - OWED else ()
        yield entry(message, [Part(group=group, severity=Severity(number % 5), lanes=lanes)], "scot", "1")


def _subject(chance: random.Random) -> str:
    return chance.choice(SUBJECTS).format(
        domain=f"{chance.choice(FAMILIES).replace(' ', '-')}{chance.randrange(5000)}.example",
        family=chance.choice(FAMILIES),
        host=f"host{chance.randrange(20_000)}",
        user=chance.choice(USERS),
        octet=chance.randrange(254),
        number=chance.randrange(100_000),
    )


def _row(chance: random.Random, n: int) -> dict[str, object]:
    return {
        "_time": f"2026-02-{1 + n % 28:02}T{n % 24:02}:{n % 60:02}:07.000Z",
        "src": f"192.0.2.{chance.randrange(254)}",
        "src_port": 1024 + chance.randrange(60_000),
        "dest": f"198.51.100.{chance.randrange(254)}",
        "dest_port": chance.choice((22, 53, 80, 443, 445, 8080)),
        "protocol": chance.choice(("tcp", "udp")),
        "signature": f"ET MALWARE Observed {chance.choice(FAMILIES)} beacon",
        "user": chance.choice(USERS),
        "severity": chance.choice(("low", "medium", "high")),
        "flow_id": chance.randrange(2**50),
    }


def _looked_at(tx: Tx) -> None:
    """A third was looked at, and changed some time after it came."""
    tx.run(
        """UPDATE alertgroup SET views = 1 + id % 7, firstview = received + 60000000,
               updated = received + (id * 7919 % 86400) * 1000000
           WHERE id % 3 = 0"""
    )


def _delivered(tx: Tx) -> None:
    tx.run("UPDATE delivery SET state = 'delivered', attempt = 1, settled = created + 500000")
    tx.run(
        """INSERT INTO receipt (delivery, attempt, at, took, outcome, remote_id, detail)
           SELECT id, 1, settled, 1500, 'delivered', '', '' FROM delivery"""
    )


def _analyse(store: Store) -> None:
    """PostgreSQL does this by itself some minutes after so much has changed; the measurement shall not wait for it."""
    if store.engine == "postgres":
        store.write(lambda tx: tx.run("ANALYZE"))
