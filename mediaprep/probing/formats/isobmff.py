"""MP4, MOV, 3GP, HEIF and AVIF by their boxes (ISO/IEC 14496-12; QuickTime File Format): what a rule needs, nothing decoded.

Boxes are walked, never searched for by substring: x265's settings text inside ``hvcC`` contains "fiel". Each read is bounded; what is
wrong with a box becomes a line of ``faults`` and the walk goes on.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from fractions import Fraction

from mediaprep.errors import SourceUnreadable
from mediaprep.model.media import EditList, PrivateItem
from mediaprep.probing.formats import isofragments, isoitems, isoprivate, isotrack
from mediaprep.probing.formats.boxes import Box, BoxReader
from mediaprep.probing.formats.isotrack import IsoTrack
from mediaprep.probing.formats.window import Readable, Window

MAX_TRACKS = 200
MEHD_SLACK = Fraction(
    1, 2
)  # seconds that the fragments may fall short of the length they state, or a fiftieth of it: a guess
TOP_LEVEL = {
    *(
        b"ftyp",
        b"styp",
        b"moov",
        b"mdat",
        b"moof",
        b"mfra",
        b"sidx",
        b"ssix",
        b"free",
        b"skip",
        b"wide",
        b"pnot",
        b"udta",
        b"uuid",
    ),
    *(
        b"meta",
        b"meco",
        b"prft",
        b"emsg",
        b"pdin",
        b"jp2h",
        b"PICT",
        b"junk",
        b"idat",
        b"imda",
        b"sefd",
        b"gps ",
        b"IDIT",
        b"mere",
    ),
}
FIRST_BOXES = TOP_LEVEL - {
    b"meta",
    b"meco",
    b"jp2h",
    b"idat",
    b"imda",
    b"sefd",
    b"gps ",
    b"IDIT",
    b"mere",
    b"emsg",
    b"prft",
}
HEIF_BRANDS = {
    b"heic",
    b"heix",
    b"heim",
    b"heis",
    b"hevc",
    b"hevx",
    b"hevm",
    b"hevs",
    b"mif1",
    b"mif2",
    b"msf1",
    b"miaf",
}
AVIF_BRANDS = {b"avif", b"avis", b"avio"}


@dataclass(frozen=True, slots=True, kw_only=True)
class IsoFile:
    """What the boxes say.

    format         mp4, mov, 3gp, heif or avif, by brand and content; ``brand`` the major one as written (None: no ftyp, old QuickTime)
    sequence       the major brand is that of an image sequence (avis, msf1, hevc)
    faststart      moov before the first mdat; fragmented: moof or mvex present; both None without a movie
    complete       True: the top-level boxes add up to the file and every sample lies in it; False: ``incomplete_because``
    timescale, duration   of the movie header: ticks a second, ticks
    tracks, chapters, private   in order of the file; chapters counted in either form
    top_level      (four characters, start, size as stated) of each top-level box, at most the first 100
    faults         damage that was met, one clause each
    """

    format: str
    brand: str | None = None
    brands: tuple[str, ...] = ()
    sequence: bool = False
    faststart: bool | None = None
    fragmented: bool | None = None
    complete: bool | None = None
    incomplete_because: str | None = None
    timescale: int | None = None
    duration: int | None = None
    tracks: tuple[IsoTrack, ...] = ()
    chapters: int = 0
    private: tuple[PrivateItem, ...] = ()
    top_level: tuple[tuple[str, int, int], ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def duration_from_header(self) -> Fraction | None:
        """The movie header's duration in seconds; None where it states none."""
        return Fraction(self.duration, self.timescale) if self.duration and self.timescale else None


@dataclass(slots=True)
class _Top:
    """The top level, as it is read."""

    boxes: list[Box]
    junk_from: int | None = None  # where bytes begin that are no box

    def first(self, kind: bytes) -> Box | None:
        return next((box for box in self.boxes if box.kind == kind), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """What the top level tells at once: ``format`` and ``brand`` as in IsoFile, whether there is a ``movie``, whether the brand is that
    of an image ``sequence``, the displayed ``size`` of the primary image item."""

    format: str
    brand: str | None
    movie: bool
    sequence: bool
    size: tuple[int, int] | None


def outline(source: Readable) -> Outline:
    """Read the top level only. Raises: SourceUnreadable where the file has neither a movie nor an image item box."""
    reader = BoxReader(Window(source))
    top, result = _opened(reader)
    meta = top.first(b"meta") if result.format in ("heif", "avif") else None
    size = isoitems.read(reader, meta).displayed_size if meta is not None else None
    return Outline(
        format=result.format,
        brand=result.brand,
        movie=top.first(b"moov") is not None,
        sequence=result.sequence,
        size=size,
    )


def _opened(reader: BoxReader) -> tuple[_Top, IsoFile]:
    """The top level, and what it and the brands say. Raises: SourceUnreadable where nothing can be read from it."""
    top = _top_level(reader)
    major, brands = _brands(reader, top)
    file_format = _format(major, brands)
    if top.first(b"moov") is None and (
        top.first(b"meta") is None or file_format not in ("heif", "avif")
    ):
        raise SourceUnreadable(_why_no_movie(top, reader.window.size), rule="file-complete")
    return top, IsoFile(
        format=file_format,
        brand=None if major is None else major.decode("latin-1"),
        brands=tuple(brand.decode("latin-1") for brand in brands),
        sequence=major in (b"avis", b"msf1", b"hevc", b"hevx"),
        top_level=tuple(
            (box.name, box.start, box.stated_end - box.start) for box in top.boxes[:100]
        ),
    )


def walk(source: Readable) -> IsoFile:
    """Read the structure. Raises: SourceUnreadable where the file has neither a movie nor an image item box."""
    reader = BoxReader(Window(source))
    top, result = _opened(reader)
    moov = top.first(b"moov")
    if moov is not None:
        result = _with_movie(reader, top, moov, result)
    private = isoprivate.from_file(reader, top.boxes, moov, result.tracks, top.junk_from)
    complete, because = _completeness(reader, top, result)
    return replace(
        result,
        complete=complete,
        incomplete_because=because,
        private=private,
        faults=tuple(reader.faults),
    )


def _top_level(reader: BoxReader) -> _Top:
    top, size = _Top([]), reader.window.size
    end = 0
    for box in reader.boxes(0, size):
        if box.kind not in TOP_LEVEL and not box.kind.isalnum() and top.first(b"moov") is not None:
            break
        top.boxes.append(box)
        end = box.stated_end
    if end < size:
        top.junk_from = end
    return top


def _brands(reader: BoxReader, top: _Top) -> tuple[bytes | None, list[bytes]]:
    ftyp = top.first(b"ftyp") or top.first(b"styp")
    if ftyp is None:
        return None, []
    data = reader.payload(ftyp, 4096)
    return data[:4] or None, [data[i : i + 4] for i in range(8, len(data) - 3, 4)]


def _format(major: bytes | None, brands: list[bytes]) -> str:
    """By the major brand, then by the compatible ones: ``mif1`` and a movie brand may each hold either."""
    known = {major, *brands}
    if major in AVIF_BRANDS or (major in (b"mif1", b"msf1", b"miaf") and known & AVIF_BRANDS):
        return "avif"
    if major in HEIF_BRANDS:
        return "heif"
    if major is None or major in (b"qt  ", b"mqt "):
        return "mov"
    if major[:2] in (b"3g", b"3r", b"3s") or major == b"kddi":
        return "3gp"
    return "mp4"


def _why_no_movie(top: _Top, size: int) -> str:
    last = top.boxes[-1] if top.boxes else None
    if last is not None and last.stated_end > size:
        missing = last.stated_end - size
        return f"truncated: {last.name} box ends {missing} bytes after the end of the file and no moov box came before: copy it again"
    if top.first(b"moof") is not None:
        return "a media segment without its initialisation segment (moof but no moov box): join it with the first segment"
    return "no moov box, so no track can be found; the recording was not finished: copy it again or repair the recording"


def _with_movie(reader: BoxReader, top: _Top, moov: Box, result: IsoFile) -> IsoFile:
    timescale = duration = None
    tracks: list[IsoTrack] = []
    chapters = 0
    mvex = False
    for box in reader.boxes(moov.body, moov.end):
        try:
            if box.kind == b"mvhd":
                timescale, duration = _movie_header(reader.payload(box, 108))
            elif box.kind == b"trak" and len(tracks) < MAX_TRACKS:
                tracks.append(isotrack.read(reader, box, index=len(tracks)))
            elif box.kind == b"udta" and (chpl := reader.child(box, b"chpl")) is not None:
                chapters = _nero_chapters(reader.payload(chpl, 16))
            elif box.kind == b"mvex":
                mvex = True
            elif box.kind == b"cmov":
                reader.fault("compressed movie header (cmov), not read")
        except (struct.error, IndexError) as problem:
            reader.fault(f"{box.name} at byte {box.start}: {problem}")
    fragments = isofragments.read(reader, top.boxes, moov)
    counted = [track.with_fragments(fragments.get(track.id)) for track in tracks]
    chapter_tracks = {chapter for track in counted for chapter in track.chapter_tracks}
    chapters = chapters or max(
        (track.sample_count or 0 for track in counted if track.id in chapter_tracks), default=0
    )
    mdat = top.first(b"mdat")
    return replace(
        result,
        faststart=mdat is None or moov.start < mdat.start,
        fragmented=mvex or top.first(b"moof") is not None,
        timescale=timescale,
        duration=duration,
        tracks=tuple(counted),
        chapters=chapters,
    )


def _movie_header(data: bytes) -> tuple[int | None, int | None]:
    """(timescale, duration in its ticks; None where stated as unknown or zero ticks a second)."""
    timescale, duration = struct.unpack_from(
        ">IQ" if data[0] == 1 else ">II", data, 20 if data[0] == 1 else 12
    )
    unknown = duration in (0, 2**64 - 1 if data[0] == 1 else 2**32 - 1)
    return timescale or None, None if unknown else duration


def _nero_chapters(data: bytes) -> int:
    """The count in a ``chpl`` box: one byte, after 4 reserved ones in version 1."""
    return data[8] if data[0] == 1 else data[4]


def _completeness(reader: BoxReader, top: _Top, result: IsoFile) -> tuple[bool | None, str | None]:
    size = reader.window.size
    for box in top.boxes:
        if box.stated_end > size and (box.kind in TOP_LEVEL or not result.tracks):
            return (
                False,
                f"the {box.name} box ends {box.stated_end - size} bytes after the end of the file",
            )
    for track in result.tracks:
        if track.elsewhere:
            return False, f"track {track.id} keeps its samples in another file"
        if track.data_end is not None and track.data_end > size:
            return (
                False,
                f"samples of track {track.id} end {track.data_end - size} bytes after the end of the file",
            )
    last, indexed = isofragments.stated_end(reader, top.boxes)
    if last > size:
        return False, f"the segment index reaches {last - size} bytes past the end of the file"
    short, ends = _fragments_end(reader, top, result)
    if short:
        return False, short
    if result.format in ("heif", "avif"):
        meta = top.first(b"meta")
        end = isoprivate.items_end(reader, meta) if meta is not None else 0
        if end > size:
            return False, f"an image item ends {end - size} bytes after the end of the file"
    if top.junk_from is not None:
        reader.fault(f"{size - top.junk_from} bytes after the last box")
    if any("more than" in fault and "boxes" in fault for fault in reader.faults):
        return None, None
    if top.first(b"moov") is not None and not result.tracks:
        return (
            (None, None)
            if any("cmov" in fault for fault in reader.faults)
            else (False, "no track in the moov box")
        )
    if (
        top.first(b"moof") is None
        and result.tracks
        and all(not track.sample_count for track in result.tracks)
    ):
        return False, "no track has any sample"
    if top.first(b"moof") is not None and not (indexed or ends or top.first(b"mfra") is not None):
        return None, "fragments without a mark of their end (no mfra, sidx or mehd)"
    return True, None


def _fragments_end(reader: BoxReader, top: _Top, result: IsoFile) -> tuple[str, bool]:
    """What is missing of the length that ``mehd`` states, "" = nothing; and whether it states one."""
    moov = top.first(b"moov")
    stated = 0 if moov is None or not result.timescale else isofragments.stated_length(reader, moov)
    lengths = [
        Fraction(track.fragment_ticks, track.timescale)
        for track in result.tracks
        if track.timescale
    ]
    if not stated or not lengths:
        return "", False
    wanted, found = Fraction(stated, result.timescale or 1), max(lengths)
    if found < wanted - max(MEHD_SLACK, wanted / 50):
        return f"the fragments end after {float(found):.3f} s of {float(wanted):.3f} s", True
    return "", True


def edit_effect(track: IsoTrack, movie_timescale: int | None) -> EditList:
    """What the edit list does to this track.

    ``plain`` is one that only skips what a decoder needs first: for a picture up to the first frame's composition offset, for sound up
    to two and a half frames of priming (AAC: 1024, 2112 or 2048 samples), and that plays on to the end, within one frame of the
    picture, three of sound and the rounding of the movie's clock. An empty edit of half a frame or more delays.
    """
    if not track.edits:
        return "none"
    if not track.timescale or not movie_timescale:
        return "plain" if all(edit.media_time == 0 for edit in track.edits) else "trims-and-delays"
    second, frame = track.timescale, track.frame_ticks or 1
    delay, shown, trims = Fraction(0), Fraction(0), False
    joins: Fraction | None = None
    to_the_end = False
    begin: int | None = None
    for edit in track.edits:
        ticks = Fraction(edit.duration * second, movie_timescale)
        if edit.media_time < 0 or edit.rate == 0:
            delay += ticks
            continue
        trims = (
            trims or edit.rate != 1 or (joins is not None and abs(edit.media_time - joins) > frame)
        )
        begin = edit.media_time if begin is None else begin
        joins, shown, to_the_end = edit.media_time + ticks, shown + ticks, edit.duration == 0
    first, slack = (
        track.first_composition_offset or 0,
        Fraction(2 * second, movie_timescale) + frame,
    )
    sound = track.handler == "soun"
    allowed = Fraction(5 * frame, 2) if sound else Fraction(max(first, 0))
    if begin is None:
        trims = True  # nothing but empty edits: no part is presented
    elif begin > allowed:
        trims = True
    if track.duration and not to_the_end:
        trims = trims or shown < track.duration - slack - (2 * frame if sound else 0) - (
            begin or 0 if sound else 0
        )
    if delay * 2 < frame:
        return "trims" if trims else "plain"
    return "trims-and-delays" if trims else "delays"
