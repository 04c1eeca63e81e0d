"""The source itself."""

from tocsin.plugin import Desk, Source
from tocsin.sources.imap.keeping import Keeping
from tocsin.sources.imap.options import Options


class Imap(Options, Source):
    """Fetches mail from a mailbox over IMAP: by push (IDLE) where the server offers it, and by looking besides.

    A mail is stored before it is flagged or moved. How far the mailbox was read is stored with each mail.
    """

    def run(self, desk: Desk) -> None:
        """Keep the mailbox until the desk says stop."""
        Keeping(self, desk).run()
