"""From the difference of the facts at hand and the facts wanted to ffmpeg jobs. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from mediaprep.constraint import Rung
from mediaprep.context import MAX_PIXELS
from mediaprep.media import Track as SourceTrack
from mediaprep.media import Video, VideoStream
from mediaprep.plan import Output
from mediaprep.promise import AtMostBytes, Near, assume
from mediaprep.rules.video import as_shown, lead
from mediaprep.spec import Quality, VideoEncoding
from mediaprep.tools.ffmpeg import Filter, Input, Job, Track, seconds
from mediaprep.transcode.colour import colour_filters
from mediaprep.transcode.framing import aperture_filters, framing_filters


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One row of the table of qualities (encoding.md, section 1): x264's preset and CRF; ``cap``: the rung's bit rate, or the placement's
    higher advised one.
    """

    preset: str
    crf: int
    advised_cap: bool = False


QUALITY: dict[Quality, Setting] = {
    "fast": Setting(preset="veryfast", crf=23),
    "default": Setting(preset="medium", crf=23),
    "best": Setting(preset="slow", crf=23),
    "hq": Setting(preset="medium", crf=18, advised_cap=True),
}
# How many bits of H.264 one bit of the source's codec is worth, generously: a re-encode is not given more than that. Guesses, on the safe
# side.
_WORTH = {
    "h264": Fraction(3, 2),
    "hevc": Fraction(5, 2),
    "vp9": Fraction(5, 2),
    "av1": Fraction(3),
    "vp8": Fraction(3, 2),
    "mpeg4": Fraction(1),
}
_BUFFER_SECONDS = 2  # encoding.md, section 1: -bufsize is twice the rung
_LEAST_CAP = 100_000  # bit/s: below this H.264 headers and motion alone need it (a guess)
_ROOM = Fraction(1)  # second
_NEVER_KEPT: Mapping[str, str | int] = {"map_chapters": "-1", "write_tmcd": 0, "fflags": "+bitexact"}
_METADATA_LEFT: Mapping[str, str | int] = {"map_metadata": "-1", "map_metadata:s": "-1", "movflags": "+faststart"}
_METADATA_KEPT: Mapping[str, str | int] = {"map_metadata": "0", "movflags": "+faststart+use_metadata_tags"}
_TAGS = {"h264": "avc1", "hevc": "hvc1"}  # codec-facts.md, section 11: players want hvc1, ffmpeg writes hev1
_OVERHEAD = Fraction(98, 100)  # of a byte limit is for picture and sound; boxes take well under 1 % (a guess, on the safe side)
_COPIED_SOUND = 320_000  # bit/s of a copied sound of unknown bit rate: as much as stereo AAC LC encoders give


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What the host and the source's bytes add to the facts: the demuxer to force, the formats allowed, threads of one child."""

    demuxer: str
    whitelist: str
    threads: int = 2


def job(output: Output, means: Means) -> Job:
    """The one run that makes the output. Raises: ValueError where the facts name no picture track (a plan never asks that)."""
    have, want = output.source, output.want
    if not isinstance(have, Video) or not isinstance(want, Video):
        raise ValueError("a video output is made of a video")
    picture, sound = chosen(have, "video"), chosen(have, "audio") if want.audio is not None else None
    if picture is None:
        raise ValueError("no picture track is chosen")
    options: dict[str, str | int] = {**_NEVER_KEPT, **(_METADATA_KEPT if output.wishes.keep_metadata else _METADATA_LEFT)}
    tracks = [Track(index=picture.index, filters=_picture_filters(output, have, want) if want.video.anew else ())]
    options |= _picture_options(output, have, want) if want.video.anew else _copied_picture(have, want)
    if sound is not None and want.audio is not None:
        tracks.append(Track(index=sound.index, filters=_sound_filters(output, have, want) if want.audio.anew else ()))
        options |= _sound_options(output, want) if want.audio.anew else {"c:a": "copy"}
    if want.video.anew or (want.audio is not None and want.audio.anew):
        options["t"] = seconds(_length(output, have))
    return Job(input=source_input(output, have, means), tracks=tuple(tracks), options=options, muxer="mp4", threads=means.threads)


def rung(output: Output) -> Rung:
    """The row of the ladder that gives the bit rates: the one asked for, else the smallest that holds the wanted picture."""
    target, video = _target(output), output.want.video if isinstance(output.want, Video) else VideoStream()
    asked = output.wishes.rung
    size = (video.display_size or (target.ladder.rungs[0].width, target.ladder.rungs[0].height)) if asked is None else asked
    return target.ladder.holding(size)


def bit_rate_cap(output: Output) -> int:
    """bit/s that the picture may take at the most: the rung's (or the advised one for ``hq``), less where the source's own bit rate is
    worth less, or where the promised bytes would not hold it.
    """
    have = output.source
    setting = QUALITY[output.wishes.quality or _target(output).quality]
    cap = _target(output).hq_bit_rate if setting.advised_cap else rung(output).video_bit_rate
    cap = min([cap, *(_affordable(output, promise.limit) for promise in output.promises if isinstance(promise, AtMostBytes))])
    worth = _WORTH.get(have.video.codec or "") if isinstance(have, Video) else None
    if not isinstance(have, Video) or worth is None or have.video.bit_rate is None:
        return cap
    return max(min(cap, _LEAST_CAP), min(cap, int(have.video.bit_rate * worth)))


def _affordable(output: Output, limit: int) -> int:
    """bit/s of the picture with which the file stays under ``limit`` bytes even when the whole buffer (two seconds of it) is spent."""
    length = max((p.value for p in output.promises if isinstance(p, Near) and p.fact == "duration"), default=Fraction(1))
    have, want = output.source, output.want
    sound = 0
    if isinstance(have, Video) and isinstance(want, Video) and want.audio is not None:
        copied = have.audio.bit_rate if have.audio is not None and have.audio.bit_rate is not None else _COPIED_SOUND
        sound = rung(output).audio_bit_rate if want.audio.anew else copied
    return max(1000, int((limit * 8 * _OVERHEAD - sound * length) / (length + _BUFFER_SECONDS)))


def _target(output: Output) -> VideoEncoding:
    encoding = output.spec.encoding
    if not isinstance(encoding, VideoEncoding):
        raise ValueError(f"{output.placement} takes no video")
    return encoding


def chosen(have: Video, kind: str) -> SourceTrack | None:
    """The track of a kind that is judged and kept."""
    return next((track for track in have.container.tracks or () if track.kind == kind and track.chosen), None)


def source_input(output: Output, have: Video, means: Means) -> Input:
    """The source as ffmpeg gets it: not turned by ffmpeg where its picture is decoded, from the span's start on."""
    decoded = output.want.video.anew if isinstance(output.want, Video) else True
    options: dict[str, str | int] = {"noautorotate": None} if decoded else {}  # type: ignore[dict-item]  # ffmpeg-python: None is a bare flag
    if have.video.timestamps == "missing" and output.wishes.frame_rate is not None:
        options["framerate"] = _rate(output.wishes.frame_rate)
    if ahead := lead(have):
        options["itsoffset"] = f"-{seconds(ahead)}"
    start = None
    if output.span is not None:
        start = output.span[0]
        options["t"] = seconds(output.span[1] - output.span[0])
    return Input(demuxer=means.demuxer, whitelist=means.whitelist, start=start, max_pixels=MAX_PIXELS, options=options)


def _length(output: Output, have: Video) -> Fraction:
    """Seconds to stop at: the promised length where something is cut off or held, else with room to spare, so that a copied track keeps its
    last packets; a gap in the time stamps cannot fill the disk in either case."""
    lengths = [promise.value for promise in output.promises if isinstance(promise, Near) and promise.fact in ("duration", "video.duration")]
    exact = output.span is not None or _missing_time(output, have) > 0
    return max(lengths, default=Fraction(0)) + (0 if exact else _ROOM)


def _picture_options(output: Output, have: Video, want: Video) -> dict[str, str | int]:
    rate = want.video.frame_rate
    if rate is None:
        raise ValueError("no frame rate is wanted")
    setting = QUALITY[output.wishes.quality or _target(output).quality]
    cap = bit_rate_cap(output)
    keyint = math.ceil(_target(output).keyframe_seconds * rate)
    options: dict[str, str | int] = {
        "c:v": "libx264",
        "preset": setting.preset,
        "profile:v": "high",
        "crf": setting.crf,
        "aq-mode": 2,
        "maxrate": cap,
        "bufsize": _BUFFER_SECONDS * cap,
        "g": keyint,
        "flags:v": "+cgop+bitexact",
        "x264-params": "open-gop=0:8x8dct=1:cabac=1:min-keyint=1",
        "pix_fmt": "yuv420p",
        "r": _rate(rate),
        "fps_mode": "cfr",
        "color_primaries": "bt709",
        "color_trc": "bt709",
        "colorspace": "bt709",
        "color_range": "tv",
        "video_track_timescale": 90000 if 90000 % rate == 0 else rate.numerator,
    }
    sound_copied = want.audio is not None and not want.audio.anew
    if (frames := _frames(output)) is not None and not sound_copied:  # it would end a copied track early, too
        options["frames:v"] = frames
    return options


def _frames(output: Output) -> int | None:
    return next((p.value for p in output.promises if isinstance(p, Near) and p.fact == "video.frame_count"), None)


def _copied_picture(have: Video, want: Video) -> dict[str, str | int]:
    options: dict[str, str | int] = {"c:v": "copy"}
    if (tag := _TAGS.get(want.video.codec or "")) is not None:
        options["tag:v"] = tag
    if want.video.sars != have.video.sars and want.video.width and want.video.height:
        shape = Fraction(want.video.width, want.video.height)
        options["aspect"] = f"{shape.numerator}:{shape.denominator}"
        options["bsf:v"] = f"{want.video.codec}_metadata=sample_aspect_ratio=1/1"
    return options


def _picture_filters(output: Output, have: Video, want: Video) -> tuple[Filter, ...]:
    size = want.video.display_size
    if size is None:
        raise ValueError("no picture size is wanted")
    filters = upright_filters(as_shown(have.video, output.wishes), want.video.frame_rate, size, output.wishes.fit)
    if (missing := _missing_time(output, have)) > 0:
        filters.append(Filter(name="tpad", options={"stop_mode": "clone", "stop_duration": seconds(missing)}))
    return tuple(filters)


def upright_filters(video: VideoStream, rate: Fraction | None, size: tuple[int, int], fit: Literal["pad", "crop", "scale"]) -> list[Filter]:
    """From the decoded picture to a progressive, upright one of ``size`` with square pixels in BT.709; ``rate``: frames a second wanted."""
    filters = [*_scan_filters(video, rate), *aperture_filters(video), *_turn_filters(video)]
    return [*filters, *framing_filters(video, size, fit), *colour_filters(video, size)]


def _missing_time(output: Output, have: Video) -> Fraction:
    """Seconds to hold the last frame for, with a frame to spare: what the promised length has more than the source shows."""
    promised = assume(output.want, output.promises)
    shown, rate = have.video.duration, output.want.video.frame_rate if isinstance(output.want, Video) else None
    if have.video.timestamps == "broken":
        return Fraction(0)  # its length is counted in frames; all of them come
    if shown is None or not isinstance(promised, Video) or promised.video.duration is None or rate is None:
        return Fraction(0)
    end = shown + (have.video.start or 0) - lead(have)
    if output.span is not None:
        end = min(end, output.span[1]) - output.span[0]
    missing = promised.video.duration - end
    return missing + 2 / rate if missing > 1 / (2 * rate) else Fraction(0)


def _scan_filters(video: VideoStream, rate: Fraction | None) -> list[Filter]:
    if video.scan == "psf":
        return [Filter(name="setfield", options={"mode": "prog"})]
    parity = video.parity or (video.scan_flags if video.scan_flags in ("tff", "bff") else "auto")
    if video.scan == "telecine":
        order = {"tff": "tff", "bff": "bff"}.get(parity, "auto")
        return [
            Filter(name="fieldmatch", options={"order": order}),
            Filter(name="yadif", options={"deint": "interlaced"}),
            Filter(name="decimate"),
        ]
    if video.scan == "interlaced":
        fields = rate is not None and video.frame_rate is not None and rate >= 2 * video.frame_rate
        return [Filter(name="bwdif", options={"mode": "send_field" if fields else "send_frame", "parity": parity, "deint": "all"})]
    return []


def _turn_filters(video: VideoStream) -> list[Filter]:
    """Mirror, then turn clockwise; the matrix is deleted, or the output would carry it on."""
    turns: dict[int, list[Filter]] = {
        90: [Filter(name="transpose", options={"dir": "clock"})],
        180: [Filter(name="hflip"), Filter(name="vflip")],
        270: [Filter(name="transpose", options={"dir": "cclock"})],
    }
    filters = [Filter(name="hflip")] if video.mirrored else []
    return [*filters, *turns.get(video.rotation or 0, []), Filter(name="sidedata", options={"mode": "delete", "type": "DISPLAYMATRIX"})]


def _sound_filters(output: Output, have: Video, want: Video) -> tuple[Filter, ...]:
    """Gaps and a late start are filled with silence, so that sound and picture begin together."""
    filters = [Filter(name="aresample", options={"async": 1, "first_pts": 0})] if want.video.anew or output.span else []
    if _missing_time(output, have) > 0:
        filters.append(Filter(name="apad"))
    return tuple(filters)


def _sound_options(output: Output, want: Video) -> dict[str, str | int]:
    if want.audio is None:
        return {}
    options: dict[str, str | int] = {"c:a": "aac", "profile:a": "aac_low", "b:a": rung(output).audio_bit_rate, "flags:a": "+bitexact"}
    if want.audio.channels is not None:
        options["ac"] = want.audio.channels
    if want.audio.sample_rate is not None:
        options["ar"] = want.audio.sample_rate
    return options


def _rate(rate: Fraction) -> str:
    return f"{rate.numerator}/{rate.denominator}"
