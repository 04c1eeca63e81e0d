"""The destination behind a collection: what passed its gate becomes STIX objects in the store, for TAXII clients."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import msgspec
from pydantic import PrivateAttr

from tocsin.config import CollectionTable, Config, lane_of
from tocsin.entities import Known, by_alert
from tocsin.errors import DeliveryError, Skipped, StoreUnavailable, Unavailable
from tocsin.formats.stix.feed import Feed
from tocsin.model import Delivery, Kind, Micros, Receipt, Route, Sent
from tocsin.plugin import Destination
from tocsin.registry import DestinationOptions, Wiring
from tocsin.store import Store, Tx, alertgroup, collection, handed_in, replay
from tocsin.store.collection import DAY, Item
from tocsin.store.replay import Wish

WHO = "tocsin"
"""Who fills collections, in the books."""
ASKED_FOR_DAYS = 30
"""A client can ask so long what became of what it handed in."""
REST_S = 0.05
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Head(msgspec.Struct, frozen=True, gc=False):
    """What an object is known by."""

    type: str
    id: str
    created: datetime | None = None
    modified: datetime | None = None


_HEAD = msgspec.json.Decoder(_Head)


class Shelf(Destination):
    """A collection of the TAXII server: clients read what was delivered here."""

    batch: ClassVar[int] = 100
    ordered: ClassVar[bool] = True
    kinds: ClassVar[frozenset[Kind]] = frozenset(("alert", "recall"))

    _store: Store = PrivateAttr()
    _name: str = PrivateAttr()
    _feed: Feed = PrivateAttr()

    @classmethod
    def of(cls, store: Store, name: str, table: CollectionTable, known: Known) -> "Shelf":
        """The shelf of a collection; `known` says what is ours, and what to look for."""
        shelf = cls()
        shelf._store, shelf._name = store, name
        shelf._feed = Feed(
            table.identity,
            own=known.is_own,
            entities=lambda group: by_alert(group, known),
            **table.wording(),
        )
        return shelf

    def send(self, delivery: Delivery) -> Receipt:
        """Put one on the shelf. Raises Skipped where there is nothing to say of it."""
        [outcome] = self.send_batch([delivery], "").outcomes
        if isinstance(outcome, DeliveryError):
            raise outcome
        return outcome

    def send_batch(self, deliveries: Sequence[Delivery], cursor: str) -> Sent:
        """Put all of them on the shelf in one transaction; what stands there already is left as it is."""
        made = [self._made(each) for each in deliveries]
        items = [item for one in made if isinstance(one, list) for item in one]
        now = time.time_ns() // 1000
        try:
            added = self._store.write(lambda tx: collection.put(tx, self._name, items, now)) if items else []
        except StoreUnavailable as error:
            raise Unavailable(str(error), error.retry_after) from error
        new = {id(item) for item in added}
        return Sent([_receipt(one, new) if isinstance(one, list) else one for one in made], cursor)

    def check(self) -> str:
        """How much stands on it. Raises Unavailable."""
        try:
            _, objects = self._store.read(lambda tx: collection.held(tx, self._name))
        except StoreUnavailable as error:
            raise Unavailable(str(error)) from error
        return f"collection {self._name} of /taxii2/, {objects:,} versions of objects"

    def _made(self, delivery: Delivery) -> list[Item] | Skipped:
        """The objects of a delivery, in our hub's name: a test comes without one."""
        try:
            return [_item(each) for each in self._feed.encoded(msgspec.structs.replace(delivery, hub=self._store.uid))]
        except Skipped as nothing:
            return nothing


def _item(encoded: bytes) -> Item:
    head = _HEAD.decode(encoded)
    at = head.modified or head.created
    version = None if at is None else (at - _EPOCH) // timedelta(microseconds=1)
    return Item(id=head.id, type=head.type, version=version, json=encoded.decode())


def _receipt(items: Sequence[Item], new: Collection[int]) -> Receipt:
    """What was put there; the grouping around it, or whatever came last, is its id."""
    said = f"{len(items)} objects, {sum(id(item) in new for item in items)} of them new"
    return Receipt(remote_id=items[-1].id, status=said)


def with_shelves(wiring: Wiring, config: Config, store: Store, known: Known) -> Wiring:
    """The same with a lane and a shelf for each collection."""
    tables = {lane_of(name): (name, table) for name, table in config.collections.items() if table.enabled}
    said = {
        lane: DestinationOptions(clearance=table.clearance, redact=table.redact) for lane, (_, table) in tables.items()
    }
    shelves = {lane: Shelf.of(store, name, table, known) for lane, (name, table) in tables.items()}
    redactions = {lane: options.redact for lane, options in said.items() if options.redact is not None}
    return replace(
        wiring,
        destinations={**wiring.destinations, **shelves},
        clearances={**wiring.clearances, **{lane: options.clearance for lane, options in said.items()}},
        redactions={**wiring.redactions, **redactions},
        options={**wiring.options, **said},
    )


def fill(store: Store, wanted: Sequence[Route], now: Micros) -> list[int]:
    """Begin a replay for each collection that is new, or means something else than before; their ids.

    What stands on the shelf is left there. Raises StoreError.
    """
    last = store.read(alertgroup.max_id)

    def work(tx: Tx) -> list[int]:
        known, begun = collection.known(tx), []
        for gone in known.keys() - {route.name for route in wanted}:
            collection.filled(tx, gone, None, known[gone].replay, now)
        for route in wanted:
            before = known.get(route.name)
            if before is not None and before.query == route.query:
                continue
            if before is not None and before.replay is not None and replay.get(tx, before.replay).state == "running":
                replay.stop(tx, before.replay, WHO, now)
            wish = Wish(lane=route.to[0], query=route.query, rate="0")
            begun.append(replay.put(tx, wish, last, WHO, now))
            collection.filled(tx, route.name, route.query, begun[-1], now)
        return begun

    return store.write(work)


def tidy(store: Store, days: float, now: Micros, rest: Callable[[float], bool]) -> None:
    """Remove objects that no alertgroup of the last `days` said (0: none), and forget old requests of clients.

    Between two steps is a rest of some seconds, which ends everything when it answers true. Raises StoreError.
    """
    store.write(lambda tx: handed_in.forget(tx, now - ASKED_FOR_DAYS * DAY))
    while days > 0 and store.write(lambda tx: collection.expire(tx, now - round(days * DAY))):
        if rest(REST_S):
            return
