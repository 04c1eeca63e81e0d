"""How many mails a second come out of a mailbox: a real Dovecot, TLS, each mail stored before the next is taken.

`mail.py` prints it beside the least that must be done: the same mails fetched by a bare client, and stored by nobody.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from imapclient import IMAPClient

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from neighbours.dovecot import PASSWORD, USER, Dovecot, running_dovecot
from neighbours.mailbox import NAME
from tocsin.intake import Intake
from tocsin.intake.fetching import Fetchers
from tocsin.parsers.splunk import Splunk
from tocsin.sources.imap import Imap
from tocsin.store import open_store


def per_second(data: Path, mails: int, made: Callable[[int], bytes]) -> dict[str, float]:
    """Mails a second: fetched bare, and fetched, read and stored."""
    with running_dovecot() as dovecot:
        dovecot.deliver(*(made(number) for number in range(mails)))
        return {"bare client": mails / _bare(dovecot), "mailbox to stored rows": mails / _taken(dovecot, data, mails)}


def _bare(dovecot: Dovecot) -> float:
    began = time.perf_counter()
    with IMAPClient("127.0.0.1", dovecot.port, ssl=False) as client:
        client.login(USER, PASSWORD)
        client.select_folder("INBOX", readonly=True)
        for uid in client.search():
            client.fetch([uid], ["BODY.PEEK[]"])
    return time.perf_counter() - began


def _taken(dovecot: Dovecot, data: Path, mails: int) -> float:
    store = open_store("sqlite", data)
    intake = Intake(store, {"splunk": Splunk()}, ())
    options = {"host": "localhost", "port": dovecot.tls_port, "ca_file": dovecot.ca_file}
    source = Imap.model_validate(
        options | {"user": USER, "password": PASSWORD, "permitted_senders": ["*"], "fetch": "unseen"}
    )
    fetchers = Fetchers(store, intake, {NAME: source})
    began = time.perf_counter()
    fetchers.start()
    try:
        while intake.counts.stored < mails:
            time.sleep(0.005)
        return time.perf_counter() - began
    finally:
        fetchers.stop(20)
        intake.close()
        store.close()
