"""An event as somebody wrote it -> the same in the strict form, and what of it has no strict form.

Every key that is valid stays as it stands, to the byte; so do keys that IDEA0 does not know. One that is not is mended
where that is certain (a port written as text, a list forgotten, another spelling of a time with its zone); values that
cannot be are left out of it, and the key as it came is handed back beside. Nothing is guessed: a time without a zone is
no time, a word is no number.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from tocsin.formats.idea.objects import Attach, Event, Machine, Node
from tocsin.formats.idea.schema import check_ends, is_net4, is_net6, is_time
from tocsin.formats.times import rfc3339, since_1970

Cells = Mapping[str, msgspec.Raw]
LEVEL = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENCODE = msgspec.json.Encoder().encode


class Mended(NamedTuple):
    """`cells`: the event in strict form, keys in the order they came. `received`: the keys that had to be changed."""

    cells: dict[str, msgspec.Raw]
    received: dict[str, msgspec.Raw]


class Key(NamedTuple):
    """A key: its strict form, what no pattern says of it, and how it is mended."""

    decoder: Any
    check: Callable[[Any], object]
    mend: Callable[[Any], Any]


def mended(cells: Cells) -> Mended:
    """The event with every key in strict form. A missing or hopeless key is missing; the caller knows better.

    Keys of another case are IDEA0's own where the right one is missing.
    """
    found: dict[str, msgspec.Raw] = {}
    received: dict[str, msgspec.Raw] = {}
    for name, raw in cells.items():
        known = _FOLDED.get(name.lower(), name)
        if known != name and known in cells:
            known = name
        key = KEYS.get(known)
        if key is None or _is_strict(key, raw):
            found.setdefault(known, raw)
            continue
        received[name] = raw
        value = key.mend(msgspec.json.decode(raw))
        if value is not None and value != []:
            text = msgspec.Raw(_ENCODE(value))
            if _is_strict(key, text):
                found.setdefault(known, text)
    return Mended(found, received)


def _is_strict(key: Key, raw: msgspec.Raw) -> bool:
    try:
        key.check(key.decoder.decode(raw))
    except (msgspec.DecodeError, ValueError):
        return False
    return True


def listed(value: Any) -> list[Any]:
    """A list, or the one value that was not put into one; null is none."""
    if isinstance(value, list):
        return [item for item in value if item is not None]
    return [] if value is None else [value]


def texts(value: Any) -> list[str]:
    """The texts of a list; numbers are texts too."""
    return [str(item) for item in listed(value) if isinstance(item, str | int | float) and not isinstance(item, bool)]


def text(value: Any) -> str | None:
    """One text, of several lines if there are several."""
    return "\n".join(texts(value)) or None


def whole(value: Any) -> int | None:
    """A whole number, also as text or with a zero fraction."""
    if isinstance(value, str) and re.fullmatch("[0-9]{1,19}", value.strip(), re.ASCII):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        return None
    return int(value)


def wholes(value: Any, most: int) -> list[int]:
    """The whole numbers of a list from 0 to `most`."""
    found = (whole(item) for item in listed(value))
    return [number for number in found if number is not None and 0 <= number <= most]


def time(value: Any) -> str | None:
    """A time of any spelling of RFC 3339 in UTC, or a number of seconds since 1970."""
    micros = since_1970(value) if isinstance(value, str | int | float) else None
    return None if micros is None else rfc3339(micros)


def _fraction(value: Any) -> float | None:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if 0 <= value <= 1 else None


def _fitting(pattern: str, clean: Callable[[str], str] = str) -> Callable[[Any], list[str]]:
    form = re.compile(pattern)

    def fitting(value: Any) -> list[str]:
        return [item for item in map(clean, texts(value)) if form.fullmatch(item)]

    return fitting


def _worded(item: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", item.strip()).strip("-")


def proto(item: str) -> str:
    """The name of a protocol in the form that IDEA0 takes, letters, digits and single dashes; or nothing."""
    name = "-".join(re.findall(r"[a-z0-9]+", item.lower()))
    return name if re.search("[a-z]", name) else ""


def net4(item: str) -> str:
    """An IPv4 address, network or range as the strict schema takes it, or nothing."""
    return _net(item, 4, is_net4)


def net6(item: str) -> str:
    """The same for IPv6."""
    return _net(item, 6, is_net6)


def _net(item: str, version: int, holds: Callable[[str], bool]) -> str:
    item = "".join(item.split()).partition("%")[0]
    first, dash, last = item.partition("-")
    try:
        if dash:
            one, other = sorted(map(int, (ipaddress.ip_address(first), ipaddress.ip_address(last))))
            kind = ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address
            item = f"{kind(one)}-{kind(other)}"
        else:
            net = ipaddress.ip_interface(item).network
            if net.prefixlen == net.max_prefixlen:
                item = str(net.network_address)
            elif net.prefixlen == 0:  # what a mask of nothing means, for readers that refuse it
                item = f"{net.network_address}-{net.broadcast_address}"
            if net.version != version:
                return ""
    except ValueError:
        return ""
    return item if holds(item) else ""


def _mac(item: str) -> str:
    digits = re.sub("[^0-9a-f]", "", item.lower()) if re.fullmatch("[0-9A-Fa-f:.-]+", item) else ""
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2)) if len(digits) == 12 else ""


def _node_name(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    labels = (re.sub("[^a-z0-9_]+", "_", label) for label in value.lower().split("."))
    return ".".join(f"_{label}" if label[:1].isdigit() else label for label in labels if label) or None


def _flag(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.strip().lower()) if isinstance(value, str) else None


def _content(value: Any) -> str:
    return value if isinstance(value, str) else _ENCODE(value).decode()


_tags = _fitting("[A-Za-z0-9_-]+", lambda item: _worded(item).replace(".", "-"))
_uris = _fitting(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*", str.strip)
_handles = _fitting("[A-Za-z_][A-Za-z0-9_]*")
_ids = _fitting("[A-Za-z0-9._-]+", str.strip)
_categories = _fitting(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)?", _worded)


def _first(items: Callable[[Any], list[str]]) -> Callable[[Any], str | None]:
    return lambda value: next(iter(items(value)), None)


_MACHINE: Mapping[str, Callable[[Any], Any]] = {
    "Type": _tags,
    "IP4": lambda value: list(filter(None, map(net4, texts(value)))),
    "IP6": lambda value: list(filter(None, map(net6, texts(value)))),
    "Hostname": texts,
    "MAC": lambda value: list(filter(None, map(_mac, texts(value)))),
    "Port": lambda value: wholes(value, 65535),
    "Proto": lambda value: list(filter(None, map(proto, texts(value)))),
    "URL": texts,
    "Email": texts,
    "AttachHand": _handles,
    "Note": text,
    "Spoofed": _flag,
    "Imprecise": _flag,
    "Anonymised": _flag,
    "ASN": lambda value: wholes([re.sub("^AS", "", str(item).strip().upper()) for item in listed(value)], 4294967295),
    "Router": texts,
    "Netname": _uris,
    "Ref": _uris,
}
_ATTACH: Mapping[str, Callable[[Any], Any]] = {
    "Handle": _first(_handles),
    "FileName": texts,
    "Type": _tags,
    "Hash": _uris,
    "Size": whole,
    "Ref": _uris,
    "Note": text,
    "ContentType": lambda value: str(value).partition(";")[0].strip(),
    "ContentCharset": text,
    "ContentEncoding": lambda value: "base64" if str(value).lower() == "base64" else None,
    "Content": _content,
    "ContentID": texts,
    "ExternalURI": _uris,
}
_NODE: Mapping[str, Callable[[Any], Any]] = {
    "Name": _node_name,
    "Type": _tags,
    "SW": texts,
    "AggrWin": text,
    "Note": text,
}


def _parts(
    kind: type[Machine | Attach | Node], menders: Mapping[str, Callable[[Any], Any]]
) -> Callable[[Any], list[dict[str, Any]]]:
    """Mends a list of parts: key by key, so that one bad value costs no other."""
    forms = {field.encode_name: msgspec.json.Decoder(field.type) for field in msgspec.structs.fields(kind)}

    def fits(name: str, value: Any) -> bool:
        try:
            forms[name].decode(_ENCODE(value))
        except msgspec.DecodeError:
            return False
        return True

    def parts(value: Any) -> list[dict[str, Any]]:
        found = []
        for part in listed(value):
            if not isinstance(part, dict):
                continue
            kept = {}
            for name, item in part.items():
                mend = menders.get(name)
                clean = item if mend is None else mend(item)
                if mend is None or (clean is not None and (clean != [] or item == []) and fits(name, clean)):
                    kept[name] = clean
            if kept and (kind is not Node or "Name" in kept):
                found.append(kept)
        return found

    return parts


def _right(value: Any) -> None:
    """Nothing more to ask of it."""


def _exists(value: str) -> None:
    if not is_time(value):
        raise ValueError(value)


def _keys() -> dict[str, Key]:
    mend: dict[str, Callable[[Any], Any]] = {
        "Format": lambda value: "IDEA0",
        "ID": _first(_ids),
        "Category": _categories,
        "Ref": _uris,
        "AltNames": texts,
        "Confidence": _fraction,
        "Description": text,
        "Note": text,
        "Source": _parts(Machine, _MACHINE),
        "Target": _parts(Machine, _MACHINE),
        "Attach": _parts(Attach, _ATTACH),
        "Node": _parts(Node, _NODE),
    }
    mend |= dict.fromkeys(("CorrelID", "AggrID", "PredID", "RelID"), _ids)
    mend |= dict.fromkeys(("ConnCount", "FlowCount", "PacketCount", "ByteCount"), whole)
    keys = {}
    for field in msgspec.structs.fields(Event):
        name = field.encode_name
        check: Callable[[Any], object] = _right
        if name.endswith("Time"):
            mend[name], check = time, _exists
        elif name in ("Source", "Target"):
            check = check_ends
        keys[name] = Key(msgspec.json.Decoder(field.type), check, mend[name])
    return keys


KEYS = _keys()
"""The keys of IDEA0."""
_FOLDED = {name.lower(): name for name in KEYS}
