"""Alertgroups as plain letters: what Slack is shown, for people who read mail.

Addresses and names in what detectors wrote are defanged, so that no mail program makes a link of them.
"""

from collections.abc import Iterable, Sequence

import msgspec

from tocsin.formats import log_line
from tocsin.formats.defang import defanged
from tocsin.formats.times import rfc3339, writable
from tocsin.model import TLP, Alert, Alertgroup, worst_of

ROWS = 20
CELL = 200
SUBJECT = 180


def title(group: Alertgroup) -> str:
    """`[high] Failed logins (3 alerts) TLP:GREEN`, on one line."""
    worst = worst_of(group)
    word = "" if worst is None else f"[{worst.name.lower()}] "
    n = len(group.alerts)
    tlp = "" if group.tlp is TLP.UNSET else f" TLP:{group.tlp.value.upper()}"
    return f"{word}{_shown(group.subject, SUBJECT) or '(no subject)'} ({n:,} {'alert' if n == 1 else 'alerts'}){tlp}"


def text(group: Alertgroup, link: str = "") -> str:
    """The letter: title, facts, the first rows, then how many more."""
    facts = [
        ("Received", rfc3339(group.received) if writable(group.received) and group.received else ""),
        ("Source", ", ".join(group.sources)),
        ("Tags", ", ".join(group.tags)),
        ("See", link),
    ]
    parts = [title(group), "\n".join(f"{name}: {_line(value, name)}" for name, value in facts if value)]
    parts += [_row(place, alert) for place, alert in enumerate(group.alerts[:ROWS], 1)]
    if len(group.alerts) > ROWS:
        parts.append(f"… and {len(group.alerts) - ROWS:,} more")
    return "\n\n".join(filter(None, parts)) + "\n"


def digest(groups: Sequence[Alertgroup], links: Sequence[str]) -> tuple[str, str]:
    """Subject and text of one letter about many alertgroups, the worst first."""
    pairs = sorted(zip(groups, links, strict=True), key=lambda pair: -(worst_of(pair[0]) or 0))
    lines = [f"- {title(group)}" + (f"\n  {link}" if link else "") for group, link in pairs]
    return f"{len(groups):,} alertgroups", "\n".join(lines) + "\n"


def _row(place: int, alert: Alert) -> str:
    lines = [f"  {_shown(name, 60)}: {_shown(_written(value), CELL)}" for name, value in alert.data.items()]
    return "\n".join([f"{place}.", *_kept(lines)])


def _kept(lines: Iterable[str]) -> list[str]:
    return [line for line in lines if not line.endswith(": ")][:40]


def _written(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _line(value: str, name: str) -> str:
    return value if name == "See" else _shown(value, 500)


def _shown(written: str, most: int) -> str:
    safe = log_line.plain(defanged(written[: most + 1]))
    return safe if len(written) <= most else f"{safe[:most]}…"
