"""A bench for lanes."""

import pytest

from neighbours.destinations import Clock
from neighbours.lanes import Bench
from tocsin.store import Store


@pytest.fixture
def bench(store: Store) -> Bench:
    """A fresh store on each engine, and a clock that stands still."""
    return Bench(store, Clock())
