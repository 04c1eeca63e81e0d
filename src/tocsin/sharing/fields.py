"""Names of fields that hold what nobody is ever to see: passwords and the like, and positions on the globe."""

import re

_SIGNS = re.compile(r"[^a-z0-9]+")
_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


SECRETS = words(
    """password passwd passphrase pwd pass secret client_secret token access_token refresh_token id_token api_key
    apikey authorization proxy_authorization auth_token bearer cookie set_cookie private_key ssh_key
    credential credentials session_key pin otp ntlm_hash lm_hash"""
)
POSITIONS = words(
    """lat latitude lon lng long longitude latlon lat_lon latlng coordinates coords gps gps_position gps_location
    geo_point geopoint geo_location"""
)
_PARENTS = frozenset(("geo", "geoip", "location", "geo_location", "gps", "position"))
_LAST = frozenset(("password", "passwd", "passphrase", "latitude", "longitude"))
_TAILS = frozenset(("lat", "lon", "lng", "location", "coordinates"))


def plain(name: str) -> str:
    """The name in small letters, its words joined by `_`."""
    return _SIGNS.sub("_", _HUMPS.sub("_", name).lower()).strip("_")


def never_leaves(key: str, parent: str = "") -> bool:
    """Whether a field of this name, inside one named `parent`, holds a password or a position on the globe."""
    name = plain(key)
    if name in SECRETS or name in POSITIONS or name.rpartition("_")[2] in _LAST:
        return True
    head, _, tail = plain(f"{parent}_{key}").rpartition("_")
    return tail in _TAILS and head.rpartition("_")[2] in _PARENTS
