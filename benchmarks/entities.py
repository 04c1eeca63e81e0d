"""How fast entities are found, and how the time grows with the text.

- megabytes a second on lines of alerts, defanged addresses among them, against ioc-finder on the same text, and how
  many entities each finds
- the time from 10 KB to 10 MB, for these lines and for texts made to hold a scanner up; growth is the time per byte of
  the longest over that of the 100 KB text
- ten thousand own strings against none

Times are of the processor, the best of some runs, each on lines of its own: little is remembered from one to the
next. Prints ratios; aims are stated beside them. ioc-finder is no
dependency: `uv run --no-sync --with ioc-finder benchmarks/entities.py`.
"""

import argparse
import importlib
import random
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from machine import machine
from tocsin.entities import Known, find

AIM_FASTER = 20.0
AIM_STRINGS = 2.0
AIM_GROWTH = 2.0
PEER_SIZE = 50_000

HOSTILE = {
    "dots": ".", "dotted": "a.", "brackets": "[.]", "bracketed": "a[.]", "at": "a@", "colons": "a:", "hex": "abcdef01",
    "urls": "http://a,", "angles": "<a@", "registry": "HKLM\\a B", "closing": ")", "escapes": "\\n", "scripts": "中.文",
}  # fmt: skip
_PROSE = (
    "the user reported that a host has been seen to connect while no rule allowed it and the sensor raised this alert "
    "after it matched policy process started parent command line registry value was set by an unknown binary download "
    "blocked allowed session closed severity high medium low category trojan activity attempted information leak"
)
WORDS = tuple(_PROSE.split())


def lines(size: int, seed: int = 7) -> str:
    """So many characters of alerts: prose, fields, addresses, one in five of them defanged."""
    dice = random.Random(seed)  # noqa: S311 - a text to measure with, no secret
    made: list[str] = []
    length = 0
    while length < size:
        made.append(_line(dice))
        length += len(made[-1]) + 1
    return "\n".join(made)[:size]


def _line(dice: random.Random) -> str:
    host = f"{dice.choice(WORDS)}{dice.randrange(500)}.example.{dice.choice(('com', 'org', 'net', 'cz'))}"
    address = f"198.51.{dice.randrange(100)}.{dice.randrange(1, 255)}"
    if dice.random() < 0.2:
        host, address = host.replace(".", "[.]"), address.replace(".", "[.]")
    rare = (
        f"{dice.getrandbits(256):064x}", f"CVE-2024-{dice.randrange(1000, 99999)}", f"joe{dice.randrange(99)}@{host}",
        f"hxxps://{host}/path/{dice.randrange(9999)}.php?id=1", f"C:\\Users\\joe\\{dice.choice(WORDS)}.exe",
        f"2001:db8::{dice.randrange(65536):x}", f"AS{dice.randrange(1000, 65000)}",
    )  # fmt: skip
    prose = " ".join(dice.choices(WORDS, k=20))
    when = f"2026-01-{dice.randrange(10, 29)}T12:{dice.randrange(10, 59)}:07Z"
    return f'{when} src={address} dest_host={host} msg="{prose}" indicator={dice.choice(rare)} action=blocked'


def fresh(size: int) -> str:
    """Lines that no other size has."""
    return lines(size, size)


def repeated(unit: str, size: int) -> str:
    """So many characters of the same."""
    return unit * (size // len(unit))


def seconds(work: Callable[[str], object], *texts: str) -> float:
    """The least processor time it takes for one of these texts."""
    times = []
    for text in texts:
        began = time.process_time()
        work(text)
        times.append(time.process_time() - began)
    return min(times)


def against_peer(size: int) -> None:
    """Against ioc-finder, if it is there."""
    texts = [lines(size, seed) for seed in range(3)]
    ours = size / seconds(find, *texts) / 1e6
    again = size / seconds(find, *[texts[-1]] * 3) / 1e6
    founds = len(find(texts[0])) / size * 1e6
    print(
        f"find: {ours:.1f} MB/s of values never met, {again:.1f} MB/s of values met before; {founds:,.0f} founds a MB"
    )
    try:
        peer: Any = importlib.import_module("ioc_finder")
    except ImportError:
        print("ioc-finder is not installed: nothing to compare with")
        return
    parts = [text[:PEER_SIZE] for text in texts]
    theirs = PEER_SIZE / seconds(peer.find_iocs, *parts) / 1e6
    distinct = sum(len(values) for values in peer.find_iocs(parts[0]).values() if isinstance(values, list))
    mine = len({found.entity for found in find(parts[0])})
    print(f"ioc-finder: {theirs:.2f} MB/s")
    print(f"ratio {ours / theirs:.0f}, met before {again / theirs:.0f} (aim at least {AIM_FASTER:.0f})")
    print(f"distinct values in the first {PEER_SIZE:,} characters: ours {mine}, ioc-finder {distinct}")


def growth(name: str, make: Callable[[int], str], sizes: tuple[int, ...]) -> None:
    """Time for each size, and how much dearer a byte of the longest is."""
    costs = {size: seconds(find, make(size)) for size in sizes}
    shown = "  ".join(f"{size / 1e6:g} MB {cost:.3f} s" for size, cost in costs.items())
    at_first = costs[100_000] / 100_000
    print(f"{name:10} {shown}  growth {costs[sizes[-1]] / sizes[-1] / at_first:.2f} (aim below {AIM_GROWTH:g})")


def own_strings(texts: list[str], count: int) -> None:
    """So many own strings against none."""
    dice = random.Random(11)  # noqa: S311 - a text to measure with, no secret
    strings = {
        "".join(dice.choices("abcdefghijklmnopqrstuvwxyz ", k=dice.randrange(5, 25))): "own" for _ in range(count)
    }
    strings |= dict.fromkeys(("trojan activity", "unknown binary"), "own")
    known = Known(strings={string: type for string, type in strings.items() if len(string.strip()) > 1})
    none, with_them = seconds(find, *texts), seconds(partial(find, known=known), *texts)
    print(f"{count:,} own strings: {with_them / none:.2f} × none (aim at most {AIM_STRINGS:g})")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--largest", type=int, default=10_000_000, help="characters of the longest text")
    options = parser.parse_args()
    print(machine(Path(tempfile.gettempdir())))
    sizes = tuple(size for size in (10_000, 100_000, 1_000_000, 10_000_000) if size <= options.largest)
    against_peer(1_000_000)
    own_strings([lines(1_000_000, seed) for seed in range(10, 13)], 10_000)
    growth("lines", fresh, sizes)
    for name, unit in HOSTILE.items():
        growth(name, partial(repeated, unit), sizes)


if __name__ == "__main__":
    main()
