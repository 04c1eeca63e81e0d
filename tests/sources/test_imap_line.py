"""The connection to a real Dovecot: protected or refused, signed in or told why not, and got over when it breaks."""

import time
from typing import Any

import pytest
from pydantic import ValidationError

from neighbours.cutter import Cutter, cutting
from neighbours.dovecot import PASSWORD, USER, Dovecot, a_mail, running_dovecot
from neighbours.mailbox import at_work, kept, state, subjects, until
from neighbours.receiver import Receiver, Status
from sources.mailboxes import mailbox
from tocsin.sources.imap import Imap, tokens
from tocsin.store import Store, tally


def error(store: Store) -> str:
    return state(store).last_error


@pytest.mark.parametrize("options", [{}, {"tls": "starttls"}, {"tls": "none", "plaintext_login": True}])
def test_mail_comes_over_every_kind_of_connection(dovecot: Dovecot, inbox: Store, options: dict[str, Any]) -> None:
    dovecot.deliver(a_mail(1))
    port = dovecot.port if options else dovecot.tls_port
    with at_work(mailbox(dovecot, port=port, **options), inbox):
        until(lambda: subjects(inbox) == ["mail 1"])

    assert error(inbox) == ""


@pytest.mark.parametrize("tls", ["tls", "starttls"])
def test_a_certificate_of_an_unknown_authority_is_refused(dovecot: Dovecot, inbox: Store, tls: str) -> None:
    dovecot.deliver(a_mail(1))
    port = dovecot.tls_port if tls == "tls" else dovecot.port
    with at_work(mailbox(dovecot, tls=tls, port=port, ca_file=None), inbox):
        until(lambda: "is not trusted" in error(inbox))

    assert "name its authority in ca_file" in error(inbox)
    assert kept(inbox) == []


def test_a_certificate_made_out_to_another_name_is_refused(dovecot: Dovecot, inbox: Store) -> None:
    with at_work(mailbox(dovecot, host="127.0.0.1"), inbox):
        until(lambda: "is not trusted" in error(inbox))

    assert "127.0.0.1" in error(inbox)


def test_a_port_that_speaks_no_tls_says_which_does(dovecot: Dovecot, inbox: Store) -> None:
    with at_work(mailbox(dovecot, port=dovecot.port), inbox):
        until(lambda: "does not speak TLS as expected" in error(inbox))

    assert '"starttls" port 143' in error(inbox)


def test_a_password_goes_in_the_open_only_where_that_is_permitted(dovecot: Dovecot, inbox: Store) -> None:
    with pytest.raises(ValidationError, match="plaintext_login"):
        mailbox(dovecot, tls="none")
    with running_dovecot(strict=True) as strict:
        options: dict[str, Any] = {"tls": "none", "plaintext_login": True, "host": "localhost", "port": strict.port}
        with at_work(mailbox(strict, **options), inbox):
            # Dovecot trusts its own machine whatever it is told; what it must not do is fail without a reason.
            until(lambda: state(inbox).last_success is not None or "use tls" in error(inbox))

    assert PASSWORD not in error(inbox)


def test_a_wrong_password_is_shown_and_got_over_without_a_restart(dovecot: Dovecot, inbox: Store) -> None:
    dovecot.deliver(a_mail(1))
    users, secret = dovecot.folder / "users", 'pässwörd "quoted" \\ hush'
    with at_work(mailbox(dovecot, password=secret), inbox):
        until(lambda: "check user and password" in error(inbox))
        until(lambda: time.time() - users.stat().st_mtime > 1.1)  # Dovecot sees a change by its time in seconds
        users.write_text(f"{USER}:{{PLAIN}}{secret}::::::\n")
        until(lambda: subjects(inbox) == ["mail 1"])

    assert f"refused the sign-in of {USER}" in error(inbox)
    assert "hush" not in error(inbox)


def test_a_server_that_is_away_is_shown_and_got_over(dovecot: Dovecot, inbox: Store) -> None:
    dovecot.deliver(a_mail(1))
    with at_work(mailbox(dovecot), inbox):
        until(lambda: subjects(inbox) == ["mail 1"])
        dovecot.stop()
        until(lambda: "cannot be reached (Connection refused)" in error(inbox))
        dovecot.start()
        dovecot.deliver(a_mail(2))
        until(lambda: subjects(inbox) == ["mail 1", "mail 2"])

    assert inbox.read(tally.totals)[0].repeated == 0


def test_new_mail_is_pushed_long_before_the_next_look(dovecot: Dovecot, inbox: Store) -> None:
    with at_work(mailbox(dovecot, interval_s=1500), inbox):
        until(lambda: state(inbox).last_success is not None)
        time.sleep(0.5)
        dovecot.deliver(a_mail(1))
        until(lambda: subjects(inbox) == ["mail 1"])
        dovecot.deliver(a_mail(2))
        until(lambda: subjects(inbox) == ["mail 1", "mail 2"])

    assert error(inbox) == ""


def test_a_folder_that_is_not_there_is_named(dovecot: Dovecot, inbox: Store) -> None:
    with at_work(mailbox(dovecot, folder="Nowhere"), inbox):
        until(lambda: "the folder Nowhere of alice cannot be opened" in error(inbox))
        with dovecot.client() as other:
            other.create("Nowhere")
        dovecot.deliver(a_mail(1), folder="Nowhere")
        until(lambda: subjects(inbox) == ["mail 1"])

    assert "check folder" in error(inbox)


def test_a_connection_cut_in_the_middle_of_mails_loses_and_doubles_none(dovecot: Dovecot, inbox: Store) -> None:
    mails = [a_mail(number) + bytes([64 + number]) * 200_000 for number in range(12)]
    dovecot.deliver(*mails)
    with cutting(dovecot.tls_port) as cutter:
        cutter.after = [150_000, 1_000_000, 30_000, 500_000]
        with at_work(mailbox(dovecot, port=cutter.port), inbox):
            until(lambda: len(kept(inbox)) == len(mails), within=60)
    found = {one.subject: one for one in kept(inbox)}

    assert cutter.cuts == 4
    assert [found[f"mail {number}"].body for number in range(12)] == mails
    assert all(one.reason == "" for one in found.values())
    assert "broke" in error(inbox) or "cannot be reached" in error(inbox)


def test_a_mail_that_always_breaks_the_connection_lets_the_others_pass_and_is_named(
    dovecot: Dovecot, inbox: Store
) -> None:
    def poisonous(cutter: Cutter) -> None:
        cutter.at = b"POISON"

    dovecot.deliver(a_mail(1), a_mail(2) + b"POISON", a_mail(3))
    with cutting(dovecot.port) as cutter:
        poisonous(cutter)
        plain: dict[str, Any] = {"tls": "none", "plaintext_login": True, "port": cutter.port}
        with at_work(mailbox(dovecot, **plain), inbox):
            until(lambda: len(kept(inbox)) == 3, within=60)
            dovecot.deliver(a_mail(4))
            until(lambda: len(kept(inbox)) == 4)
    found = kept(inbox)

    assert [one.subject for one in found if not one.reason] == ["mail 1", "mail 3", "mail 4"]
    (named,) = [one for one in found if one.reason]
    assert "did not hand over mail 2 of INBOX in 5 tries" in named.reason
    assert "`tocsin mail FILE`" in named.reason


def by_token(dovecot: Dovecot, receiver: Receiver, **more: Any) -> Imap:
    oauth = {"token_url": f"{receiver.url}/token", "client_id": "tocsin", "client_secret": "hush-hush"}
    return mailbox(dovecot, oauth=oauth | more)


def granted(token: str, expires_in: float = 3600, **more: str) -> Status:
    said = ", ".join(f'"{key}": "{value}"' for key, value in {"access_token": token, **more}.items())
    return Status(200, {}, f'{{{said}, "expires_in": {expires_in}}}'.encode())


def test_a_token_signs_in_and_is_renewed_before_it_expires(
    dovecot: Dovecot, inbox: Store, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "MARGIN_S", 0.2)
    dovecot.good_tokens |= {"one", "two"}
    receiver.will(granted("one", 0.4, refresh_token="second"), granted("two"))
    dovecot.deliver(a_mail(1))
    with at_work(by_token(dovecot, receiver, refresh_token="first", scope="mail"), inbox):
        until(lambda: subjects(inbox) == ["mail 1"])
        time.sleep(0.3)
        dovecot.good_tokens -= {"one"}
        dovecot.stop()
        dovecot.start()
        until(lambda: len(receiver.requests) == 2)
    first, second = (request.body.decode() for request in receiver.requests[:2])

    assert "grant_type=refresh_token" in first
    assert "refresh_token=first" in first
    assert "scope=mail" in first
    assert "refresh_token=second" in second


def test_a_token_that_is_not_taken_is_replaced_by_another(dovecot: Dovecot, inbox: Store, receiver: Receiver) -> None:
    dovecot.good_tokens |= {"good"}
    receiver.will(granted("expired"), granted("good"))
    dovecot.deliver(a_mail(1))
    with at_work(by_token(dovecot, receiver), inbox):
        until(lambda: subjects(inbox) == ["mail 1"])

    assert "check user and the oauth options" in error(inbox)
    assert "expired" not in error(inbox)
    assert b"grant_type=client_credentials" in receiver.requests[0].body


def test_a_refused_grant_says_what_to_do_and_no_secret(dovecot: Dovecot, inbox: Store, receiver: Receiver) -> None:
    refusal = b'{"error": "invalid_grant", "error_description": "token hush-hush is revoked"}'
    receiver.otherwise = Status(400, {}, refusal)
    dovecot.good_tokens |= {"good"}
    dovecot.deliver(a_mail(1))
    with at_work(by_token(dovecot, receiver), inbox):
        until(lambda: "invalid_grant" in error(inbox))
        receiver.otherwise = granted("good")
        until(lambda: subjects(inbox) == ["mail 1"])

    assert "sign in again and store the new refresh_token" in error(inbox)
    assert "hush" not in error(inbox)


def test_secrets_are_sent_to_https_alone(dovecot: Dovecot) -> None:
    oauth = {"token_url": "http://login.example.com/token", "client_id": "x", "client_secret": "y"}
    with pytest.raises(ValidationError, match="must begin with https"):
        mailbox(dovecot, oauth=oauth)
