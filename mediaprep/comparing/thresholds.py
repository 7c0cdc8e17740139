"""Limits of the comparison, each with the measurement that chose it.

A value beyond its limit is a difference. ``correct`` is the largest value of the right outputs in
tests/comparing (the smallest where the limit is a minimum), ``wrong`` that of the wrong output
nearest to the limit. Colours are distances in OKLab times 100: 2 is a just noticeable difference.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Threshold:
    """One limit. ``correct`` and ``wrong``: what was measured on either side of it."""

    name: str
    limit: float
    unit: str
    correct: str
    wrong: str


STRUCTURE = Threshold(
    "structure",
    0.6,
    "structural similarity, at least",
    "0.956 (half the size)",
    "0.293 (rotated by 180 degrees)",
)
STRUCTURE_WORST = Threshold(
    "structure-worst",
    0.45,
    "structural similarity of the worst pair, at least",
    "0.951 (half the size)",
    "0.265 (rotated by 90 degrees)",
)
ORIENTATION_MARGIN = Threshold(
    "orientation-margin",
    0.05,
    "structural similarity by which another orientation beats identity",
    "0.000",
    "0.129 (rotated by 90 degrees)",
)
DISPLACEMENT = Threshold(
    "displacement",
    0.004,
    "share of a side by which an edge moves",
    "0.001 (matrix converted)",
    "0.021 (cropped by 8 of 216 lines)",
)
COLOUR_MEAN = Threshold(
    "colour-mean", 2.0, "OKLab x 100, mean of areas", "0.61 (CRF 34)", "3.19 (gamma 1.1)"
)
COLOUR_CAST = Threshold(
    "colour-cast", 1.2, "OKLab x 100, mean signed difference", "0.16 (CRF 34)", "3.13 (gamma 1.1)"
)
COLOUR_MISTAKE = Threshold(
    "colour-mistake",
    3.5,
    "standard errors by which a usual mistake explains the output better",
    "0.0 (matrix converted)",
    "8.97 (Cb and Cr swapped)",
)
COLOUR_EXPLAINED = Threshold(
    "colour-explained",
    0.02,
    "share of the squared difference that the mistake explains",
    "a guess",
    "a guess",
)
TIMING = Threshold(
    "timing", 0.5, "frames of the slower of both, median", "0.005", "0.996 (one frame early)"
)
TIMING_OTHER_RATE = Threshold(
    "timing-other-rate",
    1.5,
    "frames of the slower of both, median, if the rate changes",
    "1.202 (25 to 15 frames a second)",
    "2 (a guess: one frame of the slower more)",
)
SOUND_OFFSET = Threshold("sound-offset", 0.02, "seconds", "0.000", "0.030 (30 ms early)")
SOUND_LEVEL = Threshold("sound-level", 1.0, "dB", "0.21 (64 kbit/s)", "1.51 (one channel lost)")
SOUND_LENGTH = Threshold("sound-length", 0.05, "seconds", "0.000", "1.000 (cut by a second)")
SOUND_CLIPPING = Threshold(
    "sound-clipping", 0.001, "share of samples", "0.000", "0.034 (amplified by 30 dB)"
)
SOUND_DROPOUT = Threshold("sound-dropout", 0.01, "seconds", "0.000", "0.100 (muted for 0.1 s)")
ALL = (
    STRUCTURE,
    STRUCTURE_WORST,
    ORIENTATION_MARGIN,
    DISPLACEMENT,
    COLOUR_MEAN,
    COLOUR_CAST,
    COLOUR_MISTAKE,
    COLOUR_EXPLAINED,
    TIMING,
    TIMING_OTHER_RATE,
    SOUND_OFFSET,
    SOUND_LEVEL,
    SOUND_LENGTH,
    SOUND_CLIPPING,
    SOUND_DROPOUT,
)
