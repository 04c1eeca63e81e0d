"""Mail over SMTP to a real server, one that refuses, and one that is not there."""

import email.policy
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from neighbours.ports import free_port
from tocsin.destinations.email import FORM, Email
from tocsin.errors import Rejected, Unavailable
from tocsin.kit.secrets import Secret
from tocsin.model import TLP, Alert, Alertgroup, Delivery, Detection, Receipt, Severity


class Office:
    """Takes mails; `answers` are given to the next ones instead."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.to: list[list[str]] = []
        self.answers: list[str] = []
        self.refused = "nobody@example.org"

    async def handle_RCPT(self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]) -> str:  # noqa: N802 - the name aiosmtpd looks for
        if address == self.refused:
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802 - the same
        if self.answers:
            return self.answers.pop(0)
        assert isinstance(envelope.content, bytes)
        self.mails.append(BytesParser(EmailMessage, policy=email.policy.default).parsebytes(envelope.content))
        self.to.append(envelope.rcpt_tos)
        return "250 taken"


def lets_in(_: SMTP, __: Session, ___: Envelope, ____: str, given: Any) -> AuthResult:
    assert isinstance(given, LoginPassword)
    return AuthResult(success=given.password == b"right", handled=False)


@contextmanager
def running(**options: Any) -> Iterator[tuple[Office, int]]:
    office = Office()
    port = free_port()
    controller = Controller(office, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield office, port
    finally:
        controller.stop()


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Office, int]]:
    with running() as known:
        yield known


@pytest.fixture
def office(server: tuple[Office, int]) -> Office:
    server[0].mails.clear()
    server[0].to.clear()
    server[0].answers.clear()
    return server[0]


@pytest.fixture
def port(server: tuple[Office, int]) -> int:
    return server[1]


def to(port: int, **rest: Any) -> Email:
    options: dict[str, Any] = {
        "to": ["soc@example.org"],
        "security": "none",
        "timeout_s": 5,
        "link": "https://t.example",
    } | rest
    return Email(host="127.0.0.1", port=port, sender="tocsin@csirt.example", **options)


def a_delivery(n: int = 1, subject: str = "Beacon to evil.example.com") -> Delivery:
    said = Detection(name="Beacon", severity=Severity.HIGH)
    alerts = tuple(Alert.of({"src": "192.0.2.7", "n": place}, said) for place in range(25))
    group = Alertgroup(subject=subject, alerts=alerts, tags=("vpn",), tlp=TLP.GREEN, id=n, received=10**15)
    return Delivery(id=n, uid=f"uid-{n}", alertgroup=group)


def test_an_alertgroup_is_a_mail_with_its_rows_and_a_link_back(office: Office, port: int) -> None:
    receipt = to(port).send(a_delivery())
    (mail,) = office.mails
    text = mail.get_content()

    assert receipt == Receipt(remote_id="<uid-1@csirt.example>", status="taken")
    assert mail["Subject"] == "[tocsin] [high] Beacon to evil[.]example[.]com (25 alerts) TLP:GREEN"
    assert mail["Message-ID"] == "<uid-1@csirt.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "See: https://t.example/alerts/1" in text
    assert "  src: 192[.]0[.]2[.]7" in text
    assert "… and 5 more" in text
    assert office.to == [["soc@example.org"]]


def test_many_that_wait_become_one_mail_and_few_do_not(office: Office, port: int) -> None:
    sent = to(port).send_batch([a_delivery(n) for n in range(1, 51)], "c")
    assert [mail["Subject"] for mail in office.mails] == ["[tocsin] 50 alertgroups"]
    assert office.mails[0].get_content().count("https://t.example/alerts/") == 50
    assert (len(sent.outcomes), sent.cursor) == (50, "c")

    to(port).send_batch([a_delivery(1), a_delivery(2)], "")
    assert len(office.mails) == 3


def test_a_recall_answers_the_mails_that_it_takes_back(office: Office, port: int) -> None:
    first = a_delivery()
    earlier = (Receipt(remote_id="/case/9"), Receipt(remote_id="<uid-1@csirt.example>"), to(port).send(first))
    recall = replace(first, id=2, uid="uid-2", kind="recall", reason="our own test\nFrom: x", earlier=earlier)
    receipt = to(port).send(replace(recall, owed=1_795_000_100_000_000))
    mail, text = office.mails[1], office.mails[1].get_content()

    assert receipt.remote_id == "<uid-2@csirt.example>"
    assert mail["Subject"] == "[tocsin] Recalled: Beacon to evil[.]example[.]com"
    assert mail["In-Reply-To"] == mail["References"] == "<uid-1@csirt.example>"
    assert "Recalled: 2026-11-18T11:08:20Z" in text
    assert "Reason: our own test\\nFrom: x" in text
    assert "See: https://t.example/alerts/1" in text
    assert "192" not in text


def test_a_recall_without_text_and_receipt_says_which_alertgroup(office: Office, port: int) -> None:
    bare = Alertgroup(subject="", alerts=(), id=17)
    to(port).send(Delivery(id=2, uid="uid-2", alertgroup=bare, kind="recall", reason="wrong"))

    assert office.mails[0]["Subject"] == "[tocsin] Recalled: alertgroup 17"
    assert office.mails[0]["In-Reply-To"] is None
    assert "Alertgroup: 17\r\n" in office.mails[0].get_content()


def test_recalls_are_no_part_of_a_digest(office: Office, port: int) -> None:
    recall = replace(a_delivery(7), uid="uid-7", kind="recall", reason="wrong")
    sent = to(port).send_batch([*(a_delivery(n) for n in range(1, 7)), recall], "")

    assert [mail["Subject"][:20] for mail in office.mails] == ["[tocsin] 6 alertgrou", "[tocsin] Recalled: B"]
    assert [str(outcome.remote_id) for outcome in sent.outcomes if isinstance(outcome, Receipt)][-2:] == [
        "<uid-1@csirt.example>",
        "<uid-7@csirt.example>",
    ]


@pytest.mark.parametrize(("answer", "error"), [("451 4.3.0 later", Unavailable), ("554 5.7.1 spam", Rejected)])
def test_the_server_says_whether_it_passes(office: Office, port: int, answer: str, error: type[Exception]) -> None:
    office.answers = [answer]
    with pytest.raises(error, match=answer[:3]):
        to(port).send(a_delivery())


def test_one_refused_address_is_named_and_all_refused_is_a_refusal(office: Office, port: int) -> None:
    assert to(port, to=["soc@example.org", office.refused]).send(a_delivery()).status == f"refused for {office.refused}"
    with pytest.raises(Rejected, match="550"):
        to(port, to=[office.refused]).send(a_delivery())


def test_a_server_that_is_not_there_is_tried_again() -> None:
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1 cannot be talked to"):
        to(1).send(a_delivery())


def test_a_server_without_encryption_is_not_spoken_to_in_the_clear(office: Office, port: int) -> None:
    with pytest.raises(Rejected, match="cannot do that"):
        to(port, security="starttls").send(a_delivery())
    assert office.mails == []


def test_a_wrong_password_is_told_and_never_shown() -> None:
    with running(authenticator=lets_in, auth_require_tls=False) as (office, port):
        assert to(port, username="t", password=Secret("right")).check() == f"127.0.0.1:{port} lets us in"
        with pytest.raises(Rejected, match="check username and password") as caught:
            to(port, username="t", password=Secret("wrong-one")).send(a_delivery())

    assert "wrong-one" not in str(caught.value)
    assert office.mails == []


@given(
    st.text(max_size=80), st.lists(st.dictionaries(st.text(max_size=20), st.text(max_size=80), max_size=4), max_size=4)
)
def test_no_text_makes_another_header_or_a_letter_that_cannot_be_written(
    subject: str, rows: list[dict[str, str]]
) -> None:
    group = Alertgroup.of_rows(subject, rows, tags=(subject,))
    mail = EmailMessage()
    mail["Subject"] = FORM.title(group)
    mail.set_content(FORM.text(group), cte="quoted-printable")

    again = BytesParser(EmailMessage, policy=email.policy.default).parsebytes(mail.as_bytes())
    assert set(again.keys()) == {"Subject", "Content-Type", "Content-Transfer-Encoding", "MIME-Version"}
