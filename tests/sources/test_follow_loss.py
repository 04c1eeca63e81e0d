"""Lines are written and files rotated while the server that follows them is killed: each line is stored once.

`TOCSIN_LOSS_SEED` draws the moments. At a desk it is killed twice, in CI four times.
"""

import os
import random
import shutil
import threading
from collections import Counter
from pathlib import Path
from typing import Self

import pytest

from neighbours.mailbox import until
from neighbours.server import Server
from tocsin.store import Tx, message, open_store

KILLS = 4 if os.environ.get("CI", "").lower() in {"1", "true"} else 2
SEED = os.environ.get("TOCSIN_LOSS_SEED", "follow")
CONFIGURATION = """
[sources.files]
type = "follow"
paths = ["{path}"]
begin = "beginning"
interval_s = 0.05
max_lines = 7
"""


class Detector:
    """Writes numbered lines, some in two halves, and rotates its file, until it is told to stop."""

    def __init__(self, path: Path, dice: random.Random, *, copy: bool) -> None:
        self.last = 0
        self._path, self._dice, self._copy = path, dice, copy
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._walk)
        self._rotated = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _walk(self) -> None:
        out = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        while not self._stop.is_set():
            for _ in range(self._dice.randint(1, 20)):
                self.last += 1
                line = b'{"n": %d}\n' % self.last
                half = self._dice.randint(0, len(line))
                os.write(out, line[:half])
                os.write(out, line[half:])
            if self._dice.random() < 0.15:
                self._rotated += 1
                rotated = self._path.with_name(f"{self._path.name}-2026{self._rotated:04}")
                if self._copy:
                    shutil.copy(self._path, rotated)
                    os.truncate(out, 0)
                else:
                    self._path.rename(rotated)
                    os.close(out)
                    out = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            self._stop.wait(self._dice.uniform(0.0, 0.1))
        os.close(out)


def numbers_in(data: Path) -> list[int]:
    def read(tx: Tx) -> list[int]:
        bodies = [message.original(tx, number) for (number,) in tx.rows("SELECT id FROM message ORDER BY id")]
        return [int(line.strip(b'{"n: }')) for body in bodies for line in body.splitlines()]

    store = open_store("sqlite", data)
    try:
        return store.read(read)
    finally:
        store.close()


def counted(server: Server) -> int:
    """How many alerts the server holds."""
    with server.client("viewer") as client:
        found: int = client.get("/api/v2/alert", params={"limit": 1}).json()["totalRecordCount"]
    return found


@pytest.mark.loss
@pytest.mark.timeout(300)
@pytest.mark.parametrize("copy", [False, True], ids=["renamed", "copied and truncated"])
def test_every_line_is_stored_once_however_often_the_server_is_killed(data: Path, tmp_path: Path, copy: bool) -> None:
    dice = random.Random(f"{SEED}.{copy}")
    data.mkdir()
    log = tmp_path / "log" / "ids.json"
    log.parent.mkdir()
    (data / "tocsin.toml").write_text(CONFIGURATION.format(path=log))
    log.write_bytes(b'{"n": 0}\n')
    server = Server(data)
    server.start()
    until(lambda: counted(server) == 1)  # what was rotated before a file is seen first is not read
    server.kill()
    with Detector(log, dice, copy=copy) as detector:
        for _ in range(KILLS):
            server.start()
            threading.Event().wait(dice.uniform(0, 1.0))
            server.kill()
    try:
        server.start()
        until(lambda: counted(server) > detector.last, within=120)
    finally:
        server.stop()
    found = Counter(numbers_in(data))

    assert sorted(found) == list(range(detector.last + 1)), f"seed {SEED}"
    assert [number for number, times in found.items() if times > 1] == [], f"seed {SEED}"
