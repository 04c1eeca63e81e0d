"""Names of users: which fields hold them, and where else in the same alertgroup they stand."""

import functools
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tocsin.model import Alertgroup
from tocsin.sharing.fields import plain, words
from tocsin.sharing.texts import Cut

DEEPEST = 64
"""Cells nested deeper are left out."""
SHORTEST, LONGEST = 3, 100
"""Names shorter or longer are hidden where they stand, not looked for elsewhere."""
_FIELDS = words(
    """user username user_name userid user_id account accountname account_name login loginname login_name logon
    uid owner src_user dest_user dst_user source_user destination_user target_user targetusername
    subjectusername user_principal upn samaccountname sam_account_name suser duser srcuser dstuser employee
    operator winlog_user run_as"""
)
_ENDINGS = ("_user", "_username", "_user_name", "_user_id", "_userid", "_account_name", "_login")
_SEPARATORS = re.compile(r"[\\/]")
_EVERYBODYS = frozenset(("system", "root", "administrator", "admin", "guest", "anonymous", "unknown", "none", "null"))
"""Names that everybody has: they are hidden where they stand, not looked for elsewhere."""
_WORDS = re.compile(r"[\w-]+")
_INSIDE = re.compile(r"[\w-]")


def holds_user(key: str) -> bool:
    """Whether a field of this name holds a user's name."""
    return _remembered(key) if len(key) <= LONGEST else _holds_user(key)


def _holds_user(key: str) -> bool:
    name = plain(key)
    return name in _FIELDS or name.replace("_", "") in _FIELDS or name.endswith(_ENDINGS)


_remembered = functools.lru_cache(4096)(_holds_user)


class KnownUsers:
    """The user names that an alertgroup's cells tell, found in its texts as whole words."""

    def __init__(self, group: Alertgroup, shown: Callable[[str], str]) -> None:
        """`shown` is what stands for a name."""
        self._shown = shown
        self._names: dict[str, set[int]] = {}  # lengths of the names that begin with a word, by that word
        self._known: set[str] = set()
        for written in {name for alert in group.alerts for name in _users(alert.data, False, 0)} | {group.owner}:
            self._learn(written.casefold())

    def _learn(self, name: str) -> None:
        word = _WORDS.search(name)
        if word is not None and SHORTEST <= len(name) <= LONGEST and name not in _EVERYBODYS:
            name = name[word.start() :]
            self._known.add(name)
            self._names.setdefault(word[0], set()).add(len(name))

    def cuts(self, text: str) -> Iterator[Cut]:
        """The names in a text, the longest of those that begin at the same place."""
        if not self._known:
            return
        folded = text.casefold()
        if len(folded) != len(text):
            folded = "".join(low if len(low := sign.casefold()) == 1 else sign for sign in text)
        end = 0
        for word in _WORDS.finditer(folded):
            if word.start() < end:
                continue
            for length in sorted(self._names.get(word[0], ()), reverse=True):
                end_here = word.start() + length
                if folded[word.start() : end_here] in self._known and not _INSIDE.match(folded, end_here):
                    end = end_here
                    yield Cut(word.start(), end, self._shown(text[word.start() : end]))
                    break


def _users(value: Any, theirs: bool, depth: int) -> Iterable[str]:
    if depth > DEEPEST:
        return
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _users(item, theirs or holds_user(name), depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from _users(item, theirs, depth + 1)
    elif isinstance(value, str) and theirs:
        yield value.strip()
        yield _SEPARATORS.split(value.strip())[-1].partition("@")[0]
