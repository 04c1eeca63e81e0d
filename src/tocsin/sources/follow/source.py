"""The source itself: passes over all files, portion by portion."""

import os
import time
from pathlib import Path
from typing import Literal

import structlog
from pydantic import Field

from tocsin.errors import StoreUnavailable
from tocsin.kit.paths import DataPath
from tocsin.kit.rotation import rotated
from tocsin.model import Message
from tocsin.plugin import Desk, Source
from tocsin.sources.follow.lines import Cutter, Portion
from tocsin.sources.follow.place import Cursor, Mark, Place
from tocsin.sources.follow.trail import Gone, Trail, first_sight, opened

log = structlog.get_logger()

KIB = 1024
LINES = "application/x-ndjson"
MOST_FILES = 256
MOST_GONE = 64
"""From so many files on, those that are gone and have no successor are forgotten: their disk is not coming back."""
STORE_WAIT_S = 2.0


class Follow(Source):
    """Follows files of JSON lines as they grow: Suricata's eve.json, Slips' alerts.json, and any other.

    How far each file was read is stored with what was read. A line that is no JSON stands in quarantine.
    """

    paths: list[DataPath] = Field(
        min_length=1, description='The files, by name or pattern ("/var/log/suricata/eve*.json").'
    )
    begin: Literal["end", "beginning"] = Field(
        default="end",
        description="Where to begin with files that are there when a path is followed for the first time. Files that "
        "appear later are read from their beginning.",
    )
    only: dict[str, list[str]] = Field(
        default={"event_type": ["alert"]},
        description="Of lines that have such a key, only those with one of these values are taken; a line without it "
        "is taken. As it stands: of Suricata's events the alerts.",
    )
    interval_s: float = Field(default=1, gt=0, le=3600, description="Look so often.")
    max_lines: int = Field(default=1000, ge=1, le=10_000, description="So many lines go into one message at most.")
    max_line_kib: int = Field(
        default=1024, ge=1, le=65_536, description="A longer line stands in quarantine, in pieces of this size."
    )

    def run(self, desk: Desk) -> None:
        """Read on, whenever there is something, until the desk says stop."""
        following = Following(self, desk)
        try:
            while not desk.stop.is_set():
                try:
                    desk.tell(following.once())
                    wait = self.interval_s
                except StoreUnavailable as error:
                    log.warning("followed files wait for the store", source=str(self.paths[0]), reason=str(error))
                    following.forget()  # whether the last portion was stored, the store knows
                    wait = STORE_WAIT_S
                desk.stop.wait(wait)
        finally:
            following.close()


class Following:
    """All files of one source."""

    def __init__(self, options: Follow, desk: Desk) -> None:
        self._options, self._desk = options, desk
        self._cutter = Cutter(options.max_lines, options.max_line_kib * KIB, options.only)
        self._chunk = max(KIB, options.max_line_kib) * KIB + 1
        self._trails: dict[str, Trail] = {}
        self._begun: tuple[str, ...] = ()
        self._is_read = False

    def once(self) -> str:
        """Read all files to their ends; what ails them, or "". Raises StoreUnavailable."""
        self._load()
        ailing = self._sight()
        for name, trail in list(self._trails.items()):
            try:
                while not self._desk.stop.is_set() and self._step(trail):
                    pass
                if trail.is_over():
                    self._trails.pop(name).close()
            except Gone:
                if len(self._trails) > MOST_GONE:
                    self._lost(self._trails.pop(name))
            except OSError as error:
                ailing = f"{error.filename or trail.path} cannot be read ({error.strerror}): let Tocsin read it"
        return ailing

    def forget(self) -> None:
        """Begin again at what is stored, with the files that are open."""
        self._is_read = False

    def close(self) -> None:
        """Let go of all files."""
        for trail in self._trails.values():
            trail.close()

    def _load(self) -> None:
        if self._is_read:
            return
        cursor = Cursor.of(self._desk.cursor())
        self._begun = cursor.begun
        for name in set(self._trails) - set(cursor.files):
            self._trails.pop(name).close()
        for name, mark in cursor.files.items():
            self._trails.setdefault(name, Trail(Path(name), mark)).mark = mark
        self._is_read = True

    def _sight(self) -> str:
        """Take in what is new; it is stored before anything is read of it."""
        ailing, new = "", False
        for pattern in self._options.paths:
            found = _matching(pattern)
            if not found and not any(Path(name).match(str(pattern)) for name in self._trails):
                ailing = f"there is no file {pattern} yet"
            at_end = self._options.begin == "end" and str(pattern) not in self._begun
            for path in found:
                if str(path) in self._trails:
                    continue
                if len(self._trails) >= MOST_FILES:
                    ailing = f"{pattern} means more than {MOST_FILES} files: give narrower paths"
                    break
                try:
                    mark = self._new(path, at_end=at_end)
                except OSError as error:
                    ailing = f"{path} cannot be read ({error.strerror}): let Tocsin read it"
                    continue
                if mark is not None:
                    self._trails[str(path)] = Trail(path, mark)
                    new = True
        begun = tuple(str(pattern) for pattern in self._options.paths)
        if new or begun != self._begun:
            self._begun = begun
            self._desk.tell(cursor=self._text())
        return ailing

    def _new(self, path: Path, *, at_end: bool) -> Mark | None:
        """Where to begin with a path that is new; None: nowhere yet, or another path's trail leads there."""
        near = [trail for trail in self._trails.values() if trail.path.parent == path.parent]
        if any(rotated(trail.path.name).fullmatch(path.name) for trail in near):
            return None
        with opened(path) as file:
            if file is None or any(trail.at.fits(file) for trail in near):
                return None
            before = [place for trail in near if (place := trail.mark.finished(file)) is not None]
        if before:
            return Mark(max(before, key=lambda place: place.offset))
        return first_sight(path, at_end=at_end, longest=self._cutter.longest)

    def _step(self, trail: Trail) -> bool:
        """Read one piece on; whether there may be more."""
        try:
            file = trail.file()
        except Gone:
            next_ = trail.successor()
            if next_ is None:
                raise
            self._over(trail, next_, gone=True)
            return True
        next_ = trail.successor()  # before reading: what is read then is all that was written before it
        if next_ is not None and trail.is_after(next_, file):
            trail.follow(next_)  # copied and cut before anything was read of it: the copy comes first
            return True
        data = os.pread(file, self._chunk, trail.at.offset)
        if not trail.at.fits(file):
            return True  # cut while it was read
        ended = next_ is not None and len(data) < self._chunk
        moved = False
        for portion in self._cutter.portions(data, trail.at.offset, inside=trail.at.inside, ended=ended):
            self._hand(trail, file, portion)
            moved = True
            if self._desk.stop.is_set():
                return False
        if not moved and next_ is not None:
            self._over(trail, next_)
            return True
        return moved

    def _hand(self, trail: Trail, file: int, portion: Portion) -> None:
        place = Place.at(file, portion.end, inside=portion.inside)
        trail.mark = Mark(place, trail.mark.done)
        if portion.body:
            self._desk.accept(_message(trail.path, portion.body), cursor=self._text(), refused=portion.refused)
        else:
            self._desk.tell(cursor=self._text())

    def _over(self, trail: Trail, next_: Place, *, gone: bool = False) -> None:
        if gone:
            self._lost(trail, next_)
        else:
            trail.follow(next_)
            self._desk.tell(cursor=self._text())

    def _lost(self, trail: Trail, next_: Place | None = None) -> None:
        """Say, where people look, that a file went before it is known to have been read to its end."""
        note = f"{trail.path}: the file that was followed up to byte {trail.at.offset:,} was taken away\n".encode()
        reason = "a followed file was taken away while Tocsin did not look: what came behind the place is not here"
        if next_ is not None:
            trail.follow(next_)
        self._desk.accept(_message(trail.path, note), cursor=self._text(), refused=reason)

    def _text(self) -> str:
        files = {name: trail.mark for name, trail in self._trails.items()}
        return Cursor(files, self._begun).text()


def _message(path: Path, body: bytes) -> Message:
    return Message(source="", sender=str(path), body=body, media_type=LINES, received=time.time_ns() // 1000)


def _matching(pattern: Path) -> list[Path]:
    """The files a pattern means, those that rotation made of others among them last."""
    whole = pattern.absolute()
    found = Path(whole.anchor).glob(str(whole.relative_to(whole.anchor)))
    return sorted((path for path in found if path.is_file()), key=lambda path: (len(path.name), path.name))
