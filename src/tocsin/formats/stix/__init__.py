"""STIX 2.1: alertgroups as objects that every STIX reader takes. Pure: no clock, no network.

`write.py` says what an alertgroup asserts and what was merely seen; `slips.py` writes the one indicator that Slips
writes; `versions.py` bundles, corrects and revokes them, `feed.py` does all of it for a delivery.
`observables.py`, `patterns.py` and `markings.py` know the parts, `values.py` their forms, `ids.py` their ids.
"""

from tocsin.formats.stix.markings import MARKINGS
from tocsin.formats.stix.objects import ENCODER, Bundle, Identity, Object, Versioned
from tocsin.formats.stix.patterns import pattern
from tocsin.formats.stix.versions import bundle, corrected, revoked
from tocsin.formats.stix.write import Own, Writer, Written, identity

__all__ = [
    "ENCODER",
    "MARKINGS",
    "Bundle",
    "Identity",
    "Object",
    "Own",
    "Versioned",
    "Writer",
    "Written",
    "bundle",
    "corrected",
    "identity",
    "pattern",
    "revoked",
]
