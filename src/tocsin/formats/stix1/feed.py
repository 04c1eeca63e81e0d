"""What a delivery is as STIX 1.2."""

from collections.abc import Callable, Mapping, Sequence

from tocsin.errors import Skipped
from tocsin.formats.stix import Own, Writer, identity
from tocsin.formats.stix1.write import Package
from tocsin.model import Alertgroup, Delivery, Entity, Severity


class Feed:
    """Writes what is owed to a partner in one identity's name."""

    def __init__(
        self,
        name: str,
        *,
        own: Own,
        entities: Callable[[Alertgroup], Mapping[int, Sequence[Entity]]],
        link: str = "",
        least: Severity = Severity.LOW,
        asserted: frozenset[str] = frozenset(),
    ) -> None:
        """`name` is whose word it is; `entities` says what stands in each alert; the rest as for `stix.Writer`."""
        self._writer = Writer(identity(name), own, link=link, least=least, asserted=asserted)
        self._entities = entities

    def package(self, delivery: Delivery) -> bytes:
        """A package for an alertgroup, or for its recall, which needs nothing of it but uid and time.

        Raises Skipped: nothing is said to be bad, or what is recalled never was sent.
        """
        group = delivery.alertgroup
        package = Package(self._writer, delivery.hub, group, self._entities(group))
        if delivery.kind == "recall":
            if package.asserts_nothing and not delivery.earlier:
                raise Skipped("nothing to recall: nothing was sent of it")
            return package.revoked(delivery.owed, delivery.reason)
        if package.asserts_nothing:
            raise Skipped("nothing to assert: no address, name or hash in it is said to be bad, or STIX 1.2 has none")
        return package.written()
