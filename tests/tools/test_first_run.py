"""What `make run` does: a newcomer's first minute, and every start after it."""

import contextlib
import json
import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2

from neighbours.ports import free_port

ROOT = Path(__file__).parent.parent.parent
LAST_WORDS = "Ctrl-C stops"


class Run:
    """One `make run`, with what it prints."""

    def __init__(self, data: Path, port: int) -> None:
        command = [sys.executable, str(ROOT / "tools" / "first_run.py"), "--data", str(data), "--port", str(port)]
        # Whoever started the tests may ignore Ctrl-C, and a child would inherit that.
        command = ["env", "--default-signal=INT", *command]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.printed = ""
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def until(self, words: str) -> str:
        while words not in self.printed:
            self.printed += self._lines.get(timeout=60)
        return self.printed

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        code = self.process.wait(30)
        self._reader.join()
        return code

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout:
            for line in self.process.stdout:
                self._lines.put(line)
        self._lines.put(f"(ended) {LAST_WORDS}")


@contextlib.contextmanager
def running(data: Path, port: int) -> Iterator[Run]:
    run = Run(data, port)
    try:
        yield run
    finally:
        run.stop()


def test_the_first_start_shows_a_newcomer_around_and_the_second_does_not(tmp_path: Path) -> None:
    data, port = tmp_path / "var", free_port()
    url = f"http://127.0.0.1:{port}"
    with running(data, port) as first:
        printed = first.until(LAST_WORDS)
        password = re.search(r"password +(\S+)", printed)
        curl = next(line for line in printed.splitlines() if line.startswith("curl "))
        pasted = subprocess.run(["bash", "-c", f"{curl} -sS"], capture_output=True, text=True, check=True, timeout=30)
        assert password is not None
        with httpx2.Client(base_url=url, auth=("admin", password[1]), trust_env=False, timeout=60) as admin:
            listed = admin.get("/api/v2/alertgroup", params={"limit": "0", "sort": "id"}).json()["records"]
        ended = first.stop()
    with running(data, port) as second:
        again = second.until(LAST_WORDS)
        with httpx2.Client(base_url=url, auth=("admin", password[1]), trust_env=False, timeout=60) as admin:
            kept = admin.get("/api/v2/alertgroup").json()["totalRecordCount"]

    samples = [json.loads(file.read_text()) for file in sorted((ROOT / "examples" / "samples").glob("*.json"))]
    assert [group["subject"] for group in listed[:-1]] == [sample["subject"] for sample in samples]
    assert [group["alert_count"] for group in listed[:-1]] == [len(sample["data"]) for sample in samples]
    assert json.loads(pasted.stdout)["id"] == listed[-1]["id"]
    assert url in printed
    assert ended == 0
    assert url in again
    assert kept == len(samples) + 1
    assert password[1] not in again
    assert "tocsin_" not in again


def test_a_taken_port_is_said_and_nothing_is_left_running(tmp_path: Path) -> None:
    with running(tmp_path / "first", port := free_port()) as first:
        first.until(LAST_WORDS)
        second = Run(tmp_path / "second", port)
        code = second.process.wait(30)
        said = second.until(LAST_WORDS)
        second.stop()

    assert code == 1
    assert "another program listens there" in said
    assert "Welcome" not in said
