"""Who is let in to the Warden server by which name, secret and certificate."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tocsin.app import Hub, build, load_config
from tocsin.cli.peers import names_of
from tocsin.config import Config, WardenSection
from tocsin.errors import ConfigError
from tocsin.web.warden.entering import identified
from web.conftest import Caller

CLIENTS: dict[str, dict[str, Any]] = {
    "a.secret": {"secret": "secret-of-a"},
    "b.named": {},
    "c.hosted": {"hostname": "C.Example"},
    "d.both": {"hostname": "d.example", "secret": "secret-of-d"},
    "e.shared": {"hostname": "shared.example"},
    "f.shared": {"hostname": "shared.example"},
    "g.off": {"enabled": False},
}


@pytest.fixture
def hub(engine: str, data: Path) -> Iterator[Hub]:
    warden = {"clients": CLIENTS, "certificate_header": "X-Client-Name", "certificate_proxies": ["127.0.0.0/8"]}
    hub = build(Config.model_validate({"store": {"url": engine}, "warden": warden}), data)
    yield hub
    hub.stop()


@pytest.mark.parametrize(
    ("name", "secret", "shown", "who"),
    [
        ("", "secret-of-a", [], "a.secret"),
        ("a.secret", "secret-of-a", [], "a.secret"),
        ("a.secret", "", [], None),
        ("", "", [], None),
        ("", "secret-of-a", ["x.example"], "a.secret"),
        ("", "", ["a.secret"], "a.secret"),
        ("a.secret", "wrong-secret", ["a.secret"], "a.secret"),
        ("b.named", "", [], None),
        ("", "", ["b.named"], "b.named"),
        ("b.named", "", ["b.named"], "b.named"),
        ("b.named", "", ["x.example", "b.named"], None),
        ("c.hosted", "", [], None),
        ("c.hosted", "", ["c.hosted"], None),
        ("", "", ["c.example"], "c.hosted"),
        ("c.hosted", "", ["x", "c.example"], "c.hosted"),
        ("c.hosted", "secret-of-a", ["c.example"], None),
        ("", "", ["d.example"], None),
        ("", "secret-of-d", ["d.example"], "d.both"),
        ("d.both", "secret-of-d", [], None),
        ("d.both", "", ["d.both"], None),
        ("", "", ["shared.example"], None),
        ("f.shared", "", ["shared.example"], "f.shared"),
        ("g.off", "", ["g.off"], None),
    ],
)
def test_one_client_is_proved_or_nobody(name: str, secret: str, shown: list[str], who: str | None) -> None:
    clients = WardenSection.model_validate({"clients": CLIENTS, "certificate_header": "X"}).clients
    assert identified(clients, name, secret, shown) == who


def test_a_header_is_believed_from_permitted_proxies_alone_and_only_once(nobody: Caller, hub: Hub) -> None:
    def status(*names: str) -> int:
        headers = [("x-client-name", name) for name in names]
        return nobody.get("/warden3/getInfo", headers=headers).status_code

    assert status("b.named") == 200
    assert status("B.Named , other.example") == 200
    assert status("x, C.example") == 200
    assert status("") == 403
    assert status("b.named", "c.example") == 403
    hub.config = hub.config.model_copy(
        update={"warden": hub.config.warden.model_copy(update={"certificate_proxies": ["192.0.2.0/24"]})}  # type: ignore[union-attr]  # it is there
    )
    assert status("b.named") == 403


def test_the_names_of_a_certificate_are_its_cn_and_dns_names() -> None:
    subject = ((("countryName", "CZ"),), (("commonName", "a.b"),))
    also = (("DNS", "c.d"), ("IP Address", "192.0.2.1"), ("DNS", "e.f"))
    assert names_of({"subject": subject, "subjectAltName": also}) == ("a.b", "c.d", "e.f")
    assert names_of({"subject": (*subject, (("commonName", "x.y"),))}) == ()
    assert names_of({}) == ()


@pytest.mark.parametrize(
    ("warden", "words"),
    [
        ({"clients": {"a": {}}}, "give it a secret"),
        ({"clients": {"a": {"hostname": "x", "secret": "long-enough"}}}, "client_ca or"),
        ({"clients": {"a": {"secret": "short"}}}, "8 characters"),
        ({"clients": {"a": {"secret": "long-enough"}, "b": {"secret": "long-enough"}}}, "the same secret"),
        ({"clients": {"a.b": {"secret": "long-enough"}, "A.b": {"secret": "longer-still"}}}, "capitals do not count"),
        ({"clients": {"a b": {"secret": "long-enough"}}}, "words of letters"),
        ({"clients": {"a": {"secret": "long-enough", "admin": True}}}, "admin"),
        ({"node": "Org.Example"}, "node"),
        ({"query": "tag:("}, "query"),
        ({"clearance": "unset"}, "clearance"),
        ({"certificate_proxies": ["here"]}, "an address or a network"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_words(warden: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words) as caught:
        Config.model_validate({"warden": warden})
    assert "long-enough" not in str(caught.value)


def test_names_that_are_taken_and_files_without_use_are_told(data: Path) -> None:
    data.mkdir()
    (data / "tocsin.toml").write_text(
        """
[destinations.warden-server]
type = "idea_log"
[sources.sensor]
type = "maildir"
path = "mail"
[warden]
redact = "partners"
client_ca = "ca.pem"
[warden.clients.sensor]
"""
    )
    with pytest.raises(ConfigError) as caught:
        load_config(data)
    told = str(caught.value)
    for place in ("warden:", "warden.clients.sensor", "warden.redact", "warden.client_ca"):
        assert place in told
