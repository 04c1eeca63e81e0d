"""Finds a collection on a TAXII 2.1 server, by id, alias or title, in any API root."""

from urllib.parse import urljoin, urlsplit

from tocsin.errors import DeliveryError, Rejected, Unavailable
from tocsin.kit.http import redacted
from tocsin.kit.problems import nearest
from tocsin.kit.taxii.line import Line, plain
from tocsin.kit.taxii.resources import Collections, Entrance, Place, Root, To

MOST_ROOTS = 50
RIGHTS = {"read": "may not be read by us", "write": "may not be written by us"}


class Finding:
    """One look at everything a server offers."""

    def __init__(self, line: Line, url: str) -> None:
        """Look. Raises Refused, Unavailable: not even the discovery can be read."""
        self._line, self._url = line, url
        self._places: list[Place] = []
        self._faults: list[DeliveryError] = []
        self._elsewhere: list[str] = []
        for root in self._roots():
            try:
                self._look_into(root)
            except DeliveryError as fault:
                self._faults.append(fault)

    def place(self, name: str, to: To) -> Place:
        """The one collection of that name that can be used so. Raises Rejected, Unavailable."""
        named = [each for each in self._places if each.collection.answers_to(name)]
        named = [each for each in named if each.collection.id == name] or named
        open_to_us = [each for each in named if each.collection.allows(to)]
        usable = [each for each in open_to_us if each.collection.holds_stix]
        where = f"the collection {plain(name)} of {redacted(self._url)}"
        if len({each.collection.id for each in usable}) == 1:  # the same one may stand in more than one root
            return usable[0]
        if usable:
            ids = ", ".join(plain(each.collection.id) for each in usable)
            raise Rejected(f"there is more than one of {where}: give it by its id, one of {ids}")
        if open_to_us:
            types = ", ".join(plain(each) for each in open_to_us[0].collection.media_types)
            raise Rejected(f"{where} does not take STIX 2.1, but {types}")
        if named:
            raise Rejected(f"{where} {RIGHTS[to]} (can_{to} is false): ask who runs the server for the right")
        raise self._nothing(where, name)

    def _nothing(self, where: str, name: str) -> DeliveryError:
        """That there is none of that name, and what there is instead."""
        passing = [fault for fault in self._faults if isinstance(fault, Unavailable)]
        if passing:
            return Unavailable(f"{where} was not found, but {passing[0]}", passing[0].retry_after)
        if self._faults and not self._places:
            return self._faults[0]
        titles = [plain(each.collection.title or each.collection.id) for each in self._places]
        said = f"there is no such thing as {where}: {nearest(plain(name), titles)}"
        if self._elsewhere:
            said += f"; API roots of other servers were left out ({', '.join(self._elsewhere)}): give their url"
        return Rejected("; ".join([said, *map(str, self._faults)]))

    def _roots(self) -> list[str]:
        """The URLs of the API roots of this very server: the password is nobody else's."""
        found = self._line.read("the discovery", self._url, Entrance)
        if not found.api_roots and not found.default:
            return [self._url] if found.versions else []
        here, roots = urlsplit(self._url), []
        for given in filter(None, dict.fromkeys([*found.api_roots, found.default])):
            try:
                url = urljoin(self._url, given).rstrip("/") + "/"
                there = urlsplit(url)
            except ValueError:  # no URL at all
                continue
            if there.hostname != here.hostname or (there.scheme, here.scheme) == ("http", "https"):
                self._elsewhere.append(redacted(url))
            elif url not in roots:
                roots.append(url)
        return roots[:MOST_ROOTS]

    def _look_into(self, url: str) -> None:
        root = self._line.read("the API root", url, Root)
        if not root.speaks:
            raise Rejected(f"an API root of {redacted(url)} speaks only {', '.join(map(plain, root.versions))}")
        found = self._line.read("the list of collections", f"{url}collections/", Collections)
        self._places += [Place(url, each, max(0, root.max_content_length)) for each in found.collections]
