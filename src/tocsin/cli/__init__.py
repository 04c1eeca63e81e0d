"""The command `tocsin`. One file a command; each is imported when it is called.

Usage errors exit 2. What Tocsin raises on purpose is printed in a line and exits 1. Anything else is written to a
crash file, named in one line, and exits 1.
"""

import os
import sys
from collections.abc import Sequence

import click

from tocsin.cli.crash import report_crash
from tocsin.cli.group import tocsin
from tocsin.errors import ConfigError, TocsinError

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    sys.excepthook = report_crash
    try:
        code = tocsin(args=arguments, prog_name="tocsin", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("tocsin: stopped", err=True)
        sys.exit(INTERRUPTED)
    except ConfigError as error:
        for problem in error.problems:
            click.echo(f"tocsin: {problem}", err=True)
        sys.exit(1)
    except TocsinError as error:
        click.echo(f"tocsin: {error}", err=True)
        sys.exit(1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has gone; say nothing at exit
        sys.exit(1)
    except OSError as error:
        click.echo(f"tocsin: {error.filename or 'the system'}: {error.strerror or error}", err=True)
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)
