"""Evidence of which there was enough, as one JSON object: the message that an alertgroup made of it is read from.

It names what it was made of, each piece by its alert, alertgroup and message with the hash of that message's bytes, and
holds a copy of each row, its text as received. So it stands for itself when retention has removed the rest.
"""

import msgspec

from tocsin.errors import Malformed
from tocsin.model import TLP, Alert, Alertgroup, Detection

MEDIA_TYPE = "application/vnd.tocsin.accumulated+json"


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of evidence. `detection` is what its parser said of it, null where its columns say it."""

    alert: int
    alertgroup: int
    message: int
    sha256: str
    weight: float
    row: msgspec.Raw
    detection: Detection | None


class Accumulated(msgspec.Struct, frozen=True, kw_only=True):
    """What was enough: against `source`, from `begun` to `ended`, for the `n`-th time. `more` pieces are left out."""

    rule: str
    source: str
    begun: str
    ended: str
    n: int
    weight: float
    threshold: float
    columns: tuple[str, ...]
    tags: tuple[str, ...]
    sources: tuple[str, ...]
    tlp: TLP
    evidence: tuple[Piece, ...]
    more: int = 0


_DECODER = msgspec.json.Decoder(Accumulated)


def written(found: Accumulated) -> bytes:
    """The message's bytes."""
    return msgspec.json.encode(found)


def read(body: bytes) -> Alertgroup:
    """The alertgroup: a copy of every piece, in the order in which they came. Raises Malformed."""
    try:
        found = _DECODER.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Malformed(f"no evidence as Tocsin writes it: {error}") from None
    pieces = len(found.evidence) + found.more
    many = f"{pieces:,} alert{'' if pieces == 1 else 's'}"
    window = _span(found.begun, found.ended)
    left_out = f" The {len(found.evidence):,} heaviest stand here." if found.more else ""
    return Alertgroup(
        subject=f"Enough evidence against {found.source}: {many} from {window}",
        alerts=tuple(Alert(json=bytes(one.row).decode(), detection=one.detection) for one in found.evidence),
        columns=found.columns,
        tags=found.tags,
        sources=found.sources,
        tlp=found.tlp,
        body_plain=f"The rule {found.rule} gathered {many} against {found.source} from {window}. "
        f"Together they weigh {found.weight:g}, and {found.threshold:g} is enough.{left_out}",
    )


def _span(begun: str, ended: str) -> str:
    """Two times of RFC 3339 for people: 2024-10-04 13:00 to 14:00 UTC."""
    days, clocks = zip(*(one.rstrip("Z").partition("T")[::2] for one in (begun, ended)), strict=True)
    first, last = (clock.removesuffix(":00") if clock.count(":") == 2 else clock for clock in clocks)
    return f"{days[0]} {first} to {'' if days[0] == days[1] else f'{days[1]} '}{last} UTC"
