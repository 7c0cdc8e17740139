"""Detect interlaced and telecined pictures by their content.

Two steps. A *screen*: ffmpeg's ``idet`` over the first frames; if none of them seems interlaced,
that is the verdict. Otherwise (or if a flag says interlaced, or lines and rate are those of
television) a *measure* of combing over windows of the file: with ``near`` and ``far`` the combing
between this frame's fields and those of the previous frame (both ways round), and ``own`` the
combing within the frame, each over what moves, (near - own) / (far - own) is about 0 if the fields
are evenly spaced in time, and about 1 if both belong to one moment. idet compares near and far
alone and mistakes moving fine patterns for interlace. Measurements:
docs/decisions/scan-sampling.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

from mediaprep.probing.video.field_tally import FieldAnalysis, FieldTally, FieldVerdict

if TYPE_CHECKING:
    from mediaprep.tools.field_comparison import Fields, FrameComparison

# Screened frames of pictures up to 1280x720, and above: 1080p HEVC of 10 bits takes 13 ms a frame.
SCREEN_FRAMES, SCREEN_FRAMES_LARGE = 10, 6
WINDOW_FRAMES = 40
# A window that is unanimous, or shows nothing, ends here.
WINDOW_FRAMES_UNANIMOUS = 12
# The same from the second window on, if only the screen suspects interlace.
WINDOW_FRAMES_SCREENED = 6
DECIDED_ENOUGH = 20  # verdicts over all windows, if they are unanimous
# If only the screen suspects interlace and all verdicts are progressive: telecine has no four
# progressive frames in a row.
PROGRESSIVE_ENOUGH = 6
WINDOW_POSITIONS = (Fraction(1, 10), Fraction(1, 2), Fraction(85, 100))  # of the duration
MOST_LINES = 1088  # no broadcast or disc format interlaces more lines (ITU-R BT.709: 1080)
INTERLACED_LINES = frozenset({480, 486, 576, 1080, 1088})
INTERLACED_RATES = frozenset({Fraction(25), Fraction(30000, 1001)})  # frames per second
# Television has 480 lines and more; in small pictures fine patterns look interlaced.
FEWEST_LINES = 200
COLUMNS = 320  # measured at most, evenly spaced
FEWEST_MOVING = 200  # samples; fewer give no verdict
_MOTION = 8  # 8-bit steps between two frames: more than the coded noise of most cameras
_LEAST_DIFFERENCE = 0.15  # share of a combing by which two must differ
# The far combing must exceed the near one by this share of the near one (idet's intl_thres), and by
# this multiple of the doubling of lines: doubled lines that move up or down reach 1 to 2.4,
# interlaced ones 2.4 and mostly far more.
_LEAST_LEAN, _LEAST_LEAN_DOUBLED = 0.04, 2.5
_INTERLACED_BELOW, _PROGRESSIVE_ABOVE = 0.45, 0.7  # of the ratio above
# Fields of one moment comb this many times less than neighbours in time. Real interlace combs
# within the frame as it does between frames.
_CLEAN = 2
_REPEAT = (
    3.0  # a field is repeated if the other one changes this many times more (idet's rep_thres)
)


class DecodedFrame(Protocol):
    """What is needed of a decoded frame; see ``tools.pyav_frames.VideoFrame``."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""

    def luma(self) -> tuple[memoryview, int, int]:
        """Return the luma plane, its bytes per line, and its bits per sample."""


class FrameScreen(Protocol):
    """A screen; see ``tools.field_filters.FieldDetector``."""

    def push(self, picture: Any) -> tuple[FieldVerdict, ...]:
        """Add a frame; return the verdicts that are ready."""


class CombingMeter:
    """Measure combing frame by frame in display order; use a new one after every jump."""

    def __init__(self) -> None:
        self._previous: Fields | None = None

    def add(self, frame: DecodedFrame) -> tuple[FieldVerdict, bool] | None:
        """Compare a frame with the previous one.

        Return its verdict, and whether it repeats a field. None for the first frame, and for small
        frames or frames of another size.
        """
        # local: it imports Pillow, which most videos do not need
        from mediaprep.tools import field_comparison

        if frame.size[1] < FEWEST_LINES:
            return None
        current = field_comparison.split(*frame.luma(), frame.size, COLUMNS)
        previous, self._previous = self._previous, current
        if previous is None or previous[0].plane.size != current[0].plane.size:
            return None
        found = field_comparison.compare(current, previous, step=_MOTION, fewest=FEWEST_MOVING)
        if found is None:
            return "undetermined", False
        return _verdict(found), _one_repeats(*found.moves) or _one_repeats(*found.changes)


def _verdict(found: FrameComparison) -> FieldVerdict:
    """Judge one frame by its combing.

    Top field first means that the top field is near the previous frame's bottom field in time.
    """
    own, near, far = found.own, *sorted((found.top_late, found.bottom_late))
    least = _LEAST_DIFFERENCE * min(own, near)
    if max(own, far) - min(own, near) < least:
        return "undetermined"
    if own * _CLEAN <= near:
        return "progressive"
    if far * _CLEAN <= own:
        # Not interlaced either: fields of three moments apart comb more than those of one frame.
        return "undetermined"
    ratio = 0.5
    if own - near >= least:
        ratio = 0.0
    elif far - own >= least:
        ratio = (near - own) / (far - own)
    if ratio > _PROGRESSIVE_ABOVE:
        return "progressive"
    least_lean = max(_LEAST_LEAN * near, _LEAST_LEAN_DOUBLED * found.doubled)
    if ratio >= _INTERLACED_BELOW or far - near < least_lean:
        return "undetermined"
    return "tff" if found.top_late < found.bottom_late else "bff"


def _one_repeats(one: int, other: int) -> bool:
    """Return True if one field changes far more than the other."""
    less, more = sorted((one, other))
    return less * _REPEAT < more


def screen_frames(frames: Iterable[Any], screen: FrameScreen) -> FieldTally:
    """Screen consecutive frames. If one of them seems interlaced, measure."""
    tally = FieldTally()
    for frame in frames:
        for verdict in screen.push(frame):
            tally.add(verdict)
    return tally


def measure_windows(
    windows: Iterable[Iterator[DecodedFrame]],
    tally: FieldTally,
    *,
    deep: bool,
    only_screened: bool = False,
) -> FieldAnalysis:
    """Measure windows of consecutive frames, counting into ``tally``.

    A window ends early if it is unanimous, and so does the whole measure; a deep one does not.
    ``only_screened``: nothing but the screen suspects interlace.
    """
    brief = SCREEN_FRAMES if only_screened else WINDOW_FRAMES_UNANIMOUS

    def is_settled() -> bool:
        if deep:
            return False
        enough = tally.decided >= DECIDED_ENOUGH or (
            only_screened and tally.progressive >= PROGRESSIVE_ENOUGH
        )
        return tally.all_combed or (tally.unanimous and enough)

    for window in windows:
        meter = CombingMeter()
        tally.begin_window()
        for count, frame in enumerate(islice(window, WINDOW_FRAMES), 1):
            if (verdict := meter.add(frame)) is not None:
                tally.add(*verdict)
            if is_settled() or (not deep and tally.unanimous and count >= brief):
                break
        if is_settled():
            break
        brief = WINDOW_FRAMES_SCREENED if only_screened else WINDOW_FRAMES_UNANIMOUS
    return tally.analysis("frames")


def is_television(height: int | None, rate: Fraction | None) -> bool:
    """Return True if lines and frame rate are those that television interlaces."""
    return height in INTERLACED_LINES and rate in INTERLACED_RATES
