"""Python files that somebody put into a folder, loaded as modules of their own names.

The folder is put at the end of `sys.path`, so that a child process finds the same modules by the same names and no
file of it can take the place of a module that stands elsewhere.
"""

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

NOT_MODULES = ("_", ".", "test_", "conftest")


class Loaded(NamedTuple):
    """A file, its module (None: it cannot be loaded), and in a sentence why not."""

    path: Path
    module: ModuleType | None
    why: str


def modules_in(folder: Path, breakage: tuple[type[BaseException], ...]) -> Iterator[Loaded]:
    """Load every file `NAME.py`, by name; those that begin with `_` or `test_` are left alone.

    `breakage` is what a file may raise while it is loaded; anything else is passed on.
    """
    paths = [path for path in sorted(folder.glob("*.py")) if not path.name.startswith(NOT_MODULES)]
    if not paths:
        return
    if str(folder.resolve()) not in sys.path:
        sys.path.append(str(folder.resolve()))
    importlib.invalidate_caches()
    for path in paths:
        yield _loaded(path, breakage)


def taken(name: str) -> str:
    """Where the module of that name stands already; empty if there is none."""
    try:
        found = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return ""
    return (found.origin or "Python itself") if found is not None else ""


def _loaded(path: Path, breakage: tuple[type[BaseException], ...]) -> Loaded:
    if not path.stem.isidentifier():
        return Loaded(path, None, f"rename it: {path.stem!r} cannot be the name of a Python module")
    elsewhere = taken(path.stem)
    if elsewhere and Path(elsewhere) != path.resolve():
        return Loaded(path, None, f"rename it: there is a module {path.stem!r} already ({elsewhere})")
    try:
        return Loaded(path, importlib.import_module(path.stem), "")
    except breakage as error:
        line = _line(error, path)
        return Loaded(path, None, f"mend it{f', line {line}' if line else ''}: {type(error).__name__}: {error}")


def _line(error: BaseException, path: Path) -> int | None:
    """Where in the file it broke."""
    if isinstance(error, SyntaxError):
        return error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    return next((each.lineno for each in reversed(frames) if each.filename == str(path.resolve())), None)
