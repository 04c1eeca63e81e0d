"""Slack messages: Block Kit blocks with the plain text that stands in notifications, or Slips' one line.

What detectors wrote is escaped (no pings, no links made of it), its entities are defanged, and every limit of Slack's
is kept: 50 blocks, 3,000 characters of a section, 10 elements of a context, about 13,000 in all blocks.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from tocsin.formats import log_line
from tocsin.formats.times import rfc3339, writable
from tocsin.model import TLP, Alert, Alertgroup, Delivery, Detection, Micros, Severity, worst_of

SUBJECT, SECTION, TEXT = 500, 3000, 3500
ROWS = 5
CELLS = 8
CELL = 80
"""Of a cell in a row."""
FOLDED, REASON, NOTED = 10, 1500, 500
"""Lines in a message of notes, and characters of a recall's reason where it stands alone and in such a line."""
_SIGNS = {
    Severity.INFO: "⚪", Severity.LOW: "🔵", Severity.MEDIUM: "🟡", Severity.HIGH: "🟠", Severity.CRITICAL: "🔴",
}  # fmt: skip
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_FORMATTING = re.compile(r"([*_~`|])")
_NOTHING = Detection()


def escaped(text: str) -> str:
    """Text that Slack shows as it is: no tag, mention or link begins in it (docs.slack.dev, "Escaping text").

    A zero-width space behind signs of formatting keeps them signs.
    """
    return _FORMATTING.sub("\\1\u200b", log_line.plain(text).translate(_ESCAPES))


class SlackForm:
    """Alertgroups as messages."""

    def __init__(self, defanged: Callable[[str], str] = str) -> None:
        """`defanged` writes addresses and names in a text so that no program makes a link of them."""
        self._defanged = defanged

    def shown(self, text: str, most: int) -> str:
        """Somebody's text, defanged, escaped and cut to a length."""
        plain = self._defanged(text[:most])
        safe = escaped(plain)
        if len(safe) <= most and len(text) <= most:
            return safe
        while len(safe) >= most:
            plain = plain[: len(plain) - max(1, (len(safe) - most) // 6)]
            safe = escaped(plain)
        return safe + "…"

    def fallback(self, group: Alertgroup) -> str:
        """The text of notifications: severity, subject, how many alerts."""
        worst = worst_of(group)
        word = f"{worst.name.lower()}: " if worst is not None else ""
        n = len(group.alerts)
        return f"{word}{self.shown(group.subject, 500)} ({n:,} {'alert' if n == 1 else 'alerts'})"

    def blocks(self, group: Alertgroup, link: str = "", news: str = "") -> list[dict[str, Any]]:
        """One alertgroup: what and how bad, what became of it, its first rows, then whence it came, TLP and tags."""
        worst = worst_of(group)
        sign = _SIGNS[worst] if worst is not None else "🔔"
        n = len(group.alerts)
        found = [_section(f"{sign} *{self.shown(group.subject, SUBJECT) or '(no subject)'}*")]
        if news:
            found.append(_context(news))
        lines = [f"• {self._row(alert)}" for alert in group.alerts[:ROWS]]
        if n > ROWS:
            lines.append(f"… and {n - ROWS:,} more")
        if lines:
            found.append(_section(_whole_lines(lines)))
        facts = [f"*{worst.name.lower()}*" if worst is not None else "", _tlp(group.tlp), ", ".join(group.sources)]
        facts += [f"#{tag}" for tag in group.tags[:10]]
        words = " · ".join(self.shown(one, 200) if at > 1 else one for at, one in enumerate(facts) if one)
        if link:
            words = f"<{link}|Alertgroup {group.id}> · {words}"
        if words:
            found.append(_context(words[:SECTION]))
        return found

    def news(self, delivery: Delivery) -> str:
        """What became of an alertgroup: `closed · seen 5 times · as of 2026-11-22T04:00:00Z`."""
        seen = f"seen {delivery.seen:,} times" if delivery.seen > 1 else ""
        as_of = _moment(delivery.owed)
        return " · ".join(filter(None, (f"*{delivery.alertgroup.status.value}*", seen, as_of and f"as of {as_of}")))

    def recalled(self, delivery: Delivery, link: str = "") -> tuple[str, list[dict[str, Any]]]:
        """What stands in an alertgroup's place once it is recalled: text and blocks with the reason, and no rows."""
        group, reason = delivery.alertgroup, self.shown(delivery.reason, REASON)
        at = _moment(delivery.owed)
        facts = [_linked(f"Alertgroup {group.id}", link), _struck(self.shown(group.subject.strip(), 300)), at]
        found = [_section(f"🚫 *Recalled:* {reason}"), _context(" · ".join(filter(None, facts)))]
        return f"Recalled: alertgroup {group.id}: {reason}", found

    def note(self, delivery: Delivery, link: str = "") -> str:
        """A line about an alertgroup that stands elsewhere: what became of it, or why it is recalled."""
        group = delivery.alertgroup
        if delivery.kind == "recall":
            told = _struck(self.shown(group.subject.strip(), 200)) or f"alertgroup {group.id}"
            return f"🚫 {_linked(told, link)}: *recalled:* {self.shown(delivery.reason, NOTED)}"
        told = f"{self.shown(group.subject, 200)} ({len(group.alerts):,})"
        return f"{_sign(group)} {_linked(told, link)}: {self.news(delivery)}"

    def notes(self, deliveries: Sequence[Delivery], links: Sequence[str]) -> tuple[str, list[dict[str, Any]]]:
        """A few such lines as a message, each whole: text and blocks; up to `FOLDED` keep Slack's limits."""
        lines = [self.note(delivery, link) for delivery, link in zip(deliveries, links, strict=True)]
        text = self.note(deliveries[0]) if len(lines) == 1 else f"{len(lines):,} changes"
        return text, [_section(line) for line in lines]

    def digest(self, groups: Sequence[Alertgroup], links: Sequence[str]) -> tuple[str, list[dict[str, Any]]]:
        """Many alertgroups in one message: text and blocks with a line each, the worst first."""
        worst_first = sorted(zip(groups, links, strict=True), key=lambda pair: -(worst_of(pair[0]) or 0))
        lines = [f"• {_sign(group)} {_linked(self.fallback(group), link)}" for group, link in worst_first]
        text = f"{len(groups):,} alertgroups"
        found = [_section(f"🔔 *{text}*")]
        size = 0
        while lines and size < 3 * SECTION:
            part = _whole_lines(lines)
            taken = part.count("\n") + 1
            lines = lines[taken:] if not part.endswith(_CUT) else []
            size += len(part)
            found.append(_section(part))
        if lines:
            found.append(_section(f"… and {len(lines):,} more"))
        return text, found

    def slips_lines(self, group: Alertgroup, sensor: str) -> list[str]:
        """`sensor: Src IP 192.0.2.7 Detected …` for each alert, as Slips' exporter writes it."""
        found = []
        for alert in group.alerts:
            said = alert.detection or _NOTHING
            what = said.description or said.name or group.subject
            found.append(
                f"{escaped(sensor)}: Src IP {self.shown(log_line.source(said), 200)} Detected {self.shown(what, 2000)}"
            )
        return found

    def _row(self, alert: Alert) -> str:
        cells = [(name, _text(value)) for name, value in alert.data.items()]
        told = [f"{escaped(name[:40])}: {self.shown(text, CELL)}" for name, text in cells if text][:CELLS]
        return ", ".join(told) or "(empty)"


_CUT = "…"


def _sign(group: Alertgroup) -> str:
    worst = worst_of(group)
    return _SIGNS[worst] if worst is not None else "🔔"


def _linked(text: str, link: str) -> str:
    return f"<{link}|{text}>" if link else text


def _struck(text: str) -> str:
    return f"~{text}~" if text else ""


def _moment(at: Micros) -> str:
    return rfc3339(at - at % 1_000_000) if at and writable(at) else ""


def _context(text: str) -> dict[str, Any]:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text}]}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _whole_lines(lines: Iterable[str]) -> str:
    """As many of the lines as a section takes."""
    kept: list[str] = []
    size = 0
    for line in lines:
        if size + len(line) + 1 > SECTION - 2:
            return "\n".join(kept) if kept else line[: SECTION - 2] + _CUT
        kept.append(line)
        size += len(line) + 1
    return "\n".join(kept)


def _tlp(tlp: TLP) -> str:
    return "" if tlp is TLP.UNSET else f"TLP:{tlp.value.upper()}"


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
