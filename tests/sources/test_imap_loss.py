"""Numbered mails come in while the server is killed, again and again: each becomes one message, and stays one.

`TOCSIN_LOSS_SEED` draws the moments. At a desk it is killed a few times, in CI fifteen times in all.
"""

import os
import random
import threading
from pathlib import Path
from typing import Self

import pytest

from neighbours.dovecot import PASSWORD, USER, Dovecot, a_mail
from neighbours.mailbox import until
from neighbours.server import Server
from tocsin.kit.envelope import envelope
from tocsin.store import Tx, message, open_store

KILLS = 5 if os.environ.get("CI", "").lower() in {"1", "true"} else 2
SEED = os.environ.get("TOCSIN_LOSS_SEED", "mail")
WAYS = {
    "leave": 'fetch = "unseen"',
    "seen": 'fetch = "unseen"\nafterwards = "seen"',
    "move": 'fetch = "since"\nafterwards = "move"\nmove_to = "Done"',
}
CONFIGURATION = """
[sources.soc]
type = "imap"
host = "localhost"
port = {port}
ca_file = "{ca_file}"
user = "{user}"
password = "{password}"
permitted_senders = ["*"]
interval_s = 0.2
{way}
"""


class Postman:
    """Delivers numbered mails, a few at a time, until it is told to stop; some come twice."""

    def __init__(self, dovecot: Dovecot, dice: random.Random) -> None:
        self.last = 0
        self._dovecot, self._dice = dovecot, dice
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._walk)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _walk(self) -> None:
        while not self._stop.is_set():
            some = [a_mail(self.last + n) for n in range(1, self._dice.randint(2, 6))]
            self._dovecot.deliver(*some, *some[: self._dice.randint(0, 1)])
            self.last += len(some)
            self._stop.wait(self._dice.uniform(0.0, 0.2))


def outcome(data: Path) -> dict[str, list[tuple[int, bool]]]:
    """By subject, for each message of it: how many alertgroups it has, and whether it stands in quarantine."""

    def read(tx: Tx) -> dict[str, list[tuple[int, bool]]]:
        found: dict[str, list[tuple[int, bool]]] = {}
        for number, state in tx.rows("SELECT id, state FROM message"):
            subject = envelope(message.original(tx, number)).subject
            found.setdefault(subject, []).append((len(message.groups_of(tx, number)), state == "quarantined"))
        return found

    store = open_store("sqlite", data)
    try:
        return store.read(read)
    finally:
        store.close()


def delivered_and_stored(server: Server) -> int:
    """How many messages the server counts."""
    with server.client("viewer") as client:
        counted: int = client.get("/api/v2/flow-of-alerts").json()["all"]["received"]
    return counted


@pytest.mark.loss
@pytest.mark.timeout(300)
@pytest.mark.parametrize("way", WAYS)
def test_every_mail_is_one_message_however_often_the_server_is_killed(dovecot: Dovecot, data: Path, way: str) -> None:
    dice = random.Random(f"{SEED}.{way}")
    words = {"port": dovecot.tls_port, "ca_file": dovecot.ca_file, "user": USER, "password": PASSWORD}
    data.mkdir()
    (data / "tocsin.toml").write_text(CONFIGURATION.format(way=WAYS[way], **words))
    server = Server(data)
    with Postman(dovecot, dice) as postman:
        for _ in range(KILLS):
            server.start()
            threading.Event().wait(dice.uniform(0, 1.5))
            server.kill()
    try:
        server.start()
        until(lambda: delivered_and_stored(server) >= postman.last, within=90)
        if way == "move":
            until(lambda: dovecot.count() == 0)
    finally:
        server.stop()
    found = outcome(data)

    assert sorted(found) == sorted(f"mail {number}" for number in range(1, postman.last + 1)), f"seed {SEED}"
    odd = {subject: each for subject, each in found.items() if each not in ([(1, False)], [(0, True)])}
    assert odd == {}, f"seed {SEED}"
    if way == "seen":
        assert all(b"Seen" in flags for flags in dovecot.flags())
