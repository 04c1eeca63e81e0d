"""Writes every alert to a file as a line of text, in the form of Slips' alerts.log, each exactly once."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from tocsin import detection
from tocsin.formats import log_line
from tocsin.kit.line_file import LineFile
from tocsin.kit.paths import DataPath
from tocsin.model import Delivery, Receipt, Sent
from tocsin.plugin import Destination


class TextLog(Destination):
    """Writes every alert to a file as a line of text, in the form of Slips' alerts.log, each exactly once.

    Rotate the file by renaming it (logrotate's default); the next line begins a new one.
    """

    path: DataPath = Field(default=Path("alerts.log"), description="The file; a relative path is in the data folder.")
    form: log_line.Form = Field(
        default="tocsin",
        description='"slips" is Slips\' own form to the letter, with a line for each alertgroup of several alerts; '
        '"tocsin" says flow, category, alertgroup and id besides.',
    )
    batch: ClassVar[int] = 500
    ordered: ClassVar[bool] = True

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
        return log_line.lines(detection.known(delivery.alertgroup), self.form)

    @cached_property
    def _file(self) -> LineFile:
        return LineFile(self.path)
