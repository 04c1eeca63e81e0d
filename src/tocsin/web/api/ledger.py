"""The books: what is owed to whom and what came back, what was received, what stands in quarantine."""

from typing import Annotated, Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tocsin.errors import Malformed
from tocsin.model import Kind, Micros
from tocsin.store import Tx, delivery, message, tally
from tocsin.web.answers import Json
from tocsin.web.api import shapes
from tocsin.web.api.alertgroup import standing
from tocsin.web.api.changes import AnyId, decoded_as
from tocsin.web.api.described import Parameter, described
from tocsin.web.api.parameters import only_known
from tocsin.web.api.shapes import Listed, seconds
from tocsin.web.notes import now_micros
from tocsin.web.reading import query_of
from tocsin.web.state import answer, body_of, path_id, principal_of, read, web_of, write

PAGE = (
    Parameter("limit", "At most so many, newest first.", {"type": "integer", "minimum": 1, "maximum": 1000}),
    Parameter("before", "Only those with a smaller id than the page before.", {"type": "integer", "minimum": 1}),
)


class ReceiptRecord(msgspec.Struct, frozen=True):
    """What one attempt brought; `outcome` is delivered, retry, failed, withheld or skipped."""

    attempt: int
    when: int
    took_ms: float
    outcome: str
    remote_id: str
    detail: str


class DeliveryRecord(msgspec.Struct, frozen=True):
    """One alertgroup owed to one destination, with every attempt.

    `kind` is alert (the alertgroup itself), update (what became of it) or recall. `state` is due, sending, delivered,
    failed (parked for a person), withheld (by the gate), silenced, skipped (nothing to send of it) or dropped.
    """

    id: int
    alertgroup: int
    lane: str
    state: str
    attempt: int
    created: int
    due: int
    settled: int | None
    kind: Kind
    receipts: list[ReceiptRecord]


class SourceRecord(msgspec.Struct, frozen=True):
    """Where messages come from, and how that fares."""

    name: str
    last_message: int | None
    last_success: int | None
    last_error: str
    last_error_at: int | None


class Balance(msgspec.Struct, frozen=True):
    """received = stored + quarantined + refused; what came again is `repeated`, apart."""

    source: str
    received: int
    stored: int
    quarantined: int
    refused: int
    repeated: int


class Flow(msgspec.Struct, frozen=True):
    """The running balance, in all, today (UTC) and by source; `quarantine` is how many stand there now."""

    all: Balance
    today: Balance
    sources: list[Balance]
    quarantine: int


class MessageRecord(msgspec.Struct, frozen=True):
    """A message as it was handed over. `state` is stored, quarantined or discarded; `reason`: why not understood."""

    id: int
    source: str
    sender: str
    message_id: str
    sha256: str
    size: int
    media_type: str
    when: int
    state: str
    parser: str
    parser_version: str
    reason: str
    alertgroups: list[int] | msgspec.UnsetType = msgspec.UNSET


class Deliveries(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which deliveries."""

    ids: Annotated[list[AnyId], msgspec.Meta(min_length=1, max_length=100_000)]


class Decided(msgspec.Struct, frozen=True):
    """How many deliveries were changed; those in another state were left alone."""

    changed: int
    status: str = "ok"


def seconds_or_none(at: Micros | None) -> int | None:
    """A moment as the API tells it, if there is one."""
    return None if at is None else seconds(at)


def owed_record(one: delivery.Owed) -> DeliveryRecord:
    """A delivery as the API tells it."""
    receipts = [
        ReceiptRecord(line.attempt, seconds(line.at), line.took / 1000, line.outcome, line.remote_id, line.detail)
        for line in one.receipts
    ]
    return DeliveryRecord(
        *(one.id, one.alertgroup, one.lane, one.state, one.attempt),
        *(seconds(one.created), seconds(one.due), seconds_or_none(one.settled), one.kind, receipts),
    )


@described("The deliveries of an alertgroup with their receipts.", Listed[DeliveryRecord])
async def get_deliveries(request: Request) -> Response:
    """To whom it is owed, what was tried, and what came back."""
    id = path_id(request)

    def ledger(tx: Tx) -> Any:
        standing(tx, id)
        found = [owed_record(one) for one in delivery.of_groups(tx, [id])[id]]
        return shapes.listed(found, len(found))

    return await answer(request, ledger)


@described("Make parked, withheld, silenced, skipped or dropped deliveries due at once.", Decided, body=Deliveries)
async def retry_deliveries(request: Request) -> Response:
    """Try again."""
    ids, who, now = decoded_as(await body_of(request), Deliveries).ids, principal_of(request).name, now_micros()
    return Json(Decided(await write(request, lambda tx: delivery.retry(tx, ids, who, now))))


@described("Give up parked, withheld or silenced deliveries; they stay as dropped.", Decided, body=Deliveries)
async def drop_deliveries(request: Request) -> Response:
    """Let go."""
    ids, who, now = decoded_as(await body_of(request), Deliveries).ids, principal_of(request).name, now_micros()
    return Json(Decided(await write(request, lambda tx: delivery.drop(tx, ids, who, now))))


@described("Every source: last message, last success and last error.", Listed[SourceRecord])
async def list_sources(request: Request) -> Response:
    """How each source fares."""
    configured = web_of(request).hub.wiring.sources

    def sources(tx: Tx) -> Any:
        known = {state.name: state for state in tally.source_states(tx)}
        states = [known.get(name, tally.SourceState(name=name)) for name in sorted({*known, *configured})]
        found = [
            SourceRecord(
                *(state.name, seconds_or_none(state.last_message), seconds_or_none(state.last_success)),
                *(state.last_error, seconds_or_none(state.last_error_at)),
            )
            for state in states
        ]
        return shapes.listed(found, len(found))

    return await answer(request, sources)


def _balance(tallies: list[tally.Tally], source: str = "") -> Balance:
    counted = ("received", "stored", "quarantined", "refused", "repeated")
    return Balance(source, *(sum(getattr(one, name) for one in tallies) for name in counted))


@described("The running balance: received = stored + quarantined + refused.", Flow)
async def get_flow(request: Request) -> Response:
    """Whether everything is accounted for."""
    await web_of(request).notes.flush()

    def flow(tx: Tx) -> Any:
        totals = tally.totals(tx)
        today = tally.today(tx, now_micros())
        sources = [_balance([one], one.source) for one in totals]
        return Flow(_balance(totals), _balance(today), sources, message.quarantine_depth(tx))

    return await answer(request, flow)


def message_record(kept: message.Kept, groups: list[int] | None = None) -> MessageRecord:
    """A message as the API tells it."""
    return MessageRecord(
        *(kept.id, kept.source, kept.sender, kept.message_id, kept.digest, kept.size, kept.media_type),
        *(seconds(kept.received), kept.state, kept.parser, kept.parser_version, kept.reason),
        msgspec.UNSET if groups is None else groups,
    )


@described("What is known of a message.", MessageRecord)
async def get_message(request: Request) -> Response:
    """How it came, and what became of it."""
    id = path_id(request)
    return await answer(request, lambda tx: message_record(message.get(tx, id), message.groups_of(tx, id)))


@described("The bytes of a message as they were received, for download.", bytes, media="application/octet-stream")
async def get_original(request: Request) -> Response:
    """Attacker-written bytes: a browser must neither show nor run them."""
    id = path_id(request)
    content = await read(request, lambda tx: message.original(tx, id))
    headers = {
        "Content-Disposition": f'attachment; filename="message-{id}.bin"',
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type="application/octet-stream", headers=headers)


def page_of(request: Request, *others: str) -> tuple[int, int | None]:
    """How many to list, and the id that all of them are smaller than; `others` are for the caller. Raises Malformed."""
    query = query_of(request)
    only_known(query, "limit", "before", *others)
    found: dict[str, int] = {}
    for name in ("limit", "before"):
        if name not in query:
            continue
        text = query[name][-1]
        if not (text.isascii() and text.isdecimal() and len(text) < 19 and int(text) > 0):
            raise Malformed(f"{name}={text[:40]} cannot be read: write a whole number, 1 or more.")
        found[name] = int(text)
    limit = found.get("limit", 50)
    if limit > 1000:
        raise Malformed("limit is 1,000 at most: ask for the next page with `before`.")
    return limit, found.get("before")
