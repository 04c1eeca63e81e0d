"""Real input through a real server: SCOT's documented request by real curl, and every alert of a Suricata EVE file.

What comes out, in the API, in `alerts.json` and in `alerts.log`, is compared with a reading of our own of what went in.
"""

import json
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from neighbours.missing import missing
from neighbours.server import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).parent.parent
OURS = ROOT / "tests" / "data" / "suricata" / "eve.json"
REAL = ROOT.parent / "shared" / "data" / "suricata" / "eve.json"

IDEA_CATEGORY = {
    "A Network Trojan was detected": "Malware.Trojan",
    "Attempted Information Leak": "Recon",
    "Generic Protocol Command Decode": "Anomaly.Protocol",
    "Misc Attack": "Attempt",
    "Misc activity": "Anomaly.Traffic",
    "Potentially Bad Traffic": "Anomaly.Traffic",
    "Web Application Attack": "Attempt.Exploit",
}
"""Suricata's classes in IDEA0's taxonomy, written down here once more on purpose."""

CURL = """curl -sS -X POST {url}/scot/api/v2/alertgroup -H 'Authorization: apikey {key}' -d '{{
    "message_id": "112233445566778899aabbccddeeff",
    "subject": "Detector 1 found a problem",
    "data": [
        {{"column1": "data11", "column2": "Name <bob@example.com>", "n": 1.50}},
        {{"column1": "data21", "column2": "a & b", "n": null}}
    ],
    "tag": ["tag1", "tag2"],
    "source": ["detector1"],
    "columns": ["column1", "column2", "n"]
}}'"""

LOG_LINE = re.compile(
    r"(?P<when>\S+): Src IP (?P<source>\S+) *\. Detected (?P<what>.*?)(?: Threat level: \w+\.)? "
    r"(?P<flow>\S+ -> \S+ \S+), category: (?P<category>[^,]+), alertgroup: (?P<group>\d+), id: (?P<uid>\S+)"
)

Reading = tuple[int, str, int | None, str, int | None, str, str]
"""Microseconds, source address and port, target address and port, protocols, category."""


def micros(text: str) -> int:
    moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds


def alerts_of(eve: Path) -> list[dict[str, Any]]:
    events = [json.loads(line) for line in eve.read_text().splitlines()]
    return [event for event in events if event["event_type"] == "alert"]


def dotted(value: Any, name: str = "") -> dict[str, Any]:
    if not isinstance(value, dict) or not value:
        return {name: value}
    return {
        key: cell
        for part, inner in value.items()
        for key, cell in dotted(inner, f"{name}.{part}" if name else part).items()
    }


def as_read(event: dict[str, Any], category: Callable[[str], str]) -> Reading:
    address = {side: event[f"{side}_ip"] for side in ("src", "dest")}
    short = {"2001:0db8:0bad:0000:0000:0000:0000:0017": "2001:db8:bad::17"}
    return (
        micros(event["timestamp"]),
        short.get(address["src"], address["src"]),
        event.get("src_port"),
        short.get(address["dest"], address["dest"]),
        event.get("dest_port"),
        "/".join([event["proto"].lower(), *([event["app_proto"]] if "app_proto" in event else [])]),
        category(event["alert"]["category"]),
    )


def idea_reading(line: str) -> Reading:
    event = json.loads(line)
    (source,), (target,) = event["Source"], event["Target"]
    when = event["DetectTime"]
    whole = when if "." in when else when.replace("Z", ".0Z")
    return (
        micros(whole),
        (source.get("IP4") or source["IP6"])[0],
        source.get("Port", [None])[0],
        (target.get("IP4") or target["IP6"])[0],
        target.get("Port", [None])[0],
        "/".join(target["Proto"]),
        event["Category"][0],
    )


def log_reading(line: str) -> Reading:
    found = LOG_LINE.fullmatch(line)
    assert found is not None, line
    source, _, rest = found["flow"].partition(" -> ")
    target, _, protocol = rest.partition(" ")
    when = found["when"] if "." in found["when"] else found["when"].replace("Z", ".0Z")
    return (micros(when), *end_reading(source), *end_reading(target), protocol, found["category"])


def end_reading(text: str) -> tuple[str, int | None]:
    bracketed = re.fullmatch(r"\[(.+)\]:(\d+)|([\d.]+):(\d+)|(\S+)", text)
    assert bracketed is not None, text
    address = bracketed[1] or bracketed[3] or bracketed[5]
    port = bracketed[2] or bracketed[4]
    return address, int(port) if port else None


def lines_once_there_are(count: int, file: Path, within: float = 60) -> list[str]:
    until = time.monotonic() + within
    lines: list[str] = []
    while time.monotonic() < until:
        lines = file.read_text().splitlines() if file.exists() else []
        lines = [line for line in lines if '"CorrelID"' not in line]  # those of alertgroups, behind their alerts'
        if len(lines) >= count:
            break
        time.sleep(0.05)
    assert len(lines) == count, f"{file.name}: {len(lines)} lines"
    return lines


@pytest.fixture(params=[pytest.param(OURS, id="ours"), pytest.param(REAL, id="real")])
def eve(request: pytest.FixtureRequest) -> Path:
    file: Path = request.param
    if not file.exists():
        pytest.skip(f"{file} is not here; our own sample is read all the same")
    return file


def test_every_alert_of_an_eve_file_comes_out_everywhere_as_it_went_in(server: Server, eve: Path) -> None:
    events = alerts_of(eve)
    command = [sys.executable, str(ROOT / "examples" / "post_eve.py"), "--url", server.base_url, "--file", str(eve)]
    for _ in range(2):
        done = subprocess.run([*command, "--key", server.key()], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    groups = -(-len(events) // 50)
    with server.client("viewer") as client:
        listed = client.get("/api/v2/alertgroup", params={"limit": "0", "sort": "id"}).json()
        alerts = client.get("/api/v2/alert", params={"limit": "0", "sort": "id"}).json()

    assert [group["alert_count"] for group in listed["records"]] == [50] * (groups - 1) + [
        len(events) - 50 * (groups - 1)
    ]
    assert [alert["data"] for alert in alerts["records"]] == [dotted(event) for event in events]

    idea = lines_once_there_are(len(events), server.data / "alerts.json")
    log = lines_once_there_are(len(events), server.data / "alerts.log")
    expected = [as_read(event, IDEA_CATEGORY.__getitem__) for event in events]
    assert [idea_reading(line) for line in idea] == expected
    assert [log_reading(line) for line in log] == [as_read(event, str) for event in events]
    assert max(Counter(json.loads(line)["ID"] for line in idea).values()) == 1
    assert [json.loads(line)["Description"] for line in idea] == [event["alert"]["signature"] for event in events]


def test_the_documented_curl_stores_what_it_says(server: Server, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        missing("curl", "apt-get install curl")
    script = CURL.format(url=server.base_url, key=server.key())
    answers = [
        subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, timeout=30).stdout
        for _ in range(2)
    ]
    number = json.loads(answers[0])["id"]
    with server.client("viewer") as client:
        group = client.get(f"/scot/api/v2/alertgroup/{number}").json()

    assert json.loads(answers[0]) == {"id": number, "action": "post", "thing": "alertgroup", "status": "ok"}
    assert answers[1] == answers[0]
    assert (group["subject"], group["message_id"]) == ("Detector 1 found a problem", "112233445566778899aabbccddeeff")
    assert (group["tag"], group["source"]) == (["tag1", "tag2"], ["detector1"])
    assert group["columns"] == ["column1", "column2", "n"]
    assert (group["alert_count"], group["open_count"], group["status"]) == (2, 2, "open")
    assert [alert["data"] for alert in group["alerts"]] == [
        {"column1": "data11", "column2": "Name <bob@example.com>", "n": 1.5},
        {"column1": "data21", "column2": "a & b", "n": None},
    ]
    lines_once_there_are(2, server.data / "alerts.json")
    lines_once_there_are(2, server.data / "alerts.log")


def test_curl_without_a_key_or_with_a_wrong_one_is_turned_away(server: Server) -> None:
    if shutil.which("curl") is None:
        missing("curl", "apt-get install curl")
    script = CURL.format(url=server.base_url, key="wrong").replace("curl -sS", "curl -sS -w '\\n%{http_code}'")
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, timeout=30)
    body, _, code = done.stdout.rpartition("\n")
    with server.client("viewer") as client:
        stored = client.get("/api/v2/alertgroup").json()["totalRecordCount"]

    assert code == "401"
    assert json.loads(body)["error"] == "Authentication Required"
    assert stored == 0


@pytest.mark.browser
def test_every_alert_of_an_eve_file_stands_on_the_page(server: Server, page: "Page", eve: Path) -> None:
    events = alerts_of(eve)
    command = [sys.executable, str(ROOT / "examples" / "post_eve.py"), "--url", server.base_url, "--file", str(eve)]
    subprocess.run([*command, "--key", server.key()], capture_output=True, check=True)
    page.goto(server.base_url)
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill(server.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector("#live.on")
    shown: list[list[str]] = []
    for number in range(1, -(-len(events) // 50) + 1):
        page.goto(f"{server.base_url}/alerts/{number}")
        names, *rows = page.eval_on_selector_all(
            "#rows tr", "rows => rows.map(row => [...row.cells].map(cell => cell.textContent.trim()))"
        )
        wanted = [names.index(name) for name in ("src_ip", "src_port", "dest_ip", "alert.signature", "timestamp")]
        shown += [[row[place] for place in wanted] for row in rows]

    assert shown == [
        [
            event["src_ip"],
            str(event.get("src_port", "")),
            event["dest_ip"],
            event["alert"]["signature"],
            event["timestamp"],
        ]
        for event in events
    ]
