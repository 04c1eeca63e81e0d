"""What a client asks of a collection: filters, how much, and where the next page begins. TAXII 2.1 section 3.4.

The token of the next page is the place of the last object of this one, and what it was a page of: it needs nothing
remembered, never expires, and is refused with other filters than those it was given out for.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Self, get_args

import msgspec
from starlette.requests import Request

from tocsin.errors import Malformed
from tocsin.model import Micros
from tocsin.store.collection import Asked, Which
from tocsin.web.reading import query_of
from tocsin.web.taxii.answers import VERSION

MOST_VALUES = 500
"""Of one filter."""
MATCHES: tuple[str, ...] = ("id", "type", "version", "spec_version")
_WHICH: tuple[Which, ...] = get_args(Which)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,12}))?([Zz]|[ +-]\d\d:\d\d)", re.ASCII)
_TOKEN = re.compile(r"(\d{1,18})-([0-9a-f]{12})", re.ASCII)


class Page(NamedTuple):
    """A page of a collection: what is meant, and how many of it at most."""

    asked: Asked
    limit: int
    mark: str
    """What the token of the next page is bound to."""
    nothing: bool = False
    """It asks for versions of STIX that we do not have."""

    def of_all_versions(self) -> Self:
        """The same, of whatever version."""
        return self._replace(asked=msgspec.structs.replace(self.asked, which=frozenset(("all",))))

    def next(self, position: Micros) -> str:
        """The token of the page behind that place."""
        return f"{position}-{self.mark}"


def page_of(request: Request, collection: str, most: int, *, filters: tuple[str, ...] = MATCHES, id: str = "") -> Page:
    """What the query says; `most` is the largest page, `id` the object of the path. Raises Malformed."""
    given = query_of(request)
    for name in given:
        if name.startswith("match[") and name[6:-1] not in MATCHES:
            raise Malformed(f"{name[:60]}: there is no such filter; there are match[{'], match['.join(MATCHES)}].")
    chosen = {name: _values(given, f"match[{name}]") if name in filters else () for name in MATCHES}
    which, versions = _versions(chosen["version"])
    after = max((moment("added_after", text) for text in given.get("added_after", ())), default=0)
    asked = Asked(
        after=after,
        types=chosen["type"],
        ids=(id,) if id else chosen["id"],
        which=which,
        versions=versions,
    )
    text = msgspec.json.encode((collection, after, id, sorted(chosen.items())))
    mark = hashlib.sha256(text).hexdigest()[:12]
    for token in given.get("next", ()):
        found = _TOKEN.fullmatch(token)
        if found is None or found[2] != mark:
            raise Malformed("next: it belongs to other filters: repeat the request it came from, with next added.")
        asked = msgspec.structs.replace(asked, after=max(asked.after, int(found[1])))
    spec = chosen["spec_version"]
    return Page(asked, _limit(given, most), mark, nothing=bool(spec) and VERSION not in spec)


def moment(name: str, text: str) -> Micros:
    """Microseconds since 1970 of a timestamp of RFC 3339; what is finer is cut off. Raises Malformed."""
    found = _TIME.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        day, time, fraction, zone = found.groups()
        zone = "+00:00" if zone in "Zz" else zone.replace(" ", "+")
        whole = (datetime.fromisoformat(f"{day}T{time}{zone}") - _EPOCH) // timedelta(seconds=1)
    except ValueError:
        raise Malformed(f"{name}: {text[:40]!r} is no time: write 2026-05-04T12:00:00.000000Z.") from None
    return whole * 1_000_000 + int((fraction or "0")[:6].ljust(6, "0"))


def _values(given: Mapping[str, list[str]], name: str) -> tuple[str, ...]:
    """What stands between the commas."""
    values = tuple(part.strip() for text in given.get(name, ()) for part in text.split(",") if part.strip())
    if len(values) > MOST_VALUES:
        raise Malformed(f"{name}: {len(values):,} values are more than {MOST_VALUES}: ask in parts.")
    return values


def _versions(values: tuple[str, ...]) -> tuple[frozenset[Which], tuple[Micros, ...]]:
    which = frozenset(word for word in _WHICH if word in values)
    times = tuple(moment("match[version]", each) for each in values if each not in _WHICH)
    return (which, times) if values else (frozenset(("last",)), ())


def _limit(given: Mapping[str, list[str]], most: int) -> int:
    limit = most
    for text in given.get("limit", ()):
        if not (text.isascii() and text.isdecimal() and len(text) < 19 and int(text) > 0):
            raise Malformed(f"limit: {text[:40]!r} is no whole number above 0.")
        limit = min(limit, int(text))
    return limit
