"""Who may send: addresses, domains, wildcards, and what the receiving mail server found out about the sender.

A list that is asked in its order and for every address of From: a mail from two senders needs both to be permitted.
"""

import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator

from tocsin.kit.envelope import Envelope

ANYBODY = "*"
METHODS = ("dmarc", "dkim", "spf")
_RESULT = re.compile(r"([a-z0-9-]{1,50})(?:/\d+)?=([a-z0-9-]{1,50})")
_PROPERTY = re.compile(r"(header|smtp)\.([a-z0-9-]{1,50})=(\S+)")


def _entry(text: str) -> str:
    """A sender as it is configured, in lower case."""
    entry = text.strip().lower()
    local, at, domain = entry.rpartition("@")
    bad = not entry or re.search(r"[\s<>,;:\"()]", entry) or "@" in local or (at and not domain)
    if bad or entry.startswith(".") or domain.startswith("."):
        raise ValueError(
            'a sender is an address, "example.com" (with its subdomains), a pattern such as "ids-*@example.com", or "*"'
        )
    return entry


Sender = Annotated[str, AfterValidator(_entry)]


def refusal(outside: Envelope, permitted: Sequence[str], authentication_server: str = "") -> str:
    """Why this mail's sender is not heard; empty when it is."""
    if ANYBODY not in permitted:
        if not outside.senders:
            return "the sender is not permitted: the mail has no From that can be read"
        stranger = next((one for one in outside.senders if not any(_fits(one, entry) for entry in permitted)), None)
        if stranger is not None:
            return f"the sender {stranger[:300]} is not permitted: add it to permitted_senders if it may be heard"
    if authentication_server and not authenticated(outside, authentication_server):
        return (
            f"the sender {outside.sender[:300]} is not proven: {authentication_server} vouches for it by no dmarc, dkim"
            " or spf in Authentication-Results"
        )
    return ""


def authenticated(outside: Envelope, server: str) -> bool:
    """Whether `server` says (RFC 8601) that dmarc, dkim or spf passed for the domain of the one sender.

    Only the results that stand on top count, down to the next Received: below are the words of whoever sent the mail.
    """
    if len(outside.senders) != 1:
        return False
    domain = outside.sender.rpartition("@")[2]
    trusted = False
    for name, value in outside.headers:
        if name == "received" and trusted:
            break
        if name != "authentication-results":
            continue
        who, *results = _without_comments(value.lower()).split(";")
        if who.split()[:1] != [server.lower()]:
            continue
        trusted = True
        if any(_proves(result, domain) for result in results):
            return True
    return False


def _proves(result: str, domain: str) -> bool:
    said = _RESULT.match(result.strip())
    if said is None or said[2] != "pass" or said[1] not in METHODS:
        return False
    about = [
        (kind, value.strip('"').rpartition("@")[2].rstrip("."))
        for where, kind, value in _PROPERTY.findall(result)
        if (said[1], where, kind)
        in {
            ("dmarc", "header", "from"),
            ("dkim", "header", "d"),
            ("dkim", "header", "i"),
            ("spf", "smtp", "mailfrom"),
        }
    ]
    if not about:
        return said[1] == "dmarc"  # it is about the domain of From by its nature (RFC 7489)
    return any(domain == other or ("." in other and domain.endswith(f".{other}")) for _, other in about)


def _fits(address: str, entry: str) -> bool:
    local, _, domain = address.rpartition("@")
    wanted_local, at, wanted = entry.rpartition("@")
    if at and wanted_local:
        return _like(local, wanted_local) and _like(domain, wanted)
    return _like(domain, wanted) or ("*" not in wanted and domain.endswith(f".{wanted}"))


def _like(text: str, pattern: str) -> bool:
    """Whether the text fits a pattern in which `*` stands for anything; linear, however many there are."""
    first, *rest = pattern.split("*")
    if not rest:
        return text == pattern
    if not text.startswith(first) or len(text) < len(first):
        return False
    place = len(first)
    for piece in rest[:-1]:
        found = text.find(piece, place)
        if found < 0:
            return False
        place = found + len(piece)
    return text.endswith(rest[-1]) and len(text) - len(rest[-1]) >= place


def _without_comments(value: str) -> str:
    """Comments hold what others wrote; quoted strings lose what could be taken for an end."""
    kept: list[str] = []
    depth, quoted, escaped = 0, False, False
    for letter in value:
        if escaped:
            escaped = False
        elif letter == "\\" and (depth or quoted):
            escaped = True
        elif quoted:
            quoted = letter != '"'
            kept.append("_" if letter in ";= \t" else letter)
        elif letter == '"' and not depth:
            quoted = True
            kept.append(letter)
        elif letter == "(":
            depth += 1
        elif letter == ")" and depth:
            depth -= 1
        elif not depth:
            kept.append(letter)
    return "".join(kept)
