"""Mail that a mail server on this machine delivers into a Maildir (https://cr.yp.to/proto/maildir.html)."""

import errno
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from tocsin.kit.envelope import as_message, envelope
from tocsin.kit.paths import DataPath
from tocsin.kit.senders import Sender, refusal
from tocsin.plugin import Desk, Source

MIB = 1024 * 1024
PARTS = ("tmp", "new", "cur")


class Maildir(Source):
    """Follows a Maildir: takes what is in `new/`, and in `cur/` what nobody has seen.

    A mail is stored before its file is touched. What was stored before is known by its Message-ID and its bytes.
    """

    path: DataPath = Field(description="The Maildir: the folder that holds new, cur and tmp.")
    permitted_senders: list[Sender] = Field(
        min_length=1,
        description='Who may be heard: addresses, domains with their subdomains ("example.com"), patterns '
        '("ids-*@example.com"), or "*" for everybody. Mail of others stands in quarantine.',
    )
    authentication_server: str = Field(
        default="",
        description="The name (authserv-id) of the mail server whose Authentication-Results must show a dmarc, dkim or "
        "spf that passed for the sender's domain; empty asks for none.",
    )
    interval_s: float = Field(default=5, gt=0, le=86400, description="Look so often.")
    max_mib: int = Field(default=64, ge=1, le=512, description="Of a larger mail so much is kept, in quarantine.")
    afterwards: Literal["seen", "move", "leave"] = Field(
        default="seen",
        description="What becomes of a mail once it is stored: flagged as seen in cur/, moved to another Maildir, or "
        "left, which reads all of it again after each start.",
    )
    move_to: DataPath | None = Field(
        default=None, description='The Maildir for `afterwards = "move"`, on the same disk; made when it is not there.'
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.afterwards == "move") != (self.move_to is not None):
            raise ValueError('afterwards = "move" and move_to belong together')
        if self.move_to == self.path:
            raise ValueError("move_to must not be the Maildir that is read")
        return self

    def run(self, desk: Desk) -> None:
        """Look, hand over, look again, until the desk says stop."""
        done: set[str] = set()
        while not desk.stop.is_set():
            desk.tell(self._look(desk, done))
            desk.stop.wait(self.interval_s)

    def _look(self, desk: Desk, done: set[str]) -> str:
        """One pass; what ails it, or "". `done` are the names of mails that are stored and still lie there."""
        ailing = ""
        try:
            files = list(self._files())
            if self.move_to is not None:
                for part in PARTS:
                    (self.move_to / part).mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            return f"{error.filename or self.path} cannot be used as a Maildir ({error.strerror}): make it readable"
        done &= {_name(file) for file in files}
        for file in files:
            if desk.stop.is_set():
                break
            if _name(file) in done:
                continue
            try:
                self._take(desk, file, done)
            except FileNotFoundError:
                continue  # another reader took or flagged it; it is found under its new name the next time
            except OSError as error:
                why = "move_to must be on the same disk" if error.errno == errno.EXDEV else "let Tocsin read and rename"
                ailing = f"{file} cannot be read or put away ({error.strerror}): {why}"
        return ailing

    def _files(self) -> Iterator[Path]:
        """What is to be taken, the oldest first as far as names tell (they begin with the time of delivery)."""
        new = [Path(entry.path) for entry in os.scandir(self.path / "new") if not entry.name.startswith(".")]
        cur = [
            Path(entry.path)
            for entry in os.scandir(self.path / "cur")
            if not entry.name.startswith(".") and "S" not in entry.name.partition(":2,")[2]
        ]
        yield from sorted([*new, *cur], key=lambda file: file.name)

    def _take(self, desk: Desk, file: Path, done: set[str]) -> None:
        raw, size = _read(file, self.max_mib * MIB)
        outside = envelope(raw)
        reason = refusal(outside, self.permitted_senders, self.authentication_server)
        if size > len(raw):
            too_large = (
                f"the mail has {size:,} bytes, more than max_mib = {self.max_mib}: its first {len(raw):,} bytes are "
                "kept here, the whole is in the Maildir"
            )
            reason = f"{reason}; {too_large}" if reason else too_large
        desk.accept(as_message(raw, time.time_ns() // 1000, known=outside), refused=reason)
        done.add(_name(file))
        if self.afterwards == "leave":
            return
        base, _, flags = file.name.partition(":2,")
        folder = self.move_to if self.move_to is not None else self.path
        file.rename(folder / "cur" / f"{base}:2,{''.join(sorted({*flags, 'S'}))}")
        done.discard(_name(file))


def _read(file: Path, most: int) -> tuple[bytes, int]:
    """The first bytes of a regular file, and its size. Raises OSError, also for what is no regular file."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as opened:  # noqa: PTH123 - a path could be swapped for a link or a pipe
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", str(file))
        raw = opened.read(most)
        return raw, max(status.st_size, len(raw))


def _name(file: Path) -> str:
    """What names a mail, whatever its flags."""
    return file.name.partition(":2,")[0]
