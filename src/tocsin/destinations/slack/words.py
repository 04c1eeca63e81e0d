"""What is said in Slack, in either style."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tocsin.entities import defanged
from tocsin.formats.slack import TEXT, SlackForm, escaped
from tocsin.model import Delivery

FORM = SlackForm(defanged)
Said = Mapping[str, Any]
"""`text` and, if any, `blocks`: what chat.postMessage, chat.update and incoming webhooks take."""


class Words(NamedTuple):
    """`slips`: lines of text as Slips writes them, each begun by the `sensor`; `link` is the address of the pages."""

    slips: bool
    sensor: str
    link: str

    def alert(self, delivery: Delivery) -> Said:
        """An alertgroup."""
        group = delivery.alertgroup
        if self.slips:
            return {"text": "\n".join(FORM.slips_lines(group, self.sensor))[: 10 * TEXT]}
        return {"text": FORM.fallback(group), "blocks": FORM.blocks(group, self._link(delivery))}

    def digest(self, deliveries: Sequence[Delivery]) -> Said:
        """Many alertgroups at once."""
        groups = [each.alertgroup for each in deliveries]
        text, blocks = FORM.digest(groups, [self._link(each) for each in deliveries])
        return {"text": text, "blocks": blocks}

    def changed(self, delivery: Delivery) -> Said:
        """An alertgroup once more, with what became of it."""
        group, news = delivery.alertgroup, FORM.news(delivery)
        if self.slips:
            last = f"{escaped(self.sensor)}: {news}"
            return {"text": "\n".join(FORM.slips_lines(group, self.sensor))[:TEXT].rstrip("\n") + f"\n{last}"}
        return {"text": FORM.fallback(group), "blocks": FORM.blocks(group, self._link(delivery), news)}

    def recalled(self, delivery: Delivery) -> Said:
        """What stands in the place of a recalled alertgroup."""
        text, blocks = FORM.recalled(delivery, self._link(delivery))
        return {"text": f"{escaped(self.sensor)}: {text}"} if self.slips else {"text": text, "blocks": blocks}

    def notes(self, deliveries: Sequence[Delivery]) -> Said:
        """A line on each, for a thread."""
        text, blocks = FORM.notes(deliveries, [self._link(each) for each in deliveries])
        if self.slips:
            return {"text": "\n".join(f"{escaped(self.sensor)}: {FORM.note(each)}" for each in deliveries)}
        return {"text": text, "blocks": blocks}

    def _link(self, delivery: Delivery) -> str:
        return f"{self.link.rstrip('/')}/alerts/{delivery.alertgroup.id}" if self.link else ""
