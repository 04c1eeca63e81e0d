"""Posts the sample alertgroups beside this file, or any files like them, to a running Tocsin.

    python examples/load_samples.py --url http://127.0.0.1:8417 --key tocsin_… [FILE …]

Each file is one request body of `POST /api/v2/alertgroup`. Their message ids are fixed, so a second run under the same
key stores nothing twice. Needs nothing but Python.
"""

import argparse
import json
import sys
import urllib.error
import urllib.request
from pathlib import Path

SAMPLES = Path(__file__).parent / "samples"


def post(url: str, key: str, body: bytes) -> int:
    """POST one alertgroup; its id.

    Raises:
        urllib.error.HTTPError: the server refused it; its body says why.
        urllib.error.URLError: there is no server at `url`.
    """
    headers = {"Authorization": f"apikey {key}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{url.rstrip('/')}/api/v2/alertgroup", data=body, headers=headers, method="POST")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return int(json.load(answer)["id"])


def main() -> None:
    """Post every file and say what became of it."""
    parser = argparse.ArgumentParser(description="Post sample alertgroups to a running Tocsin.")
    parser.add_argument("--url", required=True, help="where Tocsin listens, e.g. http://127.0.0.1:8417")
    parser.add_argument("--key", required=True, help="a key that may send: tocsin key create --role sender")
    parser.add_argument("--quiet", action="store_true", help="say nothing of what went well")
    parser.add_argument("files", nargs="*", type=Path, default=sorted(SAMPLES.glob("*.json")), help="request bodies")
    arguments = parser.parse_args()
    for file in arguments.files:
        try:
            number = post(arguments.url, arguments.key, file.read_bytes())
        except urllib.error.HTTPError as error:
            sys.exit(f"{file.name}: {error.code} {error.read().decode(errors='replace')}")
        except urllib.error.URLError as error:
            sys.exit(f"{arguments.url}: {error.reason}")
        if not arguments.quiet:
            print(f"{file.name}: alertgroup {number}")


if __name__ == "__main__":
    main()
