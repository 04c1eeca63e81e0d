"""Records of syslog become rows with named cells and a meaning; CEF and LEEF as they say it."""

import pytest

from tocsin.errors import Unreadable
from tocsin.formats.syslog import Form, framed, records
from tocsin.model import Alert, Alertgroup, Detection, Endpoint, Message, Severity
from tocsin.parsers.syslog import Syslog


def message(*raw: bytes) -> Message:
    body = b"".join(map(framed, raw))
    return Message(source="lines", body=body, media_type="application/x-syslog", received=0)


def test_cef_becomes_named_cells_and_a_detection() -> None:
    (group,) = Syslog().parse(
        message(
            b"<13>Oct 11 22:14:15 fw CEF:0|Vendor|Product|1.0|100|worm stopped|9|src=10.0.0.1 spt=1232 dst=2.1.2.2 "
            b"dpt=80 proto=TCP rt=1795000000000 msg=Detected a \\= b cat=worm"
        )
    )
    (alert,) = group.alerts

    assert group.subject == "worm stopped"
    assert {
        "vendor": "Vendor",
        "src": "10.0.0.1",
        "msg": "Detected a = b",
        "syslog_host": "fw",
    }.items() <= alert.data.items()
    assert alert.detection == Detection(
        name="worm stopped",
        category="worm",
        description="Detected a = b",
        severity=Severity.CRITICAL,
        detected=1_795_000_000_000_000,
        sources=(Endpoint(addresses=("10.0.0.1",), ports=(1232,)),),
        targets=(Endpoint(addresses=("2.1.2.2",), ports=(80,)),),
        protocols=("tcp",),
    )


@pytest.mark.parametrize("form", ["cef", "leef"])
def test_what_this_hub_sends_is_understood_when_it_comes_back(form: Form) -> None:
    meant = Detection(
        name="Port scan",
        category="Recon.Scanning",
        description="many | ports = bad",
        severity=Severity.HIGH,
        detected=1_795_000_000_000_000,
        sources=(Endpoint(addresses=("192.0.2.7",), ports=(4444,)),),
        targets=(Endpoint(addresses=("2001:db8::1",), hostnames=("a.example",)),),
        protocols=("tcp",),
    )
    sent = Alertgroup(subject="s", alerts=(Alert(json="{}", uid="a-1", detection=meant),), uid="g-1")
    made = records(sent, form=form, facility="local0", host="hub", version="1", longest=8192)
    (group,) = Syslog().parse(message(*made))
    read = group.alerts[0].detection

    assert Syslog().claims(message(*made))
    assert read is not None
    assert (read.category, read.description, read.severity) == (meant.category, meant.description, meant.severity)
    assert (read.detected, read.sources, read.targets, read.protocols) == (
        meant.detected,
        meant.sources,
        meant.targets,
        meant.protocols,
    )


def test_plain_records_of_one_program_are_one_alertgroup() -> None:
    groups = list(
        Syslog().parse(
            message(
                b'<34>1 2026-01-01T00:00:00Z a su - ID1 [x@1 k="v"] one',
                b"<38>Oct 11 22:14:15 b sshd[9]: three",
                b"<35>1 2026-01-01T00:00:01Z a su - ID1 - two",
                b"no head",
            )
        )
    )

    assert [group.subject for group in groups] == ["su on a", "sshd on b", "syslog"]
    assert [alert.data["message"] for alert in groups[0].alerts] == ["one", "two"]
    assert groups[0].alerts[0].data["structured_data"] == {"x@1": {"k": "v"}}
    meant = [alert.detection for group in groups for alert in group.alerts]
    assert [each.severity for each in meant if each] == [Severity.CRITICAL, Severity.HIGH, Severity.INFO, None]
    assert [bool(each and each.detected) for each in meant] == [True, True, False, False]


@pytest.mark.parametrize(
    ("said", "severity"), [("0", 0), ("3", 1), ("6", 2), ("7", 3), ("Very-High", 4), ("11", None), ("x", None)]
)
def test_severities_of_cef_have_five_steps(said: str, severity: int | None) -> None:
    (group,) = Syslog().parse(message(f"<13>x CEF:0|a|b|1|x|n|{said}|".encode()))

    assert group.alerts[0].detection is not None
    assert group.alerts[0].detection.severity == severity


def test_nothing_in_it_says_so() -> None:
    with pytest.raises(Unreadable, match="no record"):
        list(Syslog().parse(message()))
