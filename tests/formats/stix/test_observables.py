"""Observables have the ids that everybody else derives for them."""

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neighbours import stix_oracles as oracles
from tocsin.formats.stix.observables import MOST_CONNECTIONS, observable, of_alert
from tocsin.model import Detection, Endpoint, Entity

HEX = st.text("0123456789abcdef", min_size=64, max_size=64)


def id_of(type: str, value: str) -> str:
    one = observable(type, value)
    return one.id if one else ""


def test_the_address_of_the_specification_has_its_id() -> None:
    assert id_of("ipv4", "192.0.2.7") == "ipv4-addr--fe609036-dbde-52d8-a120-35d115a7d338"


@given(st.ip_addresses(), HEX, st.integers(0, 2**32 - 1), st.text(min_size=1))
def test_ids_are_those_that_the_stix2_library_derives(address: Any, digits: str, number: int, text: str) -> None:
    stix2 = oracles.stix2
    kind = stix2.IPv4Address if address.version == 4 else stix2.IPv6Address

    assert id_of(f"ipv{address.version}", str(address)) == kind(value=ipaddress.ip_address(address).compressed).id
    assert id_of("md5", digits[:32]) == stix2.File(hashes={"MD5": digits[:32]}).id
    assert id_of("sha1", digits[:40]) == stix2.File(hashes={"SHA-1": digits[:40]}).id
    assert id_of("sha256", digits) == stix2.File(hashes={"SHA-256": digits}).id
    assert id_of("sha512", digits * 2) == stix2.File(hashes={"SHA-512": digits * 2}).id
    assert id_of("asn", f"AS{number}") == stix2.AutonomousSystem(number=number).id
    assert id_of("file", text) == stix2.File(name=text).id
    assert id_of("registry_key", text) == stix2.WindowsRegistryKey(key=text).id


def test_a_value_is_normalised_before_its_id_is_derived() -> None:
    stix2 = oracles.stix2

    assert id_of("ipv6", "2001:DB8:0::1") == stix2.IPv6Address(value="2001:db8::1").id
    assert id_of("domain", "EXAMPLE.org.") == stix2.DomainName(value="example.org").id
    assert id_of("mac", "AA-BB-CC-DD-EE-FF") == stix2.MACAddress(value="aa:bb:cc:dd:ee:ff").id
    assert id_of("url", "http://example.org/a b") == stix2.URL(value="http://example.org/a%20b").id
    assert id_of("email", "Joe@Example.org") == stix2.EmailAddress(value="Joe@example.org").id
    assert id_of("cidr", "192.0.2.0/24") == stix2.IPv4Address(value="192.0.2.0/24").id


def test_a_connection_stands_between_its_addresses_and_has_the_libraries_id() -> None:
    detection = Detection(
        sources=(Endpoint(addresses=("192.0.2.7",), ports=(4444,)),),
        targets=(Endpoint(addresses=("2001:db8::1",), ports=(23,)),),
        protocols=("TCP", "no/word"),
    )

    source, target, traffic = of_alert(detection, (), ("", ""), ())

    assert (
        traffic.id
        == oracles.stix2.NetworkTraffic(
            src_ref=source.id, dst_ref=target.id, src_port=4444, dst_port=23, protocols=["tcp"]
        ).id
    )


def test_where_no_protocol_is_told_it_is_that_of_the_address() -> None:
    for address, protocol in (("192.0.2.1", "ipv4"), ("2001:db8::1", "ipv6")):
        side = (Endpoint(addresses=(address,)),)

        *_, traffic = of_alert(Detection(sources=side, targets=side), (), ("", ""), ())

        assert getattr(traffic, "protocols", None) == (protocol,)


def test_of_a_scan_of_too_many_the_addresses_stand_alone() -> None:
    targets = tuple(Endpoint(addresses=(str(ipaddress.ip_address(n)),)) for n in range(1, MOST_CONNECTIONS + 2))

    found = of_alert(Detection(sources=(Endpoint(addresses=("192.0.2.7",)),), targets=targets), (), ("", ""), ())

    assert len(found) == MOST_CONNECTIONS + 2


def test_what_stands_in_a_row_twice_is_one_object() -> None:
    detection = Detection(sources=(Endpoint(addresses=("192.0.2.7",)),))
    entities = [Entity(type="ipv4", value="192.0.2.7"), Entity(type="cve", value="CVE-2021-44228")]

    assert [one.id for one in of_alert(detection, entities, ("", ""), ())] == [id_of("ipv4", "192.0.2.7")]


@pytest.mark.parametrize(
    ("type", "value"),
    [
        ("ipv4", "x"),
        ("domain", "a_b"),
        ("email", "o'neil@x.org"),
        ("asn", "AS"),
        ("asn", f"AS{2**32}"),
        ("file", ""),
        ("registry_key", ""),
    ],
)
def test_what_stix_has_no_object_for_has_none(type: str, value: str) -> None:
    assert observable(type, value) is None
