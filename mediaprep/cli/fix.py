"""``mediaprep fix``: make files acceptable with the least work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mediaprep.cli import _options as o


def fix(
    context: typer.Context,
    inputs: o.Inputs = None,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE|DIR/",
            help="Where to; else beside each input as NAME.PROFILE.mp4.",
        ),
    ] = None,
    profile: o.ProfileName = None,
    category: o.Category = None,
    trim: o.Trim = None,
    split: o.Split = False,
    snap: o.Snap = None,
    fit: o.Fit = None,
    rung: o.Rung = None,
    to: o.To = "auto",
    quality: o.Quality = None,
    rate: o.Rate = None,
    max_size: o.MaxSize = None,
    loudness: o.Loudness = None,
    keep_metadata: o.KeepMetadata = None,
    square_pixels: o.SquarePixels = False,
    frame_rate: o.FrameRate = None,
    encoder: o.Encoder = None,
    measure: o.Measure = False,
    min_vmaf: o.MinVmaf = None,
    fix_level: o.FixLevel = None,
    captions: o.Captions = None,
    post: o.Post = False,
    force: Annotated[
        bool, typer.Option("-f", "--force", help="Replace an existing output; never the input.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("-n", "--dry-run", help="Only say what would be done, as plan does.")
    ] = False,
    as_json: o.AsJson = False,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="DIR", help="Write a receipt in JSON for each file."),
    ] = None,
    files_from: o.FilesFrom = None,
    timeout: o.Timeout = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "-j", "--jobs", min=1, metavar="N", help="Files to work on at a time.", show_default="1"
        ),
    ] = None,
) -> None:
    """Make files acceptable with the least work. What is fine is left alone; nothing is published that was not verified.

    Exit code 0: accepted or fixed; 1: refused; 3: a file cannot be read; 4: no ffmpeg or encoder; 5: the work or its verification failed.
    """
    from mediaprep.cli._console import Console
    from mediaprep.cli._fix import run

    raise typer.Exit(run(Console.of(context), context.params))
