"""The whole contract of a plug-in: Source, Parser, Destination.

A plug-in is one file in `sources/`, `parsers/` or `destinations/`, or an entry point of the group `tocsin.sources` …
Its typed fields are its configuration, its reference page too. Its type name is its module's or entry point's.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from threading import Event
from typing import ClassVar, NamedTuple

from pydantic import BaseModel, ConfigDict

from tocsin.errors import DeliveryError
from tocsin.model import Alertgroup, Delivery, Message, Receipt


class Plugin(BaseModel, ABC):
    """Common to the three kinds: frozen, typed options and a version that is stored with what it did."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True)
    version: ClassVar[str] = "1"


class Parser(Plugin):
    """Makes alertgroups of a message's bytes. Pure: no network, no store, no clock."""

    order: ClassVar[int] = 50
    """Lower is asked first; ties by name. The generic parser is last at 100."""

    @abstractmethod
    def claims(self, message: Message) -> bool:
        """Whether this message is mine. Quick, and never raises."""

    @abstractmethod
    def parse(self, message: Message) -> Iterable[Alertgroup]:
        """The alertgroups in it. Raises Unreadable, saying what was looked for, or Refused."""


class Source(Plugin):
    """Fetches messages. Runs in a thread of its own until `stop` is set."""

    @abstractmethod
    def run(self, accept: Callable[[Message], object], stop: Event) -> None:
        """Hand every message to `accept`; when it returns, the message is on disk and may be flagged."""


class Sent(NamedTuple):
    """What came of a batch: one outcome per delivery, in order, and the cursor to store with them."""

    outcomes: Sequence[Receipt | DeliveryError]
    cursor: str = ""


class Destination(Plugin):
    """Where alertgroups go. It tries once and says how it went; waiting and trying again are not its work."""

    batch: ClassVar[int] = 1  # how many deliveries one call may carry
    ordered: ClassVar[bool] = False  # whether a delivery that must wait holds back all later ones, as files need

    @abstractmethod
    def send(self, delivery: Delivery) -> Receipt:
        """Try once. Raises Rejected (permanent) or Unavailable (temporary)."""

    def send_batch(self, deliveries: Sequence[Delivery], cursor: str) -> Sent:
        """Try a batch once. `cursor` is what the last settled batch returned; both are stored together."""
        outcomes: list[Receipt | DeliveryError] = []
        for delivery in deliveries:
            try:
                outcomes.append(self.send(delivery))
            except DeliveryError as error:
                outcomes.append(error)
        return Sent(outcomes, cursor)

    def check(self) -> str:
        """Say in one line that the destination can be reached. Raises DeliveryError saying what to mend."""
        return "no check offered"

    def close(self) -> None:
        """Let go of connections and files."""
