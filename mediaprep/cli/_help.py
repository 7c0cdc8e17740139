"""The help of a group of commands."""

from __future__ import annotations

import typer


def help_without_command(context: typer.Context) -> None:
    """Show the help, with exit code 2, if no command of the group is named."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)
