"""A whole server follows a folder: killed while it grows, each flow is there once, and each alert; and it says how."""

import json
import os
import random
import threading
from collections import Counter
from pathlib import Path
from typing import Self

import pytest

from neighbours.growing import each_once, grow, line, lines
from neighbours.mailbox import until
from neighbours.server import Server, running_server
from tocsin.flows.dataset import Dataset
from tocsin.store import Tx, message, open_store

KILLS = 4 if os.environ.get("CI", "").lower() in {"1", "true"} else 2
SEED = os.environ.get("TOCSIN_LOSS_SEED", "flows")
CONFIGURATION = """
[flows]
follow = ["{folder}"]
interval_s = 0.1
threads = 1
memory_mb = 200
"""


def eve(number: int) -> bytes:
    said = {
        "timestamp": "2026-11-22T10:00:00.000000+0000",
        "flow_id": number,
        "event_type": "alert",
        "src_ip": "192.0.2.1",
        "src_port": 1024,
        "dest_ip": "198.51.100.7",
        "dest_port": 80,
        "proto": "TCP",
        "alert": {"signature": "a scan", "signature_id": 1, "severity": 2, "action": "allowed"},
    }
    return json.dumps(said).encode() + b"\n"


class Sensor:
    """Writes numbered flows and alerts, some in two halves, and rotates the flows, until it is told to stop."""

    def __init__(self, folder: Path, dice: random.Random) -> None:
        self.flows = self.alerts = 0
        self._folder, self._dice = folder, dice
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._walk)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _walk(self) -> None:
        log, rotated = self._folder / "conn.log", 0
        while not self._stop.is_set():
            for _ in range(self._dice.randint(1, 20)):
                said = line(self.flows)
                half = self._dice.randint(0, len(said))
                grow(log, said[:half])
                grow(log, said[half:])
                self.flows += 1
            for _ in range(self._dice.randint(0, 3)):
                grow(self._folder / "eve.json", eve(self.alerts))
                self.alerts += 1
            if self._dice.random() < 0.15:
                rotated += 1
                log.rename(log.with_name(f"conn.2026-11-22-10-{rotated:02}.log"))
            self._stop.wait(self._dice.uniform(0.0, 0.2))


def metric(server: Server, name: str) -> float:
    with server.client("viewer") as client:
        text = client.get("/metrics").text
    return next((float(row.split()[-1]) for row in text.splitlines() if row.startswith(f"{name} ")), 0.0)


def alerts_in(data: Path) -> list[int]:
    def read(tx: Tx) -> list[int]:
        bodies = [message.original(tx, number) for (number,) in tx.rows("SELECT id FROM message ORDER BY id")]
        return [json.loads(row)["flow_id"] for body in bodies for row in body.splitlines()]

    store = open_store("sqlite", data)
    try:
        return store.read(read)
    finally:
        store.close()


@pytest.mark.loss
@pytest.mark.timeout(300)
def test_every_flow_and_every_alert_is_there_once_however_often_the_server_is_killed(
    data: Path, tmp_path: Path
) -> None:
    dice = random.Random(SEED)
    data.mkdir()
    folder = tmp_path / "logs"
    folder.mkdir()
    (data / "tocsin.toml").write_text(CONFIGURATION.format(folder=folder))
    server = Server(data)
    with Sensor(folder, dice) as sensor:
        for _ in range(KILLS):
            server.start()
            threading.Event().wait(dice.uniform(0, 3.0))
            server.kill()
    dataset = Dataset(data / "flows", memory_mb=200, threads=1)
    try:
        server.start()
        until(lambda: metric(server, "tocsin_flows_imported_total") >= sensor.flows + sensor.alerts, within=120)
        server.tocsin("flows", "list")
        with server.client("admin") as client:
            client.post("/api/v2/flow/refresh", timeout=60).raise_for_status()
    finally:
        server.stop()

    assert each_once(dataset, sensor.flows), f"seed {SEED}"
    assert Counter(alerts_in(data)) == Counter(range(sensor.alerts)), f"seed {SEED}"


def test_what_is_followed_is_labelled_exported_and_told_of(data: Path, tmp_path: Path) -> None:
    data.mkdir(mode=0o700)
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "conn.log").write_bytes(lines(0, 50) + b"no flow at all\n")
    more = 'export_labeled_flows = true\nexport_every_s = 1\nexport_formats = ["json"]\n'
    exported = data / "flows" / "labeled_flows.json"
    with running_server(data, "sqlite", CONFIGURATION.format(folder=folder) + more) as server:
        until(lambda: metric(server, "tocsin_flows_imported_total") == 50, within=60)
        with server.client() as client:
            row = {"src": "192.0.2.1", "uid": "C7", "category": "Recon.Scanning"}
            client.post("/api/v2/alertgroup", json={"subject": "a scan", "data": [row]}).raise_for_status()

        def labelled() -> list[str]:
            if not exported.exists():
                return []
            told = [json.loads(each) for each in exported.read_text().splitlines()]
            return [each["uid"] for each in told if each["label"] == "malicious"]

        until(lambda: labelled() == ["C7"], within=120)
        doctor = server.tocsin("doctor").stdout

        assert metric(server, "tocsin_flows_malformed_total") == 1
        assert metric(server, "tocsin_flows_kept") == 50
        assert metric(server, "tocsin_flows_followed_files") == 1
        assert metric(server, "tocsin_flows_behind_bytes") == 0
    assert "1 line could not be read" in doctor
    assert f"flows {folder}: can be read" in doctor


def test_a_doctor_names_what_cannot_be_followed(data: Path, tmp_path: Path) -> None:
    data.mkdir(mode=0o700)
    (data / "tocsin.toml").write_text(f'[flows]\nfollow = ["{tmp_path}/nowhere"]\n')

    done = Server(data).tocsin("doctor", check=False)

    assert done.returncode == 1
    assert f"WRONG flows {tmp_path}/nowhere: there is no such file or folder yet" in done.stdout


@pytest.mark.parametrize("state", ["running", "stopped"])
def test_an_import_hands_alerts_over_and_exports_whether_the_server_runs_or_not(
    data: Path, tmp_path: Path, state: str
) -> None:
    data.mkdir(mode=0o700)
    log = tmp_path / "eve.json"
    log.write_bytes(eve(1) + eve(2))
    configuration = '[flows]\nexport_labeled_flows = true\nexport_formats = ["tsv"]\n'
    with running_server(data, "sqlite", configuration) as server:
        if state == "stopped":
            server.stop()
        said = server.tocsin("flows", "import", str(log)).stdout
        again = server.tocsin("flows", "import", str(log)).stdout
        server.stop()

    assert "labeled_flows.tsv" in said
    assert "labeled_flows.tsv" not in again
    assert alerts_in(data) == [1, 2]
    assert (data / "flows" / "labeled_flows.tsv").read_text().count("malicious") == 2
