"""The server under fire: a process of its own, started, killed, frozen and thawed; its log outlives it."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from neighbours.ports import free_port
from neighbours.server import TOCSIN

SERVE = (TOCSIN,)
"""The real command; a test of the finder itself puts a broken one in its place."""


class Hub:
    """One Tocsin over one data folder, always on the same port."""

    def __init__(self, data: Path, log: Path, program: Sequence[str] = SERVE) -> None:
        self.data = data
        self.log = log
        self.port = free_port()
        self._program = tuple(program)
        self._process: subprocess.Popen[bytes] | None = None
        self.key = ""
        self.environment = {**os.environ, "NO_COLOR": "1", "PYTHONFAULTHANDLER": "1"}

    @property
    def alive(self) -> bool:
        """Whether the process runs (or is frozen)."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id; 0 when it does not run."""
        return self._process.pid if self._process is not None and self.alive else 0

    def start(self) -> None:
        """Start it; does not wait."""
        command = [*self._program, "serve", "--data", str(self.data), "--host", "127.0.0.1", "--port", str(self.port)]
        with self._open_log() as log:
            log.write(f"--- started by the loss finder: {' '.join(command)}\n".encode())
            log.flush()
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment, cwd="/"
            )

    def _open_log(self) -> BinaryIO:
        """The log, or one beside the data folder when nothing can be written in there now."""
        with suppress(OSError):
            return self.log.open("ab")
        self.log = self.data.with_name("server.log")
        return self.log.open("ab")

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self, within: float = 60) -> int | None:
        """SIGTERM; its exit code, or None when it had to be killed."""
        if self._process is None:
            return 0
        self._process.terminate()
        try:
            code = self._process.wait(within)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGABRT)  # what each thread is at goes into the log
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(10)
            self.kill()
            return None
        self._process = None
        return code

    def freeze(self) -> None:
        """SIGSTOP."""
        if self.alive and self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        if self.alive and self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def ready(self) -> tuple[int, str]:
        """What /readyz says; status 0 when nobody answers."""
        try:
            return self.ask("GET", "/readyz", timeout=5)
        except (OSError, http.client.HTTPException) as error:
            return 0, repr(error)

    def wait_ready(self, within: float) -> str:
        """Wait for /readyz to say yes: "" or the last thing it said instead."""
        until = time.monotonic() + within
        said = "nothing was asked"
        while time.monotonic() < until:
            status, text = self.ready()
            if status == 200:
                return ""
            said = f"{status} {text[:300]}"
            if not self.alive:
                return f"the process ended with {self._process.returncode if self._process else '?'}"
            time.sleep(0.03)
        return said

    def ask(
        self, method: str, path: str, body: bytes | None = None, *, bearer: str = "", timeout: float = 30
    ) -> tuple[int, str]:
        """One request on a fresh connection, with our own key unless another is given."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            bearer = bearer or self.key
            headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
            line.request(method, path, body, headers | {"Content-Type": "application/json"})
            with line.getresponse() as answer:
                return answer.status, answer.read().decode()
        finally:
            line.close()

    def get(self, path: str) -> Any:
        """The decoded answer of a GET. Raises AssertionError when it is no 200."""
        status, text = self.ask("GET", path)
        assert status == 200, f"GET {path}: {status} {text[:300]}"
        return json.loads(text)

    def operator(self) -> str:
        """The token that makes us this server's operator, as the command line finds it."""
        until = time.monotonic() + 60
        while True:
            with suppress(OSError, ValueError):
                return str(json.loads((self.data / "control.json").read_bytes())["token"])
            assert time.monotonic() < until, "the running server has no control.json"
            time.sleep(0.02)

    def post_key(self, name: str, role: str, bearer: str) -> str:
        """A key, made through the API."""
        body = json.dumps({"name": name, "role": role}).encode()
        status, text = self.ask("POST", "/api/v2/key", body, bearer=bearer)
        assert status == 200, f"POST /api/v2/key: {status} {text[:300]}"
        return str(json.loads(text)["key"])

    def create_key(self, name: str, role: str) -> str:
        """`tocsin key create`, as an operator types it, with the server running or not."""
        command = [str(TOCSIN), "key", "create", "--data", str(self.data), "--name", name, "--role", role]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=120, check=False, env=self.environment, cwd="/"
        )
        assert done.returncode == 0, f"tocsin key create: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout.strip()


def python(*arguments: str) -> tuple[str, ...]:
    """A program run by the Python of these tests."""
    return (sys.executable, *arguments)
