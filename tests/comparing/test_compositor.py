"""Frames as browsers show them: held against frames drawn pixel by pixel, and against the recipes that made the files."""

from __future__ import annotations

import struct
from fractions import Fraction

import numpy as np
import pytest

from mediaprep.comparing.compositor import FrameSequence, browser_delay, open_frames
from mediaprep.errors import SourceUnreadable
from tests.comparing.files import Held, animated, chunk
from tests.comparing.gifs import CLEAR, KEEP, RESTORE, Gif, Patch, of_frames, random_gif

RED, GREEN, BLUE = (220, 40, 40, 255), (40, 200, 40, 255), (40, 40, 220, 255)


def frames_of(data: bytes, wanted=None) -> list[np.ndarray]:
    return [shown.rgba.copy() for shown in open_frames(Held(data)).shown(wanted)]


def same(one: np.ndarray, other: np.ndarray) -> bool:
    """Equal where something shows; what is transparent has no colour."""
    clear = (one[..., 3] == 0) & (other[..., 3] == 0)
    return bool(((one == other).all(axis=-1) | clear).all())


def solid(width: int, height: int, colour: tuple[int, ...]) -> np.ndarray:
    return np.full((height, width, 4), colour, dtype=np.uint8)


@pytest.mark.parametrize("seed", range(40))
def test_gif_frames_equal_those_drawn_pixel_by_pixel(seed: int) -> None:
    gif = random_gif(seed)
    shown = frames_of(gif.written())
    assert len(shown) == len(gif.patches)
    assert all(same(one, other) for one, other in zip(shown, gif.shown(), strict=True))


@pytest.mark.parametrize("seed", range(20))
def test_chosen_frames_equal_those_of_the_whole_animation(seed: int) -> None:
    """What is skipped leaves nothing behind in what is shown."""
    data = random_gif(seed).written()
    every = frames_of(data)
    for index, frame in enumerate(every):
        assert same(frames_of(data, {index})[0], frame)
    some = frames_of(data, {0, len(every) - 1})
    assert same(some[0], every[0])
    assert same(some[-1], every[-1])


def test_whole_opaque_frames_are_not_all_decoded() -> None:
    still = [solid(8, 8, RED), solid(8, 8, GREEN), solid(8, 8, BLUE)]
    sequence = open_frames(Held(animated([f[..., :3] for f in still], "PNG", duration=100)))
    assert sequence.drawn({2}) == {2}


def test_gif_screen_that_is_smaller_than_its_first_frame_grows() -> None:
    patch = Patch(indices=np.ones((6, 10), dtype=np.uint8))
    data = Gif(width=4, height=4, table=[(0, 0, 0), (9, 9, 9)], patches=[patch]).written()
    assert frames_of(data)[0].shape == (6, 10, 4)


def test_gif_frames_beyond_the_screen_are_cut_off() -> None:
    first = Patch(indices=np.zeros((4, 4), dtype=np.uint8))
    late = Patch(indices=np.ones((4, 4), dtype=np.uint8), x=2, y=3)
    away = Patch(indices=np.ones((2, 2), dtype=np.uint8), x=9, y=9)
    gif = Gif(width=4, height=4, table=[(0, 0, 0), (9, 9, 9)], patches=[first, late, away])
    shown = frames_of(gif.written())
    assert (shown[1][3, 2:, 0] == 9).all()
    assert (shown[1][:3, :, 0] == 0).all()
    assert same(shown[2], shown[1])


def test_gif_background_is_transparent() -> None:
    patch = Patch(indices=np.zeros((1, 1), dtype=np.uint8))
    gif = Gif(width=3, height=3, table=[(1, 2, 3)], patches=[patch], background=0)
    assert frames_of(gif.written())[0][..., 3].sum() == 255


def test_gif_index_beyond_the_colour_table_is_transparent() -> None:
    data = Gif(
        width=1, height=1, table=[(1, 2, 3)] * 256, patches=[Patch(indices=np.full((1, 1), 9))]
    ).written()
    short = data[:10] + bytes((data[10] & 0xF8 | 1,)) + data[11 : 13 + 12] + data[13 + 768 :]
    assert frames_of(short)[0][0, 0, 3] == 0


@pytest.mark.parametrize(("disposal", "shown"), [(KEEP, 255), (CLEAR, 0), (RESTORE, 0)])
def test_gif_disposal(disposal: int, shown: int) -> None:
    first = Patch(indices=np.zeros((2, 2), dtype=np.uint8), disposal=disposal)
    second = Patch(indices=np.zeros((1, 1), dtype=np.uint8))
    data = Gif(width=2, height=2, table=[(7, 7, 7)], patches=[first, second]).written()
    assert frames_of(data)[1][1, 1, 3] == shown


def test_a_cut_off_gif_has_its_whole_frames() -> None:
    data = of_frames([solid(40, 40, RED), solid(40, 40, GREEN)])
    assert len(open_frames(Held(data[: len(data) - 20])).frames) == 1


@pytest.mark.parametrize(
    ("stated", "shown"),
    [
        (0, Fraction(1, 10)),
        (1, Fraction(1, 10)),
        (2, Fraction(1, 50)),
        (10, Fraction(1, 10)),
        (250, Fraction(5, 2)),
    ],
)
def test_delays_are_those_of_browsers(stated: int, shown: Fraction) -> None:
    data = of_frames([solid(4, 4, RED)], delays=stated)
    assert open_frames(Held(data)).frames[0].delay == shown
    assert browser_delay(Fraction(stated, 100)) == shown


@pytest.mark.parametrize(("repeats", "plays"), [(None, 1), (0, 0), (1, 2), (4, 5)])
def test_plays_of_a_gif(repeats: int | None, plays: int) -> None:
    data = of_frames([solid(4, 4, RED), solid(4, 4, GREEN)], repeats=repeats)
    assert open_frames(Held(data)).plays == plays


def apng(
    frames: list[tuple[tuple[int, ...], int, int, int, int, int, int]], *, default: bool = False
) -> bytes:
    """Frames of one colour as (colour, x, y, width, height, disposal, blend) on 8x8; ``default``: IDAT is no frame."""
    import zlib

    def data(colour: tuple[int, ...], width: int, height: int) -> bytes:
        return zlib.compress((b"\0" + bytes(colour) * width) * height)

    head = struct.pack(">IIBBBBB", 8, 8, 8, 6, 0, 0, 0)
    parts = [
        b"\x89PNG\r\n\x1a\n",
        chunk(b"IHDR", head),
        chunk(b"acTL", struct.pack(">II", len(frames), 3)),
    ]
    if default:
        parts.append(chunk(b"IDAT", data((1, 1, 1, 255), 8, 8)))
    number = 0
    for at, (colour, x, y, width, height, disposal, blend) in enumerate(frames):
        control = struct.pack(">IIIIIHHBB", number, width, height, x, y, 1, 5, disposal, blend)
        parts.append(chunk(b"fcTL", control))
        number += 1
        if at == 0 and not default:
            parts.append(chunk(b"IDAT", data(colour, width, height)))
        else:
            parts.append(chunk(b"fdAT", struct.pack(">I", number) + data(colour, width, height)))
            number += 1
    return b"".join([*parts, chunk(b"IEND", b"")])


def test_apng_blends_and_disposes() -> None:
    """Over: a half red patch on opaque green; then it is cleared, then restored."""
    half = (200, 0, 0, 128)
    data = apng(
        [
            (GREEN, 0, 0, 8, 8, 0, 0),
            (half, 2, 2, 4, 4, 1, 1),
            (half, 0, 0, 2, 2, 2, 0),
            (BLUE, 7, 7, 1, 1, 0, 1),
        ]
    )
    sequence = open_frames(Held(data))
    shown = [frame.rgba.copy() for frame in sequence.shown()]
    share = 128 / 255
    expected = np.array(half[:3]) * share + np.array(GREEN[:3]) * (1 - share)
    assert np.abs(shown[1][3, 3, :3] - expected).max() <= 1
    assert shown[1][3, 3, 3] == 255
    assert shown[2][3, 3, 3] == 0  # cleared
    assert tuple(shown[2][0, 0]) == half  # replaced
    assert tuple(shown[3][0, 0]) == GREEN  # restored
    assert tuple(shown[3][7, 7]) == BLUE
    assert sequence.plays == 3
    assert sequence.starts()[-1] == Fraction(4, 5)


def test_default_image_of_an_apng_is_no_frame() -> None:
    data = apng([(RED, 0, 0, 8, 8, 0, 0), (GREEN, 0, 0, 8, 8, 0, 0)], default=True)
    shown = frames_of(data)
    assert [tuple(frame[0, 0]) for frame in shown] == [RED, GREEN]


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_lossless_animations_equal_their_frames(form: str) -> None:
    frames = random_gif(3).shown()
    options = {"duration": 80, "loop": 2, **({"lossless": True} if form == "WEBP" else {})}
    data = animated(frames, form, **options)
    sequence = open_frames(Held(data))
    for frame, shown in zip(frames, distinct(sequence), strict=False):
        assert same(shown, frame)
    assert sequence.plays == 2


def distinct(sequence: FrameSequence) -> list[np.ndarray]:
    """The frames, one for each 80 ms: writers merge frames that are alike."""
    found = []
    for shown in sequence.shown():
        found += [shown.rgba.copy()] * int(shown.delay / Fraction(80, 1000))
    return found


def test_avif_sequence(make) -> None:
    sequence = open_frames(Held(make("anim.avif").read_bytes()))
    assert (sequence.form, sequence.width, sequence.height, len(sequence.frames)) == (
        "avif",
        64,
        64,
        4,
    )
    assert {frame.delay for frame in sequence.frames} == {Fraction(1, 10)}
    assert len(list(sequence.shown())) == 4


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a", b"RIFF\0\0\0\0WEBP", b"\x89PNG\r\n\x1a\n", b"not a picture"]
)
def test_damaged_files_are_refused(data: bytes) -> None:
    with pytest.raises(SourceUnreadable):
        open_frames(Held(data))
