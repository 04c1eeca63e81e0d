"""A collection that fails in the middle: nothing is skipped, nothing is taken for read that was not."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from neighbours import taxii1 as neighbour
from neighbours.taxii1 import SPACE, Answer, part, raw, says
from tocsin.errors import StoreUnavailable
from tocsin.formats import stix1
from tocsin.model import Message
from tocsin.sources.taxii1 import Taxii1

FEED = (Path(__file__).parent.parent / "data" / "stix1" / "feed.xml").read_bytes()
END, LATER = "2026-11-22T04:00:00.123456+00:00", "2026-11-22T05:00:00Z"


class Desk:
    """Keeps what is handed over; stops the source once the server has nothing more to say."""

    def __init__(self, server: neighbour.Taxii1, cursor: str = "") -> None:
        self.stop = threading.Event()
        self.hub = "hub"
        self.kept: list[Message] = []
        self.cursors: list[str] = []
        self.ailing: list[str] = []
        self.full = 0
        self._server, self._cursor = server, cursor

    def cursor(self) -> str:
        return self._cursor

    def accept(self, message: Message, cursor: str | None = None, refused: str = "") -> None:
        if self.full:
            self.full -= 1
            raise StoreUnavailable("the disk is full", timedelta())
        self.kept.append(message)
        self._note(cursor)

    def tell(self, ailing: str = "", cursor: str | None = None) -> None:
        if ailing:
            self.ailing.append(ailing)
        self._note(cursor)
        if not self._server.next:
            self.stop.set()

    def _note(self, cursor: str | None) -> None:
        if cursor is not None:
            self._cursor = cursor
            self.cursors.append(cursor)


@pytest.fixture
def server() -> Iterator[neighbour.Taxii1]:
    with neighbour.taxii1() as known:
        yield known


def read(server: neighbour.Taxii1, answers: list[Answer], desk: Desk | None = None, **options: object) -> Desk:
    """What a source made of these answers."""
    server.next = answers
    desk = desk or Desk(server)
    known = {"service": f"{server.url}/poll", "collection": "c", "interval_s": 0.01}
    Taxii1.model_validate(known | options).run(desk)
    return desk


def begins(server: neighbour.Taxii1) -> list[str | None]:
    asked = [one for one in server.asked if one.tag.endswith("Poll_Request")]
    return [one.findtext(f"{{{SPACE}}}Exclusive_Begin_Timestamp") for one in asked]


@pytest.mark.parametrize(
    "broken",
    [
        raw(b"oops", 500),
        raw(b"<html"),
        says("NOT_FOUND"),
        says("RETRY", ESTIMATED_WAIT="0"),
        lambda asked: (0, b""),
        part(b"<c/>", number=7),
    ],
)
def test_an_answer_that_breaks_off_is_asked_for_again_as_a_whole(server: neighbour.Taxii1, broken: Answer) -> None:
    desk = read(
        server,
        [
            part(b"<a/>", b"<b/>", more=True, end=END),
            broken,
            part(b"<a/>", b"<b/>", more=True, end=END),
            part(b"<c/>", number=2, end=END),
        ],
    )

    assert [message.body[:2] for message in desk.kept] == [b"<a", b"<a", b"<b", b"<c"]
    assert desk.cursors == [END, END]  # with the last message, and once more when all was well
    assert begins(server) == [None, None]
    assert len(desk.ailing) == 1


def test_the_next_poll_begins_a_little_before_the_last_one_ended(server: neighbour.Taxii1) -> None:
    read(server, [part(b"<a/>", end=END), part(end=LATER), part()], since="2026-11-01T00:00:00Z", overlap_s=60)

    assert begins(server) == [
        "2026-10-31T23:59:00.000000+00:00",
        "2026-11-22T03:59:00.123456+00:00",
        "2026-11-22T04:59:00.000000+00:00",
    ]


@pytest.mark.parametrize("end", ["", "yesterday", "2026-11-22T04:00:00", "2026-01-01T00:00:00Z"])
def test_a_server_that_gives_no_good_end_moves_the_cursor_nowhere(server: neighbour.Taxii1, end: str) -> None:
    desk = read(server, [part(b"<a/>", end=end)], Desk(server, cursor=END))

    assert set(desk.cursors) == {END}


def test_what_is_not_stored_is_not_taken_for_read(server: neighbour.Taxii1) -> None:
    desk = Desk(server)
    desk.full = 1
    read(server, [part(b"<a/>", end=END), part(b"<a/>", end=END)], desk)

    assert [message.body[:2] for message in desk.kept] == [b"<a"]
    assert begins(server) == [None, None]


def test_a_package_is_known_by_its_id_and_its_bytes_anything_else_by_its_bytes(server: neighbour.Taxii1) -> None:
    desk = read(server, [part(FEED, b"&lt;a/&gt;", b'{"type":"bundle"}', b"text", end=END)])

    assert [(one.message_id, one.by_bytes, one.media_type) for one in desk.kept] == [
        ("http://partner.example/Package-1", False, "application/xml"),
        ("", True, "application/xml"),
        ("", True, "application/stix+json"),
        ("", True, "application/octet-stream"),
    ]
    assert stix1.alertgroup(desk.kept[0].body).subject == "Botnet C2"


def test_a_source_that_is_told_to_stop_leaves_the_rest_for_the_next_time(server: neighbour.Taxii1) -> None:
    class Stopping(Desk):
        def accept(self, message: Message, cursor: str | None = None, refused: str = "") -> None:
            super().accept(message, cursor, refused)
            self.stop.set()

    desk = read(server, [part(b"<a/>", b"<b/>", b"<c/>", end=END)], Stopping(server))

    assert len(desk.kept) == 1
    assert desk.cursors == []
