"""Edits of a GIF by its blocks; Pillow reads the result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mediaprep.transcoding.gif import blocks

Make = Callable[[str], Path]


def pictures(path: Path) -> tuple[list[bytes], list[int], int | None]:
    """Return pixels, delays in ms and the loop count, read by Pillow."""
    frames, delays = [], []
    with Image.open(path) as image:
        for index in range(image.n_frames):
            image.seek(index)
            frames.append(np.array(image.convert("RGBA")).tobytes())
            delays.append(image.info.get("duration", 0))
        return frames, delays, image.info.get("loop")


@pytest.mark.parametrize(("plays", "loop"), [(0, 0), (1, None), (2, 1), (5, 4)])
def test_only_delays_and_loop_count_are_changed(
    make: Make, tmp_path: Path, plays: int, loop: int | None
) -> None:
    before = pictures(make("loop3.gif"))
    made = tmp_path / "made.gif"
    made.write_bytes(
        blocks.with_delays(make("loop3.gif").read_bytes(), [3 + i for i in range(12)], plays)
    )
    frames, delays, found = pictures(made)
    assert frames == before[0]
    assert delays == [10 * (3 + i) for i in range(12)]
    assert found == loop


def test_another_number_of_frames_is_an_error(make: Make) -> None:
    data = make("loop3.gif").read_bytes()
    for count in (11, 13):
        with pytest.raises(ValueError, match="frames"):
            blocks.with_delays(data, [5] * count, 0)


def test_only_metadata_and_trailing_bytes_are_removed(make: Make) -> None:
    data = make("anim.gif").read_bytes()
    start = blocks.end_of_header(data)
    metadata = b"\x21\xfe\x08Jane Doe\0" + b"\x21\xff\x0bXMP DataXMP\x03abc\0"
    assert blocks.without_metadata(data[:start] + metadata + data[start:] + b"junk") == data


def test_frame_bytes_add_up(make: Make) -> None:
    data = make("patches.gif").read_bytes()
    sizes = blocks.frame_bytes(data)
    loop = 19
    assert len(sizes) == 24
    assert blocks.end_of_header(data) + loop + sum(sizes) + 1 == len(data)


@pytest.mark.parametrize("cut", [5, 12, 30, 500, 5000])
def test_a_truncated_gif_is_an_error(make: Make, cut: int) -> None:
    with pytest.raises(ValueError, match=r"GIF|block"):
        blocks.without_metadata(make("anim.gif").read_bytes()[:cut])
