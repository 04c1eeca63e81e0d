"""Whether everything is delivered, or stands visibly where somebody wanted it: the hub's books against the deeds."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from loss.deeds import LANES, Fate
from loss.evidence import Evidence, Got, Owed, StoredGroup
from loss.finding import Finding, finding, number_of
from loss.numbered import Numbered, marks, numbers

FILE_LANES = ("idea_log", "text_log")
HOOKS = ("hook", "partner")
PARTNER = "partner"
FREE_FOR_PARTNER = frozenset(("clear", "green"))
"""The TLPs that its clearance lets through; what nobody marked counts as amber."""
REJECTED_FOR_EVER = 422
TAKEN = (200, 204)


@dataclass(frozen=True)
class Case:
    """One alertgroup and one destination."""

    number: int
    group: StoredGroup
    message: Numbered
    lane: str
    rows: list[Owed]
    possible: set[Fate]
    """What may have been decided when it came."""


class Ledger:
    """What the books of both sides say, by lane."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence, self.deeds = evidence, evidence.deeds
        self.taken: dict[str, set[int]] = defaultdict(set)
        self.seen: dict[str, set[int]] = defaultdict(set)
        self.rejected: dict[str, set[int]] = defaultdict(set)
        for got in evidence.got:
            about = named(got)
            self.seen[got.lane] |= about
            if got.status in TAKEN:
                self.taken[got.lane] |= about
            if got.status == REJECTED_FOR_EVER and len(about) == 1:
                self.rejected[got.lane] |= about
        self.drained = {
            lane: {number for line in lines for number, _ in marks(line.decode(errors="replace"))}
            for lane, lines in evidence.drained.items()
        }
        self.cases = list(self._cases())

    def _cases(self) -> Iterator[Case]:
        rows: dict[tuple[int, str], list[Owed]] = defaultdict(list)
        for owed in self.evidence.owed:
            rows[owed.alertgroup, owed.lane].append(owed)
        for group in self.evidence.stored:
            number = number_of(group)
            message = self.evidence.sent.get(number)
            for lane in LANES if message else ():
                assert message is not None
                yield Case(number, group, message, lane, rows[group.id, lane], self.deeds.possible(message, lane))

    def faults(self) -> Iterator[Finding]:
        """Everything that is neither delivered nor rightly and visibly something else."""
        found: dict[tuple[str, str], list[int]] = defaultdict(list)
        for case in self.cases:
            for kind, what in (*self._owing(case), *self._arrived(case)):
                found[f"{case.lane}: {kind}", what].append(case.number)
            for row in case.rows:
                for kind, what in self._row(case, row):
                    found[f"{case.lane}: {kind}", what].append(case.number)
        for (kind, what), befell in found.items():
            yield from finding(kind, what, befell)

    def _owing(self, case: Case) -> Iterator[tuple[str, str]]:
        """Whether the right deliveries are there at all."""
        replayed = case.lane in self.deeds.maybe_replayed
        if not case.rows and "none" not in case.possible:
            yield "not owed", "stored, and a route or the lack of one owed it, but there is no delivery"
        if case.rows and case.possible == {"none"} and not replayed:
            yield "unasked", "owed, although no route said so"
        if len(case.rows) > 1 and case.lane not in self.deeds.maybe_again:
            yield "owed twice", "more than one delivery, and nobody had it sent again"
        touched = replayed or any(row.id in self.deeds.touched | self.deeds.dropped for row in case.rows)
        if case.possible == {"silenced"} and not touched and any(row.state != "silenced" for row in case.rows):
            yield "unsilenced", "a silence stood, and it did not hold it back"

    def _arrived(self, case: Case) -> Iterator[tuple[str, str]]:
        """Whether the receiver got what it should not have."""
        lane = case.lane
        came = case.number in self.seen[lane] or case.number in self.drained.get(lane, ())
        if came and lane == PARTNER and not self._tlps(case) & FREE_FOR_PARTNER:
            yield "leaked", "its TLP is above the clearance, and it went out"
        if came and not case.rows:
            yield "untold", "the receiver got it, and there is no delivery"

    def _row(self, case: Case, row: Owed) -> Iterator[tuple[str, str]]:
        judge = {
            "delivered": self._delivered,
            "due": self._due,
            "failed": self._failed,
            "withheld": self._withheld,
            "silenced": self._silenced,
            "dropped": self._dropped,
        }.get(row.state)
        if judge is None:
            yield "stuck", f"{row.state} when all faults were long lifted"
        else:
            yield from judge(case, row)

    def _delivered(self, case: Case, row: Owed) -> Iterator[tuple[str, str]]:
        """Whether it is where the hub says; the lines of the files are counted by themselves."""
        if row.drained:
            if case.number not in self.drained.get(case.lane, ()):
                yield "missing", "called drained into a file, but it does not stand there"
        elif case.lane not in FILE_LANES and case.number not in self.taken[case.lane]:
            yield "missing", "called delivered, but the receiver never took it"

    def _due(self, case: Case, _: Owed) -> Iterator[tuple[str, str]]:
        if not self.deeds.paused[case.lane]:
            yield "stuck", "still due when all faults were long lifted, and nobody holds the lane"

    def _failed(self, case: Case, _: Owed) -> Iterator[tuple[str, str]]:
        if case.number not in self.rejected[case.lane]:
            yield "given up", "failed, but the receiver never rejected it for good"
        if case.group.id not in self.evidence.parked.get(case.lane, ()):
            yield "hidden", "failed, and the API does not show it"

    def _withheld(self, case: Case, _: Owed) -> Iterator[tuple[str, str]]:
        if case.lane != PARTNER or self._tlps(case) <= FREE_FOR_PARTNER:
            yield "withheld unasked", "withheld, although its TLP lets it through"

    def _silenced(self, case: Case, _: Owed) -> Iterator[tuple[str, str]]:
        if "silenced" not in case.possible:
            yield "silenced unasked", "silenced, and no silence stood when it came"
        if case.group.id not in self.evidence.held:
            yield "hidden", "silenced, and no silence shows it"

    def _dropped(self, case: Case, row: Owed) -> Iterator[tuple[str, str]]:
        if row.id not in self.deeds.dropped and case.lane not in self.deeds.swept:
            yield "dropped unasked", "dropped, and nobody said so"

    def _tlps(self, case: Case) -> set[str]:
        """Every TLP it ever had."""
        return {case.message.tlp, *self.deeds.tlps.get(case.group.id, ())}


def named(got: Got) -> set[int]:
    """The numbers of the messages that a receiver was told of."""
    return {number for number, _ in marks(got.text)} if got.lane in HOOKS else numbers(got.text)


def decisions(evidence: Evidence) -> Iterator[Finding]:
    """What a person decided, and was told was done, stays so until it is decided anew."""
    deeds, rows = evidence.deeds, {row.id: row for row in evidence.owed}
    last = {one.delivery: one for one in sorted(deeds.decisions, key=lambda one: one.at)}
    undone = []
    for id, one in last.items():
        state = rows[id].state if id in rows else "gone"
        if one.what == "drop" and id not in deeds.touched and one.lane not in deeds.maybe_replayed:
            undone += [id] if state != "dropped" else []
        if one.what == "retry" and id not in deeds.dropped and one.lane not in deeds.swept:
            undone += [id] if state in ("silenced", "dropped", "gone") else []
    yield from finding("undone", "a person sent deliveries again or dropped them, and they stand otherwise", undone)


def standing(evidence: Evidence) -> Iterator[Finding]:
    """Lanes and rules are as people left them, and lanes count what stands in them."""
    deeds = evidence.deeds
    for lane, told in evidence.lanes.items():
        if told.paused != deeds.paused[lane]:
            yield Finding(f"{lane}: pause", f"told to be {_held(deeds.paused[lane])}, and is {_held(told.paused)}")
        for state, shown in (("due", told.due), ("failed", told.failed)):
            there = sum(row.lane == lane and row.state == state for row in evidence.owed)
            if shown < there:
                yield Finding(f"{lane}: hidden", f"{there} stand {state}, and the lane shows {shown}")
    if evidence.rules is not None and evidence.rules != deeds.rules:
        yield Finding("rules", f"left as {deeds.rules}, and they are {evidence.rules}")


def _held(paused: bool) -> str:
    return "paused" if paused else "let go on"


def replays(evidence: Evidence, ledger: Ledger) -> Iterator[Finding]:
    """A replay goes on where it was, and when it is done, everything it meant was owed."""
    told = {one.id: one for one in evidence.replays}
    for deed in evidence.deeds.replays.values():
        name, one = f"replay {deed.id} to {deed.lane}", told.get(deed.id)
        if one is None:
            yield Finding("replay: lost", f"{name} was begun, and is not there")
            continue
        if one.state == "paused" or (one.state == "running" and not evidence.deeds.paused[deed.lane]):
            yield Finding("replay: stuck", f"{name} is {one.state} when all faults were long lifted")
        if one.state == "stopped" and deed.stopped is False:
            yield Finding("replay: stopped", f"{name} is stopped, and nobody said so")
        meant = [
            case
            for case in ledger.cases
            if case.lane == deed.lane and case.group.id <= one.upto and deed.tag in ("", case.message.tag)
        ]
        if len(evidence.replayed.get(one.id, ())) != one.owed:
            yield Finding("replay: untold", f"{name} had {one.owed} sent, the histories of alertgroups say otherwise")
        if one.state != "done":
            continue
        left = [case.number for case in meant if all(row.state == "silenced" for row in case.rows)]
        yield from finding("replay: left out", f"{name} is done, and has not owed all it means", left)
        if one.owed + one.delivered + one.under_way != len(meant):
            yield Finding("replay: left out", f"{name} means {len(meant)}, and counted {one}")


def judge_ledger(evidence: Evidence) -> Iterator[Finding]:
    """All of it."""
    ledger = Ledger(evidence)
    yield from ledger.faults()
    yield from decisions(evidence)
    yield from standing(evidence)
    yield from replays(evidence, ledger)
