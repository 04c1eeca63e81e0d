"""STIX 1.2 with CybOX 2.1: alertgroups as packages, and packages as alertgroups. Pure: no clock, no network.

`feed.py` says what a delivery is, `write.py` writes it, `cybox.py` its values, `names.py` knows namespaces and ids;
`read.py` and `objects.py` go the other way.
"""

from tocsin.formats.stix1.feed import Feed
from tocsin.formats.stix1.names import namespace
from tocsin.formats.stix1.read import alertgroup, identifier, is_package

__all__ = ["Feed", "alertgroup", "identifier", "is_package", "namespace"]
