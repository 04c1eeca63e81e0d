"""Another mail server than Dovecot: pymap answers in another order and offers other extensions."""

import contextlib
import imaplib
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from neighbours.dovecot import a_mail
from neighbours.mailbox import at_work, kept, state, subjects, until
from neighbours.missing import missing
from neighbours.ports import free_port
from tocsin.sources.imap import Imap
from tocsin.store import Store

USER = "demo"


@pytest.fixture
def port() -> Iterator[int]:
    """The port of a pymap that holds an empty mailbox in memory."""
    if find_spec("pymap") is None:
        missing("pymap", "uv sync --group neighbours")
    number = free_port()
    command = [str(Path(sys.executable).with_name("pymap")), "--host", "127.0.0.1", "--port", str(number), "--no-tls"]
    services = ["--no-service", "admin", "--no-service", "managesieve"]
    demo = ["dict", "--demo-data", "--demo-user", USER, "--demo-password", USER]
    process = subprocess.Popen([*command, *services, *demo], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: process.poll() is None and answers(number))
        yield number
    finally:
        process.terminate()
        process.wait(60)


def answers(port: int) -> bool:
    with contextlib.suppress(OSError, imaplib.IMAP4.error), client(port):
        return True
    return False


@contextlib.contextmanager
def client(port: int) -> Iterator[imaplib.IMAP4]:
    line = imaplib.IMAP4("127.0.0.1", port, timeout=60)
    try:
        line.login(USER, USER)
        yield line
    finally:
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            line.logout()


def mailbox(port: int, **options: Any) -> Imap:
    given = {
        "host": "127.0.0.1",
        "port": port,
        "tls": "none",
        "plaintext_login": True,
        "user": USER,
        "password": USER,
        "permitted_senders": ["*"],
        "interval_s": 0.2,
    }
    return Imap.model_validate(given | options)


def deliver(port: int, *mails: bytes) -> None:
    with client(port) as line:
        for mail in mails:
            line.append("INBOX", "", imaplib.Time2Internaldate(time.time()), mail)


@pytest.mark.parametrize(
    # While a client is in IDLE, pymap tells it what comes, but not what came between its last command and IDLE: a mail
    # in that gap waits for the next look, so the interval is short. That a push alone is enough is shown with Dovecot.
    "options",
    [{}, {"afterwards": "seen", "interval_s": 5}, {"afterwards": "move", "move_to": "Done"}],
)
def test_mail_of_another_server_is_taken_once_and_put_away(port: int, inbox: Store, options: dict[str, Any]) -> None:
    with at_work(mailbox(port, **options), inbox):
        until(lambda: state(inbox).last_success is not None)
        deliver(port, a_mail(1), a_mail(2) + b"x" * 100_000)
        until(lambda: len(kept(inbox)) == 2)
        deliver(port, a_mail(3))
        until(lambda: len(kept(inbox)) == 3)
        if options:
            until(lambda: put_away(port, options["afterwards"]) == 3)

    assert subjects(inbox) == ["mail 1", "mail 2", "mail 3"]
    # In IDLE imapclient reads what is there and does not wait for the rest: where pymap's answer comes in two pieces,
    # that is an "unterminated line", and the line is made anew.
    assert state(inbox).last_error == "" or "unterminated line" in state(inbox).last_error


def put_away(port: int, how: str) -> int:
    """How many of our mails are where they belong afterwards."""
    with client(port) as line:
        if how == "move":
            told = line.select("Done", readonly=True)[1][0]
            return int(told or b"0")
        line.select("INBOX", readonly=True)
        found = line.search(None, "SEEN", "FROM", "ids@example.com")[1][0]
        return len(found.split())
