"""Indexing: what alertgroups are found by, worked out right after they are stored.

`worker.py` follows the store, `apart.py` reads in child processes, `reading.py` says what an alertgroup is found by.
"""

from tocsin.indexing.worker import OUT_OF_LINE, Indexer, digest

__all__ = ["OUT_OF_LINE", "Indexer", "digest"]
