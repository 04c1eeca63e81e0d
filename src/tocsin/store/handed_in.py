"""What TAXII clients handed in, so that they can ask what became of it."""

import uuid
from collections.abc import Sequence

import msgspec

from tocsin.errors import NotFound
from tocsin.model import Micros, Noun
from tocsin.store.engine import Tx


class Thing(Noun, frozen=True, kw_only=True):
    """An object of a request: its id and version as the client wrote them, and what is to be said about it."""

    id: str
    version: str = ""
    words: str = ""


class Handed(Noun, frozen=True, kw_only=True):
    """A request: the objects that were `taken` to be a message, in what state that is now, and those `refused`.

    `state` is the message's (stored, quarantined, discarded), with its `reason`; empty where there is none.
    """

    id: str
    root: str
    who: str
    at: Micros
    taken: tuple[Thing, ...]
    refused: tuple[Thing, ...]
    state: str = ""
    reason: str = ""


_THINGS = msgspec.json.Decoder(tuple[Thing, ...])


def put(
    tx: Tx, root: str, who: str, at: Micros, message: int | None, taken: Sequence[Thing], refused: Sequence[Thing]
) -> str:
    """Write a request down; the id under which its client asks for it."""
    id = str(uuid.uuid4())
    tx.run(
        "INSERT INTO handed_in (id, root, who, at, message, taken, refused)"
        " VALUES (:id, :root, :who, :at, :message, :taken, :refused)",
        id=id, root=root, who=who, at=at, message=message,
        taken=msgspec.json.encode(taken).decode(), refused=msgspec.json.encode(refused).decode(),
    )  # fmt: skip
    return id


def get(tx: Tx, id: str) -> Handed:
    """A request and what became of it. Raises NotFound, also when it was forgotten."""
    row = tx.row(
        "SELECT h.root, h.who, h.at, h.taken, h.refused, m.state, m.reason FROM handed_in h"
        " LEFT JOIN message m ON m.id = h.message WHERE h.id = :id",
        id=id,
    )
    if row is None:
        raise NotFound("there is no status of that id, or it was forgotten")
    return Handed(
        id=id, root=row[0], who=row[1], at=row[2], taken=_THINGS.decode(row[3]), refused=_THINGS.decode(row[4]),
        state=row[5] or "", reason=row[6] or "",
    )  # fmt: skip


def forget(tx: Tx, before: Micros) -> int:
    """Forget requests of before that moment; how many."""
    return tx.run("DELETE FROM handed_in WHERE at < :before", before=before)
