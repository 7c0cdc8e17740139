"""``mediaprep doctor``: show what this host provides."""

from __future__ import annotations

import typer

from mediaprep.cli._options import AsJson

_STYLE = {"ok": "green", "warn": "yellow", "fail": "red"}


def doctor(context: typer.Context, as_json: AsJson = False) -> None:
    """Show what this host provides, and the settings in force.

    It examines ffmpeg, libraries, the sandbox, profiles and configuration files. Exit code 0:
    everything required is present; 4: something is missing.
    """
    from mediaprep.cli._console import Console
    from mediaprep.cli._exit import ExitCode
    from mediaprep.doctor import examine
    from mediaprep.report import json
    from mediaprep.report.lines import StyledText, line

    console = Console.of(context)
    with console.stoppable():
        diagnosis = examine(console.settings, console.context())
    if as_json:
        items = [
            {"name": item.name, "status": item.status, "message": item.message, "facts": item.facts}
            for item in diagnosis.items
        ]
        console.document(json.document(healthy=diagnosis.healthy, items=items))
    else:
        for item in diagnosis.items:
            status = StyledText(f"{item.status:5}", _STYLE[item.status])
            console.lines([line(status, item.message)])
    raise typer.Exit(ExitCode.OK if diagnosis.healthy else ExitCode.ENVIRONMENT)
