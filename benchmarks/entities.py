"""How fast entities are found, and how the time grows with the text.

Against ioc-finder, in the same process on the same texts: megabytes a second

- on lines of logs, an entity in every 75 characters, one address in five defanged
- on prose as in a report by mail, an entity in every 2,500 characters
- on the rows of alertgroups, cell by cell; also microseconds a cell, and for cells with nothing in them

and how many of the table's cases (tests/entities/cases.txt) each reads right. Then the time from 10 KB to 10 MB, for
lines and for texts made to hold a scanner up, growth being the time per byte of the longest over that of the 100 KB
text; and ten thousand own strings against none.

Times are of the processor, the best of some runs, each on a text of its own: little is remembered from one to the next.
Prints ratios; aims are stated beside them. ioc-finder is no dependency:
`uv run --no-sync --with ioc-finder==9.4.1 benchmarks/entities.py`.
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
from tocsin.entities import Known, find, in_group
from tocsin.model import Alertgroup

AIM_FASTER = 20.0
AIM_STRINGS = 2.0
AIM_GROWTH = 2.0
AIM_CELL_US = 3.0
PEER_SIZE = 50_000
PEER_ROWS = 50
CASES = Path(__file__).parent.parent / "tests" / "entities" / "cases.txt"

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


def prose(size: int, seed: int = 7) -> str:
    """So many characters of a report: sentences, and now and then what a line of a log has."""
    dice = random.Random(seed)  # noqa: S311 - a text to measure with, no secret
    made: list[str] = []
    length = 0
    while length < size:
        made.append(" ".join(dice.choices(WORDS, k=dice.randrange(8, 20))).capitalize() + ".")
        if dice.random() < 0.25:
            made[-1] += f" Seen: {dice.choice(_line(dice).split())}."
        length += len(made[-1]) + 1
    return " ".join(made)[:size]


def rows(count: int, seed: int = 7) -> list[dict[str, Any]]:
    """Rows of alerts as an intrusion detection system sends them."""
    dice = random.Random(seed)  # noqa: S311 - a text to measure with, no secret
    return [
        {
            "time": f"2026-01-{dice.randrange(10, 29)}T12:{dice.randrange(10, 59)}:07.{dice.randrange(1000):03}Z",
            "sid": str(dice.randrange(2_000_000, 2_100_000)),
            "rule": f"ET {' '.join(dice.choices(WORDS, k=5))}".upper(),
            "class": dice.choice(("Attempted Information Leak", "Misc activity", "Potentially Bad Traffic")),
            "priority": dice.randrange(1, 4),
            "proto": dice.choice(("TCP", "UDP", "ICMP")),
            "src": f"10.{dice.randrange(4)}.{dice.randrange(9)}.{dice.randrange(255)}",
            "sport": str(dice.randrange(1024, 65535)),
            "dst": f"198.51.{dice.randrange(100)}.{dice.randrange(255)}",
            "dport": dice.choice(("22", "53", "80", "443")),
        }
        for _ in range(count)
    ]


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


def peer() -> Callable[[str], Any] | None:
    """ioc-finder, if it is there."""
    try:
        module: Any = importlib.import_module("ioc_finder")
    except ImportError:
        print("ioc-finder is not installed: nothing to compare with")
        return None
    found: Callable[[str], Any] = module.find_iocs
    return found


def against_peer(name: str, make: Callable[[int, int], str], size: int, theirs: Callable[[str], Any] | None) -> None:
    """Megabytes a second on one kind of text."""
    texts = [make(size, seed) for seed in range(5)]
    ours = size / seconds(find, *texts) / 1e6
    again = size / seconds(find, *[texts[-1]] * 3) / 1e6
    founds = len(find(texts[0])) / size * 1e6
    print(f"{name}: {ours:.1f} MB/s, {again:.1f} of values met before; {founds:,.0f} founds a MB")
    if theirs is None:
        return
    parts = [text[:PEER_SIZE] for text in texts]
    slow = PEER_SIZE / seconds(theirs, *parts) / 1e6
    distinct, mine = len(values_of(theirs(parts[0]))), len({found.entity for found in find(parts[0])})
    print(f"{name}: ioc-finder {slow:.2f} MB/s; ratio {ours / slow:.0f} (aim at least {AIM_FASTER:.0f})")
    print(f"{name}: distinct values in {PEER_SIZE:,} characters: ours {mine}, ioc-finder {distinct}")


def values_of(found: Any) -> set[str]:
    """Every value that ioc-finder found, in lower case."""
    return {value.rstrip("/").lower() for values in found.values() if isinstance(values, list) for value in values}


def cells(count: int, theirs: Callable[[str], Any] | None) -> None:
    """Rows of alertgroups, ten in each."""
    groups = [Alertgroup.of_rows("ten alerts", rows(10, seed)) for seed in range(count // 10)]
    all_cells = [cell for group in groups for alert in group.alerts for cell in alert.data.values()]
    texts = [cell for cell in all_cells if isinstance(cell, str)]
    began = time.process_time()
    for group in groups:
        for _ in in_group(group):
            pass
    spent = time.process_time() - began
    silent = [
        Alertgroup.of_rows("x", [{str(n): f"{text} {g}" for n, text in enumerate(WORDS[:10])}]) for g in range(count)
    ]
    nothing = seconds(lambda _: [list(in_group(group)) for group in silent], "") / count / 10
    megabytes = sum(map(len, texts)) / 1e6
    print(
        f"rows: {megabytes / spent:.1f} MB/s, {spent / len(all_cells) * 1e6:.1f} µs a cell, "
        f"{nothing * 1e6:.1f} µs a cell with nothing in it (aim below {AIM_CELL_US:g})"
    )
    if theirs is not None:
        some = [str(cell) for row in rows(PEER_ROWS) for cell in row.values() if isinstance(cell, str)]
        slow = sum(map(len, some)) / seconds(lambda _: [theirs(cell) for cell in some], "") / 1e6
        print(f"rows: ioc-finder {slow:.3f} MB/s; ratio {megabytes / spent / slow:.0f}")


def table(theirs: Callable[[str], Any] | None) -> None:
    """How many of the cases each reads right: everything expected and, where nothing is, nothing."""
    positive = negative = mine = mine_silent = other = other_silent = 0
    for line in CASES.read_text().splitlines():
        if not line.strip() or line.startswith("# "):
            continue
        text, _, right = line.partition(" =>")
        expected = {item.strip().split(" <- ")[0].partition(" ")[2] for item in right.split(" ; ") if item.strip()}
        ours = {found.entity.value for found in find(text)}
        others = values_of(theirs(text)) if theirs else set()
        positive, negative = positive + bool(expected), negative + (not expected)
        mine, mine_silent = mine + bool(expected and expected <= ours), mine_silent + (not expected and not ours)
        wanted = {value.rstrip("/").lower() for value in expected}
        other, other_silent = other + bool(wanted and wanted <= others), other_silent + (not wanted and not others)
    print(f"table: ours {mine} of {positive} with entities, {mine_silent} of {negative} without any")
    if theirs:
        print(f"table: ioc-finder {other} of {positive} with entities, {other_silent} of {negative} without any")


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
    theirs = peer()
    against_peer("lines", lines, 1_000_000, theirs)
    against_peer("prose", prose, 1_000_000, theirs)
    cells(2_000, theirs)
    table(theirs)
    own_strings([lines(1_000_000, seed) for seed in range(10, 13)], 10_000)
    growth("lines", fresh, sizes)
    for name, unit in HOSTILE.items():
        growth(name, partial(repeated, unit), sizes)


if __name__ == "__main__":
    main()
