"""A mailbox as tests configure it."""

from typing import Any

from neighbours.dovecot import PASSWORD, USER, Dovecot
from tocsin.sources.imap import Imap


def mailbox(dovecot: Dovecot, **options: Any) -> Imap:
    """Alice's mailbox over TLS, looked at often; options given replace these."""
    given = {
        "host": "localhost",
        "port": dovecot.tls_port,
        "ca_file": dovecot.ca_file,
        "user": USER,
        "password": PASSWORD,
        "permitted_senders": ["*"],
        "interval_s": 0.1,
        "fetch": "unseen",
    }
    if "oauth" in options:
        del given["password"]
    return Imap.model_validate(given | options)
