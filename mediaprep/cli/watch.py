"""``mediaprep watch``: convert what is dropped into a folder, without anybody watching."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mediaprep.cli import _job_runs as m
from mediaprep.cli import _options as o

if TYPE_CHECKING:
    from mediaprep.cli._console import Console
    from mediaprep.cli._exit import ExitCode
    from mediaprep.jobs.run.options import RunOptions
    from mediaprep.jobs.watch.watch import WatchOptions
    from mediaprep.jobs.workers.pool import WorkerPool
    from mediaprep.jobs.workers.records import RunSettings


def watch(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Argument(metavar="IN", help="The folder to watch, with all below it.")
    ],
    output: Annotated[
        Path,
        typer.Argument(
            metavar="OUT", help="Output folder, outside of IN; made if it is not there."
        ),
    ],
    profile: o.ProfileName = None,
    category: o.Category = None,
    settle: Annotated[
        float,
        typer.Option(
            "--settle", metavar="SECONDS", min=0.1, help="Quiet that a file needs to be taken."
        ),
    ] = 5.0,
    incomplete_after: Annotated[
        float,
        typer.Option(
            "--incomplete-after",
            metavar="SECONDS",
            min=1,
            help="Quiet after which an incomplete file is judged as it is.",
        ),
    ] = 600.0,
    rescan: Annotated[
        float,
        typer.Option(
            "--rescan", metavar="SECONDS", min=0.1, help="Look through the whole folder so often."
        ),
    ] = 30.0,
    poll: Annotated[
        float | None,
        typer.Option(
            "--poll",
            metavar="SECONDS",
            min=0.1,
            help="Do so, and listen to no events.",
            show_default="on network file systems",
        ),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="End as soon as everything that is there is done.")
    ] = False,
    on_done: Annotated[
        Literal["leave", "move", "delete"],
        typer.Option("--on-done", help="What becomes of a source that has its result."),
    ] = "leave",
    done: Annotated[
        Path | None,
        typer.Option(
            "--done", metavar="DIR", help="Where to it is moved.", show_default="IN/.done"
        ),
    ] = None,
    failed: Annotated[
        Path | None,
        typer.Option(
            "--failed",
            metavar="DIR",
            help="Quarantine of files that came to nothing.",
            show_default="OUT/.mediaprep/quarantine",
        ),
    ] = None,
    min_free: Annotated[
        str,
        typer.Option(
            "--min-free", metavar="SIZE", help="Begin no job while OUT has less free space."
        ),
    ] = "1GB",
    jobs: m.Jobs = None,
    cluster: m.ClusterAt = None,
    state: m.State = None,
    retries: m.Retries = 2,
    timeout: m.JobTimeout = None,
    stall: m.Stall = 900.0,
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
) -> None:
    """Make acceptable what is dropped into a folder: each file once, as soon as it is whole. What is fine is copied.

    Ctrl-C and SIGTERM stop it cleanly; what was in work is done by the next run. Exit code with --once: 0, or 6 where some files came to
    nothing.
    """
    from mediaprep.cli._console import Console
    from mediaprep.cli._placement import placement
    from mediaprep.cli._repair_arguments import options
    from mediaprep.jobs.run.options import RunOptions
    from mediaprep.jobs.watch.settle import SettleOptions
    from mediaprep.jobs.watch.watch import WatchOptions, refuse_unusable_folders
    from mediaprep.jobs.workers.records import RunSettings

    console = Console.of(context)
    asked = options(console, context.params)
    found, chosen = placement(console, profile, category)[1:]
    means = console.context()
    run_options = RunOptions(
        retries=retries,
        timeout=timeout,
        stall=stall,
        on_refused="quarantine",
        watched=True,
        ffmpeg=means.ffmpeg,
        sandbox=means.sandbox,
    )
    settle_options = SettleOptions(
        settle=settle, check_interval=min(1.0, settle / 2), incomplete_after=incomplete_after
    )
    watch_options = WatchOptions(
        rescan=rescan,
        poll=poll,
        on_done=on_done,
        done=done,
        min_free=m.bytes_of("--min-free", min_free),
        once=once,
        settle=settle_options,
    )
    refuse_unusable_folders(folder, output, failed, done)
    settings = RunSettings(profile=found, category=chosen, options=asked)
    with console.stoppable(), m.worker_pool(console, jobs, cluster) as pool:
        raise typer.Exit(
            _run(
                console,
                settings,
                pool,
                run_options,
                watch_options,
                folder,
                output,
                state,
                failed,
                as_json=as_json,
            )
        )


def _run(
    console: Console,
    settings: RunSettings,
    pool: WorkerPool,
    run_options: RunOptions,
    watch_options: WatchOptions,
    folder: Path,
    output: Path,
    state: Path | None,
    failed: Path | None,
    *,
    as_json: bool,
) -> ExitCode:
    from mediaprep.cli._console import complain
    from mediaprep.cli._exit import ExitCode
    from mediaprep.errors import Cancelled
    from mediaprep.jobs.run import batch
    from mediaprep.jobs.run.output_folder import STATE_FOLDER
    from mediaprep.jobs.run.quarantine import Quarantine
    from mediaprep.jobs.watch.watch import Watch
    from mediaprep.report.batch import summary
    from mediaprep.runtime.source import display_name

    watching = Watch(folder, watch_options)
    quarantine = Quarantine(
        folder=(failed or output / STATE_FOLDER / "quarantine").absolute(),
        move=watch_options.on_done != "leave",
        report=m.quarantine_report,
    )
    with (
        m.shown(console, as_json=as_json, timed=True) as listener,
        batch.open_driver(
            output,
            settings,
            pool,
            run_options,
            watching.listener(listener),
            ledger_path=state,
            quarantine=quarantine,
            cancel=console.cancel,
        ) as driver,
    ):
        if not (as_json or console.options.quiet):
            words = (
                f"watching {display_name(folder)}, settle {watch_options.settle.settle:g} s,"
                f" profile {settings.profile.name}, {pool.jobs} jobs"
            )
            complain(f"{time.strftime('%H:%M:%S')} {words}; ctrl-c stops")
        try:
            end = watching.run(driver)
        except Cancelled:
            m.report_left(driver)
            raise
    if not as_json:
        console.lines(summary(end, {}, str(output)))
    return ExitCode.BATCH if batch.count_failures(end.counts) else ExitCode.OK
