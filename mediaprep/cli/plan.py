"""``mediaprep plan``: show what fix would do, without writing anything."""

from __future__ import annotations

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
from mediaprep.config import SETTINGS
from mediaprep.model.option_spec import option, option_from

# The other imports are local: help and completion do without them.
if TYPE_CHECKING:
    from mediaprep.cli._console import Console
    from mediaprep.cli._exit import ExitCode
    from mediaprep.cli._repair_run import RepairRun
    from mediaprep.model.report import Report
    from mediaprep.planning.plan import Output, Plan
    from mediaprep.report.predict import Prediction


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
    from mediaprep.cli._repair_run import repair_run

    return show_plans(console, repair_run(console, arguments), argv=arguments.argv)


def show_plans(console: Console, run: RepairRun, *, argv: bool) -> ExitCode:
    """Plan each file and show the plan; ``argv``: only its ffmpeg command lines."""
    from mediaprep.cli._console import print_error
    from mediaprep.cli._exit import worst
    from mediaprep.cli._for_each import for_each
    from mediaprep.cli._post import attachment, post_report
    from mediaprep.pipeline.prepare import inspect_steps
    from mediaprep.report import json
    from mediaprep.runtime.effects import drive

    context = console.context(timeout=run.timeout)

    def plan_one(name: str) -> tuple[Report, Plan | None]:
        return drive(inspect_steps(run.request(name), context), context)

    codes, attachments = [], []
    profile = run.placement.profile
    stream = console.json_stream(profile=profile.name) if run.as_json else None
    for result in for_each(console, run.names, plan_one):
        report, planned = result.value or (None, None)
        attachments.append(attachment(report))
        codes.append(result.code if report is None else _exit_code(planned))
        if stream is not None:
            outputs = _outputs_as_json(console, result.name, planned)
            stream.add(json.plan_file(result.name, report, planned, outputs, result.error))
        elif report is not None:
            _show(console, result.name, report, planned, run.placement.name, argv=argv)
        if report is None:
            print_error(result.error_line)
    if stream is not None:
        stream.end(post=json.post_body(post_report(attachments, profile)))
    return worst(codes)


def _exit_code(plan: Plan | None) -> ExitCode:
    from mediaprep.cli._exit import ExitCode

    if plan is None:
        return ExitCode.UNREADABLE
    return ExitCode.FINDINGS if plan.status == "refused" else ExitCode.OK


def _show(
    console: Console, path: str, report: Report, plan: Plan | None, placement: str, *, argv: bool
) -> None:
    from mediaprep.report import text
    from mediaprep.report.argv import quoted

    if not argv or plan is None or plan.status == "refused":
        console.lines(text.plan_lines(path, report, plan, _predictions(console, path, plan)))
        return
    for output, name in zip(plan.outputs, _output_names(path, plan), strict=True):
        words = _command_line(console, path, output, name)
        if words is not None:
            console.write(quoted(words) + "\n")


def _outputs_as_json(console: Console, path: str, plan: Plan | None) -> list[dict[str, Any]]:
    from mediaprep.report import json

    if plan is None:
        return []
    names, predictions = _output_names(path, plan), _predictions(console, path, plan)
    return [
        json.plan_output(output, prediction.body(), _command_line(console, path, output, name))
        for output, name, prediction in zip(plan.outputs, names, predictions, strict=True)
    ]


def _output_names(path: str, plan: Plan) -> list[str]:
    """Return the names that ``fix`` would give the outputs without -o."""
    from mediaprep.model.tolerance import fill_in
    from mediaprep.pipeline.upload_record import suffix
    from mediaprep.runtime.paths import fit_name

    spans = list(dict.fromkeys(output.span for output in plan.outputs))
    names = []
    for output in plan.outputs:
        number = "" if len(spans) == 1 else f".{spans.index(output.span) + 1:02d}"
        extension = suffix(fill_in(output.target, output.tolerances))
        tail = f".{output.placement.profile}{number}{extension}"
        names.append(fit_name(Path(path).stem, tail))
    return names


def _predictions(console: Console, path: str, plan: Plan | None) -> list[Prediction]:
    """Estimate size and time of each output, by encoding a few seconds of the first one."""
    from mediaprep.cli._inputs import STDIN
    from mediaprep.probing.identify.sniff import sniff
    from mediaprep.report.predict import predict
    from mediaprep.runtime.effects import drive
    from mediaprep.runtime.source import open_source
    from mediaprep.tools import ffmpeg
    from mediaprep.transcoding.trial import trial_steps
    from mediaprep.transcoding.video.command import EncodeJob

    outputs = plan.outputs if plan is not None else ()
    encoded = [output for output in outputs if _is_encoded_video(output)]
    if not encoded or path == STDIN:
        return [predict(output) for output in outputs]
    context = console.context()
    with open_source(path) as source:
        sniffed = sniff(source)
        job = EncodeJob(
            demuxer=sniffed.demuxer or "",
            whitelist=sniffed.format_whitelist or "",
            threads=context.limits.threads,
        )
        binary = ffmpeg.locate(console.ffmpeg)
        trial = drive(trial_steps(encoded[0], job, binary, source, context), context)
    return [predict(output, trial if _is_encoded_video(output) else None) for output in outputs]


def _is_encoded_video(output: Output) -> bool:
    source, target = output.source, output.target
    return source.kind == "video" and target.kind == "video" and target.video.reencode


def _command_line(console: Console, path: str, output: Output, name: str) -> Sequence[str] | None:
    """Return the ffmpeg command line that makes an output; None if one run is not enough."""
    from mediaprep.cli._inputs import STDIN
    from mediaprep.probing.identify.sniff import sniff
    from mediaprep.report.argv import printable_argv
    from mediaprep.runtime.source import open_source
    from mediaprep.tools import ffmpeg
    from mediaprep.transcoding.video import command as transcode
    from mediaprep.transcoding.video.bit_rate import aim

    if output.target.kind != "video" or output.source.kind != "video" or path == STDIN:
        return None
    if output.target.video.reencode and aim(output).way != "quality":
        return None
    with open_source(path) as source:
        sniffed = sniff(source)
    job = transcode.job(
        output,
        transcode.EncodeJob(demuxer=sniffed.demuxer or "", whitelist=sniffed.format_whitelist),
    )
    return printable_argv(ffmpeg.argv(ffmpeg.locate(console.ffmpeg), job), path, name)
