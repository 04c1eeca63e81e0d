"""The methods of a Warden 3 server."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec

from tocsin.errors import Rejected, Unavailable
from tocsin.kit.http import Answer, Client, Unreached, Untrusted, redacted, sort
from tocsin.kit.taxii import plain
from tocsin.kit.warden.faults import NOT_JSON, Fate, Refused, TooLong, Unclear, fates, faults, limit_of
from tocsin.kit.warden.options import Account

LONGEST_ANSWER = 64 * 2**20
"""Bytes of one page of events."""
HEADERS = {"Accept": "application/json", "Content-Type": "application/json", "Connection": "close"}
"""One connection for each call, as the reference client: a kept one that the server closes leaves a call in doubt."""
UNDONE = frozenset((408, 425, 429, 503))
"""Statuses of answers without an error object that say that nothing was done."""


class Info(NamedTuple):
    """What getInfo says, limits lowered to ours."""

    version: str
    description: str
    send_limit: int
    get_limit: int


class Page(NamedTuple):
    """Events as received, the text of the whole array, and the highest id."""

    events: tuple[bytes, ...]
    body: bytes
    lastid: int


class _Said(msgspec.Struct, frozen=True):
    lastid: int
    events: msgspec.Raw = msgspec.Raw(b"[]")


_EVENTS = msgspec.json.Decoder(list[msgspec.Raw])


class Warden:
    """A server as one client sees it."""

    def __init__(self, account: Account) -> None:
        """Raises Unavailable if a file of certificates cannot be read."""
        self.account = account
        self._http = Client(account.timeout_s, account.ca_file, LONGEST_ANSWER, account.certificate)
        self._secrets = (account.secret,) if account.secret else ()
        self._who = {"secret": account.secret} if account.secret else {"client": account.name}
        self._info: Info | None = None
        self._said_limit = 0

    def info(self, *, afresh: bool = False) -> Info:
        """getInfo, asked once. Whoever may not read gets no answer to it: our own limits hold then.

        Raises Unavailable.
        """
        if self._info is None or afresh:
            try:
                said = self._decoded("getInfo", self._ask("getInfo", {}))
            except Refused as refused:
                if refused.status != 403:
                    raise
                said = {}
            version, description = (
                plain(str(said.get(key) or ""), self._secrets) for key in ("version", "description")
            )
            send, get = self.account.send_limit, self.account.get_limit
            send, get = _lower(said.get("send_events_limit"), send), _lower(said.get("get_events_limit"), get)
            self._info = Info(version, description, send, get)
        send = min(self._info.send_limit, self._said_limit or self._info.send_limit)
        return self._info._replace(send_limit=send)

    def send(self, events: Sequence[bytes], ids: Sequence[str]) -> list[Fate]:
        """sendEvents: what became of each event, each given as JSON.

        Raises:
            Refused: the server says no to all of it.
            Unreached, Unavailable: nothing was saved.
            Unclear: nobody knows what was saved.
        """
        try:
            answer = self._http.ask("POST", self._url("sendEvents", {}), b"[" + b",".join(events) + b"]", HEADERS)
        except Unreached as error:
            raise self._explained(error) from None
        except Unavailable as error:
            raise Unclear(str(error)) from None
        said = _json(answer)
        found = faults(said, answer.status, ids, self._secrets)
        if found:
            self._said_limit = limit_of(found) or self._said_limit
            return fates(found, len(events))
        where = f"sendEvents of {redacted(self.account.url)}"
        if 200 <= answer.status < 300:
            saved = said.get("saved") if isinstance(said, dict) else None
            if saved == len(events):
                return [None] * len(events)
            told = (
                f"says that it saved {saved} of {len(events)}, not which" if isinstance(saved, int) else "says nothing"
            )
            raise Unclear(f"{where} {told} (answered {answer.status})")
        if answer.status >= 500 and answer.status not in UNDONE:
            raise Unclear(f"{where} answered {answer.status} and does not say what became of the events")
        self._sorted(answer, where)
        raise Unclear(f"{where} answered {answer.status}")

    def lowered(self, below: int) -> None:
        """Send fewer events at once from now on, because so many were too many."""
        self._said_limit = max(1, below // 2)

    def events(self, after: int, count: int, filters: Mapping[str, Sequence[str]] | None = None) -> Page:
        """getEvents: those behind an id, at most `count` of them, which is at least 1.

        An id of 0 or less is counted from the newest, 0 being the present. The server remembers the id that it gave
        this client last, and does so at each call; we always say ours.

        Raises Refused (422: a filter that the server does not know), Unavailable, Unclear.
        """
        query: dict[str, str | Sequence[str]] = {"id": str(after), "count": str(count), **(filters or {})}
        answer = self._ask("getEvents", query)
        try:
            said = msgspec.json.decode(answer.body, type=_Said)
            found = tuple(map(bytes, _EVENTS.decode(said.events)))
            msgspec.json.decode(said.events)  # all of it is JSON, not its first level alone
        except NOT_JSON:
            raise Unclear(f"getEvents of {redacted(self.account.url)} gave no events and no lastid") from None
        return Page(found, bytes(said.events), said.lastid)

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def _url(self, method: str, query: Mapping[str, str | Sequence[str]]) -> str:
        return f"{self.account.url}/{method}?{urlencode({**query, **self._who}, doseq=True)}"

    def _ask(self, method: str, query: Mapping[str, str | Sequence[str]]) -> Answer:
        """The answer with a status of success to a call that changes nothing. Raises Refused, Unavailable, Unclear."""
        try:
            answer = self._http.ask("POST", self._url(method, query), b"", HEADERS)
        except Untrusted as error:
            raise self._explained(error) from None
        where = f"{method} of {redacted(self.account.url)}"
        if 200 <= answer.status < 300:
            if not answer.whole:
                raise TooLong(f"{where} broke off, or is too long: take fewer events at once")
            return answer
        self._sorted(answer, where)
        raise Unclear(f"{where} answered {answer.status}")

    def _sorted(self, answer: Answer, where: str) -> None:
        """Raises what an answer means that is no success: Refused, Unavailable."""
        found = faults(_json(answer), answer.status, (), self._secrets)
        try:
            sort(answer, where, "; ".join(fault.words.replace('"', "'") for fault in found))
        except Rejected as error:
            raise Refused(str(error), found[0].code if found else answer.status) from None

    def _explained(self, error: Unavailable) -> Unavailable:
        if isinstance(error, Untrusted):
            return Untrusted(f"{error}: name its authority in ca_file (cafile in warden.conf)")
        return error

    def _decoded(self, method: str, answer: Answer) -> dict[str, Any]:
        said = _json(answer)
        if not isinstance(said, dict):
            raise Unclear(f"{method} of {redacted(self.account.url)} does not answer as Warden 3 does: check url")
        return said


def _json(answer: Answer) -> Any:
    try:
        return msgspec.json.decode(answer.body)
    except NOT_JSON:
        return None


def _lower(said: Any, ours: int) -> int:
    return min(said, ours) if isinstance(said, int) and not isinstance(said, bool) and said > 0 else ours
