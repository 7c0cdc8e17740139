"""GOPs and rates of encoded files, against other programs, recipes and restarted decoders."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import pytest

import fixtures
from tests.corpus import RealFile, real_files
from tests.probing.demuxing import Packet, Track, demux

Make = Callable[[str], Path]

GOP_FIXTURES = """
base.mp4 open.mp4 open_first_closed.mp4 openflag_nob.mp4 nonidr.mp4 gdr.mp4 open.ts cut.mp4 plain_i.mp4 gop512.mp4 gop513.mp4 hevc_open.mp4
hevc_radl.mp4 hevc_cra_only.mp4 hevc_bla.mp4 mpeg2_open.mpg mpeg2_closed.mpg mpeg2_nob.mpg mpeg2_flag_open.m2v mpeg2_broken.m2v tff.mp4
raw.h264 base.avi base.flv frag.mp4
"""


@pytest.mark.parametrize("name", GOP_FIXTURES.split())
def test_gops_equal_the_trace_of_another_program(make: Make, name: str):
    """``reference["gop"]`` lists (packet, kind, leading pictures) from ffmpeg's trace_headers."""
    judged = fixtures.truth(name).reference.get("gop")
    if judged is None:
        pytest.skip("no judge traced this file")
    found = demux(make(name)).scan().gop
    points = [
        (at, kind, leading)
        for at, kind, leading in judged["raps"]
        if kind not in ("plain-i", "gdr-p")
    ]
    lengths = [
        after[0] - before[0]
        for before, after in zip(points, [*points[1:], (judged["packets"],)], strict=True)
    ]
    assert (found.count, found.length_min, found.length_max) == (
        len(points),
        min(lengths),
        max(lengths),
    )
    if "b_after_i" in judged:
        opened = sum(1 for at, kind, _ in points if kind == "i:open" and at in judged["b_after_i"])
    else:
        may_open = (
            {"recovery-i", "cra", "bla"}
            if name.startswith("hevc") <= ("rasl" in judged.get("labels", {}))
            else set()
        )
        opened = sum(1 for _, kind, leading in points if leading and kind in may_open)
    assert found.open_count == opened


@pytest.mark.parametrize(
    ("name", "structure", "starts_with_idr"),
    [
        ("base.mp4", "closed", True),
        ("open.mp4", "open", True),
        ("open_first_closed.mp4", "open", True),
        ("openflag_nob.mp4", "closed", True),
        ("nonidr.mp4", "closed-nonidr", True),
        ("gdr.mp4", "gdr", True),
        ("cut.ts", "starts-mid-gop", False),
        ("cut.mp4", "open", False),
        ("nosei.ts", "starts-mid-gop", False),
        ("plain_i.mp4", "closed", True),
        ("no_stss.mp4", "closed", True),
        ("sizechange.ts", "closed", True),
        ("hevc_open.mp4", "open", True),
        ("hevc_radl.mp4", "closed", True),
        ("hevc_cra_only.mp4", "closed-nonidr", True),
        ("hevc_field.mp4", "closed", True),
        ("mpeg2_nob.mpg", "closed", True),
        ("mpeg2_open.mpg", "open", True),
        ("mpeg4_open.mp4", "open", True),
        ("xvid.mp4", "open", True),
        ("xvid.avi", "open", True),
        ("av1_onegop.mp4", "closed", True),
        ("raw.hevc", "open", True),
        ("vp9.webm", "closed", True),
        ("prores.mov", "closed", True),
        ("zeroed_middle.mp4", None, True),
    ],
)
def test_verdicts_that_follow_from_the_recipe(
    make: Make, name: str, structure: str | None, starts_with_idr: bool
):
    found = demux(make(name)).scan().gop
    assert (found.structure, found.starts_with_idr) == (structure, starts_with_idr)


@pytest.mark.parametrize(
    ("name", "rate", "mode", "stamps"),
    [
        ("r60.mp4", 60, "cfr", "ok"),
        ("r60.mkv", 60, "cfr", "ok"),
        ("r60.flv", 60, "cfr", "ok"),
        ("r60.ts", 60, "cfr", "ok"),
        ("r60.avi", 60, "cfr", "broken"),
        ("r60_from_mkv.mp4", 60, "cfr", "ok"),
        ("r5994.mkv", Fraction(60000, 1001), "cfr", "ok"),
        ("r2997.mp4", Fraction(30000, 1001), "cfr", "ok"),
        ("r605.mp4", Fraction(121, 2), "cfr", "ok"),
        ("r11988.mp4", Fraction(120000, 1001), "cfr", "ok"),
        ("jitter30.mp4", 30, "vfr", "ok"),
        ("jitter60.mp4", 60, "vfr", "ok"),
        ("dup1ms.mp4", 30, "vfr", "ok"),
        ("gap3s.mp4", 30, "vfr", "ok"),
        ("hevc_field.mp4", 25, "cfr", "ok"),
        ("soft_telecine.mpg", Fraction(24000, 1001), "vfr", "ok"),
        ("base.avi", 25, "cfr", "broken"),
        ("xvid.avi", 25, "cfr", "broken"),
        ("raw.h264", None, None, "missing"),
    ],
)
def test_rates_that_follow_from_the_recipe(
    make: Make, name: str, rate: Fraction | int | None, mode: str | None, stamps: str
):
    track = demux(make(name))
    found = track.timing(track.scan())
    assert (found.frame_rate, found.rate_mode, found.timestamps) == (rate, mode, stamps)


@pytest.mark.parametrize(
    "name",
    [
        "r60.mkv",
        "burst120.mp4",
        "burst120_long.mp4",
        "jitter30.mp4",
        "jitter60.mp4",
        "r605.mp4",
        "r120.mp4",
        "gap3s.mp4",
        "open.ts",
    ],
)
def test_the_peak_equals_the_count_of_another_program(make: Make, name: str):
    """``reference["packets"]["most_in_a_second"]`` was counted from ffprobe's packets."""
    track = demux(make(name))
    found = track.timing(track.scan())
    assert found.frame_rate_peak == fixtures.truth(name).reference["packets"]["most_in_a_second"]
    assert found.jitter_frames == (1 if name.startswith("jitter") else 0)


# Real files.

VERDICTS = {"open": "open", "closed": "closed", "single GOP": "closed", "unknown": None}
MOVING = [file for file in real_files() if file.kind == "video"]


@pytest.mark.parametrize("file", MOVING, ids=lambda file: file.name)
def test_gops_of_real_files(file: RealFile):
    found = demux(file.path).scan()
    assert found.gop.structure == VERDICTS[file.gop.partition(" in effect")[0]]
    assert found.faults == ()


@pytest.mark.parametrize("file", [file for file in MOVING if file.rate], ids=lambda file: file.name)
def test_rates_of_real_files(file: RealFile):
    """The table has three decimals.

    Two entries, 60.058 and 8.505, divide by a span that includes the last frame's duration; FLV's
    29.97 is 30 by its timestamps, as the notes say.
    """
    track = demux(file.path)
    found = track.timing(track.scan())
    expected = {
        "media__portrait_4k60.mp4": 60,
        "rails__video_with_undefined_display_aspect_ratio.mp4": 8.495,
        "media__sample.flv": 30,
    }
    assert round(float(found.frame_rate or 0), 3) == pytest.approx(
        expected.get(file.name, float(file.rate or 0)), abs=0.0015
    )
    assert found.rate_mode == (
        "vfr" if "VFR" in file.row["cfr_vfr"] or "irregular" in file.row["cfr_vfr"] else "cfr"
    )
    assert (found.frame_rate_peak or 0) - (found.jitter_frames or 0) <= 60


# A decoder that is restarted at every key packet: leading pictures that differ, or are missing,
# make
# the GOP open.


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        *(
            "base.mp4",
            "open.mp4",
            "open_first_closed.mp4",
            "nonidr.mp4",
            "hevc_open.mp4",
            "hevc_radl.mp4",
            "hevc_cra_only.mp4",
        ),
        *(
            "mpeg2_open.mpg",
            "mpeg2_flag_open.m2v",
            "mpeg4_open.mp4",
            "mpeg1.mpg",
            "vp9.webm",
            "av1.mp4",
        ),
    ],
)
def test_open_gops_are_those_that_a_restarted_decoder_breaks(make: Make, name: str):
    track = demux(make(name))
    whole = decoded(track, track.packets)
    keys = [number for number, packet in enumerate(track.packets) if packet.key]
    broken = 0
    for at, following in zip(keys[1:], [*keys[2:], len(track.packets)], strict=True):
        restarted = decoded(track, track.packets[at : following + 8])
        start = track.packets[at].pts or 0
        leading = [
            packet.pts for packet in track.packets[at:following] if (packet.pts or 0) < start
        ]
        trailing = [
            packet.pts for packet in track.packets[at:following] if (packet.pts or 0) >= start
        ]
        assert all(restarted.get(time) == whole.get(time) for time in trailing)
        broken += any(restarted.get(time) != whole.get(time) for time in leading)
    assert track.scan().gop.open_count == broken


def decoded(track: Track, packets: tuple[Packet, ...]) -> dict[int | None, int]:
    """Return a checksum of each picture by its time."""
    decoder = av.CodecContext.create("libdav1d" if track.codec == "av1" else track.codec, "r")
    decoder.thread_count = 1
    if track.extradata:
        decoder.extradata = track.extradata
    pictures = {}
    for packet in (*packets, None):
        wrapped = None
        if packet:
            wrapped = av.Packet(packet.data)
            wrapped.pts = packet.pts
        pictures |= {
            frame.pts: zlib.crc32(frame.to_ndarray().tobytes()) for frame in decoder.decode(wrapped)
        }
    return pictures
