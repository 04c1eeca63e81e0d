"""A client's side of Warden 3: sends what is detected here to a hub that shares it.

- `options.py`     what is said of a server; `destination.py` is the destination itself
- `dressing.py`    an alertgroup's events as this client sends them: our node first, what is hidden said so
- `load.py`        the events of many deliveries, and what came of each delivery
- `pushing.py`     sends within the server's limits
- `looking.py`     asks what the server saved where an answer was lost
- `memory.py`      what is known of deliveries that were tried before: the cursor
"""

from tocsin.destinations.warden.destination import Warden

__all__ = ["Warden"]
