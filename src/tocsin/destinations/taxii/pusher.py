"""Adds objects to a collection and finds out what became of each."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from tocsin.destinations.taxii.items import FRAME, Found, Item, Key, Pending, Refusal, parts
from tocsin.destinations.taxii.posting import Posting, Watch
from tocsin.destinations.taxii.status import complete, forgotten, verdicts
from tocsin.errors import Rejected, Unavailable
from tocsin.kit.taxii import Refused, Taxii, Unclear

MOST_BYTES = 4 * 2**20
"""In one request, whatever more the server takes."""
LEAST_BYTES = 4096
REMEMBERED = 50_000


class Pusher:
    """Pushes to one collection. Remembers what that has taken, so as not to ask for it when it comes again."""

    def __init__(self, client: Taxii, wait_s: float) -> None:
        """`wait_s` bounds the wait for pending statuses in one call."""
        self._client, self._wait_s = client, wait_s
        self._taken: OrderedDict[Key, None] = OrderedDict()
        self._most = MOST_BYTES

    def push(self, items: Sequence[Item]) -> Found:
        """Add objects. Raises DeliveryError where there is no collection to add them to."""
        allowed = self._client.place("write").max_content_length
        found: Found = {}
        small = []
        for one in items:
            size = FRAME + len(one.body)
            if allowed and size > allowed:
                found[one.key] = Rejected(f"it takes {size:,} bytes, and the server at most {allowed:,} at once")
            else:
                small.append(one)
        posting = Posting(self._client)
        for part in parts(small, min(self._most, allowed or self._most)):
            found |= posting.post(part)
        if posting.too_large:
            self._most = max(LEAST_BYTES, posting.too_large // 2)
        watch = Watch(self._client, self._wait_s)
        ended = watch.over({status.id: status for status, _ in posting.statuses})
        for status, part in posting.statuses:
            now = status if complete(status) else ended[status.id]
            found |= forgotten(part) if now is None else verdicts([now], part)
        return self._confirmed(found, items, watch)

    def asked(self, owed: Sequence[tuple[Sequence[str], Sequence[Item]]]) -> list[Found]:
        """What became of objects under statuses of earlier calls; nothing where the server has forgotten one."""
        watch = Watch(self._client, self._wait_s)
        ended = watch.again({id for ids, _ in owed for id in ids})
        found = []
        for ids, items in owed:
            statuses = [status for id in ids if (status := ended[id]) is not None]
            known = verdicts(statuses, items) if len(statuses) == len(ids) else {}
            found.append(self._confirmed(known, items, watch))
        return found

    def _confirmed(self, found: Found, items: Iterable[Item], watch: Watch) -> Found:
        """Look for what was refused or is unclear: the collection may have it, by an attempt whose answer was lost."""
        for key, verdict in found.items():
            if isinstance(verdict, Pending):
                verdict.retry_after = watch.rest
            elif isinstance(verdict, Refusal | Unclear) and key in self._taken:
                found[key] = ""
        doubtful = {key for key, verdict in found.items() if isinstance(verdict, Refusal | Unclear)}
        if doubtful:
            found |= self._looked_for([one for one in items if one.key in doubtful], found)
        self._taken.update(dict.fromkeys(key for key, verdict in found.items() if isinstance(verdict, str)))
        while len(self._taken) > REMEMBERED:
            self._taken.popitem(last=False)
        return found

    def _looked_for(self, doubtful: Sequence[Item], found: Found) -> Found:
        try:
            there = self._client.known(one.key.id for one in doubtful)
        except Refused:
            there = None
        except Unavailable as down:
            return dict.fromkeys((one.key for one in doubtful), down)
        if there is not None:
            return {one.key: "" for one in doubtful if _holds(there, one.key)}
        # What everybody has may be taken to be there: it is what servers refuse as known already.
        blind = "; it may have it already, but we may not read there"
        return {
            one.key: "" if one.shared else Refusal(f"{found[one.key]}{blind}")
            for one in doubtful
            if isinstance(found[one.key], Refusal)
        }


def _holds(there: dict[str, set[str]], key: Key) -> bool:
    """Whether it is there in that version, or in a later one where only the last is kept."""
    return key.id in there and (not key.version or any(version >= key.version for version in there[key.id]))
