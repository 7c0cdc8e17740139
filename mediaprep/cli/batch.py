"""``mediaprep batch``: process every file of some folders once, into one output folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from mediaprep.cli._arguments import (
    category_option,
    files_from_option,
    inputs_argument,
    option_group,
    profile_option,
)
from mediaprep.cli._console import Console
from mediaprep.cli._exit import ExitCode
from mediaprep.cli._inputs import collect
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
from mediaprep.errors import Cancelled, UsageProblem
from mediaprep.jobs.run.options import OnRefused
from mediaprep.model.option_spec import option
from mediaprep.model.options import parse_options
from mediaprep.runtime.cores import available_cores

# The other imports are local: help and completion do without them.
if TYPE_CHECKING:
    from mediaprep.jobs.run.options import RunOptions
    from mediaprep.jobs.workers.pool import WorkerPool
    from mediaprep.jobs.workers.records import RunSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchArguments:
    """The arguments of ``batch``."""

    inputs: Sequence[str] = inputs_argument(
        metavar="DIR|FILE", help="Folders, with all folders below them, and files."
    )
    output: Path | None = option(
        None,
        "Output folder; created if it does not exist.",
        flags=("-o", "--output"),
        metavar="DIR",
        parse=Path,
    )
    profile: str | None = profile_option()
    category: str | None = category_option()
    jobs: int | None = jobs_option()
    cluster: str | None = cluster_option()
    state: Path | None = state_option()
    resume: bool = option(
        True,
        "Continue where the last run stopped, or process all files again.",
        flags=("--resume/--fresh",),
        shown_default="resume",
    )
    retries: int = retries_option()
    timeout: float | None = job_timeout_option()
    stall: float = stall_option()
    max_failures: int | None = option(
        None, "Stop after this many failures.", metavar="N", type=int, minimum=1
    )
    on_refused: OnRefused = option(
        "skip",
        "What to do with a file that is refused: nothing, copy it to the output folder, or copy it "
        "to the quarantine folder.",
        choices=get_args(OnRefused),
    )
    failed: Path | None = option(
        None,
        "Quarantine folder: receives a copy of each failed file, with a JSON report.",
        metavar="DIR",
        parse=Path,
    )
    dry_run: bool = option(
        False,
        "Only show what would be done: number of files, bytes, time.",
        flags=("-n", "--dry-run"),
    )
    as_json: bool = events_option()
    options: Mapping[str, Any] = option_group("repair")
    files_from: str | None = files_from_option()


def batch(console: Console, arguments: BatchArguments) -> ExitCode:
    """Make all files of folders acceptable, each once.

    The output folder gets the same subfolders; a file that is accepted already is copied. After a
    stop or a crash, run the same command again to continue.

    Exit code 0: every file has a
    result; 6: some files failed; 130, 143: stopped.
    """
    from mediaprep.jobs.run.options import RunOptions
    from mediaprep.jobs.workers.records import RunSettings

    options = parse_options(arguments.options, console.settings.values)
    names = collect(arguments.inputs, arguments.files_from)
    if arguments.output is None and not arguments.dry_run:
        raise UsageProblem("no output folder; pass -o DIR")
    placement = find_placement(console, arguments.profile, arguments.category)
    context = console.context()
    run_options = RunOptions(
        retries=arguments.retries,
        timeout=arguments.timeout,
        stall=arguments.stall,
        on_refused=arguments.on_refused,
        ffmpeg=context.ffmpeg,
        sandbox=context.sandbox,
    )
    settings = RunSettings(profile=placement.profile, category=placement.category, options=options)
    with (
        console.stoppable(),
        worker_pool(console, arguments.jobs, arguments.cluster) as pool,
    ):
        if arguments.output is None or arguments.dry_run:
            return _dry_run(console, settings, pool, run_options, names, as_json=arguments.as_json)
        return _run(console, arguments, settings, pool, run_options, names, arguments.output)


def _run(
    console: Console,
    arguments: BatchArguments,
    settings: RunSettings,
    pool: WorkerPool,
    run_options: RunOptions,
    names: Sequence[str],
    output: Path,
) -> ExitCode:
    from mediaprep.jobs.run import batch
    from mediaprep.jobs.run.quarantine import Quarantine
    from mediaprep.report.batch import summary

    batch.refuse_nested_outputs(names, output)
    folder = arguments.failed
    if folder is None and run_options.on_refused == "quarantine":
        folder = output / "quarantine"
    quarantine = None
    if folder is not None:
        quarantine = Quarantine(folder=folder, move=False, report=quarantine_report)
    with (
        event_listener(console, as_json=arguments.as_json) as listen,
        batch.open_driver(
            output,
            settings,
            pool,
            run_options,
            listen,
            ledger_path=arguments.state,
            quarantine=quarantine,
            cancel=console.cancel,
        ) as driver,
    ):
        try:
            end = batch.run(
                driver, names, fresh=not arguments.resume, max_failures=arguments.max_failures
            )
        except Cancelled:
            report_files_left(driver)
            raise
        totals = batch.count_by_status(driver)
    if not arguments.as_json:
        console.lines(summary(end, totals, str(output)))
    failures = [
        batch.count_failures(counts, on_refused=run_options.on_refused)
        for counts in (totals, end.counts)
    ]
    return ExitCode.BATCH if any(failures) or end.left else ExitCode.OK


def _dry_run(
    console: Console,
    settings: RunSettings,
    pool: WorkerPool,
    run_options: RunOptions,
    names: Sequence[str],
    *,
    as_json: bool,
) -> ExitCode:
    from mediaprep.jobs.run import batch
    from mediaprep.jobs.run.events import JobDone, JobEvent, JobInspected
    from mediaprep.report import json
    from mediaprep.report.batch import dry_run_lines
    from mediaprep.report.predict import predict
    from mediaprep.runtime.effects import drive
    from mediaprep.tools import ffmpeg_program
    from mediaprep.transcoding.host_speed import host_speed_steps

    predicted = {"bytes": 0, "seconds": 0.0}
    context = console.context()
    binary = ffmpeg_program.locate(console.ffmpeg)
    speed = drive(host_speed_steps(binary, context.limits.threads), context)

    def listen(event: JobEvent) -> None:
        if isinstance(event, JobInspected) and event.plan is not None:
            for output in event.plan.outputs:
                prediction = predict(output, host_speed=speed)
                predicted["bytes"] += prediction.bytes or 0
                predicted["seconds"] += prediction.seconds or 0.0
        if isinstance(event, JobDone):
            predicted["bytes"] += event.size_bytes if event.status == "already_ok" else 0
        elif not as_json:
            show(event)

    with event_listener(console, as_json=False) as show:
        end = batch.dry_run(settings, pool, run_options, names, listen, cancel=console.cancel)
    predicted["seconds"] *= 2 / max(1, available_cores())  # the predictions are for two cores
    if as_json:
        profile = settings.profile.name
        console.document(json.document(profile=profile, files=end.counts, predicted=predicted))
    else:
        console.lines(dry_run_lines(end, int(predicted["bytes"]), predicted["seconds"]))
    return ExitCode.BATCH if end.counts.get("problems") else ExitCode.OK
