"""Who is asking, and whether they may.

Three ways in: `Authorization: apikey KEY` (or `Bearer KEY`), HTTP Basic for accounts (or with a key as the password,
whatever the name), and the session cookie of the pages, which needs a CSRF token for whatever changes something. A name
in a header such as Remote-User is never believed. Keys and sessions are looked up by the SHA-256 of their text; what
was found is remembered for some seconds.
"""

import base64
import binascii
import hashlib
import hmac
import math
import secrets
import time
from collections.abc import Mapping
from typing import Literal, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from tocsin.errors import Malformed, NotFound
from tocsin.model import Micros
from tocsin.store import Store, Tx, access
from tocsin.web.answers import refusal
from tocsin.web.notes import Notes, now_micros
from tocsin.web.passwords import Checker
from tocsin.web.reading import address_of, read_form
from tocsin.web.throttle import Throttle

Role = Literal["partner", "sender", "viewer", "analyst", "admin"]
Need = Literal["none", "sender", "viewer", "analyst", "admin"]

MAY: Mapping[Need, frozenset[str]] = {
    "sender": frozenset({"sender", "admin"}),
    "viewer": frozenset({"viewer", "analyst", "admin"}),
    "analyst": frozenset({"analyst", "admin"}),
    "admin": frozenset({"admin"}),
}
"""Which roles satisfy which need: a sender may only post, an analyst may do what a viewer may, an admin everything.

A partner may do nothing of that: there are only the collections of the TAXII server, which name who may what there.
"""

COOKIE = "tocsin_session"
KEY_PREFIX = "tocsin_"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
OPERATOR = "operator"


class Principal(NamedTuple):
    """Who is asking: a key's or an account's name. `csrf` is a session's token."""

    name: str
    role: str
    kind: Literal["key", "account", "session", "control"]
    csrf: str = ""


class SignedIn(NamedTuple):
    """A new session; `token` is for the cookie alone."""

    token: str
    principal: Principal


class _Known(NamedTuple):
    principal: Principal
    key: int
    until: float
    expires: Micros | None


def new_key() -> tuple[str, str]:
    """A new API key of 256 random bits, to be shown once, and the digest to store."""
    text = KEY_PREFIX + secrets.token_urlsafe(32)
    return text, digest_of(text.encode())


def digest_of(secret: bytes) -> str:
    """What a key or a session is known by."""
    return hashlib.sha256(secret).hexdigest()


class Access:
    """Asks the store who is asking. `control` is the token of the command line on this machine; empty: none."""

    remember_s = 5.0
    most_remembered = 10_000

    def __init__(self, store: Store, notes: Notes, control: str = "", session_hours: float = 12) -> None:
        self._store = store
        self._notes = notes
        self._control = control.encode()
        self._session_hours = session_hours
        self._known: dict[str, _Known] = {}
        self._generation = 0
        self._pepper = secrets.token_bytes(32)
        self.throttle = Throttle()
        self.checker = Checker()

    def forget(self) -> None:
        """A key or an account was changed: look everything up again."""
        self._known.clear()
        self._generation += 1

    async def enter(self, request: Request, need: Need) -> Principal:
        """Who is asking, if they may do what needs the role. Raises HTTPException 401, 403 or 429."""
        principal = await self.of(request)
        if principal is None:
            raise refusal(
                401,
                "Give a valid API key (Authorization: apikey KEY) or sign in.",
                WWW_Authenticate='Bearer realm="Tocsin"',
            )
        if principal.role not in MAY[need]:
            raise refusal(403, f"This needs the role {need}; {principal.name!r} has the role {principal.role}.")
        if principal.kind == "session" and request.method not in SAFE:
            await self._check_csrf(request, principal)
        return principal

    async def of(self, request: Request) -> Principal | None:
        """Who is asking; None when nobody known. An Authorization header is never overridden by a cookie."""
        header = next((value for name, value in request.scope["headers"] if name == b"authorization"), None)
        if header is not None:
            scheme, _, credentials = header.partition(b" ")
            match scheme.lower():
                case b"apikey" | b"bearer":
                    return await self._by_key(credentials.strip())
                case b"basic":
                    return await self._by_password(credentials.strip(), request)
            return None
        token = request.cookies.get(COOKIE)
        return await self._by_session(token) if token else None

    async def _by_key(self, key: bytes) -> Principal | None:
        if self._control and hmac.compare_digest(key, self._control):
            return Principal(OPERATOR, "admin", "control")
        if not key.startswith(KEY_PREFIX.encode()) or len(key) > 200:
            return None
        digest = digest_of(key)
        known = self._remembered(digest)
        if known is None:
            generation = self._generation
            found = await run_in_threadpool(self._store.read, lambda tx: access.key_by_digest(tx, digest))
            if found is None or found.expired(now_micros()):
                return None
            principal = Principal(found.name, found.role, "key")
            known = _Known(principal, found.id, time.monotonic() + self.remember_s, found.expires)
            self._remember(digest, known, generation)
        self._notes.key_used(known.key)
        return known.principal

    async def _by_password(self, credentials: bytes, request: Request) -> Principal | None:
        try:
            name, colon, password = base64.b64decode(credentials, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        if not colon or "\x00" in name:
            return None
        if password.startswith(KEY_PREFIX) and (found := await self._by_key(password.encode())) is not None:
            return found  # clients that know only name and password give a key as password
        mark = hmac.digest(self._pepper, f"{name}:{password}".encode(), "sha256").hex()
        known = self._remembered(mark)
        if known is None:
            generation = self._generation
            principal = await self.check_password(request, name, password)
            if principal is None:
                return None
            known = _Known(principal, 0, time.monotonic() + self.remember_s * 6, None)
            self._remember(mark, known, generation)
        return known.principal

    async def check_password(self, request: Request, name: str, password: str) -> Principal | None:
        """The account if the password is its own and it is active. Raises HTTPException 429 after many failures."""
        address = address_of(request)
        under = {f"{address} {name}": 5, f"address {address}": 20, f"name {name}": 50}
        if wait := math.ceil(self.throttle.wait_s(*under)):
            raise refusal(429, f"Too many failed sign-ins: try again in {wait} seconds.", Retry_After=str(wait))
        account = await run_in_threadpool(self._account, name)
        usable = account is not None and account.active
        right = await self.checker.matches(password, account.hash if account and usable else None)
        if account is None or not right:
            self.throttle.failed(under)
            return None
        self.throttle.succeeded(f"{address} {name}", f"name {name}")
        return Principal(account.name, account.role, "account")

    def _account(self, name: str) -> access.Account | None:
        try:
            return self._store.read(lambda tx: access.user(tx, name))
        except NotFound:
            return None

    async def _by_session(self, token: str) -> Principal | None:
        digest = digest_of(token.encode("utf-8", "replace"))
        found = await run_in_threadpool(self._store.read, lambda tx: access.session(tx, digest))
        if found is None or found.expired(now_micros()):
            return None
        return Principal(found.account, found.role, "session", found.csrf)

    def _remembered(self, mark: str) -> _Known | None:
        known = self._known.get(mark)
        if known is None or known.until < time.monotonic():
            return None
        if known.expires is not None and known.expires <= now_micros():
            return None
        return known

    def _remember(self, mark: str, known: _Known, generation: int) -> None:
        """Unless something was changed while we asked."""
        if len(self._known) >= self.most_remembered:
            self._known.clear()
        if generation == self._generation:
            self._known[mark] = known

    async def sign_in(self, request: Request, name: str, password: str) -> SignedIn | None:
        """Open a session for an account; None if name or password is wrong.

        Raises:
            HTTPException: 403 if the form came from another site, 429 after many failures.
        """
        check_origin(request)
        if "\x00" in name or (account := await self.check_password(request, name, password)) is None:
            return None
        token, csrf, now = secrets.token_urlsafe(32), secrets.token_hex(20), now_micros()
        expires = now + int(self._session_hours * 3_600_000_000)
        digest = digest_of(token.encode())

        def store(tx: Tx) -> None:
            access.drop_expired(tx, now)
            access.add_session(tx, digest, account.name, now, expires, csrf=csrf)

        await run_in_threadpool(self._store.write, store)
        return SignedIn(token, Principal(account.name, account.role, "session", csrf))

    async def sign_out(self, request: Request, response: Response) -> None:
        """End the session of the request's cookie, and take the cookie back."""
        if token := request.cookies.get(COOKIE):
            digest = digest_of(token.encode("utf-8", "replace"))
            await run_in_threadpool(self._store.write, lambda tx: access.drop_session(tx, digest))
        response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")

    def set_cookie(self, request: Request, response: Response, session: SignedIn) -> None:
        """Hand the session to the browser: no script may read it, no other site may post with it."""
        response.set_cookie(
            COOKIE,
            session.token,
            max_age=int(self._session_hours * 3600),
            path="/",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="lax",
        )

    async def _check_csrf(self, request: Request, principal: Principal) -> None:
        check_origin(request)
        token = request.headers.get("x-csrf-token", "")
        if not token and request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            try:
                token = (await read_form(request)).get("csrf_token", [""])[0]
            except Malformed:
                token = ""
        if not hmac.compare_digest(token.encode(), principal.csrf.encode()):
            raise refusal(403, "The form is out of date or came from another site: reload the page and try again.")


def check_origin(request: Request) -> None:
    """Refuse what another site makes a browser send. Raises HTTPException 403."""
    site = request.headers.get("sec-fetch-site", "none")
    origin = request.headers.get("origin")
    ours = origin is None or origin.partition("://")[2] == request.headers.get("host", "")
    if site not in ("same-origin", "none") or not ours:
        raise refusal(403, "This request came from another site: open the page itself and try again.")
