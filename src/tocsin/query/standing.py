"""What a list means by a query: neither repeats nor evidence, unless the query asks for them.

A repeat stands in the one that it is folded into, evidence in the alertgroup that is made of enough of it.
"""

from tocsin.query.tree import And, Exists, Is, Node, Not, Or, Range, Ref, Row, Tree, both

FOLDED, GATHERED = Ref("folded"), Ref("gathered")
NOT_FOLDED, NOT_GATHERED = Not(part=Exists(ref=FOLDED)), Not(part=Exists(ref=GATHERED))


def standing(tree: Tree, *, folded: bool = False) -> Tree:
    """The query without folded and gathered alertgroups; as it is if it names alertgroups by their ids.

    One that names the field `folded` or `gathered` is asked for these as it says; `folded`: repeats are meant anyway.
    """
    if _by_id(tree):
        return tree
    left_out = [] if folded or _names(tree, FOLDED) else [NOT_FOLDED]
    return both([tree, *left_out, *([] if _names(tree, GATHERED) else [NOT_GATHERED])])


def _names(node: Node, ref: Ref) -> bool:
    match node:
        case Is() | Range() | Exists():
            return node.ref == ref
        case And() | Or():
            return any(_names(part, ref) for part in node.parts)
        case Not() | Row():
            return _names(node.part, ref)
    return False


def _by_id(node: Node) -> bool:
    """Whether nothing is meant but alertgroups named one by one."""
    match node:
        case Is():
            return node.ref == Ref("id")
        case And():
            return any(map(_by_id, node.parts))
        case Or():
            return all(map(_by_id, node.parts))
    return False
