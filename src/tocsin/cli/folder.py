"""The options every command has: which data folder, which configuration."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from tocsin.cli.crash import keep_traces_in
from tocsin.errors import NotFound

OTHERS = 0o007
"""Whoever is neither the owner nor of the group of a file; what a command makes is none of their business."""

F = TypeVar("F", bound=Callable[..., Any])


def _known(_context: click.Context, _parameter: click.Parameter, data: Path | None) -> Path | None:
    if data is not None:
        keep_traces_in(data)
        os.umask(os.umask(0o077) | OTHERS)
    return data


def with_folder(*, required: bool = True) -> Callable[[F], F]:
    """Add `--data` and `--config`; the command gets `data: Path` (None if not required) and `file: Path | None`."""

    def added(command: F) -> F:
        command = click.option(
            "--config",
            "file",
            type=click.Path(dir_okay=False, path_type=Path),
            envvar="TOCSIN_CONFIG",
            show_envvar=True,
            help="Configuration file.  [default: tocsin.toml in the data folder]",
        )(command)
        return click.option(
            "--data",
            type=click.Path(file_okay=False, path_type=Path),
            envvar="TOCSIN_DATA",
            show_envvar=True,
            required=required,
            callback=_known,
            help="Data folder.",
        )(command)

    return added


def made(data: Path) -> Path:
    """The data folder, made for its owner alone when it is not there. Raises OSError."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    return data


def present(data: Path) -> Path:
    """The data folder. Raises NotFound."""
    if not data.is_dir():
        raise NotFound(f"there is no data folder {data}; `tocsin serve --data {data}` makes one")
    return data
