"""``mediaprep plan``: show what fix would do, without writing anything."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
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
from mediaprep.model.option_spec import option, option_from

# The other imports are local: help and completion do without them.
if TYPE_CHECKING:
    from mediaprep.model.report import Report
    from mediaprep.pipeline.output_paths import OutputPath
    from mediaprep.planning.plan import Output, Plan
    from mediaprep.report.predict import Prediction
    from mediaprep.transcoding.job import EncodeJob


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanArguments:
    """The arguments of ``plan``."""

    inputs: Sequence[str] = inputs_argument()
    profile: str | None = profile_option()
    category: str | None = category_option()
    as_json: bool = json_option()
    argv: bool = option(False, "Print only the ffmpeg command lines, quoted for a shell.")
    options: Mapping[str, Any] = option_group("repair")
    captions: str | None = captions_option()
    files_from: str | None = files_from_option()
    timeout: float | None = option_from(SETTINGS["timeout"])


def plan(console: Console, arguments: PlanArguments) -> ExitCode:
    """Show what fix would do, without writing anything.

    Each step names the rules that require it; size and time are estimated from a short test encode.

    Exit code 0: nothing to do, or it can be done; 1: refused; 3: a file cannot be read.
    """

    return show_plans(console, repair_run(console, arguments), argv=arguments.argv)


def show_plans(console: Console, run: RepairRun, *, argv: bool) -> ExitCode:
    """Plan each file and show the plan; ``argv``: only its ffmpeg command lines."""
    from mediaprep.pipeline.inspect import inspect_steps
    from mediaprep.report import json
    from mediaprep.runtime.effects import drive

    context = console.context(timeout=run.timeout)

    def plan_one(name: str) -> tuple[Report, Plan | None]:
        inspection = drive(inspect_steps(run.requests[name], context, for_repair=True), context)
        plan = inspection.plan() if inspection.unreadable is None else None
        return inspection.report, plan

    codes, attachments = [], []
    profile = run.placement.profile
    stream = console.json_stream(profile=profile.name) if run.as_json else None
    for result in for_each(console, run.names, plan_one):
        report, planned = result.value or (None, None)
        attachments.append(attachment(report))
        codes.append(result.code if report is None else _exit_code(planned))
        if stream is not None:
            outputs = _outputs_as_json(console, run, result.name, planned)
            stream.add(json.plan_file(result.name, report, planned, outputs, result.error))
        elif report is not None:
            _show(console, run, result.name, report, planned, argv=argv)
        if report is None:
            print_error(result.error_line)
    if stream is not None:
        stream.end(post=json.post_body(post_report(attachments, profile)))
    return worst(codes)


def _exit_code(plan: Plan | None) -> ExitCode:

    if plan is None:
        return ExitCode.UNREADABLE
    return ExitCode.FINDINGS if plan.status == "refused" else ExitCode.OK


def _show(
    console: Console, run: RepairRun, path: str, report: Report, plan: Plan | None, *, argv: bool
) -> None:
    from mediaprep.report import text
    from mediaprep.report.argv import quoted

    if plan is None or plan.status != "planned":
        console.lines(text.plan_lines(path, report, plan))
        return
    paths = _output_paths(run, path, plan)
    if not argv:
        predictions = _predictions(console, path, plan)
        names = [_shown_path(output_path) for output_path in paths]
        console.lines(text.plan_lines(path, report, plan, predictions, names))
        return
    for output, output_path in zip(plan.outputs, paths, strict=True):
        words = _command_line(console, path, output, output_path)
        if words is not None:
            console.write(quoted(words) + "\n")


def _outputs_as_json(
    console: Console, run: RepairRun, path: str, plan: Plan | None
) -> list[dict[str, Any]]:
    from mediaprep.report import json

    if plan is None or plan.status != "planned":
        return []
    paths, predictions = _output_paths(run, path, plan), _predictions(console, path, plan)
    return [
        json.plan_output(
            output,
            str(output_path.path),
            prediction.body(),
            _command_line(console, path, output, output_path),
        )
        for output, output_path, prediction in zip(plan.outputs, paths, predictions, strict=True)
    ]


def _output_paths(run: RepairRun, path: str, plan: Plan) -> Sequence[OutputPath]:
    """Return the paths that ``fix`` would give the outputs."""
    from mediaprep.pipeline.output_paths import output_paths

    return output_paths(run.requests[path], "" if path == STDIN else path, plan.outputs)


def _shown_path(output_path: OutputPath) -> str:
    """Return the path of an output, relative if it is below the working folder."""
    path, folder = output_path.path, Path.cwd()
    shown = path.relative_to(folder) if path.is_relative_to(folder) else path
    suffixes = [other.suffix for other in output_path.possible if other != path]
    return " or ".join([str(shown), *suffixes])


def _predictions(console: Console, path: str, plan: Plan) -> list[Prediction]:
    """Estimate size and time of each output, by encoding a few seconds of the first one."""
    from mediaprep.report.predict import predict
    from mediaprep.runtime.effects import drive
    from mediaprep.transcoding.trial import trial_steps

    encoded = [output for output in plan.outputs if _is_encoded_video(output)]
    if not encoded or path == STDIN:
        return [predict(output) for output in plan.outputs]
    with _encode_job(console, path, encoded[0]) as job:
        trial = drive(trial_steps(job), job.context)
    return [
        predict(output, trial if _is_encoded_video(output) else None) for output in plan.outputs
    ]


def _is_encoded_video(output: Output) -> bool:
    source, target = output.source, output.target
    return source.kind == "video" and target.kind == "video" and target.video.reencode


@contextlib.contextmanager
def _encode_job(console: Console, path: str, output: Output) -> Iterator[EncodeJob]:
    """Open a file, and yield the job that would produce an output from it."""
    from mediaprep.probing.identify.sniff import sniff
    from mediaprep.runtime.source import open_source
    from mediaprep.tools import ffmpeg_program
    from mediaprep.transcoding.job import EncodeJob

    with open_source(path) as source:
        sniffed = sniff(source)
        yield EncodeJob(
            output=output,
            source=source,
            context=console.context(),
            binary=ffmpeg_program.locate(console.ffmpeg),
            demuxer=sniffed.demuxer or "",
            whitelist=sniffed.format_whitelist or "",
        )


def _command_line(
    console: Console, path: str, output: Output, output_path: OutputPath
) -> Sequence[str] | None:
    """Return the ffmpeg command line that makes an output; None if one run is not enough."""
    from mediaprep.report.argv import printable_argv
    from mediaprep.tools import ffmpeg
    from mediaprep.transcoding.video.bit_rate import rate_target
    from mediaprep.transcoding.video.command import video_command

    if output.target.kind != "video" or output.source.kind != "video" or path == STDIN:
        return None
    if output.target.video.reencode and rate_target(output).way != "quality":
        return None
    with _encode_job(console, path, output) as job:
        argv = ffmpeg.argv(job.binary, video_command(job))
    return printable_argv(argv, path, output_path.path.name)
