"""Labels against the ground truth, from labelled logs on."""

import json
from functools import partial
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from neighbours.imported import imported
from neighbours.labels import told, triaged
from neighbours.messages import NOW
from tocsin.cli.group import tocsin
from tocsin.flows.dataset import Dataset
from tocsin.flows.labelling.prepared import Options
from tocsin.flows.labelling.score import Found, Named, score
from tocsin.model import Alertgroup, Detection, Message
from tocsin.store import Part, entry, open_store
from tocsin.store.append import append_all

FIELDS = ["ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "label", "detailedlabel"]
TYPES = ["time", "string", "addr", "port", "addr", "port", "enum", "string", "string"]
LABELS = [
    ("Malicious", "C&C-HeartBeat"), ("Malicious", "C&C-HeartBeat"), ("Malicious", "PartOfAHorizontalPortScan"),
    ("Malicious", "-"), ("Benign", "-"), ("flow=Background-UDP", "-"), ("flow=From-Botnet-V42-TCP", "-"),
    ("From-Normal-V42", "-"), ("-", "-"), ("DDoS", "-"),
]  # fmt: skip


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a small labelled conn.log in its data set, with uids from C0 on."""
    log = tmp_path / "conn.log.labeled"
    lines = [
        f"{1700000000 + n}.5\tC{n}\t10.0.0.1\t1000\t10.0.0.2\t80\ttcp\t{a}\t{b}" for n, (a, b) in enumerate(LABELS)
    ]
    head = ["#separator \\x09", "#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-", "#path\tconn"]
    head += ["\t".join(["#fields", *FIELDS]), "\t".join(["#types", *TYPES])]
    log.write_text("\n".join([*head, *lines, ""]))
    data = tmp_path / "data"
    data.mkdir()
    imported(Dataset.of(data), log)
    return data


def test_the_score_counts_what_alerts_found_and_what_they_did_not(data: Path) -> None:
    dataset = Dataset.of(data)
    told(
        dataset,
        triaged(1, Detection(flow_uids=("C0", "C4"), category="beacon"), Detection(flow_uids=("C2", "C8", "C9"))),
    )
    found = score(dataset, Options())
    assert (found.true_positive, found.false_positive, found.false_negative, found.true_negative) == (2, 1, 3, 2)
    assert (found.unlabelled, found.left_out) == (1, {"DDoS": 1})
    assert found.truths == (
        Found("C&C-HeartBeat", 2, 1),
        Found("Malicious", 1, 0),
        Found("PartOfAHorizontalPortScan", 1, 1),
        Found("flow=From-Botnet-V42-TCP", 1, 0),
    )
    assert found.categories == (Named("beacon", 2, 1), Named("", 1, 1))
    assert found.precision == pytest.approx(2 / 3)
    assert found.recall == pytest.approx(2 / 5)
    assert found.f1 == pytest.approx(1 / 2)
    assert found.accuracy == pytest.approx(1 / 2)


def test_an_expression_of_ones_own_says_what_is_malicious_and_all_else_is_benign(data: Path) -> None:
    dataset = Dataset.of(data)
    told(dataset, triaged(1, Detection(flow_uids=("C9",))))
    found = score(dataset, Options(malicious="x"), malicious="DDoS|PortScan")
    assert (found.true_positive, found.false_negative, found.scored, found.left_out) == (1, 1, 9, {})


def test_a_score_of_nothing_has_no_ratios(tmp_path: Path) -> None:
    found = score(Dataset.of(tmp_path), Options())
    assert (found.scored, found.precision, found.recall, found.f1, found.accuracy) == (0, None, None, None, None)


def _said(data: Path, *arguments: str) -> str:
    result = CliRunner().invoke(tocsin, ["flows", "score", "--data", str(data), *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_the_command_scores_what_the_store_says_now(data: Path) -> None:
    store = open_store("sqlite", data)
    group = Alertgroup.of_rows("beacon", [{"n": 1}])
    said = Detection(flow_uids=("C0", "C4"), category="beacon")
    group = msgspec.structs.replace(group, alerts=(msgspec.structs.replace(group.alerts[0], detection=said),))
    message = Message(source="rest", body=b"x", media_type="text/plain", received=NOW, sender="k")
    part = Part(group=group, severity=None, lanes=())
    store.write(partial(append_all, entries=[entry(message, [part], "scot", "1")]))
    store.close()
    answer = json.loads(_said(data, "--format", "json"))
    assert answer["confusion"] == {"malicious": {"malicious": 1, "benign": 4}, "benign": {"malicious": 1, "benign": 2}}
    assert answer["categories"] == [{"category": "beacon", "flows": 2, "right": 1}]
    text = _said(data)
    for words in ("precision", "50.00%", "PartOfAHorizontalPortScan", "Not counted: 1 flow without", "DDoS"):
        assert words in text


def test_the_command_says_what_it_cannot_do(data: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(tocsin, ["flows", "score", "--data", str(data), "--truth-malicious", "("])
    assert (result.exit_code, "not a regular expression" in result.output) == (2, True)
    (tmp_path / "other").mkdir()
    result = CliRunner().invoke(tocsin, ["flows", "score", "--data", str(tmp_path / "other")])
    assert "no flow has a ground truth" in str(result.exception)
