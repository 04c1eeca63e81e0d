"""Everything SQL: the schema, its migrations, two engines and one file per noun."""

from tocsin.store.append import Entry, Part, Stored, entry
from tocsin.store.engine import Change, Tx
from tocsin.store.store import Store, open_store

__all__ = ["Change", "Entry", "Part", "Store", "Stored", "Tx", "entry", "open_store"]
