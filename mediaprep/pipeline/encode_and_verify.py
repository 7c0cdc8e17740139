"""One output: encoded into a hidden work file, doubted, measured where asked, tried again where that helps. Nothing is published here."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from mediaprep.errors import SourceUnreadable, ToolError, VerifyError
from mediaprep.model.media import Animation, Image, Media, Subtitle, Video
from mediaprep.model.options import Options
from mediaprep.model.record import CopiedStream, VerificationRecord
from mediaprep.model.report import Report
from mediaprep.model.tolerance import fill_in
from mediaprep.pipeline.notes import efforts, notes_of, reached
from mediaprep.pipeline.upload_record import suffix
from mediaprep.planning.plan import Output
from mediaprep.planning.verify import verify
from mediaprep.probing.probe import ProbeResult, probe_steps
from mediaprep.runtime.atomic import create_work_file, remove_work_file
from mediaprep.runtime.context import Context
from mediaprep.runtime.effects import Steps, call
from mediaprep.runtime.source import Source, open_source
from mediaprep.tools import ffmpeg
from mediaprep.transcoding.execute import decode, execute
from mediaprep.transcoding.measure import measure_steps
from mediaprep.transcoding.video.choose_encoder import choose_encoder_steps
from mediaprep.transcoding.video.command import EncodeJob
from mediaprep.transcoding.video.cutting import by_packet, copied_digests_steps
from mediaprep.transcoding.video.encoders import SOFTWARE


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodeTask:
    """One output to make, the source that it is made of, and what a look at that gave."""

    output: Output
    source: Source
    probed: ProbeResult


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodeResult:
    """One verified work file, not yet published."""

    part: Path
    report: Report
    evidence: VerificationRecord


def encode_and_verify_steps(
    task: EncodeTask, folder: Path, context: Context, index: int, count: int
) -> Steps[EncodeResult]:
    """One output in a hidden work file beside its target, verified; tried again where a quality is asked for. Raises: ToolError,
    VerifyError; leaves nothing then."""
    output, probed = task.output, task.probed
    binary = (
        "" if isinstance(output.target, (Image, Subtitle)) else ffmpeg.locate(context.ffmpeg)
    )  # which these do without
    means = EncodeJob(
        demuxer=probed.sniffed.demuxer or "",
        whitelist=probed.sniffed.format_whitelist or "",
        threads=context.limits.threads,
    )
    choice = yield from choose_encoder_steps(output, means, binary, context)
    tried: list[EncodeResult] = []
    kept: EncodeResult | None = None
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
                yield from call(remove_work_file, item.part)
    notes = (
        *choice.notes,
        *kept.evidence.notes,
        *notes_of(output, kept.report.media, kept.evidence.measured),
    )
    return replace(kept, evidence=replace(kept.evidence, notes=notes))


def _tried(
    task: EncodeTask,
    folder: Path,
    binary: str,
    means: EncodeJob,
    context: Context,
    index: int,
    count: int,
) -> Steps[EncodeResult]:
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
    task: EncodeTask,
    folder: Path,
    binary: str,
    means: EncodeJob,
    context: Context,
    index: int,
    count: int,
) -> Steps[EncodeResult]:
    """Encodes one output into a work file, doubts it, and measures it where asked. Raises: ToolError, VerifyError; leaves nothing then."""
    output, source, probed = task.output, task.source, task.probed
    part, descriptor = yield from call(
        create_work_file, folder, suffix(fill_in(output.target, output.tolerances))
    )
    os.close(descriptor)
    kept = False
    try:
        with context.stage(source.name, "encode", index, count):
            done = yield from execute(output, means, binary, source, part, context)
        with context.stage(source.name, "verify", index, count):
            report, evidence = yield from _doubted(source, probed, output, part, binary, context)
        if output.options.measure or output.options.min_vmaf is not None:
            with context.stage(source.name, "measure", index, count), open_source(part) as made:
                evidence = replace(
                    evidence,
                    measured=(
                        yield from measure_steps(output, means, binary, source, made, context)
                    ),
                )
        kept = True
        evidence = replace(
            evidence, argv=done.argv, sandbox=done.sandbox, ssim=done.ssim, quality=done.quality
        )
        return EncodeResult(part=part, report=report, evidence=evidence)
    finally:
        if not kept:
            yield from call(remove_work_file, part)


def _doubted(
    source: Source, probed: ProbeResult, output: Output, part: Path, binary: str, context: Context
) -> Steps[tuple[Report, VerificationRecord]]:
    """Probes the made file anew, decodes it where it was encoded, compares what was copied. Raises: VerifyError."""
    try:
        with open_source(part) as made_source:
            still = isinstance(output.target, Image)
            clip = output.target.clip_duration if isinstance(output.target, Subtitle) else None
            options, payload = (
                Options(deep=still, loudness=output.options.loudness),
                _copies(output) and not by_packet(output),
            )
            made = yield from probe_steps(
                made_source, options, context, payload=payload, clip_duration=clip
            )
            if by_packet(output):
                demuxer, whitelist = (
                    probed.sniffed.demuxer or "",
                    probed.sniffed.format_whitelist or "",
                )
                copied = yield from copied_digests_steps(
                    output, demuxer, whitelist, binary, source, made_source, context
                )
            else:
                copied = _copied(output, probed.media, made.media)
            frames, errors = yield from _decoded(
                source.name, output, made_source, made.media, binary, context
            )
            evidence = VerificationRecord(
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
    target, threads = output.target, context.limits.threads
    if isinstance(target, Video) and (kinds := _anew(target)):
        means = EncodeJob(
            demuxer=ffmpeg.MADE.demuxer, whitelist=ffmpeg.MADE.whitelist, threads=threads
        )
        length = made.duration if isinstance(made, Video) else None
        return (
            yield from decode(
                opened, means, binary, length or Fraction(0), context, name=name, kinds=kinds
            )
        )
    if isinstance(target, Animation) and target.reencode:
        means = EncodeJob(demuxer="gif", whitelist="gif", threads=threads)
        return (
            yield from decode(
                opened, means, binary, target.duration or Fraction(0), context, name=name
            )
        )
    return int(made.complete is True) if isinstance(
        target, Image
    ) else None, ()  # of a still, the deep look decodes it


def _anew(target: Video) -> tuple[str, ...]:
    """What is decoded: all of a file whose picture is encoded, else the sound if that is."""
    if target.video.reencode:
        return "v", "a"
    return ("a",) if target.audio is not None and target.audio.reencode else ()


def _copies(output: Output) -> bool:
    target = output.target
    if isinstance(target, Image):
        return not target.reencode
    return isinstance(target, Video) and (
        not target.video.reencode or (target.audio is not None and not target.audio.reencode)
    )


def _copied(output: Output, source: Media, made: Media) -> tuple[CopiedStream, ...]:
    if (
        isinstance(output.target, Image)
        and isinstance(source, Image)
        and isinstance(made, Image)
        and not output.target.reencode
    ):
        return (
            CopiedStream(track="image", source_digest=source.payload, output_digest=made.payload),
        )
    if not (
        isinstance(output.target, Video) and isinstance(source, Video) and isinstance(made, Video)
    ):
        return ()
    copied = []
    if not output.target.video.reencode:
        copied.append(
            CopiedStream(
                track="video", source_digest=source.video.payload, output_digest=made.video.payload
            )
        )
    if (
        output.target.audio is not None
        and not output.target.audio.reencode
        and source.audio
        and made.audio
    ):
        copied.append(
            CopiedStream(
                track="audio", source_digest=source.audio.payload, output_digest=made.audio.payload
            )
        )
    return tuple(copied)
