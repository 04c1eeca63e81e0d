"""alerts.log: batches behind a cursor, each line once, whatever stands in the alerts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tocsin.destinations.text_log import TextLog
from tocsin.errors import Unavailable
from tocsin.model import Alert, Alertgroup, Delivery, Detection


@pytest.fixture
def log(tmp_path: Path) -> Iterator[TextLog]:
    log = TextLog.model_validate({}, context={"data": tmp_path})
    yield log
    log.close()


def delivery(number: int, name: str = "a scan") -> Delivery:
    alert = Alert(json="{}", uid=f"a-{number}", detection=Detection(name=name))
    return Delivery(
        id=number, uid=f"d-{number}", alertgroup=Alertgroup(subject="s", alerts=(alert,), id=number, received=10**15)
    )


def ids(path: Path) -> list[str]:
    return [line.rpartition("id: ")[2] for line in path.read_text().splitlines()]


def test_the_file_stands_in_the_data_folder(log: TextLog, tmp_path: Path) -> None:
    assert log.path == tmp_path / "alerts.log"


def test_a_batch_is_written_once_over_crashes(log: TextLog) -> None:
    sent = log.send_batch([delivery(1), delivery(2)], "")
    log.send_batch([delivery(3)], sent.cursor)
    log.close()

    later = TextLog(path=log.path)
    later.send_batch([delivery(3), delivery(4)], sent.cursor)
    later.close()

    assert ids(log.path) == ["a-1", "a-2", "a-3", "a-4"]


def test_rows_without_a_detection_are_read(log: TextLog) -> None:
    alert = Alert(json='{"signature": "a rule", "src_ip": "192.0.2.7"}', uid="a-1")

    log.send(Delivery(id=1, uid="d", alertgroup=Alertgroup(subject="s", alerts=(alert,), received=10**15)))

    assert "Src IP 192.0.2.7                 . Detected a rule " in log.path.read_text()


def test_text_of_attackers_stays_on_its_line(log: TextLog) -> None:
    log.send(delivery(1, "x\n2026-01-01T00:00:00Z: Src IP 8.8.8.8 . Detected nothing\r\u2028"))
    log.send(delivery(2))

    assert ids(log.path) == ["a-1", "a-2"]


def test_a_missing_folder_is_unavailable_for_all_and_the_check_says_so_too(tmp_path: Path) -> None:
    log = TextLog(path=tmp_path / "none" / "alerts.log")

    sent = log.send_batch([delivery(1), delivery(2)], "the cursor")

    assert [type(outcome) for outcome in sent.outcomes] == [Unavailable, Unavailable]
    assert sent.cursor == "the cursor"
    with pytest.raises(Unavailable, match="its folder does not exist"):
        log.check()


def test_the_check_says_what_is_there(log: TextLog) -> None:
    assert f"{log.path} can be written: 0 bytes" in log.check()


def test_it_asks_for_large_batches_in_order() -> None:
    assert TextLog.batch >= 500
    assert TextLog.ordered


def test_the_form_of_slips_is_an_option(tmp_path: Path) -> None:
    log = TextLog(path=tmp_path / "alerts.log", form="slips")
    log.send(delivery(1))
    log.close()

    assert log.path.read_text() == ("2001-09-09T01:46:40+00:00: Src IP -                         . Detected a scan \n")
