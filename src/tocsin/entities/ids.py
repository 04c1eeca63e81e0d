"""Hashes, identifiers and registry keys: everything whose form alone says what it is."""

from collections.abc import Iterator
from itertools import pairwise

from tocsin.entities.addresses import mac
from tocsin.entities.names import Part
from tocsin.entities.spelling import compiled, spans

HASHES = {32: "md5", 40: "sha1", 62: "jarm", 64: "sha256", 128: "sha512"}
HIVES = {
    "hklm": "HKEY_LOCAL_MACHINE",
    "hkcu": "HKEY_CURRENT_USER",
    "hkcr": "HKEY_CLASSES_ROOT",
    "hku": "HKEY_USERS",
    "hkcc": "HKEY_CURRENT_CONFIG",
    "hkpd": "HKEY_PERFORMANCE_DATA",
    "\\registry\\machine": "HKEY_LOCAL_MACHINE",
    "\\registry\\user": "HKEY_USERS",
}
FIRST_YEAR, LAST_YEAR = 1999, 2099
LARGEST_ASN = 2**32 - 1
LONGEST_KEY = 1024

_GUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_MAC = r"[0-9a-f]{2}(?:-[0-9a-f]{2}){5}"
HEXES = compiled(rf"[0-9a-f]{{32,}}|{_GUID}|{_MAC}")
_CVE = r"cve[-_ ]?[0-9]{4}[-_ ][0-9]{4,}"
_TECHNIQUE = r"t[01][0-9]{3}(?:[.][0-9]{3})?"
_ASN = r"asn?[ :=#]{0,2}[0-9]+(?:[.][0-9]+)?"
WORDS = compiled(rf"{_CVE}|{_TECHNIQUE}|{_ASN}")
_SEGMENT = r"""[^\x00-\x20"<>|,;=\\\x80]+"""
_MORE_WORDS = r"(?: [A-Z][0-9A-Za-z_.-]{0,40}){0,5}"
_ROOT = r"(?i:machine|user)"
_HIVES = r"(?i:hkey_(?:local_machine|current_user|classes_root|users|current_config|performance_data))"
_SHORT = r"(?i:hklm|hkcu|hkcr|hkcc|hkpd|hku)"
_HIVE = rf"(?:(?:{_HIVES}|{_SHORT}):?|\\{{1,2}}(?i:registry)\\{{1,2}}{_ROOT})"
KEYS = compiled(rf"{_HIVE}(?:\\+{_SEGMENT}{_MORE_WORDS})*\\+{_SEGMENT}", case=True)

_NEXT_KEY = compiled(rf" {_HIVE}\\")

_ALPHANUMERIC = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ\xff")


def stands_apart(skeleton: bytes, start: int, end: int) -> bool:
    """Whether neither a letter nor a digit touches it."""
    if start and skeleton[start - 1] in _ALPHANUMERIC:
        return False
    return end >= len(skeleton) or skeleton[end] not in _ALPHANUMERIC


def hexes(skeleton: bytes) -> Iterator[Part]:
    """Hashes, JARM fingerprints, GUIDs and MAC addresses with dashes."""
    for start, end in spans(HEXES, skeleton):
        if not stands_apart(skeleton, start, end) or (end - start > 128):
            continue
        text = skeleton[start:end].decode("latin-1").lower()
        if end - start == 36 and "-" in text:
            if not _goes_on(skeleton, start, end):
                yield Part("guid", text, start, end)
        elif end - start == 17:
            if not _goes_on(skeleton, start, end):
                yield Part("mac", mac(text.replace("-", "")), start, end)
        elif end - start in HASHES and not text.isdecimal():
            yield Part(HASHES[end - start], text, start, end)


def _goes_on(skeleton: bytes, start: int, end: int) -> bool:
    """Whether a dash and more of the kind touch it: a longer thing of dashes and digits is neither GUID nor MAC."""
    dash = b"-"
    if start > 1 and skeleton[start - 1 : start] == dash and skeleton[start - 2] in _ALPHANUMERIC:
        return True
    return skeleton[end : end + 1] == dash and end + 1 < len(skeleton) and skeleton[end + 1] in _ALPHANUMERIC


def words(skeleton: bytes) -> Iterator[Part]:
    """CVE numbers, ATT&CK techniques and autonomous systems."""
    for start, end in spans(WORDS, skeleton):
        if not stands_apart(skeleton, start, end):
            continue
        text = skeleton[start:end].decode("latin-1")
        if text[0] in "cC":
            found = _cve(text)
        elif text[0] in "tT":
            found = _technique(skeleton, text, start, end)
        else:
            found = _asn(skeleton, text, start, end)
        if found:
            yield Part(found[0], found[1], start, end)


def _cve(text: str) -> tuple[str, str] | None:
    digits = "".join(filter(str.isdecimal, text))
    year, number = digits[:4], digits[4:]
    if not FIRST_YEAR <= int(year) <= LAST_YEAR or len(number) > 19:
        return None
    return "cve", f"CVE-{year}-{number}"


def _technique(skeleton: bytes, text: str, start: int, end: int) -> tuple[str, str] | None:
    """`T1059.001`; in small letters only behind `attack.`, as Sigma's tags have it. ICS techniques start with T08."""
    if not ("T08" <= text[:3].upper() <= "T09" or text[1] == "1") or _dotted_on(skeleton, start, end, b"attack."):
        return None
    if text[0] == "t" and not skeleton[max(0, start - 7) : start].lower().endswith((b"attack.", b"techniques/")):
        return None
    return "technique", text.upper()


def _asn(skeleton: bytes, text: str, start: int, end: int) -> tuple[str, str] | None:
    """`AS15169`, `ASN 15169`, `AS1.10` (RFC 5396); `as 400` is English, and `AS2` a protocol."""
    letters = text.rstrip("0123456789.").rstrip(" :=#")
    high, dot, low = text[len(letters) :].lstrip(" :=#").partition(".")
    spaced = text[len(letters)] in " :=#"
    sure = len(letters) == 3
    if _dotted_on(skeleton, start, end, b"") or (dot and (letters == "as" or int(low[:6]) > 0xFFFF)):
        return None
    if not sure and (
        (spaced and (letters != "AS" or len(high) < 3)) or (not dot and len(high) < 2 + (letters != "AS"))
    ):
        return None
    if len(high) > 10 or (high[0] == "0" and not dot):
        return None
    number = int(high) * 65536 + int(low) if dot else int(high)
    return ("asn", f"AS{number}") if 0 < number <= LARGEST_ASN else None


def _dotted_on(skeleton: bytes, start: int, end: int, but: bytes) -> bool:
    """Whether it is a label of a longer dotted name, `but` not counting."""
    if skeleton[end : end + 1] in (b".", b"_", b"-") and end + 1 < len(skeleton) and skeleton[end + 1] in _ALPHANUMERIC:
        return True
    before = skeleton[max(0, start - 7) : start].lower()
    return before[-1:] in (b".", b"_", b"-") and before[-2:-1].isalnum() and not (but and before.endswith(but))


def keys(skeleton: bytes, text: str) -> Iterator[Part]:
    """Windows registry keys. A segment other than the last may hold spaces, if each word has a capital letter."""
    for start, end in spans(KEYS, skeleton):
        if start and skeleton[start - 1] in _ALPHANUMERIC:
            continue
        seams = [at + 1 for at, _ in spans(_NEXT_KEY, skeleton[start:end])]
        for first, last in pairwise((0, *seams, end - start)):
            written = text[start + first : start + last]
            written = written.rstrip(".:)]'\\ " if "{" in written else ".:)]}'\\ ")
            value = _key(written) if len(written) <= LONGEST_KEY else ""
            if value:
                yield Part("registry_key", value, start + first, start + first + len(written))


def _key(written: str) -> str:
    """The hive in full, as STIX wants it, and the path in small letters: the registry knows no other."""
    plain = "\\".join(word for word in written.split("\\") if word)
    if written.startswith("\\"):
        first, second, *path = plain.split("\\")
        hive = HIVES[f"\\{first}\\{second}".lower()]
    else:
        first, *path = plain.split("\\")
        first = first.removesuffix(":")
        hive = HIVES.get(first.lower(), first.upper())
    return "\\".join([hive, *(word.lower() for word in path)]) if path else ""
