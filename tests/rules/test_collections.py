"""Collections' own queries: beside the routes, which they neither change nor depend on; silences hold for both."""

from collections.abc import Sequence

from tocsin.model import Alertgroup, Route, Silence
from tocsin.query import View
from tocsin.rules import Rulebook

LANES = ("siem", "slack")
MEANT = Route(name="meant", query="source:suricata", to=("taxii-meant",))
OTHER = Route(name="other", query="tag:nothing", to=("taxii-other",))
NOW = 1_795_290_092_000_000


def owed(
    routes: Sequence[Route], silences: Sequence[Silence] = (), collections: Sequence[Route] = (MEANT, OTHER)
) -> dict[str, int]:
    """By lane, the silence that holds it back."""
    view = View.fresh(Alertgroup.of_rows("Beacon", [{"n": 1}], sources=("suricata",), received=NOW))
    found = Rulebook(routes, silences, LANES, collections).decide(view, NOW)
    return {one.lane: one.held for one in found.owed}


def test_without_routes_every_destination_is_owed_it_and_the_collections_that_mean_it() -> None:
    assert owed([]) == {"siem": 0, "slack": 0, "taxii-meant": 0}


def test_a_route_neither_adds_to_a_collection_nor_keeps_from_it() -> None:
    to_all = Route(name="a", query="", to=("siem", "taxii-other"), last=True)
    assert owed([to_all]) == {"siem": 0, "taxii-meant": 0}
    assert owed([Route(name="none", query="tag:x", to=("siem",))]) == {"taxii-meant": 0}
    assert owed([to_all], collections=[]) == {"siem": 0}


def test_a_silence_holds_back_from_collections_too() -> None:
    one = Silence(id=7, name="noise", query="", to=("taxii-meant",))
    assert owed([], [one]) == {"siem": 0, "slack": 0, "taxii-meant": 7}
    assert owed([], [Silence(id=8, name="all", query="")]) == {"siem": 8, "slack": 8, "taxii-meant": 8}


def test_what_a_collection_is_owed_is_told_with_its_name() -> None:
    view = View.fresh(Alertgroup.of_rows("Beacon", [{"n": 1}], sources=("suricata",), received=NOW))
    book = Rulebook([], [], LANES, [MEANT])
    assert book.asks
    assert [(why.kind, why.name) for why in book.decide(view, NOW).why] == [("default", ""), ("collection", "meant")]
