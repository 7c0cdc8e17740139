"""Time: flash and beep stay together, frames keep their times, cuts are exact to frame and sample."""

from __future__ import annotations

import re
import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import mediaprep
from mediaprep import Options, Outcome, Video
from tests.truth.ffmpeg_reader import (
    RATE,
    X264,
    clock,
    ffmpeg,
    numbers,
    offsets,
    samples,
    write_numbered,
)

pytestmark = pytest.mark.slow
AAC = ("-c:a", "aac", "-b:a", "64k")
BASE = (*X264, *AAC)


def fixed(source: Path, target: Path, **options: object) -> Outcome:
    outcome = mediaprep.prepare(source, target, options=Options(quality="fast", **options))  # type: ignore[arg-type]
    assert outcome.status == "fixed", (outcome.problems, outcome.plan and outcome.plan.refusals)
    return outcome


def picture(outcome: Outcome) -> mediaprep.Video:
    media = outcome.after[0].media
    assert isinstance(media, Video)
    return media


def make_source(tmp_path: Path, kind: str) -> Path:
    seconds, size = 4.4, "128x96"
    base = tmp_path / "base.mp4"
    match kind:
        case "120 fps":
            ffmpeg(*clock(seconds, "120", size), *BASE, base)
            return base
        case "variable":
            # Every frame around a beep, else about every third, with timestamps off by up to 3 ms.
            chosen = "select='lt(mod(t,2),0.2)+eq(mod(n,3),0)+eq(mod(n,7),0)',settb=1/90000,setpts='PTS+(random(0)-0.5)*540'"
            ffmpeg(
                *clock(seconds, "60", size),
                "-vf",
                chosen,
                "-fps_mode",
                "vfr",
                "-enc_time_base",
                "1/90000",
                *BASE,
                base,
            )
            return base
        case "25i":
            ffmpeg(
                *clock(seconds, "50", size),
                "-vf",
                "tinterlace=interleave_top,setfield=tff",
                "-flags",
                "+ilme+ildct",
                *BASE,
                base,
            )
            return base
        case "telecine":
            ffmpeg(
                *clock(seconds, "24000/1001"),
                "-vf",
                "telecine=pattern=23,setfield=prog",
                *BASE,
                base,
            )
            return base
    ffmpeg(*clock(seconds, "30", size), *X264, "-c:a", "ac3", base)
    late = tmp_path / f"{kind.replace(' ', '_')}.mkv"
    ahead = ("-itsoffset", "0.7", "-i", base, "-i", base, "-c", "copy")
    match kind:
        case "picture late":
            ffmpeg(*ahead, "-map", "0:v", "-map", "1:a", late)
        case "sound late":
            ffmpeg(*ahead, "-map", "1:v", "-map", "0:a", late)
        case "offset an hour":
            late = late.with_suffix(".ts")
            ffmpeg("-i", base, "-c", "copy", "-output_ts_offset", "3600", late)
        case "edited":
            late = late.with_suffix(".mp4")
            ffmpeg("-ss", "1.3", "-i", base, "-c", "copy", late)
    return late


KINDS = [
    "120 fps",
    "variable",
    "25i",
    "telecine",
    "picture late",
    "sound late",
    "offset an hour",
    "edited",
]


@pytest.mark.parametrize(
    ("kind", "reencode"),
    [
        *((kind, False) for kind in KINDS),
        ("variable", True),
        *(pytest.param(kind, True, marks=pytest.mark.long) for kind in KINDS if kind != "variable"),
    ],
)
def test_flash_and_beep_stay_together(tmp_path: Path, kind: str, reencode: bool) -> None:
    """Within a frame of the output, at the start, in the middle and at the end, copied or encoded."""
    source = make_source(tmp_path, kind)
    before = offsets(source)
    outcome = fixed(
        source,
        tmp_path / "out.mp4",
        **({"rung": (64, 48)} if reencode else {}),
        fix_level="observed",
    )
    rate = picture(outcome).video.frame_rate
    assert rate is not None
    after = offsets(tmp_path / "out.mp4")
    assert len(after) == len(before)
    apart = [abs(one - other) for one, other in zip(after, before, strict=True)]
    assert max(apart) <= 1 / rate + (Fraction(1024, RATE) if kind == "offset an hour" else 0), (
        before,
        after,
    )


def test_late_sound_starts_with_silence_and_needs_no_edit_list(tmp_path: Path) -> None:
    """AAC and H.264 could both be copied; only the picture is, and no empty edit delays a track."""
    base, source, output = tmp_path / "base.mkv", tmp_path / "late.mkv", tmp_path / "out.mp4"
    ffmpeg(*clock(4.4, "30", "128x96"), *BASE, base)
    ffmpeg(
        "-i",
        base,
        "-itsoffset",
        "0.7",
        "-i",
        base,
        "-map",
        "0:v",
        "-map",
        "1:a",
        "-c",
        "copy",
        source,
    )
    outcome = fixed(source, output)
    assert [copy.track for copy in outcome.records[0].copied] == ["video"]
    assert max(abs(a - b) for a, b in zip(offsets(output), offsets(source), strict=True)) < 1 / 30
    data = output.read_bytes()
    edits = [data[found.start() + 4 :] for found in re.finditer(b"elst", data)]
    media_times = [
        struct.unpack(">i", edit[16 + 12 * n - 4 :][:4])[0]
        for edit in edits
        for n in range(struct.unpack(">I", edit[4:8])[0])
    ]
    assert media_times, "an edit that skips the reordering delay"
    assert -1 not in media_times


def test_120_fps_become_60_by_dropping_every_other_frame(tmp_path: Path) -> None:
    """No frame too many or too few, and none late."""
    outcome = fixed(make_source(tmp_path, "120 fps"), tmp_path / "out.mp4")
    assert picture(outcome).video.frame_count == 264
    assert picture(outcome).video.frame_rate == 60
    assert max(map(abs, offsets(tmp_path / "out.mp4"))) < 1 / 120


@pytest.mark.parametrize(("suffix", "rate"), [("mp4", "25"), ("mkv", "30000/1001"), ("ts", "24")])
def test_a_trim_is_exact_to_the_frame(tmp_path: Path, suffix: str, rate: str) -> None:
    """From the middle of a long GOP; in a transport stream a mere seek would land 100 frames late."""
    source = tmp_path / f"numbered.{suffix}"
    write_numbered(source, 500, rate)
    whole = Fraction(rate)
    fixed(source, tmp_path / "out.mp4", trim=(150 / whole, 333 / whole))
    assert np.array_equal(numbers(tmp_path / "out.mp4"), np.arange(150, 333))
    assert abs(len(samples(tmp_path / "out.mp4")) / RATE - 183 / whole) < 0.001


def test_a_snapped_trim_is_copied_packet_for_packet(tmp_path: Path) -> None:
    """Moved to the keyframes at 4 s and 16 s: exactly those 300 frames and their sound, none
    encoded.
    """
    source = tmp_path / "numbered.mp4"
    write_numbered(source, 600, "25", gop=50)
    outcome = fixed(
        source, tmp_path / "out.mp4", trim=(Fraction(41, 10), Fraction(159, 10)), snap=Fraction(1)
    )
    assert np.array_equal(numbers(tmp_path / "out.mp4"), np.arange(100, 400))
    assert [copy.track for copy in outcome.records[0].copied] == ["video", "audio"]
    assert outcome.records[0].frames_decoded is None
    before, after = (
        samples(source),
        samples(tmp_path / "out.mp4", "-af", "aresample=async=1:first_pts=0"),
    )
    middle = slice(2 * RATE, 3 * RATE)
    assert np.abs(after[middle] - before[4 * RATE :][middle]).max() < 0.02


@pytest.mark.long
@pytest.mark.parametrize(
    ("suffix", "rate", "count"),
    [("mp4", "25", 7500), ("mkv", "30000/1001", 9000), ("ts", "24", 7000)],
)
def test_the_parts_of_a_split_are_the_source(
    tmp_path: Path, suffix: str, rate: str, count: int
) -> None:
    """The fewest parts, cut at shot changes, every frame once and in order; no gap or click in the
    sound.
    """
    source, shots = (
        tmp_path / f"numbered.{suffix}",
        [round(130 * Fraction(rate)), round(262 * Fraction(rate))],
    )
    write_numbered(source, count, rate, shots=shots)
    outcome = fixed(source, tmp_path / "part.mp4", split=True)
    assert len(outcome.outputs) == 3
    parts = [numbers(Path(name)) for name in outcome.outputs]
    assert np.array_equal(np.concatenate(parts), np.arange(count))
    sounds = [samples(Path(name)) for name in outcome.outputs]
    joined = np.concatenate(sounds)
    for part, sound in zip(parts[:-1], sounds[:-1], strict=True):
        assert abs(len(sound) / RATE - len(part) / float(Fraction(rate))) < 0.001
    for seam in np.cumsum([len(sound) for sound in sounds])[:-1]:
        assert np.abs(np.diff(joined[seam - RATE // 20 : seam + RATE // 20])).max() < 0.06, (
            "a click: the tone itself moves by 0.016"
        )


def test_a_split_for_a_short_limit_cuts_at_shot_changes(tmp_path: Path) -> None:
    """The same with a profile that accepts 20 seconds."""
    text = (Path(__file__).parents[2] / "profiles" / "twitter.toml").read_text()
    for old, new in (
        ('max = "140 s"', 'max = "20 s"'),
        ('trim_to = "139.9 s"', 'trim_to = "19.9 s"'),
        ('part_at_most = "140 s"', 'part_at_most = "20 s"'),
    ):
        assert old in text
        text = text.replace(old, new)
    own = tmp_path / "brief.toml"
    own.write_text(
        text.replace('name = "twitter"', 'name = "brief"').replace(
            "#:schema ./profile.schema.json", ""
        )
    )
    source = tmp_path / "numbered.mkv"
    write_numbered(source, 1200, "30", shots=[300, 420])
    outcome = mediaprep.prepare(
        source, tmp_path / "part.mp4", str(own), options=Options(split=True, quality="fast")
    )
    assert outcome.status == "fixed", outcome.problems
    parts = [numbers(Path(name)) for name in outcome.outputs]
    assert np.array_equal(np.concatenate(parts), np.arange(1200))
    assert len(parts) == 3


def test_a_gap_in_the_timestamps_fills_neither_memory_nor_disk(make, tmp_path: Path) -> None:
    """The second frame is a million seconds late: refused as too long; a trim keeps what precedes
    the gap.
    """
    outcome = mediaprep.prepare(make("gap.mp4"), tmp_path / "out.mp4")
    assert outcome.status == "refused"
    first = fixed(make("gap.mp4"), tmp_path / "out.mp4", trim="first")
    assert picture(first).duration is not None
    assert (tmp_path / "out.mp4").stat().st_size < 5_000_000
