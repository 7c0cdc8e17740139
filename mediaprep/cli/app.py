"""The command tree. Nothing heavy is imported here: each command imports what it needs when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from mediaprep.cli import jobs, profiles
from mediaprep.cli._console import GlobalOptions
from mediaprep.cli.batch import batch
from mediaprep.cli.check import check
from mediaprep.cli.doctor import doctor
from mediaprep.cli.explain import explain
from mediaprep.cli.fix import fix
from mediaprep.cli.plan import plan
from mediaprep.cli.probe import probe
from mediaprep.cli.watch import watch

app = typer.Typer(
    name="mediaprep",
    help="Checks videos, GIFs, pictures and captions against a platform's upload limits, and repairs what fails with the least work.",
    epilog="Options of mediaprep itself may stand before or after the command. Exit codes: 0 accepted or fixed, "
    "1 findings remain, 2 usage, 3 unreadable, 4 environment, 5 work failed, 6 some files of a batch came to nothing, 70 internal error.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        from mediaprep import __version__

        typer.echo(f"mediaprep {__version__}")
        raise typer.Exit(0)


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", metavar="FILE", help="Configuration file that goes before all others."
        ),
    ] = None,
    isolated: Annotated[
        bool,
        typer.Option(
            "--isolated", help="Ignore environment and configuration files (but --config)."
        ),
    ] = False,
    verbose: Annotated[
        int,
        typer.Option(
            "-v", "--verbose", count=True, help="Log to stderr; tracebacks; twice for more."
        ),
    ] = 0,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress on stderr.")] = False,
    color: Annotated[
        Literal["auto", "always", "never"] | None,
        typer.Option("--color", help="Colour in the answer.", show_default="auto"),
    ] = None,
    ffmpeg: Annotated[
        str | None,
        typer.Option(
            "--ffmpeg", metavar="PATH", help="An ffmpeg binary instead of the bundled one."
        ),
    ] = None,
    sandbox: Annotated[
        Literal["auto", "strict", "basic"] | None,
        typer.Option(
            "--sandbox",
            help="The weakest confinement of tools that is accepted.",
            show_default="auto",
        ),
    ] = None,
    progress: Annotated[
        Literal["auto", "bar", "plain", "json", "none"] | None,
        typer.Option("--progress", help="How progress is drawn on stderr.", show_default="auto"),
    ] = None,
    log_file: Annotated[
        Path | None,
        typer.Option("--log-file", metavar="FILE", help="Append the log to a file, as JSON lines."),
    ] = None,
) -> None:
    """Keep the options of mediaprep itself for the command; without a command: the help, and exit code 2."""
    context.obj = GlobalOptions(
        config=config,
        isolated=isolated,
        verbose=verbose,
        quiet=quiet,
        color=color,
        ffmpeg=ffmpeg,
        sandbox=sandbox,
        log_file=log_file,
        progress=progress,
    )
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


for command in (check, plan, fix, batch, watch, explain, probe, doctor):
    app.command()(command)
app.add_typer(profiles.app)
app.add_typer(jobs.app)
