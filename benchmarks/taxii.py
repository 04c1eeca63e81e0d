"""What it takes to serve a page of 1,000 objects out of a million over TAXII.

One server with three pages asked for in turn, over one connection, at places drawn at random:

- out of a collection of a million objects
- out of one of ten thousand
- the very bytes of such a page, sent by an uvicorn of its own that holds them in memory and asks nobody who they are

Prints p50 and p99 of each and their ratios. Aim: a million costs less than three times ten thousand.
"""

import argparse
import http.client
import json
import multiprocessing
import random
import socket
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import uvicorn

from machine import machine
from stand import TOCSIN, configure, databases, folder, key, serving
from tocsin.formats.stix.write import stamp
from tocsin.store import collection, open_store
from tocsin.store.collection import Item

AIM = 3.0
LIMIT = 1000
FEW = 10_000
BEGAN = 1_780_000_000_000_000
MEDIA = "application/taxii+json;version=2.1"
_SPAWN = multiprocessing.get_context("spawn")


def items(start: int, count: int) -> Iterator[Item]:
    """Indicators and what they stand for, in turn, each with an id of its own."""
    for n in range(start, start + count):
        at = BEGAN + n * 1000
        address = f"{n >> 24 & 255}.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"
        if n % 2:
            held: dict[str, Any] = {"type": "ipv4-addr", "spec_version": "2.1", "value": address}
        else:
            held = {
                "type": "indicator",
                "spec_version": "2.1",
                "created_by_ref": "identity--5828f0bb-3aa6-4767-a0e6-bf90eec11e10",
                "created": stamp(at),
                "modified": stamp(at),
                "confidence": 80,
                "object_marking_refs": ["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"],
                "name": f"Horizontal scan from {address}",
                "description": "Connections to 254 hosts of one network within a minute, none of them answered.",
                "indicator_types": ["malicious-activity"],
                "pattern": f"[ipv4-addr:value = '{address}']",
                "pattern_type": "stix",
                "pattern_version": "2.1",
                "valid_from": stamp(at),
            }
        held["id"] = f"{held['type']}--{UUID(int=n, version=5)}"
        yield Item(id=held["id"], type=held["type"], version=None if n % 2 else at, json=json.dumps(held))


def fill(url: str, data: Path, name: str, count: int) -> float:
    """Put so many objects into a collection; objects a second."""
    store = open_store(url, data)
    began = time.perf_counter()
    for start in range(0, count, LIMIT):
        some = list(items(start, min(LIMIT, count - start)))
        store.write(partial(collection.put, name=name, items=some, now=BEGAN + start))
    took = time.perf_counter() - began
    store.close()
    return count / took


def page(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> tuple[float, bytes]:
    """Seconds from asking to the last byte, and the bytes."""
    began = time.perf_counter()
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    took = time.perf_counter() - began
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status} {body[:300]!r}")
    return took, body


def static(port: int, body: bytes) -> None:
    """Send the same bytes to whoever asks, until killed."""
    head = [(b"content-type", MEDIA.encode()), (b"content-length", str(len(body)).encode())]

    async def application(scope: Any, _receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": head})
            await send({"type": "http.response.body", "body": body})

    uvicorn.run(application, port=port, log_level="error", lifespan="off", timeout_keep_alive=600)


def percentile(times: list[float], percent: float) -> float:
    """Milliseconds that so many percent took at most."""
    ordered = sorted(times)
    return 1000 * ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def measure(port: int, token: str, count: int, turns: int) -> dict[str, list[float]]:
    """Each kind in turn, so that a busy moment of the machine meets all of them."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {"Accept": MEDIA, "Authorization": f"Bearer {token}"}
    dice = random.Random(7)  # noqa: S311 - places to look at, no secret
    _, body = page(connection, f"/taxii2/default/collections/many/objects/?limit={LIMIT}", headers)
    assert len(json.loads(body)["objects"]) == min(LIMIT, count)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        bare = free.getsockname()[1]
    process = _SPAWN.Process(target=static, args=(bare, body), daemon=True)
    process.start()
    other = http.client.HTTPConnection("127.0.0.1", bare, timeout=120)
    until = time.monotonic() + 60
    while True:
        try:
            page(other, "/", {})
            break
        except ConnectionError:
            if time.monotonic() > until:
                raise
            other.close()
            time.sleep(0.1)
    times: dict[str, list[float]] = {"many": [], "few": [], "static": []}
    for turn in range(turns + 20):
        for name, objects in (("many", count), ("few", FEW)):
            after = stamp(BEGAN + dice.randrange(max(1, objects - LIMIT)))
            path = f"/taxii2/default/collections/{name}/objects/?limit={LIMIT}&added_after={after}"
            took, _ = page(connection, path, headers)
            times[name] += [took] if turn >= 20 else []
        took, _ = page(other, "/", {})
        times["static"] += [took] if turn >= 20 else []
    process.kill()
    return times | {"bytes": [float(len(body))]}


def main() -> None:
    """Fill, serve, ask, print."""
    reader = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    reader.add_argument("--engine", choices=["sqlite", "postgres"], default="sqlite")
    reader.add_argument("--objects", type=int, default=1_000_000)
    reader.add_argument("--turns", type=int, default=500, help="pages of each kind")
    reader.add_argument("--within", type=Path, help="folder for the data")
    reader.add_argument("--json", type=Path, help="write the figures there too")
    arguments = reader.parse_args()
    with folder(arguments.within) as data, databases(arguments.engine, arguments.within) as urls:
        print(machine(data))
        url = next(urls)
        configure(data, url, destinations=False)
        with (data / "tocsin.toml").open("a") as file:
            file.write("\n[collections.many]\n\n[collections.few]\n")
        token = key(data, url, "viewer")
        rate = fill(url, data, "many", arguments.objects)
        fill(url, data, "few", FEW)
        print(f"filled with {rate:,.0f} objects a second, 1,000 in a transaction")
        with serving(TOCSIN, data) as port:
            times = measure(port, token, arguments.objects, arguments.turns)
        size = times.pop("bytes")[0]
        print(f"\na page of {LIMIT:,} objects, {size / 1024:,.0f} KiB, {arguments.engine}, milliseconds\n")
        for name, found in times.items():
            print(f"  {name:8} p50 {percentile(found, 50):7.1f}   p99 {percentile(found, 99):7.1f}")
        for other in ("few", "static"):
            ratios = [percentile(times["many"], at) / percentile(times[other], at) for at in (50, 99)]
            aim = f"   (aim < {AIM:g})" if other == "few" else ""
            print(f"  many / {other}: p50 {ratios[0]:.2f}, p99 {ratios[1]:.2f}{aim}")
        if arguments.json:
            report = {"machine": machine(data), "engine": arguments.engine, "rate": rate, "seconds": times}
            arguments.json.write_text(json.dumps(report) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
