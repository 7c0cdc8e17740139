"""``mediaprep check``: judge files by a platform's limits."""

from __future__ import annotations

from typing import Annotated

import typer

from mediaprep.cli._options import (
    AsJson,
    Captions,
    Category,
    FilesFrom,
    Inputs,
    LevelWord,
    Post,
    ProfileName,
    Timeout,
)


def check(
    context: typer.Context,
    inputs: Inputs = None,
    profile: ProfileName = None,
    category: Category = None,
    as_json: AsJson = False,
    fail_on: Annotated[
        LevelWord | None,
        typer.Option(
            "--fail-on",
            help="Findings of which level, and above, make the exit code 1.",
            show_default="must",
        ),
    ] = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Decode as much as a sure verdict takes.")
    ] = False,
    exit_zero: Annotated[
        bool, typer.Option("--exit-zero", help="Exit 0 in spite of findings.")
    ] = False,
    post: Post = False,
    captions: Captions = None,
    files_from: FilesFrom = None,
    timeout: Timeout = None,
) -> None:
    """Judge files by a platform's limits. Nothing is written.

    Exit code 0: accepted; 1: findings remain, or a verdict cannot be told; 3: a file cannot be read.
    """
    from mediaprep.cli._check import CheckArguments, run
    from mediaprep.cli._console import Console

    asked = CheckArguments(
        inputs=inputs or (),
        profile=profile,
        category=category,
        as_json=as_json,
        fail_on=fail_on,
        deep=deep,
        exit_zero=exit_zero,
        post=post,
        captions=captions,
        files_from=files_from,
        timeout=timeout,
    )
    raise typer.Exit(run(Console.of(context), asked))
