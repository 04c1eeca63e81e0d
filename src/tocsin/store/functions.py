"""SQL functions that SQLite is given: what it cannot say itself, said by the code that asks alertgroups in memory."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec
import re2

from tocsin.query.fields import FIELDS
from tocsin.query.matching import Test, in_range, is_value
from tocsin.query.tree import Exists, Is, Range
from tocsin.query.view import cells

_NODE = msgspec.json.Decoder(tuple[Exists | Is | Range, ...])
_ROW = msgspec.json.Decoder(dict[str, Any])


def matcher(patterns: dict[str, Any]) -> Callable[..., bool]:
    """RE2 takes linear time whatever the pattern, so nobody can hold the store up with one."""
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False

    def matches(*given: Any) -> bool:
        pattern, text = given
        compiled = patterns.get(pattern)
        if compiled is None:
            if len(patterns) > 100:
                patterns.clear()
            compiled = patterns[pattern] = re2.compile(pattern, options)
        return text is not None and compiled.search(str(text)) is not None

    return matches


def cell_holds(*given: Any) -> bool:
    """Whether a cell of a row (a JSON object) is as one of some nodes (a JSON list of `Leaf`s of one column) says."""
    row, asked = given
    name, tests = _tests(asked)
    try:
        data = _ROW.decode(row)
    except (msgspec.DecodeError, RecursionError):
        return False
    return any(test(value) for value in cells(data, name) for test in tests)


@lru_cache(256)
def _tests(asked: str) -> tuple[str, list[Test]]:
    nodes = _NODE.decode(asked)
    field = FIELDS["data"]
    tests: list[Test] = []
    for node in nodes:
        match node:
            case Exists():
                tests.append(lambda _value: True)
            case Is():
                tests.append(is_value(field, node, 0))
            case Range():
                tests.append(in_range(field, node, 0))
    return nodes[0].ref.of, tests
