"""`tocsin completion`: the script that completes commands in a shell."""

import click
from click.shell_completion import get_completion_class

EXAMPLES = """\b
In ~/.bashrc:
  eval "$(tocsin completion bash)"

\b
In ~/.zshrc:
  eval "$(tocsin completion zsh)"

\b
Once, for fish:
  tocsin completion fish > ~/.config/fish/completions/tocsin.fish
"""


@click.command(epilog=EXAMPLES)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script for a shell."""
    made = get_completion_class(shell)
    assert made is not None
    root = click.get_current_context().find_root().command
    click.echo(made(root, {}, "tocsin", "_TOCSIN_COMPLETE").source())
