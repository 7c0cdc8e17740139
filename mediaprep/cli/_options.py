"""Options of commands that typer reads from the signature of a function."""

from __future__ import annotations

from typing import Annotated

import typer

from mediaprep.cli._arguments import profile_names
from mediaprep.config import SETTINGS

ProfileName = Annotated[
    str | None,
    typer.Option(
        "-p",
        "--profile",
        metavar="PROFILE",
        help=SETTINGS["profile"].help,
        autocompletion=profile_names,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Write one JSON document instead of text.")]
