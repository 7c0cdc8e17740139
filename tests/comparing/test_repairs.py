"""Repairs of the fixtures by the program itself: what is right raises no alarm, what is known to be wrong does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import mediaprep
from mediaprep.comparing.animation import AnimationExpectation, compare_animation
from mediaprep.comparing.captions import CaptionExpectation, compare_captions
from mediaprep.comparing.still import StillExpectation, compare_still
from mediaprep.model.comparison import Comparison
from tests.comparing.files import Held, messages

Make = Callable[[str], Path]
pytestmark = pytest.mark.slow

STILLS = [
    "plain.avif", "plain.bmp", "plain.jp2", "plain.tiff", "plain.ico", "comment.jpg", "comment.png",
    "comment.webp", "orientation2.jpg", "orientation3.jpg", "orientation5.jpg", "orientation6.jpg",
    "orientation6.png", "orientation6.webp", "orientation8.jpg", "trailing.jpg", "trailing.png",
]  # fmt: skip
ANIMATIONS = [
    "anim.apng", "anim.avif", "anim.webp", "anim_alpha.webp", "big.gif", "f360.gif", "comment.gif",
    "trailing.gif",
]  # fmt: skip
CAPTIONS = [
    "good.ass", "good.vtt", "backwards.srt", "negative.srt", "unordered.srt", "zero_length.srt", "latin.srt",
    "russian.srt", "japanese.srt", "utf16.srt", "overlap.srt", "empty_cue.srt",
]  # fmt: skip
ENCODINGS = {
    "latin.srt": "windows-1252",
    "russian.srt": "windows-1251",
    "japanese.srt": "shift_jis",
}


def repaired(source: Path, folder: Path) -> bytes:
    outcome = mediaprep.prepare(source, folder)
    if outcome.status != "fixed":
        pytest.skip(f"{source.name} is {outcome.status}: nothing was written")
    return Path(outcome.outputs[0]).read_bytes()


def compared(name: str, source: bytes, output: bytes) -> Comparison:
    one, other = Held(source), Held(output)
    if name in CAPTIONS:
        return compare_captions(one, other, CaptionExpectation(encoding=ENCODINGS.get(name)))
    if name in ANIMATIONS:
        return compare_animation(one, other, AnimationExpectation())
    return compare_still(one, other, StillExpectation())


@pytest.mark.parametrize("name", [*STILLS, *ANIMATIONS, *CAPTIONS])
def test_no_false_alarm(name: str, make: Make, tmp_path: Path) -> None:
    source = make(name)
    output = repaired(source, tmp_path)
    assert messages(compared(name, source.read_bytes(), output)) == []
