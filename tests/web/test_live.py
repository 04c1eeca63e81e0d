"""Live changes: told as they are committed, from where the listener left off, without ever growing."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from tocsin.store import Change
from tocsin.web.live import Listener, Live
from web.conftest import Caller


async def read_events(live: Live, listener: Listener, wanted: int) -> list[dict[str, Any]]:
    """The next events of a stream; comments and the retry line are left out."""
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(60):
        async for text in live.events(listener):
            for block in text.decode().split("\n\n"):
                fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
                if "event" in fields:
                    found.append(fields | {"data": json.loads(fields["data"])})
            if len(found) >= wanted:
                break
    return found


def listening(live: Live, last: str = "") -> Listener:
    listener = live.listener(last)
    assert listener is not None
    return listener


def change(*ids: int, kind: str = "created") -> Change:
    return Change(kind, ids, ())


def run(test: Callable[[Live], Any]) -> Any:
    return asyncio.run(test(Live()))


def test_a_change_is_told_from_another_thread() -> None:
    async def test(live: Live) -> None:
        listener = listening(live)
        told = asyncio.to_thread(live.told, change(7))
        events, _ = await asyncio.gather(read_events(live, listener, 1), told)
        assert [(one["event"], one["data"]) for one in events] == [("alertgroup", {"kind": "created", "ids": [7]})]
        assert live.listening == 0

    run(test)


def test_changes_that_come_together_are_gathered_by_kind() -> None:
    async def test(live: Live) -> None:
        listener = listening(live)
        for id in (1, 2, 1):
            live.told(change(id))
        live.told(Change("delivery", (2,), ("webhook",)))
        events = await read_events(live, listener, 2)
        assert [one["data"] for one in events] == [
            {"kind": "created", "ids": [1, 2]},
            {"kind": "delivery", "ids": [2], "lanes": ["webhook"]},
        ]

    run(test)


def test_a_page_hears_what_changed_between_its_drawing_and_its_listening() -> None:
    async def test(live: Live) -> None:
        live.told(change(1))
        drawn = live.mark
        live.told(change(2))
        events = await read_events(live, listening(live, drawn), 1)
        assert events[0]["data"]["ids"] == [2]

    run(test)


def test_who_comes_back_hears_what_came_since() -> None:
    async def test(live: Live) -> None:
        first = listening(live)
        live.told(change(1))
        [event] = await read_events(live, first, 1)
        live.told(change(2))
        live.told(change(3))
        events = await read_events(live, listening(live, event["id"]), 1)
        assert events[0]["data"]["ids"] == [2, 3]

    run(test)


@pytest.mark.parametrize("last", ["before-the-restart.7", "nonsense", ".", "1.٣", "9" * 500])
def test_who_comes_back_from_before_a_restart_loads_afresh(last: str) -> None:
    async def test(live: Live) -> None:
        live.told(change(1))
        [event] = await read_events(live, listening(live, last), 1)
        assert event["event"] == "reset"

    run(test)


def test_a_slow_listener_is_told_to_load_afresh_and_holds_no_memory() -> None:
    async def test(live: Live) -> None:
        listener = listening(live)
        for id in range(live.size * 3):
            live.told(change(id))
        [event] = await read_events(live, listener, 1)
        assert event["event"] == "reset"
        assert len(live._ring) == live.size

    run(test)


def test_a_ring_exactly_full_loses_nothing() -> None:
    async def test(live: Live) -> None:
        live.most_ids = live.size
        listener = listening(live)
        for id in range(live.size):
            live.told(change(id))
        [event] = await read_events(live, listener, 1)
        assert event["data"]["ids"] == list(range(live.size))

    run(test)


def test_silence_is_filled_with_heartbeats() -> None:
    async def test(live: Live) -> None:
        live.heartbeat_s = 0.01
        stream = live.events(listening(live))
        assert [await anext(stream), await anext(stream)][1].startswith(b": ")
        await stream.aclose()
        assert live.listening == 0

    run(test)


def test_a_stopping_server_ends_every_stream_and_takes_no_new_one() -> None:
    async def test(live: Live) -> None:
        ended = asyncio.gather(*(read_events(live, listening(live), 1) for _ in range(3)))
        await asyncio.sleep(0)
        await asyncio.to_thread(live.close)
        assert await ended == [[], [], []]
        assert live.listener() is None

    run(test)


def test_there_is_a_limit_to_listeners() -> None:
    async def test(live: Live) -> None:
        live.most_listeners = 2
        streams = [live.events(listening(live)) for _ in range(2)]
        for stream in streams:
            await anext(stream)
        assert live.listener() is None
        await streams[0].aclose()
        assert live.listener()
        await streams[1].aclose()

    run(test)


def test_the_stream_over_http_tells_of_a_posted_alertgroup(sender: Caller, viewer: Caller) -> None:
    live: Live = viewer.application.state.web.live
    live.heartbeat_s = 0.1

    async def test() -> tuple[int, str, str]:
        async with viewer.client() as looking, sender.client() as posting:

            async def look() -> tuple[int, str, str]:
                answer = await looking.get("/api/v2/live")
                return answer.status_code, answer.headers["content-type"], answer.text

            async def post() -> None:
                while not live.listening:  # noqa: ASYNC110 - nothing rings when somebody begins to listen
                    await asyncio.sleep(0.01)
                group = {"subject": "s", "data": [{"a": 1}]}
                assert (await posting.post("/api/v2/alertgroup", json=group)).status_code == 200
                await asyncio.sleep(0.3)
                live.closing = True  # ends the stream

            return (await asyncio.gather(look(), post()))[0]

    status, media_type, text = viewer.runner.run(test())
    assert status == 200
    assert media_type.startswith("text/event-stream")
    assert 'data: {"kind":"created","ids":[1]}' in text


def test_asking_for_the_head_of_the_stream_does_not_start_it(viewer: Caller) -> None:
    answer = viewer.request("HEAD", "/api/v2/live")

    assert (answer.status_code, answer.text) == (200, "")
    assert viewer.application.state.web.live.listening == 0


def test_only_who_may_look_may_listen_and_only_so_many(sender: Caller, nobody: Caller, viewer: Caller) -> None:
    assert nobody.get("/api/v2/live").status_code == 401
    assert sender.get("/api/v2/live").status_code == 403

    viewer.application.state.web.live.most_listeners = 0
    full = viewer.get("/api/v2/live")
    assert full.status_code == 503
    assert int(full.headers["retry-after"]) > 0
