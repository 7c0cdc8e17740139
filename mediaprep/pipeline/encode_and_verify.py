"""Encode one output into a hidden work file and verify it. Retry if a retry can help. Nothing is
published here.
"""

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
from mediaprep.pipeline.notes import max_encodes, notes_of, reaches_quality
from mediaprep.pipeline.upload_record import suffix
from mediaprep.planning.plan import Output
from mediaprep.planning.verify import verify
from mediaprep.probing.probe import ProbeResult, probe_steps
from mediaprep.runtime.atomic import create_work_file, remove_work_file
from mediaprep.runtime.effects import Steps, call
from mediaprep.runtime.source import Source, open_source
from mediaprep.tools import ffmpeg
from mediaprep.tools.ffmpeg import Input
from mediaprep.transcoding.execute import decode_steps, execute_steps
from mediaprep.transcoding.job import EncodeJob
from mediaprep.transcoding.measure import measure_steps
from mediaprep.transcoding.video.choose_encoder import choose_encoder_steps
from mediaprep.transcoding.video.cutting import copied_digests_steps, copies_span
from mediaprep.transcoding.video.encoders import SOFTWARE

_GIF = Input(demuxer="gif", whitelist="gif")


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodeResult:
    """One verified output in a work file, not yet published."""

    part: Path
    report: Report
    record: VerificationRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputNumber:
    """Which output of a run it is, for the events: ``index`` counts from 0."""

    index: int = 0
    count: int = 1


def encode_and_verify_steps(
    job: EncodeJob, folder: Path, number: OutputNumber
) -> Steps[EncodeResult]:
    """Steps: produce one output in a work file in ``folder`` and verify it. If a VMAF is requested,
    retry until it is reached or the attempts are used up, and keep the best.

    Raises: ToolError, VerifyError; no work file is left then.
    """
    choice = yield from choose_encoder_steps(job)
    results: list[EncodeResult] = []
    best: EncodeResult | None = None
    try:
        for effort in range(max_encodes(job.output)):
            attempt = replace(choice.job, effort=effort)
            result = yield from _with_fallback_steps(attempt, folder, number)
            results.append(result)
            if reaches_quality(job.output, result.record.measured):
                break
        best = max(results, key=_mean_quality)
    finally:
        for result in results:
            if result is not best:
                yield from call(remove_work_file, result.part)
    record = best.record
    missed = notes_of(job.output, best.report.media, record.measured)
    notes = (*choice.notes, *record.notes, *missed)
    return replace(best, record=replace(record, notes=notes))


def _mean_quality(result: EncodeResult) -> float:
    return result.record.measured.mean if result.record.measured else 0.0


def _with_fallback_steps(job: EncodeJob, folder: Path, number: OutputNumber) -> Steps[EncodeResult]:
    """Steps: produce one output. If a hardware encoder fails or its output fails verification,
    produce it again with x264.
    """
    try:
        return (yield from _attempt_steps(job, folder, number))
    except (ToolError, VerifyError) as problem:
        if job.encoder == SOFTWARE:
            raise
        reason = problem.problems[0] if isinstance(problem, VerifyError) else str(problem)
    result = yield from _attempt_steps(replace(job, encoder=SOFTWARE), folder, number)
    note = f"{job.encoder} failed, {SOFTWARE} is used: {reason}"
    return replace(result, record=replace(result.record, notes=(note,)))


def _attempt_steps(job: EncodeJob, folder: Path, number: OutputNumber) -> Steps[EncodeResult]:
    """Steps: encode one output into a work file, verify it, and measure it if requested.

    Raises: ToolError, VerifyError; no work file is left then.
    """
    output, context, name = job.output, job.context, job.source.name
    part, descriptor = yield from call(
        create_work_file, folder, suffix(fill_in(output.target, output.tolerances))
    )
    os.close(descriptor)
    complete = False
    try:
        with context.stage(name, "encode", number.index, number.count):
            log = yield from execute_steps(job, part)
        with context.stage(name, "verify", number.index, number.count):
            report, record = yield from _verify_steps(job, part)
        measured = None
        if output.options.measure or output.options.min_vmaf is not None:
            with (
                context.stage(name, "measure", number.index, number.count),
                open_source(part) as written,
            ):
                measured = yield from measure_steps(job, written)
        complete = True
    finally:
        if not complete:
            yield from call(remove_work_file, part)
    record = replace(
        record,
        argv=log.argv,
        sandbox=log.sandbox,
        ssim=log.ssim,
        quality=log.quality,
        measured=measured,
    )
    return EncodeResult(part=part, report=report, record=record)


def _verify_steps(job: EncodeJob, part: Path) -> Steps[tuple[Report, VerificationRecord]]:
    """Steps: probe the work file, decode what was encoded, compare what was copied, and check the
    result against the plan. Raises: VerifyError.
    """
    output = job.output
    try:
        with open_source(part) as written:
            media = (yield from _probe_written_steps(job, written)).media
            if copies_span(output):
                copied = yield from copied_digests_steps(job, written)
            else:
                copied = _copied_streams(output, media)
            frames, errors = yield from _decode_written_steps(job, written, media)
            record = VerificationRecord(
                source_unchanged=job.source.unchanged(),
                copied=copied,
                frames_decoded=frames,
                decode_errors=errors,
            )
    except SourceUnreadable as problem:
        raise VerifyError([f"the output cannot be read: {problem.reason}"]) from problem
    report, problems = verify(output, replace(media, name="the output"), record)
    if problems:
        raise VerifyError(problems)
    return report, record


def _probe_written_steps(job: EncodeJob, written: Source) -> Steps[ProbeResult]:
    target = job.output.target
    # The deep probe of a still image decodes it.
    options = Options(deep=isinstance(target, Image), loudness=job.output.options.loudness)
    payload = _copies_streams(job.output) and not copies_span(job.output)
    clip_duration = target.clip_duration if isinstance(target, Subtitle) else None
    return (
        yield from probe_steps(
            written, options, job.context, payload=payload, clip_duration=clip_duration
        )
    )


def _decode_written_steps(
    job: EncodeJob, written: Source, media: Media
) -> Steps[tuple[int | None, tuple[str, ...]]]:
    """Steps: decode the encoded streams. Return the number of decoded pictures (None if no picture
    was encoded) and the decoder's messages.
    """
    target = job.output.target
    if isinstance(target, Video) and _encoded_kinds(target):
        length = media.duration if isinstance(media, Video) else None
        kinds = _encoded_kinds(target)
        return (
            yield from decode_steps(
                job, written, ffmpeg.WRITTEN, length or Fraction(0), kinds=kinds
            )
        )
    if isinstance(target, Animation) and target.reencode:
        length = target.duration
        return (yield from decode_steps(job, written, _GIF, length or Fraction(0)))
    if isinstance(target, Image):
        return int(media.complete is True), ()
    return None, ()


def _encoded_kinds(target: Video) -> tuple[str, ...]:
    """Return the kinds of streams to decode: all if the picture was encoded, else encoded sound."""
    if target.video.reencode:
        return "v", "a"
    return ("a",) if target.audio is not None and target.audio.reencode else ()


def _copies_streams(output: Output) -> bool:
    target = output.target
    if isinstance(target, Image):
        return not target.reencode
    if not isinstance(target, Video):
        return False
    return not target.video.reencode or (target.audio is not None and not target.audio.reencode)


def _copied_streams(output: Output, written: Media) -> tuple[CopiedStream, ...]:
    """Return the digests of the copied streams in the source and in the written file."""
    source, target = output.source, output.target
    if isinstance(source, Image) and isinstance(target, Image) and isinstance(written, Image):
        if target.reencode:
            return ()
        return (_copied("image", source.payload, written.payload),)
    if not (isinstance(source, Video) and isinstance(target, Video) and isinstance(written, Video)):
        return ()
    copied = []
    if not target.video.reencode:
        copied.append(_copied("video", source.video.payload, written.video.payload))
    if target.audio is not None and not target.audio.reencode and source.audio and written.audio:
        copied.append(_copied("audio", source.audio.payload, written.audio.payload))
    return tuple(copied)


def _copied(track: str, source_digest: str | None, output_digest: str | None) -> CopiedStream:
    return CopiedStream(track=track, source_digest=source_digest, output_digest=output_digest)
