"""What a file is, by its bytes and structure, never by its name; and which demuxer may read it.

This comes before any native parser: playlists and manifests under a media name make some of them open other files. What is not
known here is refused, and each format is read by the one demuxer that is named for it, none of which opens anything else. What only some
formats need is imported when one of them is met.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

from mediaprep.errors import SourceUnreadable
from mediaprep.model.media import Kind
from mediaprep.probing.formats import isobmff, streams, textual
from mediaprep.probing.formats.boxes import fourcc
from mediaprep.probing.formats.exif import Tiff, is_camera_raw
from mediaprep.probing.formats.window import Readable, Window
from mediaprep.probing.identify.sniffed import Sniffed

__all__ = ["WANTED", "Sniffed", "refusal", "sniff"]

WANTED = "want a video, an animation, a picture or subtitles"
_HEAD = 2**16


def sniff(source: Readable) -> Sniffed:
    """Tell the format. Raises: SourceUnreadable with what was found, what is wanted and the remedy, for everything that is not known."""
    window = Window(source, _HEAD)
    head = window.at(0, min(_HEAD, window.size))
    try:
        for magic, make in _MAGIC:
            if head.startswith(magic):
                found = make(source, window, head)
                if found is not None:
                    return found
        return _by_structure(source, window, head)
    except struct.error as problem:
        raise SourceUnreadable(
            f"a {fourcc(head[:4])!r} file whose header is cut short: copy it again",
            rule="file-complete",
        ) from problem


def _by_structure(source: Readable, window: Window, head: bytes) -> Sniffed:
    found = _iso(source, head)
    if found is None:
        stream = streams.recognise(window, head)
        found = (
            None
            if stream is None
            else Sniffed(kind_hint=stream.kind, format=stream.format, demuxer=stream.demuxer)
        )
    if found is None:
        captions = textual.recognise(head)
        found = (
            None
            if captions is None
            else Sniffed(kind_hint="subtitle", format=captions, demuxer=None)
        )
    if found is None:
        raise refusal(head, window.size)
    return found


def refusal(head: bytes, size: int) -> SourceUnreadable:
    """Why a file with this beginning is not read."""
    if not any(head):
        return SourceUnreadable(
            f"only zero bytes at its beginning ({size} bytes): the copy was not finished; copy it again",
            rule="file-complete",
        )
    for pattern, what in _REFUSED:
        if re.match(pattern, head, re.DOTALL):
            return SourceUnreadable(f"{what}; {WANTED}: give the media file itself")
    if text := textual.name_of(head):
        return SourceUnreadable(f"{text}; {WANTED}: give the media file itself")
    if size < 16:
        return SourceUnreadable(
            f"{size} bytes, too few for any media file: copy it again", rule="file-complete"
        )
    return SourceUnreadable(
        f"no known format (begins with 0x{head[:8].hex()}); {WANTED}: export it as MP4, GIF, JPEG, PNG or SRT"
    )


_Maker = Callable[[Readable, Window, bytes], Sniffed | None]
_REFUSED = (
    (rb"%PDF", "a PDF document"),
    (
        rb"PK\x03\x04|PK\x05\x06|Rar!|7z\xbc\xaf\x27\x1c|\x1f\x8b|BZh\d|\xfd7zXZ|\x28\xb5\x2f\xfd|.{257}ustar",
        "an archive",
    ),
    (rb"MZ|\x7fELF|\xfe\xed\xfa[\xce\xcf]|[\xce\xcf]\xfa\xed\xfe|\xca\xfe\xba\xbe|#!", "a program"),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document"),
    (rb"SQLite format 3", "a database"),
    (rb"[FCZ]WS[\x01-\x40]", "a Flash program (SWF)"),
    (rb"FUJIFILMCCD-RAW|II\x2a\x00.{4}CR\x02|IIR[OS]|IIU\x00|MMOR", "a camera raw picture"),
    (rb"%!PS|\xc5\xd0\xd3\xc6", "a PostScript document"),
    (rb"\{\\rtf", "an RTF document"),
    (rb"MThd", "a MIDI score"),
)


def _is(kind: Kind, name: str, demuxer: str | None) -> _Maker:
    """The maker of formats that their magic number alone tells."""
    return lambda source, window, head: Sniffed(kind_hint=kind, format=name, demuxer=demuxer)


def _gif(source: Readable, window: Window, head: bytes) -> Sniffed:
    from mediaprep.probing.formats import gif

    facts = gif.walk(source, max_frames=2)
    still = facts.frame_count < 2
    return Sniffed(
        kind_hint="image" if still else "animation",
        format="gif",
        demuxer="gif",
        width=facts.width,
        height=facts.height,
        frames=1 if still else None,
    )


def _png(source: Readable, window: Window, head: bytes) -> Sniffed:
    from mediaprep.probing.formats import png

    facts = png.walk(source)
    return Sniffed(
        kind_hint="animation" if facts.animated else "image",
        format="apng" if facts.animated else "png",
        demuxer="apng" if facts.animated else "png_pipe",
        width=facts.width,
        height=facts.height,
        frames=facts.frame_count if facts.animated else 1,
    )


def _jpeg(source: Readable, window: Window, head: bytes) -> Sniffed:
    from mediaprep.probing.formats import jpeg

    facts = jpeg.walk(source, head_only=True)
    return Sniffed(
        kind_hint="image",
        format="jpeg",
        demuxer="jpeg_pipe",
        width=facts.width,
        height=facts.height,
        frames=1,
    )


def _riff(source: Readable, window: Window, head: bytes) -> Sniffed | None:
    form, stated = head[8:12], struct.unpack_from("<I", head, 4)[0] + 8
    if form == b"WEBP":
        from mediaprep.probing.formats import riff

        facts = riff.walk_webp(source)
        return Sniffed(
            kind_hint="animation" if facts.animated else "image",
            format="webp",
            demuxer="webp_pipe",
            width=facts.width,
            height=facts.height,
            frames=facts.frame_count if facts.animated else 1,
            declared_bytes=stated,
        )
    if form[:3] == b"AVI" or form == b"AMV ":
        return Sniffed(kind_hint="video", format="avi", demuxer="avi", declared_bytes=stated)
    if form == b"WAVE":
        return Sniffed(kind_hint="sound", format="wav", demuxer="wav", declared_bytes=stated)
    if form == b"CDXA":
        return Sniffed(kind_hint="video", format="mpegps", demuxer="mpeg", declared_bytes=stated)
    return None


def _bmp(source: Readable, window: Window, head: bytes) -> Sniffed | None:
    size, _, _, header = struct.unpack_from("<IIII", head, 2)
    if header not in (12, 16, 40, 52, 56, 64, 108, 124):
        return None
    width, height = struct.unpack_from("<HH" if header == 12 else "<ii", head, 18)
    return Sniffed(
        kind_hint="image",
        format="bmp",
        demuxer="bmp_pipe",
        width=abs(width),
        height=abs(height),
        frames=1,
        declared_bytes=size or None,
    )


def _tiff(source: Readable, window: Window, head: bytes) -> Sniffed | None:
    if re.match(_REFUSED[6][0], head, re.DOTALL):
        return None
    tiff = Tiff(Window(source, 4096), "TIFF")
    if not tiff.first and not tiff.tags:
        raise SourceUnreadable(
            "a TIFF whose first directory is not there: copy it again", rule="file-complete"
        )
    if is_camera_raw(tiff):
        raise SourceUnreadable(f"a camera raw picture (DNG); {WANTED}: export it as JPEG")
    return Sniffed(
        kind_hint="image",
        format="tiff",
        demuxer="tiff_pipe",
        width=tiff.first.get(0x100),
        height=tiff.first.get(0x101),
    )


def _psd(source: Readable, window: Window, head: bytes) -> Sniffed:
    height, width = struct.unpack_from(">II", head, 14)
    return Sniffed(
        kind_hint="image", format="psd", demuxer="psd_pipe", width=width, height=height, frames=1
    )


def _pnm(source: Readable, window: Window, head: bytes) -> Sniffed | None:
    demuxer = {
        b"1": "pbm",
        b"4": "pbm",
        b"2": "pgm",
        b"5": "pgm",
        b"3": "ppm",
        b"6": "ppm",
        b"7": "pam",
    }.get(head[1:2])
    sizes = re.match(rb"P[1-6]\s(?:#[^\n]*\n|\s)*(\d{1,9})\s+(\d{1,9})\s", head[:4096])
    if demuxer is None or (sizes is None and not head.startswith(b"P7\n")):
        return None
    width, height = (int(sizes[1]), int(sizes[2])) if sizes else (None, None)
    return Sniffed(
        kind_hint="image",
        format="pnm",
        demuxer=f"{demuxer}_pipe",
        width=width,
        height=height,
        frames=1,
    )


def _pcx(source: Readable, window: Window, head: bytes) -> Sniffed | None:
    if (
        len(head) < 128
        or head[1] not in (0, 2, 3, 4, 5)
        or head[2] != 1
        or head[3] not in (1, 2, 4, 8)
        or head[64]
    ):
        return None
    left, top, right, bottom = struct.unpack_from("<HHHH", head, 4)
    return Sniffed(
        kind_hint="image",
        format="pcx",
        demuxer="pcx_pipe",
        width=right - left + 1,
        height=bottom - top + 1,
        frames=1,
    )


def _sgi(source: Readable, window: Window, head: bytes) -> Sniffed | None:
    storage, depth, dimensions, width, height = struct.unpack_from(">BBHHH", head, 2)
    if storage > 1 or depth not in (1, 2) or dimensions not in (1, 2, 3):
        return None
    return Sniffed(
        kind_hint="image", format="sgi", demuxer="sgi_pipe", width=width, height=height, frames=1
    )


def _ico(source: Readable, window: Window, head: bytes) -> Sniffed | None:
    count = struct.unpack_from("<H", head, 4)[0]
    if not 0 < count < 256 or len(head) < 22 or head[9] != 0:
        return None
    sizes = [
        (entry[0] or 256, entry[1] or 256)
        for entry in struct.iter_unpack(
            "<BB14x", head[6 : 6 + 16 * min(count, (len(head) - 6) // 16)]
        )
    ]
    width, height = max(sizes)
    return Sniffed(
        kind_hint="image", format="ico", demuxer="ico", width=width, height=height, frames=count
    )


def _matroska(source: Readable, window: Window, head: bytes) -> Sniffed:
    doctype = re.search(rb"\x42\x82[\x80-\xff]([a-z0-9]+)", head[:4096])
    name = doctype[1] if doctype else b""
    if name not in (b"webm", b"matroska"):
        raise SourceUnreadable(
            f"an EBML file that is no Matroska ({name.decode('latin-1')!r}); {WANTED}: export it as MP4"
        )
    return Sniffed(kind_hint="video", format=name.decode("ascii"), demuxer="matroska")


def _ogg(source: Readable, window: Window, head: bytes) -> Sniffed:
    moving = re.search(rb"\x80theora|\x01video\0|BBCD\0|OVP80", head[:8192])
    return Sniffed(kind_hint="video" if moving else "sound", format="ogg", demuxer="ogg")


def _jpeg2000(source: Readable, window: Window, head: bytes) -> Sniffed:
    if head[16:24] == b"ftypmjp2":
        return Sniffed(kind_hint="video", format="mov", demuxer="mov")
    header = head.find(b"ihdr")
    height, width = struct.unpack_from(">II", head, header + 4) if header > 0 else (None, None)
    return Sniffed(
        kind_hint="image",
        format="jpeg2000",
        demuxer="j2k_pipe",
        width=width,
        height=height,
        frames=1,
    )


def _codestream(source: Readable, window: Window, head: bytes) -> Sniffed:
    width, height, left, top = struct.unpack_from(">IIII", head, 8)
    return Sniffed(
        kind_hint="image",
        format="jpeg2000",
        demuxer="j2k_pipe",
        width=width - left,
        height=height - top,
        frames=1,
    )


def _id3(source: Readable, window: Window, head: bytes) -> Sniffed | None:
    """ID3v2 goes before MP3, ADTS or FLAC; its size has seven bits a byte."""
    size = sum(
        (byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=False)
    )
    following = window.at(10 + size, 16)
    if following.startswith(b"fLaC"):
        return Sniffed(kind_hint="sound", format="flac", demuxer="flac")
    adts = len(following) > 1 and following[0] == 0xFF and following[1] & 0xF6 == 0xF0
    return Sniffed(
        kind_hint="sound", format="aac" if adts else "mp3", demuxer="aac" if adts else "mp3"
    )


def _iso(source: Readable, head: bytes) -> Sniffed | None:
    if len(head) < 8 or head[4:8] not in isobmff.FIRST_BOXES:
        return None
    if head[4:12] == b"ftypcrx ":
        raise SourceUnreadable(f"a camera raw picture (CR3); {WANTED}: export it as JPEG")
    outline = isobmff.outline(source)
    if outline.format in ("heif", "avif"):
        width, height = outline.size or (None, None)
        moving = outline.sequence and outline.movie
        return Sniffed(
            kind_hint="animation" if moving else "image",
            format=outline.format,
            demuxer="mov",
            width=width,
            height=height,
            frames=None if moving else 1,
        )
    return Sniffed(
        kind_hint="sound" if outline.brand in ("M4A ", "M4B ", "M4P ") else "video",
        format=outline.format,
        demuxer="mov",
    )


_MAGIC: tuple[tuple[bytes, _Maker], ...] = (
    (b"\x1a\x45\xdf\xa3", _matroska),
    (b"GIF87a", _gif),
    (b"GIF89a", _gif),
    (b"\x89PNG\r\n\x1a\n", _png),
    (b"\xff\xd8\xff", _jpeg),
    (b"RIFF", _riff),
    (b"RF64", _is("sound", "wav", "wav")),
    (b"BM", _bmp),
    (b"II\x2a\x00", _tiff),
    (b"MM\x00\x2a", _tiff),
    (b"II\x2b\x00", _tiff),
    (b"MM\x00\x2b", _tiff),
    (b"8BPS", _psd),
    (b"\0\0\1\0", _ico),
    (b"P", _pnm),
    (b"\x0a", _pcx),
    (b"\x01\xda", _sgi),
    (b"\0\0\0\x0cjP  \r\n\x87\n", _jpeg2000),
    (b"\xff\x4f\xff\x51", _codestream),
    (b"\xff\x0a", _is("image", "jpegxl", "jpegxl_pipe")),
    (b"\0\0\0\x0cJXL \r\n\x87\n", _is("image", "jpegxl", "jpegxl_pipe")),
    (b"qoif", _is("image", "qoi", "qoi_pipe")),
    (b"DDS ", _is("image", "dds", "dds_pipe")),
    (b"\x76\x2f\x31\x01", _is("image", "exr", "exr_pipe")),
    (b"icns", _is("image", "icns", None)),
    (b"OggS", _ogg),
    (b"FLV\x01", _is("video", "flv", "flv")),
    (bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"), _is("video", "asf", "asf")),
    (bytes.fromhex("b7d800203749da11a64e0007e95ead8d"), _is("video", "wtv", "wtv")),
    (b".RMF", _is("video", "rm", "rm")),
    (b".ra\xfd", _is("sound", "rm", "rm")),
    (b"DKIF", _is("video", "ivf", "ivf")),
    (b"nut/multimedia container\0", _is("video", "nut", "nut")),
    (b"YUV4MPEG2", _is("video", "y4m", "yuv4mpegpipe")),
    (b"NSVf", _is("video", "nsv", "nsv")),
    (b"NSVs", _is("video", "nsv", "nsv")),
    (b"NuppelVideo\0", _is("video", "nuv", "nuv")),
    (b"MythTVVideo\0", _is("video", "nuv", "nuv")),
    (b"DHAV", _is("video", "dhav", "dhav")),
    (b"SMK2", _is("video", "smacker", "smk")),
    (b"SMK4", _is("video", "smacker", "smk")),
    (b"BIK", _is("video", "bink", "bink")),
    (b"fLaC", _is("sound", "flac", "flac")),
    (
        b"FORM",
        lambda source, window, head: (
            _is("sound", "aiff", "aiff")(source, window, head) if head[8:11] == b"AIF" else None
        ),
    ),
    (b"caff", _is("sound", "caf", "caf")),
    (b".snd", _is("sound", "au", "au")),
    (b"#!AMR", _is("sound", "amr", "amr")),
    (b"riff\x2e\x91\xcf\x11", _is("sound", "w64", "w64")),
    (b"wvpk", _is("sound", "wavpack", "wv")),
    (b"MAC ", _is("sound", "ape", "ape")),
    (b"ID3", _id3),
)
