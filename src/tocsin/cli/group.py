"""The tree of commands, known by name until one is called."""

from importlib import import_module

import click

from tocsin import __version__


class LazyGroup(click.Group):
    """Commands by `name: "module:attribute"`; a module is imported when its command is asked for."""

    def __init__(self, *args: object, lazy: dict[str, str], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # click's own arguments, passed on as they are
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every name, in the order in which a newcomer needs them."""
        return [*self._lazy, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in self._lazy:
            return super().get_command(ctx, cmd_name)
        module, attribute = self._lazy[cmd_name].split(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command


HERE = "tocsin.cli"

FIRST_STEPS = """\b
Start, and make a key for a detector:
  tocsin serve --data ./var
  tocsin key create --data ./var --name splunk --role sender

\b
When something seems wrong:
  tocsin doctor --data ./var

Exit codes: 0 done, 1 not done (the reason is on standard error), 2 the command line was not understood.
"""


@click.group(
    cls=LazyGroup,
    lazy={
        "serve": f"{HERE}.serve:serve",
        "key": f"{HERE}.key:key",
        "user": f"{HERE}.user:user",
        "mail": f"{HERE}.mail:mail",
        "quarantine": f"{HERE}.quarantine:quarantine",
        "lane": f"{HERE}.lane:lane",
        "reparse": f"{HERE}.reparse:reparse",
        "entities": f"{HERE}.entities:entities",
        "replay": f"{HERE}.replay:replay",
        "recall": f"{HERE}.recall:recall",
        "export": f"{HERE}.export:export",
        "flows": f"{HERE}.flows:flows",
        "migrate": f"{HERE}.migrate:migrate",
        "rules": f"{HERE}.rules:rules",
        "parser": f"{HERE}.parser:parser",
        "doctor": f"{HERE}.doctor:doctor",
        "plugins": f"{HERE}.plugins:plugins",
        "config": f"{HERE}.configuration:config",
        "backup": f"{HERE}.backup:backup",
        "restore": f"{HERE}.restore:restore",
        "docs": f"{HERE}.docs:docs",
        "completion": f"{HERE}.completion:completion",
    },
    epilog=FIRST_STEPS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="tocsin %(version)s")
def tocsin() -> None:
    """Receive security alerts, keep every one, show them at once and send them on.

    Everything stands in one data folder, given to each command by --data or TOCSIN_DATA. Commands work whether the
    server runs or not.
    """
