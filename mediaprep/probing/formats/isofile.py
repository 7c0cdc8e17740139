"""What the boxes of an ISO base media or QuickTime file state."""

from __future__ import annotations

from dataclasses import dataclass

from mediaprep.model.media import PrivateItem
from mediaprep.probing.formats.boxes import Box
from mediaprep.probing.formats.isotrack import IsoTrack

PICTURES = ("heif", "avif")
FIRST_BOXES = frozenset(  # that a file may begin with
    b"ftyp styp moov mdat moof mfra sidx ssix free skip wide pnot udta uuid pdin PICT junk".split()
)
_LATER_BOXES = frozenset((*b"meta meco prft emsg jp2h idat imda sefd IDIT mere".split(), b"gps "))
TOP_LEVEL = FIRST_BOXES | _LATER_BOXES


@dataclass(frozen=True, slots=True, kw_only=True)
class IsoFile:
    """What the boxes state.

    format         mp4, mov, 3gp, heif or avif, by brand and content
    brand          the major one as written; None: no ftyp (old QuickTime)
    sequence       the major brand is one of image sequences (avis, msf1, hevc)
    movie          there is a moov box
    faststart      moov precedes the first mdat
    fragmented     moof or mvex present; both None without a movie
    complete       True: the top-level boxes add up to the file and every sample lies in it
    timescale, duration   of the movie header: ticks a second, ticks
    tracks, private   in order of the file
    damage         one clause each
    """

    format: str
    brand: str | None = None
    sequence: bool = False
    movie: bool = False
    faststart: bool | None = None
    fragmented: bool | None = None
    complete: bool | None = None
    incomplete_because: str | None = None
    timescale: int | None = None
    duration: int | None = None
    tracks: tuple[IsoTrack, ...] = ()
    private: tuple[PrivateItem, ...] = ()
    damage: tuple[str, ...] = ()


@dataclass(slots=True)
class TopLevel:
    """The top-level boxes, and what was found inside them.

    junk_from          offset of bytes that are not boxes
    compressed_movie   the movie header is compressed (cmov) and not read
    """

    boxes: list[Box]
    junk_from: int | None = None
    compressed_movie: bool = False

    def first(self, kind: bytes) -> Box | None:
        return next((box for box in self.boxes if box.kind == kind), None)
