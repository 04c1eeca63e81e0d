"""What goes out of a delivery as STIX 2.1: the same for a file, a collection and a server.

An alert is what `write.py` or `slips.py` says of it, the same bytes at every attempt. A recall is the same objects once
more without the observables, which have no versions, and revoked: no version is newer than a revoked one, so what was
recalled stays so. An alertgroup that came without its text, as its TLP rose, says no longer what it said: of it the
grouping is revoked, and with the profile `slips` the indicator of every alert.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from tocsin.errors import Skipped
from tocsin.formats.stix import slips
from tocsin.formats.stix.ids import ours
from tocsin.formats.stix.markings import MARKINGS
from tocsin.formats.stix.objects import ENCODER, SPEC, Grouping, Object
from tocsin.formats.stix.versions import revoked
from tocsin.formats.stix.write import Own, Writer, grouping_id, identity, stamp
from tocsin.model import Alertgroup, Delivery, Entity, Severity

Profile = Literal["stix", "slips"]
Entities = Callable[[Alertgroup], Mapping[int, Sequence[Entity]]]
"""What stands in each alert, by its index."""


NOTHING: dict[Profile, str] = {
    "stix": "nothing to assert: no alert holds anything that STIX has an object for",
    "slips": "nothing to assert: no alert names an attacker's address, network, name or URL that is not our own",
}


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
        self._known: Writer | None = None

    def objects(self, delivery: Delivery) -> tuple[Object, ...]:
        """The objects of an alert or a recall, none before what it refers to, except that a recall has no observables.

        Raises:
            Skipped: there is nothing to assert.
            ValueError: the alertgroup has no uid.
        """
        made = self._made(delivery)
        if delivery.kind == "recall":
            made = revoked(made, delivery.owed) if made else self._bare(delivery)
        if not made:
            raise Skipped(NOTHING[self._profile])
        return made

    def introduction(self, hub: str) -> tuple[Object, ...]:
        """Who says so and every marking there is, with which deliveries begin; nothing with the profile `slips`."""
        return () if self._profile == "slips" else (self._writer(hub).identity, *MARKINGS.values())

    def _made(self, delivery: Delivery) -> tuple[Object, ...]:
        group = delivery.alertgroup
        if self._profile == "slips":
            each = (slips.indicator(group, index, self._own, hub=delivery.hub) for index in range(len(group.alerts)))
            return tuple(one for one in each if one is not None)
        return self._writer(delivery.hub).write(group, self._entities(group)).objects

    def _bare(self, delivery: Delivery) -> tuple[Object, ...]:
        """What can be taken back of an alertgroup whose text may not be told any more."""
        group, when = delivery.alertgroup, max(delivery.owed, delivery.alertgroup.received + 1)
        if self._profile == "slips":
            return slips.taken_back(group, when, delivery.hub)
        who = self._writer(delivery.hub).identity
        at = stamp(group.received)
        grouping = Grouping(
            spec_version=SPEC,
            id=grouping_id(delivery.hub, group),
            created_by_ref=who.id,
            created=at,
            modified=stamp(when),
            revoked=True,
            context="suspicious-activity",
            object_refs=(who.id,),
        )
        return who, grouping

    def encoded(self, delivery: Delivery) -> list[bytes]:
        """Each of the objects as JSON. Raises as `objects` does."""
        return [ENCODER.encode(one) for one in self.objects(delivery)]

    def _writer(self, hub: str) -> Writer:
        if self._known is None or self._known.hub != hub:
            who = identity(self._name, identity_id(hub, self._name))
            self._known = Writer(who, self._own, link=self._link, least=self._least, asserted=self._asserted, hub=hub)
        return self._known


def identity_id(hub: str, name: str) -> str:
    """The id of our identity of a name: what we made bears it as `created_by_ref`. `hub` is the uid of this Tocsin."""
    return ours("identity", hub, name)
