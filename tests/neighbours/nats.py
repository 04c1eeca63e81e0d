"""Debian's nats-server with JetStream, on a free port."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from shutil import which
from typing import NamedTuple

from neighbours.missing import missing
from neighbours.ports import free_port

CONFIGURATION = """
listen: "127.0.0.1:{port}"
jetstream {{ store_dir: "{folder}" }}
max_payload: {payload}
{more}
"""


class Nats(NamedTuple):
    """One that runs on this machine."""

    port: int
    process: subprocess.Popen[bytes]


@contextlib.contextmanager
def nats_server(folder: Path, *, more: str = "", payload: int = 1_048_576) -> Iterator[Nats]:
    """It runs for as long as the context lasts; `more` is configuration of its own."""
    program = which("nats-server", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        missing("nats-server", "apt-get install nats-server")
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    told = folder / "nats.conf"
    told.write_text(CONFIGURATION.format(port=port, folder=folder, more=more, payload=payload))
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen([program, "-c", str(told)], stdout=said, stderr=subprocess.STDOUT)
    try:
        until = time.monotonic() + 60
        while True:
            assert process.poll() is None, (folder / "said").read_text()
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as probe:
                if probe.recv(4) == b"INFO":
                    break
            assert time.monotonic() < until, (folder / "said").read_text()
            time.sleep(0.05)
        yield Nats(port, process)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
