"""Evidence as it comes in: laid onto its heaps, and raised to an alertgroup of its own where there is enough of it.

All of it is done in the transaction that stores the evidence, under the lock of the counter, so that nodes that store
at once count one after the other. One SELECT reads the heaps of a batch, one statement a table writes what came of it.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from tocsin.model import Detection, Micros, Noun
from tocsin.store import alertgroup, heap
from tocsin.store.alertgroup import Summary
from tocsin.store.engine import Change, Tx, packed
from tocsin.store.heap import BELOW, RAISED

MOST = 10_000
"""An alertgroup is raised with so many copies, the heaviest; more evidence is counted in it."""
HUB = "tocsin"
MADE_OF = "evidence of alertgroup"
"""How the line of history begins."""

_IDS = "(SELECT CAST(value ->> 0 AS BIGINT) FROM {each:ids})"
_KEY = "rule, width, source, begun"
_HEAP = "value ->> 0, CAST(value ->> 1 AS BIGINT), value ->> 2, CAST(value ->> 3 AS BIGINT)"
_DETECTION = msgspec.json.Decoder(Detection)

Key = tuple[str, Micros, str, Micros]
"""Rule, width of the window, source address, begin of the window."""


class Share(NamedTuple):
    """What the alert at a `place` of its alertgroup weighs, in millionths, and against whom and when: `rules` says."""

    place: int
    source: str
    begun: Micros
    weight: int


class Copied(NamedTuple):
    """A piece of evidence of which there is enough, as it stands in the store."""

    alert: int
    alertgroup: int
    weight: int
    json: str
    detection: Detection | None


class Enough(Noun, frozen=True, kw_only=True):
    """A heap that is to be raised, for the `n`-th time, by a message received at `received`.

    `copied` are the pieces, in the order in which they came, `more` how many are left out of so many; `groups` those
    they lie in by their ids, `digests` the hashes of their messages by the ids of those.
    """

    rule: str
    width: Micros
    source: str
    begun: Micros
    n: int
    weight: int
    threshold: int
    received: Micros
    copied: tuple[Copied, ...] = ()
    more: int = 0
    groups: dict[int, Summary] = msgspec.field(default_factory=dict)
    digests: dict[int, str] = msgspec.field(default_factory=dict)


class Gather(Noun, frozen=True, kw_only=True):
    """What an alertgroup adds to heaps. `lanes` are those that it would be owed to without its rule.

    `made` makes the `append.Entry` of what is raised, within the transaction. Without it nothing is raised yet.
    """

    rule: str
    width: Micros
    threshold: int
    shares: tuple[Share, ...]
    lanes: tuple[str, ...] = ()
    made: Callable[[Enough], Any] | None = None

    def heaps(self) -> list[Key]:
        """The heap of each share."""
        return [(self.rule, self.width, share.source, share.begun) for share in self.shares]


class _Heap(msgspec.Struct):
    weight: int = 0
    raised: int = 0
    threshold: int = 0
    touched: Micros = 0


class Gathering:
    """The evidence of one batch: laid down for each new alertgroup in turn, then written, then raised."""

    def __init__(self, tx: Tx, gathers: Iterable[Gather]) -> None:
        wanted = sorted({key for gather in gathers for key in gather.heaps()})
        self._heaps: dict[Key, _Heap] = {}
        self._piles: list[Sequence[Any]] = []
        self._evidence: list[Sequence[Any]] = []
        self._enough: list[tuple[Enough, Callable[[Enough], Any]]] = []
        if not wanted:
            return
        for rule, width, source, begun, weight, raised, touched in tx.rows(
            "SELECT h.rule, h.width, h.source, h.begun, h.weight, h.raised, h.touched FROM (SELECT value ->> 0 AS"
            " rule, CAST(value ->> 1 AS BIGINT) AS width, value ->> 2 AS source, CAST(value ->> 3 AS BIGINT) AS begun"
            " FROM {each:wanted}) AS w JOIN heap h ON h.rule = w.rule AND h.width = w.width AND h.source = w.source"
            " AND h.begun = w.begun",
            wanted=packed(wanted),
        ):
            self._heaps[rule, width, source, begun] = _Heap(weight, raised, 0, touched)

    def place(self, gather: Gather, group: int, first: int, received: Micros) -> str:
        """Lay the alerts of a new alertgroup, ids from `first` on, onto their heaps; what its `gathered` says."""
        keys = gather.heaps()
        for key, share in zip(keys, gather.shares, strict=True):
            heap = self._heaps.setdefault(key, _Heap())
            heap.weight += share.weight
            heap.threshold = gather.threshold
            heap.touched = max(heap.touched, received)
            self._piles.append((first + share.place, group, *key, heap.raised, share.weight))
        self._evidence.append((group, gather.rule, msgspec.json.encode(gather.lanes).decode()))
        if gather.made is not None:
            for key in dict.fromkeys(keys):
                self._raise_if_enough(key, gather.threshold, gather.made, received)
        return BELOW

    def _raise_if_enough(self, key: Key, threshold: int, made: Callable[[Enough], Any], received: Micros) -> None:
        heap = self._heaps[key]
        if heap.weight < threshold:
            return
        heap.raised += 1
        rule, width, source, begun = key
        enough = Enough(
            rule=rule, width=width, source=source, begun=begun, n=heap.raised, weight=heap.weight,
            threshold=threshold, received=received,
        )  # fmt: skip
        self._enough.append((enough, made))
        heap.weight = 0

    def insert(self, tx: Tx) -> list[Any]:
        """Write what was laid down, once the alertgroups themselves stand; the entries of what is raised by it."""
        if self._evidence:
            tx.run(
                "INSERT INTO evidence (alertgroup, rule, lanes)"
                " SELECT CAST(value ->> 0 AS BIGINT), value ->> 1, value ->> 2 FROM {each:rows}",
                rows=packed(self._evidence),
            )
        if not self._piles:
            return []
        lay(tx, self._piles)
        tx.run(
            f"INSERT INTO heap ({_KEY}, weight, raised, threshold, touched) SELECT {_HEAP},"
            " CAST(value ->> 4 AS BIGINT), CAST(value ->> 5 AS BIGINT), CAST(value ->> 6 AS BIGINT),"
            f" CAST(value ->> 7 AS BIGINT) FROM {{each:rows}} WHERE true ON CONFLICT ({_KEY}) DO UPDATE SET"
            " weight = excluded.weight, raised = excluded.raised, threshold = excluded.threshold,"
            " touched = excluded.touched",
            rows=packed((*key, *msgspec.structs.astuple(heap)) for key, heap in self._heaps.items()),
        )
        return self._entries(tx) if self._enough else []

    def _entries(self, tx: Tx) -> list[Any]:
        """What is to be stored of each heap that is enough, made of its evidence as it stands in the store."""
        copied: dict[int, list[Copied]] = {}
        counts: dict[int, int] = {}
        for number, counted, alert, group, weight, json, said in tx.rows(
            "SELECT o.number, o.counted, o.alert, o.alertgroup, o.weight, a.data, a.detection FROM ("
            " SELECT w.number, p.alert, p.alertgroup, p.weight, count(*) OVER (PARTITION BY w.number) AS counted,"
            " row_number() OVER (PARTITION BY w.number ORDER BY p.weight DESC, p.alert) AS place"
            f" FROM {_WANTED} JOIN pile p ON p.rule = w.rule AND p.width = w.width AND p.source = w.source"
            " AND p.begun = w.begun AND p.turn = w.turn JOIN alertgroup g ON g.id = p.alertgroup"
            " WHERE g.deleted IS NULL) AS o JOIN alert a ON a.id = o.alert WHERE o.place <= :most"
            " ORDER BY o.number, o.alert",
            wanted=self._turns(),
            most=MOST,
        ):
            meant = None if said is None else _DETECTION.decode(said)
            copied.setdefault(number, []).append(Copied(alert, group, weight, json, meant))
            counts[number] = counted
        groups = {piece.alertgroup for pieces in copied.values() for piece in pieces}
        known = alertgroup.some(tx, sorted(groups))
        digests: dict[int, str] = dict(
            tx.rows(
                f"SELECT id, hash FROM message WHERE id IN {_IDS}",
                ids=packed({(one.message,) for one in known.values()}),
            )
        )
        return [
            made(
                msgspec.structs.replace(
                    enough,
                    copied=tuple(pieces),
                    more=counts[number] - len(pieces),
                    groups={id: known[id] for id in dict.fromkeys(piece.alertgroup for piece in pieces)},
                    digests=digests,
                )
            )
            for number, (enough, made) in enumerate(self._enough)
            for pieces in [copied[number]]
        ]

    def point(self, tx: Tx, raised: Sequence[int]) -> None:
        """Have the evidence name the alertgroups that were made of it, one for each entry."""
        at = max(enough.received for enough, _ in self._enough)
        tx.run(
            f"UPDATE pile SET raised_into = w.number FROM {_WANTED} WHERE pile.rule = w.rule AND pile.width = w.width"
            " AND pile.source = w.source AND pile.begun = w.begun AND pile.turn = w.turn AND EXISTS"
            " (SELECT 1 FROM alertgroup g WHERE g.id = pile.alertgroup AND g.deleted IS NULL)",
            wanted=self._turns(raised),
        )
        ids = packed([group] for group in raised)
        changed = tx.rows(
            f"UPDATE alertgroup SET gathered = '{RAISED}', updated = CASE WHEN updated < :at THEN :at ELSE updated END"
            f" WHERE gathered = '{BELOW}' AND id IN (SELECT alertgroup FROM pile WHERE raised_into IN {_IDS})"
            " RETURNING id",
            ids=ids,
            at=at,
        )
        tx.run(
            "INSERT INTO history (alertgroup, who, at, what)"
            f" SELECT DISTINCT alertgroup, :who, :at, '{MADE_OF} ' || raised_into FROM pile"
            f" WHERE raised_into IN {_IDS}",
            ids=ids,
            who=HUB,
            at=at,
        )
        tx.changes.append(Change("updated", tuple(sorted(row[0] for row in changed))))

    def _turns(self, numbers: Sequence[int] | None = None) -> str:
        found = [(one.rule, one.width, one.source, one.begun, one.n - 1) for one, _ in self._enough]
        return packed((*key, number) for key, number in zip(found, numbers or range(len(found)), strict=True))


_WANTED = (
    "(SELECT value ->> 0 AS rule, CAST(value ->> 1 AS BIGINT) AS width, value ->> 2 AS source,"
    " CAST(value ->> 3 AS BIGINT) AS begun, CAST(value ->> 4 AS BIGINT) AS turn, CAST(value ->> 5 AS BIGINT) AS number"
    " FROM {each:wanted}) AS w"
)
"""The turns of heaps that are raised, each with a number."""


def read_again(tx: Tx, group: int, alerts: Sequence[int], gather: Gather | None, now: Micros) -> None:
    """Evidence has another reading: it weighs what that says, or nothing. None is raised by it; the next evidence does.

    `alerts` are the ids of its rows, in order. An alertgroup that was never evidence does not become it.
    """
    if tx.row("SELECT 1 FROM evidence WHERE alertgroup = :group", group=group) is None:
        return
    heap.forget(tx, [group])
    if gather is None or not gather.shares:
        return
    keys = gather.heaps()
    tx.run(
        f"INSERT INTO heap ({_KEY}, weight, raised, threshold, touched) SELECT {_HEAP}, 0, 0, :threshold, :now"
        " FROM {each:rows} WHERE true ON CONFLICT DO NOTHING",
        rows=packed(dict.fromkeys(keys)),
        threshold=gather.threshold,
        now=now,
    )
    laid = zip(keys, gather.shares, strict=True)
    lay(tx, [(alerts[share.place], group, *key, 0, share.weight) for key, share in laid])
    heap.recount(tx, [group])


def lay(tx: Tx, piles: Sequence[Sequence[Any]]) -> None:
    """Alerts onto heaps: alert, alertgroup, the heap's key, its turn, the weight. What was raised stays where it is."""
    tx.run(
        f"INSERT INTO pile (alert, alertgroup, {_KEY}, turn, weight) SELECT CAST(value ->> 0 AS BIGINT),"
        " CAST(value ->> 1 AS BIGINT), value ->> 2, CAST(value ->> 3 AS BIGINT), value ->> 4,"
        " CAST(value ->> 5 AS BIGINT), CAST(value ->> 6 AS BIGINT), CAST(value ->> 7 AS BIGINT) FROM {each:rows}"
        " WHERE true ON CONFLICT (alert) DO NOTHING",
        rows=packed(piles),
    )
