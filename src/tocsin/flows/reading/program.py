"""Programs that read what is no text: run to their end, with what they complained of."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from tocsin.errors import FlowsError, NotInstalled

_MOST = 2000
_ENVIRONMENT = {"PATH": os.defpath, "TZ": "UTC", "LC_ALL": "C"}
"""Theirs: no secrets of ours, and no time zone of the machine's."""


def found(name: str, file: Path, remedy: str) -> str:
    """Where a program is. Raises NotInstalled with the remedy, a few words."""
    program = shutil.which(name)
    if program is None:
        raise NotInstalled(f"{file} is read by the program {name}, which is not installed: {remedy}")
    return program


def run(command: Sequence[str], file: Path, folder: Path, *, output: IO[bytes] | int = subprocess.DEVNULL) -> str:
    """Run it in that folder, in UTC; the end of what it wrote to standard error. Raises FlowsError where it failed."""
    with (folder / "complaints").open("w+b") as complaints:
        ended = subprocess.run(
            command,
            cwd=folder,
            env=_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=complaints,
            check=False,
        )
        complaints.seek(max(0, complaints.tell() - _MOST))
        said = complaints.read(_MOST).decode("utf-8", "replace").strip()
    if ended.returncode:
        why = said or f"it ended with status {ended.returncode}"
        raise FlowsError(f"{Path(command[0]).name} could not read {file}: {why}")
    return said
