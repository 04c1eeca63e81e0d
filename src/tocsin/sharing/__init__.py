"""The gate: what may leave for a destination, and in which form. Pure; nothing goes out that has not passed here.

`gate.py` compares the TLP with a destination's clearance; `profile.py` says what a partner is not to see, `redact.py`
takes it out of everything an alertgroup consists of, `texts.py` out of a text, `pseudonyms.py` puts keyed names in its
place.
"""

from tocsin.sharing.gate import ORDER, Gate, Withheld
from tocsin.sharing.profile import Profile
from tocsin.sharing.redact import Redaction

__all__ = ["ORDER", "Gate", "Profile", "Redaction", "Withheld"]
