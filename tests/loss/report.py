"""A text a failed round can be understood and run again from."""

from collections import Counter
from collections.abc import Iterable, Sequence

from loss.evidence import Evidence, StoredGroup
from loss.finding import Finding, number_of
from loss.numbered import Numbered

SHOWN = 6


def report(
    title: str, replay: str, diary: Iterable[tuple[float, str]], evidence: Evidence, findings: Sequence[Finding]
) -> str:
    """Seed, what happened when, what came of it, and the story of the first few numbers concerned."""
    sent = evidence.sent.values()
    deeds = evidence.deeds
    told = sum(message.acknowledged for message in sent)
    parts = [
        f"=== {title}: {len(findings)} finding(s)" if findings else f"=== {title}: nothing lost",
        f"run it again: {replay}",
        f"{len(evidence.sent)} messages sent, {told} acknowledged, {sum(m.refused for m in sent)} refused",
        f"{len(evidence.stored)} alertgroups stored; {len(evidence.lines)} lines; {len(evidence.got)} posts received",
        f"deliveries: {_states(evidence)}",
        f"{len(deeds.changes) - 1} changes of rules, {len(deeds.decisions)} decisions, {len(deeds.replays)} replays",
        "what happened (seconds into the round):",
        *(f"  {at:7.3f}  {what}" for at, what in diary),
    ]
    concerned: dict[int, None] = {}
    for finding in findings:
        parts.append(f"- {finding.kind}: {finding.what}")
        if finding.numbers:
            more = f" and {len(finding.numbers) - SHOWN} more" if len(finding.numbers) > SHOWN else ""
            parts.append(f"    numbers {', '.join(map(str, finding.numbers[:SHOWN]))}{more}")
            concerned.update(dict.fromkeys(finding.numbers[:SHOWN]))
    for number in list(concerned)[: 2 * SHOWN]:
        parts += _story(number, evidence)
    return "\n".join(parts)


def _story(number: int, evidence: Evidence) -> list[str]:
    message = evidence.sent.get(number)
    held = [group for group in evidence.stored if number_of(group) == number]
    return [
        f"number {number}: {_known_by(message)}",
        *(f"    sent  {attempt}" for attempt in (message.attempts if message else [])[:SHOWN]),
        *(f"    store {_group(group, evidence)}" for group in held[:SHOWN]),
        *(f"    line  {line}" for line in _places(number, evidence)[:SHOWN]),
    ]


def _known_by(message: Numbered | None) -> str:
    if message is None:
        return "never sent"
    names = [f"message_id {message.message_id}"] if message.message_id else []
    names += [f"key {message.idempotency_key}"] if message.idempotency_key else []
    return f"{len(message.rows)} rows, {' and '.join(names) or 'no id'}; tag {message.tag}, TLP {message.tlp or 'none'}"


def _states(evidence: Evidence) -> str:
    counts = Counter(owed.state for owed in evidence.owed)
    return ", ".join(f"{count} {state}" for state, count in sorted(counts.items())) or "none"


def _group(group: StoredGroup, evidence: Evidence) -> str:
    states = [f"{owed.lane}: {owed.state} ({owed.id})" for owed in evidence.owed if owed.alertgroup == group.id]
    return f"alertgroup {group.id} with {len(group.rows)} rows, {group.status}; deliveries {', '.join(states)}"


def _places(number: int, evidence: Evidence) -> list[str]:
    wanted = f"N{number:07d}R".encode()
    return [f"{line.piece}:{line.place} {line.text[:140]!r}" for line in evidence.lines if wanted in line.text]
