import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neighbours import stix_oracles as oracles
from tocsin.formats.stix import pattern
from tocsin.formats.stix.patterns import literal

MD5, SHA1, SHA256, SHA512 = "ab" * 16, "ab" * 20, "ab" * 32, "ab" * 64


@pytest.mark.parametrize(
    ("type", "value", "expected"),
    [
        ("ipv4", "192.0.2.7", "[ipv4-addr:value = '192.0.2.7']"),
        ("ipv6", "2001:DB8:0::1", "[ipv6-addr:value = '2001:db8::1']"),
        ("cidr", "192.0.2.0/24", "[ipv4-addr:value ISSUBSET '192.0.2.0/24']"),
        ("cidr", "2001:db8::/32", "[ipv6-addr:value ISSUBSET '2001:db8::/32']"),
        ("domain", "Evil.example", "[domain-name:value = 'evil.example']"),
        ("domain", "münchen.de", "[domain-name:value = 'xn--mnchen-3ya.de']"),
        ("url", "http://evil.example/a'b", r"[url:value = 'http://evil.example/a\'b']"),
        ("url", "http://evil.example/a b|ü?x=[1]#a#b", "[url:value = 'http://evil.example/a%20b%7C%C3%BC?x=%5B1%5D#a%23b']"),
        ("email", "o'neil@Evil.example", r"[email-addr:value = 'o\'neil@evil.example']"),
        ("file", r"a'\b.exe", r"[file:name = 'a\'\\b.exe']"),
        ("md5", MD5.upper(), f"[file:hashes.'MD5' = '{MD5}']"),
        ("sha1", SHA1, f"[file:hashes.'SHA-1' = '{SHA1}']"),
        ("sha256", SHA256, f"[file:hashes.'SHA-256' = '{SHA256}']"),
        ("sha512", SHA512, f"[file:hashes.'SHA-512' = '{SHA512}']"),
        ("mac", "AA-BB-CC-DD-EE-0F", "[mac-addr:value = 'aa:bb:cc:dd:ee:0f']"),
        (
            "user_agent",
            "curl/8 (it's me)",
            r"[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = 'curl/8 (it\'s me)']",
        ),
        ("port", "443", "[network-traffic:dst_port = 443]"),
        ("port", "TCP/443", "[network-traffic:dst_port = 443 AND network-traffic:protocols[*] = 'tcp']"),
        ("registry_key", r"HKEY_USERS\x", r"[windows-registry-key:key = 'HKEY_USERS\\x']"),
    ],
)  # fmt: skip
def test_each_type_has_its_pattern_and_the_grammar_accepts_it(type: str, value: str, expected: str) -> None:
    assert pattern(type, value) == expected
    assert oracles.wrong(expected) == []


@pytest.mark.parametrize(
    ("type", "value"),
    [
        ("ipv4", "192.0.2.7.1"), ("ipv4", ""), ("cidr", "192.0.2.1/24"), ("cidr", "192.0.2.0/33"), ("domain", "a b"),
        ("domain", ""), ("domain", "-.com"), ("domain", "192.0.2.1"), ("url", "no url"), ("url", "http://a b/"),
        ("url", "http://%zz/"), ("email", "nobody"), ("email", "a@b@c.de"), ("md5", "ab"), ("md5", "zz" * 16),
        ("sha256", MD5), ("mac", "aa:bb"), ("port", "65536"), ("port", "x"), ("port", "١"), ("file", ""),
        ("user_agent", ""), ("cve", "CVE-2021-44228"), ("asn", "AS1"), ("nothing known", "x"),
    ],
)  # fmt: skip
def test_what_has_no_pattern_has_none(type: str, value: str) -> None:
    assert pattern(type, value) == ""


@given(st.text(min_size=1) | st.text("'\\\n[]\"{}= x", min_size=1, max_size=20))
def test_any_text_stands_in_a_pattern_as_it_is(text: str) -> None:
    made = pattern("file", text)

    assert oracles.wrong(made) == []
    ((type, path, operator, written),) = oracles.compared(made)
    assert (type, path, operator) == ("file", ["name"], "=")
    assert written == literal(text)
    assert re.sub(r"\\(.)", r"\1", written[1:-1], flags=re.DOTALL) == text


TYPES = st.sampled_from(
    ["ipv4", "ipv6", "cidr", "domain", "url", "email", "file", "md5", "sha256", "mac", "user_agent", "port"]
)


@given(TYPES, st.text() | st.text("abc019.:/@-_%'\\[] é", max_size=30) | st.from_regex(r"https?://[^/]{0,9}/.*"))
def test_no_value_breaks_out_of_its_pattern(type: str, value: str) -> None:
    made = pattern(type, value)

    assert not made or (oracles.wrong(made) == [] and len(oracles.compared(made)) <= 2)
