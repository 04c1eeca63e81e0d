"""What `make run` does: starts Tocsin and, the very first time, shows a newcomer around.

It stands outside and uses what anybody can use: the command `tocsin`, and HTTP. The server itself prints the name and
the first password; here follow a dozen sample alertgroups with some flows, a key for senders and a curl line to paste.
"""

import argparse
import json
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOCSIN = str(Path(sys.executable).with_name("tocsin"))
SHOWN = "first-run-done"
"""The file in the data folder that says: the samples are loaded and the key was shown."""

FIRST_ALERT = (
    '{"message_id":"my-first","subject":"Detector 1 found a problem","tag":["first"],"source":["detector1"],'
    '"columns":["src","dst","user"],"data":[{"src":"192.0.2.7","dst":"198.51.100.9","user":"Bob <bob@example.com>"}]}'
)


def main() -> int:
    """Run the server until it ends or somebody presses Ctrl-C; its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    url = f"http://127.0.0.1:{arguments.port}"
    serve = [TOCSIN, "serve", "--data", str(arguments.data), "--host", "127.0.0.1", "--port", str(arguments.port)]
    # A session of its own: Ctrl-C reaches us alone, and the server is told once, politely.
    server = subprocess.Popen(serve, stdin=subprocess.DEVNULL, start_new_session=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if wait_until_ready(server, arguments.data, url):
            show_around(arguments.data, url)
        return server.wait()
    except KeyboardInterrupt:
        print("\nstopping …", flush=True)
        return stop(server)
    except subprocess.CalledProcessError as error:
        print(
            f"the first steps failed: {' '.join(map(str, error.cmd[:3]))} ended with {error.returncode}",
            file=sys.stderr,
        )
        stop(server)
        return 1


def wait_until_ready(server: "subprocess.Popen[bytes]", data: Path, url: str) -> bool:
    """Wait for our server, not another on the same port, to say at /readyz that it is; False when it ended before."""
    while server.poll() is None:
        try:
            if json.loads((data / "control.json").read_text())["pid"] == server.pid:
                with urllib.request.urlopen(f"{url}/readyz", timeout=5):
                    return True
        except (OSError, ValueError):
            pass  # no answer yet, or a file just being written
        time.sleep(0.1)
    return False


def show_around(data: Path, url: str) -> None:
    """Print where Tocsin is; the first time also load the samples and hand out a key."""
    if (data / SHOWN).exists():
        print(f"\nTocsin runs at {url} with its data in {data}. Ctrl-C stops it.\n", flush=True)
        return
    key = sender_key(data)
    load = [sys.executable, str(ROOT / "examples" / "load_samples.py"), "--quiet", "--url", url, "--key", key]
    subprocess.run(load, check=True)
    flows = ROOT / "examples" / "flows"
    read = [TOCSIN, "flows", "import", str(flows), "--data", str(data)]
    subprocess.run(read, check=True, stdout=subprocess.DEVNULL)
    lines = sum(len(log.read_text().splitlines()) for log in flows.glob("*.log"))
    samples = len(list((ROOT / "examples" / "samples").glob("*.json")))
    print(
        f"""
{samples} sample alertgroups are loaded: sign in at {url} and look at them.
{lines} sample flows stand under Network flows, some of them named by these alerts.

A key for detectors, shown this once (`tocsin key create` makes others):

  {key}

Send your first alert; paste this:

curl -X POST {url}/scot/api/v2/alertgroup -H 'Authorization: apikey {key}' -d '{FIRST_ALERT}'

It appears on the page, in {data}/alerts.json and in {data}/alerts.log. Ctrl-C stops Tocsin; the data stays.
""",
        flush=True,
    )
    (data / SHOWN).touch()


def sender_key(data: Path) -> str:
    """A new key that may send. A first run that was cut short has left its name taken, so names are numbered."""
    number = 1
    while True:
        name = f"first-detector-{number}"
        create = [TOCSIN, "key", "create", "--data", str(data), "--name", name, "--role", "sender"]
        made = subprocess.run(create, capture_output=True, text=True, check=False)
        if made.returncode == 0:
            return made.stdout.strip()
        if number == 9:
            print(made.stderr, file=sys.stderr)
            made.check_returncode()
        number += 1


def stop(server: "subprocess.Popen[bytes]") -> int:
    """End the server politely; its exit code."""
    server.terminate()
    try:
        return server.wait(30)
    except subprocess.TimeoutExpired:
        server.kill()
        return server.wait()


if __name__ == "__main__":
    sys.exit(main())
