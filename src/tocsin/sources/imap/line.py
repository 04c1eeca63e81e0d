"""The connection to a mail server: protected, signed in, a folder open. Every failure says what to do."""

import contextlib
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

from imapclient import DELETED, SEEN, IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientError, IMAPClientReadOnlyError

from tocsin.sources.imap.options import Options
from tocsin.sources.imap.tokens import NoToken, Tokens

CONNECT_S, ANSWER_S = 20, 90
SLICE_S = 0.5
"""While waiting for a push, the wish to stop is looked at so often."""
KEEPALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 20), ("TCP_KEEPCNT", 4))
AT_ONCE = 200
"""One command names so many mails at most."""
PUSHED = (b"EXISTS", b"RECENT", b"FETCH")
BROKEN = (OSError, IMAPClientError, ValueError, TypeError, LookupError, AssertionError)
"""What comes of a connection that ended, and of answers that no client can make sense of."""


class Ails(Exception):
    """The mailbox cannot be read; the text says what to do. `person`: it will not pass by itself."""

    def __init__(self, reason: str, *, person: bool) -> None:
        super().__init__(reason)
        self.person = person


class Line:
    """One connection with one folder open. `validity` is its UIDVALIDITY."""

    def __init__(self, client: IMAPClient, options: Options) -> None:
        self._client = client
        self._options = options
        self._folder = self._opened()
        self.validity = int(self._folder[b"UIDVALIDITY"])
        self._idles = client.has_capability("IDLE")

    def next_uid(self) -> int:
        """The UID that the next mail will have at least."""
        told = self._folder.get(b"UIDNEXT")
        return int(told) if told else max(self._client.search(["ALL"]), default=0) + 1

    def first_since(self, hours: float) -> int:
        """The lowest UID of the mail that arrived in the last hours; `next_uid` if there is none."""
        since = datetime.now(UTC) - timedelta(hours=hours)
        day = (since - timedelta(days=1)).date()  # SINCE knows days alone, and not of which time zone
        uids = self._client.search(["SINCE", day])
        arrived = self._in_parts(uids, "INTERNALDATE")
        recent = [uid for uid, told in arrived.items() if told.get(b"INTERNALDATE", since) >= since]
        return min(recent, default=self.next_uid())

    def search(self, above: int, *, unseen: bool) -> list[int]:
        """The UIDs above a number, in order; the server's answer to `n:*` has the last mail even if it is below n."""
        wanted: list[Any] = ["UID", f"{above + 1}:*", *(["UNSEEN"] if unseen else [])]
        return sorted(uid for uid in self._client.search(wanted) if uid > above)

    def sizes(self, uids: Sequence[int]) -> dict[int, int]:
        """How large they are, in bytes; one that is gone is missing."""
        return {uid: int(told[b"RFC822.SIZE"]) for uid, told in self._in_parts(uids, "RFC822.SIZE").items()}

    def fetch(self, uids: Sequence[int]) -> dict[int, bytes]:
        """The mails, as they are; none is marked as seen by this."""
        return self._bodies(uids, "BODY.PEEK[]", b"BODY[]")

    def beginning(self, uid: int, size: int) -> dict[int, bytes]:
        """The first bytes of a mail."""
        return self._bodies([uid], f"BODY.PEEK[]<0.{size}>", b"BODY[]<0>")

    def header(self, uid: int) -> bytes:
        """The header of a mail that cannot be had whole; empty if that fails, too."""
        try:
            return self._bodies([uid], "BODY.PEEK[HEADER]", b"BODY[HEADER]").get(uid, b"")
        except BROKEN:
            return b""

    def finish(self, uids: Sequence[int]) -> None:
        """Flag or move mails that are stored. Doing it again changes nothing."""
        for part in _parts(uids):
            if self._options.afterwards == "seen":
                self._client.add_flags(part, [SEEN], silent=True)
            elif self._client.has_capability("MOVE"):
                self._client.move(part, self._options.move_to)
            else:
                self._client.copy(part, self._options.move_to)
                self._client.add_flags(part, [DELETED], silent=True)
                # Without UIDPLUS an EXPUNGE would take what others have marked; then the marks must do.
                if self._client.has_capability("UIDPLUS"):
                    self._client.uid_expunge(part)

    def wait(self, stop: Event, seconds: float) -> None:
        """Until something is pushed, or so long. Then the server is asked for news, which keeps the line alive."""
        if not self._idles:
            stop.wait(seconds)
        else:
            self._client.idle()
            until = time.monotonic() + seconds
            while not stop.is_set() and (left := until - time.monotonic()) > 0:
                begun, most = time.monotonic(), min(left, SLICE_S)
                heard = self._client.idle_check(timeout=most)
                ended = not heard and time.monotonic() - begun < most / 2  # a closed line has nothing to say, at once
                if ended or any(len(one) > 1 and one[1] in PUSHED for one in heard):
                    break
            self._client.idle_done()
        if not stop.is_set():
            self._client.noop()

    def close(self) -> None:
        """Say goodbye if anybody listens."""
        try:
            self._client.logout()
        except BROKEN:
            _let_go(self._client)

    def _opened(self) -> dict[bytes, Any]:
        options = self._options
        try:
            if options.move_to and not self._client.folder_exists(options.move_to):
                self._client.create_folder(options.move_to)
            found: dict[bytes, Any] = self._client.select_folder(options.folder, readonly=options.afterwards == "leave")
        except IMAPClientReadOnlyError:
            raise Ails(
                f'the folder {options.folder} cannot be changed by {options.user}: set afterwards = "leave", or let '
                "it be changed",
                person=True,
            ) from None
        except IMAPClientError as error:
            if isinstance(error, IMAPClient.AbortError):
                raise
            raise Ails(
                f"the folder {options.folder} of {options.user} cannot be opened ({said(error)}): check folder"
                f"{' and move_to' if options.move_to else ''}, and that it may be read",
                person=True,
            ) from None
        if not found.get(b"UIDVALIDITY"):
            raise Ails(f"the server says no UIDVALIDITY for {options.folder}: it cannot be read safely", person=True)
        return found

    def _bodies(self, uids: Sequence[int], wanted: str, key: bytes) -> dict[int, bytes]:
        found = self._client.fetch(list(uids), [wanted])
        return {uid: told[key] for uid, told in found.items() if isinstance(told.get(key), bytes)}

    def _in_parts(self, uids: Sequence[int], wanted: str) -> dict[int, dict[bytes, Any]]:
        found: dict[int, dict[bytes, Any]] = {}
        for part in _parts(uids):
            found |= self._client.fetch(part, [wanted])
        return {uid: told for uid, told in found.items() if wanted.encode() in told}


@contextlib.contextmanager
def connected(options: Options, tokens: Tokens | None) -> Iterator[Line]:
    """A line for as long as the context lasts. Raises Ails, and what is in `BROKEN` once it breaks."""
    client = _reached(options)
    try:
        _sign_in(client, options, tokens)
        line = Line(client, options)
    except BaseException:
        _let_go(client)
        raise
    try:
        yield line
    finally:
        line.close()


def _reached(options: Options) -> IMAPClient:
    host, port = options.address
    try:
        context = ssl.create_default_context(cafile=options.ca_file)
    except OSError as error:
        why = error.strerror or "not PEM"
        raise Ails(f"cannot read certificates from {options.ca_file} ({why}): mend ca_file", person=True) from None
    try:
        client = IMAPClient(
            host, port, ssl=options.tls == "tls", ssl_context=context, timeout=SocketTimeout(CONNECT_S, ANSWER_S)
        )
    except BROKEN as error:
        raise _unreachable(error, options) from None
    try:
        client.normalise_times = False
        _keep_alive(client.socket())
        if options.tls == "starttls":
            if not client.has_capability("STARTTLS"):
                raise Ails(
                    f'{host}:{port} does not offer STARTTLS, and nothing is sent in the open: use tls = "tls"',
                    person=True,
                )
            client.starttls(context)
    except BROKEN as error:
        _let_go(client)
        raise _unreachable(error, options) from None
    except Ails:
        _let_go(client)
        raise
    return client


def _let_go(client: IMAPClient) -> None:
    with contextlib.suppress(*BROKEN):
        client.shutdown()


def _unreachable(error: BaseException, options: Options) -> Ails:
    host, port = options.address
    match error:
        case ssl.SSLCertVerificationError():
            why = error.verify_message or "it cannot be verified"
            return Ails(
                f"the certificate of {host}:{port} is not trusted ({why}): name its authority in ca_file, or the name "
                "it is made out to in host",
                person=True,
            )
        case ssl.SSLError():
            return Ails(
                f'{host}:{port} does not speak TLS as expected ({error.reason or "it broke off"}): tls = "tls" is '
                'usually port 993, "starttls" port 143',
                person=True,
            )
        case socket.gaierror():
            return Ails(f"there is no address for {host}: check host; it is tried again", person=False)
    return Ails(
        f"{host}:{port} cannot be reached ({said(error)}): check host and port; it is tried again", person=False
    )


def _sign_in(client: IMAPClient, options: Options, tokens: Tokens | None) -> None:
    secrets = [options.password.get_secret_value()] if options.password else []
    try:
        if tokens is not None:
            _by_token(client, options.user, tokens.token())
        else:
            _by_password(client, options.user, *secrets)
    except NoToken as error:
        raise Ails(str(error), person=error.refused) from None
    except IMAPClientError as error:
        if isinstance(error, IMAPClient.AbortError):
            raise _unreachable(error, options) from None
        words = said(error, [*secrets, *(tokens.secrets() if tokens else [])])
        if tokens is not None:
            tokens.forget()
        if "[UNAVAILABLE]" in words:
            raise Ails(
                f"{options.host} cannot check the sign-in of {options.user} just now ({words}): it is tried again",
                person=False,
            ) from None
        remedy = "check user and the oauth options" if tokens else "check user and password"
        raise Ails(f"{options.host} refused the sign-in of {options.user} ({words}): {remedy}", person=True) from None
    except OSError as error:
        raise _unreachable(error, options) from None


def _by_token(client: IMAPClient, user: str, token: str) -> None:
    answers = iter([f"user={user}\1auth=Bearer {token}\1\1"])
    # A refusal comes as a challenge, which wants an empty answer before the server says NO.
    client.sasl_login("XOAUTH2", lambda _challenge: next(answers, b""))


def _by_password(client: IMAPClient, user: str, password: str) -> None:
    if client.has_capability("AUTH=PLAIN"):
        client.sasl_login("PLAIN", lambda _challenge: f"\0{user}\0{password}")
    elif client.has_capability("LOGINDISABLED"):
        raise Ails(f"{client.host} takes no password on this connection: use tls or starttls, or oauth", person=True)
    elif not (user + password).isascii():
        raise Ails(f"{client.host} takes only ASCII in user and password: change them, or use oauth", person=True)
    else:
        quoted = user.replace("\\", "\\\\").replace('"', '\\"')  # imaplib quotes the password alone
        client.login(f'"{quoted}"', password)


def _keep_alive(line: socket.socket) -> None:
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE:
        if hasattr(socket, name):
            line.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def said(error: BaseException, secrets: Sequence[str] = ()) -> str:
    """The peer's or the system's words, short, on one line and without secrets."""
    text = str(getattr(error, "strerror", None) or error) or type(error).__name__
    for secret in secrets:
        text = text.replace(secret, "…")
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:200]


def _parts(uids: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(uids), AT_ONCE):
        yield list(uids[start : start + AT_ONCE])
