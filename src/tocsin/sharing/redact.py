"""What is to be hidden, taken out of everything an alertgroup consists of: names of columns and keys included.

What nobody is ever to see leaves with no profile at all: passwords and the like, and positions on the globe, in fields
that are known to hold them.
"""

import fnmatch
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import re2

from tocsin.model import Alert, Alertgroup, Detection, Endpoint, Link
from tocsin.sharing.profile import Profile
from tocsin.sharing.pseudonyms import Pseudonyms
from tocsin.sharing.texts import GONE, Texts

DEEPEST = 64
"""Cells nested deeper are left out."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SECRETS = _words(
    """password passwd passphrase pwd pass secret client_secret token access_token refresh_token id_token api_key apikey
    authorization proxy_authorization auth_token bearer cookie set_cookie private_key ssh_key credential credentials
    session_key pin otp ntlm_hash lm_hash"""
)
POSITIONS = _words(
    """lat latitude lon lng long longitude latlon lat_lon latlng coordinates coords gps gps_position gps_location
    geo_point geopoint geo_location"""
)
_POSITION_PARENTS = frozenset(("geo", "geoip", "location", "geo_location", "gps", "position"))
_USERS = _words(
    """user username user_name userid user_id account accountname account_name login loginname login_name logon uid
    owner src_user dest_user dst_user source_user destination_user target_user targetusername subjectusername
    user_principal
    upn samaccountname sam_account_name suser duser srcuser dstuser employee operator winlog_user run_as"""
)
_SIGNS = re.compile(r"[^a-z0-9]+")
_ENDINGS = sorted({word.replace("_", "[^a-z0-9]?") for word in SECRETS | POSITIONS | {"location"}})
_WORTH_LOOKING = re2.compile(rf'(?i)(?:{"|".join(_ENDINGS)})[^a-z0-9"]*"\s*:|\\u00')
"""Whether a row's text has a key that may be one of them: nearly all have none, and are not taken apart."""
_SHORTEST_USER = 3
_USER_SEPARATORS = re.compile(r"[\\/]")
_NOT_USERS = frozenset(("system", "root", "administrator", "admin", "guest", "anonymous", "unknown", "none", "null"))
"""Names that everybody has: they are hidden where they stand, not looked for elsewhere."""


class Redaction:
    """Applies one profile to alertgroups."""

    def __init__(self, profile: Profile, key: bytes) -> None:
        self._profile = profile
        self._texts = Texts(profile, Pseudonyms(key, profile.networks))
        globs = "|".join(fnmatch.translate(one.lower()) for one in profile.columns)
        self._columns = re.compile(globs) if globs else None

    def applied(self, group: Alertgroup) -> Alertgroup:
        """The group as a partner may see it. Ids of ours stay; times, numbers and statuses stay."""
        known = _KnownUsers(group, self._texts) if self._profile.users else None
        clean = (lambda text: self._texts.clean(text, known)) if known else self._texts.clean
        work = _Work(self._profile, self._texts, self._columns, clean)
        bodies = not self._profile.bodies
        return msgspec.structs.replace(
            group,
            subject=clean(group.subject),
            alerts=tuple(work.alert(alert) for alert in group.alerts),
            columns=tuple(clean(name) for name in group.columns if not work.leaves_out(name)),
            tags=tuple(map(clean, group.tags)),
            sources=tuple(map(clean, group.sources)),
            message_id=clean(group.message_id),
            body=clean(group.body) if bodies else "",
            body_plain=clean(group.body_plain) if bodies else "",
            ahrefs=() if self._profile.links else tuple(_link(link, clean) for link in group.ahrefs),
            groups={},
            owner="" if self._profile.users else clean(group.owner),
        )


def without_secrets(group: Alertgroup) -> Alertgroup:
    """The group without passwords and positions in fields that are known to hold them; itself if there are none."""
    if not any(_WORTH_LOOKING.search(alert.json) for alert in group.alerts):
        return group
    return msgspec.structs.replace(group, alerts=tuple(map(_bare, group.alerts)))


def _bare(alert: Alert) -> Alert:
    if not _WORTH_LOOKING.search(alert.json):
        return alert
    cells = _without(alert.data, "", 0)
    return alert if cells == alert.data else msgspec.structs.replace(alert, json=_json(cells))


def _without(value: Any, parent: str, depth: int) -> Any:
    if depth > DEEPEST:
        return None
    if isinstance(value, list):
        return [_without(item, parent, depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: GONE if never_leaves(key, parent) and item not in (None, "") else _without(item, key, depth + 1)
        for key, item in value.items()
    }


def never_leaves(key: str, parent: str = "") -> bool:
    """Whether a field of this name, inside one named `parent`, holds a password or a position on the globe."""
    name = _plain(key)
    last = name.rpartition("_")[2]
    if name in SECRETS or name in POSITIONS or last in ("password", "passwd", "passphrase", "latitude", "longitude"):
        return True
    head, _, tail = _plain(f"{parent}_{key}").rpartition("_")
    return tail in ("lat", "lon", "lng", "location", "coordinates") and head.rpartition("_")[2] in _POSITION_PARENTS


def _plain(name: str) -> str:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return _SIGNS.sub("_", spaced.lower()).strip("_")


def holds_user(key: str) -> bool:
    """Whether a field of this name holds a user's name."""
    name = _plain(key)
    return name in _USERS or name.replace("_", "") in _USERS or name.endswith(("_user", "_username", "_user_name"))


class _Work:
    """One alertgroup's redaction."""

    def __init__(self, profile: Profile, texts: Texts, columns: re.Pattern[str] | None, clean: Any) -> None:
        self._profile, self._texts, self._columns, self._clean = profile, texts, columns, clean

    def leaves_out(self, key: str) -> bool:
        """Whether a column or key is left out whole."""
        return self._columns is not None and self._columns.fullmatch(key.lower()) is not None

    def alert(self, alert: Alert) -> Alert:
        """An alert with its cells and its detection."""
        said = None if alert.detection is None else self._detection(alert.detection)
        return msgspec.structs.replace(alert, json=_json(self._cell(alert.data, "", 0)), detection=said)

    def _cell(self, value: Any, key: str, depth: int) -> Any:
        if depth > DEEPEST:
            return None
        match value:
            case str():
                if self._profile.users and holds_user(key):
                    return self._texts.user(value) if value else value
                return self._clean(value)
            case list():
                return [self._cell(item, key, depth + 1) for item in value]
            case dict():
                return self._object(value, depth)
        return value

    def _object(self, cells: Mapping[str, Any], depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in cells.items():
            if self.leaves_out(key):
                continue
            name = plain = self._clean(key)
            n = 2
            while name in found:  # two keys that look alike now
                name, n = f"{plain} ({n})", n + 1
            found[name] = self._cell(value, key, depth + 1)
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
            addresses=_kept(self._texts.address(one) or one for one in side.addresses),
            hostnames=_kept(map(self._clean, side.hostnames)),
            macs=side.macs,
            urls=_kept(map(self._clean, side.urls)),
            emails=_kept(map(self._clean, side.emails)),
        )


class _KnownUsers:
    """The user names that an alertgroup's cells tell, taken out of its texts as whole words."""

    def __init__(self, group: Alertgroup, texts: Texts) -> None:
        names = {name for alert in group.alerts for name in _users(alert.data, "", 0)}
        kept = sorted({one for one in names if len(one) >= _SHORTEST_USER and one.lower() not in _NOT_USERS})
        longest_first = sorted(kept, key=len, reverse=True)
        pattern = "|".join(map(re.escape, longest_first))
        self._pattern = re.compile(rf"(?<![\w-])(?:{pattern})(?![\w-])", re.IGNORECASE) if kept else None
        self._texts = texts

    def __call__(self, text: str) -> str:
        if self._pattern is None:
            return text
        return self._pattern.sub(lambda found: self._texts.user(found[0]), text)


def _users(value: Any, key: str, depth: int) -> Iterable[str]:
    if depth > DEEPEST:
        return
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _users(item, name, depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from _users(item, key, depth + 1)
    elif isinstance(value, str) and holds_user(key):
        yield value.strip()
        yield _USER_SEPARATORS.split(value.strip())[-1].partition("@")[0]


def _link(link: Link, clean: Any) -> Link:
    return Link(subject=clean(link.subject), link=clean(link.link))


def _kept(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value and GONE not in value))


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
