"""`tocsin user`: the people who sign in to the pages."""

import sys
from pathlib import Path
from urllib.parse import quote

import click

from tocsin.cli.folder import made, present, with_folder
from tocsin.cli.table import moment, print_table

ROLES = ["viewer", "analyst", "admin"]

from_stdin = click.option("--password-stdin", is_flag=True, help="Read the password from standard input, one line.")


@click.group()
def user() -> None:
    """Add, list and change the people who sign in."""


@user.command(epilog="\b\nExample:\n  tocsin user add kim --data ./var --role analyst")
@with_folder()
@click.argument("name")
@click.option("--role", required=True, type=click.Choice(ROLES), help="What they may do.")
@from_stdin
def add(data: Path, file: Path | None, name: str, role: str, password_stdin: bool) -> None:
    """Add a user. The password is asked for, never given as an argument."""
    from tocsin.cli.door import open_door

    chosen = password(password_stdin)
    with open_door(made(data), file) as door:
        door.ask("POST", "/api/v2/user", {"name": name, "role": role, "password": chosen})
    click.echo(f"added {name}, {role}")


@user.command()
@with_folder()
@click.argument("name")
@from_stdin
def passwd(data: Path, file: Path | None, name: str, password_stdin: bool) -> None:
    """Set a user's password. It is asked for, never given as an argument."""
    from tocsin.cli.door import open_door

    chosen = password(password_stdin)
    with open_door(present(data), file) as door:
        door.ask("PUT", path_of(name), {"password": chosen})
    click.echo(f"the password of {name} is set")


@user.command("list")
@with_folder()
def list_users(data: Path, file: Path | None) -> None:
    """List every user with role and state."""
    from tocsin.cli.door import open_door

    with open_door(present(data), file) as door:
        users = door.ask("GET", "/api/v2/user")["records"]
    rows = [
        (
            *(each["name"], each["role"], "active" if each["active"] else "disabled"),
            *(moment(each[when]) for when in ("created", "last_login")),
        )
        for each in users
    ]
    names = ["name", "role", "state", "created", "last sign-in"]
    print_table(names, rows, "There are no users; add one with `tocsin user add`.")


@user.command()
@with_folder()
@click.argument("name")
def disable(data: Path, file: Path | None, name: str) -> None:
    """Keep a user from signing in, from now on. Their history stays."""
    set_active(present(data), file, name, active=False)
    click.echo(f"disabled {name}")


@user.command()
@with_folder()
@click.argument("name")
def enable(data: Path, file: Path | None, name: str) -> None:
    """Let a disabled user sign in again."""
    set_active(present(data), file, name, active=True)
    click.echo(f"enabled {name}")


def set_active(data: Path, file: Path | None, name: str, *, active: bool) -> None:
    """Switch a user on or off. Raises NotFound."""
    from tocsin.cli.door import open_door

    with open_door(data, file) as door:
        door.ask("PUT", path_of(name), {"active": active})


def path_of(name: str) -> str:
    """A user's address in the API."""
    return f"/api/v2/user/{quote(name, safe='')}"


def password(from_stdin: bool) -> str:
    """A password, asked for twice on the terminal, or the first line of standard input."""
    if from_stdin:
        given = sys.stdin.readline().rstrip("\r\n")
        if not given:
            raise click.UsageError("there is no password on standard input")
        return given
    if not sys.stdin.isatty():
        raise click.UsageError("there is no terminal to ask for a password; use --password-stdin")
    asked: str = click.prompt("Password", hide_input=True, confirmation_prompt="Once more", err=True)
    return asked
