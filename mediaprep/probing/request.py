"""What a reader is to read from one file."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from mediaprep.probing.identify.sniffed import Sniffed
from mediaprep.runtime.context import MAX_PIXELS


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRequest:
    """What to read from one file.

    sniffed        the file's format, as sniffed; None: the child process sniffs it
    deep           decode as many frames as a reliable verdict takes
    payload        compute digests of the coded streams, which prove that a stream was copied
    clip_duration  seconds of the video that captions belong to
    max_pixels     of one picture; larger pictures are not decoded
    """

    sniffed: Sniffed | None
    deep: bool = False
    payload: bool = False
    clip_duration: Fraction | None = None
    max_pixels: int = MAX_PIXELS
