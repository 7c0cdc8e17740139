"""Private metadata of each kind, in each format that can hold it, and files without any."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image, PngImagePlugin

from mediaprep.probing.formats import tagnames
from mediaprep.probing.formats.exif import Tiff, exif_items
from mediaprep.probing.formats.iptc import iptc_items
from mediaprep.probing.formats.window import InMemoryFile, Window
from mediaprep.probing.formats.xmp import xmp_items
from mediaprep.probing.identify.private import private_items
from mediaprep.probing.identify.sniff import sniff
from mediaprep.runtime.source import open_source
from tests.corpus import real_files
from tests.probing.formats.isowriter import box, full, movie, track, video_entry
from tests.probing.mutants import Counted


def kinds(data):
    source = InMemoryFile(data)
    found = private_items(source, sniff(source))
    assert found is not None
    return {item.kind for item in found}


def kinds_of(path):
    with open_source(path) as source:
        found = private_items(source, sniff(source))
    assert found is not None
    return {item.kind for item in found}


@pytest.mark.parametrize(
    ("name", "expected"),
    [  # truth: the recipes, exiftool and ffprobe
        ("loc.mov", {"location"}),
        ("loc.mp4", {"location", "owner", "comment"}),
        ("loc_mdta.mov", {"location", "device"}),
        ("loc.mkv", {"location", "owner"}),
        ("tone_cover.m4a", {"thumbnail"}),
        ("comment.jpg", {"location", "comment"}),
        ("comment.png", {"location", "owner"}),
        ("comment.gif", {"comment"}),
        ("comment.webp", {"location", "device", "owner", "time"}),
        ("orientation6.jpg", {"location", "device", "owner", "time"}),
        ("orientation6.png", {"location", "device", "owner", "time"}),
        ("orientation6.webp", {"location", "device", "owner", "time"}),
    ],
)
def test_canaries_of_the_fixtures_are_found(make, name, expected):
    assert kinds_of(make(name)) == expected


NOTHING = (
    *(
        "base.mp4",
        "base.mov",
        "frag.mp4",
        "base.mkv",
        "vp9.webm",
        "base.ts",
        "base.avi",
        "base.flv",
        "theora.ogv",
        "mpeg2_nob.mpg",
        "raw.h264",
    ),
    *(
        "anim.gif",
        "anim.apng",
        "anim.webp",
        "plain.png",
        "plain.webp",
        "plain.jpg",
        "plain.avif",
        "plain.bmp",
        "p3.jpg",
        "chapters.mp4",
        "tmcd.mov",
    ),
)


@pytest.mark.parametrize("name", NOTHING)
def test_metadata_of_encoders_is_not_private(make, name):
    """Encoder tags, handler names, statistics, colour profiles and times of 0."""
    assert kinds_of(make(name)) == set()


REAL = {  # truth: exiftool -a -G1 on these files
    "rails__rotated_hdr_video.mov": {"location", "device", "time", "maker"},
    "media__sample_rotate_and_reflect.mp4": {"location", "time"},
    "media__portrait_4k60.mp4": {"device", "time"},
    "media__bbb_176x144_128kbps_15fps_h263.3gp": {"owner", "comment"},
    "tika__IMG_1034.heic": {"location", "device", "time", "maker", "comment"},
    "tika__testWMV.wmv": {"owner", "comment", "time"},
    "pillow__ultrahdr.jpg": {"location", "device", "time", "comment", "thumbnail"},
    "pillow__pil_sample_cmyk.jpg": {"comment", "time", "thumbnail"},
    "shaka-player__id3-metadata.ts": {"comment"},
}


@pytest.mark.parametrize(
    "file", [file for file in real_files() if file.kind != "subtitle"], ids=lambda file: file.name
)
def test_real_files_hold_the_items_that_exiftool_lists(file):
    assert kinds_of(file.path) - {"time"} == REAL.get(file.name, set()) - {"time"}


def _exif():
    exif = Image.Exif()
    exif[0x010F] = "Canary Cameras"
    exif[0x013B] = "A. Person"
    exif.get_ifd(0x8825).update({0: b"\2\3\0\0", 1: "N", 2: (48.0, 51.0, 30.0)})
    exif.get_ifd(0x8769).update(
        {0x927C: b"maker's own", 0xA431: "SN-12345", 0x9286: b"ASCII\0\0\0hello"}
    )
    return exif


def _picture(kind, **options):
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_in_every_picture_format(kind):
    """GPS, make, artist, serial number, maker note and comment, written by Pillow."""
    expected = {"location", "device", "owner", "maker", "comment"}
    if kind == "TIFF":  # Pillow omits the other directories, as exiftool -v2 shows
        expected = {"device", "owner"}
    assert expected <= kinds(_picture(kind, exif=_exif()))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP"])
def test_a_plain_picture_has_no_items(kind):
    assert kinds(_picture(kind)) == set()


def test_the_gps_version_alone_is_not_a_location():
    exif = Image.Exif()
    exif.get_ifd(0x8825)[0] = b"\2\3\0\0"
    assert kinds(_picture("JPEG", exif=exif)) == set()


def test_the_orientation_alone_is_not_private():
    exif = Image.Exif()
    exif[0x0112] = 6
    assert kinds(_picture("JPEG", exif=exif)) == set()
    assert Tiff(Window(InMemoryFile(exif.tobytes()[6:])), "EXIF").orientation == 6


XMP = (
    b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>"
    b"<rdf:Description exif:GPSLatitude='48,51.5N' tiff:Model='Canary' dc:creator='x'>"
    b"<dc:description/></rdf:Description></x:xmpmeta>"
)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "GIF"])
def test_xmp_in_every_picture_format(kind):
    if kind == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", XMP.decode(), zip=True)
        data = _picture(kind, pnginfo=info)
    elif kind == "TIFF":
        data = _picture(kind, tiffinfo={700: XMP})
    elif kind == "GIF":
        plain = _picture(kind)
        data = (
            plain[:-1]
            + b"\x21\xff\x0bXMP DataXMP"
            + XMP
            + b"\1"
            + bytes(range(255, -1, -1))
            + b"\0;"
        )
    else:
        data = _picture(kind, xmp=XMP)
    assert {"location", "device", "owner", "comment"} <= kinds(data)


def test_xmp_without_private_properties():
    packet = b"<x:xmpmeta x:xmptk='Adobe XMP Core'><rdf:Description hdrgm:Version='1.0'/>"
    assert xmp_items(packet + b"</x:xmpmeta>") == []
    assert {item.kind for item in xmp_items(XMP.decode().encode("utf-16-le"))} >= {"location"}


def test_png_text_by_keyword():
    info = PngImagePlugin.PngInfo()
    for keyword, text in (
        ("Author", "A. Person"),
        ("Comment", "hello"),
        ("Software", "an encoder"),
        ("Creation Time", "2024"),
    ):
        info.add_text(keyword, text)
    assert kinds(_picture("PNG", pnginfo=info)) == {"owner", "comment", "time"}


def test_imagemagick_raw_profile():
    block = _exif().tobytes()
    text = b"\nexif\n" + str(len(block)).rjust(8).encode() + b"\n" + block.hex().encode() + b"\n"
    chunk = b"Raw profile type exif\0\0" + zlib.compress(text)
    plain = _picture("PNG")
    data = plain[:33] + struct.pack(">I", len(chunk)) + b"zTXt" + chunk + bytes(4) + plain[33:]
    assert {"location", "device"} <= kinds(data)


def test_a_comment_in_a_jpeg():
    plain = _picture("JPEG")
    assert kinds(plain[:2] + b"\xff\xfe\0\x07hello" + plain[2:]) == {"comment"}
    assert kinds(plain[:2] + b"\xff\xfe\0\x04\0\0" + plain[2:]) == set()


def test_iptc_records():
    def record(number, text):
        return b"\x1c\2" + bytes([number]) + struct.pack(">H", len(text)) + text

    assert [
        item.kind
        for item in iptc_items(
            b"Photoshop 3.0\0" + record(0, b"\0\2") + record(80, b"By-line") + record(90, b"City")
        )
    ] == [
        "owner",
        "location",
    ]
    assert iptc_items(b"Photoshop 3.0\0") == []


def test_a_motion_photo_and_samsung_trailer():
    plain = _picture("JPEG")
    assert kinds(plain + movie(track(video_entry()))) == {"location"}
    assert kinds(plain + b"MotionPhoto" + bytes(20) + b"SEFT") == {"device"}


def _moov(*extra):
    return movie(track(video_entry()), extra=b"".join(extra))


def _text(kind, text):
    return box(kind, struct.pack(">HH", len(text), 0x15C7) + text)


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        (box(b"udta", _text(b"\xa9xyz", b"+48.8584+002.2945/")), {"location"}),
        (box(b"udta", _text(b"\xa9xyz", b"")), set()),
        (box(b"udta", full(b"loci", b"\x15\xc7here\0\0" + bytes(12))), {"location"}),
        (box(b"udta", _text(b"\xa9mak", b"Canary")), {"device"}),
        (box(b"udta", _text(b"\xa9swr", b"Lavf61.1.100")), set()),
        (box(b"udta", _text(b"\xa9ART", b"A. Person")), {"owner"}),
        (box(b"udta", box(b"XMP_", XMP)), {"location", "device", "owner", "comment"}),
        (
            box(b"uuid", bytes.fromhex("be7acfcb97a942e89c71999491e3afac"), XMP),
            {"location", "device", "owner", "comment"},
        ),
        (box(b"gps ", bytes(20)), {"location"}),
        (box(b"udta", box(b"name", b"Core Media Video"), box(b"hnti", bytes(8))), set()),
    ],
)
def test_user_data_boxes(extra, expected):
    assert kinds(_moov(extra)) == expected


def _keys(*pairs):
    keys = full(
        b"keys",
        struct.pack(">I", len(pairs)),
        *(struct.pack(">I4s", 8 + len(name), b"mdta") + name for name, _ in pairs),
    )
    items = (
        box(struct.pack(">I", number), box(b"data", struct.pack(">II", 1, 0), value))
        for number, (_, value) in enumerate(pairs, 1)
    )
    handler = full(b"hdlr", bytes(4), b"mdta", bytes(13))
    return handler, keys, box(b"ilst", *items)


@pytest.mark.parametrize("quicktime", [True, False])
def test_keys_in_a_meta_box_of_iso_and_quicktime(quicktime):
    parts = _keys(
        (b"com.apple.quicktime.location.ISO6709", b"+48.8584+002.2945/"),
        (b"com.apple.quicktime.make", b"Apple"),
        (b"encoder", b"Lavf61"),
        (b"com.apple.quicktime.artist", b""),
    )
    meta = box(b"meta", *parts) if quicktime else full(b"meta", *parts)
    assert kinds(_moov(meta)) == {"location", "device"}


def test_itunes_items():
    ilst = box(
        b"ilst",
        *(
            box(kind, box(b"data", struct.pack(">II", 1, 0), b"x"))
            for kind in (b"\xa9nam", b"\xa9ART", b"\xa9too", b"trkn", b"covr", b"apID")
        ),
    )
    handler = full(b"hdlr", bytes(4), b"mdir", bytes(13))
    assert kinds(_moov(box(b"udta", full(b"meta", handler, ilst)))) == {
        "comment",
        "owner",
        "thumbnail",
    }


@pytest.mark.parametrize(
    ("codec", "kind"),
    [
        (b"gpmd", "location"),
        (b"camm", "location"),
        (b"rtmd", "device"),
        (b"tmcd", None),
        (b"rtp ", None),
    ],
)
def test_data_tracks(codec, kind):
    data = movie(track(video_entry()), track(box(codec, bytes(8)), handler=b"meta", number=2))
    assert kinds(data) == ({kind} if kind else set())


def test_timed_metadata():
    def keyed(name):
        return box(
            b"mebx", bytes(6), b"\0\1", box(b"keys", box(b"\0\0\0\1", box(b"keyd", b"mdta", name)))
        )

    location = keyed(b"com.apple.quicktime.location.ISO6709")
    assert kinds(movie(track(location, handler=b"meta"))) == {"location"}
    assert kinds(movie(track(keyed(b"com.apple.quicktime.detected-face"), handler=b"meta"))) == {
        "maker"
    }


def test_the_creation_time_of_a_movie():
    data = _moov()
    at = data.find(b"mvhd") + 8
    assert kinds(data[:at] + b"\xe0\0\0\0" + data[at + 4 :]) == {"time"}


def test_avi_info(make):
    data = make("base.avi").read_bytes()
    at = data.find(b"LIST", data.find(b"hdrl"))

    def info(*pairs):
        body = b"INFO" + b"".join(
            kind + struct.pack("<I", len(text)) + text + b"\0" * (len(text) & 1)
            for kind, text in pairs
        )
        return b"LIST" + struct.pack("<I", len(body)) + body

    at = data.find(b"LIST", data.find(b"movi") - 8)
    found = kinds(
        data[:at]
        + info((b"IART", b"A. Person"), (b"ISFT", b"Lavf"), (b"ICMT", b"hi"), (b"ICRD", b"2024"))
        + data[at:]
    )
    assert found == {"owner", "comment", "time"}


def test_id3_frames():
    def frame(name, text):
        return name + struct.pack(">IH", len(text) + 1, 0) + b"\3" + text

    frames = (
        frame(b"TPE1", b"A. Person")
        + frame(b"TSSE", b"Lavf")
        + frame(b"APIC", b"image")
        + frame(b"TIT2", b"")
    )
    tag = b"ID3\3\0\0" + bytes((0, 0, len(frames) >> 7, len(frames) & 127)) + frames
    assert kinds(tag + b"\xff\xfb\x90\0" + bytes(413)) == {"owner", "thumbnail"}


def test_flv_script_data():
    def text(name, value):
        return struct.pack(">H", len(name)) + name + b"\2" + struct.pack(">H", len(value)) + value

    script = (
        b"\2\0\x0aonMetaData\x08\0\0\0\3"
        + text(b"artist", b"A. Person")
        + text(b"encoder", b"Lavf")
        + struct.pack(">H", 5)
        + b"width\0"
        + bytes(8)
    )
    script += text(b"location", b"+1+2/") + b"\0\0\x09"
    tag = b"\x12" + len(script).to_bytes(3, "big") + bytes(7) + script
    assert kinds(b"FLV\1\5\0\0\0\x09" + bytes(4) + tag + struct.pack(">I", len(tag))) == {
        "owner",
        "location",
    }


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("com.apple.quicktime.location.ISO6709", "location"),
        ("GPSLatitude", "location"),
        ("LOCATION", "location"),
        ("com.android.manufacturer", "device"),
        ("Serial Number", "device"),
        ("ARTIST", "owner"),
        ("com.apple.quicktime.author", "owner"),
        ("TITLE", "comment"),
        ("com.apple.quicktime.creationdate", "time"),
        ("ENCODER", ""),
        ("com.apple.quicktime.encoder", ""),
        ("_STATISTICS_WRITING_APP", ""),
        ("DURATION", ""),
        ("handler_name", ""),
        ("something else", "comment"),
    ],
)
def test_the_kind_of_a_tag_by_its_name(name, kind):
    assert tagnames.kind_of(name) == kind


def test_overlapping_values_are_read_once():
    """XMP entries that all refer to the same 60 kB, and a directory that refers to itself."""
    entries = struct.pack("<HHII", 0x02BC, 7, 60_000, 0) * 2000
    data = b"II*\0\x08\0\0\0" + struct.pack("<H", 2000) + entries + struct.pack("<I", 8)
    data += b" " * 60_000
    counted = Counted(data)
    assert Tiff(Window(counted, 4096), "TIFF").items == []
    assert counted.bytes_read < 20 * len(data)
    assert exif_items(b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 60000) + bytes(20)) == []


def test_inflating_a_text_is_limited():
    chunk = b"Raw profile type exif\0\0" + zlib.compress(bytes(50_000_000))
    plain = _picture("PNG")
    one = struct.pack(">I", len(chunk)) + b"zTXt" + chunk + bytes(4)
    assert kinds(plain[:33] + one * 100 + plain[33:]) == set()


@pytest.mark.parametrize(
    "extra",
    [
        box(b"free", b"left over"),
        box(b"beam", b"hello"),
        box(b"uuid", b"0123456789abcdef", b"x"),
        b"left over",
        box(b"mdat", b"hidden" * 20),
    ],
    ids=["free", "unknown box", "unknown uuid", "after", "media data of no track"],
)
def test_unknown_data_in_a_movie_is_reported(extra):
    whole = movie(track(video_entry()), mdat=b"x" * 40)
    assert kinds(whole) == set()
    assert kinds(whole + extra) <= {"comment", "maker"} != set()
    assert kinds(whole + extra)
    assert kinds(whole + box(b"free", bytes(100)) + box(b"skip") + bytes(50)) == set()


def test_the_name_of_a_muxer_in_a_free_box_is_not_private():
    free = box(b"free", b"IsoMedia File Produced with GPAC 2.4\0")
    assert kinds(movie(track(video_entry()), mdat=b"x" * 40) + free) == set()


def test_unknown_data_in_a_still_is_reported(make):
    jpg, png = make("plain.jpg").read_bytes(), make("plain.png").read_bytes()
    segment = struct.pack(">HH", 0xFFE5, 2 + 5) + b"hello"
    thumbnail = struct.pack(">HH", 0xFFE0, 2 + 8) + b"JFXX\0\x10ab"
    chunk = struct.pack(">I4s", 5, b"prVt") + b"hello" + struct.pack(">I", zlib.crc32(b"prVthello"))
    assert kinds(jpg[:2] + segment + jpg[2:]) == {"maker"}
    assert kinds(jpg[:2] + thumbnail + jpg[2:]) == {"thumbnail"}
    assert kinds(jpg + b"hello") == {"maker"}
    assert kinds(png[:33] + chunk + png[33:]) == {"maker"}
    assert kinds(png + b"hello") == {"maker"}
    assert kinds(jpg + bytes(9)) == kinds(png + bytes(9)) == set()


def test_unknown_data_in_a_webp_or_gif_is_reported(make):
    webp, gif = make("plain.webp").read_bytes(), make("anim.gif").read_bytes()
    longer = (
        webp[:4]
        + struct.pack("<I", len(webp) - 8 + 14)
        + webp[8:]
        + struct.pack("<4sI", b"CNRY", 5)
        + b"hello\0"
    )
    application = b"\x21\xff\x0bCANARY7F1.0\x05hello\0"
    start = 13 + (3 << (gif[10] & 7) + 1 if gif[10] & 0x80 else 0)
    assert kinds(longer) == kinds(webp + b"hello") == kinds(gif + b"hello") == {"maker"}
    assert kinds(gif[:start] + application + gif[start:]) == {"maker"}
