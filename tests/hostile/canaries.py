"""Private metadata of every kind, with a canary in each, and a search for it in the outputs.

Guarantee 14. The search does not use mediaprep: it scans the bytes, and compares the structure of
an output with an allow-list of its own. What is not known to be harmless is a violation.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import struct
import subprocess
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from fixtures.steps import mp4
from mediaprep.model.options import Options
from tests.hostile.guarantees import Measurement
from tests.hostile.oracles import run_prepare
from tests.hostile.seeds import seed

WORD = "Canary7f3a"
PLACE = "+48.8577+002.2950/"
LATITUDE = struct.pack(">i", round(48.8577 * 65536))  # as in 3GPP's loci
_RATIONALS = struct.pack("<6I", 48, 1, 51, 1, 2772, 100)  # as in EXIF: 48 degrees 51' 27.72"
EXIFTOOL = Path(__file__).with_name("exiftool.json")

# -- blocks that several containers can hold ---------------------------------------------------


def _directory(entries: Sequence[tuple[int, int, int, bytes]], at: int) -> bytes:
    """Return a TIFF directory for offset ``at``, followed by its values, little endian."""
    head, tail = struct.pack("<H", len(entries)), b""
    values = at + 2 + 12 * len(entries) + 4
    for tag, kind, count, value in sorted(entries):
        inside = value.ljust(4, b"\0") if len(value) <= 4 else struct.pack("<I", values + len(tail))
        head += struct.pack("<HHI", tag, kind, count) + inside
        tail += b"" if len(value) <= 4 else value + bytes(len(value) & 1)
    return head + bytes(4) + tail


def tiff(orientation: int = 1) -> bytes:
    """Return a TIFF block as in EXIF: make, model, artist, serial number, maker note, GPS."""
    text = WORD.encode() + b"\0"
    gps = [
        (1, 2, 2, b"N\0"),
        (2, 5, 3, _RATIONALS),
        (3, 2, 2, b"E\0"),
        (4, 5, 3, _RATIONALS),
        (0x1B, 7, 8 + len(text), b"ASCII\0\0\0" + text),
    ]
    exif = [
        (0x927C, 7, len(text), text),
        (0x9286, 7, 8 + len(text), b"ASCII\0\0\0" + text),
        (0xA431, 2, len(text), text),
        (0xA430, 2, len(text), text),
    ]
    first = [
        (0x010F, 2, len(text), text),
        (0x0110, 2, len(text), text),
        (0x0112, 3, 1, struct.pack("<HH", orientation, 0)),
        (0x013B, 2, len(text), text),
    ]
    pointers = [(0x8769, 4, 1, bytes(4)), (0x8825, 4, 1, bytes(4))]
    at_exif = 8 + len(_directory([*first, *pointers], 8))
    at_gps = at_exif + len(_directory(exif, at_exif))
    pointers = [
        (0x8769, 4, 1, struct.pack("<I", at_exif)),
        (0x8825, 4, 1, struct.pack("<I", at_gps)),
    ]
    return (
        b"II*\0\x08\0\0\0"
        + _directory([*first, *pointers], 8)
        + _directory(exif, at_exif)
        + _directory(gps, at_gps)
    )


def xmp() -> bytes:
    """Return an XMP packet with a person, a camera and a place."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta '
        'xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" '
        'xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0" '
        f'tiff:Model="{WORD}" exif:GPSLatitude="48,51.462N" '
        f'exif:GPSLongitude="2,17.7E"><dc:creator><rdf:Seq><rdf:li>{WORD}'
        "</rdf:li></rdf:Seq></dc:creator></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket "
        'end="w"?>'
    ).encode()


def iptc() -> bytes:
    """Return a Photoshop resource block with by-line and city."""
    text = WORD.encode()
    records = b"".join(
        b"\x1c\x02" + bytes([number]) + struct.pack(">H", len(text)) + text
        for number in (0x50, 0x5A)
    )
    return (
        b"Photoshop 3.0\0"
        + b"8BIM\x04\x04\0\0"
        + struct.pack(">I", len(records))
        + records
        + bytes(len(records) & 1)
    )


def _jpeg(
    *segments: tuple[int, bytes], tail: bytes = b"", size: tuple[int, int] = (64, 48)
) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(out, "JPEG")
    data = out.getvalue()
    return (
        data[:2]
        + b"".join(
            bytes((0xFF, marker)) + struct.pack(">H", 2 + len(body)) + body
            for marker, body in segments
        )
        + data[2:]
        + tail
    )


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _png(*chunks: tuple[bytes, bytes], tail: bytes = b"") -> bytes:
    data = seed("plain.png").data
    return data[:33] + b"".join(_png_chunk(*item) for item in chunks) + data[33:] + tail


def _webp(*chunks: tuple[bytes, bytes]) -> bytes:
    data = seed("alpha.webp").data
    body = data[12:]
    if body[:4] != b"VP8X":
        from PIL import Image

        width, height = Image.open(io.BytesIO(data)).size
        body = (
            b"VP8X"
            + struct.pack("<II", 10, 0x1C)
            + (width - 1).to_bytes(3, "little")
            + (height - 1).to_bytes(3, "little")
            + body
        )
    body += b"".join(
        kind + struct.pack("<I", len(text)) + text + bytes(len(text) & 1) for kind, text in chunks
    )
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def _gif(*blocks: bytes, tail: bytes = b"") -> bytes:
    data = seed("_small.gif").data
    start = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
    return data[:start] + b"".join(blocks) + data[start:] + tail


def _sub_blocks(body: bytes) -> bytes:
    return (
        b"".join(
            bytes([len(body[i : i + 255])]) + body[i : i + 255] for i in range(0, len(body), 255)
        )
        + b"\0"
    )


# -- containers --------------------------------------------------------------------------------


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def _in(data: bytes, path: str, box: bytes) -> bytes:
    """Append a box to the one at the path."""
    parents, names = [], path.split("/")
    for count in range(1, len(names) + 1):
        parents.append(mp4.find(data, "/".join(names[:count]))[0])
    at = parents[-1] + mp4.find(data, path)[2]
    return mp4.insert_bytes(data, at, box, parents)


def _mp4(path: str, *boxes: bytes) -> bytes:
    data = seed("_small_444.mp4" if path.startswith("444:") else "_small_plain.mp4").data
    path = path.removeprefix("444:")
    for box in boxes:
        data = _in(data, path, box) if path else data + box
    return data


def _item_list(*items: tuple[bytes, bytes, int]) -> bytes:
    """Return iTunes' ``meta`` with ``ilst``; items are (name, value, type)."""
    hdlr = _box(b"hdlr", bytes(8), b"mdirappl", bytes(9))
    entries = [
        _box(name, _box(b"data", struct.pack(">II", kind, 0), value)) for name, value, kind in items
    ]
    return _box(b"meta", bytes(4), hdlr, _box(b"ilst", *entries))


def _keys(*items: tuple[str, str]) -> bytes:
    """Return QuickTime's ``meta`` with ``keys``."""
    hdlr = _box(b"hdlr", bytes(8), b"mdta", bytes(13))
    names = _box(
        b"keys",
        bytes(4),
        struct.pack(">I", len(items)),
        *(_box(b"mdta", name.encode()) for name, _ in items),
    )
    values = [
        _box(struct.pack(">I", n), _box(b"data", struct.pack(">II", 1, 0), text.encode()))
        for n, (_, text) in enumerate(items, 1)
    ]
    return _box(b"meta", hdlr, names, _box(b"ilst", *values))


def _text_atom(kind: bytes, text: str) -> bytes:
    return _box(kind, struct.pack(">HH", len(text), 0x15C7), text.encode())


def _3gpp_text(kind: bytes, text: str) -> bytes:
    return _box(kind, bytes(4), struct.pack(">H", 0x15C7), text.encode() + b"\0")


def _loci() -> bytes:
    return _box(
        b"loci",
        bytes(4),
        struct.pack(">H", 0x15C7),
        WORD.encode() + b"\0\0",
        struct.pack(">i", round(2.295 * 65536)),
        LATITUDE,
        bytes(4),
        b"earth\0\0",
    )


def _track(
    handler: bytes, entry: bytes, name: str, base: str = "_small_plain.mp4"
) -> Callable[[], bytes]:
    """Return a maker of a file with a data track whose samples contain the canary."""

    def make() -> bytes:
        sample = f"{WORD} {PLACE}".encode()
        data = seed(base).data + _box(b"mdat", sample)
        at = len(data) - len(sample)
        tables = (
            _box(b"stsd", bytes(4), struct.pack(">I", 1), _box(entry, bytes(6), b"\0\1")),
            _box(b"stts", bytes(4), struct.pack(">III", 1, 1, 1000)),
            _box(b"stsc", bytes(4), struct.pack(">IIII", 1, 1, 1, 1)),
            _box(b"stsz", bytes(4), struct.pack(">II", len(sample), 1)),
            _box(b"stco", bytes(4), struct.pack(">II", 1, at)),
        )
        minf = _box(b"minf", _box(b"gmhd", _box(b"gmin", bytes(16))), _box(b"stbl", *tables))
        mdhd = _box(b"mdhd", bytes(12), struct.pack(">II", 1000, 1000), b"\x55\xc4\0\0")
        hdlr = _box(
            b"hdlr", bytes(4), b"mhlr", handler, bytes(12), bytes([len(name)]), name.encode()
        )
        tkhd = _box(
            b"tkhd",
            b"\0\0\0\1",
            struct.pack(">5I", 0, 0, 9, 0, 1000),
            bytes(16),
            struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30),
            bytes(8),
        )
        return _in(data, "moov", _box(b"trak", tkhd, _box(b"mdia", mdhd, hdlr, minf)))

    return make


def _by_ffmpeg(
    target: str, *words: str, source: str = "_small_plain.mp4", attach: bytes = b""
) -> Callable[[], bytes]:
    """Return a maker of a file that ffmpeg writes with these options."""

    def make() -> bytes:
        from imageio_ffmpeg import get_ffmpeg_exe

        with tempfile.TemporaryDirectory() as folder:
            source_path, out = Path(folder, f"in{Path(source).suffix}"), Path(folder, target)
            source_path.write_bytes(seed(source).data)
            Path(folder, "cover.jpg").write_bytes(attach)
            argv = [
                get_ffmpeg_exe(),
                "-v",
                "error",
                "-i",
                str(source_path),
                *(word.replace("COVER", f"{folder}/cover.jpg") for word in words),
                str(out),
            ]
            subprocess.run(argv, check=True, capture_output=True)
            return out.read_bytes()

    return make


_TAGS = tuple(
    word
    for key in (
        "title",
        "artist",
        "comment",
        "copyright",
        "make",
        "model",
        "location",
        "encoded_by",
    )
    for word in ("-metadata", f"{key}={WORD}")
)
_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_JPEG = _jpeg((0xE1, b"Exif\0\0" + tiff()))


def canaries() -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Yield file names and how to make the files."""
    exif, text = b"Exif\0\0" + tiff(), WORD.encode()
    yield from {
        # QuickTime, 3GPP and iTunes atoms; boxes of camera makers; XMP; unused space
        "xyz.mp4": lambda: _mp4(
            "moov",
            _box(
                b"udta",
                _text_atom(b"\xa9xyz", PLACE),
                _text_atom(b"\xa9mak", WORD),
                _text_atom(b"\xa9nam", WORD),
            ),
        ),
        "xyz444.mp4": lambda: _mp4(
            "444:moov", _box(b"udta", _text_atom(b"\xa9xyz", PLACE), _text_atom(b"\xa9mod", WORD))
        ),
        "loci.mp4": lambda: _mp4(
            "moov",
            _box(b"udta", _loci(), _3gpp_text(b"auth", WORD), _3gpp_text(b"dscp", WORD)),
        ),
        "keys.mov": lambda: _mp4(
            "moov",
            _keys(
                ("com.apple.quicktime.location.ISO6709", PLACE), ("com.apple.quicktime.model", WORD)
            ),
        ),
        "ilst.mp4": lambda: _mp4(
            "moov",
            _box(
                b"udta",
                _item_list((b"\xa9ART", text, 1), (b"\xa9cmt", text, 1), (b"covr", _JPEG, 13)),
            ),
        ),
        "uuid_xmp.mp4": lambda: _mp4("", _box(b"uuid", _XMP_UUID, xmp())),
        "xmp_atom.mov": lambda: _mp4("moov", _box(b"udta", _box(b"XMP_", xmp()))),
        "makers.mp4": lambda: _mp4(
            "moov",
            _box(
                b"udta",
                _box(b"GPMF", text),
                _box(b"CAME", text),
                _box(b"CNTH", _JPEG),
                _box(b"manu", text),
                _box(b"AMBA", text),
            ),
        ),
        "track_udta.mp4": lambda: _mp4(
            "moov/trak", _box(b"udta", _box(b"name", text), _text_atom(b"\xa9xyz", PLACE))
        ),
        "track_meta.mp4": lambda: _mp4(
            "moov/trak", _keys(("com.apple.quicktime.camera.lens_model", WORD))
        ),
        "free.mp4": lambda: _mp4("", _box(b"free", text, PLACE.encode()), _box(b"skip", text)),
        "free_in_moov.mp4": lambda: _mp4("moov", _box(b"free", text)),
        "unknown.mp4": lambda: _mp4("", _box(b"gps ", text, PLACE.encode()), _box(b"beam", text)),
        "appended.mp4": lambda: _mp4("") + text + PLACE.encode(),
        "second_mdat.mp4": lambda: _mp4("", _box(b"mdat", text, _JPEG)),
        "meta_item.mp4": lambda: _mp4(
            "",
            _box(
                b"meta",
                bytes(4),
                _box(b"hdlr", bytes(8), b"null", bytes(13)),
                _box(b"xml ", bytes(4), xmp()),
            ),
        ),
        # data tracks
        "gpmd.mp4": _track(b"meta", b"gpmd", f"{WORD} GoPro MET"),
        "mebx.mov": _track(b"meta", b"mebx", "Core Media Metadata"),
        "camm.mp4": _track(b"meta", b"camm", f"{WORD} camm"),
        "tmcd.mov": _track(b"tmcd", b"tmcd", WORD, "_small_444.mp4"),
        "text.mp4": _track(b"text", b"text", "captions", "_small_444.mp4"),
        # other containers: tags, attachments, chapters
        "tags.mp4": _by_ffmpeg(
            "x.mp4",
            "-c",
            "copy",
            *_TAGS,
            "-metadata:s:v",
            f"handler_name={WORD}",
            "-metadata:s:a",
            f"title={WORD}",
        ),
        "tags.mov": _by_ffmpeg("x.mov", "-c", "copy", "-movflags", "use_metadata_tags", *_TAGS),
        "tags.mkv": _by_ffmpeg(
            "x.mkv",
            "-c",
            "copy",
            *_TAGS,
            "-metadata:s:v",
            f"title={WORD}",
            "-metadata:s:a",
            f"artist={WORD}",
        ),
        "cover.mkv": _by_ffmpeg(
            "x.mkv",
            "-c",
            "copy",
            "-attach",
            "COVER",
            "-metadata:s:t",
            "mimetype=image/jpeg",
            "-metadata:s:t",
            f"filename={WORD}.jpg",
            attach=_JPEG,
        ),
        "tags.webm": _by_ffmpeg("x.webm", "-c", "copy", *_TAGS, source="_small.webm"),
        "service.ts": _by_ffmpeg(
            "x.ts",
            "-c",
            "copy",
            "-metadata",
            f"service_name={WORD}",
            "-metadata",
            f"service_provider={WORD}",
        ),
        "tags.avi": _by_ffmpeg("x.avi", "-c", "copy", *_TAGS, source="_small.avi"),
        "tags.flv": _by_ffmpeg("x.flv", "-c", "copy", *_TAGS),
        "tags.wmv": _by_ffmpeg("x.wmv", "-c", "copy", *_TAGS, source="_small.wmv"),
        "tags.ogv": _by_ffmpeg("x.ogv", "-c", "copy", *_TAGS, source="_small.ogv"),
        # stills
        "exif.jpg": lambda: _jpeg((0xE1, exif)),
        "exif_turned.jpg": lambda: _jpeg((0xE1, b"Exif\0\0" + tiff(6))),
        "xmp.jpg": lambda: _jpeg((0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp())),
        "extended_xmp.jpg": lambda: _jpeg(
            (
                0xE1,
                b"http://ns.adobe.com/xmp/extension/\0"
                + b"0" * 32
                + struct.pack(">II", 200, 0)
                + xmp(),
            )
        ),
        "iptc.jpg": lambda: _jpeg((0xED, iptc())),
        "comment.jpg": lambda: _jpeg((0xFE, text)),
        "jfxx.jpg": lambda: _jpeg((0xE0, b"JFXX\0\x10" + _JPEG[:60000])),
        "makers.jpg": lambda: _jpeg(
            *(
                (marker, text + b"\0" + text)
                for marker in (0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xEA, 0xEB, 0xEC, 0xEF)
            )
        ),
        "flashpix.jpg": lambda: _jpeg((0xE2, b"FPXR\0" + text)),
        "motion.jpg": lambda: _jpeg(
            tail=_box(b"ftyp", b"mp42", bytes(4))
            + _box(b"moov", _text_atom(b"\xa9xyz", PLACE))
            + text
        ),
        "samsung.jpg": lambda: _jpeg(tail=text + b"SEFH" + bytes(8) + text + b"SEFT"),
        "gain_map.jpg": lambda: _jpeg(
            (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp()),
            tail=_jpeg((0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp()), (0xE1, exif)),
        ),
        "texts.png": lambda: _png(
            (b"tEXt", b"Author\0" + text),
            (b"zTXt", b"Comment\0\0" + zlib.compress(text)),
            (b"iTXt", b"Title\0\0\0\0\0" + text),
        ),
        "exif.png": lambda: _png((b"eXIf", tiff())),
        "xmp.png": lambda: _png((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp())),
        "raw.png": lambda: _png(
            (
                b"zTXt",
                b"Raw profile type exif\0\0"
                + zlib.compress(b"\nexif\n%8d\n" % len(exif) + exif.hex().encode() + b"\n"),
            )
        ),
        "unknown.png": lambda: _png(
            (b"caBX", text), (b"prVt", text), (b"tIME", b"\x07\xea\1\1\1\1\1")
        ),
        "appended.png": lambda: _png(tail=text),
        "exif.webp": lambda: _webp((b"EXIF", exif), (b"XMP ", xmp())),
        "unknown.webp": lambda: _webp((b"CNRY", text), (b"META", text)),
        "exif.tiff": lambda: _tiff_picture(),
        # animations
        "comment.gif": lambda: _gif(
            b"\x21\xfe" + _sub_blocks(text),
            b"\x21\xff\x0bXMP DataXMP" + xmp() + b"\x01" + bytes(range(255, -1, -1)) + b"\0",
        ),
        "application.gif": lambda: _gif(b"\x21\xff\x0bCANARY7F1.0" + _sub_blocks(text), tail=text),
        "many.gif": lambda: seed("f351.gif").data[:-1] + b"\x21\xfe" + _sub_blocks(text) + b"\x3b",
        "texts.apng": lambda: _after(
            seed("anim.apng").data,
            33,
            _png_chunk(b"tEXt", b"Author\0" + text) + _png_chunk(b"eXIf", tiff()),
        ),
        # captions
        "script.ass": lambda: seed("good.ass").data.replace(
            b"[Script Info]", b"[Script Info]\nOriginal Script: " + text + b"\n; " + text, 1
        ),
        "note.vtt": lambda: seed("good.vtt").data.replace(
            b"WEBVTT", b"WEBVTT\n\nNOTE " + text + b"\n\nSTYLE\n::cue { content: " + text + b" }", 1
        ),
    }.items()


def _after(data: bytes, at: int, more: bytes) -> bytes:
    return data[:at] + more + data[at:]


def _tiff_picture() -> bytes:
    from PIL import Image, TiffImagePlugin

    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[0x010E] = info[0x013B] = info[0x0110] = WORD
    info[700] = xmp()
    info.tagtype[700] = 1
    out = io.BytesIO()
    Image.linear_gradient("L").save(out, "TIFF", tiffinfo=info)
    return out.getvalue()


# -- search ------------------------------------------------------------------------------------

_DEFAULT_OPTIONS = Options()
OPTIONS_BY_SUFFIX = {".gif": Options(to="auto"), ".ass": Options(), ".vtt": Options()}
_BOXES = frozenset(
    b"ftyp moov mvhd trak tkhd edts elst mdia mdhd hdlr minf vmhd smhd dinf dref stbl stsd stts "
    b"stss ctts stsc stsz stco co64 sgpd sbgp mdat free url  avc1 mp4a avcC esds colr pasp btrt "
    b"chrm sdtp tref udta meta ilst \xa9too data".split()
)
_INSIDE = frozenset(b"moov trak edts mdia minf dinf stbl udta ilst \xa9too".split())
_PNG = frozenset(
    b"IHDR PLTE IDAT IEND cHRM gAMA iCCP sBIT sRGB cICP mDCV cLLI bKGD hIST tRNS pHYs sPLT".split()
)
_HANDLERS = frozenset((b"VideoHandler", b"SoundHandler", b""))


def search_bytes(data: bytes) -> list[str]:
    """Return the canaries found in the bytes, in the encodings that containers use."""
    found = []
    for what, needle in {
        "the word": WORD.encode(),
        "the word in UTF-16": WORD.encode("utf-16-le"),
        "the word in UTF-16 big endian": WORD.encode("utf-16-be"),
        "the word in hexadecimal": WORD.encode().hex().encode(),
        "the place": PLACE[:8].encode(),
        "the place in XMP": b"48,51.462N",
        "the latitude of loci": LATITUDE,
        "the latitude of EXIF": _RATIONALS,
        "an XMP packet": b"adobe:ns:meta",
        "GPS tags": b"GPSLatitude",
    }.items():
        if needle in data:
            found.append(what)
    found += (
        ["the word, deflated"] if any(WORD.encode() in text for text in _inflated(data)) else []
    )
    return found


def _inflated(data: bytes) -> Iterator[bytes]:
    for match in re.finditer(rb"\x78[\x01\x5e\x9c\xda]", data):
        try:
            yield zlib.decompressobj().decompress(data[match.start() :], 2**16)
        except zlib.error:
            continue


def search_structure(data: bytes) -> list[str]:
    """Return parts of an output that are not on the allow-list."""
    if data.startswith(b"\xff\xd8"):
        return list(_unknown_jpeg(data))
    if data.startswith(b"\x89PNG"):
        return [f"chunk {kind!r}" for kind, _ in _png_chunks(data) if kind not in _PNG]
    if data.startswith(b"RIFF"):
        return list(_unknown_webp(data))
    if data.startswith(b"GIF8"):
        return list(_unknown_gif(data))
    if data[4:8] == b"ftyp":
        return list(_unknown_boxes(data, 0, len(data)))
    return [] if data[:1].isdigit() else [f"a file that begins with {data[:8]!r}"]


def _unknown_boxes(data: bytes, start: int, end: int) -> Iterator[str]:
    at = start
    while at + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, at)
        if size < 8 or at + size > end:
            yield f"box {kind!r} of {size} bytes at {at}"
            return
        body = data[at + 8 : at + size]
        if kind not in _BOXES:
            yield f"box {kind!r}"
        elif kind == b"free" and body.strip(b"\0"):
            yield f"free box that holds {body[:20]!r}"
        elif (
            kind == b"hdlr"
            and body[8:12] in (b"vide", b"soun")
            and body[24:].strip(b"\0") not in _HANDLERS
        ):
            yield f"handler name {body[24:60]!r}"
        elif kind == b"hdlr" and body[8:12] not in (b"vide", b"soun", b"mdir", b"url "):
            yield f"handler {body[8:12]!r}"
        elif kind == b"data" and not body[8:].startswith(b"Lavf"):
            yield f"item {body[8:40]!r}"
        elif kind in (b"mvhd", b"tkhd", b"mdhd") and any(body[4:12]):
            yield f"a time in {kind!r}"
        if kind in _INSIDE or kind == b"meta":
            yield from _unknown_boxes(data, at + (12 if kind == b"meta" else 8), at + size)
        at += size
    if at != end:
        yield f"{end - at} bytes after the last box"


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at + 12 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        yield kind, data[at + 8 : at + 8 + size]
        at += 12 + size
        if kind == b"IEND" and at != len(data):
            yield b"tail", data[at:]
            return


def _unknown_jpeg(data: bytes) -> Iterator[str]:
    at = 2
    while at + 4 <= len(data):
        marker, size = data[at + 1], struct.unpack_from(">H", data, at + 2)[0]
        body = data[at + 4 : at + 2 + size]
        if marker == 0xDA:
            end = data.find(b"\xff\xd9", at)
            if data[end + 2 :]:
                yield f"{len(data) - end - 2} bytes after the picture"
            return
        if marker == 0xE1 and (not body.startswith(b"Exif\0\0") or len(body) > 40):
            yield f"APP1 of {len(body)} bytes"
        elif marker == 0xE2 and not body.startswith(b"ICC_PROFILE\0"):
            yield f"APP2 {body[:12]!r}"
        elif marker == 0xE0 and not (body.startswith(b"JFIF\0") and len(body) == 14):
            yield f"APP0 of {len(body)} bytes"
        elif (
            marker == 0xFE
            or (0xE3 <= marker <= 0xEF and marker != 0xEE)
            or (marker == 0xEE and not body.startswith(b"Adobe"))
        ):
            yield f"segment 0x{marker:02x}"
        at += 2 + size


def _unknown_webp(data: bytes) -> Iterator[str]:
    at, end = 12, 8 + struct.unpack_from("<I", data, 4)[0]
    while at + 8 <= end:
        kind, size = struct.unpack_from("<4sI", data, at)
        if kind not in (b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ICCP", b"EXIF") or (
            kind == b"EXIF" and size > 40
        ):
            yield f"chunk {kind!r} of {size} bytes"
        at += 8 + size + (size & 1)
    if len(data) != end:
        yield f"{len(data) - end} bytes after the end"


def _unknown_gif(data: bytes) -> Iterator[str]:
    at = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
    while data[at] != 0x3B:
        if data[at] == 0x21:
            label, name = data[at + 1], data[at + 3 : at + 14]
            if label != 0xF9 and not (label == 0xFF and name in (b"NETSCAPE2.0", b"ANIMEXTS1.0")):
                yield f"extension 0x{label:02x} {name!r}"
            at += 2
        else:
            at += 11 + (3 << (data[at + 9] & 7) + 1 if data[at + 9] & 0x80 else 0)
        while data[at]:
            at += 1 + data[at]
        at += 1
    if data[at + 1 :]:
        yield f"{len(data) - at - 1} bytes after the end"


def by_exiftool(path: Path) -> list[str] | None:
    """Return tags in which exiftool finds a canary; None if it is not installed."""
    program = shutil.which("exiftool")
    if program is None:
        return None
    output = subprocess.run(
        [program, "-j", "-a", "-u", "-G1", "-ee3", "-api", "LargeFileSupport=1", str(path)],
        capture_output=True,
        text=True,
    )
    tags = json.loads(output.stdout or "[{}]")[0]
    words = re.compile(rf"{WORD}|48.{{1,5}}51.{{1,3}}27|48\.857|48,51", re.IGNORECASE)
    return sorted(
        name
        for name, value in tags.items()
        if words.search(str(value)) and not name.startswith(("System:", "SourceFile", "ExifTool:"))
    )


def left_in_outputs(work: Path, only: Sequence[str] = ()) -> list[Measurement]:
    """Fix each file and search its output. A file without an output is a violation, too."""
    work.mkdir(parents=True, exist_ok=True)
    violations, outputs, examined = [], 0, 0
    committed = json.loads(EXIFTOOL.read_text()) if EXIFTOOL.is_file() else {}
    for name, make in canaries():
        if only and name not in only:
            continue
        path, out = work / name, work / f"{name}.out"
        path.write_bytes(make())
        out.mkdir()
        outcome = run_prepare(
            path, out, options=OPTIONS_BY_SUFFIX.get(path.suffix, _DEFAULT_OPTIONS)
        )
        if outcome.status != "fixed":
            violations.append(f"{name}: {outcome.status} {outcome.text[:300]}")
        for output in map(Path, outcome.outputs):
            outputs += 1
            data = output.read_bytes()
            violations += [f"{name}: {what} is left" for what in search_bytes(data)]
            violations += [f"{name}: {what}" for what in search_structure(data)]
            if (tags := by_exiftool(output)) is not None:
                examined += 1
                violations += [f"{name}: exiftool finds {tag}" for tag in tags]
        if name not in committed:
            violations.append(f"{name}: not in exiftool.json (python -m tests.hostile --exiftool)")
    words = f"{len(violations)} canaries left in {outputs} outputs, by bytes and structure" + (
        f"; {examined} by exiftool" if examined else ""
    )
    return [Measurement(guarantee=14, measured=words, violations=tuple(violations))]


def record_exiftool(work: Path) -> dict[str, list[str]]:
    """Write down where exiftool finds the canaries of each input: proof that they are there."""
    work.mkdir(parents=True, exist_ok=True)
    output = {}
    for name, make in canaries():
        path = work / name
        path.write_bytes(make())
        output[name] = by_exiftool(path) or []
    EXIFTOOL.write_text(json.dumps(output, indent=1) + "\n")
    return output
