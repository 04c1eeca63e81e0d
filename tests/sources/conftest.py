"""A mail server of one's own, and a store to fetch into."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from neighbours.dovecot import Dovecot, running_dovecot
from tocsin.sources.imap import keeping
from tocsin.store import Store, open_store


@pytest.fixture
def dovecot() -> Iterator[Dovecot]:
    with running_dovecot() as server:
        yield server


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Store]:
    """A fresh store on SQLite: what differs between engines is tested with the store."""
    (tmp_path / "inbox").mkdir()
    store = open_store("sqlite", tmp_path / "inbox")
    yield store
    store.close()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failures are got over in a moment."""
    monkeypatch.setattr(keeping, "FIRST_WAIT_S", 0.05)
    monkeypatch.setattr(keeping, "FIRST_WAIT_FOR_A_PERSON_S", 0.05)
    monkeypatch.setattr(keeping, "LONGEST_WAIT_S", 0.3)
