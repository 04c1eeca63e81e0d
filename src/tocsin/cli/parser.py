"""`tocsin parser`: parsers of your own, made and tried."""

import keyword
import re
from pathlib import Path
from typing import IO

import click

from tocsin.cli.folder import made, with_folder

NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
FILES = {"parser": "{}.py", "test": "test_{}.py", "sample": "{}.eml"}
MEDIA_TYPES = {".json": "application/json", ".txt": "text/plain"}


@click.group()
def parser() -> None:
    """Make parsers of your own, and see what parsers make of a mail."""


@parser.command(epilog="\b\nExample:\n  tocsin parser new acme --data ./var")
@with_folder()
@click.argument("name")
def new(data: Path, file: Path | None, name: str) -> None:  # noqa: ARG001 - every command takes --config
    """Write a parser that works, its test and a sample mail into the folder `plugins` of the data folder.

    It is on from the next start of the server. Change it until it reads what you get; the test runs with `pytest`.
    """
    from string import Template

    from tocsin.errors import TocsinError
    from tocsin.registry import PLUGINS

    refuse(data, name)
    folder = made(made(data) / PLUGINS)
    paths = {which: folder / form.format(name) for which, form in FILES.items()}
    if there := next((path for path in paths.values() if path.exists()), None):
        raise TocsinError(f"{there} is there already; choose another name or remove it")
    words = {"name": name, "Class": "".join(part.capitalize() for part in name.split("_"))}
    for which, path in paths.items():
        text = Path(__file__).with_name("new_parser").joinpath(f"{which}.txt").read_text(encoding="utf-8")
        path.write_text(Template(text).substitute(words), encoding="utf-8")
        click.echo(f"wrote {path}")


def refuse(data: Path, name: str) -> None:
    """Raises UsageError for a name that cannot be a parser's, or is one already."""
    from tocsin import registry
    from tocsin.kit.own_modules import NOT_MODULES, taken

    if not NAME.fullmatch(name) or keyword.iskeyword(name) or name.startswith(NOT_MODULES):
        raise click.UsageError(f"{name!r} cannot be a parser's name: use small letters, digits and _, such as acme_edr")
    if any(found.name == name and found.kind == "parser" for found in registry.find(data).found()):
        raise click.UsageError(f"there is a parser {name!r} already; choose another name")
    if elsewhere := taken(name):
        raise click.UsageError(f"{name!r} is the name of another Python module ({elsewhere}); choose another name")


@parser.command("try", epilog="\b\nExample:\n  tocsin parser try --data ./var alert.eml --parser acme")
@with_folder(required=False)
@click.argument("mail", metavar="FILE.eml", type=click.File("rb"))
@click.option("--parser", "only", default="", help="Ask this parser alone.")
def try_(data: Path | None, file: Path | None, mail: IO[bytes], only: str) -> None:
    """Print, for each parser in order, whether it claims the mail and what it makes of it. Nothing is stored.

    FILE.eml is a mail as it was sent, - is standard input; `.json` and `.txt` files are taken for what they are.
    Without a data folder only the parsers are asked that are installed.
    """
    import time

    import msgspec

    from tocsin import registry
    from tocsin.cli.answers import tell
    from tocsin.config import Config, read
    from tocsin.errors import ConfigError, NotFound
    from tocsin.intake import Limits
    from tocsin.intake.again import answers
    from tocsin.intake.apart import Children
    from tocsin.kit.letter import MAIL
    from tocsin.model import Message
    from tocsin.web.api.quarantine import answer_record

    tree, problems = read(data or Path(), file) if data or file else (Config(), [])
    found = registry.find(data)
    wiring, more = found.wire({"parsers": tree.parsers}, tree.context(data or Path()))
    if problems or more:
        raise ConfigError([*problems, *more])
    for (kind, name), why in sorted(found.broken.items()):
        click.echo(f"tocsin: {kind} {name}: {why}", err=True)
    parsers = sorted(wiring.parsers.items(), key=lambda item: (item[1].order, item[0]))
    names = [name for name, _ in parsers if only in ("", name)]
    if not names:
        raise NotFound(f"there is no parser {only!r}; `tocsin plugins` lists them")
    media_type = MEDIA_TYPES.get(Path(mail.name).suffix, MAIL)
    message = Message(source="try", body=mail.read(), media_type=media_type, received=time.time_ns() // 1000)
    children = Children(parsers, Limits().parse_s, Limits().parse_mib, most=1)
    try:
        said = answers(children, names, message)
    finally:
        children.close()
    tell([msgspec.to_builtins(answer_record(one)) for one in said])
    first = next((one for one in said if one.claims), None)
    click.echo(f"{first.parser} would read it" if first else "it would stand in quarantine: no parser claims it")
