"""``mediaprep probe``: the facts of a file."""

from __future__ import annotations

from typing import Annotated

import typer

from mediaprep.cli._options import AsJson, FilesFrom, Inputs, Timeout


def probe(
    context: typer.Context,
    inputs: Inputs = None,
    as_json: AsJson = False,
    deep: Annotated[bool, typer.Option("--deep", help="Look at more of the picture.")] = False,
    files_from: FilesFrom = None,
    timeout: Timeout = None,
) -> None:
    """Show the facts of files: what is known, who said it, what could not be read and why."""
    from mediaprep.cli import _inputs
    from mediaprep.cli._console import Console, complain
    from mediaprep.cli._exit import worst
    from mediaprep.cli._for_each import complaint, each
    from mediaprep.model.media import Media
    from mediaprep.model.options import Options
    from mediaprep.model.serialize import encode
    from mediaprep.pipeline.inspect import facts
    from mediaprep.report import json
    from mediaprep.report.facts import all_facts
    from mediaprep.report.lines import line
    from mediaprep.runtime.effects import drive

    console = Console.of(context)
    names = _inputs.collect(inputs or (), files_from)
    means = console.context(timeout=timeout)

    def probed(path: str) -> Media:
        return drive(facts(_inputs.source_of(path), Options(deep=deep), means), means)

    codes, entries = [], []
    for number, done in enumerate(each(console, names, probed)):
        codes.append(done.code)
        media = done.value
        if as_json:
            error = {} if media is not None else {"error": done.error}
            entries.append(
                {
                    "path": done.name,
                    "kind": media and media.kind,
                    "media": media and encode(media),
                    **error,
                }
            )
        elif media is not None:
            console.lines([*([line()] if number else []), *all_facts(media, done.name)])
        if media is None:
            complain(complaint(done))
    if as_json:
        console.document(json.document(sandbox=console.confinement, files=entries))
    raise typer.Exit(worst(codes))
