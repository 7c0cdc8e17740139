"""The facts of a file: in brief, and all of them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, assert_never

from mediaprep.model import units
from mediaprep.model.media import (
    Animation,
    AudioStream,
    DeclaredSar,
    Gop,
    HdrFormat,
    Image,
    Media,
    PrivateItem,
    Sound,
    Subtitle,
    Video,
    VideoStream,
    leaves,
)
from mediaprep.report.lines import Line, StyledText, columns, line

_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}
# The prefix of a fact's path, and the group that shows it; the first that fits.
_GROUP_OF_PREFIX = (
    ("video.gop.", "GOP"),
    ("video.colour.", "colour"),
    ("video.", "video"),
    ("audio.", "audio"),
    ("container.", "container"),
    ("", "file"),
)
_GROUPS = ("file", "container", "video", "colour", "GOP", "audio")
# Shown in a form of their own, or already in the summary.
_NOT_LISTED = ("video.gop.pattern", "container.tracks", "kind", "cues", "delays")
_MAX_ITEMS = 12  # of a list; --json has them all
_BYTES = {"size_bytes"}
_FRAME_RATES = {"frame_rate", "frame_rate_average", "frame_rate_burst", "frame_rate_declared"}
_BIT_RATES = {"bit_rate"}
_SECONDS = {"duration", "start", "first_open", "keyframe_interval_max", "duration_from_header"}


def summary(media: Media, *, codec_profile: bool = False) -> str:
    """Return the most important facts in one line, without those that are unknown.

    codec_profile   add the profile of the video codec
    """
    texts: Sequence[str | None]
    match media:
        case Video():
            texts = [
                *_video_texts(media.video, codec_profile),
                clock(media.duration),
                _sound_text(media),
            ]
        case Animation():
            count = None if media.frame_count is None else f"{media.frame_count} frames"
            texts = [_size(media.width, media.height), media.format, count, clock(media.duration)]
        case Image():
            texts = [_size(media.width, media.height), media.format, media.colour_space]
        case Subtitle():
            count = None if media.cues is None else f"{len(media.cues)} cues"
            texts = [media.format, media.encoding, count]
        case Sound():
            audio = audio_text(media.audio)
            texts = [media.container.format, audio, clock(media.duration), "no video"]
        case _:
            assert_never(media)
    size = None if media.size_bytes is None else units.bytes_text(media.size_bytes)
    return " ".join(text for text in (*texts, size) if text)


def _video_texts(video: VideoStream, codec_profile: bool) -> list[str | None]:
    size = video.display_size or (video.width, video.height)
    profile = video.profile if codec_profile and video.codec else None
    return [_size(*size), video.codec, profile, _frame_rate_text(video), video.pixel_format]


def _frame_rate_text(video: VideoStream) -> str | None:
    """Return ``29.97p``, ``25i``, or ``25 fps`` if the scan type is unknown."""
    if video.frame_rate is None:
        return None
    unit = {"progressive": "p", "interlaced": "i"}.get(video.scan or "", " fps")
    return f"{units.rate_text(video.frame_rate)}{unit}"


def _sound_text(media: Video) -> str | None:
    if media.audio is not None:
        return audio_text(media.audio)
    return "no audio" if media.audio_present is False else None


def audio_text(audio: AudioStream) -> str:
    """Return ``aac-lc stereo``."""
    codec = audio.codec or "audio"
    if audio.codec == "aac" and audio.profile:
        codec = f"{codec}-{audio.profile.lower()}"
    return f"{codec} {channels_text(audio.channels)}".strip()


def channels_text(channels: int | None) -> str:
    """Return ``stereo``, ``5.1`` or ``3 channels``; "" if the number is unknown."""
    return "" if channels is None else _LAYOUTS.get(channels, f"{channels} channels")


def _size(width: int | None, height: int | None) -> str | None:
    return None if width is None or height is None else units.size_text((width, height))


def clock(seconds: Fraction | float | None) -> str | None:
    """Return ``3:04`` or ``1:02:03``; below ten seconds with decimals: ``0:04.17``."""
    if seconds is None:
        return None
    if 0 <= seconds < 10:
        return "0:" + f"{float(seconds):05.2f}".removesuffix(".00")
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def all_facts(media: Media, path: str) -> tuple[Line, ...]:
    """Return every fact in groups, with the readers that reported it, or why it is unknown."""
    lines: list[Line] = [line(StyledText(path, "bold"), "  ", summary(media))]
    rows: dict[str, list[tuple[str | StyledText, ...]]] = {name: [] for name in _GROUPS}
    for fact, value in leaves(media):
        if fact in _NOT_LISTED:
            continue
        prefix, group = next(item for item in _GROUP_OF_PREFIX if fact.startswith(item[0]))
        name = fact.removeprefix(prefix)
        if value is not None:
            rows[group].append((name, value_text(name, value), _readers_text(media, fact)))
        elif (reason := _unknown_reason(media, fact)) is not None:
            rows[group].append((name, StyledText("unknown", "yellow"), reason))
    for group in _GROUPS:
        if rows[group]:
            lines += [(), line(StyledText(group, "bold")), *columns(rows[group], indent="  ")]
        if group == "GOP" and isinstance(media, Video) and media.video.gop.pattern:
            lines.append(line("  pattern  ", gop_pattern(media.video.gop)))
    return (*lines, *_track_lines(media), *_disagreement_lines(media))


def _lies_in(fact: str, other: str) -> bool:
    return fact == other or fact.startswith(f"{other}.")


def _unknown_reason(media: Media, fact: str) -> str | None:
    return next((item.reason for item in media.unknown if _lies_in(fact, item.fact)), None)


def _readers_text(media: Media, fact: str) -> str:
    """Return the readers that reported a fact, with the values of those that disagree."""
    texts = []
    for reported in media.reported_facts:
        if _lies_in(fact, reported.fact):
            differs = "" if reported.agrees else f" {reported.value}"
            texts.append(f"{reported.source}{differs}")
    return ", ".join(dict.fromkeys(texts))


def gop_pattern(gop: Gop) -> str:
    """Return the first GOPs in decode order, with lengths: ``IPBB 4 | IBBP 4 open | 7 more``."""
    groups = (gop.pattern or "").split("|")
    texts = []
    for group in groups:
        letters, _, rest = group.strip("()").partition("...+")
        dots = "..." if rest else ""
        length = len(letters) + int(rest or 0)
        is_open = " open" if group.startswith("(") else ""
        texts.append(f"{letters}{dots} {length}{is_open}")
    more = (gop.count or 0) - len(groups)
    if more > 0:
        texts.append(f"{more} more")
    return " | ".join(texts)


def _track_lines(media: Media) -> tuple[Line, ...]:
    if not isinstance(media, (Video, Sound)) or not media.container.tracks:
        return ()
    rows: list[tuple[str | StyledText, ...]] = [
        (
            f"#{track.index}",
            track.kind,
            track.codec or "-",
            track.language or "-",
            "used" if track.chosen else "",
        )
        for track in media.container.tracks
    ]
    return ((), line(StyledText("tracks", "bold")), *columns(rows, indent="  "))


def _disagreement_lines(media: Media) -> tuple[Line, ...]:
    rows = [
        (item.fact, item.source, item.value) for item in media.reported_facts if not item.agrees
    ]
    if not rows:
        return ()
    return ((), line(StyledText("readers that disagree", "bold")), *columns(rows, indent="  "))


def value_text(name: str, value: Any) -> str:
    """Return the value of a fact with its unit; ``name`` is the last part of the fact's path."""
    if value is True or value is False:
        return "yes" if value else "no"
    if name in _BYTES:
        return f"{units.bytes_text(value)} ({value} bytes)" if value >= 1000 else f"{value} bytes"
    if name in _FRAME_RATES:
        exact = f" ({value})" if value.denominator != 1 else ""
        return f"{units.rate_text(value)} fps{exact}"
    if name in _BIT_RATES:
        return units.bit_rate_text(value)
    if name in _SECONDS:
        return units.duration_text(value)
    if name == "cues":
        return _cues_text(value)
    if name == "rotation":
        return f"{value} degrees clockwise"
    if isinstance(value, Fraction):
        return f"{float(value):.4g}"
    if isinstance(value, tuple):
        return _list_text(value)
    return str(value)


def _cues_text(cues: Sequence[Any]) -> str:
    number = f"{len(cues)} cue{'' if len(cues) == 1 else 's'}"
    if not cues:
        return number
    start, end = units.duration_text(cues[0].start), units.duration_text(cues[-1].end)
    return f"{number}, {start} to {end}"


def _list_text(items: tuple[Any, ...]) -> str:
    if not items:
        return "none"
    text = ", ".join(map(_item_text, items[:_MAX_ITEMS]))
    return text if len(items) <= _MAX_ITEMS else f"{text} ... ({len(items)} items)"


def _item_text(item: Any) -> str:
    match item:
        case Fraction():
            return units.duration_text(item)
        case DeclaredSar(where=where, value=value):
            return f"{units.ratio_text(value)} ({where})"
        case PrivateItem(kind=kind, where=where):
            return f"{kind} in {where}"
        case HdrFormat(name=name, profile=profile):
            return name if profile is None else f"{name} profile {profile}"
        case _:
            return str(item)
