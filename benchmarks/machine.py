"""What the figures were measured on, in one line."""

import os
import platform
import tempfile
import time
from pathlib import Path


def machine(folder: Path) -> str:
    """Processor, cores, memory, system, Python, and how long this folder's disk takes to sync 4 KiB."""
    model = next(
        (line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor() or platform.machine(),
    )
    kilobytes = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    load = os.getloadavg()[0]
    return (
        f"{model}, {os.cpu_count()} cores, {kilobytes / 2**20:.0f} GiB, Linux {platform.release()},"
        f" Python {platform.python_version()}, fdatasync {1000 * sync_time(folder):.2f} ms, load {load:.1f}"
    )


def sync_time(folder: Path, times: int = 100) -> float:
    """Seconds, the median, to append 4 KiB to a file there and see it on disk."""
    took = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(times):
            began = time.perf_counter()
            os.write(file.fileno(), bytes(4096))
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - began)
    return sorted(took)[times // 2]


def _lines(file: str) -> list[str]:
    path = Path(file)
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []
