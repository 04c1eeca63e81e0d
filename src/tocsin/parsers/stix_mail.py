"""STIX 2.0 and 2.1 as it is mailed: bundles and envelopes of TAXII 2.1 among the attachments."""

from collections.abc import Iterator
from typing import ClassVar

import msgspec

from tocsin.errors import Unreadable
from tocsin.formats import stix_in
from tocsin.kit.letter import Attachment, Letter, is_mail, letter
from tocsin.model import Alertgroup, Message
from tocsin.plugin import Parser

JSON = "application/json"
ENDINGS = (".json", ".stix", ".stix2")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class StixMail(Parser):
    """Mails with STIX attached: each attachment as if it were posted."""

    order: ClassVar[int] = 40

    def claims(self, message: Message) -> bool:
        """A mail with such an attachment."""
        try:
            return is_mail(message) and bool(_attached(letter(message)))
        except Unreadable:
            return False

    def parse(self, message: Message) -> Iterator[Alertgroup]:
        """The alertgroups of all such attachments. Raises Malformed, TooLarge, Unreadable."""
        mail = letter(message)
        found = _attached(mail)
        if not found:
            raise Unreadable("no attachment that is a STIX bundle or a TAXII envelope")
        for body in found:
            for group in stix_in.read(body):
                yield msgspec.structs.replace(
                    group,
                    message_id=mail.message_id,
                    created=group.created if group.created is not None else mail.date,
                    sources=("email", *group.sources),
                    body_plain="\n\n".join(filter(None, (group.body_plain, mail.text.strip()))),
                )


def _attached(mail: Letter) -> list[bytes]:
    each = (one.body.removeprefix(BYTE_ORDER_MARK) for one in mail.attachments if _may_be(one))
    return [body for body in each if stix_in.is_stix(JSON, body)]


def _may_be(attachment: Attachment) -> bool:
    """Whether it may be JSON, by its name or what the mail says of it."""
    return attachment.name.lower().endswith(ENDINGS) or attachment.media_type.endswith(("/json", "+json"))
