"""``mediaprep batch``: every file of some folders once, into one output folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mediaprep.cli import _job_runs as m
from mediaprep.cli import _options as o

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mediaprep.cli._console import Console
    from mediaprep.cli._exit import ExitCode
    from mediaprep.jobs.run.options import RunOptions
    from mediaprep.jobs.workers.pool import WorkerPool
    from mediaprep.jobs.workers.records import RunSettings


def batch(
    context: typer.Context,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="DIR|FILE...",
            help="Folders, with all below them, and files.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="DIR", help="Output folder; made if it is not there."
        ),
    ] = None,
    profile: o.ProfileName = None,
    category: o.Category = None,
    jobs: m.Jobs = None,
    cluster: m.ClusterAt = None,
    state: m.State = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume/--fresh", help="Go on where the last run stopped, or do everything again."
        ),
    ] = True,
    retries: m.Retries = 2,
    timeout: m.JobTimeout = None,
    stall: m.Stall = 900.0,
    max_failures: Annotated[
        int | None,
        typer.Option("--max-failures", min=1, metavar="N", help="Stop after so many failures."),
    ] = None,
    on_refused: Annotated[
        Literal["skip", "copy", "quarantine"],
        typer.Option("--on-refused", help="What becomes of files that are refused."),
    ] = "skip",
    failed: Annotated[
        Path | None,
        typer.Option(
            "--failed",
            metavar="DIR",
            help="A folder for copies of files that failed, each with its report.",
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("-n", "--dry-run", help="Only say what would be done: files, bytes, time."),
    ] = False,
    as_json: m.Events = False,
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
    files_from: o.FilesFrom = None,
) -> None:
    """Make every file of some folders acceptable, once. The output folder mirrors them; what is fine is copied as it is.

    Stopped or killed, the same command goes on where it was. Exit code 0: every file has a result; 6: some have none; 130, 143: stopped.
    """
    from mediaprep.cli import _inputs
    from mediaprep.cli._console import Console
    from mediaprep.cli._placement import placement
    from mediaprep.cli._repair_arguments import options
    from mediaprep.errors import UsageProblem
    from mediaprep.jobs.run.options import RunOptions
    from mediaprep.jobs.workers.records import RunSettings

    console = Console.of(context)
    asked = options(console, context.params)
    names = _inputs.collect(inputs or (), files_from)
    if output is None and not dry_run:
        raise UsageProblem("no output folder: name it with -o DIR")
    found, chosen = placement(console, profile, category)[1:]
    means = console.context()
    run_options = RunOptions(
        retries=retries,
        timeout=timeout,
        stall=stall,
        on_refused=on_refused,
        ffmpeg=means.ffmpeg,
        sandbox=means.sandbox,
    )
    settings = RunSettings(profile=found, category=chosen, options=asked)
    with console.stoppable(), m.worker_pool(console, jobs, cluster) as pool:
        if output is None or dry_run:
            raise typer.Exit(_dry(console, settings, pool, run_options, names, as_json=as_json))
        kept = failed or (output / "quarantine" if on_refused == "quarantine" else None)
        limits = {"fresh": not resume, "max_failures": max_failures}
        raise typer.Exit(
            _run(
                console,
                settings,
                pool,
                run_options,
                names,
                output,
                state,
                kept,
                limits,
                as_json=as_json,
            )
        )


def _run(
    console: Console,
    settings: RunSettings,
    pool: WorkerPool,
    run_options: RunOptions,
    names: Sequence[str],
    output: Path,
    state: Path | None,
    kept: Path | None,
    limits: dict[str, bool | int | None],
    *,
    as_json: bool,
) -> ExitCode:
    from mediaprep.cli._exit import ExitCode
    from mediaprep.errors import Cancelled
    from mediaprep.jobs.run import batch
    from mediaprep.jobs.run.quarantine import Quarantine
    from mediaprep.report.batch import summary

    batch.refuse_nested_outputs(names, output)
    quarantine = (
        None if kept is None else Quarantine(folder=kept, move=False, report=m.quarantine_report)
    )
    with (
        m.shown(console, as_json=as_json) as listener,
        batch.open_driver(
            output,
            settings,
            pool,
            run_options,
            listener,
            ledger_path=state,
            quarantine=quarantine,
            cancel=console.cancel,
        ) as driver,
    ):
        try:
            end = batch.run(
                driver, names, fresh=bool(limits["fresh"]), max_failures=limits["max_failures"]
            )
        except Cancelled:
            m.report_left(driver)
            raise
        total = batch.count_by_status(driver)
    if not as_json:
        console.lines(summary(end, total, str(output)))
    bad = any(
        batch.count_failures(counts, on_refused=run_options.on_refused)
        for counts in (total, end.counts)
    )
    return ExitCode.BATCH if bad or end.left else ExitCode.OK


def _dry(
    console: Console,
    settings: RunSettings,
    pool: WorkerPool,
    run_options: RunOptions,
    names: Sequence[str],
    *,
    as_json: bool,
) -> ExitCode:
    from mediaprep.cli._exit import ExitCode
    from mediaprep.jobs.run import batch
    from mediaprep.jobs.run.events import JobDone, JobEvent, JobInspected
    from mediaprep.jobs.workers.threads import available_cores
    from mediaprep.report import json
    from mediaprep.report.batch import dry_lines
    from mediaprep.report.predict import predict
    from mediaprep.runtime.effects import drive
    from mediaprep.tools import ffmpeg
    from mediaprep.transcoding.trial import host_speed

    made = {"bytes": 0, "seconds": 0.0}
    means = console.context()
    speed = drive(host_speed(ffmpeg.locate(console.ffmpeg), means.limits.threads, means), means)

    def count(event: JobEvent) -> None:
        if isinstance(event, JobInspected) and event.plan is not None:
            for predicted in (predict(output, host_speed=speed) for output in event.plan.outputs):
                made["bytes"] += predicted.bytes or 0
                made["seconds"] += predicted.seconds or 0.0
        if isinstance(event, JobDone):
            made["bytes"] += event.size_bytes if event.status == "already_ok" else 0
        if not isinstance(event, JobDone) and not as_json:
            listener(event)

    with m.shown(console, as_json=False) as listener:
        end = batch.dry_run(settings, pool, run_options, names, count, cancel=console.cancel)
    made["seconds"] *= 2 / max(1, available_cores())  # the estimates are for two cores
    if as_json:
        console.document(
            json.document(profile=settings.profile.name, files=end.counts, predicted=made)
        )
    else:
        console.lines(dry_lines(end, int(made["bytes"]), made["seconds"]))
    return ExitCode.OK if not end.counts.get("problems") else ExitCode.BATCH
