"""Reading again: out of quarantine, and a new reading that keeps the old one and the triage."""

import msgspec
import pytest

from neighbours.messages import NOW, an_entry
from tocsin.errors import Malformed
from tocsin.model import Alertgroup, Severity, Status
from tocsin.store import Part, Store, again, alert, alertgroup, delivery, message, tally


def quarantined(store: Store) -> int:
    entry = msgspec.structs.replace(an_entry("?"), parts=(), reason="not understood")
    return store.append(entry).result(60).message


def a_part(rows: int = 2) -> Part:
    group = Alertgroup.of_rows("now understood", [{"n": n} for n in range(rows)], tags=("t",))
    return Part(group=group, severity=Severity.LOW, lanes=("one",))


def test_a_message_leaves_quarantine_and_is_owed(store: Store) -> None:
    number = quarantined(store)
    groups = store.write(lambda tx: again.release(tx, number, [a_part()], "generic", "2", "ann", NOW))

    kept = store.read(lambda tx: message.get(tx, number))
    assert (kept.state, kept.parser, kept.parser_version, kept.reason) == ("stored", "generic", "2", "")
    assert store.read(lambda tx: message.groups_of(tx, number)) == list(groups)
    assert [owed.lane for owed in store.read(lambda tx: delivery.of_groups(tx, groups))[groups[0]]] == ["one"]
    (day,) = store.read(tally.totals)
    assert (day.stored, day.quarantined) == (1, 0)
    assert store.read(alertgroup.totals)["open"] == 1
    (line,) = store.read(lambda tx: again.past(tx, number))
    assert line.who == "ann"
    with pytest.raises(Malformed, match="is stored, not quarantined"):
        store.write(lambda tx: again.release(tx, number, [a_part()], "generic", "2", "ann", NOW))


def test_reading_in_vain_keeps_it_there_with_the_new_reason(store: Store) -> None:
    number = quarantined(store)
    store.write(lambda tx: again.stays(tx, number, "splunk", "3", "no table", "ann", NOW))

    assert [each.reason for each in store.read(lambda tx: message.quarantined(tx, 5))] == ["no table"]


def test_a_discarded_message_can_be_put_back(store: Store) -> None:
    number = quarantined(store)
    store.write(lambda tx: again.discard(tx, number, "spam", "ann", NOW))
    assert store.read(message.quarantine_depth) == 0
    store.write(lambda tx: again.undiscard(tx, number, "bob", NOW))

    assert store.read(message.quarantine_depth) == 1
    assert [line.what for line in store.read(lambda tx: again.past(tx, number))] == [
        "discarded: spam",
        "put back into quarantine",
    ]


@pytest.mark.parametrize("rows", [1, 2, 4])
def test_a_new_reading_keeps_ids_and_triage_in_the_order_of_rows(store: Store, rows: int) -> None:
    group = store.append(an_entry("old subject", rows=2)).result(60).alertgroups[0]
    before = store.read(lambda tx: alert.of_group(tx, group))
    store.write(lambda tx: alertgroup.set_alerts(tx, group, [before[0].id], Status.CLOSED, "ann", NOW))
    new = Alertgroup.of_rows("new subject", [{"m": n} for n in range(rows)])
    store.write(lambda tx: again.replace(tx, group, new, Severity.HIGH, "splunk", "4", "ann", NOW))

    after = store.read(lambda tx: alert.of_group(tx, group))
    assert [each.json for each in after] == [f'{{"m":{n}}}' for n in range(rows)]
    assert [each.id for each in after][:2] == [each.id for each in before][:rows]
    assert [each.status.value for each in after] == ["closed", "open", "open", "open"][:rows]
    found = store.read(lambda tx: alertgroup.get(tx, group))
    assert (found.subject, found.columns, found.severity, found.alert_count) == ("new subject", ["m"], 3, rows)
    (was,) = store.read(lambda tx: again.older(tx, group))
    assert (was.subject, was.columns, [bytes(row) for row in was.rows]) == (
        "old subject",
        ["n"],
        [b'{"n":0}', b'{"n":1}'],
    )
    assert store.read(lambda tx: delivery.of_groups(tx, [group])).get(group, []) == []
