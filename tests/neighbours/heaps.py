"""Evidence for tests of the store: what is gathered, without the rules that say so."""

from collections.abc import Sequence

from neighbours.messages import NOW
from tocsin.model import Alert, Alertgroup, Message
from tocsin.store import Entry, Part, Store, Stored, alertgroup, entry
from tocsin.store.append import append_all
from tocsin.store.gathering import Enough, Gather, Share

HOUR = 3_600_000_000
ONE = 1_000_000


def raised(enough: Enough) -> Entry:
    """The message of what is raised, its copies as they came; owed to `a` and `b`."""
    alerts = tuple(Alert(json=one.json, detection=one.detection) for one in enough.copied)
    group = Alertgroup(subject=f"enough {enough.source} {enough.n}", alerts=alerts, columns=("n",))
    told = Message(
        source="tocsin",
        sender="accumulate",
        body=f"{enough.source} {enough.n} {[one.alert for one in enough.copied]}".encode(),
        media_type="text/plain",
        received=enough.received,
        idempotency_key=f"{enough.rule}|{enough.source}|{enough.begun}|{enough.n}",
    )
    return entry(told, [Part(group=group, severity=None, lanes=("a", "b"))], "accumulated", "1")


def gather(
    weights: Sequence[float] = (1,),
    source: str = "10.0.0.5",
    *,
    begun: int = 0,
    threshold: float = 3,
    raises: bool = True,
) -> Gather:
    """A row for each weight; 3 is enough."""
    shares = tuple(Share(place, source, begun, round(weight * ONE)) for place, weight in enumerate(weights))
    return Gather(
        rule="slips", width=HOUR, threshold=round(threshold * ONE), shares=shares, lanes=("a",),
        made=raised if raises else None,
    )  # fmt: skip


def came(id: str, gathered: Gather | None, *, rows: int = 1, received: int = NOW) -> Entry:
    """A message of one alertgroup, known by its id."""
    told = Message(
        source="rest", body=id.encode(), media_type="text/plain", received=received, sender="k", message_id=id
    )
    group = Alertgroup.of_rows(f"evidence {id}", [{"n": f"{id} {n}"} for n in range(rows)], sources=("slips",))
    lanes = () if gathered else ("a",)
    return entry(told, [Part(group=group, severity=None, lanes=lanes, gather=gathered)], "slips", "1")


def post(store: Store, *entries: Entry) -> list[int]:
    """Store them in one batch; the ids of their alertgroups."""
    stored: list[Stored] = store.write(lambda tx: append_all(tx, entries))
    return [group for one in stored for group in one.alertgroups]


def evidence(store: Store, n: int, weight: float = 1, source: str = "10.0.0.5", *, begin: int = 0) -> list[int]:
    """So many pieces, each a batch of its own."""
    return [
        group
        for number in range(n)
        for group in post(store, came(f"{source} {begin + number}", gather((weight,), source)))
    ]


def states(store: Store) -> dict[str, str | None]:
    """What each alertgroup says of itself, by its subject."""
    ids = range(1, store.read(alertgroup.max_id) + 1)
    return {one.subject: one.gathered for one in store.read(lambda tx: alertgroup.some(tx, list(ids))).values()}


def copies(store: Store, group: int) -> list[str]:
    """The rows of an alertgroup, by their cell `n`."""
    whole = store.read(lambda tx: alertgroup.load(tx, [group]))[group]
    return [alert.data["n"] for alert in whole.alerts]


def weights(store: Store) -> dict[str, tuple[float, int]]:
    """What lies in each heap, and how often it was raised, by its source address and the hour."""
    rows = store.read(lambda tx: tx.rows("SELECT source, begun, weight, raised FROM heap"))
    return {f"{row[0]} {row[1] // HOUR}": (row[2] / ONE, row[3]) for row in rows}
