"""A desk that keeps what a source hands over in memory, and fails as a test wants it."""

from threading import Event

from msgspec.structs import replace

from tocsin.errors import StoreUnavailable
from tocsin.model import Message


class Crash(BaseException):
    """The process ends here: nothing of ours catches it."""


class Desk:
    """Message and cursor are kept together, or neither. `fails` is drawn before each: "", lost, kept or crash."""

    def __init__(self) -> None:
        self.stop = Event()
        self.hub = "hub"
        self.kept: list[tuple[Message, str]] = []
        self.said: list[str] = []
        self.fails: list[str] = []
        self._cursor = ""

    @property
    def bodies(self) -> list[bytes]:
        """What was handed over and not refused."""
        return [message.body for message, refused in self.kept if not refused]

    @property
    def refused(self) -> list[tuple[bytes, str]]:
        """What was refused, and why."""
        return [(message.body, refused) for message, refused in self.kept if refused]

    def cursor(self) -> str:
        return self._cursor

    def accept(self, message: Message, cursor: str | None = None, refused: str = "") -> None:
        fault = self.fails.pop() if self.fails else ""
        if fault == "lost":
            raise StoreUnavailable("the disk is full")
        self.kept.append((replace(message, source="files"), refused))
        self._cursor = self._cursor if cursor is None else cursor
        if fault == "kept":
            raise StoreUnavailable("the connection broke after the commit")
        if fault == "crash":
            raise Crash

    def tell(self, ailing: str = "", cursor: str | None = None) -> None:
        self.said.append(ailing)
        self._cursor = self._cursor if cursor is None else cursor
