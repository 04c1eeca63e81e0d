"""Captures go through Zeek. No Zeek is here: a small program that writes logs as Zeek does stands in for it."""

from pathlib import Path

import pytest

from neighbours.imported import SAMPLES, counts, imported, rows, some
from tocsin.errors import FlowsError
from tocsin.flows.dataset import Dataset
from tocsin.flows.importing import import_each
from tocsin.flows.reading import pcap

CAPTURE = SAMPLES / "capture.pcap"
CONN = """\
#separator \\x09
#set_separator	,
#empty_field	(empty)
#unset_field	-
#path	conn
#fields	ts	uid	id.orig_h	id.orig_p	id.resp_h	id.resp_p	proto
#types	time	string	addr	port	addr	port	enum
1700000002.000500	C1	10.0.0.1	40000	10.0.0.53	53	udp
"""
DNS = """\
{"ts":1700000002.0005,"uid":"C1","id.orig_h":"10.0.0.1","proto":"udp","query":"www.example.org","qtype_name":"A"}
"""
LOGS = f"cat >conn.log <<'END'\n{CONN}END\ncat >dns.log <<'END'\n{DNS}END\n"


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """An empty data set."""
    return Dataset(tmp_path / "flows", memory_mb=200, threads=2)


@pytest.fixture
def said(tmp_path: Path) -> Path:
    """The file where the stand-in notes how it was called."""
    return tmp_path / "said"


def zeek(monkeypatch: pytest.MonkeyPatch, said: Path, script: str) -> None:
    """Put a stand-in for Zeek where programs are looked for."""
    programs = said.with_name("programs")
    programs.mkdir()
    program = programs / "zeek"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$PWD" "$@" > "{said}"\n{script}')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")


def test_the_logs_that_zeek_makes_of_a_capture_are_one_import(
    dataset: Dataset, said: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zeek(monkeypatch, said, LOGS)
    imported(dataset, CAPTURE)
    (conn,), (dns,) = rows(dataset, "conn"), rows(dataset, "dns")
    assert some(conn, "tool", "uid", "start", "sport", "dport") == ("zeek", "C1", 1_700_000_002_000_500, 40000, 53)
    assert some(dns, "uid", "query") == ("C1", "www.example.org")
    with dataset.catalogue() as catalogue:
        (done,) = catalogue.imports()
    assert (done.path, done.form, done.rows) == (str(CAPTURE), "pcap, through zeek", 2)

    folder, *arguments = said.read_text().splitlines()
    assert arguments == ["-C", "-r", str(CAPTURE)]
    assert not Path(folder).exists(), "what Zeek wrote is gone again"


def test_a_capture_that_was_read_is_not_read_again(
    dataset: Dataset, said: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    zeek(monkeypatch, said, LOGS)
    copy = tmp_path / "copy"
    copy.write_bytes(CAPTURE.read_bytes())
    imported(dataset, CAPTURE)
    imported(dataset, copy)
    assert counts(dataset) == {"conn": 1, "dns": 1}


@pytest.mark.parametrize(
    ("script", "why"),
    [("echo 'fatal error: truncated dump file' >&2; exit 1", "truncated dump file"), ("exit 0", "wrote no logs")],
)
def test_what_zeek_cannot_read_is_an_error_that_says_why(
    dataset: Dataset, said: Path, monkeypatch: pytest.MonkeyPatch, script: str, why: str
) -> None:
    zeek(monkeypatch, said, script)
    with pytest.raises(FlowsError, match=why):
        imported(dataset, CAPTURE)
    assert counts(dataset) == {}


def test_without_zeek_the_remedy_is_said(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    read, failed = import_each(dataset, [SAMPLES / "argus.binetflow", CAPTURE])
    assert (read.said, failed.said, failed.path) == ("read", "failed", CAPTURE)
    assert "zeek.org/get-zeek" in failed.note
    with pytest.raises(FlowsError, match=r"zeek\.org/get-zeek"):
        imported(dataset, CAPTURE)


@pytest.mark.parametrize(
    ("magic", "known"),
    [
        ("d4c3b2a1", True),
        ("a1b2c3d4", True),
        ("4d3cb2a1", True),
        ("a1b23c4d", True),
        ("0a0d0d0a1c0000004d3c2b1a", True),
        ("0a0d0d0a0000001c1a2b3c4d", True),
        ("0a0d0d0a0000001c00000000", False),
        ("d4c3b2", False),
        ("", False),
    ],
)
def test_a_capture_is_known_by_its_first_bytes(magic: str, known: bool) -> None:
    assert (pcap.recognise(bytes.fromhex(magic)) is not None) == known
