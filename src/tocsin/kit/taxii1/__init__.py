"""A client of TAXII 1.1 servers: finds their services, puts content into an inbox and polls collections.

`options.py` says what has to be said of a server, `messages.py` writes and reads its messages, `line.py` asks it and
sorts what goes wrong, `client.py` is the services themselves.
"""

from tocsin.kit.taxii1.client import Taxii1
from tocsin.kit.taxii1.messages import Block, Collection, Part, Place, Status
from tocsin.kit.taxii1.options import Taxii1Options

__all__ = ["Block", "Collection", "Part", "Place", "Status", "Taxii1", "Taxii1Options"]
