"""Alertgroups to be written as STIX: one that anybody understands, and whatever hypothesis thinks of."""

from typing import Any

from hypothesis import strategies as st

from tocsin.formats.stix import identity
from tocsin.formats.stix.observables import MAKERS
from tocsin.model import TLP, Alert, Alertgroup, Detection, Endpoint, Entity, Severity

RECEIVED = 1_795_290_092_000_000
US = identity("CERT Example")
ATTACKER = Endpoint(addresses=("192.0.2.7",), ports=(4444,))
SCAN = Detection(
    name="Scan",
    description="many ports",
    severity=Severity.HIGH,
    confidence=0.9,
    start=RECEIVED - 5_000_000,
    end=RECEIVED - 2_000_000,
    sources=(ATTACKER,),
    targets=(Endpoint(addresses=("10.0.0.1",), ports=(23,)),),
    protocols=("TCP",),
)


def own(type: str, value: str) -> bool:
    return value.startswith("10.") or value.endswith("corp.example")


def group(*detections: Detection | None, **rest: Any) -> Alertgroup:
    alerts = tuple(Alert(json="{}", detection=one, uid=f"alert-{n}") for n, one in enumerate(detections))
    defaults: dict[str, Any] = {
        "subject": "Port scan",
        "uid": "group-uid",
        "id": 3,
        "received": RECEIVED,
        "tlp": TLP.GREEN,
    }
    return Alertgroup(alerts=alerts, **(defaults | rest))


TEXT = st.text(max_size=12) | st.text("abz09.-_@:/%'\\[]{}\"\n é中", max_size=16)
NAMES = st.from_regex(r"\A[a-z0-9_-]{1,8}(\.[a-z0-9_-]{1,8}){0,2}\Z") | TEXT
URLS = st.builds("{}://{}{}".format, st.sampled_from(["http", "https", "ftp", "1x", ""]), NAMES, TEXT) | TEXT
ADDRESSES = st.ip_addresses().map(str) | st.just("not an address")
ENDPOINTS = st.builds(
    Endpoint,
    addresses=st.lists(ADDRESSES, max_size=2).map(tuple),
    hostnames=st.lists(NAMES, max_size=2).map(tuple),
    ports=st.lists(st.integers(-1, 70000), max_size=2).map(tuple),
    macs=st.lists(st.just("aa:bb:cc:dd:ee:ff") | TEXT, max_size=1).map(tuple),
    urls=st.lists(URLS, max_size=2).map(tuple),
    emails=st.lists(st.builds("{}@{}".format, TEXT, NAMES) | st.emails(), max_size=1).map(tuple),
)
TIMES = st.none() | st.integers(-1, 2**63 - 1) | st.integers(RECEIVED - 10**9, RECEIVED + 10**9)
DETECTIONS = st.builds(
    Detection,
    name=TEXT,
    category=TEXT,
    description=TEXT,
    severity=st.none() | st.sampled_from(Severity),
    confidence=st.none() | st.floats(),
    detected=TIMES,
    start=TIMES,
    end=TIMES,
    sources=st.lists(ENDPOINTS, max_size=2).map(tuple),
    targets=st.lists(ENDPOINTS, max_size=2).map(tuple),
    protocols=st.lists(st.sampled_from(["tcp", "UDP", "ipv6-icmp", "", "no word"]), max_size=2).map(tuple),
)
TYPES = st.sampled_from([*MAKERS, "guid", "own"])
ENTITIES = st.builds(Entity, type=TYPES, value=TEXT | URLS | ADDRESSES | st.from_regex(r"\A[0-9a-f]{32}\Z"))
IDS = st.builds(Entity, type=st.just("cve"), value=st.from_regex(r"\ACVE-2[0-9]{3}-[1-9][0-9]{3,5}\Z")) | st.builds(
    Entity, type=st.just("technique"), value=st.from_regex(r"\AT1[0-9]{3}\Z")
)
