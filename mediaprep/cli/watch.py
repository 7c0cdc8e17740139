"""``mediaprep watch``: process the files that are put into a folder."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from mediaprep.cli._arguments import category_option, option_group, profile_option
from mediaprep.cli._console import Console, print_error
from mediaprep.cli._exit import ExitCode
from mediaprep.cli._job_runs import (
    cluster_option,
    event_listener,
    events_option,
    job_timeout_option,
    jobs_option,
    quarantine_report,
    report_files_left,
    retries_option,
    stall_option,
    state_option,
    worker_pool,
)
from mediaprep.cli._placement import find_placement
from mediaprep.errors import Cancelled
from mediaprep.jobs.run.options import OnDone
from mediaprep.model.option_spec import option, positional
from mediaprep.model.options import parse_options
from mediaprep.model.units import bytes_written, parse_bytes
from mediaprep.runtime.paths import display_name

# The other imports are local: help and completion do without them.
if TYPE_CHECKING:
    from mediaprep.jobs.run.options import RunOptions
    from mediaprep.jobs.watch.watch import WatchOptions
    from mediaprep.jobs.workers.pool import WorkerPool
    from mediaprep.jobs.workers.records import RunSettings


def _parse_min_free(text: str) -> int:
    return bytes_written(*parse_bytes(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchArguments:
    """The arguments of ``watch``."""

    folder: Path = positional(
        "Folder to watch, with all folders below it.", metavar="IN", parse=Path
    )
    output: Path = positional(
        "Output folder, outside of IN; created if it does not exist.", metavar="OUT", parse=Path
    )
    profile: str | None = profile_option()
    category: str | None = category_option()
    settle: float = option(
        5.0,
        "Process a file when it has not changed for this long.",
        metavar="SECONDS",
        minimum=0.1,
    )
    incomplete_after: float = option(
        600.0,
        "Check an incomplete file as it is when it has not changed for this long.",
        metavar="SECONDS",
        minimum=1,
    )
    rescan: float = option(
        30.0,
        "Interval between full scans of the folder.",
        metavar="SECONDS",
        minimum=0.1,
    )
    poll: float | None = option(
        None,
        "Rescan at this interval and ignore file-system events.",
        metavar="SECONDS",
        type=float,
        minimum=0.1,
        shown_default="on network file systems",
    )
    once: bool = option(False, "Exit as soon as all files that are present have been processed.")
    on_done: OnDone = option(
        "leave",
        "What to do with a source when its output is complete.",
        choices=get_args(OnDone),
    )
    done: Path | None = option(
        None,
        "Folder that finished sources are moved to.",
        metavar="DIR",
        parse=Path,
        shown_default="IN/.done",
    )
    failed: Path | None = option(
        None,
        "Quarantine folder: receives the files that failed, each with a JSON report.",
        metavar="DIR",
        parse=Path,
        shown_default="OUT/.mediaprep/quarantine",
    )
    min_free: int = option(
        10**9,
        "Start no job while OUT has less free space than this.",
        metavar="SIZE",
        parse=_parse_min_free,
        shown_default="1GB",
    )
    jobs: int | None = jobs_option()
    cluster: str | None = cluster_option()
    state: Path | None = state_option()
    retries: int = retries_option()
    timeout: float | None = job_timeout_option()
    stall: float = stall_option()
    as_json: bool = events_option()
    options: Mapping[str, Any] = option_group("repair")


def watch(console: Console, arguments: WatchArguments) -> ExitCode:
    """Make files acceptable as they arrive in a folder.

    Each file is processed once, when it is complete; one that is accepted already is copied. Ctrl-C
    and SIGTERM stop the watch, and the next run continues with unfinished files.

    Exit code with
    --once: 0; 6: some files failed.
    """
    from mediaprep.jobs.run.options import RunOptions
    from mediaprep.jobs.watch.settle import SettleOptions
    from mediaprep.jobs.watch.watch import WatchOptions, refuse_unusable_folders
    from mediaprep.jobs.workers.records import RunSettings

    options = parse_options(arguments.options, console.settings.values)
    placement = find_placement(console, arguments.profile, arguments.category)
    context = console.context()
    run_options = RunOptions(
        retries=arguments.retries,
        timeout=arguments.timeout,
        stall=arguments.stall,
        on_refused="quarantine",
        watched=True,
        ffmpeg=context.ffmpeg,
        sandbox=context.sandbox,
    )
    settle = SettleOptions(
        settle=arguments.settle,
        check_interval=min(1.0, arguments.settle / 2),
        incomplete_after=arguments.incomplete_after,
    )
    watch_options = WatchOptions(
        rescan=arguments.rescan,
        poll=arguments.poll,
        on_done=arguments.on_done,
        done=arguments.done,
        min_free=arguments.min_free,
        once=arguments.once,
        settle=settle,
    )
    refuse_unusable_folders(arguments.folder, arguments.output, arguments.failed, arguments.done)
    settings = RunSettings(profile=placement.profile, category=placement.category, options=options)
    with (
        console.stoppable(),
        worker_pool(console, arguments.jobs, arguments.cluster) as pool,
    ):
        return _run(console, arguments, settings, pool, run_options, watch_options)


def _run(
    console: Console,
    arguments: WatchArguments,
    settings: RunSettings,
    pool: WorkerPool,
    run_options: RunOptions,
    watch_options: WatchOptions,
) -> ExitCode:
    from mediaprep.jobs.run import batch
    from mediaprep.jobs.run.output_folder import STATE_FOLDER
    from mediaprep.jobs.run.quarantine import Quarantine
    from mediaprep.jobs.watch.watch import Watch
    from mediaprep.report.batch import summary

    watching = Watch(arguments.folder, watch_options)
    quarantine = Quarantine(
        folder=(arguments.failed or arguments.output / STATE_FOLDER / "quarantine").absolute(),
        move=watch_options.on_done != "leave",
        report=quarantine_report,
    )
    with (
        event_listener(console, as_json=arguments.as_json, timed=True) as listen,
        batch.open_driver(
            arguments.output,
            settings,
            pool,
            run_options,
            watching.listener(listen),
            ledger_path=arguments.state,
            quarantine=quarantine,
            cancel=console.cancel,
        ) as driver,
    ):
        if not (arguments.as_json or console.options.quiet):
            print_error(
                f"{time.strftime('%H:%M:%S')} watching {display_name(arguments.folder)}: "
                f"profile {settings.profile.name}, up to {pool.jobs} jobs in parallel, "
                f"settle time {arguments.settle:g} s; press Ctrl-C to stop"
            )
        try:
            end = watching.run(driver)
        except Cancelled:
            report_files_left(driver)
            raise
    if not arguments.as_json:
        console.lines(summary(end, {}, str(arguments.output)))
    return ExitCode.BATCH if batch.count_failures(end.counts) else ExitCode.OK
