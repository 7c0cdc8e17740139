"""``mediaprep fix``: make files acceptable with the least re-encoding."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mediaprep.cli._arguments import (
    captions_option,
    category_option,
    files_from_option,
    inputs_argument,
    json_option,
    option_group,
    profile_option,
)
from mediaprep.cli._console import Console, print_error
from mediaprep.cli._exit import ExitCode, worst
from mediaprep.cli._for_each import for_each
from mediaprep.cli._inputs import STDIN
from mediaprep.cli._post import attachment, post_report
from mediaprep.cli._repair_run import RepairRun, repair_run
from mediaprep.config import SETTINGS
from mediaprep.errors import EnvironmentProblem, UsageProblem
from mediaprep.model.option_spec import option, option_from
from mediaprep.runtime.paths import display_name, target_exists
from mediaprep.runtime.startup import load_in_background

# The other imports are local: the first file is read while they are loaded (``_load``).
if TYPE_CHECKING:
    from mediaprep.model.report import Report
    from mediaprep.pipeline.outcome import Outcome, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class FixArguments:
    """The arguments of ``fix``."""

    inputs: Sequence[str] = inputs_argument()
    output: str | None = option(
        None,
        "Output file, or output folder; a folder name that ends in / is created.",
        flags=("-o", "--output"),
        metavar="FILE|DIR/",
        shown_default="NAME.PROFILE.mp4 beside the input",
    )
    profile: str | None = profile_option()
    category: str | None = category_option()
    options: Mapping[str, Any] = option_group("repair")
    captions: str | None = captions_option()
    post: bool = option(
        False, "First check all inputs together, as one post; if that fails, write nothing."
    )
    force: bool = option(
        False, "Replace existing outputs; the input is never replaced.", flags=("-f", "--force")
    )
    dry_run: bool = option(
        False, "Only show what would be done, as plan does.", flags=("-n", "--dry-run")
    )
    as_json: bool = json_option()
    report: Path | None = option(
        None, "Also write one JSON report per input into this folder.", metavar="DIR", parse=Path
    )
    files_from: str | None = files_from_option()
    timeout: float | None = option_from(SETTINGS["timeout"])
    jobs: int | None = option_from(SETTINGS["jobs"])


def fix(console: Console, arguments: FixArguments) -> ExitCode:
    """Make files acceptable with the least re-encoding.

    A file that is accepted already is left as it is. An output appears only when it is complete and
    verified; the input is never changed.

    Exit code 0: accepted or fixed; 1: refused; 3: a file cannot be read; 4: ffmpeg or an encoder is
    missing; 5: encoding or verification failed.
    """

    run = repair_run(console, arguments, output=arguments.output, force=arguments.force)
    if arguments.dry_run:
        from mediaprep.cli.plan import show_plans

        return show_plans(console, run, argv=False)
    if not arguments.force and not run.options.split:
        _refuse_existing(run)
    reports = None if arguments.report is None else ReportFolder(arguments.report)
    if arguments.post and (code := _check_as_post(console, run)) is not None:
        return code
    jobs = arguments.jobs or int(console.settings.number("jobs") or 1)
    return _repair(console, run, reports, jobs)


def _refuse_existing(run: RepairRun) -> None:
    """Raise UsageProblem if the output file of ``-o`` exists."""

    for request in run.requests.values():
        file = request.destination.file
        if file is not None and os.path.lexists(file):
            raise target_exists(file)


def _check_as_post(console: Console, run: RepairRun) -> ExitCode | None:
    """Check all inputs as one post before any work.

    Returns None if they can be posted together. Otherwise the reason is shown, and nothing may be
    written. Raises: UsageProblem for standard input, which can be read only once.
    """
    from mediaprep.pipeline.post import check_post_steps, refused_post
    from mediaprep.report import json, text
    from mediaprep.runtime.effects import drive

    if STDIN in run.names:
        raise UsageProblem(
            "--post reads every input twice; save standard input ('-') to a file first"
        )
    context = console.context(timeout=run.timeout)
    requests = tuple(run.requests.values())
    checked = drive(check_post_steps(requests, context), context)
    if checked.whole.verdict != "fail":
        return None
    outcomes = refused_post(requests, checked)
    if run.as_json:
        stream = console.json_stream(profile=run.placement.profile.name)
        for name, outcome in zip(run.names, outcomes, strict=True):
            stream.add(json.fix_file(name, outcome))
        stream.end(post=json.post_body(checked.whole))
    else:
        console.lines(text.post_lines(checked.whole))
    unreadable = any(outcome.status == "unreadable" for outcome in outcomes)
    return ExitCode.UNREADABLE if unreadable else ExitCode.FINDINGS


def _repair(console: Console, run: RepairRun, reports: ReportFolder | None, jobs: int) -> ExitCode:
    """Repair each file and show the result."""
    import mediaprep.probing.identify.sniff  # noqa: F401 (reading waits for it)
    from mediaprep.pipeline.prepare import prepare_steps
    from mediaprep.report import json, text
    from mediaprep.runtime.effects import drive

    display = console.progress_display()
    context = console.context(timeout=run.timeout, listener=display)
    profile = run.placement.profile

    def fix_one(name: str) -> Outcome:
        return drive(prepare_steps(run.requests[name], context), context)

    codes, attachments = [], []
    stream = console.json_stream(profile=profile.name) if run.as_json else None
    with load_in_background(lambda: _load(console.ffmpeg)), display:
        for result in for_each(console, run.names, fix_one, jobs=jobs):
            outcome = result.value
            codes.append(result.code if outcome is None else _exit_code(outcome.status))
            attachments += [attachment(report) for report in _final_reports(outcome)]
            entry: dict[str, Any] = {}
            if stream is not None or reports is not None:
                entry = json.fix_file(result.name, outcome, result.error)
            if reports is not None:
                sandbox = console.effective_sandbox
                content = json.document(sandbox=sandbox, profile=profile.name, **entry)
                reports.write(result.name, content)
            with display.paused(_name_in_events(result.name)):
                if outcome is None:
                    print_error(result.error_line)
                elif stream is None:
                    console.lines(text.fix_lines(result.name, outcome, run.placement.name))
                if stream is not None:
                    stream.add(entry)
            console.log("done", path=result.name, **_log_facts(outcome))
    if stream is not None:
        stream.end(post=json.post_body(post_report(attachments, profile)))
    return worst(codes)


def _load(ffmpeg_path: str | None) -> None:
    """Import what the repair needs, while a child process reads the first file."""
    from mediaprep.model.media import Media
    from mediaprep.model.serialize import prepare_decoder
    from mediaprep.tools import ffmpeg_program

    prepare_decoder(Media)
    ffmpeg_program.preload(ffmpeg_path)


def _name_in_events(name: str) -> str:
    """Return the name that events have for an input."""

    return "stream" if name == STDIN else display_name(name)


def _final_reports(outcome: Outcome | None) -> Sequence[Report | None]:
    """Return the reports of what could be uploaded now: the outputs, or else the source."""
    if outcome is None:
        return [None]
    return outcome.after or [outcome.before]


def _exit_code(status: Status) -> ExitCode:

    codes = {
        "already_ok": ExitCode.OK,
        "fixed": ExitCode.OK,
        "refused": ExitCode.FINDINGS,
        "unreadable": ExitCode.UNREADABLE,
        "failed": ExitCode.FAILED,
    }
    return codes[status]


def _log_facts(outcome: Outcome | None) -> dict[str, Any]:
    if outcome is None:
        return {"status": "failed", "outputs": [], "seconds": None}
    seconds = round(outcome.seconds, 3)
    return {"status": outcome.status, "outputs": list(outcome.outputs), "seconds": seconds}


class ReportFolder:
    """The folder of ``--report``: one JSON document per input, named after it."""

    def __init__(self, folder: Path) -> None:
        """Raise UsageProblem if the folder cannot be created."""

        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise UsageProblem(
                f"--report {folder}: cannot be created: {problem.strerror}"
            ) from problem
        self._folder = folder
        self._taken: set[str] = set()

    def write(self, path: str, content: dict[str, object]) -> None:
        """Write one report; one from an earlier run is replaced. Raises: EnvironmentProblem."""
        from mediaprep.report.json import dumps, report_name

        name = report_name(path, self._taken)
        self._taken.add(name)
        try:
            (self._folder / name).write_text(dumps(content) + "\n", encoding="ascii")
        except OSError as problem:
            raise EnvironmentProblem(
                f"--report {self._folder / name}: cannot be written: {problem.strerror}"
            ) from problem
