"""Stills: JPEG, PNG, WebP and GIF by their segments and chunks, other formats by the header that Pillow reads. Nothing is decoded unless a
deep look is asked for."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, cast

from mediaprep.errors import SourceUnreadable
from mediaprep.model import containers
from mediaprep.model.media import Image
from mediaprep.probing.formats import icc, jpeg, png, riff, webp
from mediaprep.probing.formats.exif import Tiff
from mediaprep.probing.formats.walkers import Completeness
from mediaprep.probing.formats.window import InMemoryFile, Window
from mediaprep.probing.identify import complete, private
from mediaprep.probing.identify.sniffed import Sniffed
from mediaprep.probing.picture import stillpayload
from mediaprep.probing.request import ReadRequest
from mediaprep.probing.video.notes import ReaderLog
from mediaprep.runtime.source import Source
from mediaprep.runtime.source_file import SourceFile
from mediaprep.tools import pillow

MAX_PROFILE = 2**22  # bytes of an ICC profile that are read; the largest printer profiles have 3 MB
MAX_EXIF = 2**22
UNTAGGED = "unspecified"
_PRIMARIES = {1: "sRGB", 9: "BT.2020", 12: "Display P3"}  # ITU-T H.273, table 2


@dataclass(slots=True, kw_only=True)
class _HeaderFacts:
    """What a header gave. ``width``, ``height``: of the coded picture; ``whole``: completeness, where the walk told it in passing."""

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
    whole: Completeness | None = None


def read_image(source: Source, sniffed: Sniffed, request: ReadRequest) -> Image:
    """The facts of a still. Raises: SourceUnreadable where not even its header can be read."""
    notes = ReaderLog()
    seen = _READERS.get(sniffed.format, _by_pillow)(source, sniffed, request, notes)
    _refuse_too_large(seen, sniffed, request)
    whole, because = seen.whole or complete.completeness(source, sniffed)
    if whole is not False and request.deep and (damage := _decoded(source, sniffed, request)):
        whole, because = False, damage
    items = private.private_items(source, sniffed)
    if items is None:
        notes.missing("private", f"the metadata of {sniffed.format} is not read")
    for name in ("width", "height", "mode", "colour_space"):
        if getattr(seen, name) is None:
            notes.missing(name, "the header does not tell")
    turned = seen.orientation >= 5
    coded = (
        stillpayload.coded(
            source, sniffed.format, profile_bytes=seen.profile_bytes, digest=request.payload
        )
        if whole
        else None
    )
    return Image(
        size_bytes=source.size_bytes,
        complete=whole,
        incomplete_because=because,
        private=items,
        reported_facts=tuple(notes.reported_facts),
        unknown=tuple(notes.unknown),
        format=sniffed.format,
        width=seen.height if turned else seen.width,
        height=seen.width if turned else seen.height,
        orientation=seen.orientation,
        mode=seen.mode,
        bit_depth=seen.bit_depth,
        alpha=seen.alpha,
        colour_space=seen.colour_space,
        pictures=seen.pictures,
        gain_map=seen.gain_map,
        least_bytes=None if coded is None else coded.least_bytes,
        payload=None if coded is None else coded.digest,
    )


def _refuse_too_large(seen: _HeaderFacts, sniffed: Sniffed, request: ReadRequest) -> None:
    """A picture that is not decoded here is judged no further. Raises: SourceUnreadable."""
    most = request.max_pixels * (pillow.DRAFT_FACTOR if sniffed.format == "jpeg" else 1)
    if seen.width is not None and seen.height is not None and seen.width * seen.height > most:
        pixels = (
            f"{seen.width}x{seen.height} are {seen.width * seen.height / 1e6:.0f} million pixels"
        )
        raise SourceUnreadable(
            f"{pixels}, of which at most {most / 1e6:.0f} million are decoded: make the picture smaller first"
        )


def _decoded(source: Source, sniffed: Sniffed, request: ReadRequest) -> str | None:
    """Why the picture does not decode; None: it does."""
    try:
        with pillow.opened(_file(source), sniffed.format, max_pixels=request.max_pixels) as picture:
            if sniffed.format == "jpeg":
                picture.draft(
                    None, (1, 1)
                )  # every coded bit is read all the same; only an eighth of the pixels is worked out
            picture.load()
    except pillow.PictureUndecodable as problem:
        return f"it does not decode: {problem}"
    return None


def _jpeg(source: Source, sniffed: Sniffed, request: ReadRequest, notes: ReaderLog) -> _HeaderFacts:
    facts = jpeg.walk(source)
    window, profile, exif = Window(source), b"", b""
    for marker, body, size in facts.segments:
        if (
            marker == 0xE2
            and len(profile) < MAX_PROFILE
            and window.at(body, 12) == b"ICC_PROFILE\0"
        ):
            profile += window.at(body + 14, size - 14)
        elif marker == 0xE1 and not exif and window.at(body, 6) == b"Exif\0\0":
            exif = window.at(body + 6, size - 6)
    mode = {1: "L", 3: "RGB", 4: "CMYK"}.get(facts.components or 0)
    return _HeaderFacts(
        width=facts.width,
        height=facts.height,
        orientation=_orientation(exif),
        mode=mode,
        bit_depth=facts.bit_depth,
        alpha=False,
        colour_space=_colour_space(profile, notes) or ("CMYK" if mode == "CMYK" else UNTAGGED),
        pictures=facts.pictures,
        gain_map=facts.gain_map,
        profile_bytes=len(profile),
        whole=(facts.complete, facts.incomplete_because),
    )


_PNG_MODES = {0: "L", 2: "RGB", 3: "P", 4: "LA", 6: "RGBA"}


def _png(source: Source, sniffed: Sniffed, request: ReadRequest, notes: ReaderLog) -> _HeaderFacts:
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
            space = _colour_space(_inflated(data, notes), notes)
        elif chunk.kind == b"sRGB":
            space = space or "sRGB"
    grey = facts.colour_type == 0
    mode = (
        "1"
        if grey and facts.bit_depth == 1
        else "I;16"
        if grey and facts.bit_depth == 16
        else _PNG_MODES.get(facts.colour_type)
    )
    return _HeaderFacts(
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


def _inflated(data: bytes, notes: ReaderLog) -> bytes:
    """At most ``MAX_PROFILE`` bytes of a compressed profile, whatever it claims."""
    unpacker = zlib.decompressobj()
    try:
        profile = unpacker.decompress(data, MAX_PROFILE)
    except zlib.error:
        return b""
    if not unpacker.eof:
        notes.say(
            "colour_space",
            "iCCP",
            f"a profile of more than {MAX_PROFILE} bytes, or cut short",
            agrees=False,
        )
        return b""
    return profile


def _webp(source: Source, sniffed: Sniffed, request: ReadRequest, notes: ReaderLog) -> _HeaderFacts:
    facts = webp.walk(source)
    window, exif, profile = Window(source), b"", b""
    for chunk in riff.chunks(window, 12, window.size):
        if chunk.kind == b"EXIF" and not exif:
            exif = window.at(chunk.body, min(chunk.size, MAX_EXIF))
        elif chunk.kind == b"ICCP" and not profile:
            profile = window.at(chunk.body, min(chunk.size, MAX_PROFILE))
    return _HeaderFacts(
        width=facts.width,
        height=facts.height,
        orientation=_orientation(exif.removeprefix(b"Exif\0\0")),
        mode="RGBA" if facts.alpha else "RGB",
        bit_depth=8,
        alpha=facts.alpha,
        colour_space=_colour_space(profile, notes) or UNTAGGED,
        pictures=1,
        gain_map=False,
        profile_bytes=len(profile),
    )


def _gif(source: Source, sniffed: Sniffed, request: ReadRequest, notes: ReaderLog) -> _HeaderFacts:
    from mediaprep.probing.formats import gif

    facts = gif.walk(source)
    return _HeaderFacts(
        width=facts.width,
        height=facts.height,
        mode="P",
        bit_depth=8,
        alpha=facts.transparency,
        colour_space=UNTAGGED,
        pictures=facts.frame_count,
        gain_map=False,
    )


def _by_pillow(
    source: Source, sniffed: Sniffed, request: ReadRequest, notes: ReaderLog
) -> _HeaderFacts:
    """The facts by Pillow's header, or the little that the first bytes told where it gives none."""
    try:
        found = pillow.header(_file(source), sniffed.format, max_pixels=request.max_pixels)
    except pillow.PictureUndecodable as problem:
        if containers.of(sniffed.format).pillow and (
            sniffed.width is None or sniffed.height is None
        ):
            raise SourceUnreadable(
                f"its header cannot be read ({problem}): export it as JPEG or PNG",
                rule="file-complete",
            ) from problem
        notes.missing("mode", f"the header cannot be read ({problem})")
        return _HeaderFacts(width=sniffed.width, height=sniffed.height)
    notes.say("mode", "pillow", found.mode)
    space = _colour_space(found.icc or b"", notes) or _PRIMARIES.get(found.primaries or 0)
    return _HeaderFacts(
        width=found.width,
        height=found.height,
        orientation=found.orientation or 1,
        mode=found.mode,
        bit_depth=found.bit_depth,
        alpha=found.alpha,
        colour_space=space or ("CMYK" if found.mode == "CMYK" else UNTAGGED),
        pictures=found.pictures,
    )


def _file(source: Source) -> IO[bytes]:
    return cast("IO[bytes]", SourceFile(source))


def _orientation(exif: bytes) -> int:
    """EXIF orientation; 1 where none is stated, which means upright (Exif 2.32, 4.6.4)."""
    return (Tiff(Window(InMemoryFile(exif)), "EXIF").orientation or 1) if exif else 1


def _colour_space(profile: bytes, notes: ReaderLog) -> str | None:
    if not profile:
        return None
    space = icc.colour_space(profile)
    if space is None:
        notes.say("colour_space", "icc", "a block that is no profile", agrees=False)
    return space


_Reader = Callable[[Source, Sniffed, ReadRequest, ReaderLog], _HeaderFacts]
_READERS: dict[str, _Reader] = {"jpeg": _jpeg, "png": _png, "webp": _webp, "gif": _gif}
