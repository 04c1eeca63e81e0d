"""Backup and restore, from the command line: while the server runs or not, from either engine into either."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from neighbours.server import Server, running_server


@pytest.fixture
def hub(data: Path) -> Iterator[Server]:
    with running_server(data) as server:
        yield server


def post(server: Server, subject: str) -> int:
    with server.client() as client:
        answer = client.post("/api/v2/alertgroup", json={"subject": subject, "data": [{"src": "192.0.2.7"}]})
    identity: int = answer.raise_for_status().json()["id"]
    return identity


@pytest.mark.parametrize("state", ["running", "stopped"])
def test_what_was_backed_up_is_there_after_a_restore(engine: str, data: Path, tmp_path: Path, state: str) -> None:
    target = tmp_path / "backup.zip"
    with running_server(data, engine) as server:
        number = post(server, "kept")
        if state == "stopped":
            server.stop()
        said = server.tocsin("backup", str(target)).stdout
    restored = Server(tmp_path / "new")
    restored.tocsin("restore", str(target))
    restored.start()
    with restored.client("viewer") as client:
        group = client.get(f"/api/v2/alertgroup/{number}").json()
    restored.stop()

    assert said.startswith(f"wrote {target}, ")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert (group["subject"], group["alerts"][0]["data"]) == ("kept", {"src": "192.0.2.7"})
    assert "password" not in restored.log.read_text()


def test_a_backup_never_writes_over_a_file_unasked(hub: Server, tmp_path: Path) -> None:
    target = tmp_path / "backup.zip"
    target.write_text("precious")

    refused = hub.tocsin("backup", str(target), check=False)
    kept = target.read_text()
    hub.tocsin("backup", str(target), "--force")

    assert (refused.returncode, kept) == (1, "precious")
    assert target.read_bytes().startswith(b"PK")
    assert [file.name for file in tmp_path.iterdir() if "backup" in file.name] == ["backup.zip"]


def test_a_backup_into_nowhere_is_one_line_and_leaves_nothing(hub: Server, tmp_path: Path) -> None:
    done = hub.tocsin("backup", str(tmp_path / "nowhere" / "backup.zip"), check=False)

    assert done.returncode == 1
    assert "No such file or directory" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_running_server_is_never_restored_into(hub: Server, tmp_path: Path) -> None:
    hub.tocsin("backup", str(tmp_path / "backup.zip"))

    done = hub.tocsin("restore", str(tmp_path / "backup.zip"), check=False)

    assert (done.returncode, done.stderr) == (1, f"tocsin: a server runs on {hub.data}: stop it first\n")


def test_what_is_no_backup_is_one_line(data: Path, tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_text("no zip")

    done = Server(data).tocsin("restore", str(tmp_path / "x.zip"), check=False)

    assert done.returncode == 1
    assert "is not a Tocsin backup" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_restore_needs_an_empty_store(hub: Server, tmp_path: Path) -> None:
    hub.tocsin("backup", str(tmp_path / "backup.zip"))
    hub.stop()

    done = hub.tocsin("restore", str(tmp_path / "backup.zip"), check=False)

    assert done.returncode == 1
    assert "empty" in done.stderr
