"""The base of the bitstream readers of one codec each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from mediaprep.probing.bitstream.header import StreamHeader
from mediaprep.probing.bitstream.nal import Data


class BitstreamReader(ABC):
    """Classify the packets of one stream in decode order, and collect what the stream states.

    ``faults``: damage that was found, as clauses with their number of occurrences.
    """

    # Only B pictures refer back past an I picture, so an I picture without open leading B pictures
    # is equivalent to an IDR picture (MPEG-1, MPEG-2, MPEG-4 part 2).
    intra_is_idr: ClassVar[bool] = False

    def __init__(self) -> None:
        self.faults: dict[str, int] = {}
        self._first_header: StreamHeader | None = None
        self._sizes: set[tuple[int | None, int | None]] = set()

    @abstractmethod
    def configure(self, extradata: bytes) -> None:
        """Read extradata, at the start of the stream or when it changes later."""

    @abstractmethod
    def classify(self, data: Data, keyframe: bool = False) -> int:
        """Return the picture flags (header.py) of one packet.

        ``keyframe``: the container flags the packet as key.
        """

    @abstractmethod
    def header(self) -> StreamHeader:
        """Return what the stream stated up to now."""

    @property
    def _size_changes(self) -> bool | None:
        return len(self._sizes) > 1 if self._sizes else None

    def _use_header(self, header: StreamHeader) -> None:
        """Record that a picture uses ``header``."""
        self._first_header = self._first_header or header
        self._sizes.add((header.width, header.height))

    def _add_fault(self, clause: str) -> None:
        self.faults[clause] = self.faults.get(clause, 0) + 1
