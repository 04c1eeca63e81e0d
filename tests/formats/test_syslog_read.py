"""Streams are cut into records however they arrive, and any record is read."""

import hypothesis.strategies as st
from hypothesis import given

from tocsin.formats.syslog import Frames, framed, record

LINE = b"<13>Oct 11 22:14:15 host app: a line"
RECORDS = st.lists(
    st.tuples(st.binary(max_size=30).map(lambda rest: b"<13>" + rest.strip(b"\r\n\0")), st.booleans()), max_size=8
)


def cut(stream: bytes, pieces: list[int], longest: int = 4096) -> list[tuple[bytes, bool]]:
    frames = Frames(longest)
    found = []
    for size in pieces:
        found += frames.feed(stream[:size])
        stream = stream[size:]
    return [(each.record, bool(each.refused)) for each in [*found, *frames.feed(stream), *frames.end()]]


@given(RECORDS, st.lists(st.integers(1, 20), max_size=20))
def test_counted_records_and_lines_come_out_whole_however_they_are_cut(
    sent: list[tuple[bytes, bool]], pieces: list[int]
) -> None:
    stream, wanted = b"", []
    for text, counted in sent:
        text = text if counted else text.replace(b"\n", b" ").replace(b"\0", b" ").rstrip(b"\r")
        stream += framed(text) if counted else text + b"\n"
        wanted.append((text, False))

    assert cut(stream, pieces) == wanted


@given(st.binary(max_size=200), st.lists(st.integers(1, 30), max_size=10))
def test_any_bytes_are_cut_and_no_record_is_too_long(stream: bytes, pieces: list[int]) -> None:
    found = cut(stream, pieces, longest=20)
    assert all(len(text) <= 20 or refused is False for text, refused in found)
    for text, _ in found:
        record(text)


def test_of_what_is_too_long_the_beginning_is_kept_and_the_next_is_read() -> None:
    long = b"<13>" + b"x" * 5000

    for stream in (framed(long) + framed(LINE), long + b"\n" + LINE + b"\n", long + b"\n" + framed(LINE)):
        for pieces in ([], [7] * 900, [4096, 1, 1, 1]):
            assert cut(stream, pieces) == [(long[:4096], True), (LINE, False)]


def test_what_a_connection_ends_with_is_not_lost() -> None:
    assert cut(LINE, []) == [(LINE, False)]
    assert cut(b"90 <13>half", []) == [(b"90 <13>half", True)]


def test_a_record_of_rfc_5424_is_read() -> None:
    read = record(
        b"<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog 7 ID47 "
        b'[exampleSDID@32473 iut="3" eventSource="App \\"x\\" \\] \\\\"][b@1 c=""] \xef\xbb\xbfAn event'
    )

    assert (read.facility, read.severity, read.time, read.host) == (
        20,
        5,
        "2003-10-11T22:14:15.003Z",
        "mymachine.example.com",
    )
    assert (read.app, read.process, read.msgid, read.message) == ("evntslog", "7", "ID47", "An event")
    assert read.data == {"exampleSDID@32473": {"iut": "3", "eventSource": 'App "x" ] \\'}, "b@1": {"c": ""}}
    assert record(b"<13>1 - - - - - -").message == ""


def test_a_record_of_rfc_3164_is_read_and_what_is_none_is_a_message() -> None:
    read = record(b"<34>Oct 11 22:14:15 mymachine su[231]: 'su root' failed")

    assert (read.facility, read.severity, read.time, read.host) == (4, 2, "Oct 11 22:14:15", "mymachine")
    assert (read.app, read.process, read.message) == ("su", "231", "'su root' failed")
    assert record(b"<13>Oct 11 22:14:15 h CEF:0|a|b|1|x|n|5|").message == "CEF:0|a|b|1|x|n|5|"
    assert record(b"anything \xff").message == "anything \N{REPLACEMENT CHARACTER}"
    assert record(b"<999>x").severity is None
