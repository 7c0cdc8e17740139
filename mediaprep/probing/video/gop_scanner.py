"""Scan every packet of a stream in decode order, and judge its groups of pictures. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from importlib import import_module
from itertools import pairwise
from operator import or_
from typing import NamedTuple

from mediaprep.model.media import Gop, GopStructure
from mediaprep.probing.bitstream.h264 import H264Reader
from mediaprep.probing.bitstream.header import (
    BIDIRECTIONAL,
    HIDDEN,
    IDR,
    INTRA,
    KEY,
    NO_PICTURE,
    SECOND_FIELD,
    UNREADABLE,
    StreamHeader,
)
from mediaprep.probing.bitstream.nal import Data
from mediaprep.probing.bitstream.reader import BitstreamReader
from mediaprep.probing.video import gop_structure
from mediaprep.probing.video.gop_structure import Span
from mediaprep.probing.video.slice_order import SliceOrder

# Codecs (by ffmpeg's names) without prediction between frames.
ALL_INTRA = frozenset(
    {
        *("prores", "prores_raw", "mjpeg", "mjpegb", "jpegls", "jpeg2000", "dvvideo", "gif"),
        *("rawvideo", "huffyuv", "ffvhuff", "utvideo", "dnxhd", "cfhd", "v210", "v408", "r210"),
        *("png", "magicyuv", "hap"),
    }
)
# Codecs without B pictures, of which only the container's key flags are known.
KEY_FLAGS_ONLY = frozenset({"ffv1", "qtrle", "flv1", "theora"})
# Modules and classes of the readers; imported when a stream needs one.
_READERS = {
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
NO_PICTURE_READ = "a packet holds no picture that can be read"
_NOT_A_FRAME = SECOND_FIELD | NO_PICTURE | HIDDEN


@dataclass(frozen=True, slots=True, kw_only=True)
class GopResult:
    """What the packets of a stream show.

    gop               its structure is None if it is undecided; ``reason`` says why
    stream            what the bitstream states about itself
    frames            frames of the stream; two fields count once
    frames_presented  frames that the container does not discard
    frame_pts         presentation times in ticks, in decode order, of the frames that are
                      presented; None if one of them has no time
    idr_pts           sorted presentation times in ticks of the frames that are IDR-like; () if
                      every frame is
    faults            damage that was found, one clause each
    """

    gop: Gop
    reason: str | None = None
    stream: StreamHeader = field(default_factory=StreamHeader)
    frames: int | None = None
    frames_presented: int | None = None
    frame_pts: tuple[int, ...] | None = None
    idr_pts: tuple[int, ...] = ()
    faults: tuple[str, ...] = ()


class KeyFlagReader(BitstreamReader):
    """Classify packets without reading them: all are intra, or the container's flags decide."""

    def __init__(self, *, all_intra: bool) -> None:
        super().__init__()
        self._all_intra = all_intra

    def classify(self, data: Data, keyframe: bool = False) -> int:
        """Return the flags of the packet's picture."""
        return IDR | INTRA if self._all_intra or keyframe else 0

    def configure(self, extradata: bytes) -> None:
        """Do nothing: extradata is not read."""

    def header(self) -> StreamHeader:
        """Return an empty header."""
        return StreamHeader()


class _Frames(NamedTuple):
    """The frames of a stream in decode order; hidden pictures and second fields are left out.

    packets  index of each frame's (first) packet
    flags    flags of each frame
    pts      presentation time of each frame, in ticks
    """

    packets: Sequence[int]
    flags: Sequence[int]
    pts: Sequence[int | None]


class GopScanner:
    """Collect the flags of every packet of one stream; ``result`` judges all GOPs."""

    def __init__(
        self, codec: str, reader: BitstreamReader | None, time_base: Fraction, *, has_pts: bool
    ) -> None:
        self._codec = codec
        self._reader = reader
        self._classify = (reader or KeyFlagReader(all_intra=False)).classify
        self._slices: SliceOrder | None = None
        if isinstance(reader, H264Reader):
            self._slices = SliceOrder(reader, has_pts=has_pts)
        self._time_base = time_base
        self._has_pts = has_pts
        # One of each per packet
        self._flags: list[int] = []
        self._pts: list[int | None] = []
        self._discarded: set[int] = set()

    def add(self, data: Data, pts: int | None, keyframe: bool, discard: bool = False) -> None:
        """Scan the next packet; an empty one is ignored."""
        if not len(data):
            return
        flags = self._classify(data, keyframe)
        slices = self._slices
        if slices and (flags & INTRA or slices.is_collecting):
            slices.add(len(self._flags), data, pts, flags)
        if discard:
            self._discarded.add(len(self._flags))
        self._flags.append(flags | KEY if keyframe else flags)
        self._pts.append(pts)

    def result(self) -> GopResult:
        """Judge all GOPs, and return what else the packets show."""
        union = reduce(or_, set(self._flags), 0)
        frames = self._frames(union)
        presented = frames.pts
        if self._discarded:
            presented = [
                time
                for packet, time in zip(frames.packets, frames.pts, strict=True)
                if packet not in self._discarded
            ]
        known = [time for time in presented if time is not None]
        header = self._reader.header() if self._reader else StreamHeader()
        gop, reason = self._gop(frames, header)
        return GopResult(
            gop=gop,
            reason=reason,
            stream=header,
            frames=len(frames.packets),
            frames_presented=len(presented),
            frame_pts=tuple(known) if len(known) == len(presented) else None,
            idr_pts=self._idr_pts(frames),
            faults=self._faults(union),
        )

    def _frames(self, union: int) -> _Frames:
        """Return the frames; ``union``: the flags of all packets together."""
        if not union & _NOT_A_FRAME:
            return _Frames(range(len(self._flags)), self._flags, self._pts)
        packets = [i for i, flags in enumerate(self._flags) if not flags & _NOT_A_FRAME]
        second_fields = {
            i - 1: self._pts[i] for i, flags in enumerate(self._flags) if flags & SECOND_FIELD
        }
        pts = [self._pts[i] if self._pts[i] is not None else second_fields.get(i) for i in packets]
        return _Frames(packets, [self._flags[i] for i in packets], pts)

    def _idr_pts(self, frames: _Frames) -> tuple[int, ...]:
        times = [
            time
            for packet, flags, time in zip(*frames, strict=True)
            if flags & IDR and time is not None and packet not in self._discarded
        ]
        return () if len(times) == len(frames.packets) else tuple(sorted(times))

    def _faults(self, union: int) -> tuple[str, ...]:
        faults = dict(self._reader.faults) if self._reader else {}
        if union & UNREADABLE:
            faults[NO_PICTURE_READ] = self._unreadable()
        return tuple(
            clause if count == 1 else f"{clause} ({count} times)"
            for clause, count in faults.items()
        )

    def _unreadable(self) -> int:
        return sum(1 for flags in self._flags if flags & UNREADABLE)

    def _gop(self, frames: _Frames, header: StreamHeader) -> tuple[Gop, str | None]:
        """Judge the GOPs; the second value says why their structure is undecided."""
        if self._reader is None:
            return Gop(), f"GOPs of {self._codec or 'this codec'} are not supported"
        flags, pts = frames.flags, frames.pts
        points, refreshes = gop_structure.access_points(flags, is_h264=self._slices is not None)
        spans = list(pairwise([*points, len(flags)]))
        nonidr = [start for start, _ in spans if not flags[start] & IDR]
        order = self._output_order(frames)
        opened = self._open_gops(frames, spans, nonidr, order)
        reason: str | None = None
        if opened is None:
            reason = "neither timestamps nor picture order counts show the output order"
            return gop_structure.with_lengths(Gop(), spans, pts, self._time_base), reason
        if self._reader.intra_is_idr:
            nonidr = opened
        decodable = header.parameter_sets_first is not False
        structure: GopStructure | None = gop_structure.structure(
            flags,
            points,
            refreshes=refreshes,
            has_open=bool(opened),
            has_nonidr=bool(nonidr),
            decodable=decodable,
        )
        if structure in ("closed", "closed-nonidr") and (unreadable := self._unreadable()):
            structure = None
            reason = (
                f"{unreadable} of {len(self._flags)} packets cannot be read,"
                " so not every GOP can be judged"
            )
        first_open = pts[opened[0]] if opened else None
        gop = Gop(
            structure=structure,
            open_count=len(opened),
            first_open=None if first_open is None else first_open * self._time_base,
            nonidr_count=len(nonidr),
            starts_with_idr=bool(flags) and points[:1] == [0] and 0 not in nonidr and decodable,
            reorder_depth=None if order is None else gop_structure.reorder_depth(order),
            pattern=gop_structure.pattern(flags, spans, opened) or None,
        )
        return gop_structure.with_lengths(gop, spans, pts, self._time_base), reason

    def _open_gops(
        self,
        frames: _Frames,
        spans: Sequence[Span],
        nonidr: Sequence[int],
        order: Sequence[int] | None,
    ) -> list[int] | None:
        """Return the first frame of each open GOP; None if that depends on an unknown order."""
        slices = self._slices
        if slices is None:
            return gop_structure.open_spans(frames.flags, spans)
        if not nonidr:
            return []
        if order is None:
            return None
        ends = dict(spans)
        return [
            start
            for start in nonidr
            if min(order[start : ends[start]]) < order[start]
            or slices.is_led(frames.packets[start])
        ]

    def _output_order(self, frames: _Frames) -> Sequence[int] | None:
        """Return numbers that sort like the frames' output times; None if the order is unknown.

        They are the presentation times. If these are missing, or rise in decode order although
        there are B pictures (AVI), they are H.264's picture order counts.
        """
        known = [time for time in frames.pts if time is not None]
        times = known if len(known) == len(frames.pts) else None
        slices = self._slices
        if slices is None or slices.pts_show_order:
            return times
        if times is not None and not any(flags & BIDIRECTIONAL for flags in set(frames.flags)):
            return times
        if not slices.has_all(frames.packets):
            return None
        return slices.of_packets(frames.packets) or (times if self._has_pts else None)


def scanner_for(
    codec: str, extradata: bytes | None, time_base: Fraction, *, has_pts: bool = True
) -> GopScanner:
    """Return a scanner for one stream.

    codec    ffmpeg's name; if its GOPs are not supported, frames and times are still counted
    has_pts  False: the container has no presentation times and the demuxer made them up (AVI)
    """
    return GopScanner(codec, _reader(codec, extradata), time_base, has_pts=has_pts)


def _reader(codec: str, extradata: bytes | None) -> BitstreamReader | None:
    if codec in ALL_INTRA or codec in KEY_FLAGS_ONLY:
        return KeyFlagReader(all_intra=codec in ALL_INTRA)
    module, _, name = _READERS.get(codec, "").partition(":")
    if not module:
        return None
    make: Callable[[bytes | None], BitstreamReader] = getattr(
        import_module(f"mediaprep.probing.bitstream.{module}"), name
    )
    return make(extradata)
