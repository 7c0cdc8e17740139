"""``mediaprep plan``: what a repair would do, decided and proved without writing anything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mediaprep.cli import _options as o

if TYPE_CHECKING:
    from mediaprep.cli._console import Console
    from mediaprep.cli._exit import ExitCode
    from mediaprep.cli._repair_arguments import FixArguments
    from mediaprep.model.report import Report
    from mediaprep.planning.plan import Output, Plan
    from mediaprep.transcoding.trial import TrialResult


def plan(
    context: typer.Context,
    inputs: o.Inputs = None,
    profile: o.ProfileName = None,
    category: o.Category = None,
    as_json: o.AsJson = False,
    argv: Annotated[
        bool,
        typer.Option("--argv", help="Print only the ffmpeg command lines, quoted for a shell."),
    ] = False,
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
    files_from: o.FilesFrom = None,
    timeout: o.Timeout = None,
) -> None:
    """Say what a repair would do: its steps, the rules that ask for each, and what is predicted. Nothing is written.

    Exit code 0: nothing to do, or it can be done; 1: refused; 3: a file cannot be read.
    """
    from mediaprep.cli._console import Console
    from mediaprep.cli._repair_arguments import request

    console = Console.of(context)
    raise typer.Exit(show(console, request(console, context.params), argv=argv))


def show(console: Console, request: FixArguments, *, argv: bool) -> ExitCode:
    """Plan each file and print it; also the dry run of ``fix``."""
    from mediaprep.cli import _inputs
    from mediaprep.cli._console import complain
    from mediaprep.cli._exit import worst
    from mediaprep.cli._for_each import as_post, complaint, each
    from mediaprep.pipeline.prepare import inspect_steps
    from mediaprep.pipeline.request import Request
    from mediaprep.report import json
    from mediaprep.runtime.effects import drive

    means = console.context(timeout=request.timeout)

    def planned(path: str) -> tuple[Report, Plan | None]:
        source = _inputs.source_of(path)
        order = Request(
            source=source,
            profile=request.profile,
            category=request.category,
            options=request.options,
            captions=request.captions,
        )
        return drive(inspect_steps(order, means), means)

    codes, entries, media = [], [], []
    for done in each(console, request.names, planned):
        report, made = done.value or (None, None)
        media.append(None if report is None else report.media)
        codes.append(done.code if report is None else _code(report, made))
        if request.as_json:
            entries.append(
                json.plan_file(
                    done.name, report, made, _outputs(console, done.name, made), done.error
                )
            )
        elif report is not None:
            _say(console, done.name, report, made, request.placement, argv=argv)
        if report is None:
            complain(complaint(done))
    if request.as_json:
        post = json.post_body(as_post(media, request.profile))
        console.document(
            json.document(
                sandbox=console.confinement, profile=request.profile.name, files=entries, post=post
            )
        )
    return worst(codes)


def _code(report: Report, plan: Plan | None) -> ExitCode:
    from mediaprep.cli._exit import ExitCode

    if plan is None:
        return ExitCode.UNREADABLE
    return ExitCode.FINDINGS if plan.status == "refused" else ExitCode.OK


def _say(
    console: Console, path: str, report: Report, plan: Plan | None, placement: str, *, argv: bool
) -> None:
    from mediaprep.report import text
    from mediaprep.report.predict import predict

    if not argv or plan is None or plan.status == "refused":
        trials = trials_of(console, path, plan)
        predicted = (
            [predict(output, trial) for output, trial in zip(plan.outputs, trials, strict=True)]
            if plan
            else []
        )
        console.lines(text.plan_lines(path, report, plan, predicted))
        return
    for output, target in zip(plan.outputs, _names(path, plan), strict=True):
        words = command_line(console, path, output, target)
        if words is not None:
            from mediaprep.report.argv import quoted

            console.say(quoted(words) + "\n")


def _outputs(console: Console, path: str, plan: Plan | None) -> list[dict[str, object]]:
    from mediaprep.report import json
    from mediaprep.report.predict import predict

    return (
        [
            json.plan_output(
                output, predict(output, trial).body(), command_line(console, path, output, target)
            )
            for output, target, trial in zip(
                plan.outputs, _names(path, plan), trials_of(console, path, plan), strict=True
            )
        ]
        if plan
        else []
    )


def _names(path: str, plan: Plan) -> list[str]:
    """What ``fix`` would call the outputs without -o; several parts are numbered, captions are called as their part."""
    from mediaprep.model.tolerance import fill_in
    from mediaprep.pipeline.upload_record import suffix
    from mediaprep.runtime.source import fitting

    spans = list(dict.fromkeys(output.span for output in plan.outputs))
    names = []
    for output in plan.outputs:
        number = "" if len(spans) == 1 else f".{spans.index(output.span) + 1:02d}"
        tail = f".{output.placement.profile}{number}{suffix(fill_in(output.target, output.tolerances))}"
        names.append(fitting(Path(path).stem, tail))
    return names


def trials_of(console: Console, path: str, plan: Plan | None) -> list[TrialResult | None]:
    """A few seconds of the first encode that is planned, done now: for what is predicted of all of them."""
    from mediaprep.cli._inputs import STDIN
    from mediaprep.model.media import Video
    from mediaprep.probing.identify.sniff import sniff
    from mediaprep.runtime.effects import drive
    from mediaprep.runtime.source import open_source
    from mediaprep.tools import ffmpeg
    from mediaprep.transcoding.trial import trial_steps
    from mediaprep.transcoding.video.command import EncodeJob

    outputs = plan.outputs if plan else ()
    first = next(
        (
            o
            for o in outputs
            if isinstance(o.source, Video)
            and isinstance(o.target, Video)
            and o.target.video.reencode
        ),
        None,
    )
    if first is None or path == STDIN:
        return [None] * len(outputs)
    context = console.context()
    with open_source(path) as source:
        sniffed = sniff(source)
        means = EncodeJob(
            demuxer=sniffed.demuxer or "",
            whitelist=sniffed.format_whitelist or "",
            threads=context.limits.threads,
        )
        trial = drive(
            trial_steps(first, means, ffmpeg.locate(console.ffmpeg), source, context), context
        )
    return [
        trial if isinstance(o.target, Video) and o.target.video.reencode else None for o in outputs
    ]


def command_line(
    console: Console, path: str, output: Output, target: str
) -> tuple[str, ...] | None:
    """The ffmpeg command line that would make the output of this file; None for what is not one run of ffmpeg."""
    from mediaprep.cli._inputs import STDIN
    from mediaprep.probing.identify.sniff import sniff
    from mediaprep.report.argv import shown_argv
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
    return shown_argv(ffmpeg.argv(ffmpeg.locate(console.ffmpeg), job), path, target)
