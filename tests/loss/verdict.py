"""What is missing, doubled, torn or invented: pure functions from evidence to findings."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from loss.evidence import Evidence, Line, StoredGroup
from loss.finding import Finding, finding, number_of
from loss.ledger import FILE_LANES, HOOKS, judge_ledger, named
from loss.numbered import Mark, marks


def judge(evidence: Evidence) -> list[Finding]:
    """Every fault the evidence shows; nothing when nothing was lost."""
    groups = _by_number(evidence.stored)
    found: list[Finding] = [Finding("round", problem) for problem in evidence.problems]
    found += _answers(evidence)
    found += _store(evidence, groups)
    for lane in FILE_LANES:
        found += _file(lane, evidence)
    found += _idea_ids(line for line in evidence.lines if line.lane == "idea_log")
    found += judge_ledger(evidence)
    found += _drained(evidence)
    for lane in HOOKS:
        found += _hook(lane, evidence, groups)
    found += _balance(evidence)
    return found


def _by_number(stored: Iterable[StoredGroup]) -> dict[int, list[StoredGroup]]:
    groups: dict[int, list[StoredGroup]] = defaultdict(list)
    for group in stored:
        groups[number_of(group)].append(group)
    return groups


def _answers(evidence: Evidence) -> Iterator[Finding]:
    strange: dict[int, list[int]] = defaultdict(list)
    for message in evidence.sent.values():
        for attempt in message.attempts:
            if attempt.status not in (0, 200, 429, 503):
                strange[attempt.status].append(message.number)
    for status, numbers in sorted(strange.items()):
        yield from finding("answer", f"a good message was answered {status}", numbers)
    several = [message.number for message in evidence.sent.values() if len(message.answers) > 1]
    yield from finding("answer", "one message was told several alertgroup ids", several)


def _store(evidence: Evidence, groups: dict[int, list[StoredGroup]]) -> Iterator[Finding]:
    sent = evidence.sent
    lost = [number for number, message in sent.items() if message.acknowledged and not groups.get(number)]
    yield from finding("lost", "acknowledged and not in the store", lost)
    yield from finding("doubled", "stored more than once", (n for n, held in groups.items() if n and len(held) > 1))
    yield from finding("invented", "stored and never sent", (n for n in groups if n and n not in sent))
    unmarked = groups.get(0, [])
    if unmarked:
        yield Finding("invented", f"stored without a number: alertgroups {[group.id for group in unmarked][:10]}")
    known = {number: held for number, held in groups.items() if number in sent}
    changed = [n for n, held in known.items() if any(list(group.rows) != sent[n].rows for group in held)]
    yield from finding("changed", "stored with other rows than were sent", changed)
    moved = [n for n, held in known.items() if sent[n].answers - {group.id for group in held}]
    yield from finding("moved", "stored under another id than the sender was told", moved)
    if evidence.refusals_bind:
        refused = [n for n in known if sent[n].refused]
        yield from finding("refused", "stored although every answer said it was not", refused)
    wrong = [
        number_of(group)
        for group in evidence.stored
        if (group.status, group.alert_count, group.open_count) != ("open", len(group.rows), len(group.rows))
    ]
    yield from finding("counts", "status or counts that do not fit the rows", wrong)


def _file(lane: str, evidence: Evidence) -> Iterator[Finding]:
    """A line for each delivery that is called delivered, and none but for a delivery.

    A lane that is paused after the disk was full may end in what is still due: it is written on there when it goes on.
    """
    least: Counter[Mark] = Counter()
    most: Counter[Mark] = Counter()
    waiting: set[Mark] = set()
    groups = {group.id: group for group in evidence.stored}
    for owed in evidence.owed:
        if owed.lane == lane and owed.alertgroup in groups:
            group = groups[owed.alertgroup]
            due = [(number_of(group), row) for row in range(len(group.rows))]
            most.update(due)
            waiting.update(due if owed.state == "due" and evidence.deeds.paused[lane] else ())
            least.update(due if owed.state == "delivered" and not owed.drained else ())
    found: Counter[Mark] = Counter()
    tails = 0
    for line in evidence.lines:
        if line.lane != lane:
            continue
        where = f"{line.piece} line {line.place}"
        held = marks(line.text.decode(errors="replace"))
        if not line.whole:
            tails += 1
            if not waiting or not held <= waiting or tails > 1:
                yield Finding("torn", f"{where} has no end: {line.text[-80:]!r}", tuple(n for n, _ in held))
        elif len(held) != 1:
            yield Finding("torn", f"{where} holds {len(held)} marks, not one: {line.text[:160]!r}")
        found.update(held)
    yield from finding(f"{lane}: missing", "delivered, but its line is missing", (n for n, _ in least - found))
    doubled = (mark[0] for mark in found - most if mark in most)
    yield from finding(f"{lane}: doubled", "its line stands more often than it was owed", doubled)
    yield from finding(f"{lane}: invented", "a line of nothing owed", (m[0] for m in found if m not in most))


def _drained(evidence: Evidence) -> Iterator[Finding]:
    """What a lane was emptied into is whole: a JSON object a line, with all rows of its alertgroup."""
    rows = {number_of(group): len(group.rows) for group in evidence.stored}
    for lane, lines in evidence.drained.items():
        for place, line in enumerate(lines, 1):
            try:
                held = marks(json.dumps(json.loads(line)))
            except ValueError as error:
                yield Finding("torn", f"line {place} of what {lane} was drained into is no JSON ({error})")
                continue
            for number in {number for number, _ in held}:
                if held != {(number, row) for row in range(rows.get(number, 0))}:
                    yield Finding(f"{lane}: changed", "drained with other rows than are stored", (number,))


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


def _hook(lane: str, evidence: Evidence, groups: dict[int, list[StoredGroup]]) -> Iterator[Finding]:
    """What a webhook got is what is stored, under one Idempotency-Key for each delivery."""
    keys: dict[int, set[str]] = defaultdict(set)
    rows: dict[int, set[Mark]] = defaultdict(set)
    for got in evidence.got:
        for number in named(got) if got.lane == lane else ():
            keys[number].add(got.key)
            rows[number] |= marks(got.text)
    yield from finding(f"{lane}: invented", "the receiver got what is not stored", (n for n in keys if n not in groups))
    due = {n: {(n, row) for row in range(len(held[0].rows))} for n, held in groups.items()}
    partial = [n for n in rows if n in due and rows[n] != due[n]]
    yield from finding(f"{lane}: changed", "the receiver got other rows than are stored", partial)
    owed = Counter(owed.alertgroup for owed in evidence.owed if owed.lane == lane)
    most = {n: sum(owed[group.id] for group in held) for n, held in groups.items()}
    many = [n for n in keys if n in groups and (len(keys[n]) > max(1, most[n]) or not all(keys[n]))]
    yield from finding(f"{lane}: key", "it has more Idempotency-Keys than deliveries, or an empty one", many)
    owners = Counter(key for held in keys.values() for key in held)
    shared = [n for n, held in keys.items() if any(owners[key] > 1 for key in held)]
    yield from finding(f"{lane}: key", "its Idempotency-Key stands on another alertgroup too", shared)


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
