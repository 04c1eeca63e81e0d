"""Puts alertgroups as STIX 1.2 packages into the inbox of a TAXII 1.1 server."""

from functools import cached_property
from typing import ClassVar, Self

from pydantic import Field, model_validator

from tocsin.entities import Known, by_alert
from tocsin.formats.stix1 import Feed
from tocsin.kit.stix_options import StixOptions
from tocsin.kit.taxii1 import Taxii1 as Server
from tocsin.kit.taxii1 import Taxii1Options
from tocsin.model import Alertgroup, Delivery, Entity, Kind, Receipt
from tocsin.plugin import Destination

BINDING = "urn:stix.mitre.org:xml:1.2"


class Taxii1(Taxii1Options, StixOptions, Destination):
    """Puts a STIX 1.2 package for each alertgroup into the inbox of a TAXII 1.1 server, for partners who stayed there.

    Before the first one, discovery and the collection are asked whether they take such packages: servers drop what they
    do not take and answer SUCCESS all the same. An attempt whose answer was lost is made again, and the package may
    stand there twice, under the same id.
    """

    kinds: ClassVar[frozenset[Kind]] = frozenset(("alert", "recall"))

    collections: list[str] = Field(
        default=[], description="Names of the collections to put it into, as far as the inbox wants to be told."
    )

    @model_validator(mode="after")
    def _speaks_stix(self) -> Self:
        if self.profile != "stix":
            raise ValueError('profile "slips" is one of STIX 2.1: use a destination taxii for it')
        return self

    def send(self, delivery: Delivery) -> Receipt:
        """Push one package; the receipt holds the id of the server's answer. Raises Skipped: it says nothing is bad."""
        package = self._feed.package(delivery)
        status = self._server.push(delivery.uid, package, BINDING, self.collections)
        return Receipt(remote_id=status.message_id[:500], status=status.type)

    def check(self) -> str:
        """Whether there is an inbox that takes STIX 1.2 for each collection; raises DeliveryError."""
        places = {self._server.place("INBOX", name, BINDING).address for name in self.collections or [""]}
        into = f"for {', '.join(self.collections)}" if self.collections else "without naming a collection"
        asked = "takes it as far as discovery tells" if self.url else "was not asked: there is no url of a discovery"
        return f"{BINDING} goes into {' and '.join(sorted(places))} {into}; the inbox {asked}"

    def close(self) -> None:
        """Let go of the connections."""
        self._server.close()

    @cached_property
    def _server(self) -> Server:
        return Server(self)

    @cached_property
    def _feed(self) -> Feed:
        known = Known(**self.told())
        wording = self.wording()

        def entities(group: Alertgroup) -> dict[int, list[Entity]]:
            return by_alert(group, known)

        return Feed(
            self.identity,
            own=known.is_own,
            entities=entities,
            link=self.link,
            least=wording["least"],
            asserted=wording["asserted"],
        )
