"""Waiting for the store: its answer, its error, and what happens when nobody waits any more."""

import asyncio
import threading
from concurrent.futures import Future

import pytest

from tocsin.web.waiting import committed


def test_the_answer_comes_from_another_thread() -> None:
    async def wait() -> int:
        future: Future[int] = Future()
        threading.Timer(0.01, future.set_result, [7]).start()
        return await committed(future)

    assert asyncio.run(wait()) == 7


def test_the_error_of_the_store_is_raised_where_one_waits() -> None:
    async def wait() -> int:
        future: Future[int] = Future()
        future.set_exception(KeyError("gone"))
        return await committed(future)

    with pytest.raises(KeyError, match="gone"):
        asyncio.run(wait())


def test_who_is_cancelled_does_not_cancel_the_work_of_the_store() -> None:
    future: Future[int] = Future()

    async def wait() -> None:
        waiting = asyncio.ensure_future(committed(future))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert not future.cancelled()
        future.set_result(7)
        await asyncio.sleep(0)

    asyncio.run(wait())
    assert future.result() == 7


def test_an_answer_after_the_loop_is_closed_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    future: Future[int] = Future()

    async def leave() -> None:
        asyncio.ensure_future(committed(future)).cancel()
        await asyncio.sleep(0)

    asyncio.run(leave())
    future.set_result(7)  # logs, and does not raise, what goes wrong in a callback
    assert caplog.records == []
