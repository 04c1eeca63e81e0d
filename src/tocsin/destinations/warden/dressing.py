"""Events of IDEA0 as this client sends them."""

import ipaddress
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from tocsin.formats.idea.mend import LEVEL
from tocsin.formats.idea.objects import GONE_NAMES, is_pseudonym

Hidden = Literal["pseudonym", "network", "omit"]
OURS = "_Tocsin"
_encode = msgspec.json.Encoder().encode


class Event(NamedTuple):
    """One event, and the id that its receivers know it by."""

    id: str
    body: bytes


class Dressing:
    """What is the same for all events of one client."""

    def __init__(self, name: str, hidden: Hidden, networks: Sequence[str], test: bool) -> None:
        """`networks` stand for pseudonyms where `hidden` is "network"; `test` marks every event as one."""
        self._name, self._hidden, self._test = name, hidden, test
        self._networks = {
            key: [net for net in networks if ipaddress.ip_network(net).version == version]
            for key, version in (("IP4", 4), ("IP6", 6))
        }

    def events(self, lines: bytes, test: bool) -> list[Event]:
        """The events of lines of IDEA0, in order; `test`: they are nothing that happened."""
        return [self._event(line, test or self._test) for line in lines.splitlines() if line]

    def _event(self, line: bytes, test: bool) -> Event:
        event: dict[str, Any] = LEVEL.decode(line)
        node = msgspec.json.decode(event["Node"])
        node[0]["Name"] = self._name  # the server takes nothing else
        event["Node"] = node
        if test:
            event["Category"] = list(dict.fromkeys((*msgspec.json.decode(event["Category"]), "Test")))
        for key in [key for key in event if key.startswith("_") and key != OURS]:
            del event[key]  # private to whoever sent it to us
        if self._hidden != "pseudonym" and self._hides(event) and OURS in event:
            ours = msgspec.json.decode(event[OURS])
            ours.pop("Received", None)  # the same once more, as it came
            event[OURS] = ours
        return Event(msgspec.json.decode(event["ID"]), _encode(event))

    def _hides(self, event: dict[str, Any]) -> bool:
        """Put something else in the place of pseudonyms; whether there were any."""
        hid = False
        for side in ("Source", "Target"):
            ends = msgspec.json.decode(event[side]) if side in event else []
            found = [self._end(end) for end in ends]
            if found != ends:
                hid, event[side] = True, [end for end in found if set(end) - {"Anonymised"}]
        return hid

    def _end(self, end: dict[str, Any]) -> dict[str, Any]:
        """One end without pseudonyms, perhaps with the network that they stand for (IDEA0: Imprecise)."""
        found = dict(end)
        for key in ("IP4", "IP6", "Hostname", "Email", "URL"):
            left = [text for text in end.get(key, ()) if not _is_pseudonym(key, text)]
            if key not in end or len(left) == len(end[key]):
                continue
            found["Anonymised"] = True
            if self._hidden == "network" and self._networks.get(key):
                left += [net for net in self._networks[key] if net not in left]
                found["Imprecise"] = True
            found[key] = left
            if not left:
                del found[key]
        return found


def _is_pseudonym(key: str, text: str) -> bool:
    return is_pseudonym(text) if key in ("IP4", "IP6") else GONE_NAMES in text
