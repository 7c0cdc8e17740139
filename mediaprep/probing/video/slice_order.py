"""Output order of H.264 pictures by their picture order counts, where timestamps may lack it."""

from __future__ import annotations

from collections.abc import Sequence

from mediaprep.probing.bitstream.h264 import H264Reader
from mediaprep.probing.bitstream.h264_slices import SliceFront, output_order
from mediaprep.probing.bitstream.header import IDR, INTRA, NO_PICTURE, SECOND_FIELD
from mediaprep.probing.bitstream.nal import Data

_MOST_LEADING = 16  # frames that H.264 can hold back, ITU-T H.264 A.3.1
_MOST_INTRA = 20_000
# Slice fronts of all packets: 5 MB for eleven minutes of 30 frames per second.
_MOST_FRONTS = 20_000


class SliceOrder:
    """Collect the fronts of slices that may be needed to order pictures.

    Those of all packets, while timestamps only rise: these may not show the order. Also those of
    each I picture that is not IDR and of the next pictures in decode order: muxers that repair
    timestamps put leading pictures behind their I picture.

    has_pts         False: the container has no presentation times
    pts_show_order  a timestamp went back, so that they are in output order
    is_collecting   every packet must be added; else only those of intra pictures
    """

    __slots__ = (
        *("_from_intra", "_fronts", "_has_pts", "_latest_intra", "_latest_pts", "_reader"),
        *("is_collecting", "pts_show_order"),
    )

    def __init__(self, reader: H264Reader, *, has_pts: bool) -> None:
        self._reader = reader
        self._has_pts = has_pts
        self._latest_pts: int | None = None
        self._fronts: dict[int, SliceFront] = {}  # by packet
        self._from_intra: dict[int, list[SliceFront]] = {}  # by packet of the I picture
        self._latest_intra: list[SliceFront] = []
        self.pts_show_order = False
        self.is_collecting = True

    def add(self, packet: int, data: Data, pts: int | None, flags: int) -> None:
        """Add the packet that was classified last; ``packet``: its index."""
        if not self.pts_show_order:
            self._store_front(packet, data, pts)
        if not flags & (SECOND_FIELD | NO_PICTURE):
            self._store_from_intra(packet, data, flags)
        may_lead = 0 < len(self._latest_intra) <= _MOST_LEADING
        self.is_collecting = may_lead or not self.pts_show_order

    def _store_front(self, packet: int, data: Data, pts: int | None) -> None:
        if pts is not None:
            if self._has_pts and self._latest_pts is not None and pts < self._latest_pts:
                self.pts_show_order = True
                self._fronts.clear()
                return
            self._latest_pts = pts
        if len(self._fronts) < _MOST_FRONTS:
            self._fronts[packet] = self._reader.slice_front(data)

    def _store_from_intra(self, packet: int, data: Data, flags: int) -> None:
        if flags & INTRA:
            if flags & IDR or len(self._from_intra) >= _MOST_INTRA:
                self._latest_intra = []
                return
            self._latest_intra = self._from_intra[packet] = [self._reader.slice_front(data)]
        elif 0 < len(self._latest_intra) <= _MOST_LEADING:
            self._latest_intra.append(self._reader.slice_front(data))

    def has_all(self, packets: Sequence[int]) -> bool:
        """Return True if the slice fronts of all these packets were stored."""
        return all(packet in self._fronts for packet in packets)

    def of_packets(self, packets: Sequence[int]) -> list[int] | None:
        """Return numbers that sort like the packets' output times; None if the order is unknown."""
        return output_order(self._fronts[packet] for packet in packets)

    def is_led(self, packet: int) -> bool:
        """Return True if a picture after the I picture of ``packet`` is shown before it."""
        order = output_order(self._from_intra.get(packet, ()))
        return order is not None and len(order) > 1 and min(order) < order[0]
