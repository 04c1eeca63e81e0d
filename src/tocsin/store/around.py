"""What stands around alertgroups besides their own text: how they were received, looked at, rated and repeated."""

from collections.abc import Sequence

from tocsin.model import Micros, Noun
from tocsin.store.engine import Tx

_FIELDS = (
    "g.id, g.severity, g.created, g.updated, g.firstview, g.views, g.message, g.repeats, g.folded_into,"
    " g.gathered, g.seen, g.last_seen, coalesce(m.source, ''), coalesce(m.sender, ''), coalesce(m.parser, '')"
)


class Around(Noun, frozen=True, kw_only=True):
    """Of one alertgroup, as the store has it; `via`, `sender` and `parser` are those of its message."""

    id: int
    severity: int | None
    created: Micros
    updated: Micros
    viewed: Micros
    views: int
    message: int
    repeats: int | None
    folded: int | None
    gathered: str | None
    seen: int
    last_seen: Micros | None
    via: str
    sender: str
    parser: str


def load(tx: Tx, ids: Sequence[int]) -> dict[int, Around]:
    """What stands around each alertgroup; an id that there is not is left out."""
    rows = tx.rows(
        f"SELECT {_FIELDS} FROM alertgroup g LEFT JOIN message m ON m.id = g.message"
        " WHERE g.id IN (SELECT CAST(value ->> 0 AS BIGINT) FROM {each:wanted})",
        wanted=[[each] for each in ids],
    )
    return {row[0]: Around(**dict(zip(Around.__struct_fields__, row, strict=True))) for row in rows}


def waiting(tx: Tx, ids: Sequence[int]) -> set[int]:
    """Which of these alertgroups wait to be indexed."""
    rows = tx.rows(
        "SELECT alertgroup FROM unindexed WHERE alertgroup IN (SELECT CAST(value ->> 0 AS BIGINT) FROM {each:wanted})",
        wanted=[[each] for each in ids],
    )
    return {row[0] for row in rows}
