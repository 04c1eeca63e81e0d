"""Mails with STIX attached are read as if it were posted."""

from email.message import EmailMessage

import pytest

from neighbours.mails import DATA, a_mail, mailed
from tocsin.errors import Unreadable
from tocsin.model import TLP, Message
from tocsin.parsers.generic import Generic
from tocsin.parsers.stix_mail import StixMail


def a_mail_with(*attached: tuple[str, str, bytes]) -> Message:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["Message-ID"] = "New indicators", "cert@example.org", "<7@cert.example.org>"
    mail["Date"] = "Sat, 21 Nov 2026 20:15:00 +0000"
    mail.set_content("See the attachments.\n")
    for name, media_type, body in attached:
        mail.add_attachment(body, maintype="application", subtype=media_type, filename=name)
    return mailed(mail.as_bytes())


REPORT = (DATA / "stix" / "report.json").read_bytes()
SLIPS = (DATA / "stix" / "slips.json").read_bytes()


def test_every_attached_bundle_and_envelope_is_read() -> None:
    message = a_mail_with(
        ("report.json", "octet-stream", b"\xef\xbb\xbf" + REPORT),
        ("notes.pdf", "pdf", b"%PDF"),
        ("table.json", "json", b'[{"a": 1}]'),
        ("STIX_data", "stix+json", SLIPS),
    )
    groups = list(StixMail().parse(message))

    assert StixMail().claims(message)
    assert StixMail().order < Generic().order
    assert [group.tlp for group in groups] == [TLP.AMBER, TLP.UNSET, TLP.CLEAR, TLP.UNSET]
    assert groups[0].subject == "Emotet is back"
    assert groups[0].sources == ("email", "stix")
    assert groups[3].sources == ("email", "stix", "slips")
    assert {group.message_id for group in groups} == {"<7@cert.example.org>"}
    assert groups[0].body_plain.startswith("Seen at two members.")
    assert groups[3].body_plain == "See the attachments."


def test_other_mails_are_left_to_others() -> None:
    table = a_mail_with(("table.json", "json", b'[{"objects": 1}]'))

    assert not StixMail().claims(table)
    assert not StixMail().claims(a_mail(text='{"type": "bundle", "objects": []}'))
    with pytest.raises(Unreadable, match="no attachment"):
        list(StixMail().parse(table))
