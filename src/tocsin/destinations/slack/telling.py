"""From deliveries to what is posted, and what came of each."""

from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from tocsin.destinations.slack.channel import Channel
from tocsin.destinations.slack.following import Following, Outcomes
from tocsin.destinations.slack.hook import Hook
from tocsin.destinations.slack.places import DIGEST
from tocsin.destinations.slack.words import Words
from tocsin.errors import DeliveryError, Rejected, Skipped
from tocsin.model import Delivery, Receipt


class Telling:
    """Tells over one line to Slack."""

    def __init__(self, line: Channel | Hook, words: Words) -> None:
        self._line, self._words = line, words

    def posted(self, alerts: Sequence[Delivery], *, as_digest: bool) -> Outcomes:
        """Each as a message of its own, or all as one. Raises Rejected: who is to blame shows in smaller parts."""
        if not as_digest:
            return {each.uid: _tried(partial(self._post, [each])) for each in alerts}
        outcome = _tried(partial(self._post, alerts))
        if isinstance(outcome, Rejected):
            raise outcome
        if isinstance(outcome, Receipt) and outcome.remote_id:
            outcome = msgspec.structs.replace(outcome, remote_id=outcome.remote_id + DIGEST)
        return dict.fromkeys((each.uid for each in alerts), outcome)

    def followed(self, changes: Sequence[Delivery]) -> Outcomes:
        """Updates and recalls of what was posted before."""
        if isinstance(self._line, Channel):
            return Following(self._line, self._words).told(changes)
        return {each.uid: _tried(partial(self._without_edits, each)) for each in changes}

    def _post(self, alerts: Sequence[Delivery]) -> Receipt:
        said = self._words.alert(alerts[0]) if len(alerts) == 1 else self._words.digest(alerts)
        return self._line.post([each.uid for each in alerts], said, again=any(each.attempt > 1 for each in alerts))

    def _without_edits(self, change: Delivery) -> Receipt:
        if change.kind == "update":
            raise Skipped("a webhook edits nothing: updates need a token (`updates = false` ends this)")
        return self._line.post([change.uid], self._words.recalled(change), again=change.attempt > 1)


def _tried(work: Callable[[], Receipt]) -> Receipt | DeliveryError:
    try:
        return work()
    except DeliveryError as error:
        return error
