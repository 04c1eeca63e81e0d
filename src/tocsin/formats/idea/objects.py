"""The parts of an IDEA0 object as types: what stands in each key, and in which form (idea.cesnet.cz, strict schema).

The forms are those of the strict schema where it says enough, and tighter where it does not: ports, counts and numbers
of autonomous systems are integers within their range, times are of RFC 3339 with a zone and a `T`. What a pattern
cannot say (a day that exists, a range that begins before it ends) is in `schema`. Writing does not check;
`schema.check` does.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

END = r"(?![\s\S])"
"""The end of a text in every dialect of patterns; `$` also fits before a last line feed."""


def _form(pattern: str, description: str, format: str = "") -> Meta:
    extra: dict[str, Any] = {"format": format} if format else {}
    return Meta(pattern=f"^{pattern}{END}", description=description, extra_json_schema=extra)


_URI = r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*"
NSID = r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*"

Id = Annotated[str, _form("[A-Za-z0-9._-]+", "An id: letters, digits, dots, dashes and underscores.")]
Time = Annotated[
    str,
    _form(
        r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?"
        r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])",
        "A time that exists, with its zone.",
        "idea-time",
    ),
]
Duration = Annotated[
    str, _form(r"([0-9]+[Dd])?[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?", "Days, hours, minutes, seconds.")
]
Net4 = Annotated[
    str, _form("[0-9.]+(/([1-9]|[12][0-9]|3[01])|-[0-9.]+)?", "Address, network or ordered range.", "idea-net4")
]
Net6 = Annotated[
    str,
    _form(
        "[0-9A-Fa-f:.]+(/([1-9]|[1-9][0-9]|1[01][0-9]|12[0-7])|-[0-9A-Fa-f:.]+)?",
        "Address, network or ordered range.",
        "idea-net6",
    ),
]
Mac = Annotated[str, _form("[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}", "Six pairs with colons.")]
Port = Annotated[int, Meta(ge=0, le=65535)]
Asn = Annotated[int, Meta(ge=0, le=4294967295)]
Count = Annotated[int, Meta(ge=0, le=9007199254740991)]
Proto = Annotated[str, _form("(?=[0-9-]*[A-Za-z])[A-Za-z0-9]+(-[A-Za-z0-9]+)*", "A protocol by its name.")]
Category = Annotated[str, _form(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)?", "A word, or two with a dot between.")]
Tag = Annotated[str, _form("[A-Za-z0-9_-]+", "A word.")]
Uri = Annotated[str, _form(_URI, "Scheme, colon, rest.")]
Handle = Annotated[str, _form("[A-Za-z_][A-Za-z0-9_]*", "A name within this object.")]
Name = Annotated[str, _form(NSID, "Labels with dots between: lower-case letters, digits, underscores.")]
MediaType = Annotated[str, _form("[A-Za-z0-9_-]+/[A-Za-z0-9_+.-]+", "A media type without parameters.")]
Charset = Annotated[str, _form("[A-Za-z0-9.:_()-]+", "A character set.")]
Confidence = Annotated[float, Meta(ge=0, le=1)]


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="pascal", gc=False):
    """A part of an event; what is empty is left out."""


class Node(Part, frozen=True, kw_only=True):
    """Who saw or relayed the event; the newest stands first."""

    name: Name
    type: tuple[Tag, ...] = ()
    sw: tuple[str, ...] = msgspec.field(default=(), name="SW")
    aggr_win: Duration | UnsetType = UNSET
    note: str = ""


class Machine(Part, frozen=True, kw_only=True):
    """A source or target."""

    type: tuple[Tag, ...] = ()
    ip4: tuple[Net4, ...] = msgspec.field(default=(), name="IP4")
    ip6: tuple[Net6, ...] = msgspec.field(default=(), name="IP6")
    hostname: tuple[str, ...] = ()
    mac: tuple[Mac, ...] = msgspec.field(default=(), name="MAC")
    port: tuple[Port, ...] = ()
    proto: tuple[Proto, ...] = ()
    url: tuple[str, ...] = msgspec.field(default=(), name="URL")
    email: tuple[str, ...] = ()
    attach_hand: tuple[Handle, ...] = ()
    note: str = ""
    spoofed: bool | UnsetType = UNSET
    imprecise: bool | UnsetType = UNSET
    anonymised: bool | UnsetType = UNSET
    asn: tuple[Asn, ...] = msgspec.field(default=(), name="ASN")
    router: tuple[str, ...] = ()
    netname: tuple[Uri, ...] = ()
    ref: tuple[Uri, ...] = ()


class Attach(Part, frozen=True, kw_only=True):
    """Something that belongs to the event: a sample, a log, a text."""

    handle: Handle | UnsetType = UNSET
    file_name: tuple[str, ...] = ()
    type: tuple[Tag, ...] = ()
    hash: tuple[Uri, ...] = ()
    size: Count | UnsetType = UNSET
    ref: tuple[Uri, ...] = ()
    note: str = ""
    content_type: MediaType | UnsetType = UNSET
    content_charset: Charset | UnsetType = UNSET
    content_encoding: Literal["base64"] | UnsetType = UNSET
    content: str | UnsetType = UNSET
    content_id: tuple[str, ...] = msgspec.field(default=(), name="ContentID")
    external_uri: tuple[Uri, ...] = msgspec.field(default=(), name="ExternalURI")


class Event(Part, frozen=True, kw_only=True):
    """One IDEA0 object, without the other keys that it allows."""

    format: Literal["IDEA0"]
    id: Id = msgspec.field(name="ID")
    alt_names: tuple[str, ...] = ()
    correl_id: tuple[Id, ...] = msgspec.field(default=(), name="CorrelID")
    aggr_id: tuple[Id, ...] = msgspec.field(default=(), name="AggrID")
    pred_id: tuple[Id, ...] = msgspec.field(default=(), name="PredID")
    rel_id: tuple[Id, ...] = msgspec.field(default=(), name="RelID")
    create_time: Time | UnsetType = UNSET
    detect_time: Time
    event_time: Time | UnsetType = UNSET
    cease_time: Time | UnsetType = UNSET
    win_start_time: Time | UnsetType = UNSET
    win_end_time: Time | UnsetType = UNSET
    conn_count: Count | UnsetType = UNSET
    flow_count: Count | UnsetType = UNSET
    packet_count: Count | UnsetType = UNSET
    byte_count: Count | UnsetType = UNSET
    category: Annotated[tuple[Category, ...], Meta(min_length=1)]
    ref: tuple[Uri, ...] = ()
    confidence: Confidence | UnsetType = UNSET
    description: str = ""
    note: str = ""
    source: tuple[Machine, ...] = ()
    target: tuple[Machine, ...] = ()
    attach: tuple[Attach, ...] = ()
    node: tuple[Node, ...] = ()


class Extra(Part, frozen=True, kw_only=True):
    """Ours, under the one private key `_Tocsin`; `received` holds what a relayed event had in a form IDEA0 refuses."""

    alertgroup: int = 0
    alertgroup_uid: str = msgspec.field(default="", name="AlertgroupUID")
    alert_uid: str = msgspec.field(default="", name="AlertUID")
    subject: str = ""
    sources: tuple[str, ...] = ()
    category: str = ""
    severity: str = ""
    recalled: bool = False
    received: dict[str, msgspec.Raw] = {}


class Written(Event, frozen=True, kw_only=True):
    """An event as we write it, with keys that IDEA0 has no word for: Mentat's, Slips' and ours."""

    tlp: str = msgspec.field(default="", name="TLP")
    uids: tuple[str, ...] = msgspec.field(default=(), name="uids")
    accumulated_threat_level: float | UnsetType = msgspec.field(default=UNSET, name="accumulated_threat_level")
    timewindow: int | UnsetType = msgspec.field(default=UNSET, name="timewindow")
    profileid: str = msgspec.field(default="", name="profileid")
    threat_level: float | UnsetType = msgspec.field(default=UNSET, name="threat_level")
    extra: Extra | UnsetType = msgspec.field(default=UNSET, name="_Tocsin")


def is_pseudonym(address: str) -> bool:
    """Whether nobody has that address: 240.0.0.0/4 and 4000::/3, where the gate's pseudonyms live."""
    first, colon, _ = address.partition(":")
    if colon:
        return len(first) == 4 and first[0] in "45"
    return address.partition(".")[0] in _RESERVED and address != "255.255.255.255"


GONE_NAMES = "redacted.invalid"
"""Where the gate's pseudonyms of names live."""
_RESERVED = frozenset(map(str, range(240, 256)))
