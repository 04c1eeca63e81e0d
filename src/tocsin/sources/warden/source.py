"""The source itself."""

from tocsin.plugin import Desk, Source
from tocsin.sources.warden.keeping import Keeping
from tocsin.sources.warden.options import Options


class Warden(Options, Source):
    """Fetches the events of others from a Warden 3 server; each page is a message, each event in it as it came.

    How far it was read is stored with each page, so that nothing is skipped and nothing comes twice. Events that this
    Tocsin sent, on whatever way they come back, are left out. A filter that the server does not know stops it, and is
    shown.
    """

    def run(self, desk: Desk) -> None:
        """Keep up with the server until the desk says stop."""
        Keeping(self, desk).run()
