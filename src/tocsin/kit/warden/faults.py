"""What a Warden 3 server says of each event that it was sent.

An answer lists errors. Each says by index, from 0 in the array that was sent, which events it means; one that names
none means all. An event in no error was saved, whatever the status of the answer: that is put together of all errors
(460 and 422 give 400), and a batch is never refused as a whole because of some of it.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import msgspec

from tocsin.errors import DeliveryError, Rejected, Unavailable
from tocsin.kit.taxii import plain

CONTEXT = (
    "expected", "key", "client", "cat", "nocat", "tag", "notag", "group", "nogroup", "categories", "send_events_limit"
)  # fmt: skip
"""Keys of an error that say what it is about; others may echo what was sent."""
TEMPORARY = frozenset((408, 425, 429))
OVERFLOW = 507
NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Refused(Rejected):
    """The server will not take a request as a whole, by the `status` of its error."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.status = status


class Unclear(Unavailable):
    """The request was sent, and its answer does not tell what became of it."""


class TooLong(Unclear):
    """An answer that broke off, or has more bytes than are read: fewer events at once are an answer's remedy."""


class TooMany(Unavailable):
    """More events at once than the server takes: this one was not looked at."""


Fate: TypeAlias = DeliveryError | None
"""None: the event was saved. Otherwise why it was not, or `Unclear`."""


class Fault(NamedTuple):
    """One error; `places` are those of the events it means, None for all."""

    code: int
    words: str
    places: tuple[int, ...] | None
    limit: int


def faults(said: Any, status: int, ids: Sequence[str], secrets: tuple[str, ...]) -> list[Fault]:
    """The errors of an answer; nothing where it has none that can be read. `ids` are those of the events sent."""
    listed = said.get("errors") if isinstance(said, dict) else None
    found = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return [_fault(one, status, ids, secrets) for one in found]


def fates(found: Sequence[Fault], count: int) -> list[Fate]:
    """What became of each event. Raises Refused, Unclear or Unavailable: an error means all of them."""
    by_place: dict[int, list[Fault]] = {}
    for fault in found:
        if fault.places is None:
            raise _of_all(fault)
        for place in fault.places:
            by_place.setdefault(place, []).append(fault)
    return [_fate(by_place[place]) if place in by_place else None for place in range(count)]


def limit_of(found: Sequence[Fault]) -> int:
    """How many events at once the server says it takes, 0 where it does not."""
    return min((fault.limit for fault in found if fault.code == OVERFLOW and fault.limit > 0), default=0)


def _fault(one: dict[str, Any], status: int, ids: Sequence[str], secrets: tuple[str, ...]) -> Fault:
    code = one.get("error")
    code = code if isinstance(code, int) and not isinstance(code, bool) and code else status
    limit = one.get("send_events_limit")
    context = [f"{key} {_shown(one[key])}" for key in CONTEXT if key in one]
    text = one.get("message")
    words = f'{code} "{plain(text if isinstance(text, str) else "", secrets)}"'
    if context:
        words += f" ({plain(', '.join(context), secrets)})"
    return Fault(code, words, _places(one, ids), limit if isinstance(limit, int) else 0)


def _places(one: dict[str, Any], ids: Sequence[str]) -> tuple[int, ...] | None:
    """By index; where there is none of that number, by the id that stands at the same place of `events_id`."""
    if one.get("events") is None:
        return None
    numbers = one["events"] if isinstance(one["events"], list) else [one["events"]]
    named = one.get("events_id")
    named = named if isinstance(named, list) and len(named) == len(numbers) else [None] * len(numbers)
    places = []
    for number, id in zip(numbers, named, strict=True):
        if isinstance(id, str) and ids.count(id) == 1:
            places.append(ids.index(id))
        elif isinstance(number, int) and 0 <= number < len(ids):
            places.append(number)
        else:
            return None  # it means one of them, nobody knows which
    return tuple(places)


def _fate(found: Sequence[Fault]) -> Fate:
    """Of several errors of one event the lasting ones count."""
    lasting = [fault for fault in found if not _passes(fault.code)]
    words = "; ".join(dict.fromkeys(fault.words for fault in lasting or found))
    if lasting:
        return Rejected(words)
    return TooMany(words) if any(fault.code == OVERFLOW for fault in found) else Unavailable(words)


def _of_all(fault: Fault) -> DeliveryError:
    """An error that means every event. One that names none though it happens to some leaves all in doubt."""
    if not _passes(fault.code):
        return Refused(fault.words, fault.code)
    return Unavailable(fault.words) if fault.code in TEMPORARY or fault.code == 503 else Unclear(fault.words)


def _passes(code: int) -> bool:
    return code in TEMPORARY or code >= 500


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
