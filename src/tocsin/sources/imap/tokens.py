"""Access tokens of OAuth 2.0 (RFC 6749 sections 4.4, 5 and 6), kept in memory and renewed before they expire."""

import contextlib
import ssl
import time

import httpx2
import msgspec

from tocsin.kit.http import redacted
from tocsin.sources.imap.options import OAuth

TIMEOUT_S = 30
LONGEST = 65_536
MARGIN_S = 120.0
"""A token is renewed so long before it expires, or at half of its life if that is shorter."""
REMEDIES = {
    "invalid_grant": "sign in again and store the new refresh_token",
    "invalid_client": "check client_id and client_secret; the secret may have expired",
    "unauthorized_client": "permit this grant for the application",
    "invalid_scope": "check scope",
    "unsupported_grant_type": "permit this grant for the application",
    "invalid_request": "check token_url, client_id and scope",
}


class NoToken(Exception):
    """There is no token; the text says what to do, and holds no secret. `refused`: trying again does not help."""

    def __init__(self, reason: str, *, refused: bool) -> None:
        super().__init__(reason)
        self.refused = refused


class _Granted(msgspec.Struct):
    access_token: str
    expires_in: float | str | None = None
    refresh_token: str = ""


class _Refusal(msgspec.Struct):
    error: str = ""


class Tokens:
    """The tokens of one mailbox."""

    def __init__(self, oauth: OAuth) -> None:
        self._oauth = oauth
        self._token = ""
        self._until = 0.0
        self._refresh = oauth.refresh_token.get_secret_value() if oauth.refresh_token else ""

    def token(self) -> str:
        """One that is valid for a while. Raises NoToken."""
        if not self._token or time.monotonic() >= self._until:
            self._renew()
        return self._token

    def forget(self) -> None:
        """The mail server did not take it: get another the next time."""
        self._token = ""

    def secrets(self) -> list[str]:
        """What must never be shown."""
        secret = self._oauth.client_secret
        return [one for one in (self._token, self._refresh, secret.get_secret_value() if secret else "") if one]

    def _renew(self) -> None:
        asked = time.monotonic()
        granted = self._granted()
        life = _seconds(granted.expires_in)
        self._token = granted.access_token
        self._until = asked + max(life - MARGIN_S, life / 2)
        self._refresh = granted.refresh_token or self._refresh  # it may be changed with each use

    def _form(self) -> dict[str, str]:
        form = {"client_id": self._oauth.client_id}
        if self._oauth.client_secret is not None:
            form["client_secret"] = self._oauth.client_secret.get_secret_value()
        if self._oauth.scope:
            form["scope"] = self._oauth.scope
        if self._refresh:
            return form | {"grant_type": "refresh_token", "refresh_token": self._refresh}
        return form | {"grant_type": "client_credentials"}

    def _granted(self) -> _Granted:
        where = redacted(self._oauth.token_url)
        status, body = self._ask(where)
        if status != httpx2.codes.OK:
            raise _refused(where, status, body)
        try:
            granted = msgspec.json.decode(body, type=_Granted)
        except msgspec.DecodeError:
            raise NoToken(f"{where} answered with no token: check token_url", refused=True) from None
        if not granted.access_token.isascii() or not granted.access_token.isprintable():
            raise NoToken(f"{where} answered with a token of odd characters: check token_url", refused=True)
        return granted

    def _ask(self, where: str) -> tuple[int, bytes]:
        try:
            verify = ssl.create_default_context(cafile=self._oauth.ca_file)
        except OSError:
            raise NoToken(f"cannot read certificates from {self._oauth.ca_file}: mend ca_file", refused=True) from None
        try:
            with (
                httpx2.Client(trust_env=False, timeout=TIMEOUT_S, verify=verify, follow_redirects=False) as client,
                client.stream("POST", self._oauth.token_url, data=self._form()) as answer,
            ):
                body = bytearray()
                for part in answer.iter_bytes():
                    body += part
                    if len(body) > LONGEST:
                        break
                return answer.status_code, bytes(body)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            reason = f"the token server {where} cannot be reached ({type(error).__name__}): it is tried again"
            raise NoToken(reason, refused=False) from None


def _refused(where: str, status: int, body: bytes) -> NoToken:
    code = ""
    with contextlib.suppress(msgspec.DecodeError):
        code = msgspec.json.decode(body, type=_Refusal).error
    if code in REMEDIES:
        return NoToken(f"the token server {where} refused ({code}): {REMEDIES[code]}", refused=True)
    temporary = status >= 500 or status == httpx2.codes.TOO_MANY_REQUESTS
    remedy = "it is tried again" if temporary else "check the oauth options"
    return NoToken(f"the token server {where} answered {status}: {remedy}", refused=not temporary)


def _seconds(said: float | str | None) -> float:
    """How long it lives; an hour where nothing is said (RFC 6749 section 5.1 only recommends to say it)."""
    try:
        return max(0.0, float(said)) if said is not None else 3600.0
    except ValueError:
        return 3600.0
