"""The destination behind the Warden server: what passed its gate becomes events in the store, for Warden's readers."""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar

import msgspec
from pydantic import PrivateAttr

from tocsin import detection
from tocsin.config import Config, WardenSection
from tocsin.config.warden import LANE
from tocsin.errors import DeliveryError, StoreUnavailable, Unavailable
from tocsin.formats.idea import IdeaForm
from tocsin.formats.idea.categories import TAXONOMY
from tocsin.formats.idea.received import LONGEST_ID, NODE_TYPES
from tocsin.model import Delivery, Detection, Kind, Micros, Receipt, Sent
from tocsin.plugin import Destination
from tocsin.registry import DestinationOptions, Wiring
from tocsin.store import Store, Tx, warden
from tocsin.store.warden import DAY, Item

OTHER = "Other"
REMEMBERED_DAYS = 30
"""What a client sent is known again for so long at least."""
REST_S = 0.05


class _Node(msgspec.Struct, frozen=True, rename="pascal", gc=False):
    type: tuple[str, ...] = ()


class _Head(msgspec.Struct, frozen=True, rename="pascal", gc=False):
    """What an event is found by; we wrote it, so it is in strict form."""

    id: str = msgspec.field(name="ID")
    category: tuple[str, ...]
    node: tuple[_Node, ...]


_HEAD = msgspec.json.Decoder(_Head)


class Readable(Destination):
    """The Warden server: its clients read what was delivered here."""

    batch: ClassVar[int] = 500
    ordered: ClassVar[bool] = True
    kinds: ClassVar[frozenset[Kind]] = frozenset(("alert", "recall"))

    _store: Store = PrivateAttr()
    _form: IdeaForm = PrivateAttr()
    _node: str = PrivateAttr()
    _clients: frozenset[str] = PrivateAttr()

    @classmethod
    def of(cls, store: Store, table: WardenSection) -> "Readable":
        """What the readers of that server get."""
        made = cls()
        made._store, made._form = store, IdeaForm(table.node, alertgroups=table.alertgroups)
        made._node, made._clients = table.node, frozenset(table.clients)
        return made

    def send(self, delivery: Delivery) -> Receipt:
        """Make one readable."""
        [outcome] = self.send_batch([delivery], "").outcomes
        if isinstance(outcome, DeliveryError):
            raise outcome
        return outcome

    def send_batch(self, deliveries: Sequence[Delivery], cursor: str) -> Sent:
        """Make all of them readable in one transaction; what is readable already stays as it is.

        A recall also takes the events it recalls away from those who have not read them yet.
        """
        lines = [self._lines(delivery) for delivery in deliveries]
        now = time.time_ns() // 1000

        def work(tx: Tx) -> list[Receipt]:
            senders = warden.senders(tx, [delivery.alertgroup.id for delivery in deliveries])
            receipts = []
            for delivery, texts in zip(deliveries, lines, strict=True):
                group = delivery.alertgroup.id
                sender = senders.get(group, "")
                client = sender if sender in self._clients else self._node
                gone = warden.withdraw(tx, group) if delivery.kind == "recall" and group else []
                tags = [tag for tags in gone for tag in tags]  # who reads by them is to hear of it too
                items = [_item(group, client, text, tags) for text in texts]
                new = warden.put(tx, items, now)
                said = f"{len(items)} events, {len(new)} of them new" + (f", {len(gone)} withdrawn" if gone else "")
                receipts.append(Receipt(remote_id=items[-1].event, status=said))
            return receipts

        try:
            return Sent(self._store.write(work), cursor)
        except StoreUnavailable as error:
            raise Unavailable(str(error), error.retry_after) from error

    def check(self) -> str:
        """How far its events go. Raises Unavailable."""
        try:
            newest = self._store.read(warden.newest)
        except StoreUnavailable as error:
            raise Unavailable(str(error)) from error
        return f"readers of /warden3/, the newest event has the id {newest:,}"

    def _lines(self, delivery: Delivery) -> list[bytes]:
        known = detection.known(delivery.alertgroup)
        if not delivery.id:  # a test of the lane
            meant = Detection(category="Test", name=known.subject)
            alerts = tuple(msgspec.structs.replace(alert, detection=meant) for alert in known.alerts)
            known = msgspec.structs.replace(known, alerts=alerts)
        return self._form.delivered(msgspec.structs.replace(delivery, alertgroup=known)).splitlines()


def _item(group: int, client: str, text: bytes, tags: Sequence[str]) -> Item:
    head = _HEAD.decode(text)
    words = [OTHER if word not in TAXONOMY else word for word in head.category]
    before = head.node[1:] or head.node  # ours is in front of every relayed event, and tells nothing about it
    types = [word if word in NODE_TYPES else OTHER for node in before for word in node.type]
    return Item(
        alertgroup=group,
        client=client,
        categories=tuple(dict.fromkeys(each for word in words for each in (word.partition(".")[0], word))),
        tags=tuple(dict.fromkeys((*types, *tags))),
        event=head.id[:LONGEST_ID],
        digest=hashlib.sha256(text).hexdigest()[:32],
        json=text.decode(),
    )


def with_readers(wiring: Wiring, config: Config, store: Store) -> Wiring:
    """The same with the lane of Warden's readers, where Warden is served."""
    table = config.warden
    if table is None or not table.enabled:
        return wiring
    options = DestinationOptions(clearance=table.clearance, redact=table.redact)
    redactions = {} if table.redact is None else {LANE: table.redact}
    return replace(
        wiring,
        destinations={**wiring.destinations, LANE: Readable.of(store, table)},
        clearances={**wiring.clearances, LANE: table.clearance},
        redactions={**wiring.redactions, **redactions},
        options={**wiring.options, LANE: options},
    )


def forget(store: Store, days: float, now: Micros, rest: Callable[[float], bool]) -> None:
    """Remove events that are older than readers find them (0 days: none), and what is remembered of sent ones.

    Between two steps is a rest of some seconds, which ends everything when it answers true. Raises StoreError.
    """
    sent = now - round(max(days, REMEMBERED_DAYS) * DAY) if days else 0
    events = now - round(days * DAY) if days else 0
    while store.write(lambda tx: warden.expire(tx, events, sent)):
        if rest(REST_S):
            return
