"""A stored alertgroup as a query sees it in memory."""

from neighbours.messages import NOW, posted
from tocsin import detection
from tocsin.entities import DEFAULT
from tocsin.indexing import views
from tocsin.model import Alertgroup, Severity
from tocsin.query import parse, predicate
from tocsin.store import Part, Store, alertgroup, around, entry, kinds


def stored(store: Store, **fields: object) -> int:
    rows = [{"src_ip": "10.0.0.1", "user": "root"}, {"src_ip": "192.0.2.7", "note": "see evil.example.com"}]
    group = Alertgroup.of_rows("Café beacon", rows, tags=("c2",), sources=("ids",), **fields)
    part = Part(group=group, severity=Severity.HIGH, lanes=("webhook",))
    return store.append(entry(posted(b"{}"), [part], "suricata", "1")).result(60).alertgroups[0]


def asked(store: Store, id: int, query: str) -> bool:
    found = store.read(lambda tx: views.load(tx, [id], detection.DEFAULT, DEFAULT))
    return predicate(parse(query), NOW)(found[id])


def test_everything_that_a_query_can_ask_for_is_loaded(store: Store) -> None:
    id = stored(store)
    store.write(lambda tx: alertgroup.saw(tx, id, "alice", "192.0.2.1", NOW))

    for query in (
        "cafe", "src:10.0.0.0/8", "data.user:root", "entity:evil.example.com", "entity.type:domain", "tag:c2",
        "source:ids", "severity:high", "parser:suricata", "via:here", "views:1", "viewed:*", "status:open", "rows:2",
        "delivery.webhook:due", "message:1", f"id:{id}", "not repeats:*", "seen:1", "received:*", "sender:*",
    ):  # fmt: skip
        assert asked(store, id, query), query
    for query in ("tag:other", "src:198.51.100.7", "entity.type:cve", "delivery.webhook:failed", "folded:*"):
        assert not asked(store, id, query), query


def test_every_delivery_of_a_destination_counts(store: Store) -> None:
    id = stored(store)
    store.write(lambda tx: kinds.owe(tx, [(id, "webhook", "recall", None)], NOW, NOW))
    store.write(lambda tx: tx.run("UPDATE delivery SET state = 'delivered' WHERE kind = 'alert'"))

    assert asked(store, id, "delivery.webhook:delivered")
    assert asked(store, id, "delivery.webhook:due")


def test_an_id_that_there_is_not_is_left_out(store: Store) -> None:
    id = stored(store)

    found = store.read(lambda tx: views.load(tx, [id, 99], detection.DEFAULT, DEFAULT))
    assert list(found) == [id]
    assert store.read(lambda tx: around.waiting(tx, [id, 99])) == {id}
