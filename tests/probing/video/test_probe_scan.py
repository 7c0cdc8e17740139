import numpy as np
import pytest

from mediaprep.probing.bitstream.header import StreamHeader
from mediaprep.probing.video import scan


class Frame:
    """A picture held in an array, H×W uint8."""

    def __init__(self, luma):
        self._luma = np.ascontiguousarray(luma)
        self.size = (luma.shape[1], luma.shape[0])
        self.interlaced = False

    def luma(self):
        return memoryview(self._luma.reshape(-1)), self._luma.shape[1], 8


def moment(t, height=240, width=128):
    """A soft pattern that moves two pixels a moment."""
    y, x = np.mgrid[0:height, 0:width]
    return (128 + 60 * np.sin((x - 2 * t) / 5) + 40 * np.sin((y + x - t) / 9)).astype(np.uint8)


def woven(top, bottom):
    frame = top.copy()
    frame[1::2] = bottom[1::2]
    return frame


def progressive(n):
    return [Frame(moment(2 * i)) for i in range(n)]


def interlaced(n, order):
    first, second = (0, 1) if order == "tff" else (1, 0)
    return [Frame(woven(moment(2 * i + first), moment(2 * i + second))) for i in range(n)]


def telecined(n):
    """2:3: of each four film frames, five: AA BB BC CD DD."""
    film = [moment(3 * i) for i in range(n)]
    frames = []
    for i in range(0, n - 3, 4):
        a, b, c, d = film[i : i + 4]
        frames += [woven(a, a), woven(b, b), woven(b, c), woven(c, d), woven(d, d)]
    return [Frame(frame) for frame in frames]


@pytest.mark.parametrize(
    ("frames", "content", "parity"),
    [
        (progressive(30), "progressive", None),
        (interlaced(30, "tff"), "tff", "tff"),
        (interlaced(30, "bff"), "bff", "bff"),
        (telecined(32), "telecine", "tff"),
        ([Frame(moment(0))] * 30, "undetermined", None),  # a still picture
        ([Frame(np.full((240, 128), 16, np.uint8))] * 30, "undetermined", None),
        (
            [Frame(frame._luma[:144]) for frame in interlaced(30, "tff")],
            "undetermined",
            None,
        ),  # too few lines to tell
        ([], "undetermined", None),
    ],
)
@pytest.mark.parametrize("deep", [False, True])
def test_content_is_told_by_how_fields_lie_in_time(frames, content, parity, deep):
    found = scan.measure([iter(frames)], deep=deep)
    assert (found.scan, found.parity) == (content, parity)


def test_noise_alone_is_no_interlace():
    rng = np.random.default_rng(1)
    frames = [Frame(rng.integers(14, 19, (240, 128), dtype=np.uint8)) for _ in range(30)]
    assert scan.measure([iter(frames)], deep=True).scan == "undetermined"


def test_a_fine_pattern_that_flickers_is_no_interlace():
    """A chessboard of single pixels that turns into its negative: neighbouring lines differ, and agree with those of the frame before."""
    y, x = np.mgrid[0:240, 0:128]
    boards = [
        (30 + 150 * ((x + y + n) % 2) + 3 * n * (y % 2 == 0)).astype(np.uint8) for n in range(20)
    ]
    assert scan.measure([iter(map(Frame, boards))], deep=True).scan == "undetermined"


def test_ten_bits_are_read_as_eight():
    class Ten(Frame):
        def luma(self):
            wide = np.ascontiguousarray(self._luma.astype(np.uint16) * 4)
            return memoryview(wide.reshape(-1)).cast("B"), wide.shape[1] * 2, 10

    frames = [Ten(frame._luma) for frame in interlaced(20, "bff")]
    assert scan.measure([iter(frames)], deep=True).scan == "bff"


def test_a_jump_between_windows_is_not_measured():
    found = scan.measure([iter(progressive(3)), iter(progressive(3))], deep=True)
    assert sum(int(part.split()[-1]) for part in found.evidence.split(", ")[:4]) == 4


class Says:
    """A detector with its answers ready."""

    def __init__(self, *answers):
        self._answers = iter(answers)

    def push(self, picture):
        return (next(self._answers),)


@pytest.mark.parametrize(
    ("answers", "combed", "likely", "content"),
    [
        (["progressive"] * 6, 0, False, "progressive"),
        (["undetermined"] * 6, 0, False, "undetermined"),
        (["undetermined"] * 4 + ["progressive"] * 2, 0, False, "progressive"),
        (["progressive"] * 5 + ["tff"], 1, False, "progressive"),
        (["progressive"] * 3 + ["tff"] * 3, 3, True, "tff"),
        (["bff"] * 6, 6, True, "bff"),
    ],
)
def test_the_screen_tells_how_likely_interlace_is(answers, combed, likely, content):
    found = scan.screen([object()] * 6, Says(*answers))
    assert (found.interlaced, found.likely, found.content("idet").scan) == (combed, likely, content)


@pytest.mark.parametrize(
    ("tff", "bff", "progressive", "undetermined", "content"),
    [
        (
            29,
            0,
            26,
            61,
            "tff",
        ),  # telecine of a picture with little motion: what is combed is combed one way
        (8, 0, 9, 60, "tff"),
        (7, 0, 8, 60, "progressive"),  # too few
        (9, 0, 12, 60, "progressive"),  # too few of the decided
        (16, 7, 8, 64, "undetermined"),  # fine patterns that move: combed both ways
    ],
)
def test_few_combed_frames_tell_where_all_are_combed_one_way(
    tff, bff, progressive, undetermined, content
):
    tally = scan.FieldTally()
    for verdict, count in (
        ("tff", tff),
        ("bff", bff),
        ("progressive", progressive),
        ("undetermined", undetermined),
    ):
        for _ in range(count):
            tally.add(verdict)
    assert tally.content("frames").scan == content


@pytest.mark.parametrize(
    ("codec", "field_order", "header", "flagged", "parities", "told"),
    [
        ("h264", 1, {}, (False,), (), "progressive"),
        ("h264", 0, {"frame_mbs_only": True}, (), (), "progressive"),
        (
            "h264",
            0,
            {"frame_mbs_only": False},
            (False, False),
            (),
            "progressive",
        ),  # x264's fake-interlaced
        ("h264", 2, {}, (True, True), ("bff",), "bff"),  # the frames outweigh the field order
        ("h264", 2, {}, (), (), "tff"),
        ("prores", 4, {}, (), (), "tff"),  # QuickTime's 9
        ("prores", 5, {}, (), (), "bff"),
        ("mpeg4", 0, {}, (True, False), (), "mixed"),
        ("mpeg2video", 0, {"top_field_first": (True,)}, (True,), (), "tff"),
        ("hevc", 0, {"field_seq": True}, (), (), "interlaced"),
        ("h264", 0, {"pic_struct": (4,), "field_pictures": True}, (), (), "bff"),
        ("vp9", 0, {}, (False,), (), "unspecified"),
        ("wmv3", 0, {}, (), (), None),
    ],
)
def test_flags(codec, field_order, header, flagged, parities, told):
    assert (
        scan.scan_flags(codec, field_order, StreamHeader(**header), flagged, frozenset(parities))
        == told
    )


@pytest.mark.parametrize(
    ("flags", "content", "soft", "told"),
    [
        ("progressive", "progressive", False, "progressive"),
        ("progressive", "tff", False, "interlaced"),
        ("progressive", "telecine", False, "telecine"),
        ("progressive", "undetermined", False, "progressive"),
        ("tff", "undetermined", False, "interlaced"),
        ("tff", "progressive", False, "psf"),
        ("tff", "bff", False, "interlaced"),
        ("tff", "telecine", False, "telecine"),
        ("progressive", "progressive", True, "soft-telecine"),
        ("unspecified", None, False, "progressive"),
        (None, "progressive", False, "progressive"),
        (None, "undetermined", False, None),
        (None, None, False, None),
    ],
)
def test_verdict(flags, content, soft, told):
    assert scan.verdict(flags, content, soft) == told


def test_soft_telecine_is_by_flag():
    assert scan.soft_telecine(StreamHeader(repeat_first_field=(False, True)))
    assert scan.soft_telecine(StreamHeader(pic_struct=(3, 5)))
    assert not scan.soft_telecine(StreamHeader(repeat_first_field=(False,), pic_struct=(3, 4)))


def test_the_cadence_of_telecine_is_told_without_repeated_fields():
    tally = scan.FieldTally()
    for verdict in ["tff", "tff", "tff", "progressive", "progressive"] * 4:
        tally.add(verdict)
    assert tally.content("frames").scan == "telecine"


@pytest.mark.parametrize(
    ("repeats", "content"),
    [
        ([False, True, False, True, False] * 6, "telecine"),
        ([False, True, True, False, False] * 6, "telecine"),  # 2:3:3:2
        ([False, True, False] * 10, "undetermined"),  # as often, without the period of five
        ([True, False, False, False, False] * 6, "undetermined"),  # too rarely
    ],
)
def test_noise_hides_all_of_telecine_but_the_cadence_of_repeated_fields(repeats, content):
    tally = scan.FieldTally()
    for repeated in repeats:
        tally.add("undetermined", repeated)
    found = tally.content("frames")
    assert (found.scan, found.parity) == (content, None)


def test_a_few_clean_frames_in_noise_do_not_outweigh_an_interlaced_flag():
    tally = scan.FieldTally()
    for verdict in ["progressive"] * 4 + ["undetermined"] * 23:
        tally.add(verdict)
    found = tally.content("frames")
    assert (found.scan, found.sure) == ("progressive", False)
    assert scan.verdict("tff", found.scan, False, found.sure) == "interlaced"
    assert scan.verdict("progressive", found.scan, False, found.sure) == "progressive"


def test_interlace_in_every_frame_ends_the_measure_early():
    left = iter(interlaced(30, "tff"))
    assert scan.measure([left], deep=False).scan == "tff"
    assert len(list(left)) == 30 - scan.COMBED_ENOUGH - 1


@pytest.mark.parametrize(
    ("verdicts", "content"),
    [
        (["tff"] * 20 + ["progressive"] * 12, "tff"),  # interlaced, then progressive: no cadence
        (
            ["progressive", "progressive", "tff", "tff"] * 10,
            "tff",
        ),  # telecine whose doubled frames were dropped: a cadence of four
        (["tff"] * 8 + ["progressive"] * 24, "progressive"),  # too few
        (
            ["tff"] * 12 + ["bff"] * 4 + ["progressive"] * 16,
            "progressive",
        ),  # of both parities: no interlace
        (["tff"] * 20 + ["progressive"] * 4, "tff"),
        (["tff"] * 10 + ["bff"] * 10, "undetermined"),
        (["tff"] * 4 + ["undetermined"] * 16, "undetermined"),  # too few of all
        (["progressive"] * 4 + ["undetermined"] * 36, "progressive"),
        (["progressive"] + ["undetermined"] * 36, "undetermined"),
    ],
)
def test_what_the_verdicts_add_up_to(verdicts, content):
    tally = scan.FieldTally()
    for verdict in verdicts:
        tally.add(verdict)
    assert tally.content("frames").scan == content
