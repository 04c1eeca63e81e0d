"""What it costs to write alerts in the world's shapes, against bare JSON encoding of the same.

For groups of 1, 10 and 100 alerts, lines a second:

- `idea`: IDEA0 of alerts whose meaning is known, as `alerts.json` gets them
- `slips`: the same with the fields of Slips 1.1.1
- `relay`: IDEA0 of rows that came as IDEA0
- `idmef`: IDMEFv2, draft 08
- `text`: lines of `alerts.log`
- `ecs`: documents of the Elastic Common Schema, as Logstash gets them

each beside the same lines as plain dictionaries, encoded by msgspec, the fastest encoder there is, and by Python's own
`json`. Times are of the processor, the best of some runs. Prints ratios: how many times as long ours takes as the
encoding alone. The aim holds for msgspec, IDEA0 and ECS.

How fast they go over the line is in `lumberjack.py`.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from entities import rows
from machine import machine
from tocsin import detection
from tocsin.formats import log_line
from tocsin.formats.ecs import EcsForm
from tocsin.formats.idea import IdeaForm
from tocsin.formats.idmef import IdmefForm
from tocsin.model import Alert, Alertgroup, Delivery

AIM = 3.0
SIZES = (1, 10, 100)
LINES = 5_000
RUNS = 5
RECEIVED = 1_795_290_092_000_000
Render = Callable[[Delivery], bytes]


def deliveries(size: int, relayed: bool) -> list[Delivery]:
    """Groups of so many rows as a sensor sends them, read as they are before they are sent."""
    made: list[Delivery] = []
    for number in range(LINES // size):
        alerts = [
            Alert(json=json.dumps(row), uid=f"6f1c1a3e-3c7e-5b7e-9d8e-{number:06}{place:06}")
            for place, row in enumerate(rows(size, number))
        ]
        group = Alertgroup(
            subject="IDS hits",
            alerts=tuple(alerts),
            sources=("suricata",),
            id=number,
            uid=f"7f1c1a3e-3c7e-5b7e-9d8e-{number:012}",
            received=RECEIVED,
        )
        group = detection.known(group)
        if relayed:
            lines = IdeaForm(alertgroups=False).lines(group).decode().splitlines()
            came = zip(group.alerts, lines, strict=True)
            group = msgspec.structs.replace(
                group, alerts=tuple(msgspec.structs.replace(alert, json=line) for alert, line in came)
            )
        made.append(Delivery(id=number, uid=f"d-{number}", alertgroup=group))
    return made


def seconds(work: Callable[[], object]) -> float:
    """The least processor time it takes."""
    times = []
    for _ in range(RUNS):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


def measure(name: str, render: Render, owed: Sequence[Delivery]) -> tuple[str, float, float, float]:
    """Lines a second, and the ratios to msgspec and to Python's json."""
    written = [render(delivery) for delivery in owed]
    lines = sum(text.count(b"\n") for text in written)
    same = [[decoded(line) for line in text.splitlines()] for text in written]
    bare = msgspec.json.Encoder()
    ours = seconds(lambda: [render(delivery) for delivery in owed])
    fastest = seconds(lambda: [bare.encode_lines(each) for each in same])
    plain = seconds(lambda: [[json.dumps(line) for line in each] for each in same])
    return name, lines / ours, ours / fastest, ours / plain


def decoded(line: bytes) -> object:
    """What a line says; a line of text is a text."""
    return msgspec.json.decode(line) if line[:1] == b"{" else line.decode()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="one of the names above")
    only = parser.parse_args().only
    idea, slips, draft, ecs = IdeaForm(), IdeaForm(profile="slips"), IdmefForm("08"), EcsForm()
    renders: dict[str, Render] = {
        "idea": idea.delivered,
        "slips": slips.delivered,
        "relay": idea.delivered,
        "idmef": draft.lines,
        "text": lambda delivery: log_line.lines(delivery.alertgroup),
        "ecs": lambda delivery: b"".join([text + b"\n" for text in ecs.documents(delivery)]),
    }
    print(f"{machine(Path(tempfile.gettempdir()))}\n")
    print(f"{'shape':<8}{'alerts a group':>15}{'lines/s':>12}{'× msgspec':>12}{'× json':>10}")
    for name, render in renders.items():
        for size in SIZES if only in ("", name) else ():
            _, rate, fastest, plain = measure(name, render, deliveries(size, name == "relay"))
            print(f"{name:<8}{size:>15}{rate:>12,.0f}{fastest:>12.2f}{plain:>10.2f}", flush=True)
    print(f"\naim: idea and ecs at most {AIM:g} × msgspec")


if __name__ == "__main__":
    main()
