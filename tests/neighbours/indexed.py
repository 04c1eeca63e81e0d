"""What the indexing worker does, at once and in this process, and what a list of the pages finds."""

from tocsin import detection
from tocsin.entities import DEFAULT
from tocsin.indexing.reading import read
from tocsin.query import parse, standing
from tocsin.store import Store, alertgroup, index, search
from tocsin.store.alertgroup import Order

MOST = 1000


def put_all(store: Store) -> None:
    """Put everything that waits into the index."""
    waiting = store.read(lambda tx: index.waiting(tx, 1000))
    groups = store.read(lambda tx: alertgroup.load(tx, [each.group for each in waiting]))
    batch = [part for each in waiting for part in read(detection.known(groups[each.group]), each.since, DEFAULT)]
    store.write(lambda tx: index.put(tx, batch))


def found(store: Store, query: str = "", order: Order | None = None) -> list[int]:
    """The ids that a list finds, newest first if nothing else is asked; dates are not relative to any moment."""
    tree = standing(parse(query))
    return [group.id for group in store.read(lambda tx: search.page(tx, tree, order or Order(), MOST, None, 0))]
