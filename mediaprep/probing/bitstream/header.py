"""What a bitstream states about itself, and the flags by which readers describe one picture."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

# One picture, as a reader's ``picture`` returns it: a sum of these.
IDR = 1  # random access point that nothing after it can reach behind
RAP = 2  # random access point that leading pictures may reach behind (recovery point I, CRA, MPEG I with B to follow ...)
INTRA = 4  # intra slices only
BIDIRECTIONAL = 8  # B slices
REFRESH = 16  # recovery point of a gradual refresh: decoding may start here, and is right only some frames later
OPENS = 32  # leading picture that may refer to before its random access point (RASL, B right after an I of an open GOP)
SECOND_FIELD = 64  # completes the frame of the packet before
HIDDEN = 128  # decoded, not shown by itself
NO_PICTURE = 256  # nothing but parameter sets and the like
UNREADABLE = 1024  # with NO_PICTURE: there may be a picture, but the packet is damaged or encrypted
KEY = 512  # the container flags it as key (set by the scanner)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamHeader:
    """The facts that parameter sets, sequence headers and SEI state; None where nothing states them.

    profile_idc, constraints   the codec's own numbers; constraints: constraint_set0_flag is the highest of 8 bits (H.264)
    profile, level     by ffmpeg's names: "Constrained Baseline", "High 10", "Main 10"; "4.1", "1b"
    chroma             4:2:0, 4:2:2, 4:4:4, 4:0:0, 4:4:0, 4:1:1 or rgb (matrix code 0)
    width, height      luma samples after the bitstream's crop
    sar                as stated; None where unspecified
    full_range         the range flag; primaries, transfer, matrix: ITU-T H.273 codes; alternative_transfer: from SEI 147
    timing_rate        frames a second that the stream's own timing information announces
    frame_mbs_only, mbaff      H.264 SPS; field_pictures: pictures of one field were met
    pic_struct         values met in picture timing SEI (H.264 table D-1, H.265 table D.2), sorted
    progressive_sequence       MPEG-2 sequence extension; MPEG-4: not interlaced; HEVC: the progressive and interlaced source flags, where
                       they differ
    field_seq          HEVC: every picture is a field
    progressive_frame, top_field_first, repeat_first_field   values met in MPEG-2 (MPEG-4: top_field_first) pictures, sorted
    packed_b           MPEG-4: several pictures in one packet (DivX packed bitstream)
    size_changes       sets of different picture size were used
    sei_rotation       degrees anticlockwise, of the display orientation SEI; sei_hflip, sei_vflip likewise
    mastering_display, content_light, hdr10_plus   such metadata was met
    parameter_sets_first       all parameter sets that the first picture needs come before it
    """

    profile_idc: int | None = None
    constraints: int | None = None
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
    mbaff: bool | None = None
    field_pictures: bool | None = None
    pic_struct: tuple[int, ...] | None = None
    progressive_sequence: bool | None = None
    field_seq: bool | None = None
    progressive_frame: tuple[bool, ...] | None = None
    top_field_first: tuple[bool, ...] | None = None
    repeat_first_field: tuple[bool, ...] | None = None
    packed_b: bool | None = None
    size_changes: bool | None = None
    sei_rotation: Fraction | None = None
    sei_hflip: bool | None = None
    sei_vflip: bool | None = None
    mastering_display: bool | None = None
    content_light: bool | None = None
    hdr10_plus: bool | None = None
    parameter_sets_first: bool | None = None
