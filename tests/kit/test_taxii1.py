"""A TAXII 1.1 server on its bad days: what is worth another attempt is told from what is not."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neighbours import taxii1 as neighbour
from neighbours.taxii1 import SPACE, Answer, names, part, raw, says
from tocsin.errors import DeliveryError, Rejected, Unavailable
from tocsin.kit.taxii1 import Taxii1, Taxii1Options, messages
from tocsin.kit.taxii1.messages import Block

BINDING = "urn:stix.mitre.org:xml:1.2"
Open = Callable[..., Taxii1]


@pytest.fixture
def server() -> Iterator[neighbour.Taxii1]:
    with neighbour.taxii1() as known:
        yield known


@pytest.fixture
def to(server: neighbour.Taxii1) -> Iterator[Open]:
    made: list[Taxii1] = []

    def open_(**options: Any) -> Taxii1:
        known: dict[str, Any] = {"service": f"{server.url}/inbox", "timeout_s": 30}
        longest = options.pop("longest_answer", 1_000_000)
        made.append(Taxii1(Taxii1Options.model_validate(known | options), longest))
        return made[-1]

    yield open_
    for each in made:
        each.close()


def pushed(to: Open, **options: Any) -> Any:
    return to(**options).push("urn:m:1", b"<a>\xc3\xa9<b/></a>", BINDING, ["c"])


def test_a_push_is_a_valid_message_with_all_six_headers_under_the_id_given(server: neighbour.Taxii1, to: Open) -> None:
    status = pushed(to)
    (message,) = server.asked

    assert (status.type, status.message_id) == ("SUCCESS", "theirs")
    assert message.get("message_id") == "urn:m:1"
    assert message.findtext(f"{{{SPACE}}}Destination_Collection_Name") == "c"
    assert message.findtext(f".//{{{SPACE}}}Content/a") == "é"


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (says("BUSY"), Unavailable, "BUSY"),
        (says("RETRY", ESTIMATED_WAIT="77"), Unavailable, "RETRY"),
        (says("NETWORK_ERROR"), Unavailable, "NETWORK_ERROR"),
        (says("FAILURE", text="disk full"), Unavailable, "FAILURE (disk full)"),
        (says("PENDING"), Unavailable, "PENDING"),
        (says("DENIED"), Rejected, "DENIED"),
        (says("UNAUTHORIZED", http=401), Rejected, "check user and password"),
        (says("BAD_MESSAGE", to="0"), Rejected, "BAD_MESSAGE"),
        (says("UNSUPPORTED_CONTENT", SUPPORTED_CONTENT="urn:x"), Rejected, "SUPPORTED_CONTENT urn:x"),
        (says("DESTINATION_COLLECTION_ERROR", ACCEPTABLE_DESTINATION="d"), Rejected, "ACCEPTABLE_DESTINATION d"),
        (says("SUCCESS", to="another"), Unavailable, "another message"),
        (part(), Unavailable, "Poll_Response, not a Status_Message"),
        (raw(b"<html><body>welcome"), Unavailable, "no well-formed XML"),
        (raw(b"<html/>"), Unavailable, "no TAXII 1.1 message but 'html'"),
        (raw(b""), Unavailable, "no well-formed XML"),
        (raw(b"x" * 2_000_000), Unavailable, "more than 1,000,000 bytes"),
        (raw(b"oops", 500), Unavailable, "500"),
        (raw(b"oops", 404), Rejected, "404"),
        (raw(b"oops", 301), Rejected, "redirects are not followed"),
        (says("SUCCESS", http=503), Unavailable, "503"),
        (lambda asked: (0, b""), Unavailable, "broke the connection"),
    ],
)
def test_each_bad_answer_is_sorted(
    server: neighbour.Taxii1, to: Open, answer: Answer, error: type[DeliveryError], said: str
) -> None:
    server.next = [answer]
    with pytest.raises(error) as caught:
        pushed(to)

    assert said in str(caught.value)
    assert str(caught.value).startswith(server.url)


def test_the_wait_that_a_server_estimates_is_kept_and_bounded(server: neighbour.Taxii1, to: Open) -> None:
    for told, wait in (("77", timedelta(seconds=77)), ("9" * 20, timedelta(days=1)), ("soon", None)):
        server.next = [says("RETRY", ESTIMATED_WAIT=told)]
        with pytest.raises(Unavailable) as caught:
            pushed(to)
        assert caught.value.retry_after == wait


def test_an_answer_reaches_for_no_file_and_no_entity_grows(server: neighbour.Taxii1, to: Open) -> None:
    status = says("SUCCESS")("urn:m:1")[1]
    for dtd in (
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
        b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY e "&a;&a;&a;">]>',
        b'<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">',
    ):
        server.next = [raw(dtd + status.replace(b"theirs", b"&#233;"))]
        with pytest.raises(Unavailable, match="document type"):
            pushed(to)


def test_what_a_server_says_gives_no_secret_away(server: neighbour.Taxii1, to: Open) -> None:
    server.next = [says("DENIED", text="not with hunter2, joe")]
    with pytest.raises(Rejected) as caught:
        pushed(to, user="joe", password="hunter2")

    assert "not with …, joe" in str(caught.value)


def test_a_token_is_fetched_once_and_anew_when_it_has_expired(server: neighbour.Taxii1, to: Open) -> None:
    client = to(user="joe", password="p", auth_url="/auth")
    for n in range(3):
        server.next = [says("UNAUTHORIZED", http=401 if n == 1 else 200)] if n else []
        assert client.push(f"urn:m:{n}", b"<a/>", BINDING, []).type == "SUCCESS"

    assert [headers["Authorization"] for headers in server.headers] == [f"Bearer token-{n}" for n in (1, 1, 2, 2, 3)]
    server.next = [says("UNAUTHORIZED"), says("UNAUTHORIZED")]
    with pytest.raises(Rejected, match="UNAUTHORIZED"):
        client.push("urn:m:9", b"<a/>", BINDING, [])


def test_basic_and_bearer_are_sent_as_they_should_be(server: neighbour.Taxii1, to: Open) -> None:
    pushed(to, user="joe", password="hunter2é")
    pushed(to, token="abc")

    assert [headers["Authorization"] for headers in server.headers] == [
        "Basic am9lOmh1bnRlcjLDqQ==",
        "Bearer abc",
    ]


def test_a_service_is_found_by_discovery_once_and_again_when_it_is_gone(server: neighbour.Taxii1, to: Open) -> None:
    found = names(("POLL", "/poll"), ("INBOX", "/inbox"))
    server.next = [found, says("SUCCESS"), says("NOT_FOUND"), found, says("SUCCESS")]
    client = to(url=f"{server.url}/discovery", service="")

    client.push("urn:m:1", b"<a/>", BINDING, [])
    with pytest.raises(Rejected, match="check collection and service"):
        client.push("urn:m:2", b"<a/>", BINDING, [])
    client.push("urn:m:3", b"<a/>", BINDING, [])

    assert [etree_name(one.tag) for one in server.asked] == [
        "Discovery_Request", "Inbox_Message", "Inbox_Message", "Discovery_Request", "Inbox_Message",
    ]  # fmt: skip


def etree_name(tag: str) -> str:
    return tag.rpartition("}")[2]


@pytest.mark.parametrize(
    ("services", "said"),
    [
        ([("INBOX", "http://elsewhere.example/inbox")], "no password is sent there"),
        ([("INBOX", "file:///etc/passwd")], "no password is sent there"),
        ([("POLL", "/poll")], "names no inbox"),
        ([("INBOX", "http://[nowhere/")], "no password is sent there"),
    ],
)
def test_what_discovery_names_elsewhere_is_not_trusted(
    server: neighbour.Taxii1, to: Open, services: list[tuple[str, str]], said: str
) -> None:
    server.next = [names(*services)]
    with pytest.raises(Rejected, match=said):
        to(url=f"{server.url}/discovery", service="", user="joe", password="p").push("urn:m:1", b"<a/>", BINDING, [])
    assert len(server.asked) == 1


def test_a_poll_goes_on_part_by_part(server: neighbour.Taxii1, to: Open) -> None:
    server.next = [
        part(b"<a>1</a>", b"&lt;b/&gt;", more=True),
        part(b"<a>2</a>", more=True, number=2),
        part(b"plain", number=3, end="2026-11-22T00:00:00Z"),
    ]
    parts = list(to().poll("c", "2026-11-21T00:00:00Z"))

    assert [each.blocks for each in parts] == [
        (Block(BINDING, b'<a xmlns:t="%b">1</a>' % SPACE.encode()), Block(BINDING, b"<b/>")),
        (Block(BINDING, b'<a xmlns:t="%b">2</a>' % SPACE.encode()),),
        (Block(BINDING, b"plain"),),
    ]
    assert parts[-1].end == "2026-11-22T00:00:00Z"
    first, second, third = server.asked
    assert first.findtext(f"{{{SPACE}}}Exclusive_Begin_Timestamp") == "2026-11-21T00:00:00Z"
    assert [(one.get("result_id"), one.get("result_part_number")) for one in (second, third)] == [
        ("r1", "2"),
        ("r1", "3"),
    ]


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([part(more=True, result="")], "does not say of which result"),
        ([part(more=True), part(more=True, number=1)], "sent part 1 where part 2 was due"),
        ([part(number=0)], "part 0"),
        ([says("PENDING", RESULT_ID="r", ESTIMATED_WAIT="5")], "PENDING"),
        (
            [lambda asked: (200, part()(asked)[1].replace(b'part_number="1"', b'part_number="x"'))],
            "number that is none",
        ),
    ],
)
def test_a_poll_that_makes_no_sense_is_tried_again(
    server: neighbour.Taxii1, to: Open, answers: list[Answer], said: str
) -> None:
    server.next = answers
    with pytest.raises(Unavailable, match=said):
        list(to().poll("c"))


GOOD = [
    names(("INBOX", "/i"))("a")[1],
    part(b"<a/>", more=True, end="x")("a")[1],
    says("RETRY", X="y", text="z")("a")[1],
]


@given(st.sampled_from(GOOD), st.integers(0, 600), st.integers(0, 20), st.binary(max_size=12))
def test_no_bytes_of_a_server_break_what_reads_them(good: bytes, at: int, gone: int, noise: bytes) -> None:
    try:
        said = messages.answer(good[:at] + noise + good[at + gone :])
        messages.part(said)
    except messages.Nonsense:
        return
    assert str(messages.status(said)) is not None
    assert isinstance(messages.services(said), list)
    assert isinstance(messages.collections(said), list)
