"""STIX 2.0 and 2.1 as others write it -> alertgroups. Pure: no clock, no network.

`document.py` takes a bundle or a TAXII envelope apart, `groups.py` makes alertgroups of its objects, `rows.py` a row of
each, `meaning.py` the detection of that row. `observed.py`, `pattern.py`, `marks.py` and `slips.py` know the parts.

Nothing is lost: every object is a row, or is told in the row of another that refers to it (a value that was observed, a
relationship, who said it, a marking). What is of an unknown type is a row of its properties; what is no object at all
is a row of its text.
"""

from tocsin.formats.stix_in.document import is_stix
from tocsin.formats.stix_in.groups import read

__all__ = ["is_stix", "read"]
