"""Parsing and formatting. Expected values are calculated by hand from the definitions of units."""

from fractions import Fraction

import pytest

from mediaprep.model import units


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("60", Fraction(60)),
        ("25", Fraction(25)),
        ("12.5", Fraction(25, 2)),
        ("29.97", Fraction(30000, 1001)),
        ("23.976", Fraction(24000, 1001)),
        ("23.98", Fraction(24000, 1001)),
        ("59.94", Fraction(60000, 1001)),
        ("30000/1001", Fraction(30000, 1001)),
        ("50/2", Fraction(25)),
        (" 30 ", Fraction(30)),
    ],
)
def test_rates_are_exact_and_ntsc_decimals_snap(text, rate):
    assert units.parse_rate(text) == rate


@pytest.mark.parametrize("text", ["", "fast", "-30", "1e3", "30000/0", "0/0", "30 fps", "nan"])
def test_an_invalid_rate_is_rejected_with_the_expected_form(text):
    with pytest.raises(ValueError, match="expected a number"):
        units.parse_rate(text)


@pytest.mark.parametrize(
    ("text", "judged", "written"),
    [
        ("512 MB", 536_870_912, 512_000_000),
        ("15MB", 15_728_640, 15_000_000),
        ("5 MB", 5_242_880, 5_000_000),
        ("8 GB", 8_589_934_592, 8_000_000_000),
        ("64 KB", 65_536, 64_000),
        ("20 MiB", 20_971_520, 20_971_520),
        ("300000000 B", 300_000_000, 300_000_000),
        ("1.5 MB", 1_572_864, 1_500_000),
    ],
)
def test_sizes_are_judged_at_powers_of_two_and_written_at_powers_of_ten(text, judged, written):
    number, unit = units.parse_bytes(text)
    assert (units.bytes_judged(number, unit), units.bytes_written(number, unit)) == (
        judged,
        written,
    )


@pytest.mark.parametrize("text", ["15", "MB", "-1 MB", "15 mb", "15 TB"])
def test_a_size_needs_a_number_and_a_known_unit(text):
    with pytest.raises(ValueError, match="expected a number"):
        units.parse_bytes(text)


@pytest.mark.parametrize(
    ("text", "bits"),
    [
        ("2048k", 2_048_000),
        ("5 Mbit/s", 5_000_000),
        ("128 kbit/s", 128_000),
        ("96000", 96_000),
        ("96000 bit/s", 96_000),
        ("1.5M", 1_500_000),
    ],
)
def test_bit_rates_count_in_thousands(text, bits):
    assert units.parse_bit_rate(text) == bits


def test_a_bit_rate_in_bytes_is_rejected():
    with pytest.raises(ValueError, match="expected a number"):
        units.parse_bit_rate("5 MB/s")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("140 s", Fraction(140)),
        ("139.9", Fraction(1399, 10)),
        ("2:20", Fraction(140)),
        ("1:02:03.5", Fraction(7447, 2)),
        ("20 min", Fraction(1200)),
        ("500 ms", Fraction(1, 2)),
        ("1h", Fraction(3600)),
    ],
)
def test_durations_are_exact_seconds(text, seconds):
    assert units.parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "-1", "2:75", "1:2:3:4", "soon", "1e3"])
def test_an_invalid_duration_is_rejected(text):
    with pytest.raises(ValueError, match="expected seconds"):
        units.parse_duration(text)


@pytest.mark.parametrize(
    ("text", "ratio"),
    [
        ("16:9", Fraction(16, 9)),
        ("16/9", Fraction(16, 9)),
        ("1.5", Fraction(3, 2)),
        ("2.39:1", Fraction(239, 100)),
    ],
)
def test_ratios(text, ratio):
    assert units.parse_ratio(text) == ratio


@pytest.mark.parametrize("text", ["16:0", "16:", "wide", "-1:2"])
def test_an_invalid_ratio_is_rejected(text):
    with pytest.raises(ValueError, match="expected W:H"):
        units.parse_ratio(text)


@pytest.mark.parametrize(
    ("text", "size"), [("1280x720", (1280, 720)), ("32 × 32", (32, 32)), ("720X1280", (720, 1280))]
)
def test_picture_sizes(text, size):
    assert units.parse_size(text) == size


def test_an_invalid_picture_size_is_rejected():
    with pytest.raises(ValueError, match="expected WIDTHxHEIGHT"):
        units.parse_size("720p")


def test_formatted_values_have_their_unit():
    assert units.rate_text(Fraction(30000, 1001)) == "29.97"
    assert units.rate_text(Fraction(25)) == "25"
    assert units.duration_text(Fraction(1400065, 10000)) == "140.0065 s"
    assert units.duration_text(Fraction(12)) == "12 s"
    assert units.ratio_text(Fraction(4, 3)) == "4:3"
    assert units.size_text((1280, 720)) == "1280x720"
    assert units.bit_rate_text(2_048_000) == "2048 kbit/s"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (17, "17 B"),
        (812_000, "812 kB"),
        (37_900_000, "37.9 MB"),
        (812_400_000, "812 MB"),
        (2_500_000_000, "2.5 GB"),
    ],
)
def test_formatted_bytes(count, text):
    assert units.bytes_text(count) == text
