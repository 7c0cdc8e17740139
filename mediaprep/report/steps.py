"""A planned output as numbered steps in words, each with the rules that ask for it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from mediaprep.model import units
from mediaprep.model.media import Animation, AudioStream, Video
from mediaprep.model.report import Finding
from mediaprep.model.tolerance import AtMost
from mediaprep.planning.changes import Change
from mediaprep.planning.plan import Output
from mediaprep.planning.streams import stream_actions
from mediaprep.report.facts import value_text

_LAYOUTS = {1: "mono", 2: "stereo"}
_TRACKS = {"video": "picture", "audio": "sound"}
# Which changed facts make one step, in the order of the work. The first prefix that fits takes the fact.
_STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("kind", ("kind",)),
    ("scan", ("video.scan", "video.parity")),
    ("turn", ("video.rotation", "video.mirrored", "video.matrix_exact")),
    (
        "picture",
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
        "rate",
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
    ("sound", ("audio",)),
    ("length", ("duration",)),
    ("wrap", ("container.", "format", "complete", "trailing_bytes", "gain_map", "pictures")),
    ("metadata", ("private",)),
    ("captions", ("encoding", "cues")),
    ("other", ("",)),
)
# Facts that a file of another kind has for the first time: nothing is done for them.
_NO_STEPS_OF_ANOTHER_KIND = ("scan", "turn", "sound", "length", "frames")


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairStep:
    """One step: its name, what is done in words, the rules (or options) that ask for it, and the worst that it costs."""

    name: str
    words: str
    because: tuple[str, ...]
    safety: str


def steps(output: Output, findings: Iterable[Finding] = ()) -> tuple[RepairStep, ...]:
    """The steps of one output, in the order of the work; a copied stream is told as well. ``findings``: those of the source, which tell the
    reason of a step better where one rule made the picture be encoded and others wanted the same."""
    grouped: dict[str, list[Change]] = {name: [] for name, _ in _STEPS}
    for change in output.changes:
        grouped[_group(change.fact)].append(change)
    made: list[RepairStep] = []
    if output.span is not None:
        start, end = (units.duration_text(edge).removesuffix(" s") for edge in output.span)
        made.append(
            RepairStep(
                name="trim",
                words=f"{start} to {end} s",
                because=("--split" if output.options.split else "--trim",),
                safety="destructive",
            )
        )
    if output.target.kind != output.source.kind:
        for name in _NO_STEPS_OF_ANOTHER_KIND:
            grouped[name] = []
    encoded = isinstance(output.target, Video) and output.target.video.reencode
    if encoded:
        grouped["encode"], grouped["start"] = [*grouped["start"], *grouped["encode"]], []
    if encoded and not grouped["encode"]:
        causes = [
            change
            for name in ("scan", "turn", "picture", "rate", "colour", "length")
            for change in grouped[name]
        ]
        made += _described("encode", grouped, output, causes)
    if output.span is not None:
        grouped["length"] = []
    for name, _ in _STEPS:
        made += [] if not grouped[name] else _described(name, grouped, output, grouped[name])
    told = [
        replace(
            step,
            because=_reasons(step, grouped[step.name], findings, encoded)
            if step.name in grouped
            else step.because,
        )
        for step in made
    ]
    return tuple(sorted(told, key=lambda step: _rank(step.name))) + _untouched(output)


def _reasons(
    step: RepairStep, changes: list[Change], findings: Iterable[Finding], encoded: bool
) -> tuple[str, ...]:
    """The rules that are broken by the very facts that the step changes; where there are none, those that the plan names, unless the step
    only follows from encoding."""
    facts = {change.fact for change in changes}
    direct = [
        f.rule
        for f in findings
        if (f.level != "should" or f.rule in step.because)
        and any(_touches(fact, facts) for fact in f.facts)
    ]
    if direct or step.name == "encode":
        return tuple(dict.fromkeys(direct)) or step.because
    return () if encoded else step.because


def _touches(fact: str, changed: Iterable[str]) -> bool:
    return any(name == fact or name.startswith(f"{fact}.") for name in changed)


def _rank(name: str) -> int:
    return -1 if name == "trim" else [known for known, _ in _STEPS].index(name)


def _group(fact: str) -> str:
    return next(
        name for name, prefixes in _STEPS if any(fact.startswith(prefix) for prefix in prefixes)
    )


def _described(
    name: str, grouped: dict[str, list[Change]], output: Output, causes: Iterable[Change]
) -> list[RepairStep]:
    causes = list(causes)
    because = dict.fromkeys(rule for change in causes for rule in change.because)
    if len(because) > 1:
        because.pop(
            "written", None
        )  # what merely follows from writing the file needs no mention beside a reason
    words = _words(name, output, grouped[name])
    order = ("lossless", "lossy", "destructive")
    worst = max((change.safety for change in causes), key=order.index, default="lossless")
    return [RepairStep(name=name, words=words, because=tuple(because), safety=worst)]


def _words(name: str, output: Output, changes: list[Change]) -> str:
    target, source = output.target, output.source
    if isinstance(target, Video):
        match name:
            case "picture" if (size := target.video.display_size) is not None:
                return (
                    f"{units.size_text(size)}, SAR 1:1"
                    if target.video.sar == 1
                    else units.size_text(size)
                )
            case "scan" if isinstance(source, Video):
                return f"{source.video.scan or 'unknown'} -> {target.video.scan}"
            case "turn":
                return "upright; the display matrix goes"
            case "rate" if target.video.frame_rate is not None:
                return f"{units.rate_text(target.video.frame_rate)} fps, constant"
            case "colour":
                return ", ".join(
                    word
                    for word in (
                        target.video.pixel_format,
                        target.video.colour.matrix,
                        target.video.colour.range,
                    )
                    if word
                )
            case "start" if isinstance(source, Video) and source.video.start is not None:
                return f"{units.duration_text(source.video.start)} -> 0 s"
            case "encode" if target.video.reencode:
                return _encode_words(output)
            case "sound":
                return _sound_words(output, target.audio)
            case "wrap":
                return f"{(target.container.format or 'mp4').upper()}, faststart, one picture and at most one sound track"
            case "length" if (
                isinstance(source, Video)
                and source.duration is not None
                and target.duration is not None
            ):
                return f"{units.duration_text(source.duration)} -> {units.duration_text(target.duration)}"
    if name == "kind":
        return f"{source.kind} -> {target.kind}"
    if name == "frames" and isinstance(source, Animation) and isinstance(target, Animation):
        changes = [change for change in changes if change.fact != "delays"] or changes
    if name == "metadata":
        return "private metadata removed"
    return "; ".join(_change_words(change) for change in changes[:4]) + (
        "; ..." if len(changes) > 4 else ""
    )


def _change_words(change: Change) -> str:
    name = change.fact.rpartition(".")[2]
    before = "unknown" if change.before is None else value_text(name, change.before)
    return f"{name} {before} -> {value_text(name, change.after)}"


def _encode_words(output: Output) -> str:
    from mediaprep.transcoding.video import bit_rate as transcode

    cap = units.bit_rate_text(transcode.bit_rate_cap(output))
    gop = next(
        (
            p.value
            for p in output.tolerances
            if isinstance(p, AtMost) and p.fact == "video.gop.length_max"
        ),
        None,
    )
    closed = "closed GOP" if gop is None else f"closed GOP of at most {gop} frames"
    return f"{output.options.encoder} High, at most {cap}, {closed}"


def _sound_words(output: Output, audio: AudioStream | None) -> str:
    from mediaprep.transcoding.video import bit_rate as transcode

    if audio is None:
        return "dropped"
    if not audio.reencode:
        return "copied; the container states it anew"
    rate = None if audio.sample_rate is None else f"{audio.sample_rate / 1000:g} kHz"
    layout = _LAYOUTS.get(audio.channels or 0)
    return " ".join(
        word
        for word in (
            "AAC LC",
            rate,
            layout,
            units.bit_rate_text(transcode.encoded_sound_bit_rate(output)),
        )
        if word
    )


def _untouched(output: Output) -> tuple[RepairStep, ...]:
    """What is copied, and what is not taken along."""
    if not (isinstance(output.target, Video) and isinstance(output.source, Video)):
        return ()
    rows = stream_actions(output)
    copied = [
        _TRACKS[row.track]
        for row in rows
        if row.track in _TRACKS and row.action in ("copied", "retagged")
    ]
    left = [row.track for row in rows if row.action == "left out"]
    said = {
        "copy": " and ".join(copied) + (", as they are" if copied[1:] else ", as it is"),
        "leave out": ", ".join(left),
    }
    return tuple(
        RepairStep(name=name, words=said[name], because=(), safety="lossless")
        for name, what in (("copy", copied), ("leave out", left))
        if what
    )
