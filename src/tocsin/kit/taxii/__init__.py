"""A client of TAXII 2.1 servers: finds a collection, reads its pages, adds to it and asks what came of that.

`options.py` says what has to be said of a server, `line.py` asks it and sorts what goes wrong, `resources.py` holds the
shapes it answers with, `client.py` is the collection itself.
"""

from tocsin.kit.taxii.client import Taxii
from tocsin.kit.taxii.line import Refused
from tocsin.kit.taxii.options import TaxiiOptions
from tocsin.kit.taxii.resources import Collection, Entry, Page, Place, StatusResource

__all__ = ["Collection", "Entry", "Page", "Place", "Refused", "StatusResource", "Taxii", "TaxiiOptions"]
