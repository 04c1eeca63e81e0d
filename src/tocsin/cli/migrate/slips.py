"""`tocsin migrate slips`: a `tocsin.toml` that does what Slips' own configuration asked for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from tocsin.errors import Malformed

LARGEST = 4 * 1024 * 1024
"""Bytes; the file that Slips ships has some 20,000."""

EXAMPLES = """\b
Examples:
  tocsin migrate slips /opt/slips/config/slips.yaml
  tocsin migrate slips /opt/slips/config/slips.yaml --output /opt/slips/output/eth0 --to ./var/tocsin.toml
  tocsin config check --data ./var
"""


@click.command(epilog=EXAMPLES)
@click.argument("config", metavar="CONFIG.yaml", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--to", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="A new file.  [default: print it]"
)
@click.option(
    "--root",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where Slips is started, for relative paths.  [default: above the folder config that CONFIG.yaml is in]",
)
@click.option(
    "--output",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where Slips writes (its -o); its alerts.json there is followed, and its flows where it was to export them.",
)
def slips(config: Path, to: Path | None, root: Path | None, output: Path | None) -> None:
    """Write the tocsin.toml that does what Slips' slips.yaml asked for.

    Every key that is about exporting stands in it as a comment, with what became of it or the reason why nothing did. A
    destination that cannot be used yet, such as Slack without a token, is there and switched off. The result passes
    `tocsin config check`. It may hold passwords: the new file is for its owner alone.
    """
    from tocsin.cli.migrate.written import written

    text = migrated(config, to, root, output)
    if to is None:
        click.echo(text, nl=False)
        return
    written(text, to)
    click.echo(f"{to} is written; `tocsin config check --config {to}` looks at it again")


def migrated(config: Path, to: Path | None, root: Path | None, output: Path | None = None) -> str:
    """The file's text. Raises Malformed and OSError."""
    from tocsin.cli.migrate import slips_evidence, slips_flows, slips_keys, slips_rest
    from tocsin.cli.migrate.written import checked, text_of

    keys = slips_keys.Keys(tree_of(config))
    place = config.resolve()
    above = (root or (place.parent.parent if place.parent.name == "config" else place.parent)).resolve()
    tables = [
        *slips_rest.followed(output),
        *slips_rest.own_logs(),
        *slips_keys.destinations(keys, above),
        *slips_rest.warden(keys, above),
    ]
    tables = checked(tables, (to or Path("tocsin.toml")).resolve().parent)
    rest = [*slips_flows.flows(keys, output), *slips_evidence.accumulating(keys), *slips_rest.routes(keys, tables)]
    slips_rest.nothing_came_of(keys)
    head = [f"Made of {place} by `tocsin migrate slips`.", "", "What Slips finds comes in by following its alerts.json"]
    head[-1] += " (docs/follow.md)," if output else " (docs/follow.md; --output DIR says where it is),"
    head += ["or by POST of it, or of its evidence as JSON, to /api/v2/alertgroup (docs/idea.md)."]
    return text_of(head, keys.became, tables, rest)


def tree_of(config: Path) -> Mapping[str, Any]:
    """The YAML, read as Slips reads it: YAML 1.1, no tags that make objects. Raises as `migrated` does."""
    import yaml  # type: ignore[import-untyped]  # PyYAML comes without types

    with config.open("rb") as file:
        body = file.read(LARGEST + 1)
    if len(body) > LARGEST:
        raise Malformed(f"{config} is larger than 4 MiB: that is no configuration of Slips")
    try:
        tree = yaml.safe_load(body)
    except (yaml.YAMLError, ValueError) as error:
        raise Malformed(f"{config} is no YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise Malformed(f"{config} is nested too deeply") from None
    if not isinstance(tree, Mapping):
        raise Malformed(f"{config} holds no sections: is it the slips.yaml of Slips?")
    return tree
