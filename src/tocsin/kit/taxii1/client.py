"""The services of a TAXII 1.1 server, found when they are first needed."""

import uuid
from collections.abc import Iterator, Sequence
from typing import Literal
from urllib.parse import urljoin, urlsplit

from tocsin.errors import Rejected, Unavailable
from tocsin.kit.http import redacted
from tocsin.kit.taxii1 import messages
from tocsin.kit.taxii1.line import Answered, Line
from tocsin.kit.taxii1.messages import MESSAGE_BINDING, Collection, Nonsense, Part, Place, Status
from tocsin.kit.taxii1.options import Taxii1Options

LONGEST_ANSWER = 8 * 2**20
MOST_PARTS = 100_000
Kind = Literal["INBOX", "POLL"]


class Taxii1:
    """One server. What was found is remembered until the server says that it is gone."""

    def __init__(self, options: Taxii1Options, longest_answer: int = LONGEST_ANSWER) -> None:
        """`longest_answer`: bytes of one message. Raises Unavailable: a file of certificates cannot be read."""
        self._options = options
        self._line = Line(options, longest_answer)
        self._found: dict[tuple[Kind, str], Place] = {}

    def close(self) -> None:
        """Let go of the connections."""
        self._line.close()

    def services(self) -> list[Place]:
        """What the discovery service names, by absolute addresses. Raises Rejected, Unavailable."""
        url = self._options.url
        said = self._line.ask(url, messages.request("Discovery_Request", _id()), "Discovery_Response")
        return [one._replace(address=_absolute(url, one.address)) for one in messages.services(said)]

    def collections(self, services: Sequence[Place]) -> list[Collection] | None:
        """What the collection management service among these names; None where there is no such service.

        Raises Rejected, Unavailable.
        """
        for one in services:
            if one.type == "COLLECTION_MANAGEMENT" and one.available:
                url = self._trusted(one.address)
                request = messages.request("Collection_Information_Request", _id())
                said = self._line.ask(url, request, "Collection_Information_Response")
                found = messages.collections(said)
                return [
                    each._replace(
                        inboxes=tuple(_absolute(url, inbox) for inbox in each.inboxes),
                        polls=tuple(_absolute(url, poll) for poll in each.polls),
                    )
                    for each in found
                ]
        return None

    def place(self, kind: Kind, collection: str, binding: str = "") -> Place:
        """The inbox or poll service for a collection ("": whichever the service keeps), and that it takes a binding.

        Raises:
            Rejected: there is none, or it takes no such content; says what there is instead.
            Unavailable: the server cannot be asked.
        """
        known = self._found.get((kind, collection))
        if known is None:
            known = self._found[kind, collection] = self._look(kind, collection, binding)
        return known

    def push(self, message_id: str, content: bytes, binding: str, collections: Sequence[str]) -> Status:
        """Put XML content into the inbox, for these collections. What was pushed twice may stand there twice.

        Raises Rejected, Unavailable.
        """
        first = collections[0] if collections else ""
        url = self.place("INBOX", first, binding).address
        try:
            message = messages.inbox(message_id, collections, binding, content)
        except Nonsense as error:
            raise Rejected(f"the content cannot be sent: {error}") from None
        try:
            return messages.status(self._line.ask(url, message, "Status_Message"))
        except Rejected:
            self._found.clear()
            raise

    def poll(self, collection: str, begin: str = "") -> Iterator[Part]:
        """What a collection got after `begin` (exclusive, RFC 3339), part by part as the server cuts it.

        Raises Rejected, Unavailable.
        """
        url = self.place("POLL", collection).address
        message = messages.poll(_id(), collection, begin)
        for number in range(1, MOST_PARTS):
            try:
                part = messages.part(self._line.ask(url, message, "Poll_Response"))
            except Nonsense as error:
                raise Unavailable(f"{redacted(url)} answered with {error}") from None
            except Rejected:
                self._found.clear()
                raise
            if part.number != number:
                raise Unavailable(f"{redacted(url)} sent part {part.number} where part {number} was due")
            if part.more and not part.result_id:
                raise Unavailable(f"{redacted(url)} has more parts, but does not say of which result")
            yield part
            if not part.more:
                return
            message = messages.request(
                "Poll_Fulfillment",
                _id(),
                collection_name=collection,
                result_id=part.result_id,
                result_part_number=str(number + 1),
            )

    def _look(self, kind: Kind, collection: str, binding: str) -> Place:
        if not self._options.url:
            return Place(kind, self._options.service)
        services = self.services()
        try:
            listed = self.collections(services)
        except Answered:
            listed = None  # it may be closed to us; then the service itself says what it takes
        known = _of_name(collection, listed, self._where) if collection and listed is not None else None
        if known is not None:
            self._check(f'the collection "{collection}"', known.content, binding)
        if self._options.service:
            return Place(kind, self._options.service)
        speaking = [
            one
            for one in services
            if one.type == kind and one.available and (not one.messages or MESSAGE_BINDING in one.messages)
        ]
        told = (known.inboxes if kind == "INBOX" else known.polls) if known is not None else ()
        fitting = [one for one in speaking if one.address in told] if told else speaking
        if not fitting:
            what = "inbox" if kind == "INBOX" else "poll service"
            of = f' for the collection "{collection}"' if speaking else " that speaks TAXII 1.1 in XML"
            raise Rejected(f"{self._where} names no {what}{of}: check url, or give the URL of one as service")
        taking = [one for one in fitting if not binding or not one.content or binding in one.content]
        if not taking:
            self._check("its inbox", fitting[0].content, binding)
        self._trusted(taking[0].address)
        return taking[0]

    def _check(self, what: str, taken: Sequence[str], binding: str) -> None:
        """Servers drop what they do not take, and answer SUCCESS."""
        if binding and taken and binding not in taken:
            raise Rejected(f"{what} at {self._where} takes {', '.join(taken)[:300]}, not {binding}: ask for that")

    def _trusted(self, address: str) -> str:
        """An address that discovery named, if what we know of ourselves may be said there."""
        ours, theirs = urlsplit(self._options.url), urlsplit(address)
        downgraded = ours.scheme == "https" and theirs.scheme != "https"
        if theirs.scheme not in ("http", "https") or downgraded or theirs.hostname != ours.hostname:
            raise Rejected(
                f"{self._where} names a service at {redacted(address)}, elsewhere than it is itself: no password is "
                "sent there; give the URL of the service as service if that is right"
            )
        return address

    @property
    def _where(self) -> str:
        return redacted(self._options.entrance)


def _of_name(name: str, listed: Sequence[Collection], where: str) -> Collection:
    found = next((one for one in listed if one.name == name), None)
    if found is None:
        names = ", ".join(one.name for one in listed)[:300] or "none"
        raise Rejected(f'{where} has no collection "{name}" for us: choose one of {names}')
    if not found.available:
        raise Rejected(f'the collection "{name}" at {where} is not available to us: ask for that')
    return found


def _absolute(url: str, address: str) -> str:
    """An address that may be relative to where it was named; "" for none."""
    try:
        return urljoin(url, address)
    except ValueError:
        return ""


def _id() -> str:
    return str(uuid.uuid4())
