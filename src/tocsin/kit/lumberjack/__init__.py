"""A client of Lumberjack v2, the protocol of Logstash's Beats input: documents go out, acknowledgements come back.

`options.py` says what has to be said of a server, `frames.py` writes and reads what goes over the line, `line.py` is
one connection, `client.py` keeps one open and says how far the server came.
"""

from tocsin.kit.lumberjack.client import Lumberjack
from tocsin.kit.lumberjack.line import Unacknowledged
from tocsin.kit.lumberjack.options import LumberjackOptions

__all__ = ["Lumberjack", "LumberjackOptions", "Unacknowledged"]
