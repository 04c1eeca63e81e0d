"""FireEye's notifications: JSON in its three lengths, and indented text."""

import pytest

from neighbours.mails import a_mail, mail_from, only
from tocsin import detection
from tocsin.errors import Unreadable
from tocsin.model import Severity
from tocsin.parsers.fireeye import Fireeye

ENVELOPE = {"product": "Web MPS", "appliance": "web-mps.example.com", "appliance-id": "0025-90FF"}


def test_reads_the_extended_json_with_nested_values_under_dotted_names() -> None:
    message = mail_from("fireeye/extended_json.eml")
    group = only(Fireeye().parse(message))

    assert Fireeye().claims(message)
    services = "explanation.cnc-services.cnc-service"
    malware = "explanation.malware-detected.malware"
    assert [alert.data for alert in group.alerts] == [
        {
            "src.ip": "192.0.2.141",
            "src.mac": "00:00:5e:00:53:01",
            "src.host": "ws-0141.example.com",
            "src.vlan": "0",
            "src.port": "49152",
            "severity": "majr",
            "alert-url": "https://web-mps.example.com/event_stream/events_for_bot?ev_id=77120",
            "explanation.target-os": "Windows",
            "explanation.protocol": "tcp",
            "explanation.analysis": "binary",
            f"{services}.protocol": ["tcp", "udp"],
            f"{services}.port": ["443", "53"],
            f"{services}.address": ["c2.example.net", "203.0.113.67"],
            f"{services}.channel": ["GET / HTTP/1.1::~~Host: c2.example.net::~~", None],
            f"{malware}.md5sum": "44d88612fea8a8f36de82e1278abb02f",
            f"{malware}.name": "Trojan.Sample",
            f"{malware}.sid": 9001,
            "occurred": "2026-03-02T08:11:47Z",
            "id": "77120",
            "action": "notified",
            "dst.ip": "203.0.113.66",
            "dst.mac": "00:00:5e:00:53:02",
            "dst.port": "80",
            "name": "malware-callback",
            "format": "extended",
            "version": "7.9.0.1",
            **ENVELOPE,
        }
    ]
    assert group.columns == tuple(group.alerts[0].data)
    assert (group.subject, group.sources) == ("malware-callback detected: 192.0.2.141", ("email", "fireeye"))


def test_the_row_is_understood_as_a_detection() -> None:
    meaning = detection.read(only(Fireeye().parse(mail_from("fireeye/extended_json.eml"))).alerts[0])

    assert (meaning.name, meaning.severity, meaning.protocols) == ("malware-callback", Severity.HIGH, ("tcp",))
    assert meaning.detected == 1_772_439_107_000_000
    assert (meaning.sources[0].addresses, meaning.targets[0].addresses) == (("192.0.2.141",), ("203.0.113.66",))


def test_a_list_of_alerts_in_an_attachment_is_a_row_each() -> None:
    group = only(Fireeye().parse(mail_from("fireeye/two_alerts.eml")))

    said = {"format": "concise", "product": "Email MPS", "appliance": "mail-mps.example.com"}
    assert [alert.data for alert in group.alerts] == [
        {"id": 1, "name": "malware-object", "severity": "crit", "src.ip": "192.0.2.1", **said},
        {"id": 2, "name": "malware-object", "severity": "minr", "dst.ip": "192.0.2.2", **said},
    ]


def test_reads_the_text_with_a_row_for_each_alert() -> None:
    group = only(Fireeye().parse(mail_from("fireeye/text.eml")))

    malware = "explanation.malware-detected.malware"
    assert [alert.data for alert in group.alerts] == [
        {
            "format": "normal",
            **ENVELOPE,
            "id": "77120",
            "name": "malware-callback",
            "severity": "crit",
            "occurred": "2026-03-02T08:11:47Z",
            "src.ip": "192.0.2.141",
            "src.host": "ws-0141.example.com",
            "src.port": "49152",
            "dst.ip": "203.0.113.66",
            "dst.port": "80",
            "explanation.protocol": "tcp",
            f"{malware}.name": "Trojan.Sample",
            f"{malware}.sid": "9001",
            f"{malware}.md5sum": "44d88612fea8a8f36de82e1278abb02f",
            "alert-url": "https://web-mps.example.com/event_stream/events_for_bot?ev_id=77120",
        },
        {
            "format": "normal",
            **ENVELOPE,
            "id": "77121",
            "name": "web-infection",
            "severity": "minr",
            "src.ip": "192.0.2.142",
            "src.host": "ws-0142.example.com",
        },
    ]


def test_json_whose_lines_a_mail_program_broke_is_read() -> None:
    text = 'x {"no": 1} {"msg": "normal", "alert": {"name": "mal\nware-object", "src": {"ip":\n "192.0.2.1"}}}'
    group = only(Fireeye().parse(a_mail(subject="FireEye", text=text)))

    assert [alert.data for alert in group.alerts] == [
        {"name": "malware-object", "src.ip": "192.0.2.1", "format": "normal"}
    ]


@pytest.mark.parametrize("text", ["nothing", '{"msg": "x"}', '{"alert": 5}', '{"alert": [[]]}', "{" * 10_000])
def test_a_mail_without_an_alert_says_what_was_looked_for(text: str) -> None:
    with pytest.raises(Unreadable, match='no JSON with an "alert"'):
        list(Fireeye().parse(a_mail(subject="FireEye", text=text)))
