"""``mediaprep plan``: what a repair would do, decided and proved without writing anything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mediaprep.cli import _options as o

if TYPE_CHECKING:
    from mediaprep.cli._each import Done
    from mediaprep.cli._exit import Code
    from mediaprep.cli._face import Face
    from mediaprep.finding import Report
    from mediaprep.plan import Output, Plan
    from mediaprep.profile import Profile
    from mediaprep.wishes import Wishes


def plan(
    context: typer.Context,
    inputs: o.Inputs = None,
    profile: o.ProfileName = None,
    category: o.Category = None,
    as_json: o.AsJson = False,
    argv: Annotated[bool, typer.Option("--argv", help="Print only the ffmpeg command lines, quoted for a shell.")] = False,
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
    mend: o.Mend = None,
    files_from: o.FilesFrom = None,
    timeout: o.Timeout = None,
) -> None:
    """Say what a repair would do: its steps, the rules that ask for each, and what is predicted. Nothing is written.

    Exit code 0: nothing to do, or it can be done; 1: refused; 3: a file cannot be read.
    """
    from mediaprep.cli import _inputs
    from mediaprep.cli._face import Face

    face = Face.of(context)
    asked = o.wishes(
        face, trim=trim, split=split, snap=snap, fit=fit, rung=rung, to=to, quality=quality, rate=rate, max_size=max_size,
        loudness=loudness, keep_metadata=keep_metadata, square_pixels=square_pixels, frame_rate=frame_rate, encoder=encoder,
        measure=measure, min_vmaf=min_vmaf, mend=mend,
    )  # fmt: skip
    names = _inputs.collect(inputs or (), files_from)
    name, found, chosen = o.placement(face, profile, category)
    raise typer.Exit(show(face, names, name, found, chosen, asked, as_json=as_json, argv=argv, timeout=timeout))


def show(
    face: Face,
    names: Sequence[str],
    name: str,
    found: Profile,
    category: str | None,
    asked: Wishes,
    *,
    as_json: bool,
    argv: bool,
    timeout: float | None,
) -> Code:
    """Plan each file and print it; also the dry run of ``fix``."""
    from mediaprep.cli import _inputs
    from mediaprep.cli._each import as_post, complaint, each
    from mediaprep.cli._exit import worst
    from mediaprep.cli._face import complain
    from mediaprep.pipeline import Order, judging
    from mediaprep.report import json
    from mediaprep.tools.effects import drive

    means = face.context(timeout=timeout)

    def planned(path: str) -> tuple[Report, Plan | None]:
        order = Order(source=_inputs.source_of(path), profile=found, category=category, wishes=asked)
        return drive(judging(order, means), means)

    codes, entries, media = [], [], []
    for done in each(face, names, planned):
        report, made = done.value or (None, None)
        media.append(None if report is None else report.media)
        codes.append(done.code if report is None else _code(report, made))
        if as_json:
            entries.append(json.plan_file(done.name, report, made, _outputs(face, done.name, made), done.error))
        elif report is not None:
            _say(face, done, report, made, name, argv=argv)
        if report is None:
            complain(complaint(done))
    if as_json:
        face.document(json.document(profile=found.name, files=entries, post=json.post_body(as_post(media, found))))
    return worst(codes)


def _code(report: Report, plan: Plan | None) -> Code:
    from mediaprep.cli._exit import Code

    if plan is None:
        return Code.UNREADABLE
    return Code.FINDINGS if plan.status == "refused" else Code.OK


def _say(face: Face, done: Done[tuple[Report, Plan | None]], report: Report, plan: Plan | None, name: str, *, argv: bool) -> None:
    from mediaprep.report import text
    from mediaprep.report.predict import predict

    if not argv or plan is None or plan.status == "refused":
        face.lines(text.plan_lines(done.name, report, plan, [predict(output) for output in plan.outputs] if plan else []))
        return
    for output, target in zip(plan.outputs, _names(done.name, plan), strict=True):
        words = command_line(face, done.name, output, target)
        if words is not None:
            from mediaprep.report.argv import quoted

            face.say(quoted(words) + "\n")


def _outputs(face: Face, path: str, plan: Plan | None) -> list[dict[str, object]]:
    from mediaprep.report import json
    from mediaprep.report.predict import predict

    return (
        [
            json.plan_output(output, predict(output).body(), command_line(face, path, output, target))
            for output, target in zip(plan.outputs, _names(path, plan), strict=True)
        ]
        if plan
        else []
    )


def _names(path: str, plan: Plan) -> list[str]:
    """What ``fix`` would call the outputs without -o; several are numbered."""
    from mediaprep.pipeline import SUFFIX

    count = len(plan.outputs)
    suffix = SUFFIX[plan.outputs[0].want.kind] if plan.outputs else ""
    base = [f"{Path(path).stem}.{output.spec.profile}" for output in plan.outputs]
    return [f"{stem}{suffix}" if count == 1 else f"{stem}.{number:02d}{suffix}" for number, stem in enumerate(base, 1)]


def command_line(face: Face, path: str, output: Output, target: str) -> tuple[str, ...] | None:
    """The ffmpeg command line that would make the output of this file; None for what is not one run of ffmpeg."""
    from mediaprep.cli._inputs import STDIN
    from mediaprep.files import open_source
    from mediaprep.probe.sniff import sniff
    from mediaprep.report.argv import shown_argv
    from mediaprep.tools import ffmpeg
    from mediaprep.transcode import video as transcode

    if output.want.kind != "video" or output.source.kind != "video" or path == STDIN:
        return None
    with open_source(path) as source:
        sniffed = sniff(source)
    job = transcode.job(output, transcode.Means(demuxer=sniffed.demuxer or "", whitelist=sniffed.format_whitelist))
    return shown_argv(ffmpeg.argv(ffmpeg.locate(face.ffmpeg), job), path, target)
