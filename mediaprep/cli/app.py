"""The tree of commands. Each command imports the rest of what it needs when it runs."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from mediaprep.cli import jobs, profiles
from mediaprep.cli._arguments import arguments_from
from mediaprep.cli._console import GlobalOptions
from mediaprep.cli._help import help_without_command
from mediaprep.cli._typer_command import typer_command, with_parameters
from mediaprep.cli.batch import BatchArguments, batch
from mediaprep.cli.check import CheckArguments, check
from mediaprep.cli.doctor import doctor
from mediaprep.cli.explain import explain
from mediaprep.cli.fix import FixArguments, fix
from mediaprep.cli.plan import PlanArguments, plan
from mediaprep.cli.probe import ProbeArguments, probe
from mediaprep.cli.watch import WatchArguments, watch

app = typer.Typer(
    name="mediaprep",
    help="Check videos, GIFs, pictures and captions against a platform's upload limits, and fix "
    "what fails with the least re-encoding.",
    epilog="Options of mediaprep itself may stand before or after the command. Exit codes: "
    "0 accepted or fixed, 1 findings remain, 2 invalid usage, 3 unreadable input, "
    "4 environment problem, 5 encoding or verification failed, 6 some files of a batch or a watch "
    "failed, 70 internal error.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(requested: bool) -> None:
    if requested:
        from mediaprep import __version__

        typer.echo(f"mediaprep {__version__}")
        raise typer.Exit(0)


def main(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
    **values: Any,
) -> None:
    """Store the global options for the command."""
    context.obj = arguments_from(GlobalOptions, values)
    help_without_command(context)


app.callback(invoke_without_command=True)(with_parameters(main, GlobalOptions))
app.command()(typer_command(check, CheckArguments))
app.command()(typer_command(plan, PlanArguments))
app.command()(typer_command(fix, FixArguments))
app.command()(typer_command(batch, BatchArguments))
app.command()(typer_command(watch, WatchArguments))
app.command()(explain)
app.command()(typer_command(probe, ProbeArguments))
app.command()(doctor)
app.add_typer(profiles.app)
app.add_typer(jobs.app)
