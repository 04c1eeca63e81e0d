"""Keys and users: the same words and the same effect whether the server runs or not, on either engine."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from cli.conftest import Standing
from neighbours.server import TOCSIN, Server, running_server

PASSWORD = "correct horse battery staple"


@pytest.fixture
def hub(standing: Standing, data: Path) -> Iterator[Server]:
    """A data folder whose server runs, or ran."""
    state, url = standing
    with running_server(data, url) as server:
        if state == "stopped":
            server.stop()
        yield server


def with_input(server: Server, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TOCSIN, *arguments, "--data", str(server.data)],
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=server.environment,
    )


def status(server: Server, *, key: str = "", auth: tuple[str, str] | None = None) -> int:
    """What the server, started if need be, says to one who shows this key or signs in so."""
    if server.process is None:
        server.start()
    headers = {"Authorization": f"apikey {key}"} if key else {}
    url = f"{server.base_url}/api/v2/alertgroup"
    return httpx2.get(url, headers=headers, auth=auth, trust_env=False, timeout=60).status_code


def test_a_key_is_printed_alone_and_opens_the_door(hub: Server) -> None:
    made = hub.tocsin("key", "create", "--name", "soc", "--role", "viewer")

    [key] = made.stdout.splitlines()
    assert made.stderr == ""
    assert status(hub, key=key) == 200


def test_a_key_is_listed_without_itself_and_refused_once_revoked(hub: Server) -> None:
    key = hub.tocsin("key", "create", "--name", "soc [red]", "--role", "viewer", "--expires", "30").stdout.strip()
    listed = hub.tocsin("key", "list").stdout
    revoked = hub.tocsin("key", "revoke", "soc [red]")

    assert "soc [red]" in listed
    assert key not in listed
    assert revoked.stdout == "revoked soc [red]\n"
    assert status(hub, key=key) == 401


def test_a_name_is_given_once(hub: Server) -> None:
    hub.tocsin("key", "create", "--name", "soc", "--role", "viewer")
    again = hub.tocsin("key", "create", "--name", "soc", "--role", "viewer", check=False)

    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr.startswith("tocsin: There is a key named 'soc' already")
    assert len(again.stderr.splitlines()) == 1


def test_what_is_not_there_cannot_be_revoked_or_changed(hub: Server) -> None:
    for arguments in (("key", "revoke", "nobody"), ("user", "disable", "nobody")):
        done = hub.tocsin(*arguments, check=False)

        assert done.returncode == 1
        assert done.stderr.startswith("tocsin: There is no ")


def test_a_user_is_added_changed_and_shut_out(hub: Server) -> None:
    added = with_input(hub, f"{PASSWORD}\n", "user", "add", "kim", "--role", "analyst", "--password-stdin")
    first = status(hub, auth=("kim", PASSWORD))
    changed = with_input(hub, f"{PASSWORD} 2\n", "user", "passwd", "kim", "--password-stdin")
    old = status(hub, auth=("kim", PASSWORD))
    new = status(hub, auth=("kim", f"{PASSWORD} 2"))
    hub.tocsin("user", "disable", "kim")
    shut = status(hub, auth=("kim", f"{PASSWORD} 2"))
    hub.tocsin("user", "enable", "kim")
    again = status(hub, auth=("kim", f"{PASSWORD} 2"))

    assert (added.returncode, changed.returncode) == (0, 0)
    assert (first, old, new, shut, again) == (200, 401, 200, 401, 200)
    assert "kim" in hub.tocsin("user", "list").stdout


def test_a_password_too_short_or_not_there_is_refused(hub: Server) -> None:
    short = with_input(hub, "short\n", "user", "add", "kim", "--role", "analyst", "--password-stdin")
    none = with_input(hub, "", "user", "add", "kim", "--role", "analyst", "--password-stdin")
    nobody_to_ask = with_input(hub, f"{PASSWORD}\n", "user", "add", "kim", "--role", "analyst")

    assert (short.returncode, none.returncode, nobody_to_ask.returncode) == (1, 2, 2)
    assert "10" in short.stderr
    assert "short" not in short.stderr.replace("too short", "")
    assert "--password-stdin" in nobody_to_ask.stderr


def test_the_last_admin_cannot_be_shut_out(hub: Server) -> None:
    done = hub.tocsin("user", "disable", "admin", check=False)

    assert done.returncode == 1
    assert "last active admin" in done.stderr
