"""What a bitstream states about itself, and the flags that describe one picture."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

# One picture, as ``BitstreamReader.classify`` returns it: a sum of these.
IDR = 1  # random access point; no later picture refers to an earlier one
# Random access point whose leading pictures may refer to earlier ones: recovery point I picture,
# CRA, MPEG I picture with B pictures to follow ...
NON_IDR_RAP = 2
INTRA = 4  # intra slices only
BIDIRECTIONAL = 8  # B slices
REFRESH = 16  # recovery point of a gradual refresh: correct only some frames after decoding starts
# Leading picture that may refer to a picture before its random access point: RASL, B picture right
# after the I picture of an open GOP.
OPEN_LEADING = 32
SECOND_FIELD = 64  # completes the frame of the previous packet
HIDDEN = 128  # decoded, but not shown by itself
NO_PICTURE = 256  # holds only parameter sets and the like
KEY = 512  # the container flags it as key (set by the GOP scanner)
UNREADABLE = 1024  # with NO_PICTURE: may hold a picture, but the packet is damaged or encrypted


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamHeader:
    """The facts that parameter sets, sequence headers and SEI state; None = not stated.

    profile, level        by ffmpeg's names: "Constrained Baseline", "High 10"; "4.1", "1b"
    chroma                4:2:0, 4:2:2, 4:4:4, 4:0:0, 4:4:0, 4:1:1 or rgb (matrix code 0)
    width, height         luma samples after the bitstream's crop
    sar                   as stated; None if unspecified
    full_range            the range flag
    primaries, transfer, matrix
                          ITU-T H.273 codes
    alternative_transfer  from SEI message 147
    timing_rate           frames per second by the stream's own timing information
    frame_mbs_only        H.264 SPS
    field_pictures        some pictures are single fields
    pic_struct            values in picture timing SEI (H.264 table D-1, H.265 table D.2), sorted
    progressive_sequence  MPEG-2 sequence extension; MPEG-4: not interlaced; HEVC: the progressive
                          and interlaced source flags, if they differ
    field_seq             HEVC: every picture is a field
    top_field_first, repeat_first_field
                          values in MPEG-2 pictures (top_field_first: MPEG-4 too), sorted
    size_changes          parameter sets with different picture sizes were used
    mastering_display, hdr10_plus
                          the stream holds such metadata
    parameter_sets_first  all parameter sets that the first picture needs precede it
    """

    profile: str | None = None
    level: str | None = None
    chroma: str | None = None
    bit_depth: int | None = None
    width: int | None = None
    height: int | None = None
    sar: Fraction | None = None
    full_range: bool | None = None
    primaries: int | None = None
    transfer: int | None = None
    matrix: int | None = None
    alternative_transfer: int | None = None
    timing_rate: Fraction | None = None
    frame_mbs_only: bool | None = None
    field_pictures: bool | None = None
    pic_struct: tuple[int, ...] | None = None
    progressive_sequence: bool | None = None
    field_seq: bool | None = None
    top_field_first: tuple[bool, ...] | None = None
    repeat_first_field: tuple[bool, ...] | None = None
    size_changes: bool | None = None
    mastering_display: bool | None = None
    hdr10_plus: bool | None = None
    parameter_sets_first: bool | None = None
