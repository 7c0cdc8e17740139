"""The facts of a rewritten video: all fixes share one encode of picture and one of sound."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from mediaprep.model import containers
from mediaprep.model.fix import Case, Refused
from mediaprep.model.media import (
    AudioStream,
    Colour,
    Container,
    DeclaredSar,
    Gop,
    Video,
    VideoStream,
)
from mediaprep.model.options import Options
from mediaprep.targets.frame_rate import target_rate
from mediaprep.targets.picture_size import encoding, target_size

# Seconds of encoder delay (priming) in the sound: two and a half AAC frames, 2560 samples at 48 kHz
# (encoders use 1024, 2048 or 2112), and rounding.
PRIMING = Fraction(1, 18)
SQUARE = (
    DeclaredSar(where="container", value=Fraction(1)),
    DeclaredSar(where="bitstream", value=Fraction(1)),
)


def picture_encoded(target: Video, case: Case) -> Video:
    """Return the video with its picture encoded.

    That is H.264 High with closed GOPs, 8-bit 4:2:0, BT.709 limited range, constant rate, square
    pixels, progressive, upright, with a size that the placement takes, from time 0 (the first frame
    of a late picture is held from there). Facts that only the output can settle are None.
    """
    target = _from_zero(replace(target, video=with_corrected_sar(target.video, case.options)))
    size = target_size(target, case)
    rate = target_rate(target.video, case)
    return replace(
        target,
        size_bytes=None,
        keyframes=None,
        video=VideoStream(
            codec="h264",
            profile="High",
            pixel_format="yuv420p",
            chroma="4:2:0",
            bit_depth=8,
            alpha=False,
            width=None if size is None else size[0],
            height=None if size is None else size[1],
            size_changes=False,
            clap=(),
            sars=SQUARE,
            rotation=0,
            mirrored=False,
            matrix_exact=True,
            frame_rate=rate,
            rate_mode="cfr",
            timestamps="ok",
            scan="progressive",
            scan_flags="progressive",
            gop=Gop(structure="closed", open_count=0, nonidr_count=0, starts_with_idr=True),
            colour=Colour(
                primaries="bt709", transfer="bt709", matrix="bt709", range="limited", hdr=()
            ),
            start=Fraction(0),
            duration=target.video.duration,
            faults=(),
            reencode=True,
        ),
    )


def sound_encoded(target: Video, case: Case) -> Video:
    """Return the video with its sound encoded: AAC LC, at most two channels.

    The sample rate is the source's if the placement lists it, else the first that it lists.
    """
    if target.audio is None:
        return target
    channels = min(2, target.audio.channels) if target.audio.channels else None
    rates = encoding(case.placement).sample_rates
    rate = target.audio.sample_rate if target.audio.sample_rate in rates else rates[0]
    layout = None if channels is None else {1: "mono", 2: "stereo"}[channels]
    audio = AudioStream(
        codec="aac",
        profile="LC",
        sbr=False,
        ps=False,
        channels=channels,
        layout=layout,
        sample_rate=rate,
        start=target.audio.start,
        duration=target.audio.duration,
        decodable=True,
        reencode=True,
    )
    return replace(target, size_bytes=None, audio=audio)


def remuxed(target: Video) -> Video:
    """Return the video with its streams in a new MP4 with faststart and without chapters.

    It has one video track and at most one audio track. Facts that only the old container declared
    are None.
    """
    video = replace(target.video, tag=None, frame_rate_declared=None, edit_list=None)
    audio = None if target.audio is None else replace(target.audio, tag=None)
    container = Container(format="mp4", faststart=True, fragmented=False, chapters=0)
    return replace(
        target,
        size_bytes=None,
        complete=True,
        incomplete_because=None,
        container=container,
        video=video,
        audio=audio,
    )


def with_corrected_sar(video: VideoStream, options: Options) -> VideoStream:
    """Return the picture with square pixels if its declared SAR is wrong, else unchanged.

    It is wrong if container and bitstream contradict each other and one declares 1:1, or if the
    user requests square pixels.
    """
    declared = {sar.value for sar in video.sars or ()}
    if not declared or declared == {1}:
        return video
    contradictory = len(declared) > 1 and 1 in declared
    return replace(video, sars=SQUARE) if options.square_pixels or contradictory else video


def unknown_timing(video: Video) -> Refused:
    """Return the refusal of a video whose frame rate or duration is unknown."""
    if video.video.timestamps == "missing":
        return Refused(
            reason="the stream has no timestamps: its frame rate and duration are unknown",
            remedies=("--frame-rate N",),
        )
    return Refused(reason="its frame rate or duration is unknown")


def _from_zero(target: Video) -> Video:
    """Return the video with time counted from the start of picture or sound, whichever is first.

    The first frame of a late picture is held from there. If the timestamps are broken, the number
    of frames and the declared rate determine the duration of the picture.
    """
    video, audio = target.video, target.audio
    if (
        video.timestamps == "broken"
        and video.frame_count is not None
        and video.frame_rate is not None
    ):
        video = replace(video, start=Fraction(0), duration=video.frame_count / video.frame_rate)
        target = replace(target, video=video)
    if video.start is None or video.duration is None:
        return target
    if audio is None:
        return replace(target, duration=video.duration, video=replace(video, start=Fraction(0)))
    if audio.start is None or audio.duration is None:
        return target
    zero = max(Fraction(0), min(video.start, audio.start)) + audio_lead(target)
    picture_end = video.start + video.duration
    sound_end = audio.start + audio.duration
    if target.duration is not None:  # an edit list may end the sound within a packet
        sound_end = min(sound_end, zero + target.duration)
    return replace(
        target,
        duration=max(picture_end, sound_end) - zero,
        video=replace(video, start=Fraction(0), duration=picture_end - zero),
        audio=replace(audio, start=max(audio.start - zero, Fraction(0))),
    )


def audio_lead(source: Video) -> Fraction:
    """Return the seconds of encoder delay (priming) by which the sound starts before the picture.

    Containers that cannot declare it, such as transport streams, play it. In an MP4 it is skipped,
    and the picture starts at 0. Return 0 if the sound starts later, or earlier than by priming.
    """
    video, audio = source.video, source.audio
    if audio is None or video.start is None or audio.start is None:
        return Fraction(0)
    ahead = video.start - audio.start
    return ahead if audio.start >= 0 and 0 < ahead <= PRIMING else Fraction(0)


def starts_with_picture(source: Video) -> bool:
    """Return True if nothing is presented before the picture, and a copy may shift it to time 0.

    Segments and FLV files may start late. A delay in MP4 and MOV is an edit list, which a copy
    keeps.
    """
    video, audio = source.video, source.audio
    if containers.of(source.container.format).edit_lists or video.start is None:
        return False
    return audio is None or (audio.start is not None and audio.start >= video.start)
