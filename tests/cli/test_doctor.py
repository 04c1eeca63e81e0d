"""`tocsin doctor`: all well is 0; whatever is wrong is named with its cure, and is 1."""

from pathlib import Path

import pytest

from neighbours.ports import free_port
from neighbours.receiver import Receiver
from neighbours.server import Server, running_server


def findings(server: Server) -> tuple[int, dict[str, str]]:
    done = server.tocsin("doctor", check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, dict(line.split(": ", 1) for line in done.stdout.splitlines())


@pytest.mark.parametrize("state", ["running", "stopped"])
def test_all_well_is_0(engine: str, data: Path, state: str) -> None:
    data.mkdir(mode=0o700)
    with running_server(data, engine) as server:
        if state == "stopped":
            server.stop()
        code, found = findings(server)

    assert code == 0, found
    assert {name.split()[0] for name in found} == {"ok"}
    assert found["ok    store"].startswith("sqlite" if engine == "sqlite" else "postgres")
    assert "ok    destination idea_log" in found
    assert found["ok    server"].startswith("runs at" if state == "running" else "does not run")


def test_a_destination_that_is_not_there_is_named(data: Path, receiver: Receiver) -> None:
    data.mkdir(mode=0o700)
    configuration = (
        f'[destinations.here]\ntype = "webhook"\nurl = "{receiver.url}"\n'
        f'[destinations.gone]\ntype = "webhook"\nurl = "http://127.0.0.1:{free_port()}/"\n'
    )
    with running_server(data, "sqlite", configuration) as server:
        code, found = findings(server)

    assert code == 1
    assert "ok    destination here" in found
    assert [name for name in found if not name.startswith("ok ")] == ["WRONG destination gone"]


def test_a_bad_configuration_is_told_and_the_rest_looked_at_as_far_as_it_goes(data: Path) -> None:
    data.mkdir(mode=0o700)
    (data / "tocsin.toml").write_text("[http]\nport = -1\n")

    code, found = findings(Server(data))

    assert code == 1
    assert "WRONG configuration" in found
    assert "http.port = -1" in found["WRONG configuration"]
    assert found["WRONG server"].startswith("does not run and cannot be started")
    assert "ok    disk" in found


def test_a_folder_open_to_everybody_is_told_with_the_cure(data: Path) -> None:
    data.mkdir()
    data.chmod(0o755)

    code, found = findings(Server(data))

    assert code == 1
    assert f"chmod o= {data}" in found["WRONG data folder"]


def test_no_folder_is_told(data: Path) -> None:
    code, found = findings(Server(data))

    assert code == 1
    assert "`tocsin serve" in found["WRONG data folder"]
    assert not data.exists()


def test_a_killed_database_is_named_as_the_stores_fault(data: Path) -> None:
    data.mkdir(mode=0o700)
    (data / "tocsin.toml").write_text('[store]\nurl = "postgresql://tocsin:hunter2@127.0.0.1:1/tocsin"\n')

    code, found = findings(Server(data))

    assert code == 1
    assert "WRONG store" in found
    assert "hunter2" not in str(found)
