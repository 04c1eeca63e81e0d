"""An IDEA0 event -> the detection in it. Tolerant: what `mend` can mend is read, the rest is left out."""

import ipaddress
from collections.abc import Mapping
from typing import Any

import msgspec

from tocsin.formats.idea.mend import KEYS, LEVEL, Cells, mended
from tocsin.formats.idea.objects import Attach, Machine
from tocsin.formats.times import since_1970
from tocsin.model import TLP, Detection, Endpoint, Micros, Severity

_SEVERITIES = {severity.name.lower(): severity for severity in Severity}


class Idea:
    """One event as it was received."""

    def __init__(self, text: bytes | str) -> None:
        """Raises msgspec.DecodeError, UnicodeDecodeError or RecursionError: it is no JSON object."""
        cells = LEVEL.decode(text)
        msgspec.json.decode(text)  # all of it is JSON, not its first level alone
        self.cells: Cells = mended(cells).cells
        self._values: dict[str, Any] = {}

    def __getitem__(self, key: str) -> Any:
        """A key's value: parts as their types, None where there is none."""
        if key not in self._values:
            raw = self.cells.get(key)
            known = KEYS.get(key)
            decode = msgspec.json.decode if known is None else known.decoder.decode
            self._values[key] = None if raw is None else decode(raw)
        return self._values[key]

    @property
    def id(self) -> str:
        """Its id, or nothing."""
        return self["ID"] or ""

    @property
    def correlated(self) -> tuple[str, ...]:
        """The ids of the events it was made of."""
        return self["CorrelID"] or ()

    @property
    def node(self) -> str:
        """The name of the newest node."""
        return self["Node"][0].name if self["Node"] else ""

    @property
    def software(self) -> tuple[str, ...]:
        """What detected it, as the oldest node says."""
        return self["Node"][-1].sw if self["Node"] else ()

    @property
    def created(self) -> Micros | None:
        """When it was written, else when it was detected."""
        return since_1970(self["CreateTime"]) or since_1970(self["DetectTime"])

    @property
    def tlp(self) -> TLP:
        """How far it may travel: the key that Mentat reads."""
        if self["TLP"] is None:
            return TLP.UNSET
        try:
            return TLP(self["TLP"])
        except ValueError:
            return TLP.RED  # somebody restricted it, in a word that nobody knows

    @property
    def subject(self) -> str:
        """What it says in a line."""
        words = self["Description"] or _content(self["Attach"]) or self["Note"]
        if words:
            return str(words).partition("\n")[0]
        category = ", ".join(self["Category"] or ()) or "IDEA event"
        addresses = [text for end in self["Source"] or () for text in (*end.ip4, *end.ip6, *end.hostname)]
        return f"{category} from {addresses[0]}" if addresses else category

    def detection(self) -> Detection:
        """What it means."""
        name = self["Description"] or ""
        description = self["Note"] or _content(self["Attach"])
        sides = (self["Source"] or (), self["Target"] or ())
        protocols = [name.lower() for side in sides for end in side for name in end.proto]
        ours = self["_Tocsin"]
        own = ours.get("Category") if isinstance(ours, dict) else None
        uids = self["uids"]
        return Detection(
            name=name,
            category=own if isinstance(own, str) and own else next(iter(self["Category"] or ()), ""),
            description="" if description == name else description,
            severity=self._severity(),
            confidence=self["Confidence"],
            detected=since_1970(self["DetectTime"]),
            start=since_1970(self["EventTime"]) or since_1970(self["WinStartTime"]),
            end=since_1970(self["CeaseTime"]) or since_1970(self["WinEndTime"]),
            sources=_endpoints(sides[0]),
            targets=_endpoints(sides[1]),
            protocols=tuple(dict.fromkeys(protocols)),
            flow_uids=tuple(uid for uid in uids if isinstance(uid, str)) if isinstance(uids, list) else (),
        )

    def _severity(self) -> Severity | None:
        """IDEA0 has none; ours, Mentat's and Slips' words beside it."""
        found = [
            cell.get(key) for cell, key in ((self[part], key) for part, key in _SEVERE) if isinstance(cell, Mapping)
        ]
        for word in (*found, self["threat_level"], self["Severity"]):
            if isinstance(word, str) and word.lower() in _SEVERITIES:
                return _SEVERITIES[word.lower()]
        return None


_SEVERE = (("_Tocsin", "Severity"), ("_Mentat", "EventSeverity"), ("_CESNET", "EventSeverity"))


def _content(attached: tuple[Attach, ...] | None) -> str:
    """The first text that is attached as it is."""
    for part in attached or ():
        if isinstance(part.content, str) and part.content_encoding is msgspec.UNSET:
            return part.content
    return ""


def _endpoints(ends: tuple[Machine, ...]) -> tuple[Endpoint, ...]:
    """Endpoints of the addresses and names; networks and ranges stay in the row alone."""
    found = (
        Endpoint(
            addresses=tuple(dict.fromkeys(map(_canonical, filter(_is_address, (*end.ip4, *end.ip6))))),
            hostnames=tuple(dict.fromkeys(name.lower().removesuffix(".") for name in end.hostname if name)),
            ports=end.port,
            macs=tuple(mac.lower() for mac in end.mac),
            urls=end.url,
            emails=end.email,
        )
        for end in ends
    )
    return tuple(end for end in found if end != Endpoint())


def _is_address(text: str) -> bool:
    return "/" not in text and "-" not in text


def _canonical(text: str) -> str:
    return str(ipaddress.ip_address(text))
