"""Forefront's `Key: value` mails."""

import pytest

from neighbours.mails import a_mail, mail_from, only
from tocsin import detection
from tocsin.errors import Unreadable
from tocsin.parsers.forefront import Forefront


def test_each_block_is_a_row_and_names_stay_as_they_are() -> None:
    message = mail_from("forefront/two_blocks.eml")
    group = only(Forefront().parse(message))

    assert Forefront().claims(message)
    assert [alert.data for alert in group.alerts] == [
        {
            "Computer": "WS-0141",
            "User": "EXAMPLE\\jörg",
            "Threat Name": "Trojan:Win32/Sample.A",
            "Detection Time (GMT)": "3/2/2026 8:11:47 AM",
            "Path": ["C:\\Users\\a\\x.exe", "C:\\Users\\a\\y.exe"],
            "Severity": "Severe",
            "More Information": "https://go.example.com/fwlink/?id=1",
        },
        {
            "Computer": "WS-0142",
            "Threat Name": "Virus:DOS/EICAR_Test_File",
            "Severity": "Low",
            "Description": "first line\nand the second",
        },
    ]
    assert group.columns == (*group.alerts[0].data, "Description")
    assert (group.sources, group.tags) == (("email", "forefront"), ())
    assert detection.read(group.alerts[0]).name == "Trojan:Win32/Sample.A"


def test_a_mail_without_such_a_line_says_what_was_looked_for() -> None:
    with pytest.raises(Unreadable, match="Key: value"):
        list(Forefront().parse(a_mail(subject="Microsoft Forefront", text="see http://example.com at 10:30")))
