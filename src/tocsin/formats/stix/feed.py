"""What goes out of a delivery as STIX 2.1: the same for a file, a collection and a server.

An alert is what `write.py` or `slips.py` says of it, the same bytes at every attempt. A recall is the same objects once
more, revoked: as no version is newer than a revoked one, what was recalled stays so.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import msgspec

from tocsin.errors import Skipped
from tocsin.formats.stix import slips
from tocsin.formats.stix.ids import ours
from tocsin.formats.stix.objects import ENCODER, Object, Versioned
from tocsin.formats.stix.write import Own, Writer, identity, stamp
from tocsin.model import Alertgroup, Delivery, Entity, Severity

Profile = Literal["stix", "slips"]
Entities = Callable[[Alertgroup], Mapping[int, Sequence[Entity]]]
"""What stands in each alert, by its index."""


class Feed:
    """Writes deliveries in one name."""

    def __init__(
        self,
        name: str,
        *,
        own: Own,
        entities: Entities,
        link: str = "",
        least: Severity = Severity.LOW,
        asserted: frozenset[str] = frozenset(),
        profile: Profile = "stix",
    ) -> None:
        """What to write by; see `Writer`, whose words these are.

        Args:
            name: of our identity.
            own: what is never said to be bad.
            entities: finds what stands in the alerts of a group.
            link: where this Tocsin is, for the link back; empty for none.
            least: an alert of lower severity says of nothing that it is bad.
            asserted: types of entities that are bad wherever they stand in an alert that may say so.
            profile: all that an alert says, or the one indicator that Slips writes.
        """
        self._name, self._own, self._entities, self._profile = name, own, entities, profile
        self._link, self._least, self._asserted = link, least, asserted

    def objects(self, delivery: Delivery) -> tuple[Object, ...]:
        """The objects of an alert or a recall, none before what it refers to.

        Raises:
            Skipped: there is nothing to assert.
            ValueError: the alertgroup has no uid.
        """
        group = delivery.alertgroup
        if self._profile == "slips":
            found = (slips.indicator(group, index, self._own) for index in range(len(group.alerts)))
            made: tuple[Object, ...] = tuple(one for one in found if one is not None)
        else:
            made = self._writer(delivery.hub).write(group, self._entities(group)).objects
        if not made:
            raise Skipped("nothing to assert: no alert has anything that STIX can say")
        return made if delivery.kind == "alert" else _revoked(made, delivery.owed)

    def encoded(self, delivery: Delivery) -> list[bytes]:
        """Each of the objects as JSON. Raises as `objects` does."""
        return [ENCODER.encode(one) for one in self.objects(delivery)]

    def _writer(self, hub: str) -> Writer:
        who = identity(self._name, identity_id(hub, self._name))
        return Writer(who, self._own, link=self._link, least=self._least, asserted=self._asserted)


def identity_id(hub: str, name: str) -> str:
    """The id of our identity of a name: what we made bears it as `created_by_ref`. `hub` is the uid of this Tocsin."""
    return ours("identity", hub, name)


def _revoked(objects: Sequence[Object], owed: int) -> tuple[Object, ...]:
    when = stamp(owed)
    return tuple(
        msgspec.structs.replace(one, modified=when, revoked=True) for one in objects if isinstance(one, Versioned)
    )
