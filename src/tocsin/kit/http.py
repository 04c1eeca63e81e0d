"""HTTP out: one attempt, and every way in which it can fail sorted into Rejected or Unavailable.

Errors name scheme, host and port alone, since paths, queries and user names hold tokens; nor do they quote the peer's
answer, which may echo what was sent.
"""

import contextlib
import logging
import re
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import NamedTuple, Self

import httpx2

from tocsin.errors import Rejected, Unavailable

LONGEST_ANSWER = 65_536
"""Bytes of an answer's body that are read, unless asked for more; the rest is left and the connection closed."""
LONGEST_WAIT = timedelta(days=1)
"""A peer that asks for more gets another attempt after a day."""
TEMPORARY = frozenset((408, 425, 429))
"""Statuses below 500 that pass: Request Timeout, Too Early (RFC 8470), Too Many Requests (RFC 6585)."""
PERMANENT = frozenset((501, 505))
"""Statuses from 500 on that will not change by themselves: Not Implemented, HTTP Version Not Supported."""

for _library in ("httpx2", "httpcore2"):
    # Below warnings they write whole URLs and headers, keys included, to the log.
    logging.getLogger(_library).setLevel(logging.WARNING)


@dataclass(frozen=True)
class Answer:
    """What a peer said: `body` is its beginning, or all of it when it is `whole`."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool = True


class Certificate(NamedTuple):
    """What a client shows of itself: files of PEM. The key may stand in the certificate's file."""

    file: Path
    key: Path | None = None
    password: str = ""


class Unreached(Unavailable):
    """There was no connection: the peer cannot have got anything of it."""


class Untrusted(Unreached):
    """The peer's certificate was not issued by anybody trusted here, is out of date or made out to another name."""


class Client:
    """Asks peers over kept connections. Environment variables (proxies, CA files) and redirects are ignored.

    `timeout_s` bounds the wait for a connection, each wait for the peer to take or give some bytes, and the reading of
    an answer's body, of which at most `longest_answer` bytes are kept. `ca_file` names the certificates to trust
    instead of the system's, `certificate` is shown to the peers.
    """

    def __init__(
        self,
        timeout_s: float = 30,
        ca_file: Path | None = None,
        longest_answer: int = LONGEST_ANSWER,
        certificate: Certificate | None = None,
    ) -> None:
        """Raises Unavailable if `ca_file` or `certificate` cannot be read."""
        self._timeout_s, self._longest_answer = timeout_s, longest_answer
        self._client = httpx2.Client(
            trust_env=False,
            follow_redirects=False,
            timeout=httpx2.Timeout(timeout_s),
            verify=trusting(ca_file, certificate) if ca_file or certificate else True,
            limits=httpx2.Limits(max_connections=4, max_keepalive_connections=2, keepalive_expiry=30),
            headers={"User-Agent": "Tocsin", "Accept-Encoding": "identity"},
        )

    def post_json(self, url: str, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        """POST a JSON text once.

        Raises:
            Rejected: a 3xx or 4xx that stays, or an URL that is none; the same bytes will never be taken.
            Unavailable: 408, 425, 429, 5xx, no connection, a timeout, a broken answer; with the peer's Retry-After.
        """
        answer = self.ask("POST", url, body, {"Content-Type": "application/json", **(headers or {})})
        sort(answer, redacted(url))
        return answer

    def reach(self, url: str) -> str:
        """Say in one line that something speaks HTTP there, whatever it answers to a HEAD request.

        Raises:
            Rejected, Unavailable: as `post_json`, apart from what the answer says.
        """
        answer = self.ask("HEAD", url)
        return f"{redacted(url)} can be reached (HEAD was answered {answer.status})"

    def ask(self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """Ask once; any status is an answer, `sort` says what it means.

        Raises:
            Rejected, Unavailable: as `post_json`, apart from what the answer says.
        """
        where = redacted(url)
        try:
            with self._client.stream(method, url, content=body, headers=headers) as response:
                body, whole = _beginning(response, self._timeout_s, self._longest_answer)
                return Answer(response.status_code, response.headers, body, whole)
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol, httpx2.LocalProtocolError, UnicodeError):
            raise Rejected(f"{where} cannot be asked: give an http:// or https:// URL, and headers of ASCII") from None
        except httpx2.ConnectTimeout:
            raise Unreached(f"{where} did not accept a connection within {self._timeout_s:g} s") from None
        except httpx2.TimeoutException:
            raise Unavailable(f"{where} said nothing for {self._timeout_s:g} s") from None
        except httpx2.ConnectError as error:
            raise _no_connection(error, where) from None
        except httpx2.HTTPError as error:
            raise Unavailable(f"{where} broke the connection or answered nonsense: {_kind(error)}") from None

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def redacted(url: str) -> str:
    """An URL's scheme, host and port, for people to read; never its user, path or query."""
    try:
        parsed = httpx2.URL(url)
    except (httpx2.InvalidURL, UnicodeError, TypeError):
        return "the configured address"
    if not parsed.host:
        return "the configured address"
    host = f"[{parsed.host}]" if ":" in parsed.host else parsed.host
    return f"{parsed.scheme}://{host}" + (f":{parsed.port}" if parsed.port else "")


def retry_after(value: str, now: datetime) -> timedelta | None:
    """A Retry-After header (RFC 9110 section 10.2.3): seconds or an HTTP date; None for anything else."""
    text = value.strip()
    if re.fullmatch(r"[0-9]{1,18}(\.[0-9]{1,9})?", text):
        return min(timedelta(seconds=min(float(text), LONGEST_WAIT.total_seconds())), LONGEST_WAIT)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return min(max(date - now, timedelta()), LONGEST_WAIT)


def trusting(ca_file: Path | None, certificate: Certificate | None) -> ssl.SSLContext:
    """What a client needs for TLS: whom it trusts, and what it shows of itself. Raises Unavailable: unreadable."""
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # ssl.SSLError is one
        raise Unavailable(f"cannot read certificates from {ca_file}: {error.strerror or 'not PEM'}") from None
    if certificate is not None:
        try:
            # A password is always given: without one, OpenSSL would ask for it on the terminal.
            context.load_cert_chain(certificate.file, certificate.key, certificate.password)
        except OSError as error:
            files = f"{certificate.file} and {certificate.key}" if certificate.key else f"{certificate.file}"
            why = error.strerror or "no certificate with its key in PEM, or another password"
            raise Unavailable(f"cannot read the client certificate from {files}: {why}") from None
    return context


def sort(answer: Answer, where: str, detail: str = "") -> None:
    """Nothing for a 2xx, the fitting error otherwise, with `detail` where the peer explained itself.

    Raises Rejected, Unavailable.
    """
    status = answer.status
    if 200 <= status < 300:
        return
    said = f"{where} answered {status}{_phrase(status)}" + (f', "{detail}"' if detail else "")
    if status in TEMPORARY or (status >= 500 and status not in PERMANENT):
        wait = retry_after(answer.headers.get("Retry-After", ""), datetime.now(UTC))
        raise Unavailable(said, wait)
    if 300 <= status < 400:
        raise Rejected(f"{said}: redirects are not followed, configure the final URL")
    if status in (401, 403, 407):
        raise Rejected(f"{said}: check the key or password that is configured for it")
    raise Rejected(said)


def _phrase(status: int) -> str:
    """The registered words of a status; the peer's own words are not quoted."""
    phrase = httpx2.codes.get_reason_phrase(status)
    return f" ({phrase})" if phrase else ""


def _beginning(response: httpx2.Response, within_s: float, most: int) -> tuple[bytes, bool]:
    """The body's first bytes as sent, and whether they are all. A body that breaks off or trickles is no error."""
    parts: list[bytes] = []
    size, whole = 0, False
    deadline = time.monotonic() + within_s
    with contextlib.suppress(httpx2.HTTPError):
        for part in response.iter_raw():
            parts.append(part)
            size += len(part)
            if size > most or time.monotonic() > deadline:
                break
        else:
            whole = True
    return b"".join(parts)[:most], whole


def _no_connection(error: httpx2.ConnectError, where: str) -> Unreached:
    """Why there is none: the system's or TLS's words, which hold no part of the URL beyond the host."""
    text = " ".join(str(error).split())[:200] or "no connection"
    for cause in _causes(error):
        if isinstance(cause, socket.gaierror):
            return Unreached(f"{where} cannot be reached: there is no address for that name ({text})")
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Untrusted(f"the certificate of {where} is not trusted: {cause.verify_message or text}")
        if isinstance(cause, ssl.SSLError):
            return Unreached(f"{where} does not speak TLS as expected: {text}")
    return Unreached(f"{where} cannot be reached: {text}")


def _kind(error: httpx2.HTTPError) -> str:
    """What broke; where TLS said why, as when it wants a client certificate, its words."""
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()
    reasons = [cause.reason for cause in _causes(error) if isinstance(cause, ssl.SSLError) and cause.reason]
    return f"{kind} ({reasons[0].replace('_', ' ').lower()})" if reasons else kind


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
