"""Alertgroups as plain letters: what Slack is shown, for people who read mail.

Addresses and names in what detectors wrote are defanged, so that no mail program makes a link of them.
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from tocsin.formats import log_line
from tocsin.formats.times import rfc3339, writable
from tocsin.model import TLP, Alert, Alertgroup, Delivery, Micros, worst_of

ROWS = 20
CELL = 200
SUBJECT = 180
REASON = 2000


class LetterForm:
    """Alertgroups as letters."""

    def __init__(self, defanged: Callable[[str], str] = str) -> None:
        """`defanged` writes addresses and names in a text so that no program makes a link of them."""
        self._defanged = defanged

    def title(self, group: Alertgroup) -> str:
        """`[high] Failed logins (3 alerts) TLP:GREEN`, on one line."""
        worst = worst_of(group)
        word = "" if worst is None else f"[{worst.name.lower()}] "
        n = len(group.alerts)
        tlp = "" if group.tlp is TLP.UNSET else f" TLP:{group.tlp.value.upper()}"
        subject = self._shown(group.subject, SUBJECT) or "(no subject)"
        return f"{word}{subject} ({n:,} {'alert' if n == 1 else 'alerts'}){tlp}"

    def text(self, group: Alertgroup, link: str = "") -> str:
        """The letter: title, facts, the first rows, then how many more."""
        facts = [
            ("Received", _moment(group.received)),
            ("Source", ", ".join(group.sources)),
            ("Tags", ", ".join(group.tags)),
            ("See", link),
        ]
        parts = [self.title(group), "\n".join(f"{name}: {self._line(value, name)}" for name, value in facts if value)]
        parts += [self._row(place, alert) for place, alert in enumerate(group.alerts[:ROWS], 1)]
        if len(group.alerts) > ROWS:
            parts.append(f"… and {len(group.alerts) - ROWS:,} more")
        return "\n\n".join(filter(None, parts)) + "\n"

    def digest(self, groups: Sequence[Alertgroup], links: Sequence[str]) -> tuple[str, str]:
        """Subject and text of one letter about many alertgroups, the worst first."""
        pairs = sorted(zip(groups, links, strict=True), key=lambda pair: -(worst_of(pair[0]) or 0))
        lines = [f"- {self.title(group)}" + (f"\n  {link}" if link else "") for group, link in pairs]
        return f"{len(groups):,} alertgroups", "\n".join(lines) + "\n"

    def recalled(self, delivery: Delivery, link: str = "") -> tuple[str, str]:
        """Subject and text of the letter that takes an alertgroup back."""
        group = delivery.alertgroup
        what = self._shown(group.subject, SUBJECT) or f"alertgroup {group.id}"
        facts = [
            ("Alertgroup", str(group.id)),
            ("Received", _moment(group.received)),
            ("Recalled", _moment(delivery.owed)),
            ("Reason", self._shown(delivery.reason, REASON)),
            ("Sent as", ", ".join(dict.fromkeys(each.remote_id for each in delivery.earlier if each.remote_id))),
            ("See", link),
        ]
        said = "What was sent to you about this alertgroup was sent in error. Do not act on it any more."
        lines = "\n".join(f"{name}: {value}" for name, value in facts if value)
        return f"Recalled: {what}", f"{said}\n\n{lines}\n"

    def _row(self, place: int, alert: Alert) -> str:
        lines = [
            f"  {self._shown(name, 60)}: {self._shown(_written(value), CELL)}" for name, value in alert.data.items()
        ]
        return "\n".join([f"{place}.", *_kept(lines)])

    def _line(self, value: str, name: str) -> str:
        return value if name == "See" else self._shown(value, 500)

    def _shown(self, written: str, most: int) -> str:
        safe = log_line.plain(self._defanged(written[: most + 1]))
        return safe if len(written) <= most else f"{safe[:most]}…"


def _kept(lines: Iterable[str]) -> list[str]:
    return [line for line in lines if not line.endswith(": ")][:40]


def _moment(at: Micros) -> str:
    return rfc3339(at) if at and writable(at) else ""


def _written(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
