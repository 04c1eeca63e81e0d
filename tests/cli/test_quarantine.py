"""Quarantine and reading again from the command line, with the server running and without it, on either engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.conftest import Standing
from neighbours.letters import a_letter
from neighbours.server import Server, running_server
from tocsin.kit.letter import MAIL
from tocsin.model import Message
from tocsin.store import entry, open_store
from tocsin.web.notes import now_micros

PARSER = '''
from tocsin.errors import Unreadable
from tocsin.kit.letter import is_mail, letter
from tocsin.model import Alertgroup
from tocsin.plugin import Parser


class Lines(Parser):
    """Reads mails of lines."""

    order = 1

    def claims(self, message):
        return is_mail(message) and letter(message).subject == "lines"

    def parse(self, message):
        rows = [{{"{column}": line}} for line in letter(message).text.splitlines() if line]
        if len(rows) < 2:
            raise Unreadable("fewer than two lines")
        yield Alertgroup.of_rows("lines", rows)
'''


@pytest.fixture
def hub(standing: Standing, data: Path) -> Iterator[Server]:
    """A data folder with three mails in quarantine, whose server runs, or ran; its parser reads the columns `a`."""
    state, url = standing
    with running_server(data, url) as server:
        server.stop()
        store = open_store(url, data)
        for text in ("one\ntwo\n", "lonely\n", "three\nfour\nfive\n"):
            body = a_letter("lines", text)
            message = Message(source="box", body=body, media_type=MAIL, received=now_micros(), sender="x@example.org")
            store.append(entry(message, (), "", "", "no parser claims it")).result()
        store.close()
        with_columns(server, "a")
        if state == "running":
            server.start()
        yield server


def with_columns(server: Server, column: str) -> None:
    """Write the parser; a server that runs goes on with the one it has read."""
    folder = server.data / "plugins"
    folder.mkdir(exist_ok=True)
    (folder / "lines_of_mails.py").write_text(PARSER.format(column=column))


def test_quarantine_is_listed_shown_read_accepted_discarded_and_restored(hub: Server) -> None:
    listed = hub.tocsin("quarantine", "list").stdout
    assert listed.count("no parser claims it") == 3
    shown = hub.tocsin("quarantine", "show", "1").stdout
    assert "message 1, quarantined: no parser claims it" in shown
    assert "Subject: lines" in shown
    assert "lines_of_mails claims it\n    lines: 2 alerts, columns a\n        a=one\n        a=two" in shown

    read = hub.tocsin("quarantine", "read", "1", "2", "3", check=False)
    assert read.returncode == 1
    assert read.stdout == (
        "message 1: alertgroup 1, read by lines_of_mails\nmessage 3: alertgroup 2, read by lines_of_mails\n"
    )
    assert read.stderr == "message 2 stays: fewer than two lines\n"
    assert hub.tocsin("quarantine", "discard", "2", "--note", "of no use").stdout == "message 2: discarded\n"
    assert hub.tocsin("quarantine", "list").stdout == "Nothing stands in quarantine.\n"
    assert "fewer than two lines" in hub.tocsin("quarantine", "list", "--discarded").stdout
    hub.tocsin("quarantine", "restore", "2")
    assert "discarded: of no use" in hub.tocsin("quarantine", "show", "2").stdout
    assert "message 2: alertgroup 3, read by" in hub.tocsin("quarantine", "accept", "2").stdout
    gone = hub.tocsin("quarantine", "show", "2", check=False)
    assert (gone.returncode, gone.stderr) == (
        1,
        "tocsin: Message 2 does not stand in quarantine: it is stored.\n",
    )


def test_stored_originals_are_read_again_after_the_difference_was_shown(hub: Server) -> None:
    hub.tocsin("quarantine", "read", "1", "3")
    running = hub.process is not None
    if running:
        hub.stop()
    with_columns(hub, "b")
    if running:
        hub.start()
    looked = hub.tocsin("reparse", "--source", "box", "--from", "2020-01-01", "--dry-run").stdout

    assert looked.splitlines()[:3] == [
        "message 1, alertgroup 1: changed",
        "    columns: +b",
        "    columns: -a",
    ]
    assert looked.endswith("2 messages read, 0 the same, 2 changed; nothing was written\n")
    assert hub.tocsin("reparse", "--dry-run").stdout == looked
    assert hub.tocsin("reparse", "--to", "2020-01-01").stdout == "0 messages read, 0 the same\n"
    written = hub.tocsin("reparse", "--parser", "lines_of_mails").stdout
    assert written.endswith("2 messages read, 0 the same, 2 changed\n")
    assert hub.tocsin("reparse").stdout == "2 messages read, 2 the same\n"
    wrong = hub.tocsin("reparse", "--with", "nobody", check=False)
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "There is no parser 'nobody'" in wrong.stderr
