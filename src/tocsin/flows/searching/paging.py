"""A page of flows, newest or oldest first, with their labels."""

from typing import Any

from tocsin.flows.searching.asked import Asked, Order
from tocsin.flows.searching.warm import Warm
from tocsin.model import Noun


class Flow(Noun, frozen=True, kw_only=True):
    """A flow with its label. `cells` are its columns by name (`kinds`), without those that say nothing."""

    place: int
    kind: str
    cells: dict[str, Any]
    label: str
    alertgroup: int | None = None
    alert: int | None = None
    category: str | None = None


class Page(Noun, frozen=True, kw_only=True):
    """Flows in order; `after` leads to the next page, and is empty on the last."""

    flows: tuple[Flow, ...]
    after: str = ""


def search(
    warm: Warm, asked: Asked, *, limit: int = 50, after: str = "", order: Order = "newest", alertgroup: int = 0
) -> Page:
    """A page of what is asked for; with an `alertgroup`, of the flows that it names, also where it was closed as false.

    Raises Malformed for an `after` that is none, TooSlow, FlowsError, NotInstalled.
    """
    raise NotImplementedError


def flow(warm: Warm, place: int) -> Flow:
    """One flow. Raises NotFound, FlowsError, NotInstalled."""
    raise NotImplementedError
