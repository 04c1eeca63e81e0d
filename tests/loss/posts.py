"""The Slack and the mail server at the far end: they misbehave as the webhook's receiver does, and keep its book."""

import asyncio
import email.policy
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.parser import BytesParser
from typing import Any

import msgspec
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from loss.evidence import Got
from loss.ledger import REJECTED_FOR_EVER
from loss.numbered import numbers
from loss.receiver import never_taken
from neighbours.ports import free_port
from neighbours.slack import Slack, fault_of, slack

TAKEN = 200
SLACK_MOODS: tuple[str | int, ...] = ("internal_error", "ratelimited", 500, 503, "reset", "lost", "lost")
MAIL_MOODS = ("451 4.3.0 try again", "421 4.3.2 going down", "slow", "lost", "lost")


class Moods(list[str | int]):
    """What happens to Slack's next requests, without end: it is asked by popping."""

    def __init__(self, seed: str, moods: tuple[str | int, ...]) -> None:
        super().__init__()
        self._chance = random.Random(seed)
        self._moods = moods
        self._share = self._chance.choice((0.0, 0.1, 0.4))
        self.behaves = False

    def __bool__(self) -> bool:
        return not self.behaves and self._chance.random() < self._share

    def pop(self, _: Any = -1) -> str | int:
        """The next one."""
        return self._chance.choice(self._moods)


class Posts:
    """What arrived at either, and what was refused for good."""

    def __init__(self, seed: str, started: float, room: Slack) -> None:
        self._started, self._room = started, room
        self._lock = threading.Lock()
        self._got: list[Got] = []
        self.mail_moods = Moods(f"{seed} mail", MAIL_MOODS)
        self.slack_moods = Moods(f"{seed} slack", SLACK_MOODS)
        room.next, room.refuses = self.slack_moods, self._refuses

    def behave(self) -> None:
        """Take everything from now on that can be taken at all."""
        self.mail_moods.behaves = self.slack_moods.behaves = True

    @property
    def got(self) -> list[Got]:
        """Everything so far."""
        with self._lock:
            posted = [Got(0, "", TAKEN, _said(message), "slack") for message in list(self._room.messages)]
            return posted + list(self._got)

    def keep(self, lane: str, status: int, text: str) -> None:
        """Write it down."""
        with self._lock:
            self._got.append(Got(time.monotonic() - self._started, "", status, text, lane))

    def _refuses(self, said: dict[str, Any]) -> str:
        text = _said(said)
        if any(map(never_taken, numbers(text))):
            self.keep("slack", REJECTED_FOR_EVER, text)
            return "invalid_blocks"
        return fault_of(said)

    async def handle_DATA(self, server: SMTP, _: Session, envelope: Envelope) -> str:  # noqa: N802 - the name aiosmtpd looks for
        """Take a mail, or not."""
        assert isinstance(envelope.content, bytes)
        letter = BytesParser(policy=email.policy.default).parsebytes(envelope.content)
        text = f"{letter['Subject']}\n{letter.get_content()}"
        if any(map(never_taken, numbers(text))):
            self.keep("email", REJECTED_FOR_EVER, text)
            return "554 5.7.1 refused"
        mood = str(self.mail_moods.pop()) if self.mail_moods else ""
        if mood[:1].isdigit():
            return mood
        self.keep("email", TAKEN, text)
        if mood == "slow":
            await asyncio.sleep(0.85)
        if mood == "lost" and server.transport is not None:
            server.transport.close()
        return "250 taken"


@contextmanager
def open_posts(seed: str, started: float) -> Iterator[tuple[Posts, str, int]]:
    """Slack's address and the mail server's port, with their book."""
    with slack() as room:
        posts = Posts(seed, started, room)
        port = free_port()
        controller = Controller(posts, hostname="127.0.0.1", port=port)
        controller.start()
        try:
            yield posts, room.api, port
        finally:
            controller.stop()


def _said(message: dict[str, Any]) -> str:
    return msgspec.json.encode(message).decode()
