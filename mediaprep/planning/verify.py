"""verify: judge an output by the rules of its placement, and compare it with its plan. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mediaprep.model.media import Animation, DeclaredSar, Image, Media, Video, diff
from mediaprep.model.record import VerificationRecord
from mediaprep.model.report import Report
from mediaprep.model.tolerance import violation
from mediaprep.planning.check import check
from mediaprep.planning.plan import Output

# Facts that a container declares about a copied stream. An MP4 may declare them differently
# although the stream is unchanged.
_DECLARED_BY_CONTAINER = {
    "video": ("video.scan_flags", "video.level"),
    "audio": ("audio.layout",),
    "image": (),
}


def verify(
    output: Output, result: Media, record: VerificationRecord
) -> tuple[Report, tuple[str, ...]]:
    """Return the report of an output, and the problems that forbid publishing it, one clause each.

    ``result`` are the facts of the output as it was probed.
    """
    report = check(result, output.placement)
    if result.kind != output.target.kind:
        # Such as of a damaged source that yields sound but no picture: no planned fact applies.
        kind = f"kind is {result.kind}, planned {output.target.kind}"
        return report, (*_rule_problems(report, output), kind)
    problems = (
        *_rule_problems(report, output),
        *_fact_problems(output.target, result),
        *_tolerance_problems(output, result),
        *_record_problems(output, result, record),
    )
    return report, problems


def _rule_problems(report: Report, output: Output) -> Iterator[str]:
    """Yield the findings of level must; in an encoded video also those of level observed."""
    encoded = isinstance(output.target, Video) and output.target.video.reencode
    for finding in report.findings:
        observed = finding.level == "observed" and finding.state == "broken"
        if finding.level == "must" or (observed and encoded):
            yield finding.message


def _fact_problems(target: Media, result: Media) -> Iterator[str]:
    """Yield the facts that differ from the plan."""
    copied = _copied_tracks(target)
    ignored = {path for track in copied for path in _DECLARED_BY_CONTAINER[track]}
    for path, found, planned in diff(result, target):
        if path == "private":
            yield from _private_problems(result)
        elif path not in ignored and not _equivalent(found, planned):
            yield f"{path} is {found}, planned {planned}"


def _private_problems(result: Media) -> Iterator[str]:
    if result.private is None:
        yield "private metadata could not be searched for"
    elif places := sorted({item.where for item in result.private if item.identifying}):
        yield f"private metadata is left: {', '.join(places)}"


def _copied_tracks(target: Media) -> tuple[str, ...]:
    """Return the tracks that are planned to be copied."""
    if isinstance(target, Image):
        return () if target.reencode else ("image",)
    if not isinstance(target, Video):
        return ()
    picture = () if target.video.reencode else ("video",)
    return picture if target.audio is None or target.audio.reencode else (*picture, "audio")


def _equivalent(found: Any, planned: Any) -> bool:
    """Return True if the values are equal, or one declares what is the default of the other.

    Defaults are limited range, and a sample aspect ratio of 1:1.
    """
    if found == "unspecified" and planned == "limited":
        return True
    if not (isinstance(found, tuple) and isinstance(planned, tuple)):
        return bool(found == planned)
    if all(isinstance(item, DeclaredSar) for item in (*found, *planned)):
        return {sar.value for sar in found} | {1} == {sar.value for sar in planned} | {1}
    return found == planned


def _tolerance_problems(output: Output, result: Media) -> Iterator[str]:
    for tolerance in output.tolerances:
        if (problem := violation(tolerance, result)) is not None:
            yield problem


def _record_problems(output: Output, result: Media, record: VerificationRecord) -> Iterator[str]:
    """Yield what the record of the encode and of its verification shows."""
    if not record.source_unchanged:
        yield "the source changed while it was read"
    if record.decode_errors:
        yield f"the output does not decode cleanly: {record.decode_errors[0]}"
    if (count := _encoded_frames(output, result)) is not None:
        if record.frames_decoded is None:
            yield "the output was not decoded"
        elif record.frames_decoded != count:
            yield f"{record.frames_decoded} frames decode, {count} are in the file"
    kinds = (Animation, Image)
    source = output.source
    if isinstance(source, kinds) and isinstance(result, kinds) and not _same_shape(source, result):
        yield (
            f"the picture is {result.width}x{result.height}, "
            f"not of the shape of {source.width}x{source.height}"
        )
    compared = {copy.track for copy in record.copied}
    for track in _copied_tracks(output.target):
        if track not in compared:
            yield f"the {track} stream was planned to be copied, but was not compared"
    for copy in record.copied:
        if copy.source_digest is None or copy.source_digest != copy.output_digest:
            yield f"the {copy.track} stream was planned to be copied, but its payload differs"


def _encoded_frames(output: Output, result: Media) -> int | None:
    """Return the number of frames in the output if it was encoded, None if it was copied."""
    target = output.target
    if isinstance(result, Video) and isinstance(target, Video) and target.video.reencode:
        return result.video.frame_count or 0
    if isinstance(result, Animation) and isinstance(target, Animation) and target.reencode:
        return result.frame_count or 0
    return 1 if isinstance(target, Image) else None


def _same_shape(source: Animation | Image, result: Animation | Image) -> bool:
    """Return True if the shapes agree within the pixel by which whole sides may be off."""
    width, height = source.width or 0, source.height or 0
    difference = (result.width or 0) * height - (result.height or 0) * width
    return abs(difference) <= max(width, height)
