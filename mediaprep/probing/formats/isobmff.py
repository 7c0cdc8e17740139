"""Walk the boxes of MP4, MOV, 3GP, HEIF and AVIF (ISO/IEC 14496-12; QuickTime File Format).

Nothing is decoded. Boxes are never found by searching for their names: x265's settings text inside
``hvcC`` contains "fiel". Each read is bounded; damage is noted and the walk continues.
"""

from __future__ import annotations

import struct
from dataclasses import replace

from mediaprep.errors import SourceUnreadable
from mediaprep.model.media import PrivateItem
from mediaprep.probing.formats import isocomplete, isofragments, isoitems, isoprivate, isotrack
from mediaprep.probing.formats.boxes import Box, BoxReader
from mediaprep.probing.formats.isofile import FIRST_BOXES, PICTURES, TOP_LEVEL, IsoFile, TopLevel
from mediaprep.probing.formats.isotrack import IsoTrack
from mediaprep.probing.formats.refused import EXPECTED
from mediaprep.probing.formats.walkers import Completeness
from mediaprep.probing.formats.window import Window
from mediaprep.probing.identify.sniffed import Sniffed, recognised
from mediaprep.runtime.source import Readable

MAX_TRACKS = 200
HEIF_BRANDS = frozenset(b"heic heix heim heis hevc hevx hevm hevs mif1 mif2 msf1 miaf".split())
AVIF_BRANDS = frozenset((b"avif", b"avis", b"avio"))
_EITHER_BRANDS = (b"mif1", b"msf1", b"miaf")  # HEIF or AVIF, by the compatible brands
_SEQUENCE_BRANDS = (b"avis", b"msf1", b"hevc", b"hevx")
_SOUND_BRANDS = ("M4A ", "M4B ", "M4P ")


def detect(source: Readable, head: bytes) -> Sniffed | None:
    """Recognise a first box and decide by the brands; return None for another structure.

    Raises: SourceUnreadable for a camera raw picture, and without a movie or image items.
    """
    if len(head) < 8 or head[4:8] not in FIRST_BOXES:
        return None
    if head[4:12] == b"ftypcrx ":
        raise SourceUnreadable(f"a camera raw picture (CR3); {EXPECTED}: export it as JPEG")
    reader = BoxReader(Window(source))
    top, found = _opened(reader)
    if found.format not in PICTURES:
        return recognised(found.format, "sound" if found.brand in _SOUND_BRANDS else "video")
    meta = top.first(b"meta")
    size = isoitems.read(reader, meta).displayed_size if meta is not None else None
    width, height = size or (None, None)
    if found.sequence and found.movie:
        return recognised(found.format, "animation", width=width, height=height)
    return recognised(found.format, "image", width=width, height=height, frames=1)


def completeness(source: Readable) -> Completeness:
    """Check that boxes, samples and image items end within the file."""
    found = walk(source)
    return found.complete, found.incomplete_because


def private_items(source: Readable) -> list[PrivateItem]:
    """Return user data, tags, EXIF and XMP items, data tracks, and data after the last box."""
    return list(walk(source).private)


def walk(source: Readable) -> IsoFile:
    """Read the structure. Raises: SourceUnreadable without a movie or image items."""
    reader = BoxReader(Window(source))
    top, found = _opened(reader)
    moov = top.first(b"moov")
    if moov is not None:
        found = _with_movie(reader, top, moov, found)
    private = isoprivate.from_file(reader, top.boxes, moov, found.tracks, top.junk_from)
    complete, because = isocomplete.completeness(reader, top, found)
    return replace(
        found,
        complete=complete,
        incomplete_because=because,
        private=private,
        damage=tuple(reader.damage),
    )


def _opened(reader: BoxReader) -> tuple[TopLevel, IsoFile]:
    """Return the top-level boxes, and what they and the brands state.

    Raises: SourceUnreadable without a movie or image items.
    """
    top = _top_level(reader)
    major, brands = _brands(reader, top)
    name = _format(major, brands)
    movie = top.first(b"moov") is not None
    if not movie and (name not in PICTURES or top.first(b"meta") is None):
        raise SourceUnreadable(_why_no_movie(top, reader.window.size), rule="file-complete")
    return top, IsoFile(
        format=name,
        brand=None if major is None else major.decode("latin-1"),
        sequence=major in _SEQUENCE_BRANDS,
        movie=movie,
    )


def _top_level(reader: BoxReader) -> TopLevel:
    top, size = TopLevel([]), reader.window.size
    end = 0
    for box in reader.boxes(0, size):
        if box.kind not in TOP_LEVEL and not box.kind.isalnum() and top.first(b"moov") is not None:
            break
        top.boxes.append(box)
        end = box.stated_end
    if end < size:
        top.junk_from = end
    return top


def _brands(reader: BoxReader, top: TopLevel) -> tuple[bytes | None, list[bytes]]:
    """Return (major brand, compatible brands); (None, []) without a file type box."""
    ftyp = top.first(b"ftyp") or top.first(b"styp")
    if ftyp is None:
        return None, []
    data = reader.payload(ftyp, 4096)
    return data[:4] or None, [data[i : i + 4] for i in range(8, len(data) - 3, 4)]


def _format(major: bytes | None, brands: list[bytes]) -> str:
    """Decide by the major brand, then by the compatible ones."""
    if major in AVIF_BRANDS:
        return "avif"
    if major in _EITHER_BRANDS and not AVIF_BRANDS.isdisjoint(brands):
        return "avif"
    if major in HEIF_BRANDS:
        return "heif"
    if major is None or major in (b"qt  ", b"mqt "):
        return "mov"
    if major[:2] in (b"3g", b"3r", b"3s") or major == b"kddi":
        return "3gp"
    return "mp4"


def _why_no_movie(top: TopLevel, size: int) -> str:
    last = top.boxes[-1] if top.boxes else None
    if last is not None and last.stated_end > size:
        return (
            f"truncated: {last.name} box ends {last.stated_end - size} bytes after the end of the "
            "file and no moov box came before: copy it again"
        )
    if top.first(b"moof") is not None:
        return (
            "a media segment without its initialisation segment (moof but no moov box): join it "
            "with the first segment"
        )
    return (
        "no moov box, so no track can be found; the recording was not finished: copy it again or "
        "repair the recording"
    )


def _with_movie(reader: BoxReader, top: TopLevel, moov: Box, found: IsoFile) -> IsoFile:
    """Add what the movie box and the fragments state."""
    timescale = duration = None
    tracks: list[IsoTrack] = []
    has_fragments = top.first(b"moof") is not None
    for box in reader.boxes(moov.body, moov.end):
        with reader.guarded(box):
            if box.kind == b"mvhd":
                timescale, duration = _movie_header(reader.payload(box, 108))
            elif box.kind == b"trak" and len(tracks) < MAX_TRACKS:
                tracks.append(isotrack.read(reader, box, index=len(tracks)))
            elif box.kind == b"mvex":
                has_fragments = True
            elif box.kind == b"cmov":
                top.compressed_movie = True
                reader.note("compressed movie header (cmov), not read")
    fragments = isofragments.read(reader, top.boxes, moov)
    mdat = top.first(b"mdat")
    return replace(
        found,
        faststart=mdat is None or moov.start < mdat.start,
        fragmented=has_fragments,
        timescale=timescale,
        duration=duration,
        tracks=tuple(track.with_fragments(fragments.get(track.id)) for track in tracks),
    )


def _movie_header(data: bytes) -> tuple[int | None, int | None]:
    """Return (timescale, duration in its ticks); None for 0, and for a duration of all ones."""
    if data[0] == 1:
        unknown = 2**64 - 1
        timescale, duration = struct.unpack_from(">IQ", data, 20)
    else:
        unknown = 2**32 - 1
        timescale, duration = struct.unpack_from(">II", data, 12)
    return timescale or None, None if duration in (0, unknown) else duration
