"""Animations: every wrong output is reported in plain words, and right ones are not."""

from __future__ import annotations

import random
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mediaprep.comparing import thresholds
from mediaprep.comparing.animation import AnimationExpectation, compare_animation, composited_frames
from mediaprep.comparing.compositor import open_frames
from mediaprep.model.comparison import Comparison
from tests.comparing.files import Held, animated, coded, figure, messages, photograph
from tests.comparing.gifs import KEEP, Gif, Patch, of_frames, random_gif

ANY = AnimationExpectation()
GIFSICLE = shutil.which("gifsicle")
SIZE = 160, 120


def compared(source: bytes, output: bytes, expected: AnimationExpectation = ANY) -> Comparison:
    return compare_animation(Held(source), Held(output), expected)


def scene(count: int = 8, *, clear: bool = True) -> list[np.ndarray]:
    """A disc that moves over a ground of few colours, with a hole of the size of a third."""
    ys, xs = np.mgrid[: SIZE[1], : SIZE[0]]
    frames = []
    for at in range(count):
        frame = np.zeros((SIZE[1], SIZE[0], 4), dtype=np.uint8)
        frame[...] = (90, 140, 200, 255)
        frame[:, : SIZE[0] // 3] = (200, 190, 60, 255)
        frame[80:100, 60:70] = (250, 250, 250, 255)
        if clear:
            frame[20:60, 100:150] = 0
        disc = (xs - 20 - 12 * at) ** 2 + (ys - 60) ** 2 < 22**2
        frame[disc] = (210, 40, 70, 255)
        frames.append(frame)
    return frames


def changed(frames: list[np.ndarray], number: int, change) -> list[np.ndarray]:
    """The frames with one of them (from 1 on) changed."""
    made = [frame.copy() for frame in frames]
    change(made[number - 1])
    return made


def test_the_same_animation_has_no_difference() -> None:
    data = of_frames(scene())
    found = compared(data, data)
    assert found.same
    assert found.unknown == ()
    assert {item.name for item in found.figures} >= {"alpha-pixels", "frame-colour", "stale-cells"}


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.skipif(GIFSICLE is None, reason="gifsicle is not installed")
def test_what_gifsicle_rewrites_has_no_difference(seed: int, tmp_path: Path) -> None:
    gif = random_gif(seed)
    source = tmp_path / "a.gif"
    source.write_bytes(gif.written())
    rng = random.Random(seed)
    options = rng.choice(
        (["-O1"], ["-O2"], ["-O3"], ["-U"], ["-O3", "--lossy=30"], ["-O3", "--lossy=200"])
    )
    words = [str(GIFSICLE), "--no-warnings", *options, "-Okeep-empty", str(source)]
    made = subprocess.run(words, capture_output=True, check=True).stdout
    truth = gif.shown()
    alpha = [frame.rgba[..., 3].copy() for frame in open_frames(Held(made)).shown()]
    assert all((one == other[..., 3]).all() for one, other in zip(alpha, truth, strict=True))
    assert messages(compared(source.read_bytes(), made)) == []


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
@pytest.mark.parametrize("seed", range(6))
def test_one_bit_of_alpha_is_enough_for_soft_edges(form: str, seed: int) -> None:
    """Of what is more than half opaque everything may be kept, of the rest nothing."""
    rng = np.random.default_rng(seed)
    frames, hard = [], []
    xs = np.mgrid[: SIZE[1], : SIZE[0]][1]
    for at in range(4):
        alpha = np.clip(255 - np.abs(xs - 40 - 20 * at) * 4 + rng.integers(-3, 3), 0, 255)
        frame = scene(8, clear=False)[at]
        frame[..., 3] = alpha
        frames.append(frame)
        made = frame.copy()
        made[..., 3] = np.where(alpha >= 128, 255, 0)
        hard.append(made)
    options = {"lossless": True} if form == "WEBP" else {}
    source = animated(frames, form, duration=100, loop=0, **options)
    assert messages(compared(source, of_frames(hard))) == []
    lost = [
        np.where(np.array([0, 0, 0, 1], dtype=bool), 255, frame).astype(np.uint8) for frame in hard
    ]
    assert "shows a ghost" in messages(compared(source, of_frames(lost)))[0]


# -- mutations: each is a fault that a writer of GIFs makes ------------------------------------------------


def ghost(frame: np.ndarray) -> None:
    frame[20:60, 100:150] = (90, 140, 200, 255)


def hole(frame: np.ndarray) -> None:
    frame[0:2, 0:3] = 0


def test_ghost_of_what_should_be_transparent() -> None:
    found = compared(of_frames(scene()), of_frames(changed(scene(), 3, ghost)))
    assert messages(found) == ["frame 3 shows a ghost: 2,000 pixels should be transparent"]
    assert found.differences[0].aspect == "alpha"
    assert found.differences[0].at == Fraction(2, 10)
    assert figure(found, "alpha-pixels") == 0 or found.differences[0].measured == 2000


def test_every_ghost_counts_but_the_worst_is_named() -> None:
    made = changed(changed(scene(), 3, ghost), 6, lambda frame: frame[20:30, 100:150].fill(255))
    assert messages(compared(of_frames(scene()), of_frames(made))) == [
        "frame 3 shows a ghost: 2,000 pixels should be transparent (1 other frame likewise)"
    ]


def test_hole_in_what_should_be_opaque() -> None:
    found = compared(of_frames(scene()), of_frames(changed(scene(), 5, hole)))
    assert messages(found) == ["frame 5 has holes: 6 pixels should be opaque"]


def test_nothing_becomes_transparent_after_an_opaque_frame() -> None:
    """Frames drawn over one another without disposal: what the encoder of g11 did."""
    frames = scene(4)
    frames[1][...] = (30, 30, 30, 255)
    right = of_frames(frames)
    assert messages(compared(right, right)) == []
    sequence = [
        Patch(indices=(frame[..., 3] == 0).astype(np.uint8), clear=1, disposal=KEEP)
        for frame in frames
    ]
    wrong = Gif(width=SIZE[0], height=SIZE[1], table=[(30, 30, 30), (0, 0, 0)], patches=sequence)
    assert any("shows a ghost" in text for text in messages(compared(right, wrong.written())))


def test_lost_alpha() -> None:
    opaque = scene()
    for frame in opaque:
        frame[frame[..., 3] == 0] = (0, 0, 0, 255)
    found = compared(of_frames(scene()), of_frames(opaque))
    assert messages(found) == [
        "frame 1 shows a ghost: 2,000 pixels should be transparent (7 other frames likewise)"
    ]


def test_background_that_is_expected() -> None:
    laid = scene()
    for frame in laid:
        frame[frame[..., 3] == 0] = (255, 255, 255, 255)
    white = AnimationExpectation(background=(255, 255, 255))
    assert messages(compared(of_frames(scene()), of_frames(laid), white)) == []
    assert "shows a ghost" in messages(compared(of_frames(scene()), of_frames(laid)))[0]


def test_opaque_trail_of_the_frame_before() -> None:
    """The disc stays where it was: nothing is transparent, but the colours are those of the frame before."""
    frames = scene(clear=False)
    made = [frame.copy() for frame in frames]
    trail = (made[3][..., 0] == 210) & (made[4][..., 0] != 210)
    made[4][trail] = made[3][trail]
    found = compared(of_frames(frames), of_frames(made))
    assert len(messages(found)) == 1
    assert messages(found)[0].startswith("frame 5 shows a ghost: about ")
    assert messages(found)[0].endswith("still show the frame before")


def test_one_wrong_delay() -> None:
    found = compared(
        of_frames(scene()), of_frames(scene(), delays=[10, 10, 10, 50, 10, 10, 10, 10])
    )
    assert messages(found) == ["frame 4 is shown for 0.50 s instead of 0.10 s"]
    assert found.differences[0].aspect == "timing"


def test_a_delay_of_browsers_is_not_the_stated_one() -> None:
    """A source that states 0 is shown for 0.1 s: an output of 0.02 s is wrong, one of 0.1 s right."""
    source = of_frames(scene(), delays=0)
    assert messages(compared(source, of_frames(scene(), delays=10))) == []
    assert (
        "frame 1 is shown for 0.02 s instead of 0.10 s"
        in messages(compared(source, of_frames(scene(), delays=2)))[0]
    )


@pytest.mark.parametrize(
    ("source", "output", "words"),
    [
        (0, None, "once instead of for ever"),
        (0, 2, "3 times instead of for ever"),
        (2, 0, "for ever instead of 3 times"),
    ],
)
def test_wrong_loop(source: int, output: int | None, words: str) -> None:
    found = compared(of_frames(scene(), repeats=source), of_frames(scene(), repeats=output))
    assert messages(found) == [f"the animation plays {words}"]


def test_missing_and_added_frames() -> None:
    frames = scene()
    plan = AnimationExpectation(frame_count=8)
    assert "1 frame is missing" in messages(
        compared(of_frames(frames), of_frames(frames[:-1]), plan)
    )
    assert "1 frame is added" in messages(
        compared(of_frames(frames), of_frames([*frames, frames[0]]))
    )


def test_frames_in_another_order() -> None:
    frames = scene()
    made = [*frames[:2], frames[3], frames[2], *frames[4:]]
    found = compared(of_frames(frames), of_frames(made))
    assert messages(found) == [
        "frame 3 shows the frame before or after it (1 other frame likewise)"
    ]


def test_one_frame_late() -> None:
    shots = [np.asarray(photograph(seed, *SIZE).quantize(60).convert("RGBA")) for seed in range(4)]
    palette = [np.asarray(Image.fromarray(shot).quantize(60).convert("RGBA")) for shot in shots]
    made = of_frames([palette[0], *palette[:-1]])
    found = compared(of_frames(palette), made)
    assert messages(found) == [
        "frame 2 shows the frame before or after it (2 other frames likewise)"
    ]


def test_one_frame_late_of_a_slow_movement() -> None:
    """A pan: frames hardly differ from their neighbours, but each output frame is the one before."""
    wide = photograph(7, 400, 240).quantize(200).convert("RGBA")
    frames = [np.asarray(wide.crop((at * 6, 0, at * 6 + 320, 240))) for at in range(8)]
    assert messages(compared(of_frames(frames), of_frames(frames))) == []
    found = compared(of_frames(frames), of_frames([frames[0], *frames[:-1]]))
    assert messages(found) == [
        "frame 2 shows the frame before or after it (6 other frames likewise)"
    ]


@pytest.mark.parametrize(
    ("turn", "words"),
    [
        (lambda frame: frame[::-1, ::-1], "rotated by 180 degrees"),
        (lambda frame: frame[:, ::-1], "mirrored left to right"),
        (lambda frame: frame[::-1], "mirrored top to bottom"),
        (lambda frame: np.rot90(frame), "rotated by 90 degrees counter-clockwise"),
        (lambda frame: np.rot90(frame, -1), "rotated by 90 degrees clockwise"),
    ],
)
def test_orientation(turn, words: str) -> None:
    frames = scene(clear=False)
    made = [np.ascontiguousarray(turn(frame)) for frame in frames]
    found = compared(of_frames(frames), of_frames(made))
    assert messages(found) == [f"the picture is {words} compared with the source"]


def test_another_size() -> None:
    small = [np.ascontiguousarray(frame[::2, ::2]) for frame in scene()]
    assert messages(compared(of_frames(scene()), of_frames(small))) == []
    unscaled = AnimationExpectation(scale=False)
    assert messages(compared(of_frames(scene()), of_frames(small), unscaled)) == [
        "the picture is 80x60 instead of 160x120"
    ]
    assert messages(compared(of_frames(small), of_frames(scene()))) == [
        "the picture is 160x120 instead of 80x60"
    ]
    squeezed = [np.ascontiguousarray(frame[:, ::2]) for frame in scene()]
    assert messages(compared(of_frames(scene()), of_frames(squeezed))) == [
        "the picture is 80x120 instead of 160x120: the shape differs"
    ]


@pytest.mark.parametrize("levels", [8, -8, 48])
def test_grey_by_some_levels(levels: int) -> None:
    def other(frame: np.ndarray) -> np.ndarray:
        made = frame.astype(np.int16)
        made[..., :3] = np.where(frame[..., 3:] > 0, made[..., :3] + levels, 0)
        return np.clip(made, 0, 255).astype(np.uint8)

    found = compared(of_frames(scene()), of_frames([other(frame) for frame in scene()]))
    assert messages(found)
    assert all("colours of frame" in text or "another colour" in text for text in messages(found))


def test_a_black_block_in_one_frame() -> None:
    def block(frame: np.ndarray) -> None:
        frame[80:104, 16:40, :3] = 0

    found = compared(of_frames(scene()), of_frames(changed(scene(), 7, block)))
    assert len(messages(found)) == 1
    assert messages(found)[0].endswith("of frame 7 have another colour")


def test_a_ghost_is_found_where_frames_are_only_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where something shows through, the alpha of every frame is compared."""
    monkeypatch.setattr("mediaprep.comparing.animation._ALL_PIXELS", 1)
    frames = scene(10) * 9
    found = compared(of_frames(frames), of_frames(changed(frames, 52, ghost)))
    assert messages(found) == ["frame 52 shows a ghost: 2,000 pixels should be transparent"]


# -- other formats, spans, damaged files -------------------------------------------------------------------


def test_frames_that_are_merged_for_a_limit() -> None:
    frames = scene(8)
    kept = of_frames(frames[::2], delays=20)
    assert messages(compared(of_frames(frames), kept)) == []
    assert messages(compared(of_frames(frames), kept, AnimationExpectation(frame_count=8)))
    late = of_frames([frames[0], *frames[:-2:2]], delays=20)
    assert messages(compared(of_frames(frames), late))


def test_a_span_of_the_source() -> None:
    frames = scene(8)
    span = AnimationExpectation(span=(Fraction(3, 10), Fraction(6, 10)))
    assert messages(compared(of_frames(frames), of_frames(frames[3:6]), span)) == []
    assert messages(compared(of_frames(frames), of_frames(frames[2:5]), span))


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_alpha_of_formats_with_more_than_one_bit(form: str) -> None:
    frames = scene(4)
    for frame in frames:
        frame[20:60, 100:150] = (10, 10, 10, 100)
    options = {"lossless": True, "exact": True} if form == "WEBP" else {}
    source = animated(frames, form, duration=100, loop=0, **options)
    assert messages(compared(source, source)) == []
    for frame in frames:
        frame[20:60, 100:150, 3] = 60
    made = animated(frames, form, duration=100, loop=0, **options)
    assert "the alpha of frame 1 differs by 16% in one place" in messages(compared(source, made))[0]


def test_dithered_palette_has_no_difference() -> None:
    """Photographs in a palette, dithered: colours differ pixel by pixel, but not on average."""
    shots = [photograph(seed, 320, 240) for seed in range(3)]
    source = animated(
        [np.asarray(shot.convert("RGBA")) for shot in shots], "PNG", duration=100, loop=0
    )
    palettes = [shot.quantize(256) for shot in shots]
    made = coded(
        palettes[0], "GIF", save_all=True, append_images=palettes[1:], duration=100, loop=0
    )
    found = compared(source, made)
    assert messages(found) == []
    assert figure(found, "frame-colour") < thresholds.FRAME_COLOUR.limit / 2


def test_unreadable_files() -> None:
    data = of_frames(scene())
    assert compared(b"nothing", data).unknown
    assert compared(b"nothing", data).same
    assert messages(compared(data, b"nothing")) == [
        "the output's frames cannot be read: not a GIF, PNG, WebP or AVIF file"
    ]
    broken = bytearray(data)
    broken[-2000:-1960] = bytes(range(40, 80))
    assert messages(compared(data, bytes(broken)))


def test_composited_frames_for_a_video() -> None:
    data = of_frames(scene(4), delays=[10, 20, 30, 40])
    every = [time for time, _ in composited_frames(Held(data))]
    assert every == [Fraction(0), Fraction(1, 10), Fraction(3, 10), Fraction(6, 10)]
    times = [Fraction(15, 100), Fraction(61, 100), Fraction(5)]
    found = [(time, rgba.shape) for time, rgba in composited_frames(Held(data), times)]
    assert found == [(Fraction(1, 10), (120, 160, 4)), (Fraction(6, 10), (120, 160, 4))]
