"""``mediaprep doctor``: what this host has for the work."""

from __future__ import annotations

import typer

from mediaprep.cli._options import AsJson


def doctor(context: typer.Context, as_json: AsJson = False) -> None:
    """Look at this host: ffmpeg, libraries, protections, profiles and the configuration in force.

    Exit code 0: all that is needed is here; 4: something is missing.
    """
    from mediaprep.cli._console import Console
    from mediaprep.cli._exit import ExitCode
    from mediaprep.doctor import examine
    from mediaprep.report import json
    from mediaprep.report.lines import StyledText, line

    console = Console.of(context)
    with console.stoppable():
        found = examine(console.settings, console.context())
    if as_json:
        items = [
            {"name": item.name, "status": item.status, "message": item.words, "facts": item.facts}
            for item in found.items
        ]
        console.document(json.document(healthy=found.healthy, items=items))
    else:
        style = {"ok": "green", "warn": "yellow", "fail": "red"}
        console.lines(
            line(StyledText(f"{item.status:5}", style[item.status]), item.words)
            for item in found.items
        )
    raise typer.Exit(ExitCode.OK if found.healthy else ExitCode.ENVIRONMENT)
