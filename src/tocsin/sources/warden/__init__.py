"""Events out of a Warden 3 server: each once, page by page, together with how far it was read.

- `options.py`  what is said of a server that is read; `source.py` is the source itself
- `keeping.py`  its life: drain, wait, fail, begin again
- `reading.py`  one pass until the server has no more; our own events are left out
- `mark.py`     how far it has read: the cursor
"""

from tocsin.sources.warden.source import Warden

__all__ = ["Warden"]
