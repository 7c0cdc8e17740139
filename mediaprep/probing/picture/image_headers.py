"""Facts of stills by their headers: JPEG, PNG, WebP and GIF by our walkers, others by Pillow."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, cast

from mediaprep.errors import SourceUnreadable
from mediaprep.model import containers
from mediaprep.probing.formats import icc, jpeg, png, riff, webp
from mediaprep.probing.formats.exif import Tiff
from mediaprep.probing.formats.walkers import Completeness
from mediaprep.probing.formats.window import InMemoryFile, Window
from mediaprep.probing.identify.sniffed import Sniffed
from mediaprep.probing.reader_log import ReaderLog
from mediaprep.runtime.source import Source
from mediaprep.runtime.source_file import SourceFile
from mediaprep.tools import pillow

# Bytes of an ICC profile that are read; the largest printer profiles have 3 MB.
MAX_PROFILE = 2**22
MAX_EXIF = 2**22
UNTAGGED = "unspecified"
_PRIMARIES = {1: "sRGB", 9: "BT.2020", 12: "Display P3"}  # ITU-T H.273, table 2
_JPEG_MODES = {1: "L", 3: "RGB", 4: "CMYK"}  # Pillow's mode by number of components
_PNG_MODES = {0: "L", 2: "RGB", 3: "P", 4: "LA", 6: "RGBA"}  # by colour type
_GREY_MODES = {1: "1", 16: "I;16"}  # by bit depth, if it is not 8
_APP1, _APP2 = 0xE1, 0xE2
_EXIF_MARK, _ICC_MARK = b"Exif\0\0", b"ICC_PROFILE\0"


@dataclass(slots=True, kw_only=True)
class HeaderFacts:
    """What a header states; None = not stated.

    width, height  of the coded picture, before the orientation
    orientation    EXIF; 1 = upright
    profile_bytes  size of the colour profile
    complete       completeness, if the walker determined it
    """

    width: int | None = None
    height: int | None = None
    orientation: int = 1
    mode: str | None = None
    bit_depth: int | None = None
    alpha: bool | None = None
    colour_space: str | None = None
    pictures: int | None = None
    gain_map: bool | None = None
    profile_bytes: int = 0
    complete: Completeness | None = None


def read_header(source: Source, sniffed: Sniffed, max_pixels: int, log: ReaderLog) -> HeaderFacts:
    """Return what the header of a still states. Raises: SourceUnreadable."""
    walker = _WALKERS.get(sniffed.format)
    if walker is not None:
        return walker(source, log)
    return _read_with_pillow(source, sniffed, max_pixels, log)


def _read_jpeg(source: Source, log: ReaderLog) -> HeaderFacts:
    facts = jpeg.walk(source)
    window, profile, exif = Window(source), b"", b""
    for marker, body, size in facts.segments:
        if marker == _APP2 and len(profile) < MAX_PROFILE and window.at(body, 12) == _ICC_MARK:
            profile += window.at(body + 14, size - 14)
        elif marker == _APP1 and not exif and window.at(body, 6) == _EXIF_MARK:
            exif = window.at(body + 6, size - 6)
    mode = _JPEG_MODES.get(facts.components or 0)
    return HeaderFacts(
        width=facts.width,
        height=facts.height,
        orientation=_orientation(exif),
        mode=mode,
        bit_depth=facts.bit_depth,
        alpha=False,
        colour_space=_colour_space(profile, log) or ("CMYK" if mode == "CMYK" else UNTAGGED),
        pictures=facts.pictures,
        gain_map=facts.gain_map,
        profile_bytes=len(profile),
        complete=(facts.complete, facts.incomplete_because),
    )


def _read_png(source: Source, log: ReaderLog) -> HeaderFacts:
    facts = png.walk(source)
    window, exif, space, profile_bytes = Window(source), b"", None, 0
    for chunk in png.chunks(window):
        if chunk.kind == b"IDAT" and exif:
            break
        if chunk.kind == b"eXIf" and not exif:
            exif = window.at(chunk.body, min(chunk.size, MAX_EXIF))
        elif chunk.kind == b"cICP" and chunk.size == 4:
            space = _PRIMARIES.get(window.at(chunk.body, 1)[0]) or space
        elif chunk.kind == b"iCCP" and space is None:
            profile_bytes = chunk.size + 12
            data = window.at(chunk.body, min(chunk.size, MAX_PROFILE)).partition(b"\0")[2][1:]
            space = _colour_space(_inflate(data, log), log)
        elif chunk.kind == b"sRGB":
            space = space or "sRGB"
    mode = _PNG_MODES.get(facts.colour_type)
    if mode == "L":
        mode = _GREY_MODES.get(facts.bit_depth, mode)
    return HeaderFacts(
        width=facts.width,
        height=facts.height,
        orientation=_orientation(exif),
        mode=mode,
        bit_depth=facts.bit_depth,
        alpha=facts.alpha,
        colour_space=space or UNTAGGED,
        pictures=1,
        gain_map=False,
        profile_bytes=profile_bytes,
    )


def _inflate(data: bytes, log: ReaderLog) -> bytes:
    """Decompress a profile of at most ``MAX_PROFILE`` bytes, whatever size it declares."""
    unpacker = zlib.decompressobj()
    try:
        profile = unpacker.decompress(data, MAX_PROFILE)
    except zlib.error:
        return b""
    if not unpacker.eof:
        text = f"a profile that is cut short or larger than {MAX_PROFILE} bytes"
        log.report("colour_space", "iCCP", text, agrees=False)
        return b""
    return profile


def _read_webp(source: Source, log: ReaderLog) -> HeaderFacts:
    facts = webp.walk(source)
    window, exif, profile = Window(source), b"", b""
    for chunk in riff.chunks(window, 12, window.size):
        if chunk.kind == b"EXIF" and not exif:
            exif = window.at(chunk.body, min(chunk.size, MAX_EXIF))
        elif chunk.kind == b"ICCP" and not profile:
            profile = window.at(chunk.body, min(chunk.size, MAX_PROFILE))
    return HeaderFacts(
        width=facts.width,
        height=facts.height,
        orientation=_orientation(exif.removeprefix(_EXIF_MARK)),
        mode="RGBA" if facts.alpha else "RGB",
        bit_depth=8,
        alpha=facts.alpha,
        colour_space=_colour_space(profile, log) or UNTAGGED,
        pictures=1,
        gain_map=False,
        profile_bytes=len(profile),
    )


def _read_gif(source: Source, log: ReaderLog) -> HeaderFacts:
    from mediaprep.probing.formats import gif  # local: a still GIF is rare

    facts = gif.walk(source)
    return HeaderFacts(
        width=facts.width,
        height=facts.height,
        mode="P",
        bit_depth=8,
        alpha=facts.transparency,
        colour_space=UNTAGGED,
        pictures=facts.frame_count,
        gain_map=False,
    )


_WALKERS: dict[str, Callable[[Source, ReaderLog], HeaderFacts]] = {
    "jpeg": _read_jpeg,
    "png": _read_png,
    "webp": _read_webp,
    "gif": _read_gif,
}


def _read_with_pillow(
    source: Source, sniffed: Sniffed, max_pixels: int, log: ReaderLog
) -> HeaderFacts:
    """Return what Pillow reads, or the sniffed size if Pillow does not support the format."""
    try:
        found = pillow.header(binary_file(source), sniffed.format, max_pixels=max_pixels)
    except pillow.PictureUndecodable as problem:
        has_reader = bool(containers.of(sniffed.format).pillow)
        if has_reader and (sniffed.width is None or sniffed.height is None):
            raise SourceUnreadable(
                f"its header cannot be read ({problem}): export it as JPEG or PNG",
                rule="file-complete",
            ) from problem
        log.unknown_because("mode", f"the header cannot be read ({problem})")
        return HeaderFacts(width=sniffed.width, height=sniffed.height)
    log.report("mode", "pillow", found.mode)
    space = _colour_space(found.icc or b"", log) or _PRIMARIES.get(found.primaries or 0)
    return HeaderFacts(
        width=found.width,
        height=found.height,
        orientation=found.orientation or 1,
        mode=found.mode,
        bit_depth=found.bit_depth,
        alpha=found.alpha,
        colour_space=space or ("CMYK" if found.mode == "CMYK" else UNTAGGED),
        pictures=found.pictures,
    )


def binary_file(source: Source) -> IO[bytes]:
    """Return the source as a file object for Pillow."""
    return cast("IO[bytes]", SourceFile(source))


def _orientation(exif: bytes) -> int:
    """Return the EXIF orientation; 1 (upright) if none is stated (Exif 2.32, 4.6.4)."""
    return (Tiff(Window(InMemoryFile(exif)), "EXIF").orientation or 1) if exif else 1


def _colour_space(profile: bytes, log: ReaderLog) -> str | None:
    if not profile:
        return None
    space = icc.colour_space(profile)
    if space is None:
        log.report("colour_space", "icc", "an invalid profile", agrees=False)
    return space
