"""Writes every alert to a file as IDEA0, one JSON object on a line, each exactly once."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import msgspec
from pydantic import AfterValidator, Field, StringConstraints

from tocsin import detection
from tocsin.formats.idea import NSID, IdeaForm
from tocsin.formats.idea.categories import Categories
from tocsin.kit.line_file import LineFile
from tocsin.kit.paths import DataPath
from tocsin.model import Delivery, Kind, Receipt, Sent
from tocsin.plugin import Destination


def _known(categories: dict[str, list[str]]) -> dict[str, list[str]]:
    Categories(categories)
    return categories


class IdeaLog(Destination):
    """Writes every alert to a file as IDEA0, one JSON object on a line, each exactly once.

    Behind the lines of an alertgroup's alerts stands one for the alertgroup, which names them in CorrelID. What came
    as IDEA0 leaves with every key it came with. A recall is a line that names what it replaces in PredID, with
    Confidence 0. Rotate the file by renaming it (logrotate's default); the next line begins a new one.
    """

    path: DataPath = Field(default=Path("alerts.json"), description="The file; a relative path is in the data folder.")
    node: Annotated[str, StringConstraints(pattern=f"^{NSID}$")] = Field(
        default="tocsin",
        description="This hub's name in each event: lower-case letters, digits and underscores with dots between, "
        'such as "org.example.tocsin".',
    )
    categories: Annotated[dict[str, list[str]], AfterValidator(_known)] = Field(
        default={},
        description="IDEA categories for words of your detectors, asked before the built-in ones, such as "
        '`"odd login" = ["Attempt.Login"]`.',
    )
    profile: Literal["idea", "slips"] = Field(
        default="idea",
        description="`slips` adds what Slips 1.1.1 wrote besides: ConnCount, accumulated_threat_level, timewindow, "
        "profileid, threat_level, and the sentence as Attach.",
    )
    alertgroups: bool = Field(
        default=True, description="Whether an alertgroup of several alerts has a line of its own behind theirs."
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
        return self._form.delivered(msgspec.structs.replace(delivery, alertgroup=known))

    @cached_property
    def _file(self) -> LineFile:
        return LineFile(self.path)

    @cached_property
    def _form(self) -> IdeaForm:
        return IdeaForm(self.node, Categories(self.categories), self.profile, self.alertgroups)
