"""What may be offered to one who types a query: what values there are, found by their beginnings never by a scan."""

from collections.abc import Sequence

import msgspec

from tocsin.store.engine import Tx

MOST = 20
"""Values offered at a time."""
ALL_OF = 200
"""Where there are no more labels than that, all of them are given."""
LATEST = 200
"""Names of columns, owners and senders are those of so many of the newest alertgroups and messages."""
_BEHIND = 40
_STRINGS = msgspec.json.Decoder(list[str])


def labels(tx: Tx, kind: str, begins: str) -> list[str]:
    """The tags or sources (`kind`) there are; where they are many, those that begin so, in small or capital letters."""
    found = _labels(tx, kind, "", ALL_OF + 1)
    if len(found) <= ALL_OF:
        return found
    spellings = dict.fromkeys((begins, begins.lower(), begins.upper(), begins.capitalize()))
    near = [value for one in spellings for value in _labels(tx, kind, one, _BEHIND) if value.startswith(one)]
    return list(dict.fromkeys(near))[:MOST]


def _labels(tx: Tx, kind: str, first: str, limit: int) -> list[str]:
    """The next labels in their order. One seek each: a tag may stand on a million alertgroups."""
    rows = tx.rows(
        """
        WITH RECURSIVE next (value) AS (
            SELECT min(value) FROM label WHERE kind = :kind AND value >= :first
            UNION ALL
            SELECT (SELECT min(l.value) FROM label l WHERE l.kind = :kind AND l.value > next.value)
            FROM next WHERE next.value IS NOT NULL
        ) SELECT value FROM next WHERE value IS NOT NULL LIMIT :limit""",
        kind=kind,
        first=first,
        limit=limit,
    )
    return [row[0] for row in rows]


def terms(tx: Tx, fields: Sequence[str], begins: str) -> list[str]:
    """Values of fields of detections, as the index has them: in small letters."""
    wanted = begins.lower()
    found = [
        row[0]
        for field in fields
        for row in tx.rows(
            "SELECT text FROM term WHERE field = :field AND key >= :begins ORDER BY key LIMIT :limit",
            field=field,
            begins=wanted,
            limit=_BEHIND,
        )
    ]
    return sorted({value for value in found if value.startswith(wanted)})[:MOST]


def entities(tx: Tx, type: str, begins: str) -> list[str]:
    """Values of entities of a type, or of any; those that stand in most alertgroups first."""
    of_type = "type = :type AND" if type else ""
    rows = tx.rows(
        f"SELECT value, alertgroups FROM entity WHERE {of_type} key >= :begins ORDER BY key LIMIT :limit",
        begins=begins,
        limit=_BEHIND,
        **({"type": type} if type else {}),
    )
    near = sorted((-n, value) for value, n in rows if value.startswith(begins))
    return list(dict.fromkeys(value for _, value in near))[:MOST]


def columns(tx: Tx) -> list[str]:
    """Names of columns, those of most of the newest alertgroups first."""
    counted: dict[str, int] = {}
    for (written,) in tx.rows("SELECT columns FROM alertgroup ORDER BY id DESC LIMIT :latest", latest=LATEST):
        for name in _STRINGS.decode(written):
            counted[name] = counted.get(name, 0) + 1
    return sorted(counted, key=lambda name: (-counted[name], name))


def owners(tx: Tx) -> list[str]:
    """Who looks after the newest alertgroups."""
    rows = tx.rows("SELECT owner FROM alertgroup ORDER BY id DESC LIMIT :latest", latest=LATEST)
    return sorted({row[0] for row in rows} - {""})


def senders(tx: Tx) -> list[str]:
    """Who sent the newest messages."""
    rows = tx.rows("SELECT sender FROM message ORDER BY id DESC LIMIT :latest", latest=LATEST)
    return sorted({row[0] for row in rows} - {""})
