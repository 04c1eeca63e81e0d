"""`tocsin serve` as its operator meets it: one welcome, clear refusals, a clean end."""

import json
import re
import signal
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from neighbours.server import PATIENCE_S, TOCSIN, Server
from tocsin.cli.control import FILE_NAME
from tocsin.store import open_store


@pytest.fixture
def hub(data: Path) -> Iterator[Server]:
    server = Server(data)
    server.start()
    yield server
    server.stop()


def refused(*arguments: str) -> list[str]:
    """What `serve` says when it does not start."""
    done = subprocess.run(
        [TOCSIN, "serve", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()


def password_in(log: str) -> list[str]:
    return re.findall(r"^  password  (\S+)$", log, re.MULTILINE)


def test_the_first_start_makes_an_admin_and_tells_the_password_once(hub: Server) -> None:
    first = hub.log.read_text()
    [password] = password_in(first)
    who = httpx2.get(
        f"{hub.base_url}/api/v2/whoami", auth=("admin", password), trust_env=False, timeout=PATIENCE_S
    ).json()
    hub.stop()
    hub.start()

    assert f"address   {hub.base_url}" in first
    assert (who["user"], who["data"]["role"]) == ("admin", "admin")
    assert len(password_in(hub.log.read_text())) == 1


def test_a_folder_that_has_a_user_gets_no_other(data: Path) -> None:
    add = [TOCSIN, "user", "add", "kim", "--data", str(data), "--role", "admin", "--password-stdin"]
    subprocess.run(add, input="a long enough one\n", text=True, check=True, capture_output=True, timeout=60)
    server = Server(data)
    server.start()
    users = server.tocsin("user", "list").stdout
    server.stop()

    assert "kim" in users
    assert len(users.splitlines()) == 2
    assert password_in(server.log.read_text()) == []


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_0_and_takes_the_control_file_away(hub: Server, how: signal.Signals) -> None:
    there = (hub.data / FILE_NAME).exists()
    assert hub.process is not None
    hub.process.send_signal(how)

    assert hub.process.wait(30) == 0
    assert there
    assert not (hub.data / FILE_NAME).exists()
    assert "Traceback" not in hub.log.read_text()


def test_a_live_page_does_not_hold_the_end_up(hub: Server) -> None:
    [password] = password_in(hub.log.read_text())
    begun, ended = threading.Event(), threading.Event()

    def look_on() -> None:
        with (
            httpx2.Client(trust_env=False, timeout=60) as client,
            client.stream("GET", f"{hub.base_url}/api/v2/live", auth=("admin", password)) as answer,
        ):
            for _ in answer.iter_lines():
                begun.set()
        ended.set()

    threading.Thread(target=look_on, daemon=True).start()
    assert begun.wait(30)

    assert hub.stop() == 0
    assert ended.wait(30)
    assert "Cancel" not in hub.log.read_text()


def test_a_request_under_way_is_answered_before_the_end(hub: Server) -> None:
    key = hub.key()
    with socket.create_connection(("127.0.0.1", hub.port), timeout=60) as sender:
        body = b'{"subject":"slow","data":[{"n":1}]}'
        head = f"POST /api/v2/alertgroup HTTP/1.1\r\nHost: h\r\nAuthorization: apikey {key}\r\n"
        sender.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:10])
        assert hub.process is not None
        hub.process.send_signal(signal.SIGTERM)
        while "stopping" not in hub.log.read_text():
            assert hub.process.poll() is None
            time.sleep(0.05)
        sender.sendall(body[10:])
        said = sender.recv(65536)

    assert said.startswith(b"HTTP/1.1 200")
    assert hub.process.wait(30) == 0


def test_the_control_file_is_private_and_its_token_opens_every_door(hub: Server) -> None:
    file = hub.data / FILE_NAME
    control = json.loads(file.read_text())
    headers = {"Authorization": f"Bearer {control['token']}"}

    who = httpx2.get(f"{control['url']}/api/v2/whoami", headers=headers, trust_env=False, timeout=PATIENCE_S).json()

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert control["url"] == hub.base_url
    assert (who["user"], who["data"]["role"]) == ("operator", "admin")


def test_nothing_in_the_data_folder_is_for_others(hub: Server) -> None:
    hub.key()

    assert not [file.name for file in hub.data.iterdir() if file.stat().st_mode & 0o007 and file != hub.log]


def test_after_kill_9_commands_work_alone_and_it_starts_again(hub: Server) -> None:
    hub.key()
    hub.kill()
    left = (hub.data / FILE_NAME).exists()
    alone = hub.tocsin("key", "list").stdout
    hub.start()
    running = hub.tocsin("key", "list").stdout

    assert left
    assert "test-sender" in alone
    assert "test-sender" in running


def test_a_port_in_use_is_one_clear_line(hub: Server, tmp_path: Path) -> None:
    [line] = refused("--data", str(tmp_path / "other"), "--port", str(hub.port))

    assert line == (
        f"tocsin: cannot listen on 127.0.0.1 port {hub.port}: "
        "another program listens there; stop it or give another --port"
    )


def test_a_second_server_on_the_folder_is_one_clear_line(hub: Server) -> None:
    [line] = refused("--data", str(hub.data), "--port", "0")

    assert line.startswith("tocsin: another Tocsin works on ")
    assert (hub.data / FILE_NAME).exists()
    assert hub.tocsin("key", "list").returncode == 0


def test_an_address_of_another_machine_is_one_clear_line(tmp_path: Path) -> None:
    [line] = refused("--data", str(tmp_path / "d"), "--host", "192.0.2.1", "--port", "0")

    assert "this machine has no such address; give another --host" in line


def test_a_bad_configuration_is_told_whole(data: Path) -> None:
    data.mkdir()
    (data / "tocsin.toml").write_text('[http]\nport = -1\nhots = "x"\n[destinations.w]\ntype = "webhook"\n')

    lines = refused("--data", str(data))

    assert [line.split(": ")[2].split(" = ")[0] for line in lines] == ["http.port", "http.hots", "destinations.w.url"]
    assert not (data / "tocsin.db").exists()


def test_data_of_a_newer_tocsin_is_one_clear_line(data: Path) -> None:
    data.mkdir()
    store = open_store("sqlite", data)
    store.write(lambda tx: tx.run("INSERT INTO migration (version, applied) VALUES (9999, 0)"))
    store.close()

    [line] = refused("--data", str(data), "--port", "0")

    assert line.startswith("tocsin: ")
    assert "newer" in line


def test_a_database_that_is_not_there_is_one_clear_line_without_its_password(data: Path) -> None:
    data.mkdir()
    (data / "tocsin.toml").write_text('[store]\nurl = "postgresql://tocsin:hunter2@127.0.0.1:1/tocsin"\n')

    lines = refused("--data", str(data), "--port", "0")

    assert len(lines) == 1
    assert "hunter2" not in lines[0]


def test_the_log_is_json_lines_where_nobody_reads_it(hub: Server) -> None:
    hub.stop()
    lines = [json.loads(line) for line in hub.log.read_text().splitlines() if line.startswith("{")]

    events = [line["event"] for line in lines]
    assert events.index("ready") < events.index("stopping")
    assert {"event", "level", "timestamp"} <= lines[0].keys()


def test_the_configuration_names_host_and_port_and_the_command_line_overrules_it(data: Path) -> None:
    data.mkdir()
    server = Server(data)
    (data / "tocsin.toml").write_text('[http]\nhost = "192.0.2.1"\nport = 1\n[log]\nlevel = "warning"\n')
    server.start()
    log = server.log.read_text()
    server.stop()

    assert '"ready"' not in log


def test_it_speaks_https_and_its_commands_follow(data: Path) -> None:
    data.mkdir()
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=tocsin.test"]
    subprocess.run(
        [*make, "-keyout", str(data / "k.pem"), "-out", str(data / "c.pem")],
        check=True,
        capture_output=True,
        timeout=60,
    )
    (data / "tocsin.toml").write_text('[http]\nport = 0\ntls_certificate = "c.pem"\ntls_key = "k.pem"\n')
    with (data / "server.log").open("wb") as log:
        server = subprocess.Popen([TOCSIN, "serve", "--data", str(data)], stdout=log, stderr=log)
    try:
        while '"ready"' not in (data / "server.log").read_text():
            assert server.poll() is None, (data / "server.log").read_text()
            time.sleep(0.05)
        made = subprocess.run(
            [TOCSIN, "key", "create", "--data", str(data), "--name", "k", "--role", "sender"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        url = json.loads((data / FILE_NAME).read_text())["url"]
    finally:
        server.terminate()
        server.wait(30)

    assert url.startswith("https://127.0.0.1:")
    assert made.stdout.startswith("tocsin_"), made.stderr
