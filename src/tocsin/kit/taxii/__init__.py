"""A client of TAXII 2.1 servers: finds a collection, reads its pages, adds to it and asks what came of that.

`options.py` says what has to be said of a server, `line.py` asks it and sorts what goes wrong, `finding.py` finds the
collection, `client.py` is the collection, `resources.py` and `times.py` are the shapes of what is said.
"""

from tocsin.kit.taxii.client import Taxii, envelope
from tocsin.kit.taxii.line import Refused, Unclear, explained, plain
from tocsin.kit.taxii.options import TaxiiOptions
from tocsin.kit.taxii.resources import Collection, Entry, Page, Place, StatusResource
from tocsin.kit.taxii.times import instant, just_before, version

__all__ = [
    "Collection",
    "Entry",
    "Page",
    "Place",
    "Refused",
    "StatusResource",
    "Taxii",
    "TaxiiOptions",
    "Unclear",
    "envelope",
    "explained",
    "instant",
    "just_before",
    "plain",
    "version",
]
