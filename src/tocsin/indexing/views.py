"""Stored alertgroups as a query sees them in memory: what the index says of one, before it is in the index."""

from collections.abc import Sequence

from tocsin import detection, entities
from tocsin.detection import Names
from tocsin.entities import Known
from tocsin.model import Severity
from tocsin.query import View
from tocsin.store import alertgroup, around, delivery
from tocsin.store.engine import Tx


def load(tx: Tx, ids: Sequence[int], names: Names, known: Known) -> dict[int, View]:
    """The alertgroups by their ids, whole: alerts with what their rows mean, entities, deliveries, where they are from.

    `names` and `known` are those of the configuration. An id that there is not is left out.
    """
    groups = alertgroup.load(tx, ids)
    owed = delivery.of_groups(tx, list(groups))
    found: dict[int, View] = {}
    for id, one in around.load(tx, list(groups)).items():
        group = detection.known(groups[id], names)
        found[id] = View(
            group=group,
            severity=None if one.severity is None else Severity(one.severity),
            created=one.created,
            updated=one.updated,
            viewed=one.viewed,
            views=one.views,
            message=one.message,
            repeats=one.repeats,
            folded=one.folded,
            gathered=one.gathered,
            seen=one.seen,
            last_seen=one.last_seen,
            via=one.via,
            sender=one.sender,
            parser=one.parser,
            entities=tuple({each.found.entity: None for each in entities.in_group(group, known)}),
            deliveries=tuple([(each.lane, each.state) for each in owed[id]]),
        )
    return found
