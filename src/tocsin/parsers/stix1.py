"""STIX 1.x packages (XML), as they come or attached to a mail. STIX 1.2, CybOX 2.1."""

from collections.abc import Iterator
from typing import ClassVar

from tocsin.errors import Unreadable
from tocsin.formats import stix1
from tocsin.kit.letter import is_mail, letter
from tocsin.model import Alertgroup, Message
from tocsin.plugin import Parser


class Stix1(Parser):
    """Indicators and observables of STIX 1.x packages, one row for each value."""

    order: ClassVar[int] = 40

    def claims(self, message: Message) -> bool:
        """XML in STIX's namespace, or a mail with such an attachment."""
        try:
            return bool(_packages(message))
        except Unreadable:
            return False

    def parse(self, message: Message) -> Iterator[Alertgroup]:
        """An alertgroup for each package. Raises Unreadable."""
        for package in _packages(message):
            yield stix1.alertgroup(package)


def _packages(message: Message) -> list[bytes]:
    bodies = [each.body for each in letter(message).attachments] if is_mail(message) else [message.body]
    return [body for body in bodies if stix1.is_package(body)]
