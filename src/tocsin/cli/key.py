"""`tocsin key`: the keys with which detectors and programs come in."""

from pathlib import Path

import click

from tocsin.cli.folder import made, present, with_folder
from tocsin.cli.table import moment, print_table

ROLES = ["partner", "sender", "viewer", "analyst", "admin"]

EXAMPLES = """\b
Examples:
  tocsin key create --data ./var --name splunk --role sender
  KEY=$(tocsin key create --data ./var --name report --role viewer --expires 90)
"""


@click.group()
def key() -> None:
    """Make, list and revoke API keys."""


@key.command(epilog=EXAMPLES)
@with_folder()
@click.option("--name", required=True, help="Whose key it is; messages sent with it carry this name.")
@click.option(
    "--role",
    required=True,
    type=click.Choice(ROLES),
    help="What it may do; a sender may only post, a partner only use the collections that name it.",
)
@click.option("--expires", type=click.FloatRange(min=0, min_open=True), metavar="DAYS", help="Valid for so long.")
def create(data: Path, file: Path | None, name: str, role: str, expires: float | None) -> None:
    """Make a key and print it, alone, on standard output.

    The key is shown this once: Tocsin keeps only its hash. Programs present it in a header,
    `Authorization: apikey KEY`.
    """
    from tocsin.cli.door import open_door

    wanted = {"name": name, "role": role} | ({"expires_days": expires} if expires else {})
    with open_door(made(data), file) as door:
        click.echo(door.ask("POST", "/api/v2/key", wanted)["key"])


@key.command("list")
@with_folder()
def list_keys(data: Path, file: Path | None) -> None:
    """List every key, with when it was made and last used; never the key itself."""
    from tocsin.cli.door import open_door

    with open_door(present(data), file) as door:
        keys = door.ask("GET", "/api/v2/key")["records"]
    names = ["id", "name", "role", "created", "last used", "expires", "revoked"]
    times = ["created", "last_used", "expires", "revoked"]
    rows = [(each["id"], each["name"], each["role"], *(moment(each[when]) for when in times)) for each in keys]
    print_table(names, rows, "There are no keys; make one with `tocsin key create`.")


@key.command()
@with_folder()
@click.argument("key", metavar="ID_OR_NAME")
def revoke(data: Path, file: Path | None, key: str) -> None:
    """Revoke a key, by its id or its name. It is refused from now on, and stays in the list."""
    from urllib.parse import quote

    from tocsin.cli.door import open_door

    with open_door(present(data), file) as door:
        door.ask("DELETE", f"/api/v2/key/{quote(key, safe='')}")
    click.echo(f"revoked {key}")
