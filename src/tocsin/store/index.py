"""The index: what alertgroups are found by. It follows the alerts, and can be made again from them at any time.

`wait` is said in the transaction that stores or changes an alertgroup; a worker then takes what waits, works out what
to find it by, and puts that in. What is put twice is the same as put once.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from tocsin.model import Micros, Noun
from tocsin.store import cutting
from tocsin.store.engine import Change, Tx, packed

TABLES = (
    "unindexed", "indexed", "term", "posting", "moment", "entity", "sighting", "body_text", "word_index",
    "indexing",
)  # fmt: skip
"""All of the index: none of them holds what the alerts do not say."""
LONGEST_KEY = 300
"""Characters of a value that an engine's index takes as they are."""
_TURN = 0x746F6373696E
"""The number of the lock, which is the whole database's."""
_IDS = "(SELECT CAST(value ->> 0 AS BIGINT) FROM {each:ids})"


class Waiting(Noun, frozen=True, kw_only=True):
    """An alertgroup that waits, and since when: a number that only grows. `rows` is how many alerts it has."""

    group: int
    since: int
    rows: int = 0


class Lag(Noun, frozen=True, kw_only=True):
    """How many alertgroups wait, counted no further than asked, and since when; 0: since the index came."""

    waiting: int = 0
    since: Micros = 0


class Term(Noun, frozen=True, kw_only=True, array_like=True):
    """A value of a field; `alerts` is the JSON list of the ids of those that have it, None for all of the group."""

    field: str
    text: str
    normal: str | None = None
    number: int | None = None
    amount: float | None = None
    low: str | None = None
    high: str | None = None
    alerts: str | None = None


class Moment(Noun, frozen=True, kw_only=True, array_like=True):
    """A time that a field has."""

    field: str
    at: Micros
    alerts: str | None = None


class Sighted(Noun, frozen=True, kw_only=True, array_like=True):
    """An entity that stands in an alertgroup `n` times; `places` is JSON, see the table `sighting`."""

    type: str
    value: str
    low: str | None
    high: str | None
    n: int
    places: str


class Indexed(Noun, frozen=True, kw_only=True, array_like=True):
    """Everything one alertgroup is found by. Words are normal texts with ¶ between them (`query.words.normal`).

    What is too much for one transaction comes in several parts, from 0, each with terms, moments and entities of its
    own; the first has the words.
    """

    group: int
    since: int
    received: Micros
    part: int = 0
    last: bool = True
    subject: str = ""
    body: str = ""
    cells: str = ""
    body_text: str | None = None
    """Of an HTML body; None where the body as it is stored is the one to search."""
    terms: list[Term] = msgspec.field(default_factory=list)
    moments: list[Moment] = msgspec.field(default_factory=list)
    entities: list[Sighted] = msgspec.field(default_factory=list)


def key_of(text: str) -> str:
    """The text, or the beginning and a digest of one too long for an engine's index."""
    if len(text) <= LONGEST_KEY:
        return text
    return f"{text[:200]}#{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


def wait(tx: Tx, groups: Iterable[int], now: Micros) -> None:
    """Have alertgroups indexed, again if they are: said in the transaction that stores or changes them."""
    tx.run(
        "INSERT INTO unindexed (alertgroup, since) SELECT CAST(value ->> 0 AS BIGINT), :now FROM {each:groups}"
        " WHERE true ON CONFLICT (alertgroup) DO UPDATE SET since ="
        " CASE WHEN excluded.since > unindexed.since THEN excluded.since ELSE unindexed.since + 1 END",
        groups=[[group] for group in groups],
        now=now,
    )


def wait_all(tx: Tx, now: Micros) -> int:
    """Have every alertgroup indexed again; how many there are."""
    return tx.run(
        "INSERT INTO unindexed (alertgroup, since) SELECT id, :now FROM alertgroup WHERE true"
        " ON CONFLICT (alertgroup) DO UPDATE SET since ="
        " CASE WHEN excluded.since > unindexed.since THEN excluded.since ELSE unindexed.since + 1 END",
        now=now,
    )


def waiting(tx: Tx, limit: int) -> list[Waiting]:
    """The next that wait: the newest first, for those are asked for."""
    rows = tx.rows(
        "SELECT u.alertgroup, u.since, coalesce(g.alert_count, 0) FROM (SELECT alertgroup, since FROM unindexed"
        " ORDER BY alertgroup DESC LIMIT :limit) AS u LEFT JOIN alertgroup g ON g.id = u.alertgroup"
        " ORDER BY u.alertgroup DESC",
        limit=limit,
    )
    return [Waiting(group=row[0], since=row[1], rows=row[2]) for row in rows]


def lag(tx: Tx, most: int = 1 << 62) -> Lag:
    """How far the index is behind, looking at no more than `most` that wait."""
    row = tx.row(
        "SELECT count(*), coalesce(min(since), 0) FROM"
        " (SELECT since FROM unindexed ORDER BY alertgroup LIMIT :most) AS counted",
        most=most,
    )
    return Lag(waiting=row[0], since=row[1]) if row else Lag()


def in_line(tx: Tx, digest: str) -> bool:
    """Whether all of the index was made with the configuration of that digest."""
    row = tx.row("SELECT digest FROM indexing")
    return row is None or bool(row[0] == digest)


def agree(tx: Tx, digest: str) -> bool:
    """From now on it is made with that configuration; as `in_line`, which after another one is false until `anew`."""
    same = in_line(tx, digest)
    tx.run("INSERT INTO indexing (one, digest) VALUES (1, :digest) ON CONFLICT DO NOTHING", digest=digest)
    if not same:
        tx.run("UPDATE indexing SET digest = 'mixed'")
    return same


def anew(tx: Tx, digest: str, now: Micros) -> int:
    """Have every alertgroup indexed again with the configuration of that digest; how many there are."""
    tx.run("DELETE FROM indexing")
    agree(tx, digest)
    return wait_all(tx, now)


def lighten(tx: Tx, group: int, part: int) -> None:
    """Take out that part of a large alertgroup that waits, and all behind it: too much for one transaction."""
    waits = tx.row("SELECT 1 FROM unindexed WHERE alertgroup = :group", group=group)
    if waits and _turn(tx):
        drop(tx, [group], part)


def put(tx: Tx, batch: Sequence[Indexed]) -> int:
    """Put alertgroups in, in place of what was in of them; those changed meanwhile keep waiting. How many were put.

    The parts of one alertgroup go into one batch or into several, in their order. None is put while another Tocsin on
    the same database puts some in. What waits and is no alertgroup any more, or a deleted one, is taken out.
    """
    if not _turn(tx):
        return 0
    fresh, gone = _still_waiting(tx, batch)
    drop(tx, [*gone, *(each.group for each in fresh if not each.part)])
    terms = _terms(tx, fresh)
    entities = _entities(tx, fresh)
    tx.run(
        "INSERT INTO posting (term, alertgroup, alerts) SELECT CAST(value ->> 0 AS BIGINT),"
        " CAST(value ->> 1 AS BIGINT), value ->> 2 FROM {each:rows}",
        rows=[(terms[one.field, key_of(one.text)], each.group, one.alerts) for each in fresh for one in each.terms],
    )
    tx.run(
        "INSERT INTO moment (field, at, alertgroup, alerts) SELECT value ->> 0, CAST(value ->> 1 AS BIGINT),"
        " CAST(value ->> 2 AS BIGINT), value ->> 3 FROM {each:rows}",
        rows=[(one.field, one.at, each.group, one.alerts) for each in fresh for one in each.moments],
    )
    tx.run(
        "INSERT INTO sighting (entity, alertgroup, n, places) SELECT CAST(value ->> 0 AS BIGINT),"
        " CAST(value ->> 1 AS BIGINT), CAST(value ->> 2 AS BIGINT), value ->> 3 FROM {each:rows}",
        rows=[
            (entities[one.type, key_of(one.value)], each.group, one.n, one.places)
            for each in fresh
            for one in each.entities
        ],
    )
    _put_words(tx, [each for each in fresh if not each.part])
    _put_forward(tx, fresh, terms, entities)
    done = [*gone, *(each.group for each in fresh if each.last)]
    tx.run(f"DELETE FROM unindexed WHERE alertgroup IN {_IDS}", ids=[[group] for group in done])
    if whole := tuple(each.group for each in fresh if each.last):
        tx.changes.append(Change("indexed", whole))
    return len(fresh)


def remove(tx: Tx, groups: Sequence[int]) -> None:
    """Take out alertgroups that are being deleted. Large ones wait for the worker, all while another's turn lasts."""
    later = {group for group, _ in in_parts(tx, groups)} if _turn(tx) else set(groups)
    at_once = [group for group in groups if group not in later]
    drop(tx, at_once)
    tx.run(f"DELETE FROM unindexed WHERE alertgroup IN {_IDS}", ids=[[group] for group in at_once])
    wait(tx, sorted(later), 1)


def _turn(tx: Tx) -> bool:
    """Whether nobody else changes the index before this transaction ends: its counts are changed by one at a time.

    Not waited for: who waits here holds rows that the other may want.
    """
    if tx.engine == "sqlite":
        return True
    row = tx.row(f"SELECT pg_try_advisory_xact_lock({_TURN})")
    return bool(row and row[0])


def in_parts(tx: Tx, groups: Sequence[int]) -> list[tuple[int, int]]:
    """The parts of large alertgroups beyond the first: those to be taken out one by one, the last first."""
    found = f"SELECT alertgroup, part FROM indexed WHERE alertgroup IN {_IDS} AND part > 0"
    rows = tx.rows(f"{found} ORDER BY alertgroup, part DESC", ids=[[group] for group in groups])
    return [(row[0], row[1]) for row in rows]


def drop(tx: Tx, groups: Sequence[int], part: int = 0) -> None:
    """Take alertgroups out of the index, as before they are put in anew or deleted, or only what follows a part."""
    ids = [[group] for group in groups]
    terms, moments, entities = [], [], []
    for group, held, at, seen in tx.rows(
        f"SELECT alertgroup, terms, moments, entities FROM indexed WHERE alertgroup IN {_IDS} AND part >= :part",
        ids=ids,
        part=part,
    ):
        terms += [(term, group) for term in msgspec.json.decode(held)]
        moments += [(*one, group) for one in msgspec.json.decode(at)]
        entities += [(entity, group, n) for entity, n in msgspec.json.decode(seen)]
    pair = "SELECT CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT) FROM {each:rows}"
    tx.run(f"DELETE FROM posting WHERE (term, alertgroup) IN ({pair})", rows=terms)
    tx.run(
        "DELETE FROM moment WHERE (field, at, alertgroup) IN (SELECT value ->> 0, CAST(value ->> 1 AS BIGINT),"
        " CAST(value ->> 2 AS BIGINT) FROM {each:rows})",
        rows=moments,
    )
    tx.run(f"DELETE FROM sighting WHERE (entity, alertgroup) IN ({pair})", rows=[one[:2] for one in entities])
    _count_down(tx, terms, entities)
    tx.run(f"DELETE FROM indexed WHERE alertgroup IN {_IDS} AND part >= :part", ids=ids, part=part)
    if not part:
        index = "rowid" if tx.engine == "sqlite" else "alertgroup"
        tx.run(f"DELETE FROM word_index WHERE {index} IN {_IDS}", ids=ids)
        tx.run(f"DELETE FROM body_text WHERE alertgroup IN {_IDS}", ids=ids)


def _still_waiting(tx: Tx, batch: Sequence[Indexed]) -> tuple[list[Indexed], list[int]]:
    """Those whose turn it is, and the ids that wait and are none, or deleted ones. Both are held until the commit."""
    ids = [[group] for group in sorted({each.group for each in batch})]
    standing: dict[int, tuple[int, bool]] = {
        row[0]: row[1:]
        for row in tx.rows(
            "SELECT u.alertgroup, u.since, EXISTS"
            " (SELECT 1 FROM alertgroup g WHERE g.id = u.alertgroup AND g.deleted IS NULL)"
            f" FROM unindexed u WHERE u.alertgroup IN {_IDS} {{skip_locked}}",
            ids=ids,
        )
    }
    parts: dict[int, int] = dict(
        tx.rows(f"SELECT alertgroup, max(part) FROM indexed WHERE alertgroup IN {_IDS} GROUP BY alertgroup", ids=ids)
    )
    fresh = []
    for each in batch:
        if standing.get(each.group) == (each.since, True) and each.part in (0, parts.get(each.group, -1) + 1):
            parts[each.group] = each.part
            fresh.append(each)
    return fresh, [group for group, (_, stands) in standing.items() if not stands]


def _count_down(tx: Tx, terms: Sequence[tuple[int, int]], entities: Sequence[tuple[int, int, int]]) -> None:
    fewer = Counter(term for term, _ in terms)
    tx.run(
        "UPDATE term SET alertgroups = alertgroups - c.n FROM (SELECT CAST(value ->> 0 AS BIGINT) AS id,"
        " CAST(value ->> 1 AS BIGINT) AS n FROM {each:rows}) AS c WHERE term.id = c.id",
        rows=sorted(fewer.items()),
    )
    tx.run(f"DELETE FROM term WHERE alertgroups <= 0 AND id IN {_IDS}", ids=[[one] for one in sorted(fewer)])
    seen = Counter(entity for entity, _, _ in entities)
    places = Counter[int]()
    for entity, _, n in entities:
        places[entity] += n
    tx.run(
        "UPDATE entity SET alertgroups = alertgroups - c.n, sightings = sightings - c.places FROM (SELECT"
        " CAST(value ->> 0 AS BIGINT) AS id, CAST(value ->> 1 AS BIGINT) AS n, CAST(value ->> 2 AS BIGINT) AS places"
        " FROM {each:rows}) AS c WHERE entity.id = c.id",
        rows=[(entity, n, places[entity]) for entity, n in sorted(seen.items())],
    )
    tx.run(f"DELETE FROM entity WHERE alertgroups <= 0 AND id IN {_IDS}", ids=[[one] for one in sorted(seen)])


def _terms(tx: Tx, fresh: Sequence[Indexed]) -> dict[tuple[str, str], int]:
    """The ids of all terms, new ones added; in one order everywhere, so that two writers never wait for each other."""
    counts = Counter((one.field, key_of(one.text)) for each in fresh for one in each.terms)
    kept = {(one.field, key_of(one.text)): one for each in fresh for one in each.terms}
    rows = tx.rows(
        "INSERT INTO term (field, key, text, normal, number, amount, low, high, alertgroups)"
        " SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, CAST(value ->> 4 AS BIGINT),"
        " CAST(value ->> 5 AS DOUBLE PRECISION), value ->> 6, value ->> 7, CAST(value ->> 8 AS BIGINT)"
        " FROM {each:rows} WHERE true ON CONFLICT (field, key) DO UPDATE"
        " SET alertgroups = term.alertgroups + excluded.alertgroups RETURNING id, field, key",
        rows=[
            (field, key, one.text, one.normal, one.number, one.amount, one.low, one.high, counts[field, key])
            for (field, key), one in sorted(kept.items())
        ],
    )
    return {(field, key): id for id, field, key in rows}


def _entities(tx: Tx, fresh: Sequence[Indexed]) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], list[int]] = {}
    kept: dict[tuple[str, str], Sighted] = {}
    for each in fresh:
        for one in each.entities:
            name = (one.type, key_of(one.value))
            kept[name] = one
            first, last, groups, places = found.get(name, (each.received, each.received, 0, 0))
            found[name] = [min(first, each.received), max(last, each.received), groups + 1, places + one.n]
    rows = tx.rows(
        "INSERT INTO entity (type, key, value, low, high, first_seen, last_seen, alertgroups, sightings)"
        " SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, CAST(value ->> 5 AS BIGINT),"
        " CAST(value ->> 6 AS BIGINT), CAST(value ->> 7 AS BIGINT), CAST(value ->> 8 AS BIGINT)"
        " FROM {each:rows} WHERE true ON CONFLICT (type, key) DO UPDATE SET"
        " first_seen = CASE WHEN excluded.first_seen < entity.first_seen"
        " THEN excluded.first_seen ELSE entity.first_seen END,"
        " last_seen = CASE WHEN excluded.last_seen > entity.last_seen"
        " THEN excluded.last_seen ELSE entity.last_seen END,"
        " alertgroups = entity.alertgroups + excluded.alertgroups,"
        " sightings = entity.sightings + excluded.sightings RETURNING id, type, key",
        rows=[(*name, kept[name].value, kept[name].low, kept[name].high, *found[name]) for name in sorted(found)],
    )
    return {(type, key): id for id, type, key in rows}


def _put_words(tx: Tx, fresh: Sequence[Indexed]) -> None:
    if tx.engine == "sqlite":
        tx.run(
            "INSERT INTO word_index (rowid, subject, body, cells)"
            " SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM {each:rows}",
            rows=[(each.group, each.subject, each.body, each.cells) for each in fresh],
        )
    else:
        tx.run(
            "INSERT INTO word_index (alertgroup, field, part, normal, words) SELECT CAST(value ->> 0 AS BIGINT),"
            " value ->> 1, CAST(value ->> 2 AS BIGINT), value ->> 3, array_to_tsvector(ARRAY(SELECT"
            " json_array_elements_text(value -> 4))) FROM {each:rows}",
            rows=[row for each in fresh for row in cutting.parts(each.group, each.subject, each.body, each.cells)],
        )
    tx.run(
        "INSERT INTO body_text (alertgroup, text) SELECT CAST(value ->> 0 AS BIGINT), value ->> 1 FROM {each:rows}",
        rows=[(each.group, each.body_text) for each in fresh if each.body_text is not None],
    )


def _put_forward(
    tx: Tx, fresh: Sequence[Indexed], terms: dict[tuple[str, str], int], entities: dict[tuple[str, str], int]
) -> None:
    tx.run(
        "INSERT INTO indexed (alertgroup, part, terms, moments, entities) SELECT CAST(value ->> 0 AS BIGINT),"
        " CAST(value ->> 1 AS BIGINT), value ->> 2, value ->> 3, value ->> 4 FROM {each:rows}",
        rows=[
            (
                each.group,
                each.part,
                packed(terms[one.field, key_of(one.text)] for one in each.terms),  # type: ignore[misc] # numbers
                packed((one.field, one.at) for one in each.moments),
                packed((entities[one.type, key_of(one.value)], one.n) for one in each.entities),
            )
            for each in fresh
        ],
    )
