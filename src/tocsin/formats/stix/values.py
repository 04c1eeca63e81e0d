"""Values as STIX 2.1 wants them, or "" where it wants none such: addresses, names, URLs, mail addresses, hashes."""

import ipaddress
import re
from functools import lru_cache
from urllib.parse import quote

import idna

HASHES = {"md5": ("MD5", 32), "sha1": ("SHA-1", 40), "sha256": ("SHA-256", 64), "sha512": ("SHA-512", 128)}
"""Our type -> STIX's name of the algorithm, and how many digits it has."""

LONGEST_NAME = 253
_NOBODYS = [
    ipaddress.ip_network(net) for net in ("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3", "::/127", "4000::/3", "ff00::/8")
]
"""This host, loopback, multicast, reserved (RFC 6890, 4291). In the reserved ones live pseudonyms."""
_HEX = re.compile(r"[0-9a-f]+")
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_LABELS = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*")
_URL = re.compile(r"([a-z][a-z0-9+.-]*)://([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)
_AUTHORITY = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:%-]*@)?(\[[0-9a-f:.]+\]|[a-z0-9._-]*)(?::[0-9]{1,5})?")
_PLAIN_EMAIL = re.compile(r"[a-zA-Z0-9_.+-]+@[a-z0-9-]+\.[a-z0-9.-]+")
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_UNRESERVED = "-._~!$&'()*+,;=:@%"


@lru_cache(4096)
def network(text: str) -> tuple[int, str]:
    """The version and the one form of an address or network; 0 and "" for neither."""
    try:
        net = ipaddress.ip_network(text)
    except ValueError:
        return 0, ""
    return net.version, net.compressed if "/" in text else net.network_address.compressed


@lru_cache(4096)
def nobodys(text: str) -> bool:
    """Whether an address, network, name or mail address is one that nobody can be found by."""
    version, net = network(text)
    if not version:
        return f".{text.rpartition('@')[2].lower().rstrip('.')}".endswith((".invalid", ".local", ".localhost"))
    one = ipaddress.ip_network(net)
    return any(one.version == net.version and one.overlaps(net) for net in _NOBODYS)


@lru_cache(4096)
def name(text: str) -> str:
    """A host name by RFC 1034 and 5890, international labels in punycode."""
    text = text.lower().removesuffix(".")
    if len(text) > LONGEST_NAME or network(text)[0]:
        return ""
    if text.isascii() and "--" not in text:
        return text if _LABELS.fullmatch(text) else ""
    try:
        return idna.encode(text, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return ""


@lru_cache(4096)
def url(text: str) -> str:
    """A URL as a URI by RFC 3986: what may not stand in one is written in percents."""
    match = _URL.fullmatch(text)
    if not match:
        return ""
    scheme, authority, path, query, fragment = match.groups(default="")
    if not _AUTHORITY.fullmatch(authority) or _BAD_PERCENT.search(authority):
        return ""
    try:
        written = [f"{scheme}://{authority}", _written(path, "/")]
        written += [_written(part[:1], "?#") + _written(part[1:], "/?") for part in (query, fragment) if part]
    except UnicodeEncodeError:
        return ""
    return "".join(written)


def host(url: str) -> str:
    """The host of a URL: a name, or an address without brackets; "" if it has none."""
    match = _URL.fullmatch(url)
    inner = _AUTHORITY.fullmatch(match[2]) if match else None
    return inner[1].strip("[]") if inner else ""


def _written(part: str, besides: str) -> str:
    return quote(_BAD_PERCENT.sub("%25", part), safe=_UNRESERVED + besides)


@lru_cache(4096)
def email(text: str) -> str:
    """A mail address, its host as a name."""
    local, _, host = text.rpartition("@")
    host = name(host)
    return f"{local}@{host}" if host and local and "@" not in local and local.isprintable() else ""


def plain_email(text: str) -> str:
    """A mail address of the letters that OASIS's schemas know; RFC 5322 has more (`o'neil`, `srs0=…`)."""
    text = email(text)
    return text if _PLAIN_EMAIL.fullmatch(text) else ""


def mac(text: str) -> str:
    """A MAC address: six pairs in small letters."""
    text = text.lower().replace("-", ":")
    return text if _MAC.fullmatch(text) else ""


def digest(type: str, text: str) -> str:
    """A hash of one of the `HASHES`, in small letters."""
    text = text.lower()
    return text if len(text) == HASHES[type][1] and _HEX.fullmatch(text) else ""


def port(text: str) -> tuple[str, int] | None:
    """`443` or `tcp/443` as protocol and port."""
    protocol, _, number = text.rpartition("/")
    if not (number.isascii() and number.isdecimal() and len(number) <= 5 and int(number) <= 65535):
        return None
    return protocol.lower(), int(number)
