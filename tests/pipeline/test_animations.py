"""Small animations from the source to the published file: pictures, delays, loop count and
transparency, read by ffmpeg and Pillow.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import mediaprep
from mediaprep import Options
from mediaprep.model.media import Animation, Video

Make = Callable[[str], Path]
Array = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass(frozen=True)
class Fixed:
    outcome: mediaprep.Outcome
    media: Any
    path: Path


def fixed(source: Path, folder: Path, *, category: str | None = None, **options: Any) -> Fixed:
    outcome = mediaprep.prepare(
        source, f"{folder}/", category=category, options=Options(**options), force=True
    )
    assert outcome.status == "fixed", outcome.problems
    assert outcome.after[0].verdict == "pass"
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []
    return Fixed(outcome, outcome.after[0].media, Path(outcome.outputs[0]))


def decoded(path: Path, width: int, height: int) -> Array:
    """Return N×H×W×4 uint8 RGBA, decoded by the bundled ffmpeg; transparent pixels are 0."""
    import imageio_ffmpeg

    argv = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-v",
        "error",
        "-i",
        str(path),
        "-fps_mode",
        "passthrough",
    ]
    data = subprocess.run(
        [*argv, "-f", "rawvideo", "-pix_fmt", "rgba", "-"], capture_output=True, check=True
    ).stdout
    frames = np.frombuffer(data, np.uint8).reshape(-1, height, width, 4).copy()
    frames[frames[..., 3] < 128] = 0
    return frames


def art(
    path: Path,
    *,
    factor: int = 4,
    size: tuple[int, int] = (40, 30),
    count: int = 12,
    form: str = "GIF",
    **options: Any,
) -> Path:
    """Write enlarged pixel art of 12 colours; every frame is different."""
    rng = np.random.default_rng(count)
    palette = rng.integers(0, 256, (12, 3), dtype=np.uint8)
    frames = [
        Image.fromarray(
            palette[rng.integers(0, 12, size[::-1])].repeat(factor, 0).repeat(factor, 1)
        )
        for _ in range(count)
    ]
    frames[0].save(
        path,
        form,
        save_all=True,
        append_images=frames[1:],
        **{"duration": 80, "loop": 0, **options},
    )
    return path


def textured(path: Path, *, transparent: bool = False, count: int = 20) -> Path:
    """Write a detailed moving picture of 320x240, opaque or in a round hole, that plays twice."""
    rng = np.random.default_rng(9)
    cloth = np.array(
        Image.fromarray(rng.integers(0, 256, (120, 160, 3), dtype=np.uint8)).resize(
            (320, 240), Image.Resampling.BICUBIC
        )
    )
    y, x = np.mgrid[:240, :320]
    frames = []
    for i in range(count):
        frame = np.dstack(
            [np.roll(cloth, (3 * i, 5 * i), (0, 1)), np.full((240, 320), 255, np.uint8)]
        )
        if transparent:
            frame[(x - 100 - 5 * i) ** 2 + (y - 120) ** 2 > 80**2] = 0
        frames.append(Image.fromarray(frame))
    frames[0].save(
        path, "WEBP", save_all=True, append_images=frames[1:], duration=70, loop=2, lossless=True
    )
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "frames", "loop"),
    [("anim.webp", 12, 0), ("anim.apng", 12, 0), ("anim_alpha.webp", 6, 3), ("anim.avif", 4, 0)],
)
def test_other_animations_become_gifs(
    make: Make, tmp_path: Path, name: str, frames: int, loop: int
) -> None:
    before = mediaprep.probe(make(name))
    after = fixed(make(name), tmp_path)
    assert isinstance(before, Animation)
    assert after.path.suffix == ".gif"
    upload = after.outcome.upload
    assert upload is not None
    assert (upload.media_type, upload.category, upload.chunked) == ("image/gif", "tweet_gif", True)
    with Image.open(after.path) as image:  # Pillow as the judge
        assert image.size == (before.width, before.height)
        assert image.n_frames == frames
        assert (image.info.get("loop", -1) + 1 if image.info.get("loop") else 0) == loop
    assert (after.media.delays, after.media.transparency) == (before.delays, before.transparency)


@pytest.mark.slow
def test_the_transparency_of_an_avif_is_in_a_stream_of_its_own(tmp_path: Path) -> None:
    frames = [Image.new("RGBA", (64, 64), (0, 0, 0, 0)) for _ in range(4)]
    for i, frame in enumerate(frames):
        frame.paste((250, 40 * i, 30, 255), (8 + 4 * i, 8, 40 + 4 * i, 50))
    frames[0].save(tmp_path / "alpha.avif", save_all=True, append_images=frames[1:], duration=100)
    after = fixed(tmp_path / "alpha.avif", tmp_path)
    holes = decoded(after.path, 64, 64)[..., 3] == 0
    wanted = np.array([np.array(frame)[..., 3] == 0 for frame in frames])
    assert (holes != wanted).mean() < 0.02


@pytest.mark.slow
def test_dropping_frames_leaves_the_others_unchanged(tmp_path: Path) -> None:
    """360 frames become 350 of the same size and duration; every picture is one of the source's. A
    colour may change by one level, since palettegen averages in Oklab.
    """
    source = art(tmp_path / "many.gif", factor=1, size=(24, 18), count=360, duration=40)
    (tmp_path / "out").mkdir()
    after = fixed(source, tmp_path / "out")
    assert (after.media.frame_count, after.media.duration) == (350, Fraction(360 * 4, 100))
    before, now = decoded(source, 24, 18), decoded(after.path, 24, 18)
    starts = [*accumulate(after.media.delays, initial=Fraction(0))]
    for frame, start in zip(now, starts, strict=False):
        index = int(start / Fraction(4, 100))
        assert np.abs(frame.astype(int) - before[index]).max() <= 1


@pytest.mark.slow
def test_pixel_art_is_scaled_by_a_whole_factor_and_stays_crisp(tmp_path: Path) -> None:
    source = art(tmp_path / "art.gif", factor=4, count=10)
    (tmp_path / "out").mkdir()
    after = fixed(source, tmp_path / "out", to="gif", max_size=source.stat().st_size * 6 // 10)
    width = after.media.width
    assert width in (40, 80, 120)
    factor = width // 40
    before, now = decoded(source, 160, 120), decoded(after.path, width, factor * 30)
    assert np.abs(now[:, ::factor, ::factor].astype(int) - before[:, ::4, ::4]).max() <= 1
    assert (now == now[:, ::factor, ::factor].repeat(factor, 1).repeat(factor, 2)).all()


@pytest.mark.slow
@pytest.mark.parametrize("transparent", [False, True])
@pytest.mark.parametrize("limit", [250_000, 900_000])
def test_a_byte_limit_is_filled_in_three_encodes(
    tmp_path: Path, transparent: bool, limit: int
) -> None:
    source = textured(tmp_path / "cloth.webp", transparent=transparent)
    (tmp_path / "out").mkdir()
    after = fixed(source, tmp_path / "out", to="gif", max_size=limit)
    encodes = [
        words
        for words in after.outcome.records[0].argv
        if "paletteuse" in " ".join(words) and "select" not in " ".join(words)
    ]
    assert len(encodes) <= 3
    assert after.path.stat().st_size <= limit
    assert after.media.width == 320 or after.path.stat().st_size >= 0.95 * limit
    assert (after.media.loop, after.media.frame_count, after.media.transparency) == (
        2,
        20,
        transparent,
    )
    assert after.media.width * 3 == pytest.approx(after.media.height * 4, abs=4)
    if transparent:  # the hole keeps its size, without a fringe of the hidden colour
        now = decoded(after.path, after.media.width, after.media.height)
        share = [(frame[..., 3] == 255).mean() for frame in now]
        assert share == pytest.approx([np.pi * 80**2 / (320 * 240)] * 20, rel=0.05)


@pytest.mark.slow
def test_a_video_replaces_a_gif_that_would_be_too_small_unless_a_gif_is_requested(
    tmp_path: Path,
) -> None:
    source = textured(tmp_path / "cloth.webp")
    for name in ("auto", "named", "category"):
        (tmp_path / name).mkdir()
    auto = fixed(source, tmp_path / "auto", max_size=60_000)
    assert isinstance(auto.media, Video)
    assert (
        auto.outcome.problems[-1]
        == "a GIF within the limit would be less than 240 pixels wide; a video is made instead"
    )
    assert auto.outcome.upload is not None
    assert (auto.outcome.upload.category, auto.outcome.upload.media_type) == (
        "tweet_video",
        "video/mp4",
    )
    assert isinstance(
        fixed(source, tmp_path / "category", max_size=60_000, category="dm_gif").media, Animation
    )
    outcome = mediaprep.prepare(
        source, tmp_path / "named" / "mine.gif", options=Options(max_size=60_000)
    )
    assert outcome.status == "fixed"
    assert (tmp_path / "named" / "mine.gif").stat().st_size <= 60_000


def test_a_comment_is_removed_and_the_pictures_are_copied(make: Make, tmp_path: Path) -> None:
    data = make("anim.gif").read_bytes()
    head = 13 + 3 * 2 ** ((data[10] & 7) + 1)
    source = tmp_path / "comment.gif"
    source.write_bytes(data[:head] + b"\x21\xfe\x08Jane Doe\0" + data[head:] + b"junk")
    after = fixed(source, tmp_path)
    assert after.path.read_bytes() == data
    assert after.outcome.records[0].argv == ()


@pytest.mark.slow
@pytest.mark.parametrize(
    "delays",
    [[100, 20, 100], [50, 70, 30, 20, 130], [500], [20], [33, 34, 33, 5, 170, 10]],
    ids=["20ms", "mixed", "slow", "fast", "apng"],
)
def test_each_frame_of_a_video_starts_within_half_an_output_frame_of_its_time(
    tmp_path: Path, delays: list[int]
) -> None:
    colours = [(40 * i % 256, (90 * i + 60) % 256, 255 - 25 * i % 256) for i in range(10)]
    frames = [Image.new("RGB", (64, 48), colour) for colour in colours]
    times = [delays[i % len(delays)] for i in range(10)]
    source = tmp_path / "source.apng"
    frames[0].save(source, "PNG", save_all=True, append_images=frames[1:], duration=times)
    after = fixed(source, tmp_path, to="video")
    rate = after.media.video.frame_rate
    shown = decoded(after.path, 64, 48)[:, 24, 32, :3].astype(int)
    nearest = [int(np.abs(np.array(colours) - colour).sum(1).argmin()) for colour in shown]
    begin = Fraction(0)
    for index, milliseconds in enumerate(times):
        first = nearest.index(index)
        assert abs(first / rate - begin) <= Fraction(1, 2) / rate
        begin += Fraction(milliseconds, 1000) if milliseconds > 10 else Fraction(1, 10)
    assert nearest[: nearest.index(9)] == sorted(nearest[: nearest.index(9)])
    assert (
        abs(
            after.media.video.frame_count / rate
            - begin * (1 if begin >= Fraction(1, 2) else -(-Fraction(1, 2) // begin))
        )
        <= 1 / rate
    )


@pytest.mark.slow
def test_a_short_animation_is_repeated_as_a_video(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "lime", "blue")]
    frames[0].save(
        tmp_path / "short.gif", save_all=True, append_images=frames[1:], duration=60, loop=3
    )
    after = fixed(tmp_path / "short.gif", tmp_path, to="video")
    hue = decoded(after.path, 64, 64)[:, 32, 32, :3].argmax(1).tolist()
    rate = int(after.media.video.frame_rate)
    assert hue == [i * 100 // (6 * rate) % 3 for i in range(len(hue))]
    assert after.media.duration >= Fraction(1, 2)
    assert after.outcome.problems == (
        "the animation plays 4 times; a video repeats as its player decides",
    )


@pytest.mark.slow
def test_transparency_is_shown_on_white_in_a_video(make: Make, tmp_path: Path) -> None:
    after = fixed(make("loop3.gif"), tmp_path, to="video")
    holes = decoded(make("loop3.gif"), 64, 64)[0][..., 3] == 0
    assert holes.any()
    assert decoded(after.path, 64, 64)[0][holes][:, :3].mean() > 240


@pytest.mark.slow
def test_a_video_becomes_a_gif_of_its_span(make: Make, tmp_path: Path) -> None:
    after = fixed(make("rot90.mp4"), tmp_path, to="gif", trim=(Fraction(1, 5), Fraction(6, 5)))
    before = mediaprep.probe(make("rot90.mp4"))
    assert isinstance(before, Video)
    assert isinstance(after.media, Animation)
    assert (after.media.duration, after.media.loop) == (1, 0)
    assert before.video.display_size is not None
    assert (after.media.width, after.media.height) == before.video.display_size


@pytest.mark.parametrize(
    "name", ["frames_bomb.gif", "area_bomb.gif", "screen_bomb.gif", "no_trailer.gif"]
)
def test_bombs_and_truncated_files_are_refused_in_one_line(
    make: Make, tmp_path: Path, name: str
) -> None:
    outcome = mediaprep.prepare(make(name), f"{tmp_path}/")
    assert outcome.status == "refused"
    assert len(outcome.problems) == 1
    assert list(tmp_path.iterdir()) == []


def test_accepted_animations_are_left_as_they_are(make: Make, tmp_path: Path) -> None:
    for name in (
        "anim.gif",
        "loop3.gif",
        "patches.gif",
        "zero_delay.gif",
        "g1280x1080.gif",
        "f350.gif",
    ):
        outcome = mediaprep.prepare(make(name), f"{tmp_path}/")
        assert (outcome.status, outcome.outputs) == ("already_ok", ())
        assert outcome.upload is not None
        assert outcome.upload.media_type == "image/gif"
