"""What a planned output will probably weigh and take: estimates for people, never limits. Pure.

A trial of a few seconds, where one was made, tells the bits that the content takes and the work it is. Without one the size is the most
that it can be, and the speeds are those once measured (two shared x86-64 cores, ffmpeg 9.0.2), corrected by the host's: 56 s of 1080p30
encoded to 720p by x264 ``medium`` in 36 s, the sound of it alone in 0.9 s, a remux in 0.08 s; and 117 MB remuxed in 0.26 s.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from mediaprep.model.media import Video
from mediaprep.model.tolerance import AtMostBytes, fill_in
from mediaprep.planning.plan import Output

if TYPE_CHECKING:
    from mediaprep.transcoding.trial import TrialResult

_PIXELS_A_SECOND = 1280 * 720 * 30 * 56 / 36
_EFFORT = {"fast": 0.41, "default": 1.0, "best": 1.48, "hq": 1.32}
_DECODED_PIXELS_A_SECOND = 4.5e8  # the output is decoded once to verify it
_SILENCE = (
    8000  # bit/s: sound that takes so little is silence, and takes no more when it is encoded anew
)
_SOUND_SPEED = 60.0  # times playing speed
_COPY_BYTES_A_SECOND = 4.5e8
_TONE_MAPPING = 2.0  # one clip of 1080p HLG took twice the CPU time for each pixel of the output
_PASSES = {
    "quality": 1.0,
    "average": 1.29,
    "bytes": 2.0,
}  # two passes (encoding.md, section 1); and a correction of what they gave
_START_SECONDS = 0.5  # start, two probes
MEASURED_SPEED = (
    11.2e6  # pixels a second that ``trial.host_speed`` tells of such a host: the best of three
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """``bytes``: of the file, at the most where the picture is encoded anew; ``seconds``: of work on two cores. None: no estimate."""

    bytes: int | None = None
    seconds: float | None = None

    def body(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "bytes": self.bytes,
            "seconds": None if self.seconds is None else round(self.seconds, 1),
        }


def predict(
    output: Output, trial: TrialResult | None = None, host_speed: float | None = None
) -> Prediction:
    """The estimate for one output; nothing for kinds that there is no measurement of. ``host_speed``: as ``trial.host_speed`` tells."""
    source, target = output.source, fill_in(output.target, output.tolerances)
    if not isinstance(source, Video) or not isinstance(target, Video) or target.duration is None:
        return Prediction()
    from mediaprep.transcoding.video import bit_rate as transcode

    seconds = float(target.duration)
    if target.video.reencode:
        size, rate = target.video.display_size, target.video.frame_rate
        if size is None or rate is None:
            return Prediction()
        wanted = transcode.aim(output)
        picture = wanted.bit_rate * seconds / 8
        work = (
            size[0]
            * size[1]
            * float(rate)
            * seconds
            / _PIXELS_A_SECOND
            * _EFFORT[output.options.quality or "default"]
        )
        work *= _TONE_MAPPING if source.video.colour.hdr else 1.0
        if trial is not None:
            picture = trial.bit_rate * seconds / 8
            work = trial.work * seconds
        elif host_speed is not None:
            work *= MEASURED_SPEED / host_speed
        work = (
            work * _PASSES[wanted.way]
            + size[0] * size[1] * float(rate) * seconds / _DECODED_PIXELS_A_SECOND
        )
    else:
        picture = _copied_bytes(source, target)
        work = (source.size_bytes or 0) / _COPY_BYTES_A_SECOND + (
            seconds / _SOUND_SPEED if target.audio and target.audio.reencode else 0
        )
    sound = _sound_rate(output, source, target) * seconds / 8
    return Prediction(bytes=_held(int(picture + sound), output), seconds=work + _START_SECONDS)


def _copied_bytes(source: Video, target: Video) -> float:
    if source.video.bit_rate is None:
        return float(source.size_bytes or 0)
    return source.video.bit_rate * float(target.duration or source.duration or Fraction(0)) / 8


def _sound_rate(output: Output, source: Video, target: Video) -> int:
    from mediaprep.transcoding.video import bit_rate as transcode

    if target.audio is None:
        return 0
    known = source.audio.bit_rate if source.audio else None
    if target.audio.reencode:
        nominal = transcode.encoded_sound_bit_rate(output)
        return nominal if known is None or known >= _SILENCE else min(nominal, known)
    return known or 0


def _held(size: int, output: Output) -> int:
    limits = [
        tolerance.limit for tolerance in output.tolerances if isinstance(tolerance, AtMostBytes)
    ]
    return min([size, *limits])
