"""Events that were made of others: who gathers whom."""

from collections.abc import Mapping, Sequence


def gathered(ids: Sequence[str], correlated: Sequence[Sequence[str]]) -> list[list[int]]:
    """The places of events that belong together, in order of the first: each once, one that gathers others in front.

    Args:
        ids: of each event, its id; one without is nobody's.
        correlated: of each event, the ids of those it was made of, here or elsewhere.

    An event that two others name goes to the first of them; whoever gathers others is not gathered itself.
    """
    places: Mapping[str, int] = {id: place for place, id in reversed(list(enumerate(ids))) if id}
    named = [
        [places[id] for id in dict.fromkeys(of) if id in places and places[id] != at]
        for at, of in enumerate(correlated)
    ]
    taken: set[int] = set()
    found: list[list[int]] = []
    for at, of in enumerate(named):
        theirs = [place for place in of if not named[place] and place not in taken]
        if of:
            taken.update(theirs)
            found.append([at, *theirs])
    found += [[at] for at, of in enumerate(named) if not of and at not in taken]
    return sorted(found, key=min)
