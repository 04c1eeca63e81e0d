"""Files of JSON lines, followed as they grow: nothing twice, nothing missed, however they are rotated.

- `source.py`  the options, and the passes over all files
- `trail.py`   one path: which file holds what comes next, after renames, copies and truncations
- `place.py`   how far a file was read, and by what it is known again: the cursor
- `lines.py`   bytes -> portions of whole lines
"""

from tocsin.sources.follow.source import Follow

__all__ = ["Follow"]
