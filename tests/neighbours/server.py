"""A real Tocsin in a process of its own, worked as an operator works it: by its commands and over HTTP."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2

PATIENCE_S = 60.0
"""For an answer of a server on a starving machine, in tests that do not ask how fast it is."""
TOCSIN = str(Path(sys.executable).parent / "tocsin")


class Server:
    """One server over one data folder; it may be killed and started again, on the same port."""

    def __init__(self, data: Path, *, port: int = 0, environment: Mapping[str, str] | None = None) -> None:
        self.data = data
        self.port = port
        self.environment = {**os.environ, "NO_COLOR": "1", **(environment or {})}
        self.process: subprocess.Popen[bytes] | None = None
        self._keys: dict[str, str] = {}

    @property
    def base_url(self) -> str:
        """The address without a trailing slash."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def control(self) -> dict[str, Any]:
        """What the server left for the commands of this machine; empty while it does not run."""
        try:
            told: dict[str, Any] = json.loads((self.data / "control.json").read_text())
        except (FileNotFoundError, json.JSONDecodeError):  # it is not there, or just being written
            return {}
        return told

    @property
    def password(self) -> str:
        """The password of the user "admin", which the very first start printed."""
        found = re.search(r"password +(\S+)", self.log.read_text())
        assert found is not None, self.last_words()
        return found.group(1)

    @property
    def log(self) -> Path:
        """What the server printed, over all its lives."""
        return self.data / "server.log"

    def start(self, *, ready_within: float = 60) -> None:
        """Start it and wait for /readyz.

        Raises:
            AssertionError: it ended or was not ready in time; the text holds the end of its log.
        """
        self.data.mkdir(parents=True, exist_ok=True)
        command = [TOCSIN, "serve", "--data", str(self.data), "--host", "127.0.0.1", "--port", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=self.environment
            )
        self.wait_ready(ready_within)

    def wait_ready(self, within: float = 60) -> None:
        """Wait until /readyz says 200; raises AssertionError as `start` does."""
        until = time.monotonic() + within
        while time.monotonic() < until:
            assert self.process is not None, "not started"
            assert self.process.poll() is None, f"ended with {self.process.returncode}:\n{self.last_words()}"
            control = self.control
            if control.get("pid") != self.process.pid:
                time.sleep(0.02)
                continue
            self.port = urlsplit(control["url"]).port or self.port  # it chose one itself the first time
            with contextlib.suppress(httpx2.TransportError):
                if httpx2.get(f"{self.base_url}/readyz", trust_env=False, timeout=20).status_code == 200:
                    return
            time.sleep(0.05)
        raise AssertionError(f"not ready within {within} s:\n{self.last_words()}")

    def stop(self, within: float = 60) -> int:
        """End it politely (SIGTERM) and give its exit code; kills it when that takes too long."""
        return self._end(signal.SIGTERM, within)

    def kill(self) -> int:
        """End it with kill -9."""
        return self._end(signal.SIGKILL, 30)

    def tocsin(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command of Tocsin on this data folder: `server.tocsin("key", "list")`."""
        done = subprocess.run(
            [TOCSIN, *arguments, "--data", str(self.data)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=self.environment,
            timeout=2 * PATIENCE_S,
            check=False,
        )
        if check:
            assert done.returncode == 0, f"tocsin {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def key(self, role: str = "sender") -> str:
        """A key of that role, made at the first asking."""
        if role not in self._keys:
            answer = httpx2.post(
                f"{self.base_url}/api/v2/key",
                json={"name": f"test-{role}", "role": role},
                headers={"Authorization": f"Bearer {self.control['token']}"},
                trust_env=False,
                timeout=PATIENCE_S,
            )
            assert answer.is_success, answer.text
            self._keys[role] = answer.json()["key"]
        return self._keys[role]

    def client(self, role: str = "sender", *, timeout: float = PATIENCE_S) -> httpx2.Client:
        """An HTTP client that presents a key of that role; close it."""
        return httpx2.Client(
            base_url=self.base_url,
            headers={"Authorization": f"apikey {self.key(role)}"},
            trust_env=False,
            timeout=timeout,
        )

    def last_words(self, characters: int = 4000) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-characters:] if self.log.exists() else "(no log)"

    def _end(self, how: signal.Signals, within: float) -> int:
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            code = self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.process = None
        return code


@contextlib.contextmanager
def running_server(data: Path, store_url: str = "sqlite", configuration: str = "") -> Iterator[Server]:
    """A ready server over `data`; `configuration` is more text for its tocsin.toml."""
    data.mkdir(parents=True, exist_ok=True)
    toml = f'[store]\nurl = "{store_url}"\n\n{configuration}'
    (data / "tocsin.toml").write_text(toml)
    server = Server(data)
    try:
        server.start()
        yield server
    finally:
        server.stop()
