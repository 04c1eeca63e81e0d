"""What it costs to have alerts acknowledged: Lumberjack against lines of JSON written to a local socket.

100,000 alerts in alertgroups of one, 500 in a batch, to a process of its own that reads and counts:

- `lines`: one line of JSON for each, nothing is acknowledged but the end
- `lumberjack`: the destination `logstash`, each window acknowledged, with compression 0, 1 and 3

`made`: the documents are made of alertgroups meanwhile, as in a lane; `ready`: they are there before. The receiver does
not look into them, so that it is no slower in one way than in the other, but inflates what is compressed. Turns are
taken in turn, the best of some; times are of the wall, those of this process' processor beside them. Prints ratios.
"""

import argparse
import multiprocessing
import socket
import struct
import tempfile
import time
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from machine import machine
from out import deliveries
from tocsin.destinations.logstash import Logstash
from tocsin.destinations.logstash.fates import parts
from tocsin.formats.ecs import EcsForm
from tocsin.kit.lumberjack import Lumberjack
from tocsin.model import Delivery, Receipt

AIM = 2.0
ALERTS = 100_000
BATCH = 500
TURNS = 3
Spent = tuple[float, float]


def receive(listener: socket.socket, frames: bool) -> None:
    """Take one connection after the other, read it to its end, and answer as it wants."""
    while True:
        line, _ = listener.accept()
        with line, line.makefile("rb", buffering=2**18) as file:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if frames:
                while head := file.read(6):
                    (count,) = struct.unpack(">2xI", head)
                    kind, length = struct.unpack(">2sI", file.read(6))
                    if kind == b"2C":
                        taken = _counted(zlib.decompress(file.read(length)))
                    else:
                        file.read(struct.unpack(">I", file.read(4))[0])
                        taken = 1
                        while taken < count:
                            file.read(struct.unpack(">6xI", file.read(10))[0])
                            taken += 1
                    line.sendall(struct.pack(">2sI", b"2A", taken))
            else:
                count = sum(1 for _ in file)
                line.sendall(struct.pack(">I", count))


def _counted(frames: bytes) -> int:
    at = count = 0
    while at < len(frames):
        at += 10 + int.from_bytes(frames[at + 6 : at + 10])
        count += 1
    return count


def spent(work: Callable[[], int]) -> Spent:
    """Seconds of the wall and of the processor."""
    wall, processor = time.perf_counter(), time.process_time()
    count = work()
    assert count == ALERTS, f"{count:,} arrived"
    return time.perf_counter() - wall, time.process_time() - processor


def lines(port: int, batches: Sequence[Sequence[Delivery]] | Sequence[Sequence[bytes]], form: EcsForm | None) -> int:
    """Write lines to the socket; how many the other side counted."""
    with socket.create_connection(("127.0.0.1", port)) as line:
        for batch in batches:
            ready = [one for each in batch for one in _documents(each, form)]
            line.sendall(b"\n".join(ready) + b"\n")
        line.shutdown(socket.SHUT_WR)
        return int(struct.unpack(">I", line.recv(4))[0])


def _documents(one: Delivery | bytes, form: EcsForm | None) -> list[bytes]:
    if isinstance(one, bytes):
        return [one]
    assert form is not None
    return form.documents(one)


def lumberjack(destination: Logstash, batches: Sequence[Sequence[Delivery]]) -> int:
    """Send by the destination; how many it says were acknowledged."""
    count = 0
    for batch in batches:
        count += sum(isinstance(each, Receipt) for each in destination.send_batch(batch, "").outcomes)
    destination.close()
    return count


def windows(client: Lumberjack, batches: Sequence[Sequence[bytes]]) -> int:
    """Send what is ready by the client alone."""
    count = 0
    for batch in batches:
        for part in parts(batch):
            client.send(part)
            count += len(part)
    client.close()
    return count


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    form = EcsForm()
    some = deliveries(1, relayed=False)
    owed = (some * (ALERTS // len(some) + 1))[:ALERTS]
    batches = [owed[at : at + BATCH] for at in range(0, ALERTS, BATCH)]
    ready = [[one for each in batch for one in form.documents(each)] for batch in batches]
    ports = {}
    for frames in (False, True):
        listener = socket.create_server(("127.0.0.1", 0))
        ports[frames] = listener.getsockname()[1]
        multiprocessing.get_context("fork").Process(target=receive, args=(listener, frames), daemon=True).start()
    works: dict[tuple[str, str], Callable[[], int]] = {
        ("lines", "made"): partial(lines, ports[False], batches, form),
        ("lines", "ready"): partial(lines, ports[False], ready, None),
    }
    for compression in (0, 1, 3):
        made = Logstash(host="127.0.0.1", port=ports[True], tls=False, compression=compression)
        works[f"compression {compression}", "made"] = partial(lumberjack, made, batches)
        works[f"compression {compression}", "ready"] = partial(windows, Lumberjack(made), ready)
    best = dict.fromkeys(works, (float("inf"), float("inf")))
    for _ in range(TURNS):
        for name, work in works.items():
            best[name] = min(best[name], spent(work))
    size = sum(len(one) for batch in ready for one in batch)
    print(f"{machine(Path(tempfile.gettempdir()))}\n")
    print(f"{ALERTS:,} documents, {size / ALERTS:,.0f} bytes each")
    print(f"{'way':<16}{'documents':<12}{'documents/s':>12}{'wall s':>10}{'cpu s':>8}{'× lines':>10}")
    for (way, how), (wall, processor) in best.items():
        ratio = wall / best["lines", how][0]
        print(f"{way:<16}{how:<12}{ALERTS / wall:>12,.0f}{wall:>10.2f}{processor:>8.2f}{ratio:>10.2f}")
    print(f"\naim: the destination at most {AIM:g} × lines")


if __name__ == "__main__":
    main()
