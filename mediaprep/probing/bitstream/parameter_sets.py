"""What the readers of H.264 and HEVC share: parameter sets, SEI messages, the stream's header."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Generic, NamedTuple, Protocol, TypeVar

from mediaprep.probing.bitstream.bits import BitReader, BitstreamDamaged
from mediaprep.probing.bitstream.header import StreamHeader
from mediaprep.probing.bitstream.nal import sei_messages, stream_facts
from mediaprep.probing.bitstream.reader import BitstreamReader

_PICTURE_TIMING, _RECOVERY_POINT = 1, 6  # SEI payload types, the same in H.264 and H.265
_SEI_CACHED = 256  # NAL units with SEI messages that are remembered


class SequenceParameterSet(Protocol):
    """What both codecs' sequence parameter sets hold."""

    @property
    def header(self) -> StreamHeader:
        """What the set states about the stream."""

    @property
    def pic_struct_offset(self) -> int | None:
        """Bits before pic_struct in a picture timing SEI message; None: it holds no pic_struct."""


Sps = TypeVar("Sps", bound=SequenceParameterSet)


class PictureSei(NamedTuple):
    """What an SEI NAL unit states about its picture.

    recovery    frames after which decoding from this picture is correct; None: no recovery point
    pic_struct  None: not stated
    """

    recovery: int | None
    pic_struct: int | None


class ParameterSetReader(BitstreamReader, Generic[Sps]):
    """A reader of a codec with parameter sets and SEI messages."""

    def __init__(self) -> None:
        super().__init__()
        self._sps: dict[int, Sps] = {}
        self._active: Sps | None = None
        # Find the active set at the next slice: a set has changed since.
        self._activation_due = True
        # Parameter sets as they were read, so that repetitions cost nothing.
        self._raw_sets: dict[tuple[int, int], bytes] = {}
        self._sets_in_band = False  # a packet held a parameter set
        # The sets were in Annex B extradata: perhaps the demuxer's copy of sets that come later.
        self._sets_in_annex_b = False
        self._sets_first: bool | None = None  # parameter sets preceded the first slice
        self._length_size = 0  # of length prefixes, in bytes; 0: start codes
        self._harmless = True  # the last packet without a picture held no damaged NAL unit
        self._sei: dict[bytes, PictureSei] = {}
        self._sei_facts: dict[str, object] = {}
        self._pic_structs: set[int] = set()

    @abstractmethod
    def _recovery(self, payload: bytes) -> int:
        """Read the payload of a recovery point SEI message. Raises: BitstreamDamaged."""

    @abstractmethod
    def _has_field_pictures(self, header: StreamHeader) -> bool:
        """Return True if some pictures are single fields."""

    def header(self) -> StreamHeader:
        """Return what the set used first states, and what later sets and messages add."""
        stated = next((sps.header for sps in self._sps.values()), StreamHeader())
        first = self._first_header or stated
        return replace(
            first,
            field_pictures=self._has_field_pictures(first),
            pic_struct=tuple(sorted(self._pic_structs)) or None,
            size_changes=self._size_changes,
            parameter_sets_first=(
                not self._sets_in_band if self._sets_in_annex_b else self._sets_first
            ),
            **self._sei_facts,  # type: ignore[arg-type]
        )

    def _activate(self, sps: Sps | None) -> bool:
        """Make ``sps`` the active set; return False if the set is missing (None)."""
        if self._sets_first is None and not self._sets_in_annex_b:
            self._sets_first = sps is not None and (self._sets_in_band or self._length_size > 0)
            self._sets_in_annex_b = sps is not None and not self._sets_first
        if sps is None:
            return False
        self._active, self._activation_due = sps, False
        self._use_header(sps.header)
        return True

    def _picture_sei(self, unit: bytes, rbsp: bytes) -> PictureSei:
        """Read the SEI messages of a NAL unit; a repetition of a unit costs nothing."""
        if unit not in self._sei:
            if len(self._sei) >= _SEI_CACHED:
                self._sei.clear()
            self._sei[unit] = self._read_messages(rbsp)
        return self._sei[unit]

    def _read_messages(self, rbsp: bytes) -> PictureSei:
        recovery = pic_struct = None
        sps = self._active or next(iter(self._sps.values()), None)
        offset = None if sps is None else sps.pic_struct_offset
        for kind, payload in sei_messages(rbsp):
            try:
                if kind == _RECOVERY_POINT:
                    recovery = self._recovery(payload)
                elif kind == _PICTURE_TIMING and offset is not None:
                    bits = BitReader(payload)
                    bits.skip(offset)
                    pic_struct = bits.u(4)
                    self._pic_structs.add(pic_struct)
                else:
                    self._sei_facts |= stream_facts(kind, payload)
            except BitstreamDamaged:
                self._add_fault("an SEI message is damaged")
        return PictureSei(recovery, pic_struct)
