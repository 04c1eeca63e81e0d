"""Where threads and the event loop meet: waiting for the store without holding anybody up."""

import asyncio
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


async def committed(future: Future[T]) -> T:
    """What the store says after the commit.

    Whoever waits may be cancelled; the store finishes its work all the same. (`asyncio.wrap_future` would cancel it.)
    """
    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[T] = loop.create_future()

    def settle() -> None:
        if waiter.cancelled():
            return
        if (error := future.exception()) is not None:
            waiter.set_exception(error)
        else:
            waiter.set_result(future.result())

    def done(_future: Future[T]) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle)

    future.add_done_callback(done)
    return await waiter
