"""Ways to write what is not to be seen, and what somebody reads who undoes them: nothing of it is the gate's own."""

import html
import ipaddress
import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

NETWORKS = ["10.0.0.0/8", "192.168.0.0/16", "172.16.0.0/12", "fd00::/8", "2001:db8:5::/48"]
DOMAINS = ["corp.example", "münchen.example"]
OWN = [ipaddress.ip_network(net) for net in NETWORKS]

DISGUISES: dict[str, Callable[[str], str]] = {
    "plain": str,
    "capitals": str.upper,
    "full width": lambda text: "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in text),
    "no width": "\u200b".join,
    "soft hyphens": lambda text: text[:1] + "\u00ad" + text[1:],
    "entities": lambda text: "".join(f"&#{ord(sign)};" for sign in text),
    "entities in hexadecimal": lambda text: "".join(f"&#x{ord(sign):x};" for sign in text),
    "percent": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "percent twice": lambda text: "".join(f"%25{byte:02X}" for byte in text.encode()),
    "escapes": lambda text: text.encode("ascii", "backslashreplace").decode().replace(".", "\\u002e"),
    "tags": lambda text: text[:1] + "<b>" + text[1:3] + "</b>" + text[3:],
    "a comment": lambda text: text[:2] + "<!-- x -->" + text[2:],
    "defanged": lambda text: text.replace(".", "[.]").replace(":", "[:]"),
    "dots in words": lambda text: text.replace(".", "(dot)"),
    "quoted-printable": lambda text: text[:3] + "=\n" + text[3:].replace(".", "=2E"),
}


def texts_in(sent: bytes) -> Iterator[str]:
    """The bytes as text; and if they are JSON, line by line, every text in them, keys included."""
    whole = sent.decode()
    yield whole
    for line in (whole, *whole.splitlines()):
        try:
            yield from _strings(json.loads(line))
        except ValueError:
            continue


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def undone(text: str) -> Iterator[str]:
    """What the text says to a person, a browser and a decoder."""
    for plain in (text, re.sub(r"=(?:([0-9A-F]{2})|\r?\n)", _quoted, text)):
        for _ in range(2):
            plain = unquote(html.unescape(re.sub(r"\\u([0-9a-fA-F]{4})", lambda it: chr(int(it[1], 16)), plain)))
        wide = unicodedata.normalize("NFKC", plain)
        seen = "".join(sign for sign in wide if unicodedata.category(sign) != "Cf")
        fanged = re.sub(r"[\[({]([.:])[\])}]|\(dot\)", lambda it: it[1] or ".", seen)
        yield from (fanged, re.sub(r"<[^<>]*>", "", fanged))


def _quoted(found: re.Match[str]) -> str:
    return chr(int(found[1], 16)) if found[1] else ""


def own_in(sent: bytes) -> list[str]:
    """Own addresses and names of hosts in what was sent, however they are written."""
    return [found for text in texts_in(sent) for plain in undone(text) for found in _own(plain)]


def _own(text: str) -> Iterator[str]:
    for found in re.finditer(r"(?<![0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9.])", text):
        if _is_own(".".join(str(int(part)) for part in found[0].split("."))):
            yield found[0]
    for found in re.finditer(r"(?<![0-9a-fA-F:.])[0-9a-fA-F]{0,4}(?::[0-9a-fA-F.]{0,15}){2,8}(?![0-9a-fA-F:.])", text):
        if _is_own(found[0]):
            yield found[0]
    for found in re.finditer(r"corp\.example(?![0-9a-z])|(?:münchen|xn--mnchen-3ya)\.example", text.lower()):
        yield found[0]


def _is_own(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return any(address in net for net in OWN if net.version == address.version)
