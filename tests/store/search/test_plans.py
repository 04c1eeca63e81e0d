"""How the engines mean to answer: with an index, not by reading whole tables."""

import re

import msgspec
import pytest

from neighbours.laid import lay, passing
from query.samples import NOW, views
from tocsin.query import parse
from tocsin.store import Store, search
from tocsin.store.alertgroup import Order
from tocsin.store.engine import Tx

INDEXED = (
    "tag:auth",
    "src:10.1.2.3",
    "src:10.0.0.0/8",
    "name:cobalt",
    "entity:203.0.113.9",
    "entity:10.0.0.0/8",
    'message_id:"<m3@example.org>"',
    "owner:alice",
    "cobalt beacon",
    "subject:phish*",
    "data.user:root",
    "detected:2026-05-03",
    "alert:{src:10.1.2.3 and dst_port:22}",
    "tag:auth or src:10.1.2.3",
    "delivery.webhook:failed",
)


TABLES = "alertgroup|alert|term|posting|moment|entity|sighting|label|message|delivery|word_index|g|a|t|p|l|m|h"
SCANNED = re.compile(rf"SCAN (?:{TABLES})(?! USING| VIRTUAL TABLE INDEX \d+:\S*M)\b|Seq Scan on (?:{TABLES})\b")


def plan(store: Store, query: str, order: Order) -> str:
    found = [msgspec.structs.replace(view, message=view.group.id) for view in views().values()]

    def answer(tx: Tx) -> str:
        lay(tx, found)
        if tx.engine == "postgres":
            # Three alertgroups are read faster than any index.
            tx.run("SET LOCAL enable_seqscan = off")
        return search.plan(tx, parse(query), order, NOW)

    return passing(store, answer)


@pytest.mark.parametrize("query", INDEXED)
def test_no_whole_table_is_read_for_what_an_index_has(store: Store, query: str) -> None:
    told = plan(store, query, Order())

    assert told
    assert SCANNED.search(told) is None, told


@pytest.mark.parametrize("column", ["id", "subject", "updated", "views"])
def test_the_pages_of_everything_are_read_along_an_index(store: Store, column: str) -> None:
    told = plan(store, "not tag:none", Order(column=column))

    assert "INDEX" in told.upper(), told
    assert "SORT" not in told.upper(), told
    assert "TEMP B-TREE" not in told.upper(), told


def test_a_whole_table_that_is_read_is_seen() -> None:
    assert SCANNED.search("SCAN g")
    assert SCANNED.search("  ->  Seq Scan on alertgroup g  (cost=0.00")
    assert not SCANNED.search("SCAN w VIRTUAL TABLE INDEX 0:M3")
    assert not SCANNED.search("SCAN g USING COVERING INDEX alertgroup_status")
