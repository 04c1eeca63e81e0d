"""Writes what alerts say as STIX 2.1 into one bundle, `STIX_data.json`, each exactly once."""

import time
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from tocsin.entities import Known, by_alert
from tocsin.errors import DeliveryError, Rejected, Skipped, Unavailable
from tocsin.formats.stix.feed import Feed
from tocsin.formats.stix.objects import ENCODER
from tocsin.kit.bundle_file import BETWEEN, BundleFile
from tocsin.kit.paths import DataPath
from tocsin.kit.stix_options import StixOptions
from tocsin.model import Delivery, Kind, Receipt, Sent
from tocsin.plugin import Destination

INTRODUCING = (b'{"type":"identity"', b'{"type":"marking-definition"')


class StixBundle(StixOptions, Destination):
    """Writes what alerts say as STIX 2.1 into one bundle, each exactly once; recalls revoke it there.

    The file is a whole bundle at every moment, and grows at the cost of what is new (`kit/bundle_file.py` says how).
    To begin another one, rename or remove it.
    """

    path: DataPath = Field(
        default=Path("STIX_data.json"), description="The file; a relative path is in the data folder."
    )
    per_run: bool = Field(
        default=False,
        description="Begin a bundle at each start, its time in the name: `STIX_data-20261122T040000Z.json`.",
    )
    batch: ClassVar[int] = 500
    ordered: ClassVar[bool] = True
    kinds: ClassVar[frozenset[Kind]] = frozenset(("alert", "recall"))

    def send(self, delivery: Delivery) -> Receipt:
        """Write one delivery behind what this object wrote before."""
        (outcome,) = self._written([delivery], None).outcomes
        if isinstance(outcome, DeliveryError):
            raise outcome
        return outcome

    def send_batch(self, deliveries: Sequence[Delivery], cursor: str) -> Sent:
        """Write a batch behind the cursor."""
        return self._written(deliveries, cursor)

    def check(self) -> str:
        """Whether the file can be written; raises Unavailable."""
        return self._file.check()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _written(self, deliveries: Sequence[Delivery], cursor: str | None) -> Sent:
        outcomes: list[Receipt | DeliveryError | None] = []

        def items() -> Iterator[bytes]:
            told = {one for one in self._introduction(deliveries) if one in self._file.beginning}
            for delivery in deliveries:
                try:
                    found = [one for one in self._feed.encoded(delivery) if one not in told]
                except Skipped as error:
                    outcomes.append(error)
                except ValueError as error:
                    outcomes.append(Rejected(f"alertgroup {delivery.alertgroup.id} cannot be written: {error}"))
                else:
                    told.update(one for one in found if one.startswith(INTRODUCING))
                    outcomes.append(None)
                    yield BETWEEN.join(found)

        try:
            places, cursor = self._file.append(items(), cursor, self._introduction(deliveries))
        except Unavailable as error:
            return Sent([error] * len(deliveries), cursor or "")
        receipts = (Receipt(remote_id=f"{self._file.path.name}:{place}", status="written") for place in places)
        return Sent([one or next(receipts) for one in outcomes], cursor)

    def _introduction(self, deliveries: Sequence[Delivery]) -> list[bytes]:
        """Who says so, and all markings there are: they stand at the beginning."""
        return [ENCODER.encode(one) for delivery in deliveries[:1] for one in self._feed.introduction(delivery.hub)]

    @cached_property
    def _file(self) -> BundleFile:
        if not self.per_run:
            return BundleFile(self.path)
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        here = self.path.with_name(f"{self.path.stem}-{now}{self.path.suffix}")
        return BundleFile(here, self.path.with_name(f".{self.path.name}.place"))

    @cached_property
    def _feed(self) -> Feed:
        known = Known(**self.told())
        return Feed(self.identity, own=known.is_own, entities=lambda group: by_alert(group, known), **self.wording())
