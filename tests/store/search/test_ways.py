"""Whichever way a search is walked, it finds what a look at every alertgroup finds; no plan looks at all of them."""

import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neighbours.laid import lay
from neighbours.postgres import Postgres
from tocsin.model import Alert, Alertgroup, Entity, Severity, Status
from tocsin.query import View, parse
from tocsin.store import Store, alertgroup, open_store, search
from tocsin.store.alertgroup import ORDERS, Order
from tocsin.store.engine import Tx
from tocsin.store.search import Compiler, ways

NOW = 1_777_896_000_000_000
DAY = 86_400_000_000
MANY = 1500
LEAVES = (
    "malware", "beacon", '"command control"', "malware or beacon", "nosuchword", "subject:scan", "tag:c2", "tag:rare",
    "source:splunk", "source:zeek", "status:open", "severity>=high", "src:10.0.0.0/30", "src:10.0.0.0/8",
    "src:10.0.0.1", "dst_port:443", "dst_port>=443", "name:trickbot", "entity:10.0.0.2", "entity.type:ipv4",
    "data.user:root", "received>=now-3d", "delivery:failed", "owner:bob", "views>2", "id:[5 TO 30]",
    "alert:{src:10.0.0.1 and dst_port:443}", "alert:{src:10.0.0.0/8 and not data.user:root}", "body:night", "*",
)  # fmt: skip
QUERIES = {
    "a rare word": ("supernova", "SCAN w VIRTUAL TABLE INDEX"),
    "a common word": ("malware", "SCAN w VIRTUAL TABLE INDEX"),
    "a phrase": ('"command control"', "SCAN w VIRTUAL TABLE INDEX"),
    "a source and a severity": ("source:splunk and severity>=high", "INDEX label_folded (kind=?"),
    "a tag": ("tag:c2", "INDEX label_folded (kind=?"),
    "a rare tag": ("tag:rare", "INDEX label_folded (kind=?"),
    "a narrow network": ("src:10.0.0.0/30", "SEARCH p USING PRIMARY KEY (term=?"),
    "an entity": ("entity:10.0.0.2", "SEARCH p USING PRIMARY KEY (entity=?"),
    "a cell": ("data.user:mallory", "SCAN w VIRTUAL TABLE INDEX"),
    "a time and a word": ("received>=now-3d and malware", "SCAN w VIRTUAL TABLE INDEX"),
    "what failed": ("delivery:failed", "INDEX delivery_state (state=?"),
    "one alert": ("alert:{src:10.0.0.1 and dst_port:443}", "SEARCH p USING PRIMARY KEY (term=?"),
    "either of two": ("supernova or tag:rare", "INDEX label_folded (kind=?"),
    "nothing": ("nosuchword", "SCAN w VIRTUAL TABLE INDEX"),
}


def view(number: int, chance: random.Random) -> View:
    """One of many, of all mixtures; times and subjects in another order than the ids."""
    alerts = tuple(
        Alert.of(
            {
                "src_ip": f"10.{number % 3 * 9}.0.{chance.randrange(8)}",
                "dest_port": chance.choice((53, 80, 443)),
                "signature": f"ET {chance.choice(('trickbot', 'emotet'))} {chance.choice(('beacon', 'scan'))}",
                "user": "mallory" if number % 500 == 3 else chance.choice(("root", "ada")),
            }
        )
        for _ in range(1 + number % 2)
    )
    tags = tuple(tag for tag, every in (("c2", 2), ("dns", 3), ("rare", 300)) if number % every == 0)
    group = Alertgroup(
        id=number,
        subject=f"{chance.choice(('malware', 'scan', 'command control'))} on host{number * 7 % 20}"
        + " supernova" * (number % 300 == 1),
        alerts=tuple(
            Alert(json=alert.json, id=number * 10 + at, status=alert.status) for at, alert in enumerate(alerts)
        ),
        columns=("src_ip", "dest_port", "signature", "user"),
        tags=tags,
        sources=("splunk",) if number % 5 else ("zeek",),
        status=(Status.OPEN, Status.CLOSED, Status.PROMOTED)[number * 3 % 7 % 3],
        owner="Bob" if number % 11 == 0 else "",
        body="<p>at <b>night</b></p>" if number % 13 == 0 else "",
        received=NOW - number * 31 % 60 * DAY // 6,
    )
    return View.fresh(
        group,
        severity=Severity(number % 5),
        created=group.received - number * 11 % 13,
        updated=group.received + number * 17 % 23,
        views=number % 4,
        message=number,
        via="rest",
        entities=(Entity(type="ipv4", value=f"10.0.0.{number % 8}"),),
        deliveries=(("idea_log", "failed" if number % 200 == 7 else "delivered"),),
    )


def filled(request: pytest.FixtureRequest, folder: Path, count: int) -> Iterator[Store]:
    """A store with so many."""
    if request.param == "sqlite":
        url = "sqlite"
    else:
        cluster: Postgres = request.getfixturevalue("postgres")
        url = cluster.url(cluster.new_database())
    store = open_store(url, folder)
    chance = random.Random(7)
    store.write(lambda tx: lay(tx, (view(number, chance) for number in range(1, count + 1))))
    store.write(lambda tx: tx.run("UPDATE counter SET alertgroup = :count", count=count))
    store.write(lambda tx: alertgroup.delete(tx, 12, "ada", NOW))
    store.write(lambda tx: tx.run("ANALYZE"))
    yield store
    store.close()


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def some(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Sixty alertgroups."""
    yield from filled(request, tmp_path_factory.mktemp("some"), 60)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def many(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Many more."""
    yield from filled(request, tmp_path_factory.mktemp("many"), MANY)


@pytest.fixture(params=["few", "many"])
def sizes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What counts as few: so little that lists are merged and walked, or so much that they are fetched and sorted."""
    few = request.param == "few"
    monkeypatch.setattr(ways, "_FEW", 2 if few else 2000)
    monkeypatch.setattr(ways, "_NEAR", 3 if few else 200)
    monkeypatch.setattr(ways, "_SORTED", 1 if few else 120)
    monkeypatch.setattr(ways, "_SINGLE", 2 if few else 1000)
    monkeypatch.setattr(ways, "_SOON", 1 if few else 20_000)
    return str(request.param)


def plain(tx: Tx, query: str, order: Order) -> list[int]:
    """Every alertgroup looked at, and sorted here."""
    asked = Compiler(tx.engine, NOW)
    rows = tx.rows(
        f"SELECT g.{order.column}, g.id FROM alertgroup g WHERE g.deleted IS NULL AND {asked.condition(parse(query))}",
        **asked.params,
    )
    if order.column in ("subject", "status"):
        rows = [(str(value).encode(), id) for value, id in rows]
    return [id for _, id in sorted(rows, reverse=order.descending)]


def walked(tx: Tx, query: str, order: Order, size: int) -> list[int]:
    """All pages, one after the other."""
    found: list[int] = []
    after: tuple[int | str, int] | None = None
    while page := search.page(tx, parse(query), order, size, after, NOW):
        found += [known.id for known in page]
        after = (getattr(page[-1], order.column), page[-1].id)
    return found


queries = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        inner.map(lambda one: f"not ({one})"),
        st.lists(inner, min_size=2, max_size=3).map(lambda some: " and ".join(f"({one})" for one in some)),
        st.lists(inner, min_size=2, max_size=3).map(lambda some: " or ".join(f"({one})" for one in some)),
    ),
    max_leaves=4,
)
orders = st.builds(Order, column=st.one_of(st.just("id"), st.sampled_from(ORDERS)), descending=st.booleans())


@given(queries, orders, st.integers(4, 70))
@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_way_through_all_pages_finds_what_a_look_at_each_finds(
    some: Store, sizes: str, query: str, order: Order, size: int
) -> None:
    expected = some.read(lambda tx: plain(tx, query, order))

    assert some.read(lambda tx: walked(tx, query, order, size)) == expected, (query, sizes)
    assert some.read(lambda tx: search.count_up_to(tx, parse(query), 20, NOW)) == min(20, len(expected))
    assert some.read(lambda tx: search.ids(tx, parse(query), NOW, 10, 20)) == sorted(
        id for id in expected if id > 10
    )[:20]  # fmt: skip


@pytest.mark.parametrize("name", QUERIES)
def test_a_typical_query_is_found_by_an_index_and_by_no_look_at_all(many: Store, name: str) -> None:
    query, index = QUERIES[name]

    def planned(tx: Tx) -> str:
        if tx.engine == "postgres":
            # So few are read as a whole just as quickly; it is asked what it would do if there were more.
            tx.run("SET LOCAL enable_seqscan = off")
        return search.plan(tx, parse(query), Order(), NOW)

    plan = many.read(planned)
    if many.engine == "sqlite":
        assert index in plan, plan
        assert re.findall(r"^SCAN (?!d\b|f\b|n\b|first\b|last\b|\()\w+$", plan, re.MULTILINE) == [], plan
    else:
        assert "Seq Scan" not in plan, plan


@pytest.mark.parametrize("column", [column for column in ORDERS if column != "id"])
def test_an_order_is_walked_by_its_index_when_much_is_found(many: Store, column: str) -> None:
    plan = many.read(lambda tx: search.plan(tx, parse("severity>=info"), Order(column=column), NOW))

    assert f"alertgroup_{'rows' if column == 'alert_count' else column}" in plan
    assert "USE TEMP B-TREE FOR ORDER BY" not in plan


@pytest.mark.parametrize("many", ["sqlite"], indirect=True)  # PostgreSQL weighs by itself
def test_two_common_conditions_are_merged_without_sorting(many: Store) -> None:
    plan = many.read(lambda tx: search.plan(tx, parse("tag:c2 and malware and not beacon"), Order(), NOW))

    assert "MERGE (INTERSECT)" in plan
    assert "MERGE (EXCEPT)" in plan
    assert "TEMP B-TREE" not in plan
