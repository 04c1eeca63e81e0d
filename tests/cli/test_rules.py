"""`tocsin rules`, with the server running and without."""

from pathlib import Path

import pytest

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
