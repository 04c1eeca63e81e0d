"""Repeats: what is folded into an alertgroup, and taking it out again."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tocsin.errors import Malformed
from tocsin.store import Tx, alertgroup, repeat
from tocsin.web.answers import Json
from tocsin.web.api.changes import decoded_as
from tocsin.web.api.described import Parameter, described
from tocsin.web.api.parameters import only_known
from tocsin.web.api.shapes import Count, Id, seconds
from tocsin.web.notes import now_micros
from tocsin.web.reading import query_of
from tocsin.web.state import answer, body_of, path_id, principal_of, write

MOST = 1000
PAGE = 100
WHERE = (
    Parameter(
        "limit", f"At most so many, {PAGE} if nothing is said.", {"type": "integer", "minimum": 1, "maximum": MOST}
    ),
    Parameter(
        "before", "Only those with a lower id: the last one of the page before.", {"type": "integer", "minimum": 1}
    ),
)


class RepeatRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A folded alertgroup; `held` are the destinations that it is not sent to unless it is taken out."""

    id: Id
    subject: str
    when: int
    alert_count: Count
    message_id: str
    deleted: bool
    held: list[str]


class Repeats(msgspec.Struct, frozen=True, kw_only=True):
    """How often an alertgroup came, and what is folded into it, the newest first.

    `seen` counts itself; `folded` those of its repeats that are still kept. `folded_into` names the first one where it
    is itself a repeat, `apart` says that no more of its kind are folded, and `fingerprint` what its kind is known by.
    """

    id: Id
    seen: Count
    folded: Count
    first_seen: int
    last_seen: int
    folded_into: int | None
    apart: bool
    fingerprint: str
    records: list[RepeatRecord]


class Unfolded(msgspec.Struct, frozen=True, kw_only=True):
    """The alertgroups that stand by themselves now."""

    id: Id
    unfolded: list[Id]
    status: str = "ok"


class Kind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`apart` true: no more alertgroups of this kind are folded; false: they are again."""

    apart: bool


class KindChanged(msgspec.Struct, frozen=True, kw_only=True):
    """What is so now."""

    id: Id
    apart: bool
    status: str = "ok"


@described("How often an alertgroup came, and the repeats folded into it.", Repeats, parameters=WHERE)
async def get_repeats(request: Request) -> Response:
    """A page of them."""
    query = query_of(request)
    only_known(query, "limit", "before")
    limit, before = _number(query, "limit", PAGE, MOST), _number(query, "before", 2**63 - 1, 2**63 - 1)
    id = path_id(request)

    def work(tx: Tx) -> Repeats:
        known, kind = alertgroup.get(tx, id), repeat.of_group(tx, id)
        return Repeats(
            id=id,
            seen=known.seen,
            folded=kind.folded,
            first_seen=seconds(known.received),
            last_seen=seconds(known.received if known.last_seen is None else known.last_seen),
            folded_into=known.folded_into,
            apart=kind.apart,
            fingerprint=kind.fingerprint,
            records=[_record(member) for member in repeat.members(tx, id, limit, before)],
        )

    return await answer(request, work)


@described("Take a repeat out, or all that is folded into an alertgroup: each is listed and sent by itself.", Unfolded)
async def post_unfold(request: Request) -> Response:
    """They are owed to their destinations at once."""
    id, who, now = path_id(request), principal_of(request).name, now_micros()
    return Json(Unfolded(id=id, unfolded=await write(request, lambda tx: repeat.unfold(tx, id, who, now))))


@described("Say whether alertgroups of this one's kind are folded from now on.", KindChanged, body=Kind)
async def put_kind(request: Request) -> Response:
    """What was folded before stays so."""
    id, who, now = path_id(request), principal_of(request).name, now_micros()
    wanted = decoded_as(await body_of(request), Kind)
    await write(request, lambda tx: repeat.set_apart(tx, id, wanted.apart, who, now))
    return Json(KindChanged(id=id, apart=wanted.apart))


def _record(member: repeat.Member) -> RepeatRecord:
    return RepeatRecord(
        id=member.id,
        subject=member.subject,
        when=seconds(member.received),
        alert_count=member.alert_count,
        message_id=member.message_id,
        deleted=member.deleted is not None,
        held=member.lanes,
    )


def _number(query: Any, name: str, otherwise: int, most: int) -> int:
    text = query.get(name, [""])[-1]
    if name not in query:
        return otherwise
    if not (text.isascii() and text.isdecimal() and len(text) <= 19 and 1 <= int(text) <= most):
        raise Malformed(f"{name}={text[:40]} cannot be read: write a whole number from 1 to {most}.")
    return int(text)
