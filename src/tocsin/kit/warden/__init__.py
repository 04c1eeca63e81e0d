"""A client of Warden 3 servers: sends events of IDEA0, and reads them.

`options.py` says what has to be said of a server, `conf.py` reads the reference client's `warden.conf`, `faults.py`
knows the errors of an answer event by event, `client.py` is the server's methods.
"""

from tocsin.kit.warden.client import Info, Page, Warden
from tocsin.kit.warden.faults import Fate, Refused, TooLong, TooMany, Unclear
from tocsin.kit.warden.options import Account, WardenOptions

__all__ = ["Account", "Fate", "Info", "Page", "Refused", "TooLong", "TooMany", "Unclear", "Warden", "WardenOptions"]
