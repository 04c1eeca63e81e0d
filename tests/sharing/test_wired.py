"""From the line in `tocsin.toml` to the bytes at the partner's; a wrong line is named."""

import json
from pathlib import Path

import pytest

from neighbours.receiver import Receiver
from neighbours.server import running_server
from tocsin.app import build, load_config
from tocsin.errors import ConfigError
from tocsin.sharing import Profile

PROFILE = """
[sharing.profiles.partner]
networks = ["10.0.0.0/8"]
domains = ["corp.example"]
users = true
"""


def hook(url: str, more: str) -> str:
    return f'[destinations.hook]\ntype = "webhook"\nurl = "{url}"\n{more}\n'


def test_a_partner_gets_pseudonyms_and_we_keep_what_was_received(tmp_path: Path, receiver: Receiver) -> None:
    post = {
        "subject": "beacon from 10.1.2.3",
        "data": [{"src_ip": "10.1.2.3", "user": "eve", "password": "x", "host": "a.corp.example"}],
    }
    configuration = PROFILE + hook(receiver.url, 'redact = "partner"')
    with running_server(tmp_path, configuration=configuration) as server:
        with server.client("sender") as sender:
            assert sender.post("/api/v2/alertgroup", json=post).status_code == 200
        sent = receiver.wait_for(1)[0].body.decode()
        with server.client("viewer") as viewer:
            kept = viewer.get("/api/v2/alertgroup/1/alert").text

    assert "10.1.2.3" not in sent
    assert "eve" not in sent
    assert "corp.example" not in sent
    assert json.loads(sent)["alerts"][0]["data"]["password"] == "[redacted]"
    assert "beacon from 240." in sent
    assert "10.1.2.3" in kept
    assert (tmp_path / "sharing.key").stat().st_mode & 0o777 == 0o600


def test_the_same_key_gives_the_same_pseudonyms_after_a_restart(tmp_path: Path) -> None:
    (tmp_path / "tocsin.toml").write_text(PROFILE + hook("http://127.0.0.1:9/", 'redact = "partner"'))
    keys = []
    for _ in range(2):
        hub = build(load_config(tmp_path), tmp_path)
        keys.append((tmp_path / "sharing.key").read_bytes())
        assert hub.gate.redacts("hook")
        assert not hub.gate.redacts("idea_log")
        hub.stop()
    assert keys[0] == keys[1]
    assert len(keys[0]) > 40


@pytest.mark.parametrize(
    ("line", "place", "told"),
    [
        ('redact = "partnre"', "destinations.hook.redact", "did you mean partner?"),
        ('redact = { networks = ["10.0.0.0/33"] }', "destinations.hook.redact", "10.0.0.0/33"),
        ('redact = { network = ["10.0.0.0/8"] }', "destinations.hook.redact", "network"),
    ],
)
def test_a_wrong_profile_is_named_with_its_place(tmp_path: Path, line: str, place: str, told: str) -> None:
    (tmp_path / "tocsin.toml").write_text(PROFILE + hook("http://127.0.0.1:9/", line))
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path)

    assert place in str(caught.value)
    assert told in str(caught.value)


@pytest.mark.parametrize("networks", [["240.0.0.0/8"], ["0.0.0.0/0"], ["5000::/4"], ["10.0.0.1/8"]])
def test_networks_that_cannot_be_hidden_are_refused(networks: list[str]) -> None:
    with pytest.raises(ValueError, match=networks[0].partition("/")[0]):
        Profile(networks=networks)
