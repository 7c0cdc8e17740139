"""GIF, PNG, WebP and JPEG walkers; Matroska and transport streams."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from fractions import Fraction

import pytest

from mediaprep.errors import SourceUnreadable
from mediaprep.probing.formats import gif, jpeg, matroska, mpegts, png, riff, webp
from mediaprep.probing.formats.window import InMemoryFile
from mediaprep.runtime.source import open_source
from tests.probing.mutants import Counted

# -- GIF -----------------------------------------------------------------------------------------------------------------------------

GIFS = (
    *(
        "anim.gif",
        "f350.gif",
        "f351.gif",
        "zero_delay.gif",
        "delays012.gif",
        "once.gif",
        "loop3.gif",
        "patches.gif",
        "trailing.gif",
        "one.gif",
    ),
    *("still.gif", "g1280x1080.gif", "comment.gif"),
)


def _plays(words):
    """gifsicle's "forever", "count 3" (repeats after the first play) or nothing."""
    return 0 if words == "forever" else 1 + int(words.split()[-1]) if words else 1


@pytest.mark.parametrize("name", GIFS)
def test_gif_is_as_gifsicle_saw_it(make, name):
    """Truth: ``gifsicle --info``: frames, screen, delays in use, loop count (one less than the plays), disposals."""
    import fixtures

    seen = fixtures.truth(name).reference["gifsicle"]
    with open_source(make(name)) as source:
        found = gif.walk(source)
    assert f"{found.width}x{found.height}" == seen["screen"]
    assert found.frame_count == seen["images"] == len(found.delays_raw)
    stated = Counter(dict.fromkeys((delay for delay, _ in seen["delays"]), 0))
    for delay, count in seen["delays"]:
        stated[delay] += count
    assert Counter(found.delays_raw) == (
        stated or Counter({0: found.frame_count})
    )  # it names no delay where no extension states one
    assert found.loop == _plays(seen["loop"])
    names = {"asis": "keep", "background": "background", "previous": "previous"}
    assert set(found.disposals) - {"none"} == {names[item] for item in seen["disposals"]}


def test_gif_real_file(corpus):
    """Truth: gifsicle --info: 380 images, loop forever, 58.55 s, disposal asis."""
    with open_source(corpus / "image-gif__gifplayer-muybridge.gif") as source:
        found = gif.walk(source)
    assert (found.frame_count, found.width, found.height, found.loop) == (380, 472, 298, 0)
    assert (sum(found.delays), found.delays_raw[:4], found.disposals) == (
        Fraction("58.55"),
        (36, 4, 4, 4),
        ("keep",),
    )
    assert (found.complete, found.trailing_bytes) == (True, 0)


def _gif(*blocks, screen=(4, 4), flags=0):
    return b"GIF89a" + struct.pack("<HHBBB", *screen, flags, 0, 0) + b"".join(blocks)


def _frame(left=0, top=0, width=4, height=4, flags=0, data=b"\2\1\0\0"):
    return b"\x2c" + struct.pack("<HHHHB", left, top, width, height, flags) + data


def _control(delay=0, disposal=0, transparent=False):
    return b"\x21\xf9\4" + struct.pack("<BHB", disposal << 2 | transparent, delay, 0) + b"\0"


def _looping(count):
    return b"\x21\xff\x0bNETSCAPE2.0\3\1" + struct.pack("<H", count) + b"\0"


@pytest.mark.parametrize(("count", "plays"), [(None, 1), (0, 0), (1, 2), (3, 4), (65535, 65536)])
def test_gif_loop_counts_repeats(count, plays):
    blocks = (_looping(count),) if count is not None else ()
    assert gif.walk(InMemoryFile(_gif(*blocks, _frame(), b";"))).loop == plays


def test_gif_delays_as_browsers_play_them():
    found = gif.walk(
        InMemoryFile(
            _gif(*(part for delay in (0, 1, 2, 10) for part in (_control(delay), _frame())), b";")
        )
    )
    assert found.delays_raw == (0, 1, 2, 10)
    assert found.delays == (Fraction(1, 10), Fraction(1, 10), Fraction(1, 50), Fraction(1, 10))


def test_gif_control_applies_to_the_next_frame_only():
    found = gif.walk(InMemoryFile(_gif(_control(7, 2, True), _frame(), _frame(), b";")))
    assert found.delays_raw == (7, 0)
    assert found.disposals == ("background", "none")
    assert found.transparency


@pytest.mark.parametrize(
    ("blocks", "transparent"),
    [
        ((_frame(),), False),
        ((_frame(width=3),), True),
        ((_frame(), _frame(width=1)), False),
        ((_control(0, 0, True), _frame()), True),
    ],
)
def test_gif_transparency(blocks, transparent):
    """A colour that is named, or a first frame that leaves a part of the screen bare."""
    assert gif.walk(InMemoryFile(_gif(*blocks, b";"))).transparency is transparent


def test_gif_frame_marks_inside_data_are_no_frames():
    data = b"\2" + bytes([200]) + b"\x2c\x3b\x21\xf9" * 50 + b"\0"
    found = gif.walk(InMemoryFile(_gif(_frame(data=data), b"\0\0\0", _frame(flags=0x40), b";")))
    assert (found.frame_count, found.complete, found.interlaced) == (2, True, True)


def test_gif_palettes_are_passed_over():
    data = _gif(b"\x2c" * 24, _frame(flags=0x81, data=b";" * 12 + b"\2\1\0\0"), b";", flags=0x82)
    assert gif.walk(InMemoryFile(data)).frame_count == 1


@pytest.mark.parametrize(
    ("end", "why"),
    [
        (b"", "no trailer"),
        (_frame()[:-1], "last frame is cut"),
        (_frame()[:5], "last frame is cut"),
        (b"\x21\xff\x0bNET", "extension is cut"),
        (b"\x99", "0x99"),
    ],
)
def test_gif_incomplete(end, why):
    found = gif.walk(InMemoryFile(_gif(_frame(), end)))
    assert (found.frame_count, found.complete) == (1, False)
    assert why in str(found.incomplete_because)


def test_gif_trailing_bytes():
    found = gif.walk(InMemoryFile(_gif(_frame(), b";", b"junk")))
    assert (found.complete, found.trailing_bytes) == (True, 4)


def test_gif_walk_stops_where_told():
    found = gif.walk(InMemoryFile(_gif(*[_frame()] * 50, b";")), max_frames=2)
    assert (found.frame_count, found.capped, found.complete) == (2, True, None)


def test_gif_is_read_once_and_blocks_may_straddle_reads():
    frame = _frame(width=4, data=b"\2" + (b"\xff" + bytes(255)) * 5000 + b"\0")
    data = _gif(*[frame] * 3, b";")
    counted = Counted(data)
    assert gif.walk(counted).frame_count == 3
    assert counted.bytes_read < 1.5 * len(data)


def test_gif_zero_padding_costs_its_bytes_only():
    counted = Counted(_gif(_frame(), bytes(5 * 2**20)))
    assert gif.walk(counted).complete is False
    assert counted.reads < 20


# -- PNG -----------------------------------------------------------------------------------------------------------------------------


def _chunk(kind, data=b""):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(*chunks, colour_type=2, depth=8, interlace=0):
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", 5, 7, depth, colour_type, 0, 0, interlace))
    return png.SIGNATURE + head + b"".join(chunks)


def _control_chunk(number, delay=1, base=10, disposal=0):
    return _chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, 5, 7, 0, 0, delay, base, disposal, 0))


def test_png_head():
    found = png.walk(
        InMemoryFile(
            _png(
                _chunk(b"iCCP", b"x"),
                _chunk(b"cICP", b"\1\1\0\1"),
                _chunk(b"tRNS"),
                _chunk(b"IDAT"),
                _chunk(b"IEND"),
                interlace=1,
            )
        )
    )
    assert (
        found.width,
        found.height,
        found.bit_depth,
        found.colour_type,
        found.interlaced,
        found.alpha,
    ) == (5, 7, 8, 2, True, True)
    assert {"iCCP", "cICP"} <= set(found.chunks)
    assert (found.complete, found.animated) == (True, False)


def test_apng_frames_are_counted_not_believed():
    actl = _chunk(b"acTL", struct.pack(">II", 3, 2))
    frames = (
        _control_chunk(0),
        _chunk(b"IDAT"),
        _control_chunk(1, 0, 0, 1),
        _chunk(b"fdAT"),
        _control_chunk(2, 5, 0),
        _chunk(b"fdAT"),
    )
    found = png.walk(InMemoryFile(_png(actl, *frames, _chunk(b"IEND"))))
    assert (
        found.frame_count,
        found.declared_frames,
        found.loop,
        found.default_in_loop,
        found.animated,
    ) == (3, 3, 2, True, True)
    assert found.delays == (
        Fraction(1, 10),
        Fraction(1, 10),
        Fraction(1, 20),
    )  # 0 is played as 100 ms; a base of 0 is 100
    assert found.disposals == ("background", "none")
    short = png.walk(InMemoryFile(_png(actl, *frames[:4], _chunk(b"IEND"))))
    assert (short.frame_count, short.complete) == (2, False)


def test_apng_as_exiftool_saw_it(make):
    """Truth: exiftool's AnimationFrames and AnimationPlays."""
    import fixtures

    seen = fixtures.truth("anim.apng").reference["exiftool"]
    with open_source(make("anim.apng")) as source:
        found = png.walk(source)
    assert (found.frame_count, found.loop) == (
        seen["AnimationFrames"],
        0 if seen["AnimationPlays"] == "inf" else seen["AnimationPlays"],
    )


def test_a_control_chunk_behind_a_late_actl_is_no_animation():
    found = png.walk(
        InMemoryFile(
            _png(
                _chunk(b"IDAT"),
                _chunk(b"acTL", struct.pack(">II", 2, 0)),
                _control_chunk(0),
                _control_chunk(1),
                _chunk(b"IEND"),
            )
        )
    )
    assert (found.animated, found.loop) == (False, None)


@pytest.mark.parametrize("cut", [1, 4, 12, 13, 20])
def test_png_cut_short(cut):
    data = _png(_chunk(b"IDAT", b"x" * 10), _chunk(b"IEND"))
    assert png.walk(InMemoryFile(data[:-cut])).complete is False
    assert png.walk(InMemoryFile(data + b"junk")).trailing_bytes == 4


# -- WebP and RIFF -------------------------------------------------------------------------------------------------------------------


def _riff(*chunks, form=b"WEBP", size=None):
    body = form + b"".join(
        kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) & 1)
        for kind, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body) if size is None else size) + body


def _three(number):
    return number.to_bytes(3, "little")


def test_animated_webp():
    """Layout: WebP Container Specification: ANMF has its duration at offset 12, three bytes, milliseconds."""
    frames = [
        (b"ANMF", bytes(12) + _three(delay) + bytes([flags]) + b"VP8L")
        for delay, flags in ((40, 0), (5, 1), (1000, 0))
    ]
    found = webp.walk(
        InMemoryFile(
            _riff(
                (b"VP8X", bytes([0x12, 0, 0, 0]) + _three(639) + _three(479)),
                (b"ANIM", bytes(4) + b"\3\0"),
                *frames,
                (b"EXIF", b"x"),
                (b"XMP ", b"y"),
            )
        )
    )
    assert (found.width, found.height, found.frame_count, found.loop, found.alpha) == (
        640,
        480,
        3,
        3,
        True,
    )
    assert found.delays == (Fraction(1, 25), Fraction(1, 10), Fraction(1))
    assert (found.disposals, found.exif, found.xmp, found.icc, found.animated, found.complete) == (
        ("background", "none"),
        True,
        True,
        False,
        True,
        True,
    )


@pytest.mark.parametrize(
    "name",
    [
        "plain.webp",
        "alpha.webp",
        "anim.webp",
        "comment.webp",
        "orientation6.webp",
        "anim_alpha.webp",
    ],
)
def test_webp_as_exiftool_saw_it(make, name):
    import fixtures

    seen = fixtures.truth(name).reference["exiftool"]
    wide, high = (
        size[0] if isinstance(size, list) else size
        for size in (seen["ImageWidth"], seen["ImageHeight"])
    )
    with open_source(make(name)) as source:
        found = webp.walk(source)
    assert (found.width, found.height, found.complete) == (wide, high, True)
    if "Duration" in seen:
        assert float(sum(found.delays)) == pytest.approx(seen["Duration"], abs=0.005)


def test_webp_cut_short(make):
    data = make("plain.webp").read_bytes()
    for percent in (10, 50, 99):
        assert webp.walk(InMemoryFile(data[: len(data) * percent // 100])).complete is False
    assert webp.walk(InMemoryFile(data + b"tail")).trailing_bytes == 4


def test_avi_sizes(make):
    data = make("base.avi").read_bytes()
    assert riff.completeness(InMemoryFile(data)) == (True, None)
    assert riff.completeness(InMemoryFile(data[:-10]))[0] is False
    assert riff.completeness(InMemoryFile(data + _riff((b"idx1", b""), form=b"AVIX")))[0] is True
    assert (
        riff.completeness(InMemoryFile(data + _riff((b"idx1", bytes(50)), form=b"AVIX")[:-20]))[0]
        is False
    )
    assert riff.completeness(InMemoryFile(data + bytes(5000)))[0] is True
    assert riff.completeness(InMemoryFile(_riff(form=b"AVI ", size=0)))[0] is None


# -- JPEG ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "plain.jpg",
        "progressive.jpg",
        "gray.jpg",
        "cmyk.jpg",
        "p3.jpg",
        "adobe.jpg",
        "mpo.jpg",
        "orientation6.jpg",
        "trailing.jpg",
        "comment.jpg",
    ],
)
def test_jpeg_as_exiftool_saw_it(make, name):
    import fixtures

    seen = fixtures.truth(name).reference["exiftool"]
    with open_source(make(name)) as source:
        found = jpeg.walk(source)
    assert (found.width, found.height) == (seen["ImageWidth"], seen["ImageHeight"])
    assert (found.components, found.bit_depth) == (seen["ColorComponents"], seen["BitsPerSample"])
    assert found.progressive is (name == "progressive.jpg")
    assert found.icc is (name in ("p3.jpg", "adobe.jpg"))
    assert found.complete


def _segment(marker, data):
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


_SOF = _segment(0xC0, struct.pack(">BHHB", 8, 6, 9, 3) + bytes(9))
_SOS = _segment(0xDA, bytes(10))


@pytest.mark.parametrize(
    ("data", "complete"),
    [
        (b"\xff\xd8" + _SOF + _SOS + b"abc\xff\x00\xff\xd0de\xff\xff\xd9", True),
        (b"\xff\xd8" + _SOF + _SOS + b"abc\xff\x00", False),
        (b"\xff\xd8" + _SOF + _SOS + b"abc\xff", False),
        (b"\xff\xd8" + _SOF + _SOS + b"a" * 70000 + b"\xff\xd9" + b"tail", True),
        (
            b"\xff\xd8" + _SOF + _SOS + b"a" * 65504 + b"\xff\xd9",
            True,
        ),  # the marker straddles two reads
        (b"\xff\xd8" + _SOF + _SOS + b"a" * 65503 + b"\xff\xd9", True),
        (
            b"\xff\xd8" + _segment(0xE1, b"Exif\0\0\xff\xd9") + _SOF,
            False,
        ),  # a thumbnail's end is not the picture's
        (b"\xff\xd8" + _SOF + b"\xff\xd9", False),  # no scan
    ],
)
def test_jpeg_end(data, complete):
    found = jpeg.walk(InMemoryFile(data))
    assert found.complete is complete
    assert (found.width, found.height) == (9, 6)


def test_jpeg_second_picture_must_be_whole():
    """A multi-picture file (CIPA DC-007): the index states where the second picture lies."""

    def with_index(size):
        entries = struct.pack(">IIIHH", 0x20030000, 100, 0, 0, 0) + struct.pack(
            ">IIIHH", 0, size, 60, 0, 0
        )
        index = (
            b"MM\0*\0\0\0\x08"
            + struct.pack(">H", 1)
            + struct.pack(">HHII", 0xB002, 7, 32, 26)
            + bytes(4)
            + entries
        )
        return (
            b"\xff\xd8" + _segment(0xE2, b"MPF\0" + index) + _SOF + _SOS + b"\xff\xd9" + bytes(100)
        )

    assert (
        jpeg.walk(InMemoryFile(with_index(20))).complete,
        jpeg.walk(InMemoryFile(with_index(20))).pictures,
    ) == (
        True,
        2,
    )
    assert jpeg.walk(InMemoryFile(with_index(2000))).complete is False


def test_jpeg_many_short_scans_cost_their_bytes():
    counted = Counted(b"\xff\xd8" + _SOF + (_SOS + b"x") * 15000 + b"\xff\xd9")
    assert jpeg.walk(counted).complete
    assert counted.reads < 20


def test_jpeg_of_two_bytes_is_unreadable():
    with pytest.raises(SourceUnreadable):
        jpeg.walk(InMemoryFile(b"\xff\xd8\xff"))


def test_ultra_hdr_cut_short(corpus):
    """Truth: exiftool: MPImageStart 513025, in a file of 48 kB; gain map by its XMP."""
    with open_source(corpus / "pillow__ultrahdr.jpg") as source:
        found = jpeg.walk(source)
    assert (found.width, found.height, found.pictures, found.gain_map, found.complete) == (
        1512,
        2688,
        2,
        True,
        False,
    )


# -- Matroska and transport streams --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["base.mkv", "vp9.webm", "av1.webm", "rot90.mkv", "grey203.mkv"])
def test_matroska_tracks_as_ffprobe_saw_them(make, name):
    import fixtures

    seen = fixtures.truth(name).reference["ffprobe"]["streams"]
    with open_source(make(name)) as source:
        found = matroska.walk(source)
    assert [item.kind for item in found.tracks] == [stream["codec_type"] for stream in seen]
    assert found.complete
    assert found.doctype == ("webm" if name.endswith("webm") else "matroska")


def test_matroska_cut_anywhere(make):
    data = make("base.mkv").read_bytes()
    for percent in range(2, 100, 7):
        cut = InMemoryFile(data[: len(data) * percent // 100])
        assert matroska.walk(cut).complete is False
    assert matroska.walk(InMemoryFile(data[:-1])).complete is False


def test_matroska_of_unknown_size_cannot_tell(make):
    data = bytearray(make("base.mkv").read_bytes())
    at = data.find(b"\x18\x53\x80\x67")
    data[at + 4 : at + 12] = b"\x01" + b"\xff" * 7
    assert matroska.walk(InMemoryFile(bytes(data))).complete is None


@pytest.mark.parametrize("name", ["base.ts", "base.m2ts", "adts.ts"])
def test_transport_streams_as_ffprobe_saw_them(make, name):
    import fixtures

    seen = fixtures.truth(name).reference["ffprobe"]["streams"]
    with open_source(make(name)) as source:
        found = mpegts.walk(source)
    assert found is not None
    kinds = {item.kind for item in found.streams}
    assert len(found.streams) == len(seen)
    assert "video" in kinds
    assert "audio" in kinds or name == "base.m2ts"  # there AAC is private data
    assert (found.packet_bytes, found.whole_packets) == (192 if name == "base.m2ts" else 188, True)


def test_an_id3_stream(corpus):
    """Truth: ffprobe: one AAC stream, one data stream with the tag "ID3 "."""
    with open_source(corpus / "shaka-player__id3-metadata.ts") as source:
        found = mpegts.walk(source)
    assert found is not None
    assert sorted(item.kind for item in found.streams) == ["audio", "metadata"]


def test_a_gif_without_a_picture_is_not_whole():
    data = b"GIF89a\1\0\1\0\0\0\0" + b"\x21\xfe\1x\0" * 3 + b"\x3b"
    assert (
        gif.walk(InMemoryFile(data)).complete,
        gif.walk(InMemoryFile(data)).incomplete_because,
    ) == (
        False,
        "no picture in it",
    )


def test_fill_bytes_of_a_jpeg_are_passed_over_wherever_they_lie():
    """Any number of 0xFF may stand before a marker (ITU-T T.81, B.1.1.2), also where one read ends and the next begins."""
    sof = b"\xff\xc0\0\x0b\x08\0\x08\0\x08\1\1\x11\0"
    for fill in (0, 1, 65500, *range(65515, 65540), 200_000):
        data = (
            b"\xff\xd8"
            + sof
            + b"\xff" * fill
            + b"\xff\xda\0\x08\1\1\0\0\x3f\0"
            + b"\x12\xff\0\xff\xd0\x34\xff\xd9"
        )
        found = jpeg.walk(InMemoryFile(data))
        assert (found.complete, found.end, found.width) == (True, len(data), 8), fill
