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

# -- animations and stills -------------------------------------------------------------------------
# "Repaired": GIFs that this program made of 120 random transparent animations, of 41 clips and
# patterns as APNG and of all fixtures; "squeezed" the same after gifsicle --lossy=60 and 220.
# "Coded": 28 pictures as JPEG of quality 30 to 95, WebP of quality 40 and 80, PNG with a palette,
# and scaled to 0.12 to 0.9 by five filters.

ALPHA_PIXELS = Threshold(
    "alpha-pixels",
    0,
    "pixels of a frame that are opaque and must be transparent, or the other way round",
    "0 in 420 GIFs rewritten by gifsicle and in every repair that ffmpeg reads as right",
    "2 pixels: the smallest of 76 ghosts and holes that the encoder wrote",
)
CELL_ALPHA = Threshold(
    "cell-alpha",
    0.10,
    "share of opacity of one cell",
    "0.055: WebP with alpha of quality 50",
    "0.18: WebP with alpha of quality 10",
)
STALE_CELL = Threshold(
    "stale-cell",
    5.0,
    "OKLab x 100 that a cell is off while it has the colour of the frame before",
    "of less, one repaired GIF had 4 such cells in a frame: more colours than a palette holds",
    "9.7: a grey disc of 120 on a ground of 150 stays",
)
STALE_CELLS = Threshold(
    "stale-cells",
    8,
    "such cells of a frame",
    "4 repaired and squeezed",
    "20: a sprite of 32x32 pixels stays",
)
FRAME_COLOUR = Threshold(
    "frame-colour",
    4.5,
    "OKLab x 100, mean of a frame's cells",
    "3.2: checks of two pixels in lossy WebP; 2.7: a thousand colours a frame",
    "6.5: 20 levels of grey",
)
NEIGHBOUR = Threshold(
    "neighbour",
    0.7,
    "distance from the source's frame before or after, as a share of that from the right one",
    "0.93: a fade, squeezed",
    "0.1: a photograph that moves by 12 of 320 pixels a frame, one frame late",
)
FRAME_CAST = Threshold(
    "frame-cast",
    1.8,
    "OKLab x 100, mean signed difference of a frame's cells",
    "1.2: squeezed with --lossy=220; 1.0 repaired",
    "2.3: eight levels of dark grey; 2.6 of middle grey",
)
CELL_COLOUR = Threshold(
    "cell-colour",
    16.0,
    "OKLab x 100 of one cell",
    "11.7: 720 colours in one palette",
    "43: a black block in a photograph",
)
TURN_MARGIN = Threshold(
    "turn-margin",
    0.10,
    "correlation by which another orientation may beat identity",
    "0: identity is best wherever the picture has a direction",
    "0.27: the least of 25 pictures turned or mirrored",
)
SECOND_DECODER = Threshold(
    "second-decoder",
    5.0,
    "levels of 8 bits between two decoders, mean",
    "3.1: white noise; 2.6: coded",
    "96: a colour map of 8 bits",
)
ALPHA_MEAN = Threshold(
    "alpha-mean",
    0.03,
    "share of opacity, mean",
    "0.019: WebP with alpha of quality 50; 0.001: scaled to a tenth",
    "0.076: WebP with alpha of quality 10",
)
STILL_DISPLACEMENT = Threshold(
    "still-displacement",
    0.0015,
    "share of a side by which an edge may move; at least one pixel",
    "0.0015: coded, 320 pixels wide; 0.0013: from 1,000 pixels on",
    "0.0027: 8 of 3,000 lines cut off",
)
STILL_COLOUR = Threshold(
    "still-colour",
    2.5,
    "OKLab x 100, mean",
    "2.1: white noise at quality 30; 1.3: other pictures, coded",
    "2.6: eight levels of grey",
)
STILL_COLOUR_HIGH = Threshold(
    "still-colour-high",
    5.5,
    "OKLab x 100, 95th percentile",
    "4.1 coded",
    "11.7: red and blue swapped",
)
STILL_SHIFT = Threshold(
    "still-shift",
    3.5,
    "levels of 8 bits, mean of red, green or blue that are not clipped",
    "3.2: text at a quarter; 2.4: photographs at quality 30",
    "4.0: four levels of grey",
)
STILL_CONTRAST = Threshold(
    "still-contrast",
    1.08,
    "ratio of the spread of lightness, either way",
    "1.07: 12 pixels wide; 1.05: in a palette",
    "1.16: full range as limited",
)
STILL_CHROMA = Threshold(
    "still-chroma",
    1.17,
    "ratio of the mean chroma, either way",
    "1.14: a dim frame in a palette",
    "1.19: colours a fifth stronger",
)
STILL_HUE = Threshold(
    "still-hue", 6.0, "degrees, mean", "3.7: in a palette", "56: red and blue swapped"
)
STILL_PLACE = Threshold(
    "still-place",
    8.0,
    "OKLab x 100, mean of one block",
    "5.8: in a palette without dither",
    "9.3: a banner's edge moved by 8 of 6,000 lines",
)
# HDR: 22 pictures as PQ and HLG, mapped by ten curves (Moebius of five peaks, Reinhard, Hable, by
# channel, clipped); which one is taken is a matter of taste, so that these limits are wide.
HDR_COLOUR = Threshold(
    "hdr-colour",
    17.0,
    "OKLab x 100 from the nearest of five tone maps, mean",
    "16.3: Hable's curve with white at 10",
    "21: exposed at a quarter",
)
HDR_GREY = Threshold(
    "hdr-grey",
    1.8,
    "ratio of lost chroma or contrast",
    "1.7: Hable's curve",
    "3.2: PQ shown as sRGB",
)
HDR_VIVID = Threshold(
    "hdr-vivid",
    1.5,
    "ratio of added chroma or contrast",
    "1.2: highlights clipped",
    "1.6: chroma multiplied by 1.6",
)
HDR_HUE = Threshold(
    "hdr-hue", 12.0, "degrees, mean", "8.2: mapped by channel", "14: BT.2020 shown as BT.709"
)
PICTURES = (
    ALPHA_PIXELS,
    CELL_ALPHA,
    STALE_CELL,
    STALE_CELLS,
    FRAME_COLOUR,
    NEIGHBOUR,
    FRAME_CAST,
    CELL_COLOUR,
    TURN_MARGIN,
    SECOND_DECODER,
    ALPHA_MEAN,
    STILL_DISPLACEMENT,
    STILL_COLOUR,
    STILL_COLOUR_HIGH,
    STILL_SHIFT,
    STILL_CONTRAST,
    STILL_CHROMA,
    STILL_HUE,
    STILL_PLACE,
    HDR_COLOUR,
    HDR_GREY,
    HDR_VIVID,
    HDR_HUE,
)
