"""A server to measure: a data folder, an engine, a key, a process."""

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from machine import machine
from tocsin.store import open_store
from tocsin.store.access import add_key
from tocsin.web.auth import new_key

HERE = Path(__file__).parent
TOCSIN = (str(Path(sys.executable).with_name("tocsin")),)
STORING_NOTHING = (sys.executable, str(HERE / "storing_nothing.py"))


@contextlib.contextmanager
def folder(within: Path | None) -> Iterator[Path]:
    """A folder of our own, deleted afterwards."""
    made = Path(tempfile.mkdtemp(prefix="tocsin-bench-", dir=within))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextlib.contextmanager
def databases(engine: str, within: Path | None) -> Iterator[Iterator[str]]:
    """Urls of fresh stores, one after the other; a PostgreSQL of our own, with fsync, where that is asked for."""
    if engine == "sqlite":
        yield iter(lambda: "sqlite", "")
        return
    sys.path.append(str(HERE.parent / "tests"))
    from neighbours.postgres import Postgres  # noqa: PLC0415  # only needed, and only there, for this engine

    cluster = Postgres.create(fsync=True, within=within)
    try:
        cluster.start()
        yield iter(lambda: cluster.url(cluster.new_database()), "")
    finally:
        cluster.remove()


def configure(data: Path, url: str, *, destinations: bool) -> None:
    """Write the configuration; without destinations nothing is owed to anybody."""
    data.mkdir(parents=True, exist_ok=True)
    lines = [] if url == "sqlite" else ["[store]", f'url = "{url}"']
    if not destinations:
        for name in ("idea_log", "text_log"):
            lines += [f"[destinations.{name}]", "enabled = false"]
    (data / "tocsin.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def key(data: Path, url: str, role: str) -> str:
    """A new key, straight into the store; no server may run on it."""
    text, digest = new_key()
    store = open_store(url, data)
    store.write(lambda tx: add_key(tx, f"bench {role}", digest, role, time.time_ns() // 1000))
    store.close()
    return text


@contextlib.contextmanager
def serving(command: tuple[str, ...], data: Path) -> Iterator[int]:
    """The port of a server on the folder, ready; stopped afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = [*command, "serve", "--data", str(data), "--port", str(port)]
    with (data / "server.log").open("ab") as log:
        process = subprocess.Popen(arguments, stdout=log, stderr=log, env={**os.environ, "NO_COLOR": "1"})
    try:
        _wait(process, port, data)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, data: Path) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        with contextlib.suppress(URLError, ConnectionError), urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
            if answer.status == 200:
                return
        time.sleep(0.05)
    raise RuntimeError(f"the server did not start: {(data / 'server.log').read_text(encoding='utf-8')[-2000:]}")


def by_sizes(
    about: str,
    sizes: Sequence[int],
    measure: Callable[[argparse.Namespace, Iterator[str], Path, int], dict[str, Any]],
    show: Callable[[str, int, list[dict[str, Any]]], None],
) -> None:
    """The whole of a program that loads a server with alertgroups of several sizes: options, runs, table, report."""
    reader = argparse.ArgumentParser(description=about.splitlines()[0])
    reader.add_argument("--engine", choices=["sqlite", "postgres"], default="sqlite")
    reader.add_argument("--seconds", type=float, default=8, help="how long each run is measured")
    reader.add_argument("--connections", type=int, default=64)
    reader.add_argument("--rows", type=int, nargs="*", default=list(sizes), help="sizes of group")
    reader.add_argument("--within", type=Path, help="folder for the data; the disk there is what is measured")
    reader.add_argument("--json", type=Path, help="write the figures there too")
    arguments = reader.parse_args()
    with folder(arguments.within) as data, databases(arguments.engine, arguments.within) as urls:
        here = machine(data)
        print(here)
        results = [measure(arguments, urls, data, rows) for rows in arguments.rows]
    show(arguments.engine, arguments.connections, results)
    if arguments.json:
        report = {"machine": here, "engine": arguments.engine, "connections": arguments.connections, "runs": results}
        arguments.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
