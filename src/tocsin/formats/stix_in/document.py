"""A bundle (STIX 2.1 section 8) or an envelope (TAXII 2.1 section 3.7) -> its objects, each with its own text."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from tocsin.errors import Malformed, TooLarge, Unreadable
from tocsin.formats.times import writable
from tocsin.model import Micros

MEDIA_TYPES = frozenset(
    f"application/{vendor}{format}+json" for vendor in ("", "vnd.oasis.") for format in ("stix", "taxii")
)
MOST_OBJECTS = 50_000
MOST_PROPERTIES = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BEGIN = re.compile(rb'\s{0,1000}\{\s{0,1000}"(?:type|id|spec_version|objects|more|next)"')
"""With one of these names both forms begin, as they have no others."""
_TIME = re.compile(r"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(\.\d{1,30})?(?:[Zz]|\+00:00)", re.ASCII)
_OBJECT = re.compile(rb'\[\s*\{.{0,4000}?"(?:id|type)"\s*:\s*"', re.DOTALL)


class Outer(msgspec.Struct):
    """What is around the objects."""

    type: Any = None
    id: Any = None
    objects: msgspec.Raw = msgspec.Raw()
    subject: Any = None
    data: msgspec.Raw = msgspec.Raw()


class Thing(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One object: its `text` as received, its `properties` decoded and in their own `spelling`.

    What is no object has a text alone; neither has one with more properties than anybody reads.
    """

    text: bytes
    properties: Mapping[str, Any]
    spelling: Mapping[str, msgspec.Raw]

    @property
    def type(self) -> str:
        """Its type, or ""."""
        return self.said("type")

    @property
    def id(self) -> str:
        """Its id, or ""."""
        return self.said("id")

    @property
    def revoked(self) -> bool:
        """Whether its author took it back."""
        return self.properties.get("revoked") is True

    @property
    def version(self) -> Micros:
        """When it was last changed; before everything if nobody says."""
        found = self.time("modified")
        return -1 if found is None else found

    def said(self, name: str) -> str:
        """A property that is a text, or ""."""
        value = self.properties.get(name)
        return clean(value) if isinstance(value, str) else ""

    def listed(self, name: str) -> list[str]:
        """The texts of a property that is a list of them, each once."""
        value = self.properties.get(name)
        return (
            [clean(one) for one in dict.fromkeys(each for each in value if isinstance(each, str))]
            if isinstance(value, list)
            else []
        )

    def time(self, *names: str) -> Micros | None:
        """The first of these properties that is a time."""
        found = (moment(self.properties.get(name)) for name in names)
        return next((time for time in found if time is not None), None)


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """All objects, in order, each once; and the bundle's id, which an envelope has not."""

    id: str
    things: tuple[Thing, ...]


def is_stix(media_type: str, body: bytes) -> bool:
    """Whether it says that it is STIX, or is JSON of that form. Quick for any other JSON, and never raises."""
    if media_type.partition(";")[0].strip().lower() in MEDIA_TYPES:
        return True
    if not _BEGIN.match(body):
        return False
    try:
        outer = msgspec.json.decode(body, type=Outer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    if outer.type == "bundle":
        return not outer.data
    return outer.type is None and outer.subject is None and not outer.data and bool(_OBJECT.match(outer.objects))


def document(body: bytes) -> Document:
    """The objects. Raises Malformed, TooLarge, and Unreadable when there is none."""
    try:
        outer = msgspec.json.decode(body, type=Outer)
        raws = msgspec.json.decode(outer.objects, type=list[msgspec.Raw]) if outer.objects else []
    except RecursionError:
        raise Malformed("the JSON is nested too deeply: no STIX object needs a thousand levels") from None
    except msgspec.ValidationError as error:
        raise Malformed(f"neither a STIX bundle nor a TAXII envelope: {error} (looked for a list of objects)") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"the body is not JSON: {error}") from None
    if len(raws) > MOST_OBJECTS:
        raise TooLarge(f"{len(raws):,} objects are more than {MOST_OBJECTS:,}: send them in parts")
    texts = dict.fromkeys(bytes(raw) for raw in raws)
    if not texts:
        raise Unreadable("no object: looked for `objects` of a STIX bundle or TAXII envelope")
    return Document(id=clean(outer.id) if isinstance(outer.id, str) else "", things=tuple(map(thing, texts)))


def thing(text: bytes) -> Thing:
    """One object from its text."""
    try:
        spelling = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        if len(spelling) <= MOST_PROPERTIES:
            return Thing(text=text, properties=msgspec.json.decode(text), spelling=spelling)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass  # what cannot be taken apart is kept as its text
    return Thing(text=text, properties={}, spelling={})


def moment(value: object) -> Micros | None:
    """A timestamp (section 3.16), in UTC and with any number of digits behind the second; None for anything else."""
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    try:
        whole = datetime.fromisoformat(f"{found[1]}+00:00")
    except ValueError:
        return None
    micros = (whole - _EPOCH) // timedelta(microseconds=1) + int(f"{(found[2] or '.')[1:7]:0<6}")
    return micros if writable(micros) else None


def clean(text: str) -> str:
    """Text that both engines can hold."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def objects_in(value: object) -> Iterator[Mapping[str, Any]]:
    """The objects of a list; nothing of what is none."""
    if isinstance(value, list):
        yield from (one for one in value if isinstance(one, dict))
