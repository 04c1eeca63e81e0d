"""The command line changes its process; tests that call it in theirs leave no trace of that."""

import os
import sys
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from neighbours.postgres import Postgres


class Standing(NamedTuple):
    """Whether the server is `running` or `stopped`, and the url of its store."""

    state: str
    url: str


@pytest.fixture(autouse=True)
def unchanged_process() -> Iterator[None]:
    """Put the umask and the hook for unforeseen exceptions back."""
    hook, mask = sys.excepthook, os.umask(0o022)
    os.umask(mask)
    yield
    sys.excepthook = hook
    os.umask(mask)


@pytest.fixture(params=["running on sqlite", "stopped on postgres"])
def standing(request: pytest.FixtureRequest) -> Standing:
    """Commands work whether the server runs or not, on either engine: two of the four ways stand for all."""
    state, _, engine = request.param.split()
    if engine == "sqlite":
        return Standing(state, "sqlite")
    cluster: Postgres = request.getfixturevalue("postgres")
    return Standing(state, cluster.url(cluster.new_database()))
