"""IDMEFv2 (draft-lehmann-idmefv2), both ways: as Slips writes it, Version 2.0.3, and as draft 08 has it.

`write.py` writes alerts and alertgroups, `categories.py` knows the draft's words, `read.py` reads messages of any
version.
"""

from tocsin.formats.idmef.write import IdmefForm, Profile

__all__ = ["IdmefForm", "Profile"]
