"""An export that is cut off leaves the file as it was, and goes on behind its last whole portion."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from neighbours.labels import told, triaged
from neighbours.parts import T, lay, lay_many, read_json, read_tsv
from tocsin.errors import FlowsError
from tocsin.flows.dataset import Dataset
from tocsin.flows.exporting import export as exporting
from tocsin.flows.exporting.export import Exported, export_file, export_labeled, export_stream
from tocsin.flows.exporting.files import growing
from tocsin.flows.exporting.plan import Form, Profile, Wish
from tocsin.flows.labelling.prepared import Options
from tocsin.model import Detection

KILLED = """
import os, signal, sys
from pathlib import Path
from tocsin.flows.dataset import Dataset
from tocsin.flows.exporting.export import export_file
from tocsin.flows.exporting.plan import Wish

def tell(done, whole):
    if done > 300:
        os.kill(os.getpid(), signal.SIGKILL)

folder, form, to, now = sys.argv[1:]
export_file(Dataset(Path(folder), memory_mb=200, threads=1), Wish(form, portion=300), Path(to), now=int(now), tell=tell)
"""


class Stopped(Exception):
    """Somebody pressed Ctrl-C, or the machine went down."""


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """A data set of three imports of 300 flows, with room for one in a portion."""
    found = Dataset(tmp_path / "flows", memory_mb=200, threads=1)
    for number in range(3):
        lay_many(found, "conn", f"'C' || (i + {300 * number}) AS uid, {T} + i AS start", 300)
    return found


def wish(form: Form, profile: Profile = "slips") -> Wish:
    """Portions as small as the parts, as if each had half a million rows."""
    return Wish(form, profile, portion=300)


def stopping(after: int) -> exporting.Tell:
    """Stops as soon as so many rows were looked at."""

    def tell(done: int, _whole: int) -> None:
        if done >= after:
            raise Stopped

    return tell


def uids(file: Path, form: Form) -> list[str]:
    return [row["uid"] for row in (read_json(file) if form == "json" else read_tsv(file))]


EVERY = [f"C{number}" for number in range(900)]


@pytest.mark.parametrize("form", ["tsv", "json"])
def test_what_was_stopped_goes_on_and_the_old_file_stays_until_then(
    dataset: Dataset, tmp_path: Path, form: Form
) -> None:
    file = tmp_path / f"out.{form}"
    file.write_text("old")

    with pytest.raises(Stopped):
        export_file(dataset, wish(form), file, now=T, tell=stopping(601))
    between = file.read_text()
    done = export_file(dataset, wish(form), file, now=T)

    assert between == "old"
    assert done == Exported(900, before=600)
    assert uids(file, form) == EVERY
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("out")] == [file.name]


@pytest.mark.parametrize("form", ["tsv", "json"])
def test_what_was_killed_goes_on_without_a_torn_or_doubled_line(dataset: Dataset, tmp_path: Path, form: Form) -> None:
    file = tmp_path / f"out.{form}"
    file.write_text("old")
    export_file(dataset, wish(form), tmp_path / "whole", now=T)

    with pytest.raises(Stopped):  # the first portion, so that the killed one goes on as well
        export_file(dataset, wish(form), file, now=T, tell=stopping(301))
    with (tmp_path / f"out.{form}.partial" / "data").open("ab") as torn:
        torn.write(b'{"uid": "half a li')
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, dataset.folder, form, file, str(T)],
        check=False,
        timeout=60,
    )
    between = file.read_text()
    done = export_file(dataset, wish(form), file, now=T)

    assert killed.returncode == -signal.SIGKILL
    assert between == "old"
    assert done == Exported(900, before=300)
    assert file.read_bytes() == (tmp_path / "whole").read_bytes()


def test_parquet_goes_on_and_is_one_file(dataset: Dataset, tmp_path: Path) -> None:
    file = tmp_path / "out.parquet"

    with pytest.raises(Stopped):
        export_file(dataset, wish("parquet", "flat"), file, now=T, tell=stopping(300))
    done = export_file(dataset, wish("parquet", "flat"), file, now=T)

    assert done == Exported(900, before=300)
    with dataset.connection() as connection:
        found = connection.execute(f"SELECT uid, epoch_us(start) FROM '{file}'").fetchall()
    assert found == [(f"C{number}", T + number % 300) for number in range(900)]


@pytest.mark.parametrize("form", ["tsv", "json", "parquet"])
@pytest.mark.parametrize("portion", [300, 900])
def test_one_that_was_killed_at_its_very_end_is_written_again(
    dataset: Dataset, tmp_path: Path, form: Form, portion: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / f"out.{form}"
    wished = wish(form, "flat")._replace(portion=portion)

    def stop(_folder: Path) -> None:
        raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", stop)
        with pytest.raises(Stopped):
            export_file(dataset, wished, file, now=T)
    before = file.read_bytes()
    done = export_file(dataset, wished, file, now=T)

    assert (done.rows, done.anew) == (900, False)
    assert form == "parquet" or file.read_bytes() == before
    assert not file.with_name(f"{file.name}.partial").exists()


@pytest.mark.parametrize("form", ["tsv", "parquet"])
def test_only_its_owner_may_read_an_export(dataset: Dataset, tmp_path: Path, form: Form) -> None:
    export_file(dataset, wish(form), tmp_path / "out", now=T)

    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o600


def test_other_flows_or_labels_begin_anew_and_say_so(dataset: Dataset, tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    found = []
    changes: tuple[Callable[[], None], ...] = (
        lambda: lay(dataset, "conn", [{"uid": "C900"}]),
        lambda: told(dataset, triaged(1, Detection(flow_uids=("C0",)))),
    )
    for change in changes:
        with pytest.raises(Stopped):
            export_file(dataset, wish("json"), file, now=T, tell=stopping(301))
        change()
        found.append(export_file(dataset, wish("json"), file, now=T))

    assert found == [Exported(901, anew=True), Exported(901, anew=True)]
    assert [row["label"] for row in read_json(file)][:2] == ["malicious", "benign"]


def test_two_exports_do_not_write_one_file(dataset: Dataset, tmp_path: Path) -> None:
    file = tmp_path / "out.json"

    with growing(file), pytest.raises(FlowsError, match="another export writes"):
        export_file(dataset, wish("json"), file, now=T)


def test_nothing_at_all_is_a_header_or_an_empty_file(tmp_path: Path) -> None:
    dataset = Dataset(tmp_path / "flows", memory_mb=200, threads=1)

    written = export_labeled(dataset, Options(), tmp_path / "out", ("tsv", "json", "parquet"), now=T)

    assert [path.name for path in written] == ["labeled_flows.tsv", "labeled_flows.json", "labeled_flows.parquet"]
    assert written[0].read_text() == "uid\tflow\tlabel\tprofileid\ttwid\taid\tflow_type\n"
    assert written[1].read_bytes() == b""


def test_a_reader_who_goes_away_ends_it(dataset: Dataset) -> None:
    out, into = os.pipe()
    os.close(out)

    with pytest.raises(BrokenPipeError):
        export_stream(dataset, wish("json"), lambda piece: os.write(into, piece), now=T)

    os.close(into)


def test_a_full_disk_is_said_and_leaves_the_old_file(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "out.json"
    file.write_text("old")

    def full(_handle: int, _piece: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exporting, "_write", full)
    with pytest.raises(OSError, match="No space left"):
        export_file(dataset, wish("json"), file, now=T)

    assert file.read_text() == "old"
