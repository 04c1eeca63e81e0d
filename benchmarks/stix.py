"""How fast alertgroups are written as STIX 2.1.

Alertgroups of ten alerts, each from one attacker to one target over one port, every tenth attacker new: each becomes
observables, observed-data, indicators, sightings, relationships and a grouping. In one process, on the same
alertgroups, objects a second:

- Tocsin: the JSON of every object, as destinations and collections get it (`Feed.encoded`)
- the stix2 library making the same objects of the same values, checking them, and serializing them
- the same objects, finished, through JSON alone: dicts through Python's `json`, ours through msgspec

Times are of the processor, the best of some runs in turn, each on alertgroups that no other run had. Prints ratios;
aims are stated beside them.
"""

import argparse
import importlib
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from machine import machine
from tocsin.entities import DEFAULT, by_alert
from tocsin.formats.stix.feed import Feed
from tocsin.formats.stix.objects import ENCODER, Object
from tocsin.model import TLP, Alert, Alertgroup, Delivery, Detection, Endpoint, Entity, Severity

AIM_FASTER = 30.0
AIM_ENCODING = 3.0
ROWS = 10
RECEIVED = 1_795_290_092_000_000
HUB = "6f3ad0d0-0000-4000-8000-000000000001"

stix2: Any = importlib.import_module("stix2")


def deliveries(count: int, seed: int) -> list[Delivery]:
    """Owed alertgroups that no other seed has."""
    return [_delivery(seed * count + number) for number in range(count)]


def _delivery(number: int) -> Delivery:
    attackers = [f"198.51.{number // 250 % 250}.{number % 250}", f"2001:db8::{number:x}"]
    alerts = tuple(
        Alert(
            json=f'{{"sid":{2_000_000 + row},"src":"{attackers[row % 2]}","dest":"10.1.{number % 200}.{row}"}}',
            uid=f"0190c0de-0000-7000-8000-{number * ROWS + row:012x}",
            detection=Detection(
                name="ET SCAN Suspicious inbound",
                category="Attempted Information Leak",
                description="Many connections to ports where databases listen",
                severity=Severity.MEDIUM,
                confidence=0.8,
                detected=RECEIVED + number * 1000,
                start=RECEIVED + number * 1000 - 5_000_000,
                sources=(Endpoint(addresses=(attackers[row % 2],), ports=(40_000 + row,)),),
                targets=(Endpoint(addresses=(f"10.1.{number % 200}.{row}",), ports=(1433,)),),
                protocols=("tcp",),
            ),
        )
        for row in range(ROWS)
    )
    group = Alertgroup(
        subject=f"Scan of databases {number}", alerts=alerts, tags=("scan", "ids"), tlp=TLP.GREEN, id=number + 1,
        uid=f"0190c0de-0000-7000-9000-{number:012x}", received=RECEIVED + number * 1000,
    )  # fmt: skip
    return Delivery(id=number, uid=f"delivery {number}", alertgroup=group, hub=HUB)


def nothing(_group: Alertgroup) -> dict[int, Sequence[Entity]]:
    """The search for entities is measured elsewhere."""
    return {}


def feed(*, searching: bool = False) -> Feed:
    """Ours."""
    finds = by_alert if searching else nothing
    return Feed("CERT Example", own=DEFAULT.is_own, entities=finds, link="https://tocsin.example")


def by_library(objects: Sequence[dict[str, Any]]) -> None:
    """The same objects made, checked and serialized by the stix2 library, ids of observables derived as by us."""
    for one in objects:
        stix2.parse(one, version="2.1", allow_custom=True).serialize()


def best(runs: int, work: Callable[[int], tuple[Callable[[], object], int]]) -> float:
    """Objects a second, the best run: `work` prepares one by its number, and says how many objects it is about."""
    rates = []
    for run in range(runs):
        act, count = work(run)
        began = time.process_time()
        act()
        rates.append(count / (time.process_time() - began))
    return max(rates)


def rates(count: int, runs: int) -> dict[str, float]:
    """Objects a second of each, in turn."""
    ours, searching = feed(), feed(searching=True)

    def written(by: Feed, first: int, run: int) -> tuple[Callable[[], object], int]:
        owed = deliveries(count, first + run)
        size = sum(len(ours.objects(one)) for one in deliveries(1, 0)) * count
        return lambda: [by.encoded(one) for one in owed], size

    def encoded(run: int) -> tuple[Callable[[], object], int]:
        objects: list[Object] = [each for one in deliveries(count, run) for each in ours.objects(one)]
        return lambda: [ENCODER.encode(one) for one in objects], len(objects)

    def library(run: int) -> tuple[Callable[[], object], int]:
        few = deliveries(max(1, count // 50), 9000 + run)
        objects = [json.loads(text) for one in few for text in ours.encoded(one)]
        for one in objects:
            if "created" not in one:
                del one["id"]
        return lambda: by_library(objects), len(objects)

    def plainly(run: int) -> tuple[Callable[[], object], int]:
        objects = [json.loads(text) for one in deliveries(count, run) for text in ours.encoded(one)]
        return lambda: [json.dumps(one).encode() for one in objects], len(objects)

    return {
        "tocsin": best(runs, lambda run: written(ours, 100, run)),
        "tocsin, searching for entities too": best(runs, lambda run: written(searching, 5000, run)),
        "the stix2 library": best(runs, library),
        "json.dumps of the finished objects": best(runs, plainly),
        "msgspec encoding them": best(runs, encoded),
    }


def main() -> None:
    """Measure, print, and write JSON if asked."""
    asked = argparse.ArgumentParser(description="STIX 2.1 objects a second.")
    asked.add_argument("--groups", type=int, default=2000, help="alertgroups a run (default 2,000)")
    asked.add_argument("--runs", type=int, default=5, help="of which the best counts (default 5)")
    asked.add_argument("--json", type=Path, help="write the figures there")
    options = asked.parse_args()
    print(machine(Path(tempfile.gettempdir())))
    found = rates(options.groups, options.runs)
    for name, rate in found.items():
        print(f"{name:36} {rate:12,.0f} objects/s")
    faster = found["tocsin"] / found["the stix2 library"]
    plain = found["json.dumps of the finished objects"] / found["tocsin"]
    encoding = found["msgspec encoding them"] / found["tocsin"]
    print(f"against the stix2 library            {faster:12.1f} × (aim ≥ {AIM_FASTER:.0f})")
    print(f"json.dumps of the finished is        {plain:12.1f} × as fast (aim ≤ {AIM_ENCODING:.0f})")
    print(f"msgspec encoding them is             {encoding:12.1f} × as fast")
    if options.json:
        options.json.write_text(
            json.dumps({"objects_per_second": found, "faster": faster, "json": plain, "msgspec": encoding})
        )


if __name__ == "__main__":
    main()
