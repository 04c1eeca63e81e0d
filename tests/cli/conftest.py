"""The command line changes its process; tests that call it in theirs leave no trace of that."""

import os
import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def unchanged_process() -> Iterator[None]:
    """Put the umask and the hook for unforeseen exceptions back."""
    hook, mask = sys.excepthook, os.umask(0o022)
    os.umask(mask)
    yield
    sys.excepthook = hook
    os.umask(mask)
