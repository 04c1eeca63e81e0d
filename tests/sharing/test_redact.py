"""Nothing of what a profile hides is left in any part of an alertgroup, whatever the input."""

import ipaddress
import re
import uuid

import msgspec
import pytest

from tocsin.formats import group_json, idea, log_line
from tocsin.model import Alert, Alertgroup, Detection, Endpoint, Link
from tocsin.sharing.fields import never_leaves
from tocsin.sharing.profile import Profile
from tocsin.sharing.redact import Redaction, without_secrets

KEY = b"a key of the tests"
NETWORKS = ["10.0.0.0/8", "192.168.0.0/16", "172.16.0.0/12", "fd00::/8", "2001:db8:5::/48"]
ALL = Profile(networks=NETWORKS, domains=["corp.example", "münchen.example"], users=True, mail="own")
OWN = [ipaddress.ip_network(net) for net in NETWORKS]


def redacted(text: str, profile: Profile = ALL) -> str:
    group = Redaction(profile, KEY).applied(Alertgroup.of_rows(text, [{"text": text}]))
    assert group.alerts[0].data == {"text": group.subject}
    return group.subject


@pytest.mark.parametrize(
    "text",
    [
        "10.1.2.3", "from 10.1.2.3:443 to", "10[.]1[.]2[.]3", "10(.)1.2{.}3", "10[dot]1[dot]2[dot]3", "v10.1.2.3",
        "version 10.1.2.3", "1.10.1.2.3", "10.1.2.3.4", "x10.1.2.3y", "10-1-2-3.dsl", "ip_10_1_2_3", "10.1.2.0/24",
        "10.0.0.0/7", "::ffff:10.1.2.3", "::ffff:a01:203", "2002:a01:203::1", "64:ff9b::10.1.2.3", "[fd00::1]:443",
        "FD00:0:0::1", "fd00[:]:1", "fd00::1%eth0", "fd00::/16", "3.2.1.10.in-addr.arpa", "http://10.1.2.3/x",
        "http://10%2e1%2e2%2e3/", "hxxp://10[.]1.2.3/a", "a@10.1.2.3", "010.001.002.003", "2001:db8:5::7",
        "www.corp.example", "WWW.CORP.EXAMPLE", "corp.example", "a.b.corp[.]example", "a@corp.example",
        "https://x.corp.example:8443/y?z", "x.münchen.example", "x.xn--mnchen-3ya.example", "<m1@mail.corp.example>",
        "web%2ecorp%2eexample", "dc01.corp.example.",
    ],
)  # fmt: skip
def test_what_is_own_goes_in_any_spelling(text: str) -> None:
    for shown in (redacted(text), redacted(text, msgspec_drop())):
        plain = re.sub(r"[\[\](){}]|%2e", lambda found: "." if found[0] == "%2e" else "", shown.lower())
        assert "10.1.2." not in plain.replace("dot", ".")
        assert not re.search(r"10\D0?0?1\D0?0?2\D|fd00|2001:db8:5|a01:203|corp\W{0,3}example|nchen", plain)


def msgspec_drop() -> Profile:
    return ALL.model_copy(update={"way": "drop"})


@pytest.mark.parametrize(
    "text",
    [
        "198.51.100.7", "https://evil.example/10/1", "9.9.9.9 and 11.0.0.1", "2001:db8::1", "12:30:01", "1.2.3",
        "example", "mycorp.example", "alice@partner.example", "00:00:5e:00:53:01", "2026-05-04T11:50:00Z",
        "d41d8cd98f00b204e9800998ecf8427e", "Chrome/120.0.6099.71",
    ],
)  # fmt: skip
def test_what_is_not_own_stays_as_it_was_written(text: str) -> None:
    assert redacted(text) == text


def test_pseudonyms_are_the_same_for_the_same_and_keep_common_prefixes() -> None:
    shown = [redacted(text) for text in ("10.1.2.3", "10.1.2.4", "10.1.2.3", "10.200.2.3")]
    numbers = [int(ipaddress.ip_address(one)) for one in shown]

    assert shown[0] == shown[2]
    assert all(ipaddress.ip_address(one) in ipaddress.ip_network("240.0.0.0/4") for one in shown)
    assert numbers[0] >> 3 == numbers[1] >> 3
    assert numbers[0] >> 2 != numbers[1] >> 2 or numbers[0] != numbers[1]
    assert numbers[0] >> 23 != numbers[3] >> 23
    assert redacted("dc01.corp.example") == redacted("DC01.corp[.]example").replace("[.]", ".")
    assert Redaction(ALL, b"another key").applied(Alertgroup.of_rows("10.1.2.3", [])).subject != shown[0]


def test_every_part_of_an_alertgroup_is_gone_through() -> None:
    inside = Endpoint(addresses=("10.1.2.3",), hostnames=("dc01.corp.example",), emails=("a@corp.example",))
    said = Detection(name="seen on dc01.corp.example", description="10.1.2.3", sources=(inside,), targets=(inside,))
    row = {"10.1.2.3": {"deep": [{"host dc01.corp.example": ["10.1.2.3", 7, None, True]}]}, "Account Name": "CORP\\eve"}
    group = Alertgroup(
        subject="10.1.2.3", alerts=(Alert.of(row, said),), columns=("10.1.2.3", "Account Name"), tags=("10.1.2.3",),
        sources=("dc01.corp.example",), message_id="<x@corp.example>", body="<p>eve on 10.1.2.3</p>",
        body_plain="Eve was on dc01.corp.example", ahrefs=(Link(subject="x", link="https://siem.corp.example/1"),),
        groups={"read": ["wg-corp.example"]}, owner="eve",
    )  # fmt: skip
    shown = group_json.document(Redaction(ALL, KEY).applied(group)).decode()

    assert not re.search(r"10\.1\.2\.3|corp\.example|\beve\b|CORP", shown, re.IGNORECASE)
    assert "[7" not in shown
    assert "7,null,true]" in shown


def test_named_columns_and_bodies_are_left_out() -> None:
    profile = Profile(columns=["note", "*_comment"], bodies=True)
    group = Alertgroup.of_rows("s", [{"n": 1, "Note": "x", "deep": {"a_comment": 2}}], body="b", body_plain="p")
    shown = Redaction(profile, KEY).applied(group)

    assert (shown.columns, shown.body, shown.body_plain) == (("n", "deep"), "", "")
    assert shown.alerts[0].data == {"n": 1, "deep": {}}


def test_passwords_and_positions_never_leave_whatever_the_profile() -> None:
    row = {"user": "eve", "Password": "hunter2", "http": {"authorization": "Basic x"}, "geoip": {"lat": 1.5, "lon": 2},
           "gps": [1, 2], "note": "fine"}  # fmt: skip
    shown = without_secrets(Alertgroup.of_rows("s", [row, {"n": 1}]))

    gone = "[redacted]"
    assert shown.alerts[0].data == {
        "user": "eve", "Password": gone, "http": {"authorization": gone}, "geoip": {"lat": gone, "lon": gone},
        "gps": gone, "note": "fine"}  # fmt: skip
    assert shown.alerts[1].json == '{"n":1}'
    assert never_leaves("userPassword")
    assert not never_leaves("longest")
    assert not never_leaves("latency")


@pytest.mark.parametrize(
    "text",
    [
        "012.1.2.3", "0x0a.0x1.2.3", "http://167838211/x", "http://u:p@0x0a010203:80/", "http://10.66051/",
        "227 Entering (10,1,2,3,19,136)", "10 . 1 . 2 . 3", "10 dot 1 dot 2 dot 3", "310.1.2.3", "10.1.2.399",
        "2001:0:4136:e378:8000:63bf:f5fe:fdfc", "fe80::200:5efe:a01:203", "64:ff9b:1::a01:203", "::ffff:0:a01:203",
        "fd00--1s4.ipv6-literal.net", "10·1·2·3", "⑩.①.②.③", "١٠.١.٢.٣", "\\ud835\\udfcf0.1.2.3", "%u0031%u0030.1.2.3",
        "&lt;b&gt;10.&lt;i&gt;1.2.3", "1\x000\x00.\x001\x00.\x002\x00.\x003", "log_dc01.corp.example_2026.txt",
        "a\\ncorp.example", "%2Fcorp.example", "dc01.corp.example-x", "x.mu\u0308nchen.example", '"eve s"@corp.example',
        "eve[at]corp[.]example", "eve%40corp.example",
    ],
)  # fmt: skip
def test_nothing_of_it_is_left_where_somebody_tries_to_hide_it(text: str) -> None:
    for shown in (redacted(text), redacted(text, msgspec_drop())):
        assert ("240.97.55." in shown) or ("redacted" in shown)
        assert not re.search(r"corp|nchen|eve|a01:203|fdfc|fd00|1.2.3$", shown)


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        ({"user": {"name": "eve", "id": 7}}, '{"user":{"name":"user-…","id":7}}'),
        ({"user": ["eve"], "cmd": "runas /u:EVE"}, '{"user":["user-…"],"cmd":"runas /u:user-…"}'),
        ({"user": "Eve Smith", "x": "by eve smith, eve s"}, '{"user":"user-…","x":"by user-…, eve s"}'),
        ({"user": "eve", "x": "e%76e &#101;ve e\u200bve steve"}, '{"user":"user-…","x":"user-… user-… user-… steve"}'),
        ({"src_ip": 167838211, "n": 167838211}, '{"src_ip":4032902916,"n":167838211}'),
        ({"10.1.2.3": 1, "010.1.2.3": 2}, '{"240.97.55.4":1,"240.97.55.4 (2)":2}'),
    ],
)
def test_users_and_addresses_go_from_nested_cells_numbers_and_keys(row: dict[str, object], shown: str) -> None:
    group = Redaction(ALL, KEY).applied(Alertgroup.of_rows("s", [row]))

    assert re.sub(r"user-[0-9a-f]{16}", "user-…", group.alerts[0].json) == shown


def test_a_detection_shows_no_address_that_is_not_written_as_one() -> None:
    odd = Endpoint(addresses=("10.1.2.3:443", "fd00::1%eth0"), macs=("10.1.2.3",), hostnames=("eve-pc", "eve"))
    group = Alertgroup(subject="s", alerts=(Alert.of({"user": "eve"}, Detection(sources=(odd,))),))
    said = Redaction(ALL, KEY).applied(group).alerts[0].detection
    assert said is not None
    side = said.sources[0]

    assert side.addresses[0].startswith("240.")
    assert "fd00" not in side.addresses[1]
    assert side.macs[0].startswith("240.")
    assert side.hostnames[1].startswith("user-")


def test_a_secret_that_stands_twice_under_one_name_goes_with_both() -> None:
    alert = msgspec.structs.replace(Alert.of({}), json='{"password":"hunter2","password":""}')

    assert "hunter2" not in without_secrets(Alertgroup(subject="s", alerts=(alert,))).alerts[0].json


@pytest.mark.parametrize("part", ["1.1.1.1.", "10.", "::::", "fd00:1.1:", "a.a.a.", "a@", "<a", "&#49;", "%2531", "１"])
def test_long_texts_made_to_be_slow_are_gone_through(part: str) -> None:
    shown = redacted(part * 5000 + " 10.1.2.3 x.corp.example")

    assert "240.97.55.4 host-" in shown


def test_the_other_formats_are_made_of_the_same_redacted_group() -> None:
    said = Detection(name="x", sources=(Endpoint(addresses=("10.1.2.3",)),))
    group = Alertgroup(subject="dc01.corp.example", alerts=(Alert.of({"a": "10.1.2.3"}, said),), received=1)
    shown = Redaction(ALL, KEY).applied(msgspec.structs.replace(group, uid=str(uuid.UUID(int=5))))
    alert = msgspec.structs.replace(shown.alerts[0], uid=str(uuid.UUID(int=6)))
    shown = msgspec.structs.replace(shown, alerts=(alert,))

    for sent in (idea.lines(shown), log_line.lines(shown)):
        assert b"10.1.2.3" not in sent
        assert b"240." in sent
