"""The query language: text -> tree -> predicate. The store makes SQL of the same tree; language.md tells it.

`syntax` reads what was written by `grammar.lark`, `parsing` looks up every name in `fields` and reads every value by
its type (`reading`, `dates`, `addresses`, `words`), `predicate` asks a `View` of an alertgroup. `complete` offers what
may be typed next, `scot` makes the same tree of SCOT's filters.
"""

from tocsin.query.complete import Offer, complete
from tocsin.query.fields import FIELDS, Field, Kind
from tocsin.query.parsing import parse
from tocsin.query.predicate import Predicate, predicate
from tocsin.query.standing import standing
from tocsin.query.tree import Tree
from tocsin.query.view import View

__all__ = [
    "FIELDS",
    "Field",
    "Kind",
    "Offer",
    "Predicate",
    "Tree",
    "View",
    "complete",
    "parse",
    "predicate",
    "standing",
]
