"""The whole contract of a plug-in: a file in its folder, or an entry point. Its typed fields are its configuration."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from threading import Event
from typing import ClassVar, Protocol

from pydantic import BaseModel, ConfigDict

from tocsin.model import Alertgroup, Delivery, Kind, Message, Receipt, Sent


class Plugin(BaseModel, ABC):
    """Common to the three kinds: frozen, typed options and a version that is stored with what it did."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True)
    version: ClassVar[str] = "1"


class Parser(Plugin):
    """Makes alertgroups of a message's bytes. Pure: no network, no store, no clock."""

    order: ClassVar[int] = 50  # lower is asked first, ties by name; the generic parser is last at 100
    apart: ClassVar[bool] = True  # parsed in a child process with limits of time and memory

    @abstractmethod
    def claims(self, message: Message) -> bool:
        """Whether this message is mine. Quick, and never raises."""

    @abstractmethod
    def parse(self, message: Message) -> Iterable[Alertgroup]:
        """The alertgroups in it. Raises Unreadable, saying what was looked for, or Refused."""


class Desk(Protocol):
    """A source's place at the door: on return, what was handed over is on disk. Raises StoreUnavailable: it is not."""

    stop: Event  # set when the source is to end; it sleeps by `stop.wait(seconds)`
    hub: str  # the uid of this Tocsin, to know its own things by when they come back

    def cursor(self) -> str:
        """How far the source has read, in its own words, as stored last; empty at first."""

    def accept(self, message: Message, cursor: str | None = None, refused: str = "") -> None:
        """Store message and cursor together; what is not understood, or `refused` with a reason, is quarantined."""

    def tell(self, ailing: str = "", cursor: str | None = None) -> None:
        """All is well though there may be nothing new; or what is wrong and what to do, for the pages."""


class Source(Plugin):
    """Fetches messages in a thread of its own until `desk.stop` is set; one that raises is started again."""

    @abstractmethod
    def run(self, desk: Desk) -> None:
        """Hand over every message."""


class Destination(Plugin):
    """Where alertgroups go. It tries once and says how it went; waiting and trying again are not its work."""

    batch: ClassVar[int] = 1  # how many deliveries one call may carry
    ordered: ClassVar[bool] = False  # whether a delivery that must wait holds back all later ones, as files need
    kinds: ClassVar[frozenset[Kind]] = frozenset(("alert",))  # of deliveries it understands; it is handed no others

    @abstractmethod
    def send(self, delivery: Delivery) -> Receipt:
        """Try once. Raises Rejected (permanent), Unavailable (temporary) or Skipped (nothing to send)."""

    def send_batch(self, deliveries: Sequence[Delivery], cursor: str) -> Sent:
        """Try a batch once. `cursor` is what the last settled batch returned; both are stored together."""
        return Sent.one_by_one(self.send, deliveries, cursor)

    def check(self) -> str:
        """Say in one line that the destination can be reached. Raises DeliveryError saying what to mend."""
        return "no check offered"

    def close(self) -> None:
        """Let go of connections and files."""
