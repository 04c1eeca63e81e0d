"""Lines of alerts.log: one alert, one line, in Slips' form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.formats import log_line
from tocsin.model import Alert, Alertgroup, Detection, Endpoint, Severity

RECEIVED = 1_698_315_010_000_000
SCAN = Detection(
    description="ARP scan detected",
    severity=Severity.MEDIUM,
    detected=1_698_315_010_123_456,
    category="ARP_SCAN",
    sources=(Endpoint(addresses=("192.168.1.100",), ports=(4444,)),),
    targets=(Endpoint(addresses=("2001:db8::9",), ports=(23, 24)), Endpoint(hostnames=("b.example",))),
    protocols=("tcp", "telnet"),
)


def one(meant: Detection, json: str = "{}", subject: str = "a subject") -> str:
    group = Alertgroup(subject=subject, alerts=(), received=RECEIVED, id=7)
    return log_line.line(group, Alert(json=json, uid="u-1"), meant)


def test_a_full_line_has_slips_columns_and_then_the_flow() -> None:
    assert one(SCAN, '{"timewindow": {"number": 1}}') == (
        "2023-10-26T10:10:10.123456Z (TW 1): Src IP 192.168.1.100             . Detected ARP scan detected "
        "Threat level: medium. 192.168.1.100:4444 -> [2001:db8::9]:23+24 b.example tcp/telnet, "
        "category: ARP_SCAN, alertgroup: 7, id: u-1"
    )


def test_what_is_not_known_is_left_out() -> None:
    assert one(Detection()) == (
        "2023-10-26T10:10:10Z: Src IP -                         . Detected a subject alertgroup: 7, id: u-1"
    )


@pytest.mark.parametrize(
    ("source", "column"),
    [
        (Endpoint(addresses=("10.0.0.5",), hostnames=("pc.example",)), "10.0.0.5 (pc.example)     "),
        (Endpoint(hostnames=("pc.example",)), "pc.example                "),
        (Endpoint(macs=("00:1b:44:11:3a:b7",)), "00:1b:44:11:3a:b7         "),
        (Endpoint(addresses=("2001:db8:1111:2222:3333:4444:5555:6666",)), "2001:db8:1111:2222:3333:4444:5555:6666"),
    ],
)
def test_the_address_column_is_26_wide(source: Endpoint, column: str) -> None:
    assert f": Src IP {column}. Detected x " in one(Detection(name="x", sources=(source,)))


@pytest.mark.parametrize(
    "row", ['{"timewindow": "1\\n"}', '{"timewindow": true}', '{"timewindow": {"number": null}}', '{"a": "timewindow"}']
)
def test_a_window_that_is_no_number_is_none(row: str) -> None:
    assert "(TW" not in one(Detection(), row)


def test_a_time_nobody_can_write_gives_way_to_the_time_of_receipt() -> None:
    assert one(Detection(detected=-1)).startswith("2023-10-26T10:10:10Z")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a\nb", "a\\nb"),
        ("a\r\nb\tc", "a\\r\\nb\\tc"),
        ("\x1b[31mred\x00", "\\x1b[31mred\\x00"),
        ("next\x85line\u2028and\u2029more", "next\\x85line\\u2028and\\u2029more"),
        ("turned\u202etxt.exe", "turned\\u202etxt.exe"),
        ("half \ud800 pair", "half \\ud800 pair"),
        ("grüße 🔔 C:\\new", "grüße 🔔 C:\\new"),
    ],
)
def test_what_could_end_or_turn_a_line_is_escaped(text: str, written: str) -> None:
    assert f". Detected {written} " in one(Detection(name=text))


@given(st.text(), st.text(), st.text())
def test_no_text_breaks_or_forges_a_line(name: str, category: str, subject: str) -> None:
    forged = "\n2023-10-26T10:10:10Z: Src IP 8.8.8.8                   . Detected nothing "
    meant = Detection(name=name + forged, category=category + forged, flow_uids=(forged,))
    group = Alertgroup(
        subject=subject + forged,
        alerts=tuple(Alert(json="{}", uid=str(number), detection=meant) for number in range(3)),
        received=RECEIVED,
    )

    text = log_line.lines(group)

    assert text.count(b"\n") == 3
    lines = text.decode().splitlines()
    assert len(lines) == 3
    assert all(line.startswith("2023-10-26T10:10:10Z: Src IP - ") for line in lines)
    assert log_line.lines(group) == text


def slips_lines(*meant: Detection, json: str = "{}", subject: str = "a subject") -> list[str]:
    alerts = tuple(Alert(json=json, uid=f"u-{number}", detection=each) for number, each in enumerate(meant))
    group = Alertgroup(subject=subject, alerts=alerts, received=RECEIVED + 5, id=7)
    return log_line.lines(group, "slips").decode().splitlines()


def test_the_form_of_slips_is_its_line_to_the_letter() -> None:
    meant = Detection(
        description="ARP scan detected",
        detected=RECEIVED,
        sources=(Endpoint(addresses=("192.168.1.100",)),),
    )
    (line,) = slips_lines(meant, json='{"timewindow": 1}')

    assert line == ("2023-10-26T10:10:10+00:00 (TW 1): Src IP 192.168.1.100             . Detected ARP scan detected ")


def test_the_form_of_slips_says_the_level_once_and_the_host_in_the_column() -> None:
    named = Detection(
        description="x. Threat level: high.",
        severity=Severity.HIGH,
        sources=(Endpoint(addresses=("192.0.2.7",), hostnames=("pc",)),),
    )

    (line,) = slips_lines(named)

    assert line.endswith("Src IP 192.0.2.7 (pc)            . Detected x. Threat level: high. ")


def test_an_alertgroup_of_several_ends_with_a_line_that_says_so() -> None:
    first, second, alert = slips_lines(SCAN, SCAN, json='{"timewindow": {"number": 3}}')

    assert first == second
    assert alert == (
        "2023-10-26T10:10:10.123456+00:00: Src IP 192.168.1.100             . Generated an alert given enough "
        "evidence on timewindow 3. (real time 2023/10/26 10:10:10.000005+0000)"
    )


@given(st.text(), st.text())
def test_no_text_breaks_a_line_of_slips(name: str, subject: str) -> None:
    meant = Detection(name=name + "\nx", sources=(Endpoint(hostnames=(name + "\r",)),))

    assert len(slips_lines(meant, meant, subject=subject)) == 3
