"""Mail handed over at the door: kept whatever it is, once, under a name of the sender's choice."""

from typing import Any

import pytest

from neighbours.dovecot import a_mail
from web.conftest import Caller, with_role

MAIL = "/api/v2/mail"


def hand(caller: Caller, body: bytes, query: str = "", status: int = 200) -> dict[str, Any]:
    answer = caller.post(MAIL + query, content=body, headers={"Content-Type": "message/rfc822"})
    assert answer.status_code == status, answer.text
    said: dict[str, Any] = answer.json()
    return said


def test_a_mail_is_kept_and_the_same_mail_again_is_the_same_message(admin: Caller) -> None:
    sender = with_role(admin, "sender")
    first, again, other = hand(sender, a_mail(1)), hand(sender, a_mail(1)), hand(sender, a_mail(2))
    kept = admin.json(f"/api/v2/message/{first['message']}")

    assert (first["repeated"], again["repeated"], again["message"]) == (False, True, first["message"])
    assert other["message"] != first["message"]
    assert (kept["source"], kept["sender"], kept["message_id"]) == ("mail", "ids@example.com", "<1@example.com>")
    assert bool(first["alertgroups"]) != bool(first["quarantined"])
    assert admin.get(f"/api/v2/message/{first['message']}/original").content == a_mail(1)


@pytest.mark.parametrize("engine", ["sqlite"])
def test_whatever_the_bytes_are_they_are_kept(admin: Caller) -> None:
    for body in (b"", b"\0\xff", b"\r\n\r\n", b"From: \xff\0\r\nMessage-ID: \0<1>\xff\r\n\r\n\xff"):
        kept = hand(admin, body)
        assert admin.get(f"/api/v2/message/{kept['message']}/original").content == body


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_dry_run_says_what_would_come_of_it_and_keeps_nothing(admin: Caller) -> None:
    said = hand(admin, a_mail(1), "?dry_run=true")

    assert set(said) == {"parser", "version", "claims", "alertgroups", "reason"}
    assert bool(said["alertgroups"]) != bool(said["reason"])
    assert admin.json("/api/v2/flow-of-alerts")["all"]["received"] == 0


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize("http_options", [{"max_body_mib": 1}])
def test_of_a_mail_too_large_the_beginning_is_kept_with_the_reason(admin: Caller) -> None:
    large = a_mail(1) + b"x" * (2 * 1024 * 1024)
    kept = hand(admin, large)

    assert f"the mail has {len(large):,} bytes, more than max_body_mib = 1" in kept["quarantined"]
    assert admin.get(f"/api/v2/message/{kept['message']}/original").content == large[: 1024 * 1024]


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize("query", ["?source=rest", "?source=tocsin", "?source=", "?source=a%20b", "?dry_run=perhaps"])
def test_a_wish_that_cannot_be_met_is_refused_with_the_remedy(admin: Caller, query: str) -> None:
    said = hand(admin, a_mail(1), query, status=400)

    assert said["error_msg"].startswith(("source", "dry_run"))
    assert hand(admin, a_mail(1), "?source=postfix")["message"] == 1


@pytest.mark.parametrize("engine", ["sqlite"])
def test_packed_mail_is_refused(admin: Caller) -> None:
    answer = admin.post(MAIL, content=b"x", headers={"Content-Encoding": "gzip"})

    assert answer.status_code == 415
