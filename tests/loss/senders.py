"""Threads that post numbered messages and remember every answer.

What has an id or a key is sent again until it is answered. What has neither is never sent twice, since the server
could not know it again: its sender goes on with a fresh number, and the old one may stand in the store or not.
"""

import http.client
import json
import random
import socket
import threading
import time
from dataclasses import dataclass, field

from loss.numbered import Attempt, Numbered, draw

GARBAGE = (b"", b"{", b'{"data": []}', b'{"subject": 7, "data": [{}]}', b'["list"]', b'{"subject": "x", "data": {}}')
"""Bodies that must be refused with a 4xx, and never be stored."""


@dataclass
class Outbox:
    """What all senders of a round did; `started` is the round's zero."""

    started: float
    sent: dict[int, Numbered] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    garbage: int = 0

    def now(self) -> float:
        """Seconds since the round began."""
        return time.monotonic() - self.started


class Sender(threading.Thread):
    """One detector: posts until told to stop, then until everything with an id is answered."""

    def __init__(self, which: int, port: int, key: str, seed: str, outbox: Outbox) -> None:
        super().__init__(name=f"sender {which}", daemon=True)
        self._which = which
        self._port = port
        self._key = key
        self._chance = random.Random(f"{seed} sender {which}")
        self._outbox = outbox
        self._enough = threading.Event()
        self._until = float("inf")
        self._line: http.client.HTTPConnection | None = None
        self._pace = self._chance.choice((0.002, 0.01, 0.03))
        self._patience = self._chance.choice((0.3, 1.0, 3.0))
        self._ids: list[str] = []

    def enough(self, within: float) -> None:
        """Start nothing new; what is unanswered is sent again for at most `within` seconds."""
        self._until = time.monotonic() + within
        self._enough.set()

    def run(self) -> None:
        """Post; resend old ones now and then, also those already answered."""
        number = self._which * 100_000
        mine: list[Numbered] = []
        while not self._enough.is_set():
            number += 1
            message = draw(self._chance, number, self._which, self._ids[-20:])
            if message.message_id:
                self._ids.append(message.message_id)
            mine.append(message)
            self._outbox.sent[number] = message
            self._deliver(message)
            if self._chance.random() < 0.05:
                again = self._chance.choice(mine)
                if again.may_be_sent_again:
                    self._post(again)
            if self._chance.random() < 0.02:
                self._post_garbage()
            if self._chance.random() < 0.02:
                number += 1
                self._hang_up_within(draw(self._chance, number, self._which, ()))
            self._enough.wait(self._pace)
        for message in mine:
            self._deliver(message, last=True)
        self._hang_up()

    def _deliver(self, message: Numbered, *, last: bool = False) -> None:
        """Send it; again while there is no yes, if it can be known again."""
        if not message.attempts:
            self._post(message)
        tries = 0
        while message.may_be_sent_again and not message.acknowledged:
            if time.monotonic() > self._until or (not last and (tries > 8 or self._enough.is_set())):
                return
            tries += 1
            time.sleep(0.05)
            self._post(message)

    def _post(self, message: Numbered) -> None:
        headers = {"Idempotency-Key": message.idempotency_key} if message.idempotency_key else {}
        began = time.monotonic()
        attempt = Attempt(at=self._outbox.now(), took=0)
        try:
            attempt.status, attempt.text = self._ask(message.body(), headers)
        except (OSError, http.client.HTTPException) as error:
            attempt.error = repr(error)
            self._hang_up()
        attempt.took = time.monotonic() - began
        if attempt.status == 200:
            self._read(message, attempt)
        message.attempts.append(attempt)

    def _read(self, message: Numbered, attempt: Attempt) -> None:
        try:
            attempt.alertgroup = int(json.loads(attempt.text)["id"])
        except (ValueError, KeyError, TypeError) as error:
            told = f"200 without an id ({error!r}): {attempt.text[:200]}"
            self._outbox.problems.append(f"number {message.number}: {told}")

    def _post_garbage(self) -> None:
        self._outbox.garbage += 1
        try:
            status, text = self._ask(self._chance.choice(GARBAGE), {})
        except (OSError, http.client.HTTPException):
            self._hang_up()
            return
        if status not in (400, 429, 503):
            self._outbox.problems.append(f"garbage was answered {status}: {text[:200]}")

    def _hang_up_within(self, message: Numbered) -> None:
        """Send the beginning of a message and go away: it was never handed over, and must not be stored."""
        body = message.body()
        head = (
            "POST /scot/api/v2/alertgroup HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: apikey {self._key}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=self._patience) as line:
                line.sendall(head.encode() + body[: self._chance.randrange(len(body))])
        except OSError:
            return  # the server is down, and has got even less

    def _ask(self, body: bytes, more: dict[str, str]) -> tuple[int, str]:
        if self._line is None:
            self._line = http.client.HTTPConnection("127.0.0.1", self._port, timeout=self._patience)
            self._line.connect()
            self._line.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        headers = {"Authorization": f"apikey {self._key}", "Content-Type": "application/json", **more}
        self._line.request("POST", "/scot/api/v2/alertgroup", body, headers)
        with self._line.getresponse() as answer:
            text = answer.read().decode(errors="replace")
            if answer.status in (429, 503) and not answer.headers.get("Retry-After"):
                self._outbox.problems.append(f"{answer.status} without Retry-After: {text[:200]}")
            return answer.status, text

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None
