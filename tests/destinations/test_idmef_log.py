"""idmef.json: batches behind a cursor, each message once."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tocsin.destinations.idmef_log import IdmefLog
from tocsin.errors import Unavailable
from tocsin.model import Alert, Alertgroup, Delivery, Detection


@pytest.fixture
def log(tmp_path: Path) -> Iterator[IdmefLog]:
    log = IdmefLog.model_validate({}, context={"data": tmp_path})
    yield log
    log.close()


def delivery(number: int, rows: int = 1) -> Delivery:
    alerts = tuple(
        Alert(json="{}", uid=f"11111111-1111-4111-8111-{number:08}{row:04}", detection=Detection(name="x"))
        for row in range(rows)
    )
    group = Alertgroup(
        subject="s", alerts=alerts, uid=f"22222222-2222-4222-8222-{number:012}", id=number, received=10**15
    )
    return Delivery(id=number, uid=f"d-{number}", alertgroup=group)


def ids(path: Path) -> list[str]:
    return [json.loads(line)["ID"][-12:] for line in path.read_text().splitlines()]


def test_the_file_stands_in_the_data_folder(log: IdmefLog, tmp_path: Path) -> None:
    assert log.path == tmp_path / "idmef.json"


def test_a_batch_is_written_once_over_crashes_with_an_incident_behind_its_events(log: IdmefLog) -> None:
    sent = log.send_batch([delivery(1), delivery(2, rows=2)], "")
    log.send_batch([delivery(3)], sent.cursor)
    log.close()

    later = IdmefLog(path=log.path)
    later.send_batch([delivery(3), delivery(4)], sent.cursor)
    later.close()

    expected = ["000000010000", "000000020000", "000000020001", "000000000002", "000000030000", "000000040000"]
    assert ids(log.path) == expected


def test_the_profile_of_slips_and_no_incidents_are_options(tmp_path: Path) -> None:
    log = IdmefLog(path=tmp_path / "a", profile="slips", incidents=False, analyzer="hub")
    assert log.send(delivery(1, rows=2)).status == "written"
    log.close()

    first, second = map(json.loads, log.path.read_text().splitlines())
    assert first["Version"] == second["Version"] == "2.0.3"
    assert first["Analyzer"]["Name"] == "hub"


def test_a_recall_is_a_line_of_its_own(log: IdmefLog) -> None:
    group = delivery(1).alertgroup
    log.send(Delivery(id=2, uid="d", alertgroup=group, kind="recall", owed=10**15))

    (event,) = map(json.loads, log.path.read_text().splitlines())
    assert "recall" in IdmefLog.kinds
    assert event["PredID"] == [group.alerts[0].uid]


def test_a_missing_folder_is_unavailable_and_the_check_says_so_too(tmp_path: Path) -> None:
    log = IdmefLog(path=tmp_path / "none" / "idmef.json")

    for act in (log.check, lambda: log.send(delivery(1))):
        with pytest.raises(Unavailable, match="its folder does not exist"):
            act()
    assert IdmefLog.ordered
