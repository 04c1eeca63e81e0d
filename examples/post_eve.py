"""Posts the alert events of a Suricata EVE file to Tocsin, as alertgroups of fifty rows.

    python examples/post_eve.py --url http://127.0.0.1:8417 --key tocsin_… --file /var/log/suricata/eve.json

Each event becomes one row; nested objects become dotted columns (`alert.signature_id`), lists and values stay as they
are. A group's message id is made from its rows and their place in the file, so running it again over the same file
stores nothing twice, and two equal events stay two. Needs nothing but Python.
"""

import argparse
import gzip
import hashlib
import http.client
import itertools
import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any


def alert_events(file: Path) -> Iterator[dict[str, Any]]:
    """The events of type `alert`, in order. A line that is not JSON is said on standard error and left out."""
    with gzip.open(file, "rt", encoding="utf-8") if file.suffix == ".gz" else file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                event = json.loads(line)
            except ValueError as error:
                print(f"{file}:{number}: left out, not JSON: {error}", file=sys.stderr)
                continue
            if isinstance(event, dict) and event.get("event_type") == "alert":
                yield event


def flat(event: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """One level of dotted names. An empty object stays, as it says something too."""
    row: dict[str, Any] = {}
    for name, value in event.items():
        if isinstance(value, dict) and value:
            row |= flat(value, f"{prefix}{name}.")
        else:
            row[f"{prefix}{name}"] = value
    return row


def alertgroups(events: Iterable[dict[str, Any]], rows: int, name: str) -> Iterator[dict[str, Any]]:
    """Request bodies of at most `rows` rows each."""
    remaining = iter(events)
    for start in itertools.count(0, rows):
        chunk = [flat(event) for event in itertools.islice(remaining, rows)]
        if not chunk:
            return
        digest = hashlib.sha256(json.dumps([start, chunk], sort_keys=True).encode()).hexdigest()[:32]
        first = chunk[0].get("alert.signature") or "alerts"
        more = f" and {len(chunk) - 1} more" if len(chunk) > 1 else ""
        yield {
            "message_id": f"eve-{digest}",
            "subject": f"Suricata {name}: {first}{more}",
            "source": ["suricata"],
            "tag": ["ids"],
            "data": chunk,
        }


def post(url: str, key: str, body: dict[str, Any], tries: int = 8) -> int:
    """POST one alertgroup; its id. A 429, a 503 or no answer is tried again: the message id makes that safe.

    Raises:
        OSError, http.client.HTTPException: refused for good, or still no answer at the last try.
    """
    headers = {"Authorization": f"apikey {key}", "Content-Type": "application/json"}
    where = f"{url.rstrip('/')}/api/v2/alertgroup"
    request = urllib.request.Request(where, data=json.dumps(body).encode(), headers=headers, method="POST")
    for attempt in itertools.count(1):
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return int(json.load(answer)["id"])
        except urllib.error.HTTPError as error:
            if error.code not in {429, 503} or attempt == tries:
                raise
            time.sleep(float(error.headers.get("Retry-After") or 1))
        except (OSError, http.client.HTTPException):
            if attempt == tries:
                raise
            time.sleep(min(2**attempt / 4, 10))
    raise AssertionError("the loop above returns or raises")


def main() -> None:
    """Read, post, show how far."""
    parser = argparse.ArgumentParser(description="Post the alert events of a Suricata EVE file to Tocsin.")
    parser.add_argument("--url", default="http://127.0.0.1:8417", help="where Tocsin listens (%(default)s)")
    parser.add_argument("--key", required=True, help="a key that may send: tocsin key create --role sender")
    parser.add_argument("--file", required=True, type=Path, help="eve.json, or eve.json.gz")
    parser.add_argument("--rows", type=int, default=50, help="rows an alertgroup (%(default)s)")
    arguments = parser.parse_args()
    sent = groups = 0
    try:
        for body in alertgroups(alert_events(arguments.file), arguments.rows, arguments.file.name):
            number = post(arguments.url, arguments.key, body)
            sent += len(body["data"])
            groups += 1
            print(f"\r{sent} alerts in {groups} alertgroups, the last is {number}", end="", flush=True)
    except urllib.error.HTTPError as error:
        sys.exit(f"\nrefused: {error.code} {error.read().decode(errors='replace')}")
    except (OSError, http.client.HTTPException) as error:
        sys.exit(f"\n{error}")
    print("" if sent else "no alert events in that file")


if __name__ == "__main__":
    main()
