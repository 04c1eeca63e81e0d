"""Mails as files and as tests write them."""

from collections.abc import Iterable
from email.message import EmailMessage
from pathlib import Path

from tocsin.model import Alertgroup, Message

DATA = Path(__file__).parent.parent / "data"
NOW = 1_795_000_000_000_000


def mailed(raw: bytes) -> Message:
    """A message of a mail's bytes."""
    return Message(source="mail", body=raw, media_type="message/rfc822", received=NOW)


def mail_from(file: str) -> Message:
    """A sample, by its path below tests/data."""
    return mailed((DATA / file).read_bytes())


def a_mail(
    *, subject: str = "Splunk Alert: x", sender: str = "splunk@example.com", html: str = "", text: str = ""
) -> Message:
    """A mail with one or both texts."""
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["Message-ID"] = subject, sender, "<1@example.com>"
    if text or not html:
        mail.set_content(text)
    if html and text:
        mail.add_alternative(html, subtype="html")
    elif html:
        mail.set_content(html, subtype="html")
    return mailed(mail.as_bytes())


def only(groups: Iterable[Alertgroup]) -> Alertgroup:
    """The one group that came of it."""
    (group,) = groups
    return group
