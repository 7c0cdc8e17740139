"""Whether a file is complete, for every format."""

from __future__ import annotations

import io
import struct

import pytest
from PIL import Image

from mediaprep.errors import SourceUnreadable
from mediaprep.probing.formats.window import InMemoryFile
from mediaprep.probing.identify.complete import completeness
from mediaprep.probing.identify.sniff import sniff
from mediaprep.runtime.source import open_source
from tests.corpus import real_files


def verdict(data):
    """Return whether the data is complete; False also for data that cannot be read at all."""
    source = InMemoryFile(data)
    try:
        return completeness(source, sniff(source))[0]
    except SourceUnreadable as problem:
        return False if problem.rule == "file-complete" else problem


COMPLETE = (
    *(
        "base.mp4",
        "fs.mp4",
        "base.mov",
        "frag.mp4",
        "frag_dash.mp4",
        "base.3gp",
        "base.mkv",
        "vp9.webm",
        "base.avi",
        "base.flv",
        "wmv.wmv",
        "theora.ogv",
    ),
    *(
        "anim.gif",
        "anim.apng",
        "anim.webp",
        "anim.avif",
        "plain.jpg",
        "progressive.jpg",
        "plain.png",
        "plain.webp",
        "plain.avif",
        "plain.tiff",
    ),
    *("plain.bmp", "plain.jp2", "plain.ico", "mpo.jpg", "tone.wav"),
)


@pytest.mark.parametrize("name", COMPLETE)
def test_every_cut_of_a_complete_file_is_incomplete(make, name):
    """ffmpeg reads most of these cuts with exit code 0."""
    data = make(name).read_bytes()
    assert verdict(data) is True
    for percent in (10, 30, 50, 60, 75, 90, 95, 99):
        assert verdict(data[: len(data) * percent // 100]) is False, f"cut at {percent} %"
    assert verdict(data[:-1]) is False, "one byte short"


@pytest.mark.parametrize("name", ["base.ts", "raw.h264", "mpeg2_nob.mpg", "good.srt", "tone.mp3"])
def test_formats_without_a_mark_of_their_end_are_undecided(make, name):
    with open_source(make(name)) as source:
        complete, reason = completeness(source, sniff(source))
    assert complete is None
    assert "no mark of its end" in str(reason)


@pytest.mark.parametrize(
    "name", ["trailing.jpg", "trailing.png", "trailing.gif", "trailing_junk.mp4", "anim_alpha.webp"]
)
def test_bytes_after_the_end_are_not_a_truncation(make, name):
    assert verdict(make(name).read_bytes()) is True


@pytest.mark.parametrize(
    "name", ["no_eoi.jpg", "no_trailer.gif", "one_byte_short.mp4", "gap_in_stco.mp4", "trunc.mp4"]
)
def test_damaged_fixtures(make, name):
    assert verdict(make(name).read_bytes()) is False


def _ivf(frames, declared=2):
    head = b"DKIF\0\0\x20\0VP80" + bytes(12) + struct.pack("<II", declared, 0)
    return head + b"".join(
        struct.pack("<IQ", len(frame), number) + frame for number, frame in enumerate(frames)
    )


def _y4m(frames, line=b"YUV4MPEG2 W4 H3 F25:1 C420jpeg\n"):
    return line + b"FRAME\n".join([b"", *frames])


def _klv(size, kind=2):
    return (
        bytes.fromhex("060e2b34020501010d01020101")
        + bytes((kind, 4, 0, 0x83))
        + size.to_bytes(3, "big")
        + bytes(size)
    )


@pytest.mark.parametrize(
    ("data", "complete", "cuts"),
    [
        (_ivf([b"abc", b"defg"]), True, (1, 4, 10, 16)),
        (_ivf([b"abc", b"defg"], declared=0), None, (1, 4, 10)),
        (_y4m([bytes(4 * 3 + 2 * 2 * 2)] * 3), None, (1, 20)),  # 4:2:0: two planes of 2x2
        (_y4m([bytes(2 * 4 * 3 * 3)] * 2, b"YUV4MPEG2 W4 H3 F25:1 C444p10\n"), None, (1, 20)),
        (
            _klv(100) + _klv(70000, 3) + _klv(10, 4) + _klv(8, 0x11),
            True,
            (1, 28 + 30, 28 + 30 + 70020),
        ),
        (_klv(100) + _klv(70000, 3) + _klv(10, 4), None, (1, 30)),
    ],
)
def test_streams_of_frames(data, complete, cuts):
    assert verdict(data) is complete
    for cut in cuts:
        assert verdict(data[:-cut]) is False


@pytest.mark.parametrize("name", ["_small.flv", "_small.ogv", "_small.wmv"])
def test_a_cut_between_two_units_is_detected(make, name):
    """Such files are well formed.

    Cut between tags of an FLV, after one of two streams of an Ogg, before the index of an ASF.
    """
    data = make(name).read_bytes()
    tags, at = [], 13
    while name.endswith("flv") and at < len(data):
        at += 15 + int.from_bytes(data[at + 1 : at + 4], "big")
        tags.append(at)
    pages = (
        [at for at in range(1, len(data)) if data.startswith(b"OggS", at)]
        if name.endswith("ogv")
        else []
    )
    index = (
        [data.rfind(bytes.fromhex("90080033b1e5cf1189f400a0c90349cb"))]
        if name.endswith("wmv")
        else []
    )
    cuts = [at for at in (*tags, *pages, *index) if 0 < at < len(data)]
    assert cuts
    assert {verdict(data[:at]) for at in cuts} == {False}


def test_an_flv_without_its_size_is_undecided(make):
    assert verdict(make("_small.flv").read_bytes().replace(b"filesize", b"filelize")) is None


@pytest.mark.parametrize(
    "start",
    [
        b"\n",
        b"\n\5",
        b"P",
        b"BM",
        b"\x01\xda",
        b"8BPS",
        b"\x1f",
        b"OggS",
        b"\x0b\x77",
        b"\xff\x4f\xff\x51",
    ],
)
def test_a_magic_number_alone_is_never_complete(start):
    for size in range(40):
        assert verdict((start + bytes(40))[: len(start) + size]) is not True


@pytest.mark.parametrize("options", [{}, {"compression": "tiff_lzw"}, {"compression": "jpeg"}])
def test_tiff_strips(options):
    out = io.BytesIO()
    Image.effect_noise((300, 200), 50).save(out, "TIFF", **options)
    assert verdict(out.getvalue()) is True
    for percent in (20, 50, 90):
        assert verdict(out.getvalue()[: len(out.getvalue()) * percent // 100]) is False


def test_a_live_recording_is_undecided(make):
    data = bytearray(make("vp9.webm").read_bytes())
    at = data.find(b"\x18\x53\x80\x67")
    data[at + 4 : at + 12] = b"\x01" + b"\xff" * 7
    assert verdict(bytes(data)) is None


@pytest.mark.parametrize("file", real_files(), ids=lambda file: file.name)
def test_real_files(file):
    """Truth: the corpus table. Two JPEGs have no end; raw and text streams no mark of it."""
    with open_source(file.path) as source:
        complete, _ = completeness(source, sniff(source))
    if file.container in ("mpegts", "h264", "srt"):
        assert complete is None
    else:
        assert complete is ("unreadable" not in file.breaks | file.maybe)
