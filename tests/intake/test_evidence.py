"""Evidence as it comes in: which rule gathers it, what is made of enough of it, and what a rehearsal says of it."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import msgspec
import pytest

from neighbours.evidence import Milder, evidence
from neighbours.heaps import states, weights
from neighbours.indexed import found as listed
from neighbours.indexed import put_all
from tocsin import detection
from tocsin.entities import DEFAULT
from tocsin.errors import BadQuery, Malformed
from tocsin.formats import accumulated
from tocsin.indexing.regathering import Regathered, regather
from tocsin.intake import Intake
from tocsin.intake.again import Again
from tocsin.intake.deciding import Decider
from tocsin.intake.evidence import Evidence
from tocsin.intake.reparse import Difference, Reparse, Wish
from tocsin.model import TLP, Alertgroup, Message, Route, Severity, Silence
from tocsin.parsers.accumulated import Accumulated
from tocsin.parsers.scot import Scot
from tocsin.parsers.slips import Slips
from tocsin.rules.accumulate import ONE, Rule
from tocsin.sharing import Gate
from tocsin.store import Store, alertgroup, delivery, heap, message, rule
from tocsin.store.message import Selection

PARSERS = {"accumulated": Accumulated(), "slips": Slips(), "scot": Scot()}
SLIPS = Rule(name="slips", query="source:slips and not name:ALERT", threshold=3 * ONE)
Door = Callable[..., Intake]


@pytest.fixture
def door(store: Store) -> Iterator[Door]:
    """An intake with these rules and routes; the destinations are `file` and `chat`."""
    made: list[Intake] = []

    def opened(*rules: Rule, routes: Sequence[Route] = (), gate: Gate | None = None) -> Intake:
        decider = Decider(store, routes, ("file", "chat"), detection.DEFAULT, DEFAULT)
        counts_as = (gate or Gate({})).counts_as
        asked = Evidence(rules, ("file", "chat"), detection.DEFAULT, DEFAULT, decider, counts_as)
        made.append(Intake(store, PARSERS, ("file", "chat"), decider=decider, evidence=asked))
        return made[-1]

    yield opened
    for one in made:
        one.close()


def now() -> int:
    return time.time_ns() // 1000


def accept(intake: Intake, body: bytes, **fields: Any) -> tuple[int, ...]:
    told = Message(source="rest", body=body, media_type="application/json", received=now(), sender="k", **fields)
    stored = intake.accept(told)
    assert not stored.quarantined, stored.quarantined
    return stored.alertgroups


def whole(store: Store, group: int) -> Alertgroup:
    return store.read(lambda tx: alertgroup.load(tx, [group]))[group]


def owed(store: Store, group: int) -> dict[str, str]:
    return {one.lane: one.state for one in store.read(lambda tx: delivery.of_groups(tx, [group]))[group]}


def why(store: Store, group: int) -> list[tuple[str, str]]:
    return [(one.kind, one.said) for one in store.read(lambda tx: rule.why(tx, group))]


def test_enough_evidence_of_slips_becomes_one_alertgroup_owed_as_any(store: Store, door: Door) -> None:
    intake = door(SLIPS)
    ids = [group for n in range(5) for group in accept(intake, evidence(str(n)))]

    (raised,) = listed(store)
    found = whole(store, raised)
    assert found.subject == "Enough evidence against 10.0.0.5: 5 alerts from 2024-10-04 13:00 to 14:00 UTC"
    assert found.body_plain.endswith("Together they weigh 3.6, and 3 is enough.")
    assert (found.sources, found.columns) == (("slips",), whole(store, ids[0]).columns)
    assert [(one.json, one.detection) for one in found.alerts] == [
        (one.json, one.detection) for id in ids for one in whole(store, id).alerts
    ]
    assert owed(store, raised) == {"file": "due", "chat": "due"}
    assert all(owed(store, id) == {} for id in ids)
    said = "evidence against 10.0.0.5 that weighs 0.72: sent with others once they weigh 3 together"
    assert why(store, ids[0]) == [("accumulate", said)]
    assert why(store, raised) == [("accumulate", "raised: the evidence weighs 3.6, and 3 is enough")]


def test_the_message_of_what_is_raised_names_what_it_was_made_of(store: Store, door: Door) -> None:
    intake = door(SLIPS)
    bodies = [evidence(str(n)) for n in range(5)]
    for body in bodies:
        accept(intake, body)

    (raised,) = listed(store)
    number = store.read(lambda tx: alertgroup.get(tx, raised)).message
    kept = store.read(lambda tx: message.original(tx, number))
    told = msgspec.json.decode(kept)
    digests = [Message(source="", body=body, media_type="", received=0).digest for body in bodies]
    assert [piece["sha256"] for piece in told["evidence"]] == digests
    assert [(piece["alertgroup"], piece["alert"], piece["weight"]) for piece in told["evidence"]] == [
        (n, n, 0.72) for n in range(1, 6)
    ]
    assert (told["rule"], told["n"], told["begun"]) == ("slips", 1, "2024-10-04T13:00:00Z")
    again = accumulated.read(kept)
    assert (again.subject, len(again.alerts)) == (whole(store, raised).subject, 5)


def test_routes_and_silences_are_asked_of_what_is_raised_not_of_the_evidence(store: Store, door: Door) -> None:
    routes = [
        Route(name="raised", query="parser:accumulated and src:10.0.0.0/8", to=("file", "chat")),
        Route(name="evidence", query="parser:slips", to=("chat",)),
    ]
    quiet = Silence(id=0, name="quiet", query="parser:accumulated", to=("chat",), owner="ann", starts=0)
    store.write(lambda tx: rule.put_silence(tx, quiet, "ann", now()))
    intake = door(SLIPS, routes=routes)
    ids = [group for n in range(6) for group in accept(intake, evidence(str(n)))]

    (raised,) = listed(store)
    assert owed(store, raised) == {"file": "due", "chat": "silenced"}
    assert [kind for kind, _ in why(store, raised)] == ["accumulate", "route", "silence"]
    assert [kind for kind, _ in why(store, ids[-1])] == ["accumulate", "route"]
    assert store.write(lambda tx: heap.send(tx, ids[-1], "ann", now())) == ["chat"]


def test_the_first_rule_that_means_it_gathers_it(store: Store, door: Door) -> None:
    by_name = Rule(name="scans", query="name:HORIZONTAL_PORT_SCAN", threshold=ONE)
    intake = door(by_name, SLIPS)
    accept(intake, evidence("1"))
    accept(intake, evidence("2", evidence_type="ARP_SCAN"))

    rows = store.read(lambda tx: tx.rows("SELECT alertgroup, rule FROM evidence ORDER BY alertgroup"))
    assert rows == [(1, "scans"), (2, "slips")]


def test_an_alert_of_slips_with_its_evidence_is_no_evidence(store: Store, door: Door) -> None:
    alert = {
        "id": "alert", "correl_id": ["1", "2"], "profile": {"ip": "10.0.0.5"}, "threat_level": "CRITICAL",
        "accumulated_threat_level": 15.3, "timewindow": {"number": 1, "start_time": "", "end_time": ""},
    }  # fmt: skip
    body = b"\n".join([msgspec.json.encode(alert), evidence("1"), evidence("2")])
    (group,) = accept(door(SLIPS), body)

    assert (listed(store), owed(store, group)) == ([group], {"file": "due", "chat": "due"})


def test_what_cannot_be_weighed_goes_its_way_and_says_why(store: Store, door: Door) -> None:
    attacker = {"direction": "SRC", "ioc_type": "DOMAIN", "value": "not an address"}
    (group,) = accept(door(SLIPS), evidence("1", attacker=attacker))

    assert (listed(store), owed(store, group)) == ([group], {"file": "due", "chat": "due"})
    assert why(store, group)[0] == (
        "accumulate", "not gathered as evidence: nothing in it says from which address it came",
    )  # fmt: skip


def test_columns_that_nobody_told_the_meaning_of_are_weighed_too(store: Store, door: Door) -> None:
    intake = door(Rule(name="all", threshold=ONE))
    for n in range(2):
        body = {"subject": f"ids {n}", "data": [{"src_ip": "192.0.2.7", "severity": "medium"}], "source": ["ids"]}
        accept(intake, msgspec.json.encode(body))

    (raised,) = listed(store)
    assert whole(store, raised).subject.startswith("Enough evidence against 192.0.2.7: 2 alerts")
    assert store.read(lambda tx: alertgroup.get(tx, raised)).severity == Severity.MEDIUM


@pytest.mark.parametrize(
    ("marks", "held_for", "raised"),
    [
        ([("ids", ""), ("ids", "")], {}, TLP.UNSET),
        ([("ids", "green"), ("ids", "red")], {}, TLP.RED),
        ([("ids", "green"), ("ids", "")], {}, TLP.AMBER),
        ([("ids", "clear"), ("ids", "clear")], {}, TLP.CLEAR),
        ([("ids", ""), ("open", "")], {"open": TLP.CLEAR}, TLP.AMBER),
        ([("ids", ""), ("closed", "")], {"closed": TLP.RED}, TLP.UNSET),
    ],
)
def test_what_is_raised_is_guarded_as_its_most_guarded_evidence(
    store: Store, door: Door, marks: list[tuple[str, str]], held_for: dict[str, TLP], raised: TLP
) -> None:
    gate = Gate({}, by_source=held_for)
    intake = door(Rule(name="all", threshold=ONE), gate=gate)
    for source, tlp in marks:
        row = {"src_ip": "192.0.2.7", "severity": "medium"}
        body = {"subject": "ids", "data": [row], "source": [source], "tlp": tlp or None}
        accept(intake, msgspec.json.encode(body))

    found = whole(store, listed(store)[0])
    assert found.tlp is raised
    most = max((gate.counts_as(whole(store, n))[0] for n in (1, 2)), key=list(TLP).index)
    assert list(TLP).index(gate.counts_as(found)[0]) >= list(TLP).index(most)


def test_a_fault_of_the_rules_owes_it_to_everybody(store: Store, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    intake = door(SLIPS, routes=[Route(name="nobody", query="subject:never", to=())])
    decide = Decider.decide

    def failing(self: Decider, group: Alertgroup, message: Message, parser: str, *rest: Any) -> Any:
        if parser == "accumulated":
            raise RecursionError
        return decide(self, group, message, parser, *rest)

    monkeypatch.setattr(Decider, "decide", failing)
    for n in range(5):
        accept(intake, evidence(str(n)))

    assert owed(store, listed(store)[0]) == {"file": "due", "chat": "due"}


def test_raised_and_evidence_are_read_again_as_the_same(store: Store, door: Door) -> None:
    intake = door(SLIPS)
    for n in range(7):
        accept(intake, evidence(str(n)))
    before = states(store), weights(store)

    again = Again(store, intake, PARSERS)
    told = list(Reparse(store, intake, again, Wish(chosen=Selection(), dry_run=False), "ann").run())
    again.close()

    assert not [one for one in told if isinstance(one, Difference)]
    assert (states(store), weights(store)) == before


def test_evidence_read_again_by_another_parser_weighs_what_that_says(store: Store, door: Door) -> None:
    intake = door(SLIPS)
    for n in range(2):
        accept(intake, evidence(str(n)))
    again = Again(store, intake, {"slips": Milder()})
    list(Reparse(store, intake, again, Wish(chosen=Selection(), dry_run=False), "ann").run())
    again.close()

    assert [weight for weight, _ in weights(store).values() if weight] == [0.4]
    assert set(states(store).values()) == {"below"}


def test_a_rehearsal_says_what_really_happens(store: Store, door: Door) -> None:
    luck = random.Random(7)
    intake = door(SLIPS)
    for n in range(150):
        fields: dict[str, Any] = {
            "threat_level": luck.choice(["INFO", "LOW", "MEDIUM", "HIGH", "CRITICAL"]),
            "confidence": luck.choice([0, 0.1, 0.333, 0.9, 1]),
            "timestamp": f"2024/10/04 1{luck.randrange(3)}:45:30.1+0200",
        }
        if luck.random() < 0.1:
            fields["attacker"] = {"direction": "DST", "ioc_type": "IP", "value": "203.0.113.7"}
        accept(intake, evidence(str(n), luck.choice(["10.0.0.5", "10.0.0.6"]), **fields))

    told, really = _rehearsed(store, SLIPS), listed(store)
    assert told.raised == len(really) > 5
    pieces = [store.read(partial(heap.pieces, group=id, limit=1000))[0] for id in really]
    assert [(one.weight, one.pieces, one.first, one.last) for one in told.samples] == [
        (sum(piece.weight for piece in some), len(some), some[0].alertgroup, some[-1].alertgroup)
        for some in pieces[:10]
    ]
    assert (told.evidence, told.unknown, told.read) == (150, 0, 150)
    fullest = sorted((weight for weight, _ in weights(store).values()), reverse=True)
    assert [one.weight / ONE for one in told.fullest] == [one for one in fullest if one][:3]


def test_a_rehearsal_of_what_was_alerted_one_by_one_says_what_a_rule_would_have_raised(
    store: Store, door: Door
) -> None:
    intake = door()
    for n in range(6):
        accept(intake, evidence(str(n)))
    accept(intake, evidence("dark", attacker={"direction": "SRC", "ioc_type": "DOMAIN", "value": "x y"}))

    told = _rehearsed(store, SLIPS)
    assert (told.evidence, told.unknown, told.pieces, told.raised) == (6, 1, 6, 1)
    assert [(one.pieces, one.weight) for one in (*told.samples, *told.fullest)] == [(5, 3_600_000), (1, 720_000)]
    with pytest.raises(BadQuery):
        list(regather(store, Rule(name="", query="nope:"), detection.DEFAULT, 7, now()))
    with pytest.raises(Malformed):
        list(regather(store, SLIPS, detection.DEFAULT, 0, now()))


def _rehearsed(store: Store, tried: Rule) -> Regathered:
    put_all(store)
    *_, told = regather(store, tried, detection.DEFAULT, 7, now())
    return told
