"""A server that cannot write its `control.json` serves all the same, and writes it once it can."""

import asyncio
import errno

import pytest
import uvicorn

from tocsin.cli import running
from tocsin.cli.control import Control

CONTROL = Control("http://127.0.0.1:1", "token", 1)


def test_a_full_disk_delays_the_announcement_and_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "ANNOUNCE_EVERY_S", 0.001)
    announced: list[Control] = []
    failures = [OSError(errno.ENOSPC, "No space left on device")] * 3

    def announce(control: Control) -> None:
        if failures:
            raise failures.pop()
        announced.append(control)

    server = running._Server(uvicorn.Config("unused"), None, "token", announce, "")
    asyncio.run(server._announce_later(CONTROL))

    assert announced == [CONTROL]
    assert failures == []
