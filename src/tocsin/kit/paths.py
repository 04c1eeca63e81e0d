"""`DataPath`: an option that names a file; a relative one stands in the data folder."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, ValidationInfo

DATA = "data"
"""The key of pydantic's validation context under which the data folder is found."""


def _placed(path: Path, info: ValidationInfo) -> Path:
    data = (info.context or {}).get(DATA)
    return path if data is None else Path(data) / path


DataPath = Annotated[Path, AfterValidator(_placed)]
"""A path, absolute or relative to the data folder; left as it is where no data folder is known."""
