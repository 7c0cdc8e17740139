"""The facts of a file in a few words, and all of them for a person. Pure."""

from __future__ import annotations

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


def summary(media: Media) -> str:
    """One line: picture size, codec, rate, pixel format, duration, sound, bytes. What is not known is left out."""
    match media:
        case Video():
            words = [*_picture(media.video), clock(media.duration), *_sound(media)]
        case Animation():
            count = None if media.frame_count is None else f"{media.frame_count} frames"
            words = [_size(media.width, media.height), media.format, count, clock(media.duration)]
        case Image():
            words = [_size(media.width, media.height), media.format, media.colour_space]
        case Subtitle():
            cues = None if media.cues is None else f"{len(media.cues)} cues"
            words = [media.format, media.encoding, cues]
        case Sound():
            words = [
                media.container.format,
                audio_words(media.audio),
                clock(media.duration),
                "no picture",
            ]
        case _:
            assert_never(media)
    words.append(None if media.size_bytes is None else units.bytes_text(media.size_bytes))
    return " ".join(word for word in words if word)


def made_summary(media: Media) -> str:
    """As ``summary``, with the codec profile: for what was written."""
    if not isinstance(media, Video) or not media.video.profile or not media.video.codec:
        return summary(media)
    return summary(media).replace(
        media.video.codec, f"{media.video.codec} {media.video.profile}", 1
    )


def _picture(video: VideoStream) -> list[str | None]:
    scan = {"progressive": "p", "interlaced": "i"}.get(video.scan or "", "")
    rate = (
        None
        if video.frame_rate is None
        else f"{units.rate_text(video.frame_rate)}{scan}" + ("" if scan else " fps")
    )
    size = video.display_size or (video.width, video.height)
    return [_size(*size), video.codec, rate, video.pixel_format]


def _sound(media: Video) -> list[str | None]:
    if media.audio is None:
        return ["no sound"] if media.audio_present is False else []
    return [audio_words(media.audio)]


def audio_words(audio: AudioStream) -> str:
    """``aac-lc stereo``."""
    profile = f"-{audio.profile.lower()}" if audio.codec == "aac" and audio.profile else ""
    channels = (
        "" if audio.channels is None else _LAYOUTS.get(audio.channels, f"{audio.channels} channels")
    )
    return f"{audio.codec or 'sound'}{profile} {channels}".strip()


def _size(width: int | None, height: int | None) -> str | None:
    return None if width is None or height is None else units.size_text((width, height))


def clock(seconds: Fraction | float | None) -> str | None:
    """``3:04``, ``1:02:03``; below ten seconds with decimals: ``0:04.17``. None stays None."""
    if seconds is None:
        return None
    whole = round(seconds)
    if 0 <= seconds < 10:
        return "0:" + f"{float(seconds):05.2f}".removesuffix(".00")
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


_GROUPS = (
    ("video.gop.", "GOP"),
    ("video.colour.", "colour"),
    ("video.", "picture"),
    ("audio.", "sound"),
    ("container.", "container"),
    ("", "file"),
)
_ORDER = ("file", "container", "picture", "colour", "GOP", "sound")
_MOST_SHOWN = 12  # items of a list; --json has them all
_BYTES, _RATES, _BITS = (
    {"size_bytes"},
    {"frame_rate", "frame_rate_average", "frame_rate_burst", "frame_rate_declared"},
    {"bit_rate"},
)
_SECONDS = {"duration", "start", "first_open", "keyframe_interval_max", "duration_from_header"}


def all_facts(media: Media, path: str) -> tuple[Line, ...]:
    """Every fact in groups, with who said it, what is unknown and why, and who disagrees."""
    lines: list[Line] = [line(StyledText(path, "bold"), "  ", summary(media))]
    groups: dict[str, list[tuple[str | StyledText, ...]]] = {name: [] for name in _ORDER}
    unknown = {item.fact: item.reason for item in media.unknown}
    for fact, value in leaves(media):
        prefix, group = next(
            (prefix, group) for prefix, group in _GROUPS if fact.startswith(prefix)
        )
        name = fact.removeprefix(prefix)
        if fact in ("video.gop.pattern", "container.tracks", "kind", "cues", "delays"):
            continue
        if value is None:
            reason = next(
                (
                    why
                    for known, why in unknown.items()
                    if fact == known or fact.startswith(f"{known}.")
                ),
                None,
            )
            if reason:
                groups[group].append((name, StyledText("unknown", "yellow"), reason))
            continue
        groups[group].append((name, value_text(name, value), _said(media, fact)))
    for group in _ORDER:
        if groups[group]:
            lines += [(), line(StyledText(group, "bold")), *columns(groups[group], indent="  ")]
        if group == "GOP" and isinstance(media, Video) and media.video.gop.pattern:
            lines.append(line("  pattern  ", drawn(media.video.gop)))
    return (*lines, *_extras(media))


def drawn(gop: Gop) -> str:
    """The first groups of pictures in decode order, each with its length, open ones marked: ``IPBB 4 | IBBP 4 open | 7 more``."""
    groups = (gop.pattern or "").split("|")
    texts = []
    for group in groups:
        letters, _, rest = group.strip("()").partition("...+")
        texts.append(
            f"{letters}{'...' if rest else ''} {len(letters) + int(rest or 0)}{' open' if group.startswith('(') else ''}"
        )
    more = (gop.count or 0) - len(groups)
    return " | ".join([*texts, *([f"{more} more"] if more > 0 else [])])


def _said(media: Media, fact: str) -> str:
    words = [
        f"{w.source} {w.value}" if not w.agrees else w.source
        for w in media.reported_facts
        if w.fact == fact or fact.startswith(f"{w.fact}.")
    ]
    return ", ".join(dict.fromkeys(words))


def _extras(media: Media) -> list[Line]:
    lines: list[Line] = []
    if isinstance(media, (Video, Sound)) and media.container.tracks:
        rows: list[tuple[str | StyledText, ...]] = [
            (
                f"#{track.index}",
                track.kind,
                track.codec or "-",
                track.language or "-",
                "chosen" if track.chosen else "",
            )
            for track in media.container.tracks
        ]
        lines += [(), line(StyledText("tracks", "bold")), *columns(rows, indent="  ")]
    disputed = [(w.fact, w.source, w.value) for w in media.reported_facts if not w.agrees]
    if disputed:
        lines += [
            (),
            line(StyledText("readers that disagree", "bold")),
            *columns(disputed, indent="  "),
        ]
    return lines


def value_text(name: str, value: Any) -> str:
    """A fact's value for a person, with its unit; ``name`` is the last part of its path."""
    if value is True or value is False:
        return "yes" if value else "no"
    if name in _BYTES:
        return f"{units.bytes_text(value)} ({value} bytes)" if value >= 1000 else f"{value} bytes"
    if name in _RATES:
        return f"{units.rate_text(value)} fps" + (f" ({value})" if value.denominator != 1 else "")
    if name in _BITS:
        return units.bit_rate_text(value)
    if name in _SECONDS:
        return units.duration_text(value)
    if name == "cues":
        times = (
            f", {units.duration_text(value[0].start)} to {units.duration_text(value[-1].end)}"
            if value
            else ""
        )
        return f"{len(value)} cue{'' if len(value) == 1 else 's'}{times}"
    if name == "rotation":
        return f"{value} degrees clockwise"
    if isinstance(value, Fraction):
        return f"{float(value):.4g}"
    if isinstance(value, tuple):
        shown = ", ".join(map(_item_text, value[:_MOST_SHOWN])) or "none"
        return shown if len(value) <= _MOST_SHOWN else f"{shown} ... ({len(value)} in all)"
    return str(value)


def _item_text(item: Any) -> str:
    if isinstance(item, (str, int)):
        return str(item)
    if isinstance(item, Fraction):
        return units.duration_text(item)
    match item:
        case DeclaredSar(where=where, value=value):
            return f"{units.ratio_text(value)} ({where})"
        case PrivateItem(kind=kind, where=where):
            return f"{kind} in {where}"
        case HdrFormat(name=name, profile=profile):
            return name if profile is None else f"{name} profile {profile}"
        case _:
            return str(item)
