"""Labels: one text of SQL says of every flow what trying it against every alert says."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neighbours.labels import S, between, flow, labels, naive, told, triaged
from tocsin.flows.dataset import Dataset
from tocsin.flows.labelling.prepared import Options
from tocsin.model import Detection, Endpoint, Severity, Triaged

T = 1_700_000_000 * S
A, B, C = "10.0.0.1", "10.0.0.9", "2001:db8::1"
HOUR = 3600 * S


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """An empty data set."""
    return Dataset(tmp_path / "flows", memory_mb=200, threads=2)


def one(dataset: Dataset, said: Detection, options: Options | None = None, **cells: Any) -> str:
    """The label of a flow after one alert."""
    told(dataset, triaged(1, said), anew=True)
    return labels(dataset, [flow(1, **cells)], options)[0][1]


moments = st.one_of(
    st.integers(-3, 3).map(lambda n: T + n * S),
    st.sampled_from([T - 61 * S, T + 60 * S, T - HOUR, T + HOUR, T + 25 * HOUR, T - 25 * HOUR, 5 * S, -5 * S, -70 * S]),
)
ends = st.builds(
    Endpoint,
    addresses=st.lists(st.sampled_from([A, B, C]), max_size=2).map(tuple),
    ports=st.lists(st.sampled_from([0, 53, 80]), max_size=2).map(tuple),
)
detections = st.builds(
    Detection,
    severity=st.none() | st.sampled_from(Severity),
    detected=st.none() | moments,
    start=st.none() | moments,
    end=st.none() | moments,
    sources=st.lists(ends, min_size=1, max_size=2).map(tuple),
    targets=st.lists(ends, min_size=1, max_size=2).map(tuple),
    protocols=st.lists(st.sampled_from(["tcp", "udp", "icmp", "http", "ipv6-icmp"]), max_size=2).map(tuple),
    flow_uids=st.lists(st.sampled_from(["C1", "C2", "C3"]), max_size=2).map(tuple),
)
flows = st.fixed_dictionaries(
    {
        "uid": st.none() | st.sampled_from(["C1", "C2", "C4", ""]),
        "uids": st.none() | st.lists(st.sampled_from(["C2", "C3", "C4"]), max_size=2),
        "start": st.none() | moments,
        "finish": st.none() | moments,
        "saddr": st.none() | st.sampled_from([A, B, C, "10.0.0.2"]),
        "daddr": st.none() | st.sampled_from([A, B, C]),
        "sport": st.none() | st.sampled_from([0, 53, 80, 4444]),
        "dport": st.none() | st.sampled_from([53, 80]),
        "proto": st.none() | st.sampled_from(["tcp", "TCP", "udp", "icmp", "ipv6-icmp", ""]),
    }
)


@settings(max_examples=60)
@given(
    said=st.lists(st.lists(detections, max_size=3), max_size=5),
    rows=st.lists(flows, max_size=12),
    one_sided=st.booleans(),
    tolerance=st.sampled_from([0, 1, 2.5]),
)
def test_the_labels_are_those_of_trying_each_flow_against_each_alert(
    said: list[list[Detection]], rows: list[dict[str, Any]], one_sided: bool, tolerance: float
) -> None:
    groups: list[Triaged] = [triaged(id, *each) for id, each in enumerate(said, 1)]
    several = [flow(place, **cells) for place, cells in enumerate(rows)]
    options = Options(tolerance_s=tolerance, one_sided=one_sided, malicious="bad", benign="good")
    with TemporaryDirectory() as folder:
        dataset = Dataset(Path(folder) / "flows", memory_mb=200, threads=1)
        told(dataset, *groups, anew=True)
        assert labels(dataset, several, options) == naive(groups, several, options)


def test_a_flow_is_named_by_its_uid_whatever_else_the_alert_says(dataset: Dataset) -> None:
    said = between(A, B, flow_uids=("C1",), start=T)
    assert one(dataset, said, uid="C1", saddr=C, start=T + HOUR) == "malicious"
    assert one(dataset, said, uid="C2", saddr=A, daddr=B, start=T) == "benign"


def test_what_was_seen_inside_a_connection_is_labelled_with_it(dataset: Dataset) -> None:
    told(dataset, triaged(1, Detection(flow_uids=("C1",))))
    several = [flow(1, uid="C1"), flow(2, uid="C1"), flow(3, uids=["C9", "C1"]), flow(4, uid="C2")]
    assert [label for _, label, _ in labels(dataset, several)] == ["malicious", "malicious", "malicious", "benign"]


def test_both_addresses_are_needed_in_either_direction_and_ports_go_with_them(dataset: Dataset) -> None:
    said = between(A, B, target_ports=(80,))
    assert one(dataset, said, saddr=A, daddr=B, sport=5, dport=80) == "malicious"
    assert one(dataset, said, saddr=B, daddr=A, sport=80, dport=5) == "malicious"
    assert one(dataset, said, saddr=B, daddr=A, sport=5, dport=80) == "benign"
    assert one(dataset, said, saddr=A, daddr=C, dport=80) == "benign"
    assert one(dataset, said, saddr=A, daddr=B) == "benign", "a port that is not known is not the one"


def test_one_address_is_enough_where_that_is_wanted_and_a_time_is_said(dataset: Dataset) -> None:
    wanted = Options(one_sided=True)
    assert one(dataset, between(A, start=T), saddr=A, daddr=B, start=T) == "benign"
    assert one(dataset, between(A, start=T), wanted, saddr=A, daddr=B, start=T) == "malicious"
    assert one(dataset, between("", A, start=T), wanted, saddr=A, daddr=B, start=T) == "malicious"
    assert one(dataset, between(A), wanted, saddr=A, daddr=B, start=T) == "benign"
    assert one(dataset, between(A, start=T), wanted, saddr=A, daddr=B, start=T + HOUR) == "benign"


@pytest.mark.parametrize("length", [1, 59, 61, 3599, 3601, 86_399, 86_401, 900_000])
def test_a_flow_of_any_length_meets_a_moment_within_it_and_none_beside_it(dataset: Dataset, length: int) -> None:
    cells: dict[str, Any] = {"saddr": A, "daddr": B, "start": T, "finish": T + length * S}
    for moment in (T - S, T, T + length * S // 2, T + (length + 1) * S):
        assert one(dataset, between(A, B, detected=moment), **cells) == "malicious"
    for moment in (T - S - 1, T + (length + 1) * S + 1):
        assert one(dataset, between(A, B, detected=moment), **cells) == "benign"


@pytest.mark.parametrize("length", [1, 59, 61, 3599, 3601, 86_399, 86_401, 900_000])
def test_a_window_of_any_length_meets_the_flows_that_begin_in_it(dataset: Dataset, length: int) -> None:
    said = between(A, B, start=T, end=T + length * S)
    for start in (T, T + length * S // 3, T + length * S):
        assert one(dataset, said, saddr=B, daddr=A, start=start) == "malicious"
    for start in (T - 2 * S, T + (length + 2) * S):
        assert one(dataset, said, saddr=B, daddr=A, start=start) == "benign"


def test_the_worst_alert_labels_a_flow_and_of_equals_the_earliest(dataset: Dataset) -> None:
    told(
        dataset,
        triaged(1, Detection(flow_uids=("C1",), severity=Severity.LOW, detected=T)),
        triaged(2, Detection(flow_uids=("C1",), severity=Severity.HIGH, detected=T + S)),
        triaged(3, between(A, B, severity=Severity.HIGH, start=T)),
        triaged(4, between(A, B, severity=Severity.HIGH, start=T)),
    )
    assert labels(dataset, [flow(1, uid="C1", saddr=A, daddr=B, start=T)]) == [(1, "malicious", 300)]
    assert labels(dataset, [flow(1, uid="C1", saddr=A, daddr=B, start=T + HOUR)]) == [(1, "malicious", 200)]


def test_rows_come_out_as_many_and_in_the_order_in_which_they_went_in(dataset: Dataset) -> None:
    """Few rows and many detections: it is then that a join would rather begin with the detections."""
    told(dataset, *(triaged(n, Detection(flow_uids=(f"C{n % 7}", f"D{n}")), between(A, B)) for n in range(1, 400)))
    several = [flow(n, uid=f"C{n % 9}", saddr=A, daddr=B if n % 2 else C) for n in range(60)]
    assert [place for place, _, _ in labels(dataset, several)] == list(range(60))


def test_an_alert_that_names_too_many_addresses_labels_by_the_first_of_them(dataset: Dataset) -> None:
    many = Endpoint(addresses=tuple(f"10.1.{n // 250}.{n % 250}" for n in range(3000)))
    told(dataset, triaged(1, Detection(sources=(many,), targets=(many,))))
    first, last = many.addresses[0], many.addresses[-1]
    found = labels(dataset, [flow(1, saddr=first, daddr=many.addresses[1]), flow(2, saddr=last, daddr=last)])
    assert [label for _, label, _ in found] == ["malicious", "benign"]


def test_an_address_of_ipv6_is_found_as_suricata_writes_it_too(dataset: Dataset) -> None:
    said = Detection(sources=(Endpoint(addresses=(C,)),), targets=(Endpoint(addresses=(A,)),))

    for spelled in (C, "2001:0db8:0000:0000:0000:0000:0000:0001"):
        assert one(dataset, said, saddr=spelled, daddr=A) == "malicious"
    assert one(dataset, said, saddr="2001:0db8:0000:0000:0000:0000:0000:0002", daddr=A) == "benign"


def test_words_of_ones_own_stand_for_the_labels(dataset: Dataset) -> None:
    options = Options(malicious="Botnet's", benign="Normal")
    told(dataset, triaged(1, Detection(flow_uids=("C1",))))
    assert labels(dataset, [flow(1, uid="C1"), flow(2)], options) == [(1, "Botnet's", 100), (2, "Normal", None)]
