"""alerts.json: batches behind a cursor, each event once, wherever the data folder is."""

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from pydantic import ValidationError

from tocsin.destinations.idea_log import IdeaLog
from tocsin.errors import Unavailable
from tocsin.model import Alert, Alertgroup, Delivery, Detection, Endpoint, Receipt

MEANT = Detection(name="a scan", category="odd", sources=(Endpoint(addresses=("192.0.2.7",)),))


def delivery(number: int, rows: int = 2) -> Delivery:
    alerts = tuple(Alert(json="{}", uid=f"a-{number}-{row}", detection=MEANT) for row in range(rows))
    group = Alertgroup(subject=f"s{number}", alerts=alerts, id=number, uid=f"g-{number}", received=10**15)
    return Delivery(id=number, uid=f"d-{number}", alertgroup=group)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[IdeaLog]:
    log = IdeaLog.model_validate({}, context={"data": tmp_path})
    yield log
    log.close()


def again(log: IdeaLog) -> IdeaLog:
    """The same destination in a new process."""
    log.close()
    return IdeaLog(path=log.path)


def uids(path: Path) -> list[str]:
    """The ids of the alerts and alertgroups, in the order of the lines."""
    return [json.loads(line)["ID"] for line in path.read_text().splitlines()]


def test_the_file_stands_in_the_data_folder(tmp_path: Path) -> None:
    assert IdeaLog.model_validate({}, context={"data": tmp_path}).path == tmp_path / "alerts.json"
    assert IdeaLog.model_validate({"path": "/var/x"}, context={"data": tmp_path}).path == Path("/var/x")


def test_a_batch_is_written_once_over_crashes(log: IdeaLog) -> None:
    sent = log.send_batch([delivery(1), delivery(2, rows=0)], "")
    log = again(log)
    log.send_batch([delivery(3)], sent.cursor)
    log = again(log)

    log.send_batch([delivery(3), delivery(4)], sent.cursor)
    log.close()

    assert uids(log.path) == ["a-1-0", "a-1-1", "g-1", "a-3-0", "a-3-1", "g-3", "a-4-0", "a-4-1", "g-4"]


def test_each_delivery_of_a_batch_has_a_receipt_that_says_where_it_stands(log: IdeaLog) -> None:
    sent = log.send_batch([delivery(1), delivery(2)], "")

    first, second = sent.outcomes
    half = log.path.stat().st_size // 2
    assert first == Receipt(remote_id=f"{log.path.name}:0", status="written")
    assert second == Receipt(remote_id=f"{log.path.name}:{half}", status="written")


def test_single_sends_follow_one_another(log: IdeaLog) -> None:
    for number in (1, 2, 3):
        assert log.send(delivery(number, rows=1)).status == "written"

    assert uids(log.path) == ["a-1-0", "a-2-0", "a-3-0"]


def test_a_folder_in_the_way_is_unavailable_and_the_check_says_so_too(log: IdeaLog) -> None:
    log.path.mkdir()

    (outcome,) = log.send_batch([delivery(1)], "").outcomes
    assert isinstance(outcome, Unavailable)
    for act in (log.check, lambda: log.send(delivery(1))):
        with pytest.raises(Unavailable, match="it is a folder"):
            act()


def test_the_check_says_what_is_there(log: IdeaLog) -> None:
    assert f"{log.path} can be written: 0 bytes" in log.check()


def test_rows_without_a_detection_are_read(log: IdeaLog) -> None:
    alert = Alert(json='{"signature": "a rule", "src_ip": "192.0.2.7"}', uid="a-1")

    log.send(Delivery(id=1, uid="d", alertgroup=Alertgroup(subject="s", alerts=(alert,), received=10**15)))

    event = json.loads(log.path.read_text())
    assert (event["Description"], event["Source"]) == ("a rule", [{"IP4": ["192.0.2.7"]}])


def test_alerts_without_a_known_meaning_are_lines_too(log: IdeaLog) -> None:
    group = Alertgroup(subject="only a subject", alerts=(Alert(json="{}", uid="a-1"),), received=10**15)

    log.send(Delivery(id=1, uid="d", alertgroup=group))

    assert "only a subject" in log.path.read_text()


def test_node_and_categories_of_the_configuration_stand_in_the_events(tmp_path: Path) -> None:
    log = IdeaLog(path=tmp_path / "a", node="org.example.hub", categories={"odd": ["Attempt.Login"]})
    log.send(delivery(1, rows=1))
    log.close()

    event = json.loads(log.path.read_text())
    assert event["Node"][0]["Name"] == "org.example.hub"
    assert event["Category"] == ["Attempt.Login"]


@pytest.mark.parametrize("options", [{"node": "No-Name"}, {"categories": {"odd": ["Alert"]}}, {"nodes": "x"}])
def test_wrong_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        IdeaLog.model_validate(options)


def test_an_alertgroups_own_line_can_be_left_out(tmp_path: Path) -> None:
    log = IdeaLog(path=tmp_path / "a", alertgroups=False)
    log.send(delivery(1))
    log.close()

    assert uids(log.path) == ["a-1-0", "a-1-1"]


def test_the_profile_slips_writes_its_fields_besides(tmp_path: Path) -> None:
    log = IdeaLog(path=tmp_path / "a", profile="slips")
    meant = Detection(
        name="HORIZONTAL_PORT_SCAN",
        category="HORIZONTAL_PORT_SCAN",
        description="a scan",
        sources=(Endpoint(addresses=("192.0.2.7",)),),
    )
    rows = [{"timewindow": 3, "accumulated_threat_level": 7.5}, {"timewindow": 3, "accumulated_threat_level": 15.3}]
    alerts = tuple(msgspec.structs.replace(Alert.of(row, meant), uid=f"a-{number}") for number, row in enumerate(rows))
    log.send(Delivery(id=1, uid="d", alertgroup=Alertgroup(subject="s", alerts=alerts, uid="g", received=10**15)))
    log.close()

    first, _, together = [json.loads(line) for line in log.path.read_text().splitlines()]
    assert (first["timewindow"], first["accumulated_threat_level"], first["ConnCount"]) == (3, 7.5, 1)
    assert first["Attach"] == [{"ContentType": "text/plain", "Content": "a scan"}]
    assert first["Source"] == [{"IP4": ["192.0.2.7"], "Type": ["Recon"]}]
    assert (together["profileid"], together["threat_level"], together["timewindow"]) == ("profile_192.0.2.7", 15.3, 3)
    assert together["Attach"][0]["Content"].endswith(
        "Generated an alert given enough evidence on timewindow 3. (real time 2001/09/09 01:46:40.000000+0000)"
    )
    assert (together["Format"], together["Category"]) == ("IDEA0", ["Recon.Scanning"])


def test_a_recall_is_a_line_that_names_those_of_the_alertgroup(log: IdeaLog) -> None:
    first = delivery(1)
    recall = Delivery(id=2, uid="d-2", alertgroup=first.alertgroup, kind="recall", owed=10**15, reason="a mistake")

    log.send_batch([first, recall], "")

    event = json.loads(log.path.read_text().splitlines()[-1])
    assert "recall" in IdeaLog.kinds
    assert (event["PredID"], event["Confidence"], event["Note"]) == (["a-1-0", "a-1-1", "g-1"], 0, "a mistake")


def test_it_asks_for_large_batches_in_order() -> None:
    assert IdeaLog.batch >= 500
    assert IdeaLog.ordered
