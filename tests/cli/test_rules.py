"""`tocsin rules`, with the server running and without."""

from pathlib import Path

import pytest

from neighbours.evidence import evidence
from neighbours.server import Server, running_server


def filled(server: Server) -> None:
    with server.client("sender") as sender:
        for subject in ("scan", "scan", "other"):
            group = {"subject": subject, "source": ["splunk"], "tag": [subject], "data": [{"host": "a"}]}
            assert sender.post("/api/v2/alertgroup", json=group).status_code == 200


def test_a_query_is_tried_with_the_server_and_without(data: Path, engine: str) -> None:
    with running_server(data, engine) as server:
        filled(server)
        live = server.tocsin("rules", "try", "tag:scan", "--days", "3").stdout
    alone = server.tocsin("rules", "try", "tag:scan", "--days", "3").stdout

    assert live == alone
    assert "Over the last 3 days: 2 alertgroups" in live
    assert "2 open, 0 closed, 0 promoted today; 0 folded into others" in live
    assert [line.split()[-2:] for line in live.splitlines()[-2:]] == [["open", "scan"]] * 2


@pytest.mark.parametrize("engine", ["sqlite"])
def test_folding_is_tried_with_options_as_the_configuration_has_them(data: Path, engine: str) -> None:
    with running_server(data, engine) as server:
        filled(server)
        live = server.tocsin("rules", "try", "--fold", "splunk").stdout
    wide = server.tocsin("rules", "try", "--fold", "splunk", "by=source,rows", "window_h=1").stdout
    wrong = server.tocsin("rules", "try", "--fold", "splunk", "by=colour", check=False)
    unclear = server.tocsin("rules", "try", "--fold", "splunk", "24", check=False)

    assert "3 alertgroups of the source\n  1 would have been folded into 1; 0 are folded today" in live
    assert "2 would have been folded into 1;" in wide
    assert (wrong.returncode, "by.0: must be data.NAME" in wrong.stderr) == (1, True)
    assert (unclear.returncode, "NAME=VALUE" in unclear.stderr) == (2, True)


@pytest.mark.parametrize("engine", ["sqlite"])
def test_gathering_evidence_is_tried_by_a_rule_and_with_other_options(data: Path, engine: str) -> None:
    told = '[accumulate.slips]\nquery = "parser:slips"\nthreshold = 3\n'
    with running_server(data, engine, configuration=told) as server:
        with server.client("sender") as sender:
            for n in range(6):
                assert sender.post("/api/v2/alertgroup", content=evidence(str(n))).status_code == 200
        live = server.tocsin("rules", "try", "--accumulate", "slips").stdout
    lower = server.tocsin("rules", "try", "--accumulate", "slips", "threshold=1", "weights=high:0.3").stdout
    new = server.tocsin("rules", "try", "--accumulate", "new", "query=parser:slips", "window_h=2").stdout
    wrong = server.tocsin("rules", "try", "--accumulate", "slips", "weights=grave:1", check=False)
    unknown = server.tocsin("rules", "try", "--accumulate", "other", check=False)
    both = server.tocsin("rules", "try", "--accumulate", "slips", "--fold", "slips", check=False)

    assert "6 alertgroups of evidence\n  6 alerts in it weigh something; 3 against one address" in live
    assert "1 alertgroup would have been raised" in live
    assert [line.split()[:1] + line.split()[-3:] for line in live.splitlines() if "10.0.0.5" in line] == [
        ["10.0.0.5", "3.6", "5", "1-5"],
        ["10.0.0.5", "0.72", "1", "7-7"],
    ]
    assert "1 alertgroup would have been raised" in lower
    assert "30 against one address" in new
    assert (wrong.returncode, "weights.grave" in wrong.stderr) == (1, True)
    assert (unknown.returncode, "there is no rule 'other'" in unknown.stderr) == (1, True)
    assert (both.returncode, "two things to try" in both.stderr) == (2, True)


@pytest.mark.parametrize("engine", ["sqlite"])
def test_rules_are_listed_and_a_query_that_cannot_be_read_points_at_the_place(data: Path, engine: str) -> None:
    with running_server(data, engine) as server:
        empty = server.tocsin("rules", "list").stdout
        with server.client("admin") as admin:
            route = {"name": "scans", "query": "tag:scan", "to": ["idea_log"], "every": "1h"}
            assert admin.post("/api/v2/route", json=route).status_code == 200
            silence = {"name": "quiet", "query": "tag:quiet", "reason": "tests"}
            made = admin.post("/api/v2/silence", json=silence).json()["id"]
        full = server.tocsin("rules", "list").stdout
        with server.client("admin") as admin:
            assert admin.post(f"/api/v2/silence/{made}/end").status_code == 200
        ended, over = server.tocsin("rules", "list").stdout, server.tocsin("rules", "list", "--over").stdout
    wrong = server.tocsin("rules", "try", "sorce:x", check=False)

    assert "No routes: every destination is owed everything." in empty
    assert [word in full for word in ("scans", "1h", "quiet", "standing", "tests")] == [True] * 5
    assert ("quiet" in ended, "quiet" in over) == (False, True)
    assert (wrong.returncode, "(character 1): did you mean source?" in wrong.stderr) == (1, True)
