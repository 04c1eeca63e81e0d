"""Packets as a capture keeps them, pcap and pcapng: Zeek makes its logs of them, and those are read.

Zeek gives a connection another uid on each run; a capture is imported once all the same, since it is known by its own
content. Checksums are not looked at (`-C`): what was captured on the sending machine has none yet.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tocsin.errors import FlowsError
from tocsin.flows.reading import program

MAGIC = tuple(bytes.fromhex(magic) for magic in ("d4c3b2a1", "a1b2c3d4", "4d3cb2a1", "a1b23c4d"))
"""pcap: microseconds and nanoseconds, of a little-endian machine and of a big-endian one (pcap-savefile(5))."""

MAGIC_PCAPNG = bytes.fromhex("0a0d0d0a")
_BYTE_ORDER = (bytes.fromhex("1a2b3c4d"), bytes.fromhex("4d3c2b1a"))
_REMEDY = "see https://zeek.org/get-zeek, or run `zeek -C -r FILE` elsewhere and import the logs it writes"


class Capture:
    """One capture, through Zeek."""

    form = "pcap, through zeek"

    @contextmanager
    def translated(self, file: Path, folder: Path) -> Iterator[Sequence[Path]]:
        """Zeek's logs of it, by name. Raises NotInstalled, and FlowsError also where Zeek wrote none."""
        zeek = program.found("zeek", file, _REMEDY)
        said = program.run([zeek, "-C", "-r", str(file.resolve())], file, folder)
        logs = sorted(folder.glob("*.log"))
        if not logs:
            raise FlowsError(f"zeek wrote no logs of {file}{': ' if said else ''}{said}")
        yield logs


def recognise(head: bytes) -> Capture | None:
    """A capture by its magic number."""
    pcapng = head.startswith(MAGIC_PCAPNG) and head[8:12] in _BYTE_ORDER
    return Capture() if pcapng or head.startswith(MAGIC) else None
