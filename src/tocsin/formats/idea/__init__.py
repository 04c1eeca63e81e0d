"""IDEA0 (idea.cesnet.cz), both ways.

`objects.py` has the parts of an event as types, `schema.py` what is strictly valid. `write.py` writes alerts,
`relay.py` those that came as IDEA0, `slips.py` what Slips wrote besides; `categories.py` knows the words. `read.py`
reads events, `mend.py` mends what others wrote.
"""

from tocsin.formats.idea.objects import NSID
from tocsin.formats.idea.write import IdeaForm

__all__ = ["NSID", "IdeaForm", "lines"]

lines = IdeaForm().lines
"""Every alert of a group as one JSON object on a line of its own, with no options."""
