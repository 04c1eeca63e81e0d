"""The source itself."""

from tocsin.plugin import Desk, Source
from tocsin.sources.taxii.keeping import Keeping
from tocsin.sources.taxii.options import Options


class Taxii(Options, Source):
    """Polls a collection of a TAXII 2.1 server; each page of new objects is a message, each object in it as it came.

    How far it was read is stored with each page. Objects that were read before, and those of this Tocsin, are left out.
    """

    def run(self, desk: Desk) -> None:
        """Keep up with the collection until the desk says stop."""
        Keeping(self, desk).run()
