"""Which destination gets which alertgroup, and which alertgroup repeats another. Data and pure functions."""

from collections.abc import Sequence

from tocsin.model import Alertgroup


def route(alertgroup: Alertgroup, destinations: Sequence[str]) -> tuple[str, ...]:
    """The destinations that are owed the alertgroup; without routes, all of them are owed everything."""
    return tuple(destinations) if alertgroup.alerts else ()
