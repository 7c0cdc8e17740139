"""Wrong pictures made on purpose are found and named; right ones are not."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from mediaprep.comparing.sampling import VideoExpectation, open_side
from mediaprep.comparing.video import compare_video
from mediaprep.model.comparison import Comparison
from mediaprep.runtime.source import open_source
from mediaprep.tools.planes import open_content
from tests.comparing.conftest import Encode

pytestmark = pytest.mark.slow


def compared(source: Path, output: Path, start: str = "0") -> Comparison:
    with open_source(source) as one, open_source(output) as other:
        options = {"demuxer": None, "whitelist": None, "max_pixels": 10**8}
        with open_content(one, **options) as before, open_content(other, **options) as after:
            sides = open_side(before), open_side(after)
            assert sides[0] is not None
            assert sides[1] is not None
            return compare_video(sides[0], sides[1], VideoExpectation(start=Fraction(start)))


RIGHT = {
    "the same size": (),
    "half the size": ("-vf", "scale=192:108"),
    "a low bit rate": ("-crf", "34"),
    "bars at top and bottom": ("-vf", "pad=384:384:0:84"),
    "the middle": ("-vf", "crop=216:216"),
    "15 frames a second": ("-r", "15"),
    "30 frames a second": ("-r", "30"),
    "50 frames a second": ("-r", "50"),
    "the matrix converted": ("-vf", "zscale=min=709:m=170m"),
}


@pytest.mark.parametrize("words", RIGHT.values(), ids=RIGHT)
def test_a_right_output_has_no_difference(
    clip: Path, encode: Encode, words: tuple[str, ...]
) -> None:
    result = compared(clip, encode(*words))
    assert [difference.message for difference in result.differences] == []
    assert {figure.name for figure in result.figures} >= {
        "structure",
        "colour-mean",
        "timing at the end",
    }


WRONG = {
    "rotated by 90 degrees clockwise": ("-vf", "transpose=1"),
    "rotated by 180 degrees": ("-vf", "hflip,vflip"),
    "mirrored left to right": ("-vf", "hflip"),
    "upside down and mirrored": ("-vf", "vflip"),
    "scaled wrongly": ("-vf", "scale=288:216,setsar=1,pad=384:216:-1:-1"),
    "cropped": ("-vf", "crop=iw-16:ih-8,scale=384:216"),
    "the matrices of BT.601 and BT.709": (
        "-vf",
        "zscale=min=709:m=170m,setparams=colorspace=bt709",
    ),
    "full and limited range are mixed up": ("-vf", "zscale=rin=limited:r=full,setparams=range=tv"),
    "Cb and Cr are swapped": ("-vf", "swapuv"),
    "the picture is grey": ("-vf", "hue=s=0"),
    "the picture is lighter": ("-vf", "eq=gamma=1.1"),
    "40 ms late at the beginning": ("-vf", "tpad=start=1:start_mode=clone"),
    "40 ms early": ("-vf", "trim=start_frame=1,setpts=PTS-STARTPTS"),
    "late at the end": ("-vf", "setpts=PTS*1.02"),
    "the picture is black at": ("-vf", "drawbox=color=black:t=fill:enable='between(t,2,3.2)'"),
    "the picture is green at": ("-vf", "drawbox=color=0x008000:t=fill:enable='gte(t,3)'"),
    "late in the middle": ("-vf", "select='not(between(t,2,3))',fps=25"),
}


@pytest.mark.parametrize("message", WRONG)
def test_a_wrong_output_is_named(clip: Path, encode: Encode, message: str) -> None:
    result = compared(clip, encode(*WRONG[message]))
    assert not result.same
    assert any(message in difference.message for difference in result.differences), result


def test_a_part_is_compared_at_its_own_times(clip: Path, encode: Encode) -> None:
    part = encode("-ss", "2", "-t", "2")
    assert compared(clip, part, start="2").same
    assert not compared(clip, part, start="1").same
