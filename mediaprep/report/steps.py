"""A planned output as steps in words, each with the rules or options that require it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from mediaprep.model import units
from mediaprep.model.media import Animation, AudioStream, Media, Video
from mediaprep.model.report import Finding, Safety
from mediaprep.model.tolerance import AtMost
from mediaprep.planning.changes import WRITTEN, Change
from mediaprep.planning.plan import Output
from mediaprep.planning.streams import stream_actions
from mediaprep.report.facts import channels_text, value_text

# The steps in the order of the work, and the facts that belong to each: the first prefix that fits.
_STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("kind", ("kind",)),
    ("scan", ("video.scan", "video.parity")),
    ("rotation", ("video.rotation", "video.mirrored", "video.matrix_exact")),
    (
        "size",
        (
            "video.width",
            "video.height",
            "video.sars",
            "video.clap",
            "video.size_changes",
            "width",
            "height",
            "orientation",
            "pixel_grid",
        ),
    ),
    (
        "frame rate",
        (
            "video.frame_rate",
            "video.rate_mode",
            "video.timestamps",
            "video.jitter_frames",
            "video.frame_count",
        ),
    ),
    (
        "colour",
        (
            "video.pixel_format",
            "video.chroma",
            "video.bit_depth",
            "video.alpha",
            "video.colour.",
            "mode",
            "colour_space",
            "bit_depth",
            "alpha",
        ),
    ),
    ("start", ("video.start",)),
    ("encode", ("video.",)),
    ("frames", ("frame_count", "delays", "disposals", "loop", "transparency")),
    ("audio", ("audio",)),
    ("duration", ("duration",)),
    ("container", ("container.", "format", "complete", "trailing_bytes", "gain_map", "pictures")),
    ("metadata", ("private",)),
    ("captions", ("encoding", "cues")),
    ("other", ("",)),
)
_ORDER = ("trim", *(name for name, _ in _STEPS))
# Facts that every file of another kind has: they follow from the conversion.
_PART_OF_CONVERSION = ("scan", "rotation", "audio", "duration", "frames")
# Changes that make an encode necessary even if no fact of the encoding itself changes.
_CAUSES_OF_ENCODING = ("scan", "rotation", "size", "frame rate", "colour", "duration")
_SAFETIES: tuple[Safety, ...] = ("lossless", "lossy", "destructive")
_MAX_CHANGES = 4  # of one step


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairStep:
    """One step of a repair.

    because   the rules or options that require it
    safety    the worst that it does to the content
    """

    name: str
    text: str
    because: tuple[str, ...] = ()
    safety: Safety = "lossless"


def steps(output: Output, findings: Iterable[Finding] = ()) -> tuple[RepairStep, ...]:
    """Return the steps of one output in the order of the work, copied streams last.

    findings   of the source: they name the reason of a step more precisely than the plan, in which
               the first rule that requires an encode is the reason of all that follows from it
    """
    changes = _changes_by_step(output)
    encoded = _is_encoded(output)
    made = [_step(name, output, changes[name], changes[name]) for name in changes if changes[name]]
    if encoded and not changes["encode"]:
        causes = [change for name in _CAUSES_OF_ENCODING for change in changes[name]]
        made.append(_step("encode", output, [], causes))
    found = tuple(findings)
    made = [
        replace(step, because=_reasons(step, changes[step.name], found, encoded)) for step in made
    ]
    if output.span is not None:
        made = [_trim_step(output), *(step for step in made if step.name != "duration")]
    made.sort(key=lambda step: _ORDER.index(step.name))
    return (*made, *_unchanged_streams(output))


def _is_encoded(output: Output) -> bool:
    return isinstance(output.target, Video) and output.target.video.reencode


def _changes_by_step(output: Output) -> dict[str, list[Change]]:
    changes: dict[str, list[Change]] = {name: [] for name, _ in _STEPS}
    for change in output.changes:
        changes[_step_of(change.fact)].append(change)
    if output.target.kind != output.source.kind:
        for name in _PART_OF_CONVERSION:
            changes[name] = []
    if _is_encoded(output):  # timestamps start at zero in any encode
        changes["encode"] = [*changes["start"], *changes["encode"]]
        changes["start"] = []
    return changes


def _step_of(fact: str) -> str:
    return next(name for name, prefixes in _STEPS if fact.startswith(prefixes))


def _step(
    name: str, output: Output, changes: Sequence[Change], causes: Sequence[Change]
) -> RepairStep:
    because = dict.fromkeys(rule for change in causes for rule in change.because)
    because.pop(WRITTEN, None)  # no rule: the change comes with writing the file
    safety: Safety = "lossless"
    if causes:
        safety = max((change.safety for change in causes), key=_SAFETIES.index)
    text = _text(name, output, changes)
    return RepairStep(name=name, text=text, because=tuple(because), safety=safety)


def _trim_step(output: Output) -> RepairStep:
    assert output.span is not None
    start, end = (units.duration_text(edge).removesuffix(" s") for edge in output.span)
    option = "--split" if output.options.split else "--trim"
    return RepairStep(
        name="trim", text=f"{start} to {end} s", because=(option,), safety="destructive"
    )


def _reasons(
    step: RepairStep, changes: Sequence[Change], findings: Sequence[Finding], encoded: bool
) -> tuple[str, ...]:
    """Return the rules that are broken by the very facts that the step changes.

    If there are none, those that the plan names, unless the step only follows from an encode.
    """
    changed = {change.fact for change in changes}
    direct = [
        finding.rule
        for finding in findings
        if (finding.level != "should" or finding.rule in step.because)
        and any(_contains(fact, changed) for fact in finding.facts)
    ]
    if direct:
        return tuple(dict.fromkeys(direct))
    return () if encoded and step.name != "encode" else step.because


def _contains(fact: str, changed: Collection[str]) -> bool:
    """Return True if one of the changed facts is ``fact``, or a part of it."""
    return any(name == fact or name.startswith(f"{fact}.") for name in changed)


def _text(name: str, output: Output, changes: Sequence[Change]) -> str:
    """Return what a step does."""
    source, target = output.source, output.target
    text = None
    if isinstance(target, Video):
        text = _video_text(name, output, source, target)
    if text is not None:
        return text
    if name == "kind":
        return f"{source.kind} -> {target.kind}"
    if name == "metadata":
        return "remove private metadata"
    if name == "frames" and isinstance(source, Animation) and isinstance(target, Animation):
        changes = [change for change in changes if change.fact != "delays"] or changes
    more = "; ..." if len(changes) > _MAX_CHANGES else ""
    return "; ".join(map(_change_text, changes[:_MAX_CHANGES])) + more


def _video_text(name: str, output: Output, source: Media, target: Video) -> str | None:
    """Return what a step does to a video; None if the changed facts say it best."""
    match name:
        case "size" if (size := target.video.display_size) is not None:
            sar = ", SAR 1:1" if target.video.sar == 1 else ""
            return f"{units.size_text(size)}{sar}"
        case "scan" if isinstance(source, Video):
            return f"{source.video.scan or 'unknown'} -> {target.video.scan}"
        case "rotation":
            return "rotate upright, remove the display matrix"
        case "frame rate" if target.video.frame_rate is not None:
            return f"{units.rate_text(target.video.frame_rate)} fps, constant"
        case "colour":
            colour = target.video.colour
            texts = (target.video.pixel_format, colour.matrix, colour.range)
            return ", ".join(text for text in texts if text)
        case "start" if isinstance(source, Video) and source.video.start is not None:
            return f"{units.duration_text(source.video.start)} -> 0 s"
        case "encode" if target.video.reencode:
            return _encode_text(output)
        case "audio":
            return _audio_text(output, target.audio)
        case "container":
            container = (target.container.format or "mp4").upper()
            return f"{container} with faststart, one video and at most one audio track"
        case "duration" if isinstance(source, Video):
            return _duration_text(source, target)
    return None


def _duration_text(source: Video, target: Video) -> str | None:
    if source.duration is None or target.duration is None:
        return None
    return f"{units.duration_text(source.duration)} -> {units.duration_text(target.duration)}"


def _change_text(change: Change) -> str:
    name = change.fact.rpartition(".")[2]
    before = "unknown" if change.before is None else value_text(name, change.before)
    return f"{name} {before} -> {value_text(name, change.after)}"


def _encode_text(output: Output) -> str:
    from mediaprep.transcoding.video import bit_rate

    cap = units.bit_rate_text(bit_rate.bit_rate_cap(output))
    gops = "closed GOPs"
    for tolerance in output.tolerances:
        if isinstance(tolerance, AtMost) and tolerance.fact == "video.gop.length_max":
            gops = f"closed GOPs of at most {tolerance.value} frames"
    return f"{output.options.encoder} High, at most {cap}, {gops}"


def _audio_text(output: Output, audio: AudioStream | None) -> str:
    from mediaprep.transcoding.video import bit_rate

    if audio is None:
        return "drop"
    if not audio.reencode:
        return "copy, correct its description in the container"
    texts = ["AAC LC"]
    if audio.sample_rate is not None:
        texts.append(f"{audio.sample_rate / 1000:g} kHz")
    texts.append(channels_text(audio.channels))
    texts.append(units.bit_rate_text(bit_rate.encoded_sound_bit_rate(output)))
    return " ".join(text for text in texts if text)


def _unchanged_streams(output: Output) -> tuple[RepairStep, ...]:
    """Return a step for the streams that are copied, and one for those that are dropped."""
    if not (isinstance(output.target, Video) and isinstance(output.source, Video)):
        return ()
    copied, dropped = [], []
    for row in stream_actions(output):
        if row.action == "left out":
            dropped.append(row.track)
        elif row.track != "container" and row.action in ("copied", "retagged"):
            copied.append(row.track)
    made = []
    if copied:
        made.append(RepairStep(name="copy", text=f"{' and '.join(copied)}, unchanged"))
    if dropped:
        made.append(RepairStep(name="drop", text=", ".join(dropped)))
    return tuple(made)
