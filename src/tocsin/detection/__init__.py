"""The meaning of a row: one table of column names -> `Detection`.

`names.py` holds the table, `cells.py`, `times.py` and `severity.py` read single values, `read.py` puts them together.
"""

from tocsin.detection.names import DEFAULT, FIELDS, Names
from tocsin.detection.read import is_of_target, known, read, severity

__all__ = ["DEFAULT", "FIELDS", "Names", "is_of_target", "known", "read", "severity"]
