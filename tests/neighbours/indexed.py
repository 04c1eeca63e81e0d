"""What the indexing worker does, at once and in this process."""

from tocsin import detection
from tocsin.entities import DEFAULT
from tocsin.indexing.reading import read
from tocsin.store import Store, alertgroup, index


def put_all(store: Store) -> None:
    """Put everything that waits into the index."""
    waiting = store.read(lambda tx: index.waiting(tx, 1000))
    groups = store.read(lambda tx: alertgroup.load(tx, [each.group for each in waiting]))
    batch = [part for each in waiting for part in read(detection.known(groups[each.group]), each.since, DEFAULT)]
    store.write(lambda tx: index.put(tx, batch))
