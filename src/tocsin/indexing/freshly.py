"""Which alertgroups a query means, those included that have just been stored and still wait to be indexed."""

from collections.abc import Sequence

from tocsin.detection import Names
from tocsin.entities import Known
from tocsin.indexing import views
from tocsin.model import Micros
from tocsin.query import FIELDS, Tree, predicate
from tocsin.query.tree import And, Everything, Exists, Is, Not, Or, Range, Row, Words
from tocsin.store import alertgroup, around, search
from tocsin.store.engine import Tx

MOST_ALERTS = 5000
"""Of waiting alertgroups, together, are looked at; what is left is found when it is in the index."""
_INDEXED = frozenset({"subject", "body", "entity", "entity.type"})


def matching(tx: Tx, tree: Tree, ids: Sequence[int], now: Micros, names: Names, known: Known) -> set[int]:
    """Which of these alertgroups are meant; deleted ones never are. Raises Malformed, TooSlow."""
    waiting = around.waiting(tx, ids) if asks_index(tree) else set()
    found = search.matching(tx, tree, [id for id in ids if id not in waiting], now)
    looked: list[int] = []
    room = MOST_ALERTS
    for id, summary in sorted(alertgroup.some(tx, sorted(waiting)).items(), reverse=True):
        if summary.alert_count <= room:
            room -= summary.alert_count
            looked.append(id)
    asked = predicate(tree, now)
    return found | {id for id, view in views.load(tx, looked, names, known).items() if asked(view)}


def asks_index(tree: Tree) -> bool:
    """Whether the query asks for anything that only the index knows of."""
    match tree:
        case Words() | Row():
            return True
        case Is() | Range() | Exists():
            return tree.ref.field in _INDEXED or FIELDS[tree.ref.field].row
        case Not():
            return asks_index(tree.part)
        case And() | Or():
            return any(map(asks_index, tree.parts))
        case Everything():
            return False
