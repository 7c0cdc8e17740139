"""Scan type by the flags of stream and container, and the verdict with the content. Pure."""

from __future__ import annotations

from mediaprep.model.media import Scan, ScanContent, ScanFlag
from mediaprep.probing.bitstream.header import StreamHeader

# Codecs whose frames each carry an interlaced flag, by ffmpeg's names
_FLAG_EACH_FRAME = frozenset(
    {"h264", "hevc", "mpeg2video", "mpeg4", "dvvideo", "prores", "vc1", "wmv3"}
)
# AVFieldOrder: TT, BB; TB and BT are QuickTime's and Matroska's 9 and 14, interleaved fields whose
# first line is early or late (Apple TN2162).
_PROGRESSIVE = 1
_TFF, _BFF = {2, 4}, {3, 5}
# pic_struct, ITU-T H.264 table D-1
_PAIRED_FIELDS, _TOP_FIRST, _REPEATS = (3, 4, 5, 6), (3, 5), {5, 6}


def scan_flags(
    codec: str | None,
    field_order: int,
    header: StreamHeader,
    flagged: tuple[bool, ...],
    parities: frozenset[str],
) -> ScanFlag | None:
    """Return the scan type that stream and container declare; None if they declare none.

    field_order  AVFieldOrder: 0 unknown, 1 progressive, 2 to 5 interlaced
    flagged      the interlaced flag of each decoded frame
    parities     field orders of the frames that have the flag; they outweigh ``field_order``, which
                 is wrong for x264's bff streams

    frame_mbs_only 0 alone declares nothing: x264's fake-interlaced frames are progressive.
    """
    has_fields = header.field_seq or header.field_pictures
    if has_fields or any(flagged) or field_order > _PROGRESSIVE:
        if any(flagged) and not all(flagged) and field_order <= _PROGRESSIVE:
            return "mixed"
        return _flagged_parity(field_order, header, parities)
    if field_order == _PROGRESSIVE or header.progressive_sequence or header.frame_mbs_only:
        return "progressive"
    if flagged:
        return "progressive" if codec in _FLAG_EACH_FRAME else "unspecified"
    return None


def _flagged_parity(field_order: int, header: StreamHeader, parities: frozenset[str]) -> ScanFlag:
    if parities:
        return _parity({parity == "tff" for parity in parities})
    if field_order in _TFF:
        return "tff"
    if field_order in _BFF:
        return "bff"
    top_first = set(header.top_field_first or ())
    top_first |= {
        struct in _TOP_FIRST for struct in header.pic_struct or () if struct in _PAIRED_FIELDS
    }
    return _parity(top_first)


def _parity(top_first: set[bool]) -> ScanFlag:
    if len(top_first) != 1:
        return "interlaced"
    return "tff" if True in top_first else "bff"


def soft_telecine(header: StreamHeader) -> bool:
    """Return True if progressive pictures have fields repeated by flags alone.

    The flags are MPEG-2's repeat_first_field, and pic_struct 5 and 6.
    """
    repeats = header.repeat_first_field and any(header.repeat_first_field)
    return bool(repeats or set(header.pic_struct or ()) & _REPEATS)


def scan_type(
    flags: ScanFlag | None, content: ScanContent | None, *, soft: bool, conclusive: bool = True
) -> Scan | None:
    """Return the verdict; None if nothing is known.

    Interlaced or telecined content outweighs any flag. If the content is undetermined (a still or
    noisy picture) or not conclusive (few frames that happen to look progressive), the flag decides.
    """
    flagged = flags in ("tff", "bff", "interlaced", "mixed")
    if content in ("tff", "bff"):
        return "interlaced"
    if content == "telecine":
        return "telecine"
    if content == "progressive" and (conclusive or not flagged):
        if soft:
            return "soft-telecine"
        return "psf" if flagged else "progressive"
    if flags is None:
        return None
    if soft and flags != "mixed":
        return "soft-telecine"
    return "interlaced" if flagged else "progressive"
