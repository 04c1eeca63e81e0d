"""From an alert that comes in to the label of its flows, and back: on either engine of the store."""

from functools import partial
from pathlib import Path

import msgspec
import pytest

from neighbours.labels import flow, labels
from neighbours.messages import NOW
from tocsin.flows.dataset import Dataset
from tocsin.flows.labelling.detections import refresh
from tocsin.model import Alertgroup, Detection, Message, Severity, Status
from tocsin.store import Part, Store, alertgroup, detected, entry
from tocsin.store.append import append_all


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """An empty data set."""
    return Dataset(tmp_path / "flows", memory_mb=200, threads=2)


def test_labels_follow_triage(store: Store, dataset: Dataset) -> None:
    def label() -> str:
        refresh(dataset, partial(detected.changed, store))
        return labels(dataset, [flow(1, uid="C1")])[0][1]

    assert label() == "benign"
    message = Message(source="rest", body=b"x", media_type="text/plain", received=NOW, sender="k")
    group = Alertgroup.of_rows("beacon", [{"n": 1}])
    said = Detection(flow_uids=("C1",), severity=Severity.HIGH, category="C&C")
    group = msgspec.structs.replace(group, alerts=(msgspec.structs.replace(group.alerts[0], detection=said),))
    stored = store.write(
        lambda tx: append_all(tx, [entry(message, [Part(group=group, severity=None, lanes=())], "scot", "1")])
    )
    (id,) = stored[0].alertgroups
    assert label() == "malicious"
    store.write(lambda tx: alertgroup.set_status(tx, id, Status.CLOSED, "ann", NOW + 1))
    assert label() == "malicious", "closed, and not as false"
    store.write(lambda tx: alertgroup.set_labels(tx, id, "tag", ["false_positive"], "ann", NOW + 2))
    assert label() == "benign"
    store.write(lambda tx: alertgroup.set_status(tx, id, Status.OPEN, "ann", NOW + 3))
    assert label() == "malicious"
    store.write(lambda tx: alertgroup.set_labels(tx, id, "tag", [], "ann", NOW + 4))
    store.write(lambda tx: alertgroup.delete(tx, id, "ann", NOW + 5))
    assert label() == "benign"
    store.write(lambda tx: alertgroup.undelete(tx, id, "ann", NOW + 6))
    assert label() == "malicious"
