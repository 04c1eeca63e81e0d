"""The tree of a query -> a condition on `alertgroup g`, true or false and never NULL."""

from tocsin.errors import Malformed
from tocsin.model import Micros
from tocsin.query.tree import And, Everything, Node, Not, Or

Params = dict[str, object]
TRUE, FALSE = "1 = 1", "1 = 0"


class Compiler:
    """One statement's conditions; their values travel in `params`."""

    def __init__(self, engine: str, now: Micros) -> None:
        self.engine = engine
        self.now = now
        self.params: Params = {}

    def condition(self, node: Node) -> str:
        """Whether the node holds for `g`, in brackets where it needs them."""
        match node:
            case Everything():
                return TRUE
            case Not():
                return f"NOT ({self.condition(node.part)})"
            case And():
                return "(" + " AND ".join(map(self.condition, node.parts)) + ")"
            case Or():
                return "(" + " OR ".join(map(self.condition, node.parts)) + ")"
        raise Malformed(f"this cannot be searched for yet: {node}")

    def names(self, node: Node) -> str | None:
        """A SELECT of the ids of all alertgroups for which the node may hold; None if only a look at each can tell."""
        return None
