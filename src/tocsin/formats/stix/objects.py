"""STIX 2.1 objects, as far as alerts have something to say in them. What is empty is left out."""

import msgspec

SPEC = "2.1"
Refs = tuple[str, ...]
"""Ids of other objects."""


class Object(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="", gc=False):
    """Anything with a type and an id."""

    spec_version: str
    id: str


class Observable(Object, frozen=True, kw_only=True, tag=""):
    """A cyber-observable object: a value by itself, without version or author."""

    object_marking_refs: Refs = ()


class IPv4Address(Observable, frozen=True, kw_only=True, tag="ipv4-addr"):
    """An address or a network."""

    value: str


class IPv6Address(Observable, frozen=True, kw_only=True, tag="ipv6-addr"):
    """An address or a network."""

    value: str


class DomainName(Observable, frozen=True, kw_only=True, tag="domain-name"):
    """A name, in lower case and punycode."""

    value: str


class URL(Observable, frozen=True, kw_only=True, tag="url"):
    """A URL that is a URI by RFC 3986."""

    value: str


class EmailAddress(Observable, frozen=True, kw_only=True, tag="email-addr"):
    """A mail address."""

    value: str


class MACAddress(Observable, frozen=True, kw_only=True, tag="mac-addr"):
    """Six pairs in small letters with colons."""

    value: str


class File(Observable, frozen=True, kw_only=True, tag="file"):
    """A file, by its name or by one hash."""

    hashes: dict[str, str] | None = None
    name: str = ""


class AutonomousSystem(Observable, frozen=True, kw_only=True, tag="autonomous-system"):
    """A network of networks."""

    number: int


class RegistryKey(Observable, frozen=True, kw_only=True, tag="windows-registry-key"):
    """A key of the Windows registry, its hive in full."""

    key: str


class NetworkTraffic(Observable, frozen=True, kw_only=True, tag="network-traffic"):
    """A connection between two addresses."""

    start: str = ""
    end: str = ""
    is_active: bool | None = None
    src_ref: str = ""
    dst_ref: str = ""
    src_port: int | None = None
    dst_port: int | None = None
    protocols: tuple[str, ...]


class Reference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Something outside STIX."""

    source_name: str
    url: str = ""
    external_id: str = ""


class Versioned(Object, frozen=True, kw_only=True, tag=""):
    """A domain or relationship object: whoever made it may send a later version, or revoke it."""

    created_by_ref: str = ""
    created: str
    modified: str
    revoked: bool = False
    labels: tuple[str, ...] = ()
    confidence: int | None = None
    external_references: tuple[Reference, ...] = ()
    object_marking_refs: Refs = ()


class Identity(Versioned, frozen=True, kw_only=True, tag="identity"):
    """Who says so."""

    name: str
    identity_class: str = ""


class ObservedData(Versioned, frozen=True, kw_only=True, tag="observed-data"):
    """What was seen, when and how often."""

    first_observed: str
    last_observed: str
    number_observed: int
    object_refs: Refs


class Indicator(Versioned, frozen=True, kw_only=True, tag="indicator"):
    """A pattern that finds something bad."""

    name: str = ""
    description: str = ""
    indicator_types: tuple[str, ...] = ()
    pattern: str
    pattern_type: str
    pattern_version: str
    valid_from: str


class Sighting(Versioned, frozen=True, kw_only=True, tag="sighting"):
    """That an indicator was seen, by whom, in which observed data."""

    first_seen: str
    last_seen: str
    count: int
    sighting_of_ref: str
    observed_data_refs: Refs = ()
    where_sighted_refs: Refs = ()


class Relationship(Versioned, frozen=True, kw_only=True, tag="relationship"):
    """One object's bearing on another."""

    relationship_type: str
    source_ref: str
    target_ref: str


class Grouping(Versioned, frozen=True, kw_only=True, tag="grouping"):
    """The objects of one alertgroup."""

    name: str = ""
    description: str = ""
    context: str
    object_refs: Refs


class MarkingDefinition(Object, frozen=True, kw_only=True, tag="marking-definition"):
    """How far its bearer may travel. Has no versions."""

    created: str
    name: str
    extensions: dict[str, dict[str, str]]


class Bundle(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="bundle"):
    """Objects on their way together; says nothing of its own."""

    id: str
    objects: tuple[Object, ...]


ENCODER = msgspec.json.Encoder()
