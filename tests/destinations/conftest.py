"""Slack, and destinations that post to it."""

from collections.abc import Iterator

import pytest

from neighbours import slack as neighbour
from neighbours.posts import Open
from neighbours.slack import Slack


@pytest.fixture
def slack() -> Iterator[Slack]:
    with neighbour.slack() as known:
        yield known


@pytest.fixture
def to(slack: Slack) -> Iterator[Open]:
    made = Open(slack)
    yield made
    for destination in made.made:
        destination.close()
