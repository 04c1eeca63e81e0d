"""`warden.conf`: the configuration of the reference client, read as it is.

JSON with whole lines of comment that begin with `#` or `//`. Paths are relative to the file's own folder. How to write
logs, where to keep the last id and how often to try again is read and left aside: Tocsin has ways of its own.
"""

from pathlib import Path
from typing import Any

import msgspec

from tocsin.errors import Unavailable


class Conf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All keys that the reference client takes."""

    url: str = ""
    name: str = ""
    secret: str | None = None
    certfile: str | None = None
    keyfile: str | None = None
    cafile: str | None = None
    timeout: float | None = None
    get_events_limit: int | None = None
    recv_events_limit: int | None = None
    send_events_limit: int | None = None
    retry: Any = None
    pause: Any = None
    errlog: Any = None
    syslog: Any = None
    filelog: Any = None
    idstore: Any = None


def read(path: Path) -> Conf:
    """What the file says. Raises Unavailable, naming what is wrong in it: it is a person's to mend."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError as error:
        raise Unavailable(f"cannot read {path}: {error.strerror or 'no file'}") from None
    except UnicodeDecodeError:
        raise Unavailable(f"cannot read {path}: it is not UTF-8") from None
    said = "\n".join("" if line.lstrip().startswith(("#", "//")) else line for line in lines)
    try:
        return msgspec.json.decode(said, type=Conf, strict=False)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Unavailable(f"cannot read {path}: {error}") from None
