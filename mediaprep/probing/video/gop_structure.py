"""Groups of pictures: from the flags of all frames to their structure. Pure.

A GOP reaches from one random access point to the next, in decode order (ITU-T H.264 7.4.1.2.1,
H.265 8.1.3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from mediaprep.model.media import Gop, GopStructure
from mediaprep.probing.bitstream.header import (
    BIDIRECTIONAL,
    IDR,
    INTRA,
    KEY,
    NON_IDR_RAP,
    OPEN_LEADING,
    REFRESH,
)

_PATTERN_GOPS, _PATTERN_FRAMES = 3, 60

Span = tuple[int, int]  # first frame of a GOP, and of the next one


def access_points(flags: Sequence[int], *, is_h264: bool) -> tuple[list[int], bool]:
    """Return the frames at which decoding may start, and whether the stream refreshes gradually.

    In H.264 an I picture counts if the container flags it as key, unless the container's flags are
    wrong (all frames have them, frames that are not intra included). If the stream does not begin
    with a random access point, every I picture counts.
    """
    kinds = set(flags)
    inter_keys = is_h264 and any(
        kind & KEY and not kind & (IDR | NON_IDR_RAP | INTRA) for kind in kinds
    )
    wrong_keys = inter_keys and all(kind & KEY for kind in kinds)
    start = flags[0] if flags else 0
    starts_well = start & (IDR | NON_IDR_RAP) or (start & INTRA and start & KEY and not wrong_keys)

    def is_point(kind: int) -> bool:
        if kind & (IDR | NON_IDR_RAP):
            return True
        if not is_h264 or not kind & INTRA or kind & REFRESH:
            return False
        return not starts_well or bool(kind & KEY and not wrong_keys)

    points = {kind for kind in kinds if is_point(kind)}
    refreshed_key = any(kind & KEY and kind & REFRESH for kind in kinds)
    refreshes = not wrong_keys and (refreshed_key or inter_keys)
    return [i for i, kind in enumerate(flags) if kind in points], refreshes


def open_spans(flags: Sequence[int], spans: Sequence[Span]) -> list[int]:
    """Return the first frame of each GOP with leading pictures that may refer to the one before."""
    if not any(kind & OPEN_LEADING for kind in set(flags)):
        return []
    return [a for a, b in spans if any(kind & OPEN_LEADING for kind in flags[a:b])]


def structure(
    flags: Sequence[int],
    points: Sequence[int],
    *,
    refreshes: bool,
    has_open: bool,
    has_nonidr: bool,
    decodable: bool,
) -> GopStructure:
    """Return the worst structure over all GOPs.

    ``decodable``: the first picture has all its parameter sets.
    """
    if not points:
        return "gdr" if refreshes else "no-rap"
    if not decodable or points[0] != 0:
        begins_with_refresh = refreshes and flags[0] & (REFRESH | KEY)
        return "gdr" if decodable and begins_with_refresh else "starts-mid-gop"
    if refreshes:
        return "gdr"
    if has_open:
        return "open"
    return "closed-nonidr" if has_nonidr else "closed"


def with_lengths(
    gop: Gop, spans: Sequence[Span], pts: Sequence[int | None], time_base: Fraction
) -> Gop:
    """Return ``gop`` with the number and the lengths of its GOPs."""
    lengths = [b - a for a, b in spans]
    if not lengths:
        return replace(gop, count=0)
    times = [pts[a] for a, _ in spans]
    known = sorted(time for time in times if time is not None)
    longest = None
    if len(known) == len(times):
        longest = max((b - a for a, b in pairwise(known)), default=None)
    return replace(
        gop,
        count=len(lengths),
        length_min=min(lengths),
        length_mean=Fraction(sum(lengths), len(lengths)),
        length_max=max(lengths),
        keyframe_interval_max=None if longest is None else longest * time_base,
    )


def reorder_depth(order: Sequence[int]) -> int:
    """Return the longest run of frames that are shown before a frame that was decoded earlier.

    ``order``: numbers that sort like the frames' output times, in decode order.
    """
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


def pattern(flags: Sequence[int], spans: Sequence[Span], open_starts: Sequence[int]) -> str:
    """Return the first GOPs as letters in decode order, I for every intra picture.

    Open GOPs are put in parentheses; a GOP is cut at 60 frames.
    """
    texts = []
    for a, b in spans[:_PATTERN_GOPS]:
        shown = min(b, a + _PATTERN_FRAMES)
        text = "".join(map(_letter, flags[a:shown]))
        if shown < b:
            text += f"...+{b - shown}"
        texts.append(f"({text})" if a in open_starts else text)
    return "|".join(texts)


def _letter(kind: int) -> str:
    if kind & (IDR | NON_IDR_RAP | INTRA):
        return "I"
    return "B" if kind & BIDIRECTIONAL else "P"
