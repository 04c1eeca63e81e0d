"""Nothing of what a profile hides is left in any part of an alertgroup, whatever the input."""

import ipaddress
import re
import uuid

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.formats import group_json, idea, log_line
from tocsin.model import Alert, Alertgroup, Detection, Endpoint, Link
from tocsin.sharing.profile import Profile
from tocsin.sharing.redact import Redaction, never_leaves, without_secrets

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


inner = st.sampled_from(OWN).flatmap(
    lambda net: st.integers(0, net.num_addresses - 1).map(lambda n: str(net.network_address + n))
)
host = st.from_regex(r"[a-z][a-z0-9-]{0,8}\.corp\.example", fullmatch=True)
noise = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
texts = st.lists(st.one_of(inner, host, noise), max_size=6).map(" ".join)
cells = st.recursive(
    st.one_of(texts, st.integers(-9, 9), st.none()),
    lambda within: st.one_of(st.lists(within, max_size=3), st.dictionaries(texts, within, max_size=3)),
    max_leaves=8,
)


@given(
    texts,
    st.lists(st.dictionaries(texts, cells, max_size=4), max_size=3),
    texts,
    st.sampled_from(["pseudonym", "drop"]),
)
def test_no_own_address_or_host_is_in_any_byte_that_is_sent(
    subject: str, rows: list[dict[str, object]], body: str, way: str
) -> None:
    group = Alertgroup.of_rows(subject, rows, body=body, body_plain=body, tags=(subject,), message_id=subject)
    shown = Redaction(ALL.model_copy(update={"way": way}), KEY).applied(group)
    sent = group_json.document(shown).decode()

    for found in re.finditer(r"(?<![0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9.])", sent):
        address = (
            ipaddress.ip_address(found[0])
            if max(map(int, found[0].split("."))) < 256 and not re.search(r"(?:^|\.)0[0-9]", found[0])
            else None
        )
        assert address is None or not any(address in net for net in OWN if net.version == 4)
    for found in re.finditer(r"(?<![0-9a-fA-F:.])[0-9a-fA-F]{0,4}(?::[0-9a-fA-F.]{0,15}){2,8}(?![0-9a-fA-F:.])", sent):
        try:
            six = ipaddress.ip_address(found[0])
        except ValueError:
            continue
        assert not any(six in net for net in OWN if net.version == 6)
    assert "corp.example" not in sent.lower()


def test_the_other_formats_are_made_of_the_same_redacted_group() -> None:
    said = Detection(name="x", sources=(Endpoint(addresses=("10.1.2.3",)),))
    group = Alertgroup(subject="dc01.corp.example", alerts=(Alert.of({"a": "10.1.2.3"}, said),), received=1)
    shown = Redaction(ALL, KEY).applied(msgspec.structs.replace(group, uid=str(uuid.UUID(int=5))))
    alert = msgspec.structs.replace(shown.alerts[0], uid=str(uuid.UUID(int=6)))
    shown = msgspec.structs.replace(shown, alerts=(alert,))

    for sent in (idea.lines(shown), log_line.lines(shown)):
        assert b"10.1.2.3" not in sent
        assert b"240." in sent
