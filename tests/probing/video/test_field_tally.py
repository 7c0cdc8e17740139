import pytest

from mediaprep.probing.video.field_tally import FieldTally
from mediaprep.probing.video.scan_type import scan_type


def tally_of(verdicts, repeated=None):
    tally = FieldTally()
    for index, verdict in enumerate(verdicts):
        tally.add(verdict, bool(repeated and repeated[index]))
    return tally


@pytest.mark.parametrize(
    ("tff", "bff", "progressive", "undetermined", "expected"),
    [
        # Telecine of a picture with little motion: combed frames all have one parity.
        (29, 0, 26, 61, "tff"),
        (8, 0, 9, 60, "tff"),
        (7, 0, 8, 60, "progressive"),  # too few
        (9, 0, 12, 60, "progressive"),  # too few of the decided
        (16, 7, 8, 64, "undetermined"),  # moving fine patterns: combed with both parities
    ],
)
def test_few_combed_frames_suffice_if_all_have_one_parity(
    tff, bff, progressive, undetermined, expected
):
    verdicts = ["tff"] * tff + ["bff"] * bff
    verdicts += ["progressive"] * progressive + ["undetermined"] * undetermined
    assert tally_of(verdicts).analysis("frames").scan == expected


def test_the_cadence_of_telecine_shows_without_repeated_fields():
    verdicts = ["tff", "tff", "tff", "progressive", "progressive"] * 4
    assert tally_of(verdicts).analysis("frames").scan == "telecine"


@pytest.mark.parametrize(
    ("repeated", "expected"),
    [
        ([False, True, False, True, False] * 6, "telecine"),
        ([False, True, True, False, False] * 6, "telecine"),  # 2:3:3:2
        ([False, True, False] * 10, "undetermined"),  # as often, without the period of five
        ([True, False, False, False, False] * 6, "undetermined"),  # too rarely
    ],
)
def test_noise_hides_everything_but_the_cadence_of_repeated_fields(repeated, expected):
    found = tally_of(["undetermined"] * len(repeated), repeated).analysis("frames")
    assert (found.scan, found.parity) == (expected, None)


def test_a_few_progressive_frames_in_noise_are_not_conclusive():
    found = tally_of(["progressive"] * 4 + ["undetermined"] * 23).analysis("frames")
    assert (found.scan, found.conclusive) == ("progressive", False)
    for flags, expected in (("tff", "interlaced"), ("progressive", "progressive")):
        verdict = scan_type(flags, found.scan, soft=False, conclusive=found.conclusive)
        assert verdict == expected


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        # Interlaced, then progressive: no cadence
        (["tff"] * 20 + ["progressive"] * 12, "tff"),
        # Telecine whose doubled frames were dropped: a cadence of four
        (["progressive", "progressive", "tff", "tff"] * 10, "tff"),
        (["tff"] * 8 + ["progressive"] * 24, "progressive"),  # too few
        # Of both parities: not interlaced
        (["tff"] * 12 + ["bff"] * 4 + ["progressive"] * 16, "progressive"),
        (["tff"] * 20 + ["progressive"] * 4, "tff"),
        (["tff"] * 10 + ["bff"] * 10, "undetermined"),
        (["tff"] * 4 + ["undetermined"] * 16, "undetermined"),  # too few of all
        (["progressive"] * 4 + ["undetermined"] * 36, "progressive"),
        (["progressive"] + ["undetermined"] * 36, "undetermined"),
    ],
)
def test_verdicts_add_up(verdicts, expected):
    assert tally_of(verdicts).analysis("frames").scan == expected
