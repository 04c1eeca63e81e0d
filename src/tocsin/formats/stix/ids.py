"""Identifiers that are the same at every attempt: UUIDv5 (RFC 9562) of canonical JSON (RFC 8785)."""

import hashlib
from collections.abc import Mapping, Sequence

import msgspec

_SPECIFIED = bytes.fromhex("00abedb4aa42466c9c01fed23315a9b7")
"""STIX 2.1 section 2.9: the namespace of observables, so that everybody's `ipv4-addr` 192.0.2.7 has one id."""
_OURS = bytes.fromhex("5828f0bb3aa64767a0e6bf90eec11e10")
"""Ours, never used for anything else."""
_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))
"""RFC 9562, section 4.1: the two highest bits of that digit are 10."""
_ENCODER = msgspec.json.Encoder(order="sorted")


def specified(type: str, contributing: Mapping[str, object]) -> str:
    """The id of an observable from its id contributing properties: texts, whole numbers, lists and objects of them."""
    return f"{type}--{_uuid5(_SPECIFIED, canonical(contributing))}"


def ours(type: str, *key: str) -> str:
    """The id of an object of ours from what makes it that object."""
    return f"{type}--{_uuid5(_OURS, canonical([type, *key]))}"


def canonical(value: Mapping[str, object] | Sequence[str]) -> bytes:
    """JSON by RFC 8785, for names of ASCII letters and values without fractions."""
    return _ENCODER.encode(value)


def _uuid5(namespace: bytes, name: bytes) -> str:
    text = hashlib.sha1(namespace + name, usedforsecurity=False).hexdigest()
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:32]}"
