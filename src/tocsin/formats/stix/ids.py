"""Identifiers that are the same at every attempt: UUIDv5 (RFC 9562) of canonical JSON (RFC 8785)."""

import hashlib
from collections.abc import Mapping, Sequence

import msgspec

_SPECIFIED = bytes.fromhex("00abedb4aa42466c9c01fed23315a9b7")
"""STIX 2.1 section 2.9: the namespace of observables, so that everybody's `ipv4-addr` 192.0.2.7 has one id."""
_OURS = bytes.fromhex("5828f0bb3aa64767a0e6bf90eec11e10")
"""Ours, never used for anything else."""
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
    digest = bytearray(hashlib.sha1(namespace + name, usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
