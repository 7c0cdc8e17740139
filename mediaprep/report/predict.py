"""Estimate the size of a planned output, and the time that it takes.

The estimate rests on a trial: a few seconds of the output, encoded as planned. Without a trial the
size is the maximum, and the time follows from speeds that were measured once, corrected by the
speed of the host. They were measured on two shared x86-64 cores with ffmpeg 9.0.2: 56 s of 1080p30
were encoded to 720p by x264 ``medium`` in 36 s, their audio alone in 0.9 s; a remux of them took
0.08 s, and one of 117 MB 0.26 s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mediaprep.model.media import Video
from mediaprep.model.tolerance import AtMostBytes, fill_in
from mediaprep.planning.plan import Output

if TYPE_CHECKING:
    from mediaprep.transcoding.trial import TrialResult

# The speed that ``host_speed_steps`` measures on the host described above: the best of three.
MEASURED_SPEED = 11.2e6  # pixels per second
_ENCODED_PIXELS_PER_SECOND = 1280 * 720 * 30 * 56 / 36
_DECODED_PIXELS_PER_SECOND = 4.5e8  # an output is decoded once to verify it
_COPIED_BYTES_PER_SECOND = 4.5e8
_AUDIO_SPEED = 60.0  # as a multiple of the playing speed
_EFFORT = {"fast": 0.41, "default": 1.0, "best": 1.48, "hq": 1.32}  # measured, as a factor of time
_TONE_MAPPING = 2.0  # measured with one clip of 1080p HLG: CPU time per output pixel
# Time of all passes as a factor of one; for bytes, with a second try that corrects the size.
_PASSES = {"quality": 1.0, "average": 1.29, "bytes": 2.0}
_START_SECONDS = 0.5  # to start processes, and to probe twice
_SILENT_BIT_RATE = 8000  # bit/s: audio below this is silence, and stays small when re-encoded


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """The estimate for one output.

    bytes     size of the file, the maximum if there was no trial; None: no estimate
    seconds   time on two cores; None: no estimate
    """

    bytes: int | None = None
    seconds: float | None = None

    def body(self) -> dict[str, Any]:
        """Return the estimate as JSON holds it."""
        seconds = None if self.seconds is None else round(self.seconds, 1)
        return {"bytes": self.bytes, "seconds": seconds}


def predict(
    output: Output, trial: TrialResult | None = None, host_speed: float | None = None
) -> Prediction:
    """Return the estimate for one output; without values for kinds that were not measured.

    host_speed   in pixels per second, from ``host_speed_steps``
    """
    source, target = output.source, fill_in(output.target, output.tolerances)
    if not isinstance(source, Video) or not isinstance(target, Video) or target.duration is None:
        return Prediction()
    duration = float(target.duration)
    if target.video.reencode:
        encoded = _encoded_video(output, source, target, duration, trial, host_speed)
        if encoded is None:
            return Prediction()
        video_bytes, seconds = encoded
    else:
        video_bytes = _copied_video_bytes(source, duration)
        seconds = (source.size_bytes or 0) / _COPIED_BYTES_PER_SECOND
        if target.audio is not None and target.audio.reencode:
            seconds += duration / _AUDIO_SPEED
    audio_bytes = _audio_bit_rate(output, source, target) * duration / 8
    size = min([int(video_bytes + audio_bytes), *_byte_limits(output)])
    return Prediction(bytes=size, seconds=seconds + _START_SECONDS)


def _encoded_video(
    output: Output,
    source: Video,
    target: Video,
    duration: float,
    trial: TrialResult | None,
    host_speed: float | None,
) -> tuple[float, float] | None:
    """Return the bytes of an encoded video stream and the seconds that it takes."""
    from mediaprep.transcoding.video.bit_rate import rate_target

    size, rate = target.video.display_size, target.video.frame_rate
    if size is None or rate is None:
        return None
    pixels = size[0] * size[1] * float(rate) * duration
    control = rate_target(output)
    if trial is not None:
        bit_rate, seconds = float(trial.bit_rate), trial.work * duration
    else:
        bit_rate = float(control.bit_rate)
        seconds = pixels / _ENCODED_PIXELS_PER_SECOND
        seconds *= _EFFORT[output.options.quality or "default"]
        if source.video.colour.hdr:
            seconds *= _TONE_MAPPING
        if host_speed is not None:
            seconds *= MEASURED_SPEED / host_speed
    verification = pixels / _DECODED_PIXELS_PER_SECOND
    return bit_rate * duration / 8, seconds * _PASSES[control.way] + verification


def _copied_video_bytes(source: Video, duration: float) -> float:
    if source.video.bit_rate is None:
        return float(source.size_bytes or 0)
    return source.video.bit_rate * duration / 8


def _audio_bit_rate(output: Output, source: Video, target: Video) -> int:
    from mediaprep.transcoding.video.bit_rate import encoded_sound_bit_rate

    if target.audio is None:
        return 0
    known = source.audio.bit_rate if source.audio is not None else None
    if not target.audio.reencode:
        return known or 0
    nominal = encoded_sound_bit_rate(output)
    if known is not None and known < _SILENT_BIT_RATE:
        return min(nominal, known)
    return nominal


def _byte_limits(output: Output) -> list[int]:
    return [item.limit for item in output.tolerances if isinstance(item, AtMostBytes)]
