"""Groups of pictures, from one pass over every packet in decode order (ITU-T H.264 7.4.1.2.1, H.265 8.1.3). Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import reduce
from importlib import import_module
from itertools import pairwise
from operator import or_
from typing import Protocol

from mediaprep.model.media import Gop, GopStructure
from mediaprep.probing.bitstream._nal import Data
from mediaprep.probing.bitstream.h264 import H264Reader, Head, output_order
from mediaprep.probing.bitstream.header import (
    BIDIRECTIONAL,
    HIDDEN,
    IDR,
    INTRA,
    KEY,
    NO_PICTURE,
    OPENS,
    RAP,
    REFRESH,
    SECOND_FIELD,
    UNREADABLE,
    StreamHeader,
)

__all__ = ["GopResult", "GopScanner", "StreamHeader", "scanner"]

# ffmpeg's names of codecs without prediction between frames, and of those where the container's key flag is all there is to know.
ALL_INTRA = frozenset(
    {
        "prores",
        "prores_raw",
        "mjpeg",
        "mjpegb",
        "jpegls",
        "jpeg2000",
        "dvvideo",
        "gif",
        "rawvideo",
        "huffyuv",
        "ffvhuff",
        "utvideo",
    }
    | {"dnxhd", "cfhd", "v210", "v408", "r210", "png", "magicyuv", "hap"}
)
FLAGGED = frozenset({"ffv1", "qtrle", "flv1", "theora"})  # no B pictures
NO_PICTURE_READ = "a packet holds no picture that can be read"
_PATTERN_GOPS, _PATTERN_FRAMES = 3, 60
_MOST_LEADING = 16  # frames that H.264 can hold back, ITU-T H.264 A.3.1
_MOST_INTRA = 20_000
_MOST_HEADS = 20_000  # of slices, kept in case that time stamps tell no order: 5 MB, eleven minutes of 30 frames a second


@dataclass(frozen=True, slots=True, kw_only=True)
class GopResult:
    """What the packets told.

    gop          structure is None where undecided; ``reason`` says why
    stream       what the bitstream states of itself
    frames       frames in the stream, two fields counted once; frames_presented without those that the container discards
    field_pairs  some frames came as two packets or pictures of one field
    frame_pts    presentation times, in ticks, of the frames that are not discarded, in decode order; None where one of them has none
    idr_pts      presentation times, in ticks, of the frames that are IDR-like; () where every frame is
    faults       damage met, one clause each
    """

    gop: Gop
    reason: str | None = None
    stream: StreamHeader = field(default_factory=StreamHeader)
    frames: int | None = None
    frames_presented: int | None = None
    field_pairs: bool = False
    frame_pts: tuple[int, ...] | None = None
    idr_pts: tuple[int, ...] = ()
    faults: tuple[str, ...] = ()


class BitstreamReader(Protocol):
    """One codec's bitstream reader: the kind of picture of each packet, in decode order, and the stream's header."""

    faults: dict[str, int]

    def picture(self, data: Data, keyframe: bool = False) -> int:
        """Flags of bitstream/header.py."""

    def configure(self, extradata: bytes) -> None:
        """Takes in extradata, at the start or changed in mid-stream."""

    def header(self) -> StreamHeader:
        """What the stream states."""


class _FlagReader:
    """Stands in where packets are not read: every frame (``every``) or the container's word decides."""

    def __init__(self, every: bool) -> None:
        self.faults: dict[str, int] = {}
        self._every = every

    def picture(self, data: Data, keyframe: bool = False) -> int:
        """Key or not."""
        return IDR | INTRA if self._every or keyframe else 0

    def configure(self, extradata: bytes) -> None:
        """Nothing to learn."""

    def header(self) -> StreamHeader:
        """Nothing is stated."""
        return StreamHeader()


class GopScanner:
    """Takes every packet of one stream in decode order; ``result`` judges them all. ``timed``: presentation times are to be believed."""

    def __init__(
        self, codec: str, reader: BitstreamReader | None, time_base: Fraction, *, timed: bool = True
    ) -> None:
        self._codec = codec
        self._reader = reader
        self._picture = (reader or _FlagReader(every=False)).picture
        self._h264 = reader if isinstance(reader, H264Reader) else None
        self._time_base = time_base
        self._codes: list[int] = []
        self._pts: list[int | None] = []
        self._discarded: set[int] = set()
        self._timed = timed
        self._shuffled = False  # a time stamp went back: they tell the order of output
        self._latest: int | None = None
        self._heads: dict[int, Head] = {}
        self._following: dict[
            int, list[Head]
        ] = {}  # of an I picture that is no IDR: itself, and what comes next in decode order
        self._latest_intra: list[Head] = []

    def add(
        self, data: Data, pts: int | None, dts: int | None, keyframe: bool, discard: bool = False
    ) -> None:
        """One packet; one of size 0 is passed over."""
        if not len(data):
            return
        code = self._picture(data, keyframe)
        if self._h264 and not self._shuffled:
            self._note_order(self._h264, data, pts)
        if (
            self._h264
            and (code & INTRA or self._latest_intra)
            and not code & (SECOND_FIELD | NO_PICTURE)
        ):
            self._note_following(self._h264, data, code)
        if discard:
            self._discarded.add(len(self._codes))
        self._codes.append(code | KEY if keyframe else code)
        self._pts.append(pts)

    def _note_order(self, reader: H264Reader, data: Data, pts: int | None) -> None:
        """Keep what tells the order of output by the bitstream, as long as time stamps only rise or lack."""
        if self._timed and pts is not None and self._latest is not None and pts < self._latest:
            self._shuffled = True
            self._heads.clear()
            return
        self._latest = self._latest if pts is None else pts
        if len(self._heads) < _MOST_HEADS:
            self._heads[len(self._codes)] = reader.head(data)

    def _note_following(self, reader: H264Reader, data: Data, code: int) -> None:
        """Keep what tells by the bitstream whether pictures that follow an I picture are shown before it: muxers move time stamps."""
        if code & INTRA:
            if code & IDR or len(self._following) >= _MOST_INTRA:
                self._latest_intra = []
                return
            self._latest_intra = self._following[len(self._codes)] = [reader.head(data)]
        elif self._latest_intra and len(self._latest_intra) <= _MOST_LEADING:
            self._latest_intra.append(reader.head(data))

    def configure(self, extradata: bytes) -> None:
        """Extradata that changes in mid-stream, before the packet that it holds for."""
        if self._reader and extradata:
            self._reader.configure(extradata)

    def result(self) -> GopResult:
        """The verdict over every GOP, and what else the packets told."""
        codes, union = self._codes, reduce(or_, set(self._codes), 0)
        odd = union & (SECOND_FIELD | NO_PICTURE | HIDDEN)
        kept = (
            [i for i, code in enumerate(codes) if not code & (SECOND_FIELD | NO_PICTURE | HIDDEN)]
            if odd
            else range(len(codes))
        )
        pts = self._frame_pts(kept) if odd else self._pts
        shown = (
            [time for i, time in zip(kept, pts, strict=True) if i not in self._discarded]
            if self._discarded
            else pts
        )
        header = self._reader.header() if self._reader else StreamHeader()
        told = [time for time in shown if time is not None]
        gop, reason = self._gop([codes[i] for i in kept] if odd else codes, pts, kept, header)
        return GopResult(
            gop=gop,
            reason=reason,
            stream=header,
            frames=len(kept),
            frames_presented=len(shown),
            field_pairs=bool(union & SECOND_FIELD) or bool(header.field_pictures),
            frame_pts=tuple(told) if len(told) == len(shown) else None,
            idr_pts=self._idr_pts(kept, pts),
            faults=self._faults(union),
        )

    def _frame_pts(self, kept: Sequence[int]) -> list[int | None]:
        """One time a frame: its packet's, else that of its second field."""
        second = {i - 1: self._pts[i] for i, code in enumerate(self._codes) if code & SECOND_FIELD}
        return [self._pts[i] if self._pts[i] is not None else second.get(i) for i in kept]

    def _idr_pts(self, kept: Sequence[int], pts: Sequence[int | None]) -> tuple[int, ...]:
        times = [
            time
            for i, time in zip(kept, pts, strict=True)
            if self._codes[i] & IDR and time is not None and i not in self._discarded
        ]
        return () if len(times) == len(kept) else tuple(sorted(times))

    def _faults(self, union: int) -> tuple[str, ...]:
        faults = dict(self._reader.faults) if self._reader else {}
        if union & UNREADABLE:
            faults[NO_PICTURE_READ] = sum(1 for code in self._codes if code & UNREADABLE)
        return tuple(
            clause if count == 1 else f"{clause} ({count} times)"
            for clause, count in faults.items()
        )

    def _gop(
        self,
        codes: Sequence[int],
        pts: Sequence[int | None],
        kept: Sequence[int],
        header: StreamHeader,
    ) -> tuple[Gop, str | None]:
        """The GOPs of the frames ``codes``, and the reason where their structure is left undecided."""
        if self._reader is None:
            return Gop(), f"the GOPs of {self._codec or 'this codec'} are not read"
        points, refreshed = _access_points(codes, by_order=self._h264 is not None)
        order = self._order(codes, pts, kept)
        spans = list(pairwise([*points, len(codes)]))
        nonidr = [start for start, _ in spans if not codes[start] & IDR]
        ends = dict(spans)
        if self._h264 is None:
            opened = (
                [a for a, b in spans if any(code & OPENS for code in codes[a:b])]
                if any(code & OPENS for code in set(codes))
                else []
            )
        elif not nonidr:
            opened = []
        elif order is None:
            return self._lengths(
                Gop(), spans, pts
            ), "neither time stamps nor picture order counts tell the order of output"
        else:
            opened = [a for a in nonidr if min(order[a : ends[a]]) < order[a] or self._led(kept[a])]
        if getattr(self._reader, "intra_is_idr", False):
            nonidr = opened
        decodable = header.parameter_sets_first is not False
        structure: GopStructure | None = _structure(
            codes, points, refreshed, bool(opened), bool(nonidr), decodable
        )
        lost = (
            sum(1 for code in self._codes if code & UNREADABLE)
            if structure in ("closed", "closed-nonidr")
            else 0
        )
        gop = Gop(
            structure=None if lost else structure,
            open_count=len(opened),
            first_open=_seconds(pts[opened[0]], self._time_base) if opened else None,
            nonidr_count=len(nonidr),
            starts_with_idr=bool(codes) and points[:1] == [0] and 0 not in nonidr and decodable,
            reorder_depth=_reorder_depth(order) if order is not None else None,
            pattern=_pattern(codes, spans, set(opened)) or None,
        )
        reason = (
            f"{lost} of {len(self._codes)} packets cannot be read, so not every GOP can be judged"
            if lost
            else None
        )
        return self._lengths(gop, spans, pts), reason

    def _led(self, index: int) -> bool:
        """Whether the picture order counts put a picture before the I picture that it follows."""
        order = output_order(self._following.get(index, ()))
        return order is not None and len(order) > 1 and min(order) < order[0]

    def _lengths(
        self, gop: Gop, spans: Sequence[tuple[int, int]], pts: Sequence[int | None]
    ) -> Gop:
        """``gop`` with the lengths of its GOPs."""
        lengths = [b - a for a, b in spans]
        if not lengths:
            return replace(gop, count=0)
        times = [pts[a] for a, _ in spans]
        known = sorted(time for time in times if time is not None)
        longest = (
            max((b - a for a, b in pairwise(known)), default=None)
            if len(known) == len(times)
            else None
        )
        return replace(
            gop,
            count=len(lengths),
            length_min=min(lengths),
            length_mean=Fraction(sum(lengths), len(lengths)),
            length_max=max(lengths),
            keyframe_interval_max=_seconds(longest, self._time_base),
        )

    def _order(
        self, codes: Sequence[int], pts: Sequence[int | None], kept: Sequence[int]
    ) -> Sequence[int] | None:
        """Numbers that sort like the frames' output times: pts; where they are missing, or in decode order although there are B pictures
        (AVI), H.264's picture order counts. None where nothing tells."""
        known = [time for time in pts if time is not None]
        told = known if len(known) == len(pts) else None
        if (
            self._h264 is None
            or self._shuffled
            or (told is not None and not any(code & BIDIRECTIONAL for code in set(codes)))
        ):
            return told
        heads = [self._heads[i] for i in kept if i in self._heads]
        if len(heads) < len(kept):
            return None
        return output_order(heads) or (told if self._timed else None)


def _seconds(ticks: int | None, time_base: Fraction) -> Fraction | None:
    return None if ticks is None else ticks * time_base


def _access_points(codes: Sequence[int], by_order: bool) -> tuple[list[int], bool]:
    """The frames at which decoding may start, and whether the stream refreshes gradually.

    ``by_order`` (H.264): an I picture counts when the container flags it, unless the flags lie (frames that are not intra carry them all);
    where the stream does not begin with a random access point, every I picture counts.
    """
    kinds = set(codes)
    inter_keys = {code for code in kinds if code & KEY and not code & (IDR | RAP | INTRA)}
    lying = by_order and bool(inter_keys) and all(code & KEY for code in kinds)
    start = codes[0] if codes else 0
    promoted = by_order and not (
        start & (IDR | RAP) or (start & INTRA and start & KEY and not lying)
    )
    points = {code for code in kinds if code & (IDR | RAP)}
    if by_order:
        points |= {
            code
            for code in kinds
            if code & INTRA and not code & REFRESH and (promoted or (code & KEY and not lying))
        }
    refreshed = not lying and (
        any(code & KEY and code & REFRESH for code in kinds) or (by_order and bool(inter_keys))
    )
    return [i for i, code in enumerate(codes) if code in points], refreshed


def _structure(
    codes: Sequence[int],
    points: Sequence[int],
    refreshed: bool,
    opened: bool,
    nonidr: bool,
    decodable: bool,
) -> GopStructure:
    """The worst verdict."""
    if not points:
        return "gdr" if refreshed else "no-rap"
    if not decodable or points[0] != 0:
        return "gdr" if decodable and refreshed and codes[0] & (REFRESH | KEY) else "starts-mid-gop"
    if refreshed:
        return "gdr"
    return "open" if opened else "closed-nonidr" if nonidr else "closed"


def _reorder_depth(order: Sequence[int]) -> int:
    """The longest run of frames that are shown before a frame decoded earlier."""
    if list(order) == sorted(order):
        return 0
    longest = run = 0
    highest = order[0]
    for time in order:
        if time < highest:
            run += 1
        else:
            highest, longest, run = time, max(longest, run), 0
    return max(longest, run)


def _pattern(codes: Sequence[int], spans: Sequence[tuple[int, int]], opened: set[int]) -> str:
    """The first GOPs as letters in decode order, I for every intra picture; cut at 60 frames a GOP."""
    texts = []
    for a, b in spans[:_PATTERN_GOPS]:
        part = codes[a : min(b, a + _PATTERN_FRAMES)]
        text = "".join(
            "I" if code & (IDR | RAP | INTRA) else "B" if code & BIDIRECTIONAL else "P"
            for code in part
        )
        text += f"...+{b - a - _PATTERN_FRAMES}" if b - a > _PATTERN_FRAMES else ""
        texts.append(f"({text})" if a in opened else text)
    return "|".join(texts)


_READERS = {  # codec: module and class; imported when a file is met that needs it
    "h264": "h264:H264Reader",
    "hevc": "hevc:HevcReader",
    "vvc": "vvc:VvcReader",
    "mpeg1video": "mpeg2:Mpeg2Reader",
    "mpeg2video": "mpeg2:Mpeg2Reader",
    "mpeg4": "mpeg4:Mpeg4Reader",
    "vp8": "vp9:Vp8Reader",
    "vp9": "vp9:Vp9Reader",
    "av1": "av1:Av1Reader",
}


def _reader(codec: str, extradata: bytes | None) -> BitstreamReader | None:
    if codec in ALL_INTRA or codec in FLAGGED:
        return _FlagReader(every=codec in ALL_INTRA)
    module, _, name = _READERS.get(codec, "").partition(":")
    if not module:
        return None
    make: Callable[[bytes | None], BitstreamReader] = getattr(
        import_module(f"mediaprep.probing.bitstream.{module}"), name
    )
    return make(extradata)


def scanner(
    codec: str, extradata: bytes | None, time_base: Fraction, *, timed: bool = True
) -> GopScanner:
    """A scanner for one stream; ``codec`` by ffmpeg's name. A codec whose GOPs are not read still counts frames and times. Not ``timed``:
    the container has no presentation times, so the demuxer made them up (AVI)."""
    return GopScanner(codec, _reader(codec, extradata), time_base, timed=timed)
