"""A client of Warden 3 as the reference client is, written from what is known of the protocol and not from our server.

One connection for each call, always POST, parameters in the query, of name and secret only one; errors are told by the
objects in the answer and never by its status; too many events at once are sent in parts whose indexes are put right.
"""

import http.client
import json
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

PATIENCE_S = 60.0


class WardenError(Exception):
    """The errors of an answer."""

    def __init__(self, status: int, errors: list[dict[str, Any]], method: str = "", req_id: int = 0) -> None:
        super().__init__(f"{status}: {errors}")
        self.status, self.errors, self.method, self.req_id = status, errors, method, req_id


class WardenClient:
    """A client of the server at `url`, which ends in /warden3."""

    def __init__(self, url: str, name: str = "", secret: str = "", headers: dict[str, str] | None = None) -> None:
        self.url, self.name, self.secret = url, name, secret
        self.headers = headers or {}
        self.context: Any = None

    def call(self, method: str, body: bytes = b"", *, verb: str = "POST", **parameters: Any) -> Any:
        """One call; a list is a parameter given several times. Raises WardenError."""
        given = {"secret": self.secret} if self.secret else {"client": self.name} if self.name else {}
        pairs = [*given.items()]
        for key, value in parameters.items():
            pairs += [(key, one) for one in value] if isinstance(value, list) else [(key, value)]
        status, said = self.raw(f"{method}?{urlencode(pairs)}", body, verb)
        if status != 200:
            raise WardenError(status, said["errors"], said.get("method", ""), said.get("req_id", 0))
        return said

    def raw(self, what: str, body: bytes = b"", verb: str = "POST") -> tuple[int, Any]:
        """The status and the JSON of an answer."""
        parts = urlsplit(f"{self.url}/{what}")
        assert parts.hostname is not None
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            connection = http.client.HTTPSConnection(
                parts.hostname, parts.port, timeout=PATIENCE_S, context=self.context
            )
        else:
            connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE_S)
        try:
            headers = {"Content-Type": "application/json", "Accept": "application/json"} | self.headers
            connection.request(verb, f"{parts.path}?{parts.query}", body=body, headers=headers)
            answer = connection.getresponse()
            said = answer.read()
            assert answer.getheader("Content-Type") == "application/json", (answer.status, said)
            assert answer.getheader("Content-Length") == str(len(said))
            return answer.status, json.loads(said)
        finally:
            connection.close()

    def info(self) -> dict[str, Any]:
        """What getInfo says."""
        told: dict[str, Any] = self.call("getInfo")
        return told

    def send(self, events: Sequence[Any], limit: int = 500) -> tuple[int, dict[int, list[dict[str, Any]]]]:
        """Send in parts; how many were saved, and by index the errors of those that were not."""
        saved, errors = 0, dict[int, list[dict[str, Any]]]()
        for offset in range(0, len(events), limit):
            part = list(events[offset : offset + limit])
            try:
                saved += self.call("sendEvents", json.dumps(part).encode())["saved"]
            except WardenError as error:
                bad: set[int] = set()
                for one in error.errors:
                    places = one.get("events", range(len(part)))
                    ids = one.get("events_id")
                    assert ids is None or len(ids) == len(places)
                    for place in places:
                        bad.add(place)
                        errors.setdefault(offset + place, []).append(one)
                saved += len(part) - len(bad)
        return saved, errors

    def get(self, **parameters: Any) -> tuple[int, list[dict[str, Any]]]:
        """One getEvents: lastid, and the events."""
        said = self.call("getEvents", **parameters)
        assert said.keys() == {"lastid", "events"}
        return said["lastid"], said["events"]

    def drain(self, after: int = 1, **parameters: Any) -> list[dict[str, Any]]:
        """All events behind an id, page by page until one is empty."""
        return [event for page in self._pages(after, parameters) for event in page]

    def _pages(self, after: int, parameters: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
        while True:
            after, events = self.get(id=after, **parameters)
            if not events:
                return
            yield events
