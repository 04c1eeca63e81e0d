"""What alerts say of flows, kept beside the flows: brought up to date from the store, the latest of each counts."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from tocsin.detection import DEFAULT, Names
from tocsin.flows.dataset import Dataset
from tocsin.model import News, Since

FALSE = ("false_positive", "false-positive", "fp")
"""An alert closed with one of these tags, on itself or its alertgroup, was a false alarm."""


class Refreshed(NamedTuple):
    """What a refresh brought in: alertgroups that are new or changed, and rows of detections written."""

    alertgroups: int
    rows: int


def refresh(
    dataset: Dataset,
    changed: Callable[[Since], Iterable[News]],
    *,
    false: Sequence[str] = FALSE,
    names: Names = DEFAULT,
) -> Refreshed:
    """Bring the detections up to date; `changed` is `store.detected.changed` with its store."""
    raise NotImplementedError
