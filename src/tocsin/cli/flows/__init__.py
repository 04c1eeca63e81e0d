"""`tocsin flows`: network flows beside the alerts. One file a command, or a few that belong together."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tocsin.cli.group import LazyGroup

if TYPE_CHECKING:
    from tocsin.config.flows import FlowsSection

HERE = "tocsin.cli.flows"


@click.group(
    cls=LazyGroup,
    lazy={
        "import": f"{HERE}.importing:import_",
        "list": f"{HERE}.importing:list_",
        "malformed": f"{HERE}.importing:malformed",
        "export": f"{HERE}.export:export",
        "score": f"{HERE}.score:score",
    },
)
def flows() -> None:
    """Read logs of sensors, label each flow by the alerts, and export them.

    Needs the extra: pip install 'tocsin[flows]'. Works whether the server runs or not.
    """


def configured(data: Path, file: Path | None) -> "FlowsSection":
    """What the configuration says of flows; the defaults where there is none. Raises ConfigError."""
    from tocsin.config import read
    from tocsin.errors import ConfigError

    tree, problems = read(data, file)
    if problems:
        raise ConfigError(problems)
    return tree.flows
