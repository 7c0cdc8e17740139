"""Sound: windows of source and output at the same presentation times.

Offset by cross-correlation, level, channels, clipping, dropouts and length. A downmix is the one of
ITU-R BS.775-3, table 2: centre and surrounds at -3 dB, the low-frequency channel left out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import median
from typing import TYPE_CHECKING, TypeAlias

from mediaprep.comparing import thresholds
from mediaprep.model.comparison import Comparison, Difference, Figure
from mediaprep.tools.planes import ContentReader

if TYPE_CHECKING:
    import numpy as np

    Array: TypeAlias = np.ndarray

WINDOW_SECONDS = 2.0
SEARCH_SECONDS = 0.5  # how far an offset is looked for, either way
_RATE = 8000  # Hz of the signals that are correlated
_QUIET = 10 ** (-60 / 20)  # below this root mean square a window counts as silent
_HALF_POWER = math.sqrt(0.5)
# BS.775-3, table 2, by number of channels in the order of AAC and WAV: L, R, C, LFE, surrounds.
_DOWNMIX = {
    3: ((1.0, 0.0), (0.0, 1.0), (_HALF_POWER, _HALF_POWER)),
    5: (
        (1.0, 0.0),
        (0.0, 1.0),
        (_HALF_POWER, _HALF_POWER),
        (_HALF_POWER, 0.0),
        (0.0, _HALF_POWER),
    ),
    6: (
        (1.0, 0.0),
        (0.0, 1.0),
        (_HALF_POWER, _HALF_POWER),
        (0.0, 0.0),
        (_HALF_POWER, 0.0),
        (0.0, _HALF_POWER),
    ),
    8: (
        (1.0, 0.0),
        (0.0, 1.0),
        (_HALF_POWER, _HALF_POWER),
        (0.0, 0.0),
        (_HALF_POWER, 0.0),
        (0.0, _HALF_POWER),
        (_HALF_POWER, 0.0),
        (0.0, _HALF_POWER),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundExpectation:
    """What the output should play of the source.

    start      seconds of the source's presentation at which the output begins
    end        seconds of the output at which a cut ends it; None: with the source
    levelled   whether a loudness was requested, so that the level may differ
    """

    start: Fraction = Fraction(0)
    end: Fraction | None = None
    levelled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundSide:
    """One of the two files: its reader, its sound stream, time zero, when its sound begins and
    ends.
    """

    reader: ContentReader
    index: int
    zero: Fraction
    begin: Fraction
    end: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundWindow:
    """The same stretch of both files.

    at             seconds in the output
    offset         seconds by which the output is late; None where there is nothing to correlate
    likeness       correlation at that offset, 0 to 1
    source, output channels×N at ``rate``, aligned
    """

    at: float
    offset: float | None
    likeness: float
    source: Array
    output: Array
    rate: int


def compare_sound(source: SoundSide, output: SoundSide, expected: SoundExpectation) -> Comparison:
    """Return how the output's sound differs from the source's."""
    windows = [
        window
        for at in window_times(output)
        if (window := window_at(source, output, expected, at)) is not None
    ]
    judge = _Judge(expected)
    judge.length(source, output)
    if windows:
        judge.offsets(windows)
        judge.levels(windows)
        judge.channels(windows)
        judge.defects(windows)
    else:
        judge.unknown.append("no sound could be decoded at the same time in source and output")
    return Comparison(
        differences=tuple(judge.differences),
        figures=tuple(judge.figures),
        compared=("sound",),
        unknown=tuple(judge.unknown),
    )


def window_times(output: SoundSide) -> list[float]:
    """Return where windows begin: at the beginning, in the middle, at the end of the output's
    sound.
    """
    begin = float(output.begin - output.zero)
    room = float(output.end - output.begin) - WINDOW_SECONDS
    if room <= 0:
        return [begin]
    return [begin, begin + room / 2, begin + room]


def window_at(
    source: SoundSide, output: SoundSide, expected: SoundExpectation, at: float
) -> SoundWindow | None:
    """Return both stretches from ``at`` seconds of the output on, aligned; None where one is
    empty.
    """
    import numpy as np

    made = _stretch(output, at, WINDOW_SECONDS)
    begin = at + float(expected.start)
    wide = _stretch(source, begin - SEARCH_SECONDS, WINDOW_SECONDS + 2 * SEARCH_SECONDS)
    if made is None or wide is None:
        return None
    if min(wide[0].shape[1] / wide[1], made[0].shape[1] / made[1]) < 0.125:
        return None
    late, likeness = _best_lag(wide, made)
    offset = None if likeness < 0.3 else late / _RATE - SEARCH_SECONDS
    shift = SEARCH_SECONDS if offset is None else late / _RATE
    rate = made[1]
    resampled = np.stack([_resampled(channel, wide[1], rate) for channel in wide[0]])
    first = round(shift * rate)
    length = min(made[0].shape[1], resampled.shape[1] - first)
    return SoundWindow(
        at=at,
        offset=None if offset is None else -offset,
        likeness=likeness,
        source=resampled[:, first : first + length],
        output=made[0][:, :length],
        rate=rate,
    )


def _stretch(side: SoundSide, begin: float, seconds: float) -> tuple[Array, int] | None:
    """Return channels×N and the rate of exactly this stretch; silence where the file has no
    samples.
    """
    import numpy as np

    start = Fraction(begin).limit_denominator(10**6) + side.zero
    first, rate, samples = side.reader.sound(side.index, start, seconds)
    if not samples.shape[1]:
        return None
    count = round(seconds * rate)
    skip = round(float(start - first) * rate)
    if skip < 0:
        samples = np.pad(samples, ((0, 0), (-skip, 0)))
        skip = 0
    cut = samples[:, skip : skip + count]
    return np.pad(cut, ((0, 0), (0, count - cut.shape[1]))), rate


def _best_lag(wide: tuple[Array, int], narrow: tuple[Array, int]) -> tuple[float, float]:
    """Return the lag of the pair of signals that are most alike: the mixes, or two channels.

    Channels that are swapped, lost or inverted change the mix, but not every channel.
    """
    mixes = (_low_passed(samples.mean(axis=0), rate) for samples, rate in (wide, narrow))
    found = [_lag(*mixes)]
    for one in wide[0][:2]:
        for other in narrow[0][:2]:
            found.append(_lag(_low_passed(one, wide[1]), _low_passed(other, narrow[1])))
    return max(found, key=lambda item: item[1])


def _low_passed(samples: Array, rate: int) -> Array:
    """Return one channel at ``_RATE``, low-passed by a moving average."""
    import numpy as np

    width = max(1, rate // _RATE)
    smooth = np.convolve(samples, np.full(width, 1.0 / width), mode="same")
    return _resampled(smooth, rate, _RATE)


def _resampled(samples: Array, rate: int, wanted: int) -> Array:
    import numpy as np

    if rate == wanted:
        return samples
    count = int(samples.size * wanted / rate)
    return np.interp(np.arange(count) * (rate / wanted), np.arange(samples.size), samples)


def _lag(wide: Array, narrow: Array) -> tuple[float, float]:
    """Return where in ``wide`` ``narrow`` fits best, in samples, and the normalised correlation
    there.
    """
    import numpy as np

    size = 1 << int(wide.size + narrow.size).bit_length()
    product = np.fft.rfft(wide, size) * np.conj(np.fft.rfft(narrow, size))
    room = max(1, wide.size - narrow.size + 1)
    found = np.fft.irfft(product, size)[:room]
    energy = np.concatenate(([0.0], np.cumsum(wide.astype(np.float64) ** 2)))
    local = np.sqrt(np.maximum(energy[narrow.size : narrow.size + room] - energy[:room], 1e-9))
    scaled = found / (local * max(float(np.sqrt((narrow**2).sum())), 1e-9))
    best, inverted = int(np.argmax(scaled)), int(np.argmin(scaled))
    if -scaled[inverted] > 1.1 * scaled[best]:
        best = inverted
    return float(best), float(abs(scaled[best]))


class _Judge:
    """Collects differences and figures of the sound."""

    def __init__(self, expected: SoundExpectation) -> None:
        self._expected = expected
        self.differences: list[Difference] = []
        self.figures: list[Figure] = []
        self.unknown: list[str] = []

    def _note(self, limit: thresholds.Threshold, value: float, at: float | None = None) -> bool:
        """Keep a figure; return whether it is beyond its limit."""
        time = None if at is None else Fraction(at).limit_denominator(1000)
        self.figures.append(Figure(name=limit.name, value=value, limit=limit.limit, at=time))
        return value > limit.limit

    def _differs(self, message: str, measured: float, limit: thresholds.Threshold) -> None:
        self.differences.append(
            Difference(aspect="sound", message=message, measured=measured, limit=limit.limit)
        )

    def length(self, source: SoundSide, output: SoundSide) -> None:
        """Judge when the sound ends: with the source's, unless the output's span ends it
        earlier.
        """
        ends = self._expected.end
        whole = source.end - source.zero - self._expected.start
        wanted = whole if ends is None else min(whole, ends)
        short = float(wanted - (output.end - output.zero))
        if self._note(thresholds.SOUND_LENGTH, abs(short)):
            word = "earlier" if short > 0 else "later"
            self._differs(
                f"the sound ends {abs(short) * 1000:.0f} ms {word} than it should",
                abs(short),
                thresholds.SOUND_LENGTH,
            )

    def offsets(self, windows: Sequence[SoundWindow]) -> None:
        """Judge the offset of each window against the picture's clock."""
        for window in windows:
            if window.offset is None:
                continue
            if self._note(thresholds.SOUND_OFFSET, abs(window.offset), window.at):
                direction = "late" if window.offset > 0 else "early"
                self._differs(
                    f"the sound is {abs(window.offset) * 1000:.0f} ms {direction}"
                    f" at {window.at:.1f} s",
                    abs(window.offset),
                    thresholds.SOUND_OFFSET,
                )
        if all(window.offset is None for window in windows):
            loud = [w for w in windows if _loudness(w.source) > _QUIET]
            if loud and all(_loudness(w.output) <= _QUIET for w in loud):
                self.differences.append(Difference(aspect="sound", message="the sound is silent"))
            elif loud:
                self.differences.append(
                    Difference(aspect="sound", message="the sound is not the source's")
                )
            else:
                self.unknown.append("the sound is silent in every compared window")

    def levels(self, windows: Sequence[SoundWindow]) -> None:
        """Judge the level, unless a loudness was requested or channels were mixed."""
        found = [
            20 * math.log10(_loudness(w.output) / _loudness(w.source))
            for w in windows
            if w.offset is not None
            and w.source.shape[0] == w.output.shape[0]
            and min(_loudness(w.output), _loudness(w.source)) > _QUIET
        ]
        if not found or self._expected.levelled:
            return
        change = median(found)
        if self._note(thresholds.SOUND_LEVEL, abs(change)):
            word = "louder" if change > 0 else "quieter"
            self._differs(
                f"the sound is {abs(change):.1f} dB {word} than the source's",
                abs(change),
                thresholds.SOUND_LEVEL,
            )

    def channels(self, windows: Sequence[SoundWindow]) -> None:
        """Judge whether each channel plays what it should."""
        complaints = [
            words
            for window in windows
            if window.offset is not None
            for words in _channel_faults(window)
        ]
        if complaints:
            worst = max(set(complaints), key=complaints.count)
            self.differences.append(Difference(aspect="sound", message=worst))

    def defects(self, windows: Sequence[SoundWindow]) -> None:
        """Judge clipping and dropouts that the source lacks."""
        for window in windows:
            if window.offset is None:
                continue
            clipped = _clipped(window.output) - _clipped(window.source)
            if self._note(thresholds.SOUND_CLIPPING, max(0.0, clipped), window.at):
                self._differs(
                    f"the sound clips at {window.at:.1f} s, which the source does not",
                    clipped,
                    thresholds.SOUND_CLIPPING,
                )
            gap = _dropout(window)
            if self._note(thresholds.SOUND_DROPOUT, gap, window.at):
                self._differs(
                    f"the sound drops out for {gap * 1000:.0f} ms at {window.at:.1f} s",
                    gap,
                    thresholds.SOUND_DROPOUT,
                )


def _loudness(samples: Array) -> float:
    import numpy as np

    return float(np.sqrt((samples.astype(np.float64) ** 2).mean())) if samples.size else 0.0


def _channel_faults(window: SoundWindow) -> list[str]:
    """Return what is wrong with the channels of one window."""
    import numpy as np

    expected = _expected_channels(window.source, window.output.shape[0])
    if expected is None:
        return []
    names = (
        ("left", "right") if len(expected) == 2 else tuple(map(str, range(1, len(expected) + 1)))
    )
    faults = []
    silent = [
        names[n]
        for n, channel in enumerate(window.output)
        if _loudness(channel) <= _QUIET < _loudness(expected[n]) / 3
    ]
    if silent:
        faults.append(f"the {' and '.join(silent)} channel is silent")
        return faults
    table = np.array([[_likeness(a, b) for b in window.output] for a in expected])
    straight = table.diagonal()
    if len(expected) == 2 and _likeness(expected[0], expected[1]) < 0.98:
        crossed = table[0, 1] + table[1, 0]
        if crossed > np.abs(straight).sum() + 0.2:
            return ["left and right are swapped"]
    against = [names[n] for n, value in enumerate(straight) if value < -0.5]
    if against:
        both = len(against) == len(expected)
        faults.append(
            "the sound is inverted" if both else f"the {against[0]} channel is in antiphase"
        )
    return faults


def _expected_channels(source: Array, count: int) -> Array | None:
    """Return what ``count`` channels should play: the source's own, or its downmix; None where
    unknown.
    """
    import numpy as np

    if source.shape[0] == count:
        return source
    if source.shape[0] == 1:
        return np.repeat(source, count, axis=0)
    pair = source if source.shape[0] == 2 else None
    if pair is None:
        weights = _DOWNMIX.get(source.shape[0])
        if weights is None:
            return None
        pair = np.array(weights).T @ source
    if count == 2:
        return pair
    return pair.mean(axis=0, keepdims=True) if count == 1 else None


def _likeness(one: Array, other: Array) -> float:
    import numpy as np

    norm = math.sqrt(
        float((one.astype(np.float64) ** 2).sum() * (other.astype(np.float64) ** 2).sum())
    )
    return float((one * other).sum()) / norm if norm > 1e-9 else 0.0


def _clipped(samples: Array) -> float:
    """Return the share of samples that lie in runs of three or more at full scale."""
    import numpy as np

    full = np.abs(samples) >= 0.9999
    runs = full[:, 2:] & full[:, 1:-1] & full[:, :-2]
    return float(runs.mean()) if runs.size else 0.0


def _dropout(window: SoundWindow) -> float:
    """Return the longest stretch in seconds in which the output is silent and the source is not."""
    import numpy as np

    step = max(1, window.rate // 500)  # 2 ms
    count = window.output.shape[1] // step
    if not count:
        return 0.0
    cut = count * step
    out = np.abs(window.output[:, :cut]).max(axis=0).reshape(count, step).max(axis=1)
    source = np.abs(window.source[:, :cut]).max(axis=0).reshape(count, step).max(axis=1)
    lost = (out < 1e-4) & (source > 1e-2)
    longest = run = 0
    for flag in lost:
        run = run + 1 if flag else 0
        longest = max(longest, run)
    return longest * step / window.rate
