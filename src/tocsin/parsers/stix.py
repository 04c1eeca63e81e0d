"""STIX 2.0 and 2.1 as it is posted or polled: bundles, and envelopes of TAXII 2.1."""

from collections.abc import Iterator
from typing import ClassVar

from tocsin.formats import stix_in
from tocsin.model import Alertgroup, Message
from tocsin.plugin import Parser


class Stix(Parser):
    """Bundles and envelopes: an alertgroup for each grouping and report, and one for the other objects of each TLP."""

    order: ClassVar[int] = 80
    apart: ClassVar[bool] = False  # bounded work after a strict decoder, as in `scot`

    def claims(self, message: Message) -> bool:
        """What calls itself STIX or TAXII, and JSON that is a bundle or an envelope of objects."""
        media_type = message.media_type.partition(";")[0].strip().lower()
        return media_type.endswith(("+json", "/json")) and stix_in.is_stix(media_type, message.body)

    def parse(self, message: Message) -> Iterator[Alertgroup]:
        """Its alertgroups. Raises Malformed, TooLarge, and Unreadable if there is no object in it."""
        yield from stix_in.read(message.body)
