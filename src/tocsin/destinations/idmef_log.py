"""Writes every alert to a file as IDMEFv2, one JSON object on a line, each exactly once."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import msgspec
from pydantic import Field

from tocsin import detection
from tocsin.formats.idmef import IdmefForm, Profile
from tocsin.kit.line_file import LineFile
from tocsin.kit.paths import DataPath
from tocsin.model import Delivery, Kind, Receipt, Sent
from tocsin.plugin import Destination


class IdmefLog(Destination):
    """Writes every alert to a file as IDMEFv2, one JSON object on a line, each exactly once.

    Behind the Events of an alertgroup's alerts stands an Incident, which names them in CorrelID. Rotate the file by
    renaming it (logrotate's default); the next line begins a new one.
    """

    path: DataPath = Field(default=Path("idmef.json"), description="The file; a relative path is in the data folder.")
    profile: Profile = Field(
        default="08", description='"08" is draft 08 (Version 2.D.V08), "slips" what Slips 1.1 writes (Version 2.0.3).'
    )
    analyzer: str = Field(default="Tocsin", min_length=1, description="This hub's name in each message.")
    incidents: bool = Field(
        default=True, description="Whether an alertgroup of several alerts has a message of its own behind theirs."
    )
    batch: ClassVar[int] = 500
    ordered: ClassVar[bool] = True
    kinds: ClassVar[frozenset[Kind]] = frozenset(("alert", "recall"))

    def send(self, delivery: Delivery) -> Receipt:
        """Write one alertgroup behind what this object wrote before."""
        return self._file.deliver_one(delivery, self._lines)

    def send_batch(self, deliveries: Sequence[Delivery], cursor: str) -> Sent:
        """Write a batch behind the cursor with one sync."""
        return self._file.deliver(deliveries, cursor, self._lines)

    def check(self) -> str:
        """Whether the file can be written; raises Unavailable."""
        return self._file.check()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _lines(self, delivery: Delivery) -> bytes:
        known = detection.known(delivery.alertgroup)
        return self._form.lines(msgspec.structs.replace(delivery, alertgroup=known))

    @cached_property
    def _file(self) -> LineFile:
        return LineFile(self.path)

    @cached_property
    def _form(self) -> IdmefForm:
        return IdmefForm(self.profile, self.analyzer, incidents=self.incidents)
