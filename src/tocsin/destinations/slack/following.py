"""What became of alertgroups that stand in a channel: their messages are edited, or their threads tell."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial

from tocsin.destinations.slack.channel import Channel
from tocsin.destinations.slack.faults import GONE, NOT_EDITABLE, RefusedBySlack
from tocsin.destinations.slack.places import EDITED, Place, posted, together
from tocsin.destinations.slack.words import Words
from tocsin.errors import DeliveryError, Skipped, Unavailable
from tocsin.formats.slack import FOLDED
from tocsin.model import Delivery, Receipt

Outcomes = dict[str, Receipt | DeliveryError]
"""By uid of delivery."""


class Following:
    """One round of updates and recalls. Once Slack is away, the rest is not tried: it would not hear it either.

    All of a delivery is done, or its outcome is an error and all of it is done again: edits may be, and replies are
    looked for first.
    """

    def __init__(self, channel: Channel, words: Words) -> None:
        self._channel, self._words = channel, words
        self._threads = defaultdict[Place, list[Delivery]](list)
        self._receipts = defaultdict[str, list[Receipt]](list)
        self._errors: dict[str, DeliveryError] = {}
        self._away: Unavailable | None = None

    def told(self, changes: Sequence[Delivery]) -> Outcomes:
        """First the edits, one by one, then the threads: what belongs into the same one in few messages."""
        for each in changes:
            self._try([each], partial(self._edit, each))
        for place, there in self._threads.items():
            self._try(there, partial(self._reply, place, there))
        return {each.uid: self._errors.get(each.uid) or together(self._receipts[each.uid]) for each in changes}

    def _try(self, deliveries: Sequence[Delivery], work: Callable[[], None]) -> None:
        try:
            if self._away is not None:
                raise self._away
            work()
        except DeliveryError as error:
            self._errors |= {each.uid: error for each in deliveries}
            self._away = error if isinstance(error, Unavailable) else None

    def _edit(self, change: Delivery) -> None:
        """Edit the messages of its own: an update the last, a recall all. Note the threads that are to tell."""
        places, recall = posted(change.earlier), change.kind == "recall"
        said = self._words.recalled(change) if recall else self._words.changed(change)
        threads = []
        for place in places if recall else places[-1:]:
            if place.shared:
                threads.append(place)
                continue
            try:
                self._channel.edit(place, said)
            except RefusedBySlack as error:
                if error.code in NOT_EDITABLE:
                    threads.append(place)
                elif error.code not in GONE:
                    raise
                continue
            self._receipts[change.uid].append(Receipt(remote_id=str(place), status=EDITED))
            threads += [place] * recall
        for place in threads:
            self._threads[place].append(change)
        if not threads and not self._receipts[change.uid]:
            self._stands_nowhere(change)

    def _reply(self, place: Place, there: Sequence[Delivery]) -> None:
        """Tell a thread of all that did not fail and that it does not tell of already."""
        there = [each for each in there if each.uid not in self._errors]
        try:
            stand = self._channel.replies(place) if any(each.attempt > 1 for each in there) else {}
            for uid in stand.keys() & {each.uid for each in there}:
                self._receipts[uid].append(stand[uid])
            rest = [each for each in there if each.uid not in stand]
            for at in range(0, len(rest), FOLDED):
                part = rest[at : at + FOLDED]
                uids = [each.uid for each in part]
                receipt = self._channel.reply(place, uids, self._words.notes(part))
                for uid in uids:
                    self._receipts[uid].append(receipt)
        except RefusedBySlack as error:
            if error.code not in GONE:
                raise
            for each in there:
                self._try([each], partial(self._stands_nowhere, each))

    def _stands_nowhere(self, change: Delivery) -> None:
        """Somebody deleted it, or it was posted by a webhook: a recall is told all the same. Raises Skipped."""
        if change.kind == "update":
            raise Skipped("there is no message to edit: it was deleted, or posted through a webhook")
        said = self._words.recalled(change)
        self._receipts[change.uid].append(self._channel.post([change.uid], said, again=change.attempt > 1))
