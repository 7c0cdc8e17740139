"""The walker of ISO base media files."""

from __future__ import annotations

import struct
from fractions import Fraction

import pytest

from mediaprep.probing.formats import isobmff
from mediaprep.probing.formats.isoentry import DolbyVisionBox
from mediaprep.probing.formats.isotrack import Edit
from mediaprep.runtime.source import open_source
from tests.corpus import real_files
from tests.probing.formats.isowriter import box, full, movie, sound_entry, track, video_entry, walk
from tests.probing.mutants import Counted

QUARTER_LEFT = (0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000)  # without its translation


LAYOUTS = {  # name: (format, faststart, fragmented)
    "fs.mp4": ("mp4", True, False),
    "moov_last.mp4": ("mp4", False, False),
    "frag.mp4": ("mp4", True, True),
    "frag_dash.mp4": ("mp4", True, True),
    "base.mov": ("mov", False, False),
    "base.3gp": ("3gp", False, False),
    "mdat_to_end.mov": ("mov", True, False),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_layout(make, name):
    with open_source(make(name)) as source:
        found = isobmff.walk(source)
    assert (found.format, found.faststart, found.fragmented) == LAYOUTS[name]
    assert found.complete


PROBED = (
    *(
        "base.mp4",
        "hevc_open.mp4",
        "av1.mp4",
        "two_audio.mp4",
        "two_video.mp4",
        "mov_text.mp4",
        "tmcd.mov",
        "frag.mp4",
        "frag_dash.mp4",
        "pcm.mov",
    ),
    *(
        "aac_51.mp4",
        "ac3_51.mp4",
        "opus.mp4",
        "alac.mp4",
        "mp3.mp4",
        "prores.mov",
        "avc3.mp4",
        "sar43.mp4",
        "rot90.mp4",
        "h263.3gp",
        "chapters.mp4",
    ),
)


@pytest.mark.parametrize("name", PROBED)
def test_the_tracks_equal_those_of_ffprobe(make, name):
    """Codec tag, picture size, number of frames, timescale."""
    import fixtures

    streams = fixtures.truth(name).reference["ffprobe"]["streams"]
    with open_source(make(name)) as source:
        tracks = isobmff.walk(source).tracks
    assert [item.codec for item in tracks] == [stream["codec_tag_string"] for stream in streams]
    for item, stream in zip(tracks, streams, strict=True):
        if "nb_frames" in stream:
            assert item.sample_count == int(stream["nb_frames"])
        if stream["codec_type"] == "video":
            assert (item.handler, item.width, item.height) == (
                "vide",
                stream["width"],
                stream["height"],
            )
        if stream["codec_type"] == "audio":
            assert item.handler == "soun"
        if stream["codec_type"] != "data":
            assert item.timescale == Fraction(stream["time_base"]).denominator


def _facts(name, corpus):
    with open_source(corpus / name) as source:
        return isobmff.walk(source)


def test_a_phone_recording(corpus):
    """Truth: mediainfo and exiftool.

    Dolby Vision 8.4 (HLG, compatibility 4), rotated by 90 degrees, two mebx tracks.
    """
    found = _facts("rails__rotated_hdr_video.mov", corpus)
    picture, *others = found.tracks
    assert (found.format, found.brand) == ("mov", "qt  ")
    assert (picture.codec, picture.sample_count) == ("hvc1", 40)
    assert (picture.width, picture.height) == (1920, 1080)
    assert picture.dolby_vision == DolbyVisionBox(profile=8, level=4, compatibility=4)
    assert picture.matrix[:6] == QUARTER_LEFT[:6]
    assert [item.codec for item in others] == ["mebx", "mebx"]
    assert others[0].entry_keys == ("com.apple.quicktime.video-orientation",)
    kinds = {item.where.rsplit("/", 1)[-1]: item.kind for item in found.private}
    assert kinds["com.apple.quicktime.location.ISO6709"] == "location"
    assert kinds["com.apple.quicktime.make"] == "device"


@pytest.mark.parametrize(
    "file",
    [file for file in real_files() if file.container in ("mp4", "mov", "3gp")],
    ids=lambda file: file.name,
)
def test_real_files_are_complete_and_take_few_reads(file):
    data = file.path.read_bytes()
    counted = Counted(data)
    found = isobmff.walk(counted)
    assert (found.complete, found.incomplete_because) == (True, None)
    assert found.damage == ()
    assert counted.reads < 25
    if file.size and file.row["n_audio"] != "2":
        picture = next(item for item in found.tracks if item.handler == "vide")
        assert (picture.width, picture.height) == file.size


@pytest.mark.parametrize(
    "name",
    [
        "stts_bomb.mp4",
        "samples_bomb.mp4",
        "durations.mp4",
        "nested.mp4",
        "elst_count.mp4",
        "box_size_huge.mp4",
    ],
)
def test_false_counts_take_few_reads(make, name):
    data = make(name).read_bytes()
    counted = Counted(data)
    isobmff.walk(counted)
    assert counted.bytes_read < 3 * len(data) + 2**20


def test_wide_boxes_and_a_last_box_without_size():
    data = movie(track(video_entry()))
    wide = data[:20] + struct.pack(">I4sQ", 1, b"mdat", 116) + data[28:]
    assert walk(wide).complete
    open_end = (
        box(b"ftyp", b"qt  ", bytes(4), b"qt  ")
        + data[128:]
        + struct.pack(">I4s", 0, b"mdat")
        + bytes(500)
    )
    assert (walk(open_end).complete, walk(open_end).faststart, walk(open_end).format) == (
        True,
        True,
        "mov",
    )


def test_damage_to_one_box_leaves_the_others():
    broken = (box(b"pasp", b"\0\0"), box(b"clap", bytes(31)))
    whole = box(b"dvcC", b"\1\0", struct.pack(">HB", 5 << 9 | 6 << 3 | 5, 0x20))
    tracks = track(video_entry(*broken, whole)), track(sound_entry(), handler=b"soun", number=2)
    found = walk(movie(*tracks))
    assert (found.tracks[0].pasp, found.tracks[0].clap) == (None, None)
    assert found.tracks[0].dolby_vision == DolbyVisionBox(profile=5, level=6, compatibility=2)
    assert len(found.tracks) == 2
    assert [clause[:4] for clause in found.damage] == ["pasp", "clap"]


def test_a_false_count_of_edits_retains_the_edits_present():
    elst = full(b"elst", struct.pack(">IIihh", 2**31, 2000, 0, 1, 0))
    found = walk(movie(track(video_entry(), edits=box(b"edts", elst))))
    assert found.tracks[0].edits == (Edit(duration=2000, media_time=0, rate=Fraction(1)),)
    assert "claims 2147483648 entries" in found.damage[0]
