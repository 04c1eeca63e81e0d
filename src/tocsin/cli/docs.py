"""`tocsin docs`: pages that are made from the code."""

from pathlib import Path

import click


@click.group()
def docs() -> None:
    """Make pages of the documentation from the code."""


@docs.command(epilog="\b\nExamples:\n  tocsin docs reference --out -\n  tocsin docs reference --check")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    default=Path("docs/reference/configuration.md"),
    show_default=True,
    help="The page; - is standard output.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if the page is not current.")
def reference(out: Path, check: bool) -> None:
    """Write the reference of the configuration: every section and every plug-in's options."""
    from tocsin.cli.reference import page
    from tocsin.errors import TocsinError

    text = page()
    if check:
        if not out.is_file() or out.read_text(encoding="utf-8") != text:
            raise TocsinError(f"{out} is not current; make it so with `tocsin docs reference --out {out}`")
        click.echo(f"{out} is current")
    elif str(out) == "-":
        click.echo(text, nl=False)
    else:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
        click.echo(f"wrote {out}")
