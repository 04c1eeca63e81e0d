"""The destination itself."""

from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar

import msgspec

from tocsin import detection
from tocsin.destinations.warden.dressing import Dressing
from tocsin.destinations.warden.load import Load, carried
from tocsin.destinations.warden.memory import Memory
from tocsin.destinations.warden.options import Options
from tocsin.errors import DeliveryError, Skipped
from tocsin.formats.idea import IdeaForm
from tocsin.formats.idea.categories import Categories
from tocsin.kit.http import redacted
from tocsin.kit.warden import Warden as Server
from tocsin.model import Delivery, Kind, Receipt, Sent
from tocsin.plugin import Destination


class Warden(Options, Destination):
    """Sends every alert as an event of IDEA0 to a Warden 3 server, each once.

    Our node stands first in each event. Events of many alertgroups share a request, as many as the server takes. What
    it says of each event by its index is what counts, not the status of its answer: what it saved is never sent again,
    what it refuses fails its own delivery. Where an answer was lost, the server is asked what it saved before anything
    is sent again. A recall is an event that names those it replaces in PredID, with Confidence 0.
    """

    batch: ClassVar[int] = 200
    kinds: ClassVar[frozenset[Kind]] = frozenset(("alert", "recall"))

    def send(self, delivery: Delivery) -> Receipt:
        """Send one. Raises Rejected, Unavailable, Skipped."""
        [outcome] = self.send_batch([delivery], "").outcomes
        if isinstance(outcome, DeliveryError):
            raise outcome
        return outcome

    def send_batch(self, deliveries: Sequence[Delivery], cursor: str) -> Sent:
        """Send the events of many; the cursor says what is known of those that were tried before."""
        memory = Memory.of(cursor)
        loads = [self._load(each, memory) for each in deliveries]
        came = iter(carried([each for each in loads if each.events], self._server, self.look_back))
        settled = {}
        outcomes: list[Receipt | DeliveryError] = []
        for each in loads:
            outcome, settled[each.uid] = next(came) if each.events else (Skipped("it holds no alert"), None)
            outcomes.append(outcome)
        return Sent(outcomes, memory.after(settled))

    def check(self) -> str:
        """Ask for the limits, and whether we may send, by sending nothing. Raises DeliveryError."""
        server = self._server
        info = server.info(afresh=True)
        server.send([], [])
        version = f"Warden {info.version}" if info.version else "Warden (it may not be read by us)"
        return f"{redacted(server.account.url)}: {version}, takes {info.send_limit} events at once"

    def close(self) -> None:
        """Let go of the connections."""
        if "_server" in self.__dict__:
            self._server.close()

    def _load(self, delivery: Delivery, memory: Memory) -> Load:
        group = detection.known(delivery.alertgroup)
        test = delivery.id == 0
        if test:  # it is stored nowhere, so nothing in it has an id
            named = [
                msgspec.structs.replace(alert, uid=alert.uid or f"{delivery.uid}-{number}")
                for number, alert in enumerate(group.alerts)
            ]
            group = msgspec.structs.replace(group, alerts=tuple(named))
        lines = self._form.delivered(msgspec.structs.replace(delivery, alertgroup=group))
        events = self._dressing.events(lines, test)
        doubtful = memory.doubtful(delivery, len(events))
        return Load(delivery.uid, delivery.attempt, events, memory.saved(delivery, len(events)), doubtful)

    @cached_property
    def _form(self) -> IdeaForm:
        return IdeaForm("tocsin", Categories(self.categories), alertgroups=self.alertgroups)

    @cached_property
    def _dressing(self) -> Dressing:
        return Dressing(self._server.account.name, self.hidden, self.networks, self.test)

    @cached_property
    def _server(self) -> Server:
        return Server(self.account())
