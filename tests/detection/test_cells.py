"""Single values in normal form."""

import pytest

from tocsin.detection import cells


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("2001:DB8:0000::0001", "2001:db8::1"),
        ("::FFFF:192.0.2.7", "::ffff:192.0.2.7"),
        ("::ffff:c000:207", "::ffff:192.0.2.7"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.07", ""),
        ("1.2.3", ""),
        ("::g", ""),
    ],
)
def test_addresses_are_canonical(text: str, canonical: str) -> None:
    assert cells.address(text) == canonical


@pytest.mark.parametrize(
    ("value", "port"),
    [
        (0, 0),
        (65535, 65535),
        ("443", 443),
        ("0x01bb", 443),
        (443.0, 443),
        (65536, None),
        (-1, None),
        (443.5, None),
        ("+443", None),
        ("4_43", None),
        ("https", None),
        ("0x", None),
        ("", None),
    ],
)
def test_ports_are_numbers_of_16_bits(value: str | float, port: int | None) -> None:
    assert cells.port(value) == port


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("WWW.Example.COM.", "www.example.com"),
        ("pc-7", "pc-7"),
        ("_dmarc.example.com", "_dmarc.example.com"),
        ("bücher.example", "bücher.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("-a.example", ""),
        ("a..example", ""),
        ("a b", ""),
        ("10.1.1.300", ""),
        ("12345", ""),
        ("a" * 64 + ".example", ""),
        (".".join(["a" * 60] * 5), ""),
        ("d41d8cd98f00b204e9800998ecf8427e", ""),
        ("localhost/x", ""),
    ],
)
def test_host_names_are_in_lower_case_and_of_their_form(text: str, name: str) -> None:
    assert cells.hostname(text) == name


@pytest.mark.parametrize(
    ("text", "mac"),
    [
        ("00-1B-44-11-3A-B7", "00:1b:44:11:3a:b7"),
        ("001b.4411.3ab7", "00:1b:44:11:3a:b7"),
        ("00:1b:44:11:3a", ""),
        ("001b44113ab7", ""),
        ("00:1b:44:11:3a:bg", ""),
    ],
)
def test_mac_addresses_are_pairs_with_colons(text: str, mac: str) -> None:
    assert cells.mac(text) == mac


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("TCP", ("tcp",)),
        ("6", ("tcp",)),
        ("58", ("ipv6-icmp",)),
        ("IPv6-ICMP", ("ipv6-icmp",)),
        ("tcp/http", ("tcp", "http")),
        ("ssl,http", ("ssl", "http")),
        ("failed", ()),
        ("unknown_transport", ()),
        ("255", ()),
        ("<script>", ()),
    ],
)
def test_protocols_are_names_in_lower_case(text: str, names: tuple[str, ...]) -> None:
    assert cells.protocols(text) == names


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Bob <bob@Example.COM>", "bob@example.com"),
        ("bob@example.com", "bob@example.com"),
        ('"<x@y.z>" <bob@example.com>', "bob@example.com"),
        ("bob", ""),
        ("bob@", ""),
        ("bob@example.com, eve@example.com", ""),
    ],
)
def test_mail_addresses_are_found_in_their_brackets(text: str, address: str) -> None:
    assert cells.email(text) == address
