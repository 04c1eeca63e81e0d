"""What alerts say and what analysts say of them, followed from a stamp on: for labels of flows."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tocsin.model import News, Since

if TYPE_CHECKING:
    from tocsin.store.store import Store


def changed(store: "Store", since: Since) -> Iterator[News]:
    """Alertgroups that are new or changed since then, in portions; each with the stamp to go on from."""
    raise NotImplementedError
