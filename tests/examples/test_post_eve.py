"""`examples/post_eve.py`, run as a person runs it, against a receiver that answers as Tocsin does."""

import gzip
import subprocess
import sys
from pathlib import Path

from neighbours.receiver import Drop, Receiver, Request, Status

ROOT = Path(__file__).parent.parent.parent
EVE = ROOT / "tests" / "data" / "suricata" / "eve.json"


def post_eve(receiver: Receiver, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "examples" / "post_eve.py"), "--url", f"http://127.0.0.1:{receiver.port}"]
    return subprocess.run(
        [*command, "--key", "tocsin_x", *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def says_seven(receiver: Receiver) -> Receiver:
    receiver.otherwise = Status(200, body=b'{"id":7,"action":"post","thing":"alertgroup","status":"ok"}')
    return receiver


def bodies(requests: list[Request]) -> list[dict[str, object]]:
    return [request.json for request in requests]


def test_posts_only_alerts_in_groups_of_so_many_rows(receiver: Receiver) -> None:
    done = post_eve(says_seven(receiver), "--file", str(EVE), "--rows", "3")

    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("7 alerts in 3 alertgroups, the last is 7\n")
    signatures = [[row["alert.signature_id"] for row in request.json["data"]] for request in receiver.requests]
    assert signatures == [[9000001, 9000002, 9000003], [9000004, 9000005, 9000006], [9000007]]
    assert {request.path for request in receiver.requests} == {"/api/v2/alertgroup"}
    assert {request.headers["Authorization"] for request in receiver.requests} == {"apikey tocsin_x"}


def test_flattens_objects_and_leaves_lists_and_values_alone(receiver: Receiver) -> None:
    post_eve(says_seven(receiver), "--file", str(EVE))

    rows = receiver.requests[0].json["data"]
    assert rows[0]["alert.metadata.attack_target"] == ["Any"]
    assert rows[0]["flow.pkts_toclient"] == 0
    assert rows[1]["dns.query"] == [{"type": "query", "id": 4711, "rrname": "a1b2.t.example.net", "rrtype": "TXT"}]
    assert rows[4]["http.url"] == "/cgi-bin/%2e%2e/%2e%2e/etc/passwd?x=<script>"
    assert rows[5]["http"] == {}
    assert "src_port" not in rows[2]


def test_a_second_run_says_the_same_ids_and_equal_groups_stay_two(receiver: Receiver, tmp_path: Path) -> None:
    line = EVE.read_text().splitlines()[0] + "\n"
    twice = tmp_path / "eve.json"
    twice.write_text(line * 2)
    for _ in range(2):
        post_eve(says_seven(receiver), "--file", str(twice), "--rows", "1")

    first, second, again, again_second = bodies(receiver.requests)
    assert first["data"] == second["data"]
    assert first["message_id"] != second["message_id"]
    assert [again, again_second] == [first, second]


def test_tries_again_when_told_to_wait_or_cut_off(receiver: Receiver) -> None:
    receiver.will(Status(503, {"Retry-After": "0"}), Drop())
    done = post_eve(says_seven(receiver), "--file", str(EVE))

    assert done.returncode == 0, done.stderr
    assert len(receiver.requests) == 3
    assert len({request.body for request in receiver.requests}) == 1


def test_says_why_it_was_refused(receiver: Receiver) -> None:
    receiver.otherwise = Status(401, body=b'{"error":"Authentication Required"}')
    done = post_eve(receiver, "--file", str(EVE))

    assert done.returncode == 1
    assert "refused: 401" in done.stderr
    assert "Authentication Required" in done.stderr


def test_reads_packed_files_and_steps_over_a_torn_line(receiver: Receiver, tmp_path: Path) -> None:
    packed = tmp_path / "eve.json.gz"
    with gzip.open(packed, "wt") as file:
        file.write(EVE.read_text() + '\n{"timestamp":"2026-03-02T08:')
    done = post_eve(says_seven(receiver), "--file", str(packed))

    assert done.returncode == 0
    assert "left out, not JSON" in done.stderr
    assert len(receiver.requests[0].json["data"]) == 7
