"""The filters and command lines for animations. Nothing is run."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from mediaprep.model.media import Animation
from mediaprep.planning.plan import Output
from mediaprep.tools import ffmpeg_gif, gifsicle
from mediaprep.tools.ffmpeg import Filter, Input
from mediaprep.tools.ffmpeg_gif import PictureStreams
from mediaprep.transcoding.gif.filters import (
    FrameSettings,
    gif_filters,
    gif_input,
    grid_size,
    trial_frames,
    unscaled,
)
from mediaprep.transcoding.video.from_animation import video_from_animation_command
from tests.encode_jobs import encode_job
from tests.rules.test_animation_rules import gif, planned


def output(media: Animation, **options: Any) -> Output:
    (made,) = planned(media, **options).outputs
    return made


def texts(filters: tuple[Filter, ...]) -> list[str]:
    return [
        f"{step.name} " + " ".join(f"{key}={value}" for key, value in step.options.items())
        for step in filters
    ]


LARGE = gif(size_bytes=40_000_000)


def test_scaling_uses_lanczos_and_frames_come_evenly() -> None:
    assert texts(gif_filters(output(LARGE), FrameSettings(size=(320, 240)))) == [
        "scale w=320 h=240 flags=lanczos+accurate_rnd",
        "settb expr=1/100",
        "setpts expr=N*10",
    ]


def test_transparent_edges_are_scaled_premultiplied() -> None:
    names = [
        step.name
        for step in gif_filters(
            output(replace(LARGE, transparency=True)), FrameSettings(size=(320, 240))
        )
    ]
    assert names == ["format", "premultiply", "scale", "unpremultiply", "settb", "setpts"]


def test_exact_colours_need_nearest_pixel_scaling_and_no_dither() -> None:
    art = replace(LARGE, pixel_grid=4)
    settings = FrameSettings(size=(320, 240), exact=True)
    assert texts(gif_filters(output(art), settings))[0] == "scale w=320 h=240 flags=neighbor"
    assert (settings.dither, FrameSettings(size=(320, 240)).dither) == ("none", "bayer")
    assert grid_size(output(art)) == (160, 120)
    assert unscaled(output(LARGE), (640, 480))
    assert not unscaled(output(replace(LARGE, format="webp")), (640, 480))


def test_dropped_frames_are_selected_by_runs() -> None:
    """351 frames: two of them are merged into one."""
    media = gif(351)
    (select, *_) = gif_filters(output(media), FrameSettings(size=(640, 480)))
    assert select.name == "select"
    assert (
        str(select.options["expr"]) == "between(n,0,348)+between(n,349,349)"
        or str(select.options["expr"]) == "between(n,0,349)"
    )


@pytest.mark.parametrize(
    ("count", "frames", "run"),
    [
        (200, (*range(8), *range(96, 104), *range(192, 200)), 8),
        (24, (0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23), 4),
        (6, (0, 1, 2), 3),
    ],
)
def test_a_trial_is_three_runs_and_never_all_frames(
    count: int, frames: tuple[int, ...], run: int
) -> None:
    assert trial_frames(count) == (frames, run)


def test_each_format_has_its_demuxer_and_streams() -> None:
    def read(**facts: Any) -> tuple[Input, PictureStreams]:
        return gif_input(encode_job(output(replace(LARGE, **facts)), demuxer="webp_anim"))

    assert read(format="webp")[0].demuxer == "webp_anim"
    assert read(format="gif")[1] == PictureStreams(index=0)
    assert read(format="avif")[1] == PictureStreams(index=1)
    assert read(format="avif", transparency=True)[1] == PictureStreams(index=2, alpha=3)


def test_palette_and_frames_are_two_processes() -> None:
    source = Input(demuxer="gif", whitelist="gif", max_pixels=64_000_000)
    palette = ffmpeg_gif.palette_argv("/ff", source, PictureStreams(index=0), (), threads=2)
    assert ("palettegen" in " ".join(palette), palette[-1]) == (True, "pipe:1")
    words = ffmpeg_gif.gif_argv(
        "/ff", source, PictureStreams(index=0), (), dither="bayer", plays=4, threads=2, frames=20
    )
    assert words.count("fd:") == 2
    assert words[words.index("-loop") + 1] == "3"
    assert "split" not in " ".join(words)
    bound = ffmpeg_gif.bound(words, 5, 6, "/out/x.gif.part")
    assert [bound[i + 1] for i, word in enumerate(bound) if word == "-fd"] == ["5", "6"]
    assert bound[-1] == "file:/out/x.gif.part"


def test_a_video_shows_each_frame_at_its_time_including_the_last() -> None:
    delays = (Fraction(1, 10), Fraction(1, 10), Fraction(1, 20))
    media = gif(3, delays=delays, duration=Fraction(1, 4))
    job = encode_job(output(media, to="video"), demuxer="gif")
    command = video_from_animation_command(job)
    filters = texts(command.tracks[0].filters)
    assert filters[:2] == [
        "settb expr=1/100000",
        "setpts expr=10000*clip(N-0,0,2)+5000*clip(N-2,0,1)",
    ]
    assert [step.split()[0] for step in filters[-4:]] == ["fps", "trim", "loop", "trim"]
    assert "loop loop=1 size=5" in filters
    assert command.input.demuxer == "gif"


def test_gifsicle_keeps_every_frame() -> None:
    words = gifsicle.argv("/gifsicle", Path("/a.gif"), Path("/b.gif"), lossy=20)
    assert "-Okeep-empty" in words
    assert "--lossy=20" in words
    assert words[-3:] == ("-o", "/b.gif", "/a.gif")
    assert not any("resize" in word or "colors" in word for word in words)
