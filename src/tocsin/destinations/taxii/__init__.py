"""Pushes alertgroups as STIX 2.1 to a collection of a TAXII 2.1 server."""

from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar

import msgspec
from pydantic import Field

from tocsin.destinations.taxii.load import Load, Waits, carried, load
from tocsin.destinations.taxii.pusher import Pusher
from tocsin.destinations.taxii.waiting import Waiting
from tocsin.entities import Known, by_alert
from tocsin.errors import DeliveryError, Skipped
from tocsin.formats.stix.feed import Feed
from tocsin.kit.stix_options import StixOptions
from tocsin.kit.taxii import Taxii as Client
from tocsin.kit.taxii import TaxiiOptions
from tocsin.model import Delivery, Kind, Receipt, Sent
from tocsin.plugin import Destination


class Taxii(TaxiiOptions, StixOptions, Destination):
    """Pushes alertgroups as STIX 2.1 to a collection of a TAXII 2.1 server.

    Objects go in as few requests as `max_content_length` allows, and each one's fate is followed: a delivery has
    arrived once the server has said of all its objects that it took them. What it refuses and yet holds, because an
    earlier answer was lost or everybody has it, has arrived too. Where the server wants time, it is asked again later
    instead of posting again. A recall revokes.
    """

    batch: ClassVar[int] = 100
    kinds: ClassVar[frozenset[Kind]] = frozenset(("alert", "recall"))

    status_wait_s: float = Field(
        default=10, ge=0, le=240, description="So long a pending status is waited for; then it is asked for later."
    )

    def send(self, delivery: Delivery) -> Receipt:
        """Push one. Raises Rejected, Unavailable, Skipped."""
        [outcome] = self.send_batch([delivery], "").outcomes
        if isinstance(outcome, DeliveryError):
            raise outcome
        return outcome

    def send_batch(self, deliveries: Sequence[Delivery], cursor: str) -> Sent:
        """Push many at once; the cursor says which of them wait for which statuses."""
        made = [self._made(each) for each in deliveries]
        loads = [each for each in made if isinstance(each, Load)]
        waiting = Waiting.of(cursor)
        came = carried(loads, self._pusher, waiting)
        settled = {
            each.uid: outcome.statuses if isinstance(outcome, Waits) else ()
            for each, outcome in zip(loads, came, strict=True)
        }
        rest = iter(came)
        return Sent([next(rest) if isinstance(each, Load) else each for each in made], waiting.after(settled))

    def check(self) -> str:
        """Find the collection. Raises DeliveryError saying what is wrong."""
        place = self._client.place("write", afresh=True)
        found = place.collection
        most = f", {place.max_content_length:,} bytes at once" if place.max_content_length else ""
        seen = "" if found.can_read else "; it may not be read, so what it knows already cannot be told from a refusal"
        return f"may write to the collection {found.title or found.id} ({found.id}){most}{seen}"

    def close(self) -> None:
        """Let go of the connections."""
        if "_client" in self.__dict__:
            self._client.close()

    def _made(self, delivery: Delivery) -> Load | Skipped:
        if not delivery.alertgroup.uid:  # a test, which is stored nowhere
            group = msgspec.structs.replace(delivery.alertgroup, uid=delivery.uid)
            delivery = msgspec.structs.replace(delivery, alertgroup=group)
        try:
            return load(delivery.uid, self._feed.encoded(delivery))
        except Skipped as nothing:
            return nothing

    @cached_property
    def _feed(self) -> Feed:
        known = Known(**self.told())
        return Feed(self.identity, own=known.is_own, entities=lambda group: by_alert(group, known), **self.wording())

    @cached_property
    def _pusher(self) -> Pusher:
        return Pusher(self._client, self.status_wait_s)

    @cached_property
    def _client(self) -> Client:
        return Client(self)
