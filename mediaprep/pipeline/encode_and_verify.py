"""One output: encoded into a hidden work file, doubted, measured where asked, tried again where that helps. Nothing is published here."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from mediaprep.errors import SourceUnreadable, ToolError, VerifyError
from mediaprep.model.media import Animation, Image, Media, Subtitle, Video
from mediaprep.model.options import Wishes
from mediaprep.model.record import Copied, Evidence
from mediaprep.model.report import Report
from mediaprep.model.tolerance import assume
from mediaprep.pipeline.notes import efforts, reached, shortfalls
from mediaprep.pipeline.upload_record import suffix
from mediaprep.planning.plan import Output
from mediaprep.planning.verify import verify
from mediaprep.probing import Looked, looking
from mediaprep.runtime.atomic import remove_part, work_file
from mediaprep.runtime.context import Context
from mediaprep.runtime.effects import Steps, call
from mediaprep.runtime.source import Source, open_source
from mediaprep.tools import ffmpeg
from mediaprep.transcoding.choice import choosing
from mediaprep.transcoding.cutting import by_packet, proving
from mediaprep.transcoding.encoders import SOFTWARE
from mediaprep.transcoding.execute import decode, execute
from mediaprep.transcoding.measure import measuring
from mediaprep.transcoding.video import Means


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One output to make, the source that it is made of, and what a look at that gave."""

    output: Output
    source: Source
    looked: Looked


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One verified work file, not yet published."""

    part: Path
    report: Report
    evidence: Evidence


def making(task: Task, folder: Path, context: Context, index: int, count: int) -> Steps[Made]:
    """One output in a hidden work file beside its target, verified; tried again where a quality is asked for. Raises: ToolError,
    VerifyError; leaves nothing then."""
    output, looked = task.output, task.looked
    binary = (
        "" if isinstance(output.want, (Image, Subtitle)) else ffmpeg.locate(context.ffmpeg)
    )  # which these do without
    means = Means(
        demuxer=looked.sniffed.demuxer or "",
        whitelist=looked.sniffed.format_whitelist or "",
        threads=context.limits.threads,
    )
    choice = yield from choosing(output, means, binary, context)
    tried: list[Made] = []
    kept: Made | None = None
    try:
        for effort in range(efforts(output)):
            tried.append(
                (
                    yield from _tried(
                        task,
                        folder,
                        binary,
                        replace(choice.means, effort=effort),
                        context,
                        index,
                        count,
                    )
                )
            )
            if reached(output, tried[-1].evidence.measured):
                break
        kept = max(
            tried, key=lambda item: item.evidence.measured.mean if item.evidence.measured else 0.0
        )
    finally:
        for item in tried:
            if item is not kept:
                yield from call(remove_part, item.part)
    notes = (
        *choice.notes,
        *kept.evidence.notes,
        *shortfalls(output, kept.report.media, kept.evidence.measured),
    )
    return replace(kept, evidence=replace(kept.evidence, notes=notes))


def _tried(
    task: Task, folder: Path, binary: str, means: Means, context: Context, index: int, count: int
) -> Steps[Made]:
    """One try; where a hardware encoder fails, or what it wrote is not accepted, once more by x264."""
    try:
        return (yield from _encoded(task, folder, binary, means, context, index, count))
    except (ToolError, VerifyError) as problem:
        if means.encoder == SOFTWARE:
            raise
        note = f"{means.encoder} was given up for {SOFTWARE}: {getattr(problem, 'problems', (str(problem),))[0]}"
    made = yield from _encoded(
        task, folder, binary, replace(means, encoder=SOFTWARE), context, index, count
    )
    return replace(made, evidence=replace(made.evidence, notes=(note,)))


def _encoded(
    task: Task, folder: Path, binary: str, means: Means, context: Context, index: int, count: int
) -> Steps[Made]:
    """Encodes one output into a work file, doubts it, and measures it where asked. Raises: ToolError, VerifyError; leaves nothing then."""
    output, source, looked = task.output, task.source, task.looked
    part, descriptor = yield from call(
        work_file, folder, suffix(assume(output.want, output.promises))
    )
    os.close(descriptor)
    kept = False
    try:
        with context.stage(source.name, "encode", index, count):
            done = yield from execute(output, means, binary, source, part, context)
        with context.stage(source.name, "verify", index, count):
            report, evidence = yield from _doubted(source, looked, output, part, binary, context)
        if output.wishes.measure or output.wishes.min_vmaf is not None:
            with context.stage(source.name, "measure", index, count), open_source(part) as made:
                evidence = replace(
                    evidence,
                    measured=(yield from measuring(output, means, binary, source, made, context)),
                )
        kept = True
        evidence = replace(
            evidence, argv=done.argv, sandbox=done.sandbox, ssim=done.ssim, quality=done.quality
        )
        return Made(part=part, report=report, evidence=evidence)
    finally:
        if not kept:
            yield from call(remove_part, part)


def _doubted(
    source: Source, looked: Looked, output: Output, part: Path, binary: str, context: Context
) -> Steps[tuple[Report, Evidence]]:
    """Probes the made file anew, decodes it where it was encoded, compares what was copied. Raises: VerifyError."""
    try:
        with open_source(part) as made_source:
            still = isinstance(output.want, Image)
            clip = output.want.clip_duration if isinstance(output.want, Subtitle) else None
            wishes, payload = (
                Wishes(deep=still, loudness=output.wishes.loudness),
                _copies(output) and not by_packet(output),
            )
            made = yield from looking(
                made_source, wishes, context, payload=payload, clip_duration=clip
            )
            if by_packet(output):
                demuxer, whitelist = (
                    looked.sniffed.demuxer or "",
                    looked.sniffed.format_whitelist or "",
                )
                copied = yield from proving(
                    output, demuxer, whitelist, binary, source, made_source, context
                )
            else:
                copied = _copied(output, looked.media, made.media)
            frames, errors = yield from _decoded(
                source.name, output, made_source, made.media, binary, context
            )
            evidence = Evidence(
                source_unchanged=source.unchanged(),
                copied=copied,
                frames_decoded=frames,
                decode_errors=errors,
            )
    except SourceUnreadable as problem:
        raise VerifyError([f"the output cannot be read: {problem.reason}"]) from problem
    report, problems = verify(output, replace(made.media, name="the output"), evidence)
    if problems:
        raise VerifyError(problems)
    return report, evidence


def _decoded(
    name: str, output: Output, opened: Source, made: Media, binary: str, context: Context
) -> Steps[tuple[int | None, tuple[str, ...]]]:
    """How many frames of what was encoded anew could be decoded, and the decoder's complaints; None: no picture was encoded."""
    want, threads = output.want, context.limits.threads
    if isinstance(want, Video) and (kinds := _anew(want)):
        means = Means(demuxer=ffmpeg.MADE.demuxer, whitelist=ffmpeg.MADE.whitelist, threads=threads)
        length = made.duration if isinstance(made, Video) else None
        return (
            yield from decode(
                opened, means, binary, length or Fraction(0), context, name=name, kinds=kinds
            )
        )
    if isinstance(want, Animation) and want.anew:
        means = Means(demuxer="gif", whitelist="gif", threads=threads)
        return (
            yield from decode(
                opened, means, binary, want.duration or Fraction(0), context, name=name
            )
        )
    return int(made.complete is True) if isinstance(
        want, Image
    ) else None, ()  # of a still, the deep look decodes it


def _anew(want: Video) -> tuple[str, ...]:
    """What is decoded: all of a file whose picture is encoded, else the sound if that is."""
    if want.video.anew:
        return "v", "a"
    return ("a",) if want.audio is not None and want.audio.anew else ()


def _copies(output: Output) -> bool:
    want = output.want
    if isinstance(want, Image):
        return not want.anew
    return isinstance(want, Video) and (
        not want.video.anew or (want.audio is not None and not want.audio.anew)
    )


def _copied(output: Output, have: Media, made: Media) -> tuple[Copied, ...]:
    if (
        isinstance(output.want, Image)
        and isinstance(have, Image)
        and isinstance(made, Image)
        and not output.want.anew
    ):
        return (Copied(track="image", source_digest=have.payload, made_digest=made.payload),)
    if not (isinstance(output.want, Video) and isinstance(have, Video) and isinstance(made, Video)):
        return ()
    copied = []
    if not output.want.video.anew:
        copied.append(
            Copied(track="video", source_digest=have.video.payload, made_digest=made.video.payload)
        )
    if output.want.audio is not None and not output.want.audio.anew and have.audio and made.audio:
        copied.append(
            Copied(track="audio", source_digest=have.audio.payload, made_digest=made.audio.payload)
        )
    return tuple(copied)
