"""Where something stands in Slack, as receipts name it: `C0123456/1795000000.000100`.

`/digest` behind it: it shares the message with others, `/reply`: it stands in the thread of another message.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tocsin.model import Receipt

DIGEST, REPLY = "/digest", "/reply"
EDITED = "edited"
"""The status of a message that was."""


class Place(NamedTuple):
    """A message: the channel's id, its time stamp, and whether several alertgroups share it."""

    channel: str
    stamp: str
    shared: bool = False

    def __str__(self) -> str:
        return f"{self.channel}/{self.stamp}{DIGEST if self.shared else ''}"


def posted(receipts: Iterable[Receipt]) -> list[Place]:
    """The messages that these receipts name, each once, in order; replies are none, nor is what a webhook posted."""
    found: dict[Place, None] = {}
    for receipt in receipts:
        own = receipt.remote_id.removesuffix(DIGEST)
        channel, _, stamp = own.partition("/")
        if stamp and "/" not in stamp:
            found[Place(channel, stamp, own != receipt.remote_id)] = None
    return list(found)


def together(receipts: Sequence[Receipt]) -> Receipt:
    """One receipt of several: where it was edited, else where it was told last."""
    edited = [each for each in receipts if each.status == EDITED]
    if not edited or len(receipts) == len(edited):
        return receipts[-1]
    return Receipt(remote_id=edited[-1].remote_id, status=f"{EDITED}, and told in the thread")
