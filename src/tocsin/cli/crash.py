"""What happens when something unforeseen happens: the trace goes to a file, the operator reads one line."""

import contextlib
import os
import sys
import tempfile
import time
import traceback
from pathlib import Path
from types import TracebackType

import click

from tocsin import __version__

_folder: list[Path] = []


def keep_traces_in(data: Path) -> None:
    """Name the data folder, where crash files go."""
    _folder[:] = [data]


def report_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Write the trace to a file that only its owner can read and name it on standard error; for `sys.excepthook`."""
    lines = [f"tocsin {__version__}, python {sys.version}\n", f"{sys.argv[1:2]}\n"]
    lines += traceback.format_exception(kind, error, trace)
    name = f"crash-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}.txt"
    for folder in (*_folder, Path(tempfile.gettempdir())):
        with contextlib.suppress(OSError):
            path = folder / name
            path.touch(mode=0o600, exist_ok=False)
            path.write_text("".join(lines), encoding="utf-8")
            click.echo(f"tocsin: something unforeseen happened ({kind.__name__}); the trace is in {path}", err=True)
            return
    click.echo(f"tocsin: something unforeseen happened and no trace could be kept: {kind.__name__}: {error}", err=True)
