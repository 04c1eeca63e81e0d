"""Saved views: queries of the Alerts page that somebody gave a name, for oneself or for everybody.

An owner is known by name, as whoever changed an alertgroup is. A shared view is seen by all and changed by its owner
or an admin; a private one does not exist for anybody else. A query is kept as it was typed, so that `now-1h` stays
the last hour, and is read once before it is kept.
"""

import unicodedata

import msgspec

from tocsin.errors import Malformed, NotFound, NotYours, Refused, Taken
from tocsin.model import Micros, Noun
from tocsin.query import parse
from tocsin.store.engine import Tx

LONGEST_NAME = 100
LONGEST_QUERY = 4000
ORDERS = ("received", "id", "subject", "status", "views", "alert_count", "updated", "created")
"""What a list may be sorted by; - before it is downwards."""
NEWEST = "-received"
"""The order of a list that is asked for nothing else; a view keeps it as the empty one."""
MOST = 200
"""Views of one owner."""
_MOST_DROPPED = 20
"""So many deleted ones of an owner can be brought back."""


class Wanted(Noun, frozen=True, kw_only=True):
    """What an owner says of a view. `sort` is one of ORDERS, perhaps with - before it; empty: newest first."""

    name: str
    query: str
    sort: str = ""
    shared: bool = False


class SavedView(Noun, frozen=True, kw_only=True):
    """A view as it is kept."""

    id: int
    owner: str
    name: str
    query: str
    sort: str
    shared: bool
    created: Micros
    changed: Micros


_COLUMNS = ", ".join(SavedView.__struct_fields__)


def _view(row: tuple[object, ...]) -> SavedView:
    return msgspec.convert(dict(zip(SavedView.__struct_fields__, row, strict=True)), SavedView, strict=False)


def listing(tx: Tx, who: str) -> list[SavedView]:
    """One's own views, then those that others share, each by name."""
    rows = tx.rows(
        f"SELECT {_COLUMNS} FROM saved_view WHERE owner = :who AND dropped IS NULL"
        f" UNION ALL SELECT {_COLUMNS} FROM saved_view WHERE shared = 1 AND dropped IS NULL AND owner <> :who",
        who=who,
    )
    return sorted(map(_view, rows), key=lambda view: (view.owner != who, view.name.casefold(), view.name, view.owner))


def get(tx: Tx, id: int, who: str) -> SavedView:
    """One view, as `who` may see it. Raises NotFound."""
    return _seen(tx, id, who, "dropped IS NULL")


def dropped(tx: Tx, id: int, who: str) -> SavedView:
    """One that was deleted and can be brought back, as `who` may see it. Raises NotFound."""
    return _seen(tx, id, who, "dropped IS NOT NULL")


def put(tx: Tx, who: str, wanted: Wanted, now: Micros) -> SavedView:
    """Keep a new view of `who`.

    Raises:
        Malformed: the name or the length of something cannot be taken.
        BadQuery: the query cannot be read.
        Taken: `who` has a view of that name.
        Refused: `who` has as many as one may have.
    """
    wanted = _checked(wanted)
    _check_room(tx, who)
    row = tx.row(
        f"""INSERT INTO saved_view (owner, name, query, sort, shared, created, changed)
            VALUES (:who, :name, :query, :sort, :shared, :now, :now)
            ON CONFLICT (owner, name) WHERE dropped IS NULL DO NOTHING RETURNING {_COLUMNS}""",
        who=who, name=wanted.name, query=wanted.query, sort=wanted.sort, shared=int(wanted.shared), now=now,
    )  # fmt: skip
    if row is None:
        raise _taken(wanted.name)
    return _view(row)


def change(tx: Tx, id: int, who: str, wanted: Wanted, now: Micros, *, admin: bool = False) -> SavedView:
    """Replace what a view says. Raises NotFound, NotYours, and as `put`."""
    found = _changeable(tx, id, who, admin=admin)
    wanted = _checked(wanted)
    _check_free(tx, found.owner, wanted.name, but=id)
    row = tx.row(
        f"""UPDATE saved_view SET name = :name, query = :query, sort = :sort, shared = :shared, changed = :now
            WHERE id = :id RETURNING {_COLUMNS}""",
        id=id, name=wanted.name, query=wanted.query, sort=wanted.sort, shared=int(wanted.shared), now=now,
    )  # fmt: skip
    assert row is not None  # found a line ago, in the same transaction
    return _view(row)


def drop(tx: Tx, id: int, who: str, now: Micros, *, admin: bool = False) -> SavedView:
    """Delete a view; `restore` brings it back. Raises NotFound, NotYours."""
    found = _changeable(tx, id, who, admin=admin)
    tx.run("UPDATE saved_view SET dropped = :now WHERE id = :id", id=id, now=now)
    tx.run(
        "DELETE FROM saved_view WHERE owner = :owner AND dropped IS NOT NULL AND id NOT IN (SELECT id FROM saved_view"
        " WHERE owner = :owner AND dropped IS NOT NULL ORDER BY dropped DESC, id DESC LIMIT :most)",
        owner=found.owner,
        most=_MOST_DROPPED,
    )
    return found


def restore(tx: Tx, id: int, who: str, *, admin: bool = False) -> SavedView:
    """Bring a deleted view back. Raises NotFound, NotYours, Taken, Refused."""
    found = _changeable(tx, id, who, "dropped IS NOT NULL", admin=admin)
    _check_free(tx, found.owner, found.name, but=id)
    _check_room(tx, found.owner)
    tx.run("UPDATE saved_view SET dropped = NULL WHERE id = :id", id=id)
    return found


def _changeable(tx: Tx, id: int, who: str, standing: str = "dropped IS NULL", *, admin: bool) -> SavedView:
    found = _seen(tx, id, who, standing)
    if found.owner != who and not admin:
        raise NotYours(f"The view {found.name!r} is {found.owner}'s: save it under a name of your own to change it.")
    return found


def _seen(tx: Tx, id: int, who: str, standing: str) -> SavedView:
    row = tx.row(
        f"SELECT {_COLUMNS} FROM saved_view WHERE id = :id AND {standing} AND (owner = :who OR shared = 1)",
        id=id,
        who=who,
    )
    if row is None:
        raise NotFound(f"There is no saved view {id}.")
    return _view(row)


def _taken(name: str) -> Taken:
    return Taken(f"There is a view {name!r} of the same owner already: choose another name.")


def _check_free(tx: Tx, owner: str, name: str, but: int) -> None:
    if tx.row(
        "SELECT id FROM saved_view WHERE owner = :owner AND name = :name AND dropped IS NULL AND id <> :but",
        owner=owner, name=name, but=but,
    ):  # fmt: skip
        raise _taken(name)


def _check_room(tx: Tx, owner: str) -> None:
    row = tx.row("SELECT count(*) FROM saved_view WHERE owner = :owner AND dropped IS NULL", owner=owner)
    if row and row[0] >= MOST:
        raise Refused(f"One may have {MOST} saved views: delete one first.")


def _checked(wanted: Wanted) -> Wanted:
    """As it is kept: blanks at the ends are dropped, and those in a name are one each."""
    name, query, sort = " ".join(wanted.name.split()), wanted.query.strip(), wanted.sort.strip()
    if not name:
        raise Malformed("A saved view needs a name.")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        raise Malformed("The name of a view holds a control character: leave it out.")
    for what, text, most in (("name", name, LONGEST_NAME), ("query", query, LONGEST_QUERY)):
        if len(text) > most:
            raise Malformed(f"The {what} of a saved view has at most {most:,} characters; this one has {len(text):,}.")
    if sort and sort.removeprefix("-") not in ORDERS:
        raise Malformed(
            f"A view cannot be sorted by {sort[:40]!r}: use {', '.join(ORDERS)}, with - before it for downwards."
        )
    if "\x00" in query:
        raise Malformed("The query holds a NUL character: leave it out.")
    parse(query)
    return Wanted(name=name, query=query, sort="" if sort == NEWEST else sort, shared=wanted.shared)
