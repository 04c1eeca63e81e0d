"""What is to be hidden, taken out of everything an alertgroup consists of: names of columns and keys included.

What nobody is ever to see leaves with no profile at all: passwords and the like, and positions on the globe, in fields
that are known to hold them.
"""

import fnmatch
import functools
import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
import re2

from tocsin.model import Alert, Alertgroup, Detection, Endpoint, Link
from tocsin.sharing.fields import POSITIONS, SECRETS, never_leaves, plain
from tocsin.sharing.profile import Profile
from tocsin.sharing.pseudonyms import Pseudonyms
from tocsin.sharing.texts import GONE, Texts
from tocsin.sharing.users import DEEPEST, KnownUsers, holds_user

_ENDINGS = sorted({word.replace("_", "[^a-z0-9]?") for word in SECRETS | POSITIONS | {"location"}})
_WORTH_LOOKING = re2.compile(rf'(?i)(?:{"|".join(_ENDINGS)})[^a-z0-9"]*"\s*:|\\u00')
"""Whether a row's text has a key that may be one of them: nearly all have none, and are not taken apart."""
_ADDRESS_FIELDS = ("ip", "ipv4", "ipaddr", "ipaddress", "addr", "address", "src", "dst", "source", "destination")


Clean = Callable[[str], str]


class Redaction:
    """Applies one profile to alertgroups."""

    def __init__(self, profile: Profile, key: bytes) -> None:
        self.profile = profile
        self._texts = Texts(profile, Pseudonyms(key, profile.networks))
        globs = "|".join(fnmatch.translate(one.lower()) for one in profile.columns)
        self._columns = re.compile(globs) if globs else None

    def leaves_out(self, key: str) -> bool:
        """Whether a column or key is left out whole."""
        return self._columns is not None and self._columns.fullmatch(key.lower()) is not None

    def applied(self, group: Alertgroup) -> Alertgroup:
        """The group as a partner may see it. Ids of ours stay; times, numbers and statuses stay."""
        clean: Clean = self._texts.clean
        if self.profile.users:
            clean = functools.partial(self._texts.clean, users=KnownUsers(group, self._texts.user).cuts)
        work = _Work(self.profile, self._texts, self.leaves_out, clean)
        bodies = not self.profile.bodies
        return msgspec.structs.replace(
            group,
            subject=clean(group.subject),
            alerts=tuple(work.alert(alert) for alert in group.alerts),
            columns=tuple(clean(name) for name in group.columns if not self.leaves_out(name)),
            tags=tuple(map(clean, group.tags)),
            sources=tuple(map(clean, group.sources)),
            message_id=clean(group.message_id),
            body=clean(group.body) if bodies else "",
            body_plain=clean(group.body_plain) if bodies else "",
            ahrefs=() if self.profile.links else tuple(_link(link, clean) for link in group.ahrefs),
            groups={},
            owner="" if self.profile.users else clean(group.owner),
        )


def without_secrets(group: Alertgroup) -> Alertgroup:
    """The group without passwords and positions in fields that are known to hold them; itself if there are none."""
    if not any(_WORTH_LOOKING.search(alert.json) for alert in group.alerts):
        return group
    return msgspec.structs.replace(group, alerts=tuple(map(_bare, group.alerts)))


def _bare(alert: Alert) -> Alert:
    if not _WORTH_LOOKING.search(alert.json):
        return alert
    found: list[str] = []
    cells = _without(alert.data, "", 0, found)
    return msgspec.structs.replace(alert, json=_json(cells)) if found else alert


def _without(value: Any, parent: str, depth: int, found: list[str]) -> Any:
    """The cells without secrets; `found` gets the keys, also of empty ones, which may stand twice in the row's text."""
    if depth > DEEPEST:
        found.append(parent)
        return None
    if isinstance(value, list):
        return [_without(item, parent, depth + 1, found) for item in value]
    if not isinstance(value, dict):
        return value
    bare: dict[str, Any] = {}
    for key, item in value.items():
        if never_leaves(key, parent):
            found.append(key)
            bare[key] = item if item in (None, "") else GONE
        else:
            bare[key] = _without(item, key, depth + 1, found)
    return bare


class _Work:
    """One alertgroup's redaction."""

    def __init__(self, profile: Profile, texts: Texts, leaves_out: Callable[[str], bool], clean: Clean) -> None:
        self._profile, self._texts, self._leaves_out, self._clean = profile, texts, leaves_out, clean

    def alert(self, alert: Alert) -> Alert:
        """An alert with its cells and its detection."""
        said = None if alert.detection is None else self._detection(alert.detection)
        return msgspec.structs.replace(alert, json=_json(self._cell(alert.data, "", False, 0)), detection=said)

    def _cell(self, value: Any, key: str, theirs: bool, depth: int) -> Any:
        """A cell under that key; `theirs`: it, or what it stands in, is said to hold a user's name."""
        if depth > DEEPEST:
            return None
        match value:
            case str():
                return self._texts.user(value) if theirs and value else self._clean(value)
            case bool():
                return value
            case int() if 0 <= value < 2**32 and plain(key).rpartition("_")[2] in _ADDRESS_FIELDS:
                return self._number(value)
            case list():
                return [self._cell(item, key, theirs, depth + 1) for item in value]
            case dict():
                return self._object(value, theirs, depth)
        return value

    def _number(self, value: int) -> int | str:
        """An address written as a number, which its pseudonym then is as well."""
        shown = self._texts.address(str(ipaddress.IPv4Address(value)))
        if shown is None:
            return value
        return shown if shown == GONE else int(ipaddress.IPv4Address(shown))

    def _object(self, cells: Mapping[str, Any], theirs: bool, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        again: dict[str, int] = {}
        for key, value in cells.items():
            if self._leaves_out(key):
                continue
            name = plain_name = self._clean(key)
            while name in found:  # two keys that look alike now
                again[plain_name] = again.get(plain_name, 1) + 1
                name = f"{plain_name} ({again[plain_name]})"
            users = theirs or (self._profile.users and holds_user(key))
            found[name] = self._cell(value, key, users, depth + 1)
        return found

    def _detection(self, said: Detection) -> Detection:
        return msgspec.structs.replace(
            said,
            name=self._clean(said.name),
            category=self._clean(said.category),
            description=self._clean(said.description),
            sources=tuple(map(self._endpoint, said.sources)),
            targets=tuple(map(self._endpoint, said.targets)),
            protocols=tuple(map(self._clean, said.protocols)),
            flow_uids=tuple(map(self._clean, said.flow_uids)),
        )

    def _endpoint(self, side: Endpoint) -> Endpoint:
        """Values stay what they are called, so a [redacted] address or name is left out rather than written there."""
        return msgspec.structs.replace(
            side,
            addresses=_kept(self._texts.address(one) or self._clean(one) for one in side.addresses),
            hostnames=_kept(map(self._clean, side.hostnames)),
            macs=_kept(map(self._clean, side.macs)),
            urls=_kept(map(self._clean, side.urls)),
            emails=_kept(map(self._clean, side.emails)),
        )


def _link(link: Link, clean: Clean) -> Link:
    return Link(subject=clean(link.subject), link=clean(link.link))


def _kept(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value and GONE not in value))


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
