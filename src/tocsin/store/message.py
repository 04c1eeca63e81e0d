"""Messages: what sources handed over, and the original bytes."""

from collections.abc import Sequence
from typing import Any

from tocsin.errors import NotFound
from tocsin.model import Micros, Noun
from tocsin.store.append import unpacked
from tocsin.store.engine import Tx


class Kept(Noun, frozen=True, kw_only=True):
    """A message as stored. `digest` is the SHA-256 of its bytes, `size` their number, `reason` why it is quarantined.

    `removed` is when retention took its original away; None while it is kept.
    """

    id: int
    source: str
    sender: str
    message_id: str
    digest: str
    size: int
    media_type: str
    received: Micros
    state: str
    parser: str
    parser_version: str
    reason: str
    removed: Micros | None = None


_FIELDS = (
    "id, source, sender, message_id, hash, size, media_type, received, state, parser, parser_version, reason, removed"
)


def _kept(row: Sequence[Any]) -> Kept:
    return Kept(**dict(zip(Kept.__struct_fields__, row, strict=True)))


def get(tx: Tx, id: int) -> Kept:
    """One message. Raises NotFound."""
    row = tx.row(f"SELECT {_FIELDS} FROM message WHERE id = :id", id=id)
    if row is None:
        raise NotFound(f"there is no message {id}")
    return _kept(row)


def original(tx: Tx, id: int) -> bytes:
    """The bytes as they were received. Raises NotFound, also when retention has removed them."""
    row = tx.row(
        "SELECT o.codec, o.bytes FROM message m JOIN original o ON o.hash = m.hash"
        " WHERE m.id = :id AND m.removed IS NULL",
        id=id,
    )
    if row is None:
        raise NotFound(f"there is no original of message {id}: removed by retention, or no such message")
    return unpacked(row[0], row[1])


def groups_of(tx: Tx, id: int) -> list[int]:
    """The alertgroups that were made of a message."""
    return [row[0] for row in tx.rows("SELECT id FROM alertgroup WHERE message = :id ORDER BY id", id=id)]


class Selection(Noun, frozen=True, kw_only=True):
    """Stored messages received from `start` on and before `end`, of one source, read by one parser; empty means any."""

    start: Micros | None = None
    end: Micros | None = None
    source: str = ""
    parser: str = ""


def select(tx: Tx, chosen: Selection, after: int, limit: int) -> list[Kept]:
    """The next messages of a selection behind the id `after`, oldest first."""
    where, params = _chosen(chosen)
    rows = tx.rows(
        f"SELECT {_FIELDS} FROM message WHERE {where} AND id > :after ORDER BY id LIMIT :limit",
        after=after,
        limit=limit,
        **params,
    )
    return [_kept(row) for row in rows]


def how_many(tx: Tx, chosen: Selection) -> int:
    """How many messages a selection holds."""
    where, params = _chosen(chosen)
    row = tx.row(f"SELECT count(*) FROM message WHERE {where}", **params)
    return int(row[0]) if row else 0


def _chosen(chosen: Selection) -> tuple[str, dict[str, Any]]:
    conditions = ["state = 'stored'"]
    params: dict[str, Any] = {}
    for name, condition in (
        ("start", "received >= :start"),
        ("end", "received < :end"),
        ("source", "source = :source"),
        ("parser", "parser = :parser"),
    ):
        if (value := getattr(chosen, name)) not in (None, ""):
            conditions.append(condition)
            params[name] = value
    return " AND ".join(conditions), params


def quarantined(tx: Tx, limit: int, before: int | None = None, state: str = "quarantined") -> list[Kept]:
    """The newest messages that stand in quarantine (or were discarded from it), older than the id `before`."""
    standing = "state = 'discarded'" if state == "discarded" else "state = 'quarantined'"
    rows = tx.rows(
        f"SELECT {_FIELDS} FROM message WHERE {standing} AND id < :before ORDER BY id DESC LIMIT :limit",
        before=1 << 62 if before is None else before,
        limit=limit,
    )
    return [_kept(row) for row in rows]


def quarantine_depth(tx: Tx, state: str = "quarantined") -> int:
    """How many messages stand in quarantine, or were discarded from it."""
    standing = "state = 'discarded'" if state == "discarded" else "state = 'quarantined'"
    row = tx.row(f"SELECT count(*) FROM message WHERE {standing}")
    return int(row[0]) if row else 0
