"""Objects over time: together in a bundle, corrected by later versions, taken back."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec

from tocsin.formats.stix.ids import ours
from tocsin.formats.stix.objects import ENCODER, Bundle, Identity, MarkingDefinition, Object, Versioned
from tocsin.formats.stix.slips import SlipsIndicator
from tocsin.formats.stix.write import stamp
from tocsin.model import Micros


def bundle(objects: Iterable[Object]) -> bytes:
    """A bundle as JSON, each object once. The same objects make the same bundle, its id too."""
    each = tuple({one.id: one for one in objects}.values())
    versions = [f"{one.id} {one.modified if isinstance(one, Versioned) else ''}" for one in each]
    return ENCODER.encode(Bundle(id=ours("bundle", *versions), objects=each))


def corrected(before: Iterable[Object], after: Iterable[Object], modified: Micros) -> list[Object]:
    """What to send so that whoever has `before` knows `after`.

    What is new comes as it is, what changed in a version of that time, what is no longer said is revoked. Observables
    and markings have no versions and cannot be taken back; what was revoked stays so. Nothing, if nothing changed.
    """
    known, now = {one.id: one for one in before}, {one.id: one for one in after}
    sent: list[Object] = []
    for id, one in now.items():
        old = known.get(id)
        if isinstance(one, Versioned) and isinstance(old, Versioned):
            if not old.revoked and msgspec.structs.replace(one, modified=old.modified) != old:
                sent.append(msgspec.structs.replace(one, modified=_after(old, modified)))
        elif old is None:
            sent.append(one)
    for id, one in known.items():
        if id not in now and isinstance(one, Versioned) and not one.revoked:
            sent.append(msgspec.structs.replace(one, modified=_after(one, modified), revoked=True))
    return sent


def revoked(objects: Iterable[Object], when: Micros) -> tuple[Object, ...]:
    """The same objects taken back at that time, for good: no version is newer than a revoked one.

    Observables have no versions and are left out. Who says so and the markings stay as they are.
    """
    kept: list[Object] = []
    for one in objects:
        if isinstance(one, MarkingDefinition | Identity):
            kept.append(one)
        elif isinstance(one, Versioned | SlipsIndicator):
            kept.append(msgspec.structs.replace(one, modified=_after(one, when), revoked=True))
    return tuple(kept)


def _after(one: Versioned | SlipsIndicator, modified: Micros) -> str:
    """The given time, or the first moment after the version before it."""
    before = datetime.fromisoformat(one.modified) - datetime(1970, 1, 1, tzinfo=UTC)
    return stamp(max(modified, before // timedelta(microseconds=1) + 1))
