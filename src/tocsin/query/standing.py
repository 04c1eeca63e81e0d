"""What a list means by a query: repeats stand in the one they are folded into, unless the query asks for them."""

from tocsin.query.tree import And, Exists, Is, Node, Not, Or, Range, Ref, Row, Tree, both

FOLDED = Ref("folded")
STANDING = Not(part=Exists(ref=FOLDED))
"""Everything but what is folded."""


def standing(tree: Tree) -> Tree:
    """The query without folded alertgroups; as it is if it names the field `folded`, or alertgroups by their ids."""
    return tree if _names_folded(tree) or _by_id(tree) else both([tree, STANDING])


def _names_folded(node: Node) -> bool:
    match node:
        case Is() | Range() | Exists():
            return node.ref == FOLDED
        case And() | Or():
            return any(map(_names_folded, node.parts))
        case Not() | Row():
            return _names_folded(node.part)
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
