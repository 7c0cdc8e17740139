import numpy as np
import pytest

from mediaprep.probing.video import interlace
from mediaprep.probing.video.field_tally import COMBED_ENOUGH, FieldTally


class Frame:
    """A frame held in an array, H×W uint8."""

    def __init__(self, luma):
        self._luma = np.ascontiguousarray(luma)
        self.size = (luma.shape[1], luma.shape[0])

    def luma(self):
        return memoryview(self._luma.reshape(-1)), self._luma.shape[1], 8


def moment(t, height=240, width=128):
    """Return a soft pattern that moves two pixels per moment."""
    y, x = np.mgrid[0:height, 0:width]
    return (128 + 60 * np.sin((x - 2 * t) / 5) + 40 * np.sin((y + x - t) / 9)).astype(np.uint8)


def weave(top, bottom):
    frame = top.copy()
    frame[1::2] = bottom[1::2]
    return frame


def progressive(n):
    return [Frame(moment(2 * i)) for i in range(n)]


def interlaced(n, parity):
    first, second = (0, 1) if parity == "tff" else (1, 0)
    return [Frame(weave(moment(2 * i + first), moment(2 * i + second))) for i in range(n)]


def telecined(n):
    """2:3 pulldown: of each four film frames, five: AA BB BC CD DD."""
    film = [moment(3 * i) for i in range(n)]
    frames = []
    for i in range(0, n - 3, 4):
        a, b, c, d = film[i : i + 4]
        frames += [weave(a, a), weave(b, b), weave(b, c), weave(c, d), weave(d, d)]
    return [Frame(frame) for frame in frames]


def measure(*windows, deep=True):
    return interlace.measure_windows(map(iter, windows), FieldTally(), deep=deep)


@pytest.mark.parametrize(
    ("frames", "content", "parity"),
    [
        (progressive(30), "progressive", None),
        (interlaced(30, "tff"), "tff", "tff"),
        (interlaced(30, "bff"), "bff", "bff"),
        (telecined(32), "telecine", "tff"),
        ([Frame(moment(0))] * 30, "undetermined", None),  # a still picture
        ([Frame(np.full((240, 128), 16, np.uint8))] * 30, "undetermined", None),
        # Too few lines
        ([Frame(frame._luma[:144]) for frame in interlaced(30, "tff")], "undetermined", None),
        ([], "undetermined", None),
    ],
)
@pytest.mark.parametrize("deep", [False, True])
def test_content_by_the_combing_of_fields(frames, content, parity, deep):
    found = measure(frames, deep=deep)
    assert (found.scan, found.parity) == (content, parity)


def test_noise_alone_is_not_interlaced():
    rng = np.random.default_rng(1)
    frames = [Frame(rng.integers(14, 19, (240, 128), dtype=np.uint8)) for _ in range(30)]
    assert measure(frames).scan == "undetermined"


def test_a_flickering_fine_pattern_is_not_interlaced():
    """A chessboard of single pixels that alternates with its negative.

    Neighbouring lines differ, and agree with those of the previous frame.
    """
    y, x = np.mgrid[0:240, 0:128]
    boards = [
        (30 + 150 * ((x + y + n) % 2) + 3 * n * (y % 2 == 0)).astype(np.uint8) for n in range(20)
    ]
    assert measure(map(Frame, boards)).scan == "undetermined"


def test_ten_bits_are_measured_like_eight():
    class TenBitFrame(Frame):
        def luma(self):
            wide = np.ascontiguousarray(self._luma.astype(np.uint16) * 4)
            return memoryview(wide.reshape(-1)).cast("B"), wide.shape[1] * 2, 10

    assert measure([TenBitFrame(frame._luma) for frame in interlaced(20, "bff")]).scan == "bff"


def test_a_jump_between_windows_is_not_measured():
    found = measure(progressive(3), progressive(3))
    assert sum(int(part.split()[-1]) for part in found.counts.split(", ")[:4]) == 4


class FixedScreen:
    """A screen with prepared verdicts."""

    def __init__(self, *verdicts):
        self._verdicts = iter(verdicts)

    def push(self, picture):
        return (next(self._verdicts),)


@pytest.mark.parametrize(
    ("verdicts", "combed", "mostly_combed", "content"),
    [
        (["progressive"] * 6, 0, False, "progressive"),
        (["undetermined"] * 6, 0, False, "undetermined"),
        (["undetermined"] * 4 + ["progressive"] * 2, 0, False, "progressive"),
        (["progressive"] * 5 + ["tff"], 1, False, "progressive"),
        (["progressive"] * 3 + ["tff"] * 3, 3, True, "tff"),
        (["bff"] * 6, 6, True, "bff"),
    ],
)
def test_the_screen_counts_combed_frames(verdicts, combed, mostly_combed, content):
    found = interlace.screen_frames([object()] * 6, FixedScreen(*verdicts))
    assert (found.combed, found.mostly_combed) == (combed, mostly_combed)
    assert found.analysis("idet").scan == content


def test_combing_in_every_frame_ends_the_measure_early():
    frames = iter(interlaced(30, "tff"))
    assert measure(frames, deep=False).scan == "tff"
    assert len(list(frames)) == 30 - COMBED_ENOUGH - 1
