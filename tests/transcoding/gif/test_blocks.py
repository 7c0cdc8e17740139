"""Edits on the blocks of a GIF; the judge of the pictures is Pillow, another reader."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mediaprep.transcoding.gif import blocks

Make = Callable[[str], Path]


def pictures(path: Path) -> tuple[list[bytes], list[int], int | None]:
    """(pixels, delays in ms, loop block) by Pillow."""
    frames, delays = [], []
    with Image.open(path) as image:
        for index in range(image.n_frames):
            image.seek(index)
            frames.append(np.array(image.convert("RGBA")).tobytes())
            delays.append(image.info.get("duration", 0))
        return frames, delays, image.info.get("loop")


@pytest.mark.parametrize(("plays", "loop"), [(0, 0), (1, None), (2, 1), (5, 4)])
def test_times_and_loop_are_written_and_nothing_else(
    make: Make, tmp_path: Path, plays: int, loop: int | None
) -> None:
    before = pictures(make("loop3.gif"))
    made = tmp_path / "made.gif"
    made.write_bytes(
        blocks.retimed(make("loop3.gif").read_bytes(), [3 + i for i in range(12)], plays)
    )
    frames, delays, found = pictures(made)
    assert frames == before[0]
    assert delays == [10 * (3 + i) for i in range(12)]
    assert found == loop


def test_another_number_of_frames_is_an_error(make: Make) -> None:
    data = make("loop3.gif").read_bytes()
    for count in (11, 13):
        with pytest.raises(ValueError, match="frames"):
            blocks.retimed(data, [5] * count, 0)


def test_comments_and_junk_are_left_out_and_the_rest_is_the_same_bytes(make: Make) -> None:
    data = make("anim.gif").read_bytes()
    at = blocks.head_end(data)
    telling = b"\x21\xfe\x08Jane Doe\0" + b"\x21\xff\x0bXMP DataXMP\x03abc\0"
    assert blocks.silenced(data[:at] + telling + data[at:] + b"junk") == data


def test_frame_bytes_add_up(make: Make) -> None:
    data = make("patches.gif").read_bytes()
    sizes = blocks.frame_bytes(data)
    loop = 19
    assert len(sizes) == 24
    assert blocks.head_end(data) + loop + sum(sizes) + 1 == len(data)


@pytest.mark.parametrize("cut", [5, 12, 30, 500, 5000])
def test_a_cut_gif_is_an_error(make: Make, cut: int) -> None:
    with pytest.raises(ValueError, match=r"GIF|block"):
        blocks.silenced(make("anim.gif").read_bytes()[:cut])
