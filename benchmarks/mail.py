"""How long a mail takes from its bytes to its stored rows.

    python benchmarks/mail.py [--rows 5000] [--times 7] [--mails 500] [--json FILE]

A Splunk mail of 5,000 rows, as Splunk writes it (HTML with inline styles, base64), is read in a child process and
stored in SQLite with everything that follows from it. It is measured against the sum of the least that must be done:
the bare HTML parser over its HTML, and bare inserts of the same rows. Aim: under three times that sum. The medians are
compared.

Then mails of ten rows are taken out of the mailbox of a real Dovecot (see `imap.py`); 0 mails leaves that out.
"""

import argparse
import base64
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import apsw
from selectolax.lexbor import LexborHTMLParser

import imap
import stand
from machine import machine
from tocsin.intake import Intake
from tocsin.kit.letter import MAIL, letter
from tocsin.model import Message
from tocsin.parsers.generic import Generic
from tocsin.parsers.splunk import Splunk
from tocsin.store import open_store

AIM = 3.0
COLUMNS = ("_time", "src", "src_port", "dest", "dest_port", "protocol", "signature", "category", "severity", "flow_id")
_TD = '<td style="text-align: left; padding: 4px 8px; border-bottom: 1px dotted #c3cbd4;">'
_PRE = '<pre style="font-family: helvetica, arial, sans-serif; white-space: pre-wrap; margin: 0;">'


def row(n: int) -> tuple[str, ...]:
    """Ten cells as a search head would send them."""
    return (
        f"2026-03-01T12:{n % 60:02}:07.{n % 1000:03}Z",
        f"192.0.2.{n % 250}",
        str(40_000 + n % 20_000),
        f"198.51.100.{n % 200}",
        "443",
        "tcp",
        "ET MALWARE Observed beacon to known command and control",
        "A Network Trojan was detected",
        "high",
        str(1_000_000_007 * (n + 1)),
    )


def html(rows: int) -> str:
    """The page that Splunk mails."""
    header = "".join(f'<th style="text-align: left; padding: 4px 8px;">{name}</th>\n' for name in COLUMNS)
    body = "".join(
        '<tr valign="top">\n' + "".join(f"{_TD}\n    {_PRE}{cell}</pre>\n</td>\n" for cell in row(n)) + "</tr>\n"
        for n in range(rows)
    )
    return (
        '<html><body><table class="summary"><tbody><tr><th>Alert:</th><td><a href="https://splunk.example.com/a">Beacons'
        "</a></td></tr><tr><th>Search String:</th><td>index=proxy | table *</td></tr></tbody></table>\n"
        f'<table class="results"><tbody><tr>\n{header}</tr>\n{body}</tbody></table></body></html>'
    )


def mail(page: str, number: int) -> bytes:
    """The mail around the page."""
    head = (
        f"From: splunk@example.com\r\nSubject: Splunk Alert: Beacons\r\nMessage-ID: <{number}@splunk.example.com>\r\n"
        "Date: Mon, 02 Mar 2026 08:12:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return head.encode() + base64.encodebytes(page.encode()).replace(b"\n", b"\r\n")


def message(raw: bytes) -> Message:
    """The mail as a source hands it over."""
    return Message(source="mail", body=raw, media_type=MAIL, received=time.time_ns() // 1000)


def medians(times: int, *works: Callable[[int], Any]) -> list[float]:
    """Seconds of each, the median; they take turns, so that what else the machine does falls on all of them."""
    took: list[list[float]] = [[] for _ in works]
    for number in range(times + 1):
        for each, work in zip(took, works, strict=True):
            began = time.perf_counter()
            work(number)
            each.append(time.perf_counter() - began)
    return [statistics.median(each[1:]) for each in took]  # the first warms up


def bare_inserts(file: Path, rows: Sequence[str]) -> Callable[[int], None]:
    """The rows into a table of SQLite, one transaction, synced."""
    connection = apsw.Connection(str(file))
    connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", "FULL")
    connection.execute("CREATE TABLE alert (id INTEGER PRIMARY KEY, alertgroup INTEGER NOT NULL, data TEXT NOT NULL)")

    def insert(number: int) -> None:
        with connection:
            connection.executemany(
                "INSERT INTO alert (alertgroup, data) VALUES (?, ?)", ((number, row) for row in rows)
            )

    return insert


def measure(data: Path, rows: int, times: int) -> dict[str, float]:
    """Seconds of each step."""
    page = html(rows)
    mails = [message(mail(page, number)) for number in range(times + 1)]
    (group,) = Splunk().parse(mails[0])
    assert len(group.alerts) == rows
    store = open_store("sqlite", data)
    intake = Intake(store, {"splunk": Splunk(), "generic": Generic()}, ())

    def accept(number: int) -> None:
        stored = intake.accept(mails[number])
        assert stored.alertgroups, stored.quarantined

    works = {
        "bare HTML parser": lambda _: LexborHTMLParser(page),
        "bare inserts": bare_inserts(data / "bare.db", [alert.json for alert in group.alerts]),
        "bytes to stored rows": accept,
        "of that, taking the mail apart": lambda number: letter(message(mails[number].body)),
        "of that, all the parser does": lambda number: list(Splunk().parse(message(mails[number].body))),
    }
    try:
        return dict(zip(works, medians(times, *works.values()), strict=True)) | {"bytes": len(mails[0].body)}
    finally:
        intake.close()
        store.close()


def fetched(data: Path, mails: int) -> dict[str, float]:
    """Mails a second out of a mailbox."""
    page = html(10)
    data.mkdir()
    return imap.per_second(data, mails, lambda number: mail(page, number))


def main() -> None:
    """Measure and print."""
    reader = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    reader.add_argument("--rows", type=int, default=5000)
    reader.add_argument("--times", type=int, default=7, help="how often each is measured")
    reader.add_argument("--mails", type=int, default=500, help="how many are taken out of a mailbox")
    reader.add_argument("--within", type=Path, help="folder for the data; the disk there is what is measured")
    reader.add_argument("--json", type=Path, help="write the figures there too")
    arguments = reader.parse_args()
    with stand.folder(arguments.within) as data:
        here = machine(data)
        print(here)
        took = measure(data, arguments.rows, arguments.times)
        rates = fetched(data / "mailbox", arguments.mails) if arguments.mails else {}
    print(f"\na Splunk mail of {arguments.rows:,} rows, {took['bytes'] / 1e6:.1f} MB; medians of {arguments.times}\n")
    for name, seconds in took.items():
        if name != "bytes":
            print(f"{name:>32}  {1000 * seconds:8.1f} ms")
    ratio = took["bytes to stored rows"] / (took["bare HTML parser"] + took["bare inserts"])
    print(f"\nbytes to stored rows / (bare parser + bare inserts): {ratio:.2f} (aim under {AIM:.0f})")
    for name, rate in rates.items():
        print(f"{name:>32}  {rate:8.0f} mails of ten rows a second")
    if arguments.json:
        report = {"machine": here, "rows": arguments.rows, "seconds": took, "ratio": ratio, "mails_per_second": rates}
        arguments.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
