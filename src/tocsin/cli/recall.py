"""`tocsin recall`: take back what was sent."""

from collections import Counter
from pathlib import Path
from typing import Any

import click

from tocsin.cli.folder import present, with_folder
from tocsin.cli.table import moment, plain, print_table

PATH = "/api/v2/recall"
EXAMPLES = """\b
Examples:
  tocsin recall 4711 --data ./var --reason "a test of ours, no attack" --dry-run
  tocsin recall 4711 4712 --data ./var --reason "named the wrong host" --to partner
"""
SAID = {
    "told": "a correction is sent",
    "cannot be told": "has it and understands no correction: tell them yourself",
    "held back": "never got it, and will not",
    "told before": "was told before",
}


@click.command(epilog=EXAMPLES)
@with_folder()
@click.argument("numbers", metavar="N…", type=click.IntRange(min=1), nargs=-1, required=True)
@click.option("--reason", default="", help="Why; those who have it read this.")
@click.option("--to", multiple=True, metavar="DEST", help="Only from this destination; may be given again.  [all]")
@click.option("--dry-run", is_flag=True, help="Show what would be done where, and change nothing.")
def recall(
    data: Path, file: Path | None, numbers: tuple[int, ...], reason: str, to: tuple[str, ...], dry_run: bool
) -> None:
    """Take alertgroups back from those they were sent to.

    Each destination that has one is sent a correction through the same lane: Slack's message is struck out, mail and
    webhook say so, STIX revokes. What was not sent yet is not sent any more. Nothing is deleted here.
    """
    from tocsin.cli.door import open_door

    if not reason.strip() and not dry_run:
        raise click.UsageError("Missing option '--reason': those who have it are told why.")
    with open_door(present(data), file) as door:
        wish = {"alertgroups": list(numbers), "reason": reason, "to": list(to), "dry_run": dry_run}
        found: list[dict[str, Any]] = door.ask("POST", PATH, wish)["records"]
    rows = [
        (one["alertgroup"], plain(one["to"]), moment(one["sent"]) if one["sent"] else "", SAID[one["fate"]])
        for one in found
    ]
    print_table(["alertgroup", "to", "delivered", "recall"], rows, "None of them was owed to anybody.")
    if dry_run:
        click.echo("nothing was done", err=True)
    elif alone := Counter(one["fate"] for one in found)["cannot be told"]:
        click.echo(f"{alone} cannot be told by Tocsin: see above", err=True)
