"""Evidence of which there was enough: what an accumulate rule of this Tocsin wrote when it raised an alertgroup."""

from collections.abc import Iterator
from typing import ClassVar

from tocsin.formats.accumulated import MEDIA_TYPE, read
from tocsin.model import Alertgroup, Message
from tocsin.plugin import Parser


class Accumulated(Parser):
    """What accumulate rules raise, read again; nothing that anybody sends."""

    order: ClassVar[int] = 5
    apart: ClassVar[bool] = False  # our own words, decoded by a strict decoder

    def claims(self, message: Message) -> bool:
        """What Tocsin itself wrote, in that form."""
        return message.source == "tocsin" and message.media_type == MEDIA_TYPE

    def parse(self, message: Message) -> Iterator[Alertgroup]:
        """One alertgroup. Raises Malformed."""
        yield read(message.body)
