"""verify: the made file's facts, judged by the same rules and held against the plan. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mediaprep.model.media import Animation, DeclaredSar, Image, Media, Video, diff
from mediaprep.model.record import VerificationRecord
from mediaprep.model.report import Report
from mediaprep.model.tolerance import violation
from mediaprep.planning.check import check
from mediaprep.planning.plan import Output

# What a container states about a copied stream may be said otherwise in MP4 without any change of the stream itself.
_SAID_BY_CONTAINER = {
    "video": ("video.scan_flags", "video.level"),
    "audio": ("audio.layout",),
    "image": (),
}


def verify(
    output: Output, made: Media, evidence: VerificationRecord
) -> tuple[Report, tuple[str, ...]]:
    """The report of the made file, and why it may not be published: one clause each, () = it may."""
    report = check(made, output.placement)
    if (
        made.kind != output.target.kind
    ):  # as of a damaged source that gave sound and not one picture: no fact of what was wanted is there
        return report, (
            *_rules(report, output),
            f"kind is {made.kind}, wanted {output.target.kind}",
        )
    problems = (
        *_rules(report, output),
        *_differences(output.target, made),
        *_promises(output, made),
        *_evidence(output, made, evidence),
    )
    return report, problems


def _rules(report: Report, output: Output) -> Iterator[str]:
    encoded = isinstance(output.target, Video) and output.target.video.reencode
    for finding in report.findings:
        if finding.level == "must" or (
            finding.level == "observed" and encoded and finding.state == "broken"
        ):
            yield finding.message


def _differences(target: Media, made: Media) -> Iterator[str]:
    said = tuple(path for track in _copied(target) for path in _SAID_BY_CONTAINER[track])
    for path, found, wanted in diff(made, target):
        if path == "private":
            telling = sorted({item.where for item in found or () if item.identifying})
            if found is None or telling:
                yield "private metadata is left: " + (
                    ", ".join(telling) or "it could not be looked for"
                )
        elif not (_same(found, wanted) or path in said):
            yield f"{path} is {found}, wanted {wanted}"


def _copied(target: Media) -> tuple[str, ...]:
    """The tracks that are to be copied."""
    if isinstance(target, Image):
        return () if target.reencode else ("image",)
    if not isinstance(target, Video):
        return ()
    picture = () if target.video.reencode else ("video",)
    return picture if target.audio is None or target.audio.reencode else (*picture, "audio")


def _same(made: Any, target: Any) -> bool:
    """A stated default and no statement are the same: an aspect ratio of 1:1, limited range."""
    if made == "unspecified" and target == "limited":
        return True
    if (
        isinstance(made, tuple)
        and isinstance(target, tuple)
        and all(isinstance(item, DeclaredSar) for item in (*made, *target))
    ):
        return {s.value for s in made} | {1} == {s.value for s in target} | {1}
    return bool(made == target)


def _promises(output: Output, made: Media) -> Iterator[str]:
    yield from (
        problem
        for tolerance in output.tolerances
        if (problem := violation(tolerance, made)) is not None
    )


def _evidence(output: Output, made: Media, evidence: VerificationRecord) -> Iterator[str]:
    if not evidence.source_unchanged:
        yield "the source changed while it was read"
    if evidence.decode_errors:
        yield f"the output does not decode cleanly: {evidence.decode_errors[0]}"
    if (counted := _encoded_frames(output, made)) is not None:
        if evidence.frames_decoded is None:
            yield "the output was not decoded"
        elif evidence.frames_decoded != counted:
            yield f"{evidence.frames_decoded} frames decode, {counted} are in the file"
    kinds = (Animation, Image)
    if (
        isinstance(output.source, kinds)
        and isinstance(made, kinds)
        and not _same_shape(output.source, made)
    ):
        yield f"the picture is {made.width}x{made.height}, not the shape of {output.source.width}x{output.source.height}"
    compared = {copy.track for copy in evidence.copied}
    yield from (
        f"the {track} stream was to be copied, and was not compared"
        for track in _copied(output.target)
        if track not in compared
    )
    for copy in evidence.copied:
        if copy.source_digest is None or copy.source_digest != copy.output_digest:
            yield f"the {copy.track} stream was to be copied, and its payload differs"


def _encoded_frames(output: Output, made: Media) -> int | None:
    """The frames in the file where they were encoded anew; None: they were copied."""
    if (
        isinstance(made, Video)
        and isinstance(output.target, Video)
        and output.target.video.reencode
    ):
        return made.video.frame_count or 0
    if (
        isinstance(made, Animation)
        and isinstance(output.target, Animation)
        and output.target.reencode
    ):
        return made.frame_count or 0
    return 1 if isinstance(output.target, Image) else None


def _same_shape(source: Animation | Image, made: Animation | Image) -> bool:
    """Within the pixel that whole sides cost."""
    wide, high = source.width or 0, source.height or 0
    return abs((made.width or 0) * high - (made.height or 0) * wide) <= max(wide, high)
