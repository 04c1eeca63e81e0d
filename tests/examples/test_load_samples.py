"""The sample alertgroups, and the program that posts them."""

import ipaddress
import json
import re
import subprocess
import sys
from pathlib import Path

from neighbours.receiver import Receiver, Status

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
SAMPLES = sorted((EXAMPLES / "samples").glob("*.json"))
DOCUMENTATION = [ipaddress.ip_network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]


def load(receiver: Receiver, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLES / "load_samples.py"), "--key", "tocsin_x"]
    url = f"http://127.0.0.1:{receiver.port}"
    return subprocess.run([*command, "--url", url, *arguments], capture_output=True, text=True, check=False, timeout=60)


def test_posts_every_sample_as_it_is(receiver: Receiver) -> None:
    receiver.otherwise = Status(200, body=b'{"id":7,"action":"post","thing":"alertgroup","status":"ok"}')
    done = load(receiver)

    assert len(SAMPLES) >= 12
    assert done.stdout.splitlines() == [f"{sample.name}: alertgroup 7" for sample in SAMPLES], done.stderr
    assert [request.body for request in receiver.requests] == [sample.read_bytes() for sample in SAMPLES]
    assert {request.headers["Authorization"] for request in receiver.requests} == {"apikey tocsin_x"}


def test_stops_at_the_first_refusal_and_says_why(receiver: Receiver) -> None:
    receiver.will(Status(400, body=b'{"error_msg":"subject: missing"}'))
    done = load(receiver)

    assert done.returncode == 1
    assert f"{SAMPLES[0].name}: 400" in done.stderr
    assert "subject: missing" in done.stderr
    assert len(receiver.requests) == 1


def test_samples_are_whole_and_name_only_documentation_addresses() -> None:
    for sample in SAMPLES:
        text = sample.read_text()
        group = json.loads(text)
        columns = group.get("columns")
        addresses = [ipaddress.ip_address(found) for found in re.findall(r"\b\d{1,3}(?:\.\d{1,3}){3}\b", text)]

        assert {"message_id", "subject", "source", "tag", "data"} <= group.keys(), sample.name
        assert all(columns is None or set(row) <= set(columns) for row in group["data"]), sample.name
        assert all(any(address in net for net in DOCUMENTATION) for address in addresses), sample.name
        assert not re.search(r"@(?!example\.|[\w.-]+\.example\.)[\w-]+\.\w+", text.replace("@go", "")), sample.name
