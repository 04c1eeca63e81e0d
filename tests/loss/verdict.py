"""What is missing, doubled, torn or invented: pure functions from evidence to findings."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from loss.evidence import Evidence, Line, StoredGroup
from loss.numbered import SUBJECT, Mark, marks

FILE_LANES = ("idea_log", "text_log")
HOOK = "hook"
REJECTED_FOR_EVER = 422


@dataclass(frozen=True)
class Finding:
    """One kind of fault and the numbers it befell."""

    kind: str
    what: str
    numbers: tuple[int, ...] = ()


def judge(evidence: Evidence) -> list[Finding]:
    """Every fault the evidence shows; nothing when nothing was lost."""
    groups = _by_number(evidence.stored)
    found: list[Finding] = [Finding("round", problem) for problem in evidence.problems]
    found += _answers(evidence)
    found += _store(evidence, groups)
    for lane in FILE_LANES:
        found += _file(lane, [line for line in evidence.lines if line.lane == lane], evidence.stored)
    found += _idea_ids(line for line in evidence.lines if line.lane == "idea_log")
    found += _deliveries(evidence)
    found += _hook(evidence, groups)
    found += _balance(evidence)
    return found


def number_of(group: StoredGroup) -> int:
    """The number in a group's subject, or 0."""
    found = SUBJECT.search(group.subject)
    return int(found[1]) if found else 0


def _by_number(stored: Iterable[StoredGroup]) -> dict[int, list[StoredGroup]]:
    groups: dict[int, list[StoredGroup]] = defaultdict(list)
    for group in stored:
        groups[number_of(group)].append(group)
    return groups


def _finding(kind: str, what: str, numbers: Iterable[int]) -> Iterator[Finding]:
    numbers = tuple(sorted(set(numbers)))
    if numbers:
        yield Finding(kind, what, numbers)


def _answers(evidence: Evidence) -> Iterator[Finding]:
    strange: dict[int, list[int]] = defaultdict(list)
    for message in evidence.sent.values():
        for attempt in message.attempts:
            if attempt.status not in (0, 200, 429, 503):
                strange[attempt.status].append(message.number)
    for status, numbers in sorted(strange.items()):
        yield from _finding("answer", f"a good message was answered {status}", numbers)
    several = [message.number for message in evidence.sent.values() if len(message.answers) > 1]
    yield from _finding("answer", "one message was told several alertgroup ids", several)


def _store(evidence: Evidence, groups: dict[int, list[StoredGroup]]) -> Iterator[Finding]:
    sent = evidence.sent
    lost = [number for number, message in sent.items() if message.acknowledged and not groups.get(number)]
    yield from _finding("lost", "acknowledged and not in the store", lost)
    yield from _finding("doubled", "stored more than once", (n for n, held in groups.items() if n and len(held) > 1))
    yield from _finding("invented", "stored and never sent", (n for n in groups if n and n not in sent))
    unmarked = groups.get(0, [])
    if unmarked:
        yield Finding("invented", f"stored without a number: alertgroups {[group.id for group in unmarked][:10]}")
    known = {number: held for number, held in groups.items() if number in sent}
    changed = [n for n, held in known.items() if any(list(group.rows) != sent[n].rows for group in held)]
    yield from _finding("changed", "stored with other rows than were sent", changed)
    moved = [n for n, held in known.items() if sent[n].answers - {group.id for group in held}]
    yield from _finding("moved", "stored under another id than the sender was told", moved)
    if evidence.refusals_bind:
        refused = [n for n in known if sent[n].refused]
        yield from _finding("refused", "stored although every answer said it was not", refused)
    wrong = [
        number_of(group)
        for group in evidence.stored
        if (group.status, group.alert_count, group.open_count) != ("open", len(group.rows), len(group.rows))
    ]
    yield from _finding("counts", "status or counts that do not fit the rows", wrong)


def _file(lane: str, lines: list[Line], stored: Iterable[StoredGroup]) -> Iterator[Finding]:
    due: Counter[Mark] = Counter()
    for group in stored:
        due.update((number_of(group), row) for row in range(len(group.rows)))
    found: Counter[Mark] = Counter()
    for line in lines:
        where = f"{line.piece} line {line.place}"
        held = marks(line.text.decode(errors="replace"))
        if not line.whole:
            yield Finding("torn", f"{where} has no end: {line.text[-80:]!r}", tuple(n for n, _ in held))
        elif len(held) != 1:
            yield Finding("torn", f"{where} holds {len(held)} marks, not one: {line.text[:160]!r}")
        found.update(held)
    yield from _finding(f"{lane}: missing", "stored, but its line is missing", (n for n, _ in due - found))
    doubled = (mark[0] for mark, times in found.items() if times > 1 and mark in due)
    yield from _finding(f"{lane}: doubled", "its line stands more than once", doubled)
    yield from _finding(f"{lane}: invented", "a line of nothing stored", (m[0] for m in found if m not in due))


def _idea_ids(lines: Iterable[Line]) -> Iterator[Finding]:
    places: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        if not line.whole:
            continue
        try:
            event = json.loads(line.text)
            places[event["ID"]].append(line)
        except (ValueError, KeyError, TypeError) as error:
            yield Finding("torn", f"{line.piece} line {line.place} is no IDEA event ({error!r}): {line.text[:160]!r}")
    for uid, held in places.items():
        if len({frozenset(marks(line.text.decode())) for line in held}) > 1:
            where = ", ".join(f"{line.piece} line {line.place}" for line in held)
            yield Finding("idea id", f"one ID, {uid}, on different alerts: {where}")


def _deliveries(evidence: Evidence) -> Iterator[Finding]:
    """One delivery for each alertgroup and lane, and each of them settled."""
    numbers = {group.id: number_of(group) for group in evidence.stored}
    states: dict[tuple[int, str], list[str]] = defaultdict(list)
    for owed in evidence.owed:
        states[owed.alertgroup, owed.lane].append(owed.state)
    for lane in (*FILE_LANES, HOOK):
        absent = [number for id_, number in numbers.items() if len(states[id_, lane]) != 1]
        yield from _finding(f"{lane}: not owed", "stored without exactly one delivery for this lane", absent)
        stuck = [n for id_, n in numbers.items() if set(states[id_, lane]) & {"due", "sending"}]
        yield from _finding(f"{lane}: stuck", "still due when all faults were long lifted", stuck)
    for lane in FILE_LANES:
        failed = [n for id_, n in numbers.items() if set(states[id_, lane]) & {"failed", "withheld"}]
        yield from _finding(f"{lane}: failed", "given up, although the file could be written in the end", failed)


def _hook(evidence: Evidence, groups: dict[int, list[StoredGroup]]) -> Iterator[Finding]:
    taken: dict[int, set[int]] = defaultdict(set)
    keys: dict[int, set[str]] = defaultdict(set)
    rows: dict[int, set[Mark]] = defaultdict(set)
    for got in evidence.got:
        held = marks(got.text)
        for number in {number for number, _ in held}:
            taken[number].add(got.status)
            keys[number].add(got.key)
            rows[number] |= held
    states = {(owed.alertgroup, owed.lane): owed.state for owed in evidence.owed}
    hooked = {n: states.get((group.id, HOOK), "") for n, held in groups.items() for group in held}
    unseen = [n for n, state in hooked.items() if state == "delivered" and not taken[n] & {200, 204}]
    yield from _finding("hook: missing", "called delivered, but the receiver never took it", unseen)
    failed = [n for n, state in hooked.items() if state == "failed" and REJECTED_FOR_EVER not in taken[n]]
    yield from _finding("hook: given up", "failed, but the receiver never rejected it for good", failed)
    hidden = [n for n, state in hooked.items() if state == "failed" and not {g.id for g in groups[n]} & evidence.parked]
    yield from _finding("hook: hidden", "failed, and the API does not show it", hidden)
    accepted = [n for n, state in hooked.items() if state == "delivered" and taken[n] == {REJECTED_FOR_EVER}]
    yield from _finding("hook: untrue", "called delivered, but the receiver rejected it", accepted)
    yield from _finding("hook: invented", "the receiver got what is not stored", (n for n in taken if n not in groups))
    due = {n: {(n, row) for row in range(len(held[0].rows))} for n, held in groups.items()}
    partial = [n for n in taken if n in due and rows[n] != due[n]]
    yield from _finding("hook: changed", "the receiver got other rows than are stored", partial)
    yield from _finding("hook: key", "its Idempotency-Key changed or is empty", (n for n in keys if not _one(keys[n])))
    owners = Counter(key for held in keys.values() for key in held)
    shared = [n for n, held in keys.items() if any(owners[key] > 1 for key in held)]
    yield from _finding("hook: key", "its Idempotency-Key stands on another alertgroup too", shared)


def _one(keys: set[str]) -> bool:
    return len(keys) == 1 and all(keys)


def _balance(evidence: Evidence) -> Iterator[Finding]:
    balance = evidence.balance
    if balance is None:
        return
    if balance.received != balance.stored + balance.quarantined + balance.refused:
        yield Finding("balance", f"received is not stored + quarantined + refused: {balance}")
    if balance.stored != len(evidence.stored) or balance.quarantined:
        yield Finding("balance", f"{len(evidence.stored)} messages are stored, the hub says {balance}")
    if balance.refused > evidence.turned_away:
        yield Finding("balance", f"at most {evidence.turned_away} posts were refused, the hub says {balance}")
