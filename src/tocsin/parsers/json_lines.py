"""JSON lines of which no other parser knows whose they are, as source `follow` hands them over."""

from collections.abc import Iterator
from typing import ClassVar

from tocsin.errors import Unreadable
from tocsin.kit.json_objects import level, objects
from tocsin.model import Alert, Alertgroup, Message, union_of_keys
from tocsin.plugin import Parser

MEDIA_TYPES = frozenset(("application/x-ndjson", "application/jsonl", "application/x-jsonlines"))


class JsonLines(Parser):
    """Any JSON lines: an alertgroup with a row for each, as it stands, called by the file they come from."""

    order: ClassVar[int] = 95
    apart: ClassVar[bool] = True  # asked after the parsers that read apart, Suricata's among them

    def claims(self, message: Message) -> bool:
        """What calls itself JSON lines."""
        return message.media_type.partition(";")[0].strip().lower() in MEDIA_TYPES

    def parse(self, message: Message) -> Iterator[Alertgroup]:
        """One alertgroup. Raises Malformed, naming the line that is no object, TooLarge, and Unreadable for nothing."""
        texts = objects(message.body)
        if not texts:
            raise Unreadable("no JSON object stands in it")
        name = message.sender.rpartition("/")[2].replace("\0", "\N{REPLACEMENT CHARACTER}")
        yield Alertgroup(
            subject=f"{name or 'JSON'}: {len(texts)} line{'s' if len(texts) != 1 else ''}",
            alerts=tuple(Alert(json=text.decode()) for text in texts),
            columns=union_of_keys(level(text) for text in texts),
            sources=("json_lines",),
        )
