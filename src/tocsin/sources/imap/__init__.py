"""Mailboxes over IMAP (RFC 9051, RFC 3501): never loses a mail, never hides one.

- `options.py`  what is said of a mailbox; `source.py` is the source itself
- `keeping.py`  the life of one mailbox: connect, pass, wait, fail, begin again
- `reading.py`  one pass: which mails are new, fetch them, hand them over, flag or move them
- `place.py`    how far it has read: the cursor
- `line.py`     the connection: TLS, sign-in, IDLE
- `tokens.py`   access tokens of OAuth 2.0
"""

from tocsin.sources.imap.source import Imap

__all__ = ["Imap"]
