"""One pass over a mailbox: which mails are new, fetch them, hand them over, and then flag or move them.

The order is the promise: a mail and the cursor that knows it are on disk before anything changes in the mailbox.
"""

import fnmatch
import time
from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec
import structlog
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError

from tocsin.kit.envelope import as_message, envelope
from tocsin.kit.senders import refusal
from tocsin.model import Message, Micros
from tocsin.plugin import Desk
from tocsin.sources.imap.line import BROKEN, Line, said
from tocsin.sources.imap.options import Options
from tocsin.sources.imap.place import Place, place_of

log = structlog.get_logger()

MIB = 1024 * 1024
TOGETHER, TOGETHER_BYTES = 50, 4 * MIB
"""Small mails are fetched together, so many or about so many bytes of them."""
TRIES = 5
"""A mail that could not be fetched so often, while others could, goes to quarantine without its bytes."""


class Reading:
    """Reads one mailbox, pass by pass, over one line after the other."""

    def __init__(self, options: Options, desk: Desk) -> None:
        self._options, self._desk = options, desk
        self._most = options.max_mib * MIB
        self._tries: Counter[int] = Counter()
        self._singly: frozenset[int] = frozenset()
        self._place: Place | None = None
        self._stored = ""

    @property
    def heard(self) -> Micros | None:
        """When the last mail came; None before the mailbox was ever opened."""
        place = self._place or place_of(self._desk.cursor())
        return place.heard if place and place.mailbox == self._options.mailbox else None

    def begin(self, line: Line) -> None:
        """Find the place on a new line: where the cursor says, or where the options say if there is none."""
        self._stored = self._desk.cursor()
        known = place_of(self._stored)
        if known is None or known.mailbox != self._options.mailbox:
            match self._options.fetch:
                case "new":
                    last = line.next_uid() - 1
                case "since":
                    last = line.first_since(self._options.since_hours) - 1
                case "unseen":
                    last = 0
            place = Place(mailbox=self._options.mailbox, validity=line.validity, last=last, heard=_now())
        elif known.validity != line.validity:
            log.warning("the mailbox was made anew and is read from its beginning", mailbox=known.mailbox)
            self._tries.clear()
            place = msgspec.structs.replace(known, validity=line.validity, last=0, due=(), owed=())
        else:
            place = known
        self._place = place
        self._keep()

    def once(self, line: Line) -> str:
        """One pass; what ails the mailbox though it can be read, or "". Raises StoreUnavailable and `line.BROKEN`."""
        ailing = self._finish(line)
        for uids, size in self._new(line):
            if self._desk.stop.is_set():
                break
            self._take(line, uids, size)
            ailing = self._finish(line) or ailing
        self._keep()
        if self._at.owed:
            some = f"{len(self._at.owed)} mails" if len(self._at.owed) > 1 else "1 mail"
            ailing = ailing or f"{some} of {self._options.folder} could not be fetched: tried again with every pass"
        return ailing

    @property
    def _at(self) -> Place:
        assert self._place is not None, "begin comes first"
        return self._place

    def _keep(self) -> None:
        """Store the place alone, if it is not yet."""
        text = self._at.text()
        if text != self._stored:
            self._desk.tell(cursor=text)
            self._stored = text

    def _new(self, line: Line) -> Iterator[tuple[list[int], int]]:
        """The mails to fetch, the small ones together; each part with the size of the largest."""
        options, place = self._options, self._at
        # Where mail is flagged or moved, unseen is what the mailbox says, wherever it stands; else the cursor knows.
        anywhere = options.fetch == "unseen" and options.afterwards != "leave"
        found = line.search(0 if anywhere else place.last, unseen=options.fetch == "unseen")
        wanted = [uid for uid in sorted({*found, *place.owed}) if uid not in place.due]
        for start in range(0, len(wanted), 1000):
            part = wanted[start : start + 1000]
            sizes = line.sizes(part)
            self._gone(set(part) - sizes.keys())
            yield from self._together(sorted(sizes.items()))

    def _together(self, sizes: Sequence[tuple[int, int]]) -> Iterator[tuple[list[int], int]]:
        uids: list[int] = []
        total = largest = 0
        for uid, size in sizes:
            alone = uid in self._singly or uid in self._at.owed or size > self._most
            if uids and (alone or len(uids) >= TOGETHER or total + size > TOGETHER_BYTES):
                yield uids, largest
                uids, total, largest = [], 0, 0
            if alone:
                yield [uid], size
            else:
                uids.append(uid)
                total, largest = total + size, max(largest, size)
        if uids:
            yield uids, largest

    def _take(self, line: Line, uids: list[int], size: int) -> None:
        try:
            found = line.beginning(uids[0], self._most) if size > self._most else line.fetch(uids)
        except BROKEN as error:
            refused = isinstance(error, IMAPClientError) and not isinstance(error, IMAPClient.AbortError)
            if len(uids) > 1:
                # One of them is to blame; the next time each is fetched alone.
                self._singly |= frozenset(uids)
            else:
                self._failed(line if refused else None, uids[0], said(error))
            if not refused:
                raise
            found = {}
            if len(uids) == 1:
                return
        for uid in uids:
            if self._desk.stop.is_set():
                return
            if uid in found:
                self._hand(uid, found[uid], size)
            elif len(uids) > 1:
                self._take(line, [uid], size)
            elif line.sizes([uid]):
                self._failed(line, uid, "the server answered without it")
            else:
                self._gone({uid})

    def _hand(self, uid: int, raw: bytes, size: int) -> None:
        options, now = self._options, _now()
        outside = envelope(raw)
        stranger = refusal(outside, options.permitted_senders, options.authentication_server)
        place = self._at.taken(uid, 0 if stranger else now, due=options.afterwards != "leave")
        reason = stranger
        if max(size, len(raw)) > self._most:
            raw = raw[: self._most]
            too_large = (
                f"the mail has {size:,} bytes, more than max_mib = {options.max_mib}: its first {len(raw):,} bytes are "
                "kept here, the whole is in the mailbox"
            )
            reason = f"{stranger}; {too_large}" if stranger else too_large
        if not reason and options.health_subject and _like(outside.subject, options.health_subject):
            log.info("sign of life", mailbox=options.mailbox, subject=outside.subject)
        else:
            text = place.text()
            self._desk.accept(as_message(raw, now, known=outside), cursor=text, refused=reason)
            self._stored = text
        self._place = place
        self._tries.pop(uid, None)

    def _failed(self, line: Line | None, uid: int, why: str) -> None:
        """A mail could not be fetched: others go before it, and after some tries it stands in quarantine."""
        self._tries[uid] += 1
        if self._tries[uid] < TRIES:
            self._place = self._at.skipped(uid)
            self._keep()
            return
        reason = (
            f"the server did not hand over mail {uid} of {self._options.folder} in {TRIES} tries ({why}): it is still "
            "in the mailbox; save it there and hand it over with `tocsin mail FILE`"
        )
        place = self._at.taken(uid, 0, due=False)
        header = line.header(uid) if line else b""
        note = f"mail {uid} of {self._options.mailbox}, UIDVALIDITY {place.validity}\n".encode()
        message = (
            as_message(header, _now())
            if header
            else Message(source="", body=note, media_type="text/plain", received=_now(), by_bytes=True)
        )
        self._desk.accept(message, cursor=place.text(), refused=reason)
        self._place, self._stored = place, place.text()
        self._tries.pop(uid, None)

    def _gone(self, uids: set[int]) -> None:
        """Somebody took them out of the folder before we came."""
        if uids & set(self._at.owed):
            owed = tuple(uid for uid in self._at.owed if uid not in uids)
            self._place = msgspec.structs.replace(self._at, owed=owed)

    def _finish(self, line: Line) -> str:
        """Flag or move what is stored; what hindered it, or ""."""
        if not self._at.due:
            return ""
        if self._options.afterwards != "leave":
            try:
                line.finish(self._at.due)
            except IMAPClientError as error:
                if isinstance(error, IMAPClient.AbortError):
                    raise
                what = "flagged" if self._options.afterwards == "seen" else f"moved to {self._options.move_to}"
                return f"mails are stored but cannot be {what} ({said(error)}): let {self._options.user} do that"
        self._place = msgspec.structs.replace(self._at, due=())
        return ""


def _like(subject: str, wanted: str) -> bool:
    pattern = "".join(letter if letter == "*" else f"[{letter}]" if letter in "?[" else letter for letter in wanted)
    return fnmatch.fnmatchcase(subject.casefold(), pattern.casefold())


def _now() -> Micros:
    return time.time_ns() // 1000
