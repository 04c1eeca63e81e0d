"""Small writes that may wait: gathered, stored together, kept while the store cannot write."""

import asyncio

import pytest

from tocsin.errors import StoreUnavailable
from tocsin.store import Store, access, tally
from tocsin.web.notes import Notes, now_micros


def refused(store: Store) -> int:
    return sum(one.refused for one in store.read(tally.totals))


def test_what_was_noted_is_stored_together_after_a_while(store: Store) -> None:
    key = store.write(lambda tx: access.add_key(tx, "k", "digest", "sender", 1))

    async def note() -> None:
        notes = Notes(store)
        notes.every_s = 0.01
        for _ in range(100):
            notes.key_used(key.id)
            notes.refused("rest")
        assert refused(store) == 0
        async with asyncio.timeout(60):
            while not refused(store):  # noqa: ASYNC110 - the store tells nobody
                await asyncio.sleep(0.01)

    asyncio.run(note())
    assert refused(store) == 100
    assert (store.read(access.keys)[0].last_used or 0) > now_micros() - 60_000_000


def test_a_server_that_stops_stores_what_was_noted(store: Store) -> None:
    async def note() -> None:
        notes = Notes(store)
        notes.refused("rest")
        await notes.close()

    asyncio.run(note())
    assert refused(store) == 1


def test_while_the_store_cannot_write_the_notes_are_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_work: object) -> None:
        raise StoreUnavailable("the disk is full")

    async def note() -> None:
        notes = Notes(store)
        notes.refused("rest")
        with monkeypatch.context() as broken:
            broken.setattr(store, "submit", full)
            await notes.flush()
        notes.refused("rest")
        await notes.flush()

    asyncio.run(note())
    assert refused(store) == 2
