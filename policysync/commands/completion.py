"""`policysync completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command(name="completion", short_help="Print the completion script of a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the script that makes SHELL complete commands and options.

    \b
    Example:
      policysync completion bash > ~/.local/share/bash-completion/completions/policysync
      policysync completion fish > ~/.config/fish/completions/policysync.fish
    """
    completion = get_completion_class(shell)
    if completion is None:
        raise click.ClickException(f"no completion for {shell}")
    root = ctx.find_root()
    click.echo(completion(root.command, {}, "policysync", "_POLICYSYNC_COMPLETE").source())
