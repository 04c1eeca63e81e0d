"""TAXII 1.1 messages in their XML binding: those that are sent, and those that come back.

TAXII 1.1 XML Message Binding. Entities, DTDs and the network are off, sizes are bounded.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from lxml import etree

SPACE = "http://taxii.mitre.org/messages/taxii_xml_binding-1.1"
MESSAGE_BINDING = "urn:taxii.mitre.org:message:xml:1.1"
SERVICES = "urn:taxii.mitre.org:services:1.1"
PROTOCOLS = {"http": "urn:taxii.mitre.org:protocol:http:1.0", "https": "urn:taxii.mitre.org:protocol:https:1.0"}
LONGEST_WAIT_S = 86_400
_MOST_TOLD = 300


class Nonsense(Exception):
    """What came is no TAXII 1.1 message; the text says why."""


class Place(NamedTuple):
    """Where a service is, as discovery names it. `content` are the bindings it takes, empty for any."""

    type: str
    address: str
    protocol: str = ""
    messages: tuple[str, ...] = ()
    content: tuple[str, ...] = ()
    available: bool = True


class Collection(NamedTuple):
    """A collection. `content` are the bindings it holds, empty for any; `inboxes` and `polls` addresses of services."""

    name: str
    content: tuple[str, ...] = ()
    available: bool = True
    inboxes: tuple[str, ...] = ()
    polls: tuple[str, ...] = ()


class Status(NamedTuple):
    """A Status_Message. `wait` is how long to wait before the next attempt, if it says so."""

    type: str
    message_id: str
    text: str = ""
    details: tuple[tuple[str, str], ...] = ()

    @property
    def wait(self) -> timedelta | None:
        """ESTIMATED_WAIT, in seconds."""
        for name, value in self.details:
            if name == "ESTIMATED_WAIT" and value.isascii() and value.isdecimal():
                return timedelta(seconds=min(int(value[:9]), LONGEST_WAIT_S))
        return None

    def __str__(self) -> str:
        details = "; ".join(f"{name} {value}" for name, value in self.details)
        said = " ".join(f"{self.text} {details}".split())[:_MOST_TOLD]
        return f"{self.type} ({said})" if said else self.type


class Block(NamedTuple):
    """One piece of content, as it stood in the message."""

    binding: str
    content: bytes
    timestamp: str = ""


class Part(NamedTuple):
    """One part of what a poll found. `end` is up to when it was looked, if the server says so."""

    blocks: tuple[Block, ...]
    more: bool = False
    result_id: str = ""
    number: int = 1
    end: str = ""


def request(name: str, message_id: str, **attributes: str) -> etree._Element:
    """A message without content: `Discovery_Request`, `Collection_Information_Request`, `Poll_Fulfillment`."""
    return etree.Element(_tag(name), {"message_id": message_id, **attributes}, nsmap={"taxii_11": SPACE})


def inbox(message_id: str, collections: Sequence[str], binding: str, content: bytes) -> etree._Element:
    """An Inbox_Message with one block of XML content. Raises Nonsense: the content is no XML."""
    message = request("Inbox_Message", message_id)
    for name in collections:
        _under(message, "Destination_Collection_Name").text = name
    block = _under(message, "Content_Block")
    _under(block, "Content_Binding").set("binding_id", binding)
    _under(block, "Content").append(parsed(content))
    return message


def poll(message_id: str, collection: str, begin: str) -> etree._Element:
    """A Poll_Request for all content of a collection after `begin`, or ever, answered at once."""
    message = request("Poll_Request", message_id, collection_name=collection)
    if begin:
        _under(message, "Exclusive_Begin_Timestamp").text = begin
    parameters = _under(message, "Poll_Parameters")
    parameters.set("allow_asynch", "false")
    _under(parameters, "Response_Type").text = "FULL"
    return message


def encoded(message: etree._Element) -> bytes:
    """A message as it is sent: UTF-8 without an XML declaration, which libtaxii, and so OpenTAXII, answers with 500."""
    return etree.tostring(message, encoding="UTF-8", xml_declaration=False)


def parsed(body: bytes) -> etree._Element:
    """Any XML, with everything off that reaches out of it. Raises Nonsense."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_pis=True)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise Nonsense("no well-formed XML") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise Nonsense("a document type declaration stands in it")
    return root


def answer(body: bytes) -> etree._Element:
    """A message that came. Raises Nonsense."""
    root = parsed(body)
    name = etree.QName(root)
    if name.namespace != SPACE:
        raise Nonsense(f"no TAXII 1.1 message but {name.localname[:60]!r}")
    return root


def name_of(message: etree._Element) -> str:
    """What a message is: `Status_Message`, `Poll_Response` and so on."""
    return etree.QName(message).localname


def status(message: etree._Element) -> Status:
    """What a Status_Message says."""
    details = tuple(
        ((one.get("name") or "")[:60], " ".join("".join(map(str, one.itertext())).split())[:_MOST_TOLD])
        for one in message.iterfind(f"{_tag('Status_Detail')}/{_tag('Detail')}")
    )
    said = (message.findtext(_tag("Message")) or "").strip()
    return Status(message.get("status_type") or "", message.get("message_id") or "", said, details)


def services(message: etree._Element) -> list[Place]:
    """What a Discovery_Response names."""
    return [
        Place(
            type=one.get("service_type") or "",
            address=_said(one, "Address"),
            protocol=_said(one, "Protocol_Binding"),
            messages=tuple((each.text or "").strip() for each in one.iterfind(_tag("Message_Binding"))),
            content=_bindings(one),
            available=_true(one.get("available"), missing=True),
        )
        for one in message.iterfind(_tag("Service_Instance"))
    ]


def collections(message: etree._Element) -> list[Collection]:
    """What a Collection_Information_Response names."""
    return [
        Collection(
            name=one.get("collection_name") or "",
            content=_bindings(one),
            available=_true(one.get("available"), missing=True),
            inboxes=tuple(_said(each, "Address") for each in one.iterfind(_tag("Receiving_Inbox_Service"))),
            polls=tuple(_said(each, "Address") for each in one.iterfind(_tag("Polling_Service"))),
        )
        for one in message.iterfind(_tag("Collection"))
    ]


def part(message: etree._Element) -> Part:
    """What a Poll_Response holds. Raises Nonsense: its part number is none."""
    number = message.get("result_part_number") or "1"
    if not (number.isascii() and number.isdecimal() and len(number) < 10):
        raise Nonsense("a part number that is none")
    return Part(
        blocks=tuple(_block(one) for one in message.iterfind(_tag("Content_Block"))),
        more=_true(message.get("more"), missing=False),
        result_id=message.get("result_id") or "",
        number=int(number),
        end=_said(message, "Inclusive_End_Timestamp"),
    )


def _block(block: etree._Element) -> Block:
    binding, content = block.find(_tag("Content_Binding")), block.find(_tag("Content"))
    known = (binding.get("binding_id") if binding is not None else None) or ""
    return Block(known, _content(content), _said(block, "Timestamp_Label"))


def _content(content: etree._Element | None) -> bytes:
    """The XML that stands in it, or its text."""
    if content is None:
        return b""
    inner = next(content.iterchildren(etree.Element), None)
    if inner is not None:
        return etree.tostring(inner, encoding="UTF-8", xml_declaration=False, with_tail=False)
    return (content.text or "").strip().encode()


def _bindings(holder: etree._Element) -> tuple[str, ...]:
    return tuple(one.get("binding_id") or "" for one in holder.iterfind(_tag("Content_Binding")))


def _true(text: str | None, *, missing: bool) -> bool:
    return missing if text is None else text.strip() in ("true", "1")


def _said(holder: etree._Element, name: str) -> str:
    return (holder.findtext(_tag(name)) or "").strip()


def _under(parent: etree._Element, name: str) -> etree._Element:
    return etree.SubElement(parent, _tag(name))


def _tag(name: str) -> str:
    return f"{{{SPACE}}}{name}"
