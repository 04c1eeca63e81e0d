"""Listens for syslog, and reads no further than the store has it.

- `options.py`  what is said of the listener; `source.py` is the source itself
- `stream.py`   one connection over TCP or TLS
- `datagrams.py` what comes over UDP
"""

from tocsin.sources.syslog.source import Syslog

__all__ = ["Syslog"]
