"""Names that rotation gives to files that grow."""

import re

ROTATED = r"[._-](?:\d[\dTZ:.+_-]*|old)"
"""What rotation adds to a name, at its end or before its ending: eve.json.1, eve.json-20261122, eve-20261122.json."""


def rotated(name: str, *, packed: bool = False) -> re.Pattern[str]:
    """Names that rotation gives to a file of this name; also those that gzip gives them then, if `packed`."""
    stem, dot, ending = name.rpartition(".")
    inside = f"|{re.escape(stem)}{ROTATED}{re.escape(dot + ending)}" if stem else ""
    return re.compile(f"(?:{re.escape(name)}{ROTATED}{inside}){r'(?:[.]gz)?' if packed else ''}")
