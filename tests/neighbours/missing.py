"""What to do when a neighbour is not installed: skip and say why, but never in continuous integration."""

import os
from typing import NoReturn

import pytest


def missing(what: str, remedy: str) -> NoReturn:
    """Skip this test because `what` is not here; where CI=true a skipped proof is a failure."""
    reason = f"{what} is not installed: {remedy}"
    if os.environ.get("CI", "").lower() in {"true", "1"}:
        pytest.fail(f"{reason} (nothing is skipped in CI)", pytrace=False)
    pytest.skip(reason)
