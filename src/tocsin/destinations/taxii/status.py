"""Reads a status resource (TAXII 2.1 section 4.3.1): what became of each object, as far as the server says."""

from collections import Counter
from collections.abc import Iterable, Sequence

from tocsin.destinations.taxii.items import Found, Item, Key, Pending, Refusal, Verdict
from tocsin.kit.taxii import Entry, StatusResource, Unclear, plain, version


def complete(status: StatusResource) -> bool:
    """Whether the server is done with it."""
    said = status.status.casefold()
    return said == "complete" or (said != "pending" and not status.pending_count)


def verdicts(statuses: Sequence[StatusResource], items: Sequence[Item]) -> Found:
    """What became of items that were posted under these statuses.

    The lists are optional, and a server may count more than it lists: what stands in none was taken if all who failed
    are named, is pending while anything is, and is unclear otherwise.
    """
    said: dict[Key | str, Verdict] = {}
    for status in statuses:
        for entries, what in (
            (status.successes, status.id),
            (status.pendings, Pending(f"the server has not finished with it (status {plain(status.id)})", status.id)),
        ):
            _note(said, entries, what)
    for status in statuses:
        for entry in status.failures:
            _note(said, [entry], Refusal(plain(entry.message) or "the server does not say why"))
    rest = _of_the_unnamed(statuses, len(items))
    times = Counter(one.key.id for one in items)
    return {one.key: said.get(one.key, said.get(one.key.id, rest) if _alone(one, times) else rest) for one in items}


def forgotten(items: Sequence[Item]) -> Found:
    """What is known of items whose status is gone: section 4.3 lets a server forget it after a while."""
    lost = Unclear("the server does not know any more what became of it")
    return dict.fromkeys((one.key for one in items), lost)


def _note(said: dict[Key | str, Verdict], entries: Iterable[Entry], what: Verdict) -> None:
    for entry in entries:
        said[entry.id] = what
        said[Key(entry.id, version(entry.version))] = what


def _alone(one: Item, times: Counter[str]) -> bool:
    """Whether its id alone says which one is meant: servers give versions of their own to what has none."""
    return times[one.key.id] == 1


def _of_the_unnamed(statuses: Sequence[StatusResource], posted: int) -> Verdict:
    for status in statuses:
        if not complete(status):
            return Pending(f"the server has not finished with it (status {plain(status.id)})", status.id)
    unnamed = sum(status.failure_count - len(status.failures) for status in statuses)
    settled = sum(max(status.success_count, len(status.successes)) + len(status.failures) for status in statuses)
    if unnamed > 0:
        return Unclear(f"the server says of {unnamed} that it failed, but not which")
    if settled < posted:
        return Unclear(f"the server counts {settled} of {posted} objects")
    return statuses[-1].id
