"""Repeats: what two alertgroups must have in common to be one and the same thing that came again. Pure functions."""

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from tocsin import detection
from tocsin.detection.times import moment
from tocsin.model import Alert, Alertgroup, Micros, Noun
from tocsin.query.view import cells

PARTS = ("source", "subject", "columns", "rows", "tag", "body")
"""What can count, beside `data.NAME`: the cells of one column."""
BY = ("source", "subject", "columns", "rows")
"""What counts unless something else is said."""
EVERY = "*"
"""The label that stands for every source without a rule of its own."""
HOUR: Micros = 3_600_000_000
WEEK_H = 168
SHORTEST_ISO = len("2026-05-04T11:50")
LONGEST_TIME = 64
LONGEST_NAME = len("wednesday")

_TIMES = frozenset(("detected", "start", "end"))
_NAMED = re.compile(r"(?:^|[^a-z])(?:date|time|timestamp|datetime|ts|epoch|when|occurred|at|seen)(?:$|[^a-z])")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_ISO = re.compile(
    r"\d{4}([-/])\d\d\1\d\d[Tt ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?\s*(?:[Zz]|UTC|GMT|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)
_WORD = re.compile(r"[A-Za-z]+")
_REST = re.compile(r"[\d\s:/.,+()-]*", re.ASCII)
_ZONES = """utc gmt bst ist wet west cet cest eet eest msk jst aest aedt nzst nzdt est edt cst cdt mst mdt pst pdt akst
    akdt hst"""
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SPOKEN = frozenset((*_DAYS, *_MONTHS))
_SHORT = frozenset(("am", "pm", "a", "p", "m", "t", "z", *_ZONES.split()))
_CLOCK = re.compile(r"(?<![:.\d])\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?(?![:\d])", re.ASCII)
_DAY = re.compile(
    r"(?<![.\d])(?:\d{4}([-/])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2\d{4}"
    r"|\d{1,2}[ /-][a-z]{3,9}[ /-]\d{4}|[a-z]{3,9} \d{1,2},? \d{4})(?![.\d])",
    re.ASCII | re.IGNORECASE,
)
_NUMBERS = re.compile(r"\d+")


class Rule(Noun, frozen=True, kw_only=True):
    """When an alertgroup is a repeat of an earlier one: `by` what, within which time. A window of 0 is never.

    `window` is counted from the newest of its kind, `longest` from the first; both in microseconds. Columns in
    `without` do not count, nor do numbers of the subject unless `numbers`. `reopen`: a repeat opens a closed first one.
    """

    window: Micros
    longest: Micros
    by: tuple[str, ...] = BY
    without: tuple[str, ...] = ()
    numbers: bool = True
    reopen: bool = False


def rule_for(group: Alertgroup, rules: Mapping[str, Rule]) -> Rule | None:
    """The rule of the first of its source labels that has one, else that of `*`; None where nothing is folded."""
    found = next((rules[label] for label in group.sources if label in rules), rules.get(EVERY))
    return found if found is not None and found.window > 0 else None


def fingerprint(group: Alertgroup, rule: Rule, names: detection.Names = detection.DEFAULT) -> str:
    """Equal for alertgroups that are repeats of each other.

    TLP and status always count. The order of labels, columns and rows does not, nor do cells that are times.
    """
    taken = sorted(set(rule.by))
    parts: list[Any] = [taken, sorted(rule.without), rule.numbers, group.tlp.value, group.status.value]
    parts += [_part(group, name, rule, names) for name in taken]
    digest = hashlib.sha256(_text(parts)).digest()
    return urlsafe_b64encode(digest[:24]).decode()


def _part(group: Alertgroup, name: str, rule: Rule, names: detection.Names) -> Any:
    match name:
        case "source":
            return sorted(set(group.sources))
        case "tag":
            return sorted(set(group.tags))
        case "subject":
            return group.subject if rule.numbers else _NUMBERS.sub("0", group.subject)
        case "body":
            return [group.body, group.body_plain]
        case "columns":
            return sorted(set(group.columns) - set(rule.without))
        case "rows":
            return sorted(_row(alert, rule, names) for alert in group.alerts)
    column = name.removeprefix("data.")
    return sorted(_digest(list(cells(alert.data, column))) for alert in group.alerts)


def _row(alert: Alert, rule: Rule, names: detection.Names) -> str:
    try:
        return _digest(dict(_lasting(alert.data, rule.without, names)))
    except RecursionError:
        # Nested as deep as only somebody malicious nests: the text alone tells whether it is the same.
        return _digest(alert.json)


def _digest(value: Any) -> str:
    return hashlib.sha256(_text(value)).hexdigest()


def _text(value: Any) -> bytes:
    return msgspec.json.encode(value, order="sorted")


def _lasting(
    row: Mapping[str, Any], without: tuple[str, ...], names: detection.Names, path: str = ""
) -> Iterator[tuple[str, Any]]:
    """The cells that are no times, those inside of objects and lists likewise."""
    for column, cell in row.items():
        if column in without and not path:
            continue
        below = f"{path}.{column}" if path else column
        if isinstance(cell, dict):
            yield column, dict(_lasting(cell, without, names, below))
        elif isinstance(cell, list):
            timely = _holds_times(below, names)
            kept = [
                dict(_lasting(item, without, names, below)) if isinstance(item, dict) else item
                for item in cell
                if not is_time(item, timely)
            ]
            if kept or not cell:
                yield column, kept
        elif not is_time(cell, _holds_times(below, names)):
            yield column, cell


@lru_cache(4096)
def _holds_times(column: str, names: detection.Names) -> bool:
    """Whether the column, by its path, is one of times: by the table of names, or by a word in its own name."""
    own = _HUMP.sub("_", column.rpartition(".")[2]).lower()
    return not _TIMES.isdisjoint(names.fields(column)) or _NAMED.search(own) is not None


def is_time(cell: object, timely: bool) -> bool:
    """Whether a cell is a time: ISO 8601 anywhere; in a column of times (`timely`) also numbers and other spellings.

    What stands in such a column and is no time, such as the first address of a range under `start`, counts.
    """
    if isinstance(cell, str):
        if not timely and len(cell) < SHORTEST_ISO:
            return False
        text = cell.strip()
        if not text or len(text) > LONGEST_TIME:
            return False
        if _ISO.fullmatch(text):
            return True
        return timely and (moment(text) is not None or _is_written(text))
    return timely and isinstance(cell, int | float) and moment(cell) is not None


def _is_written(text: str) -> bool:
    if _CLOCK.search(text) is None and _DAY.search(text) is None:
        return False
    words = (word.lower() for word in _WORD.findall(text))
    return _REST.fullmatch(_WORD.sub("", text)) is not None and all(map(_of_times, words))


def _of_times(word: str) -> bool:
    return word in _SHORT or (word[:3] in _SPOKEN and len(word) <= LONGEST_NAME)
