"""Collections of TAXII 2.1 servers: skips no object, stores none twice.

- `options.py`  what is said of a collection; `source.py` is the source itself
- `keeping.py`  its life: pass, wait, fail, begin again
- `reading.py`  one pass: page by page, each handed over with the mark that knows it
- `mark.py`     how far it has read: the cursor
"""

from tocsin.sources.taxii.source import Taxii

__all__ = ["Taxii"]
