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
    needs          dotted paths of the required facts (``video.gop`` includes every fact below it);
                   () = all
    payload        compute digests of the coded streams, which prove that a stream was copied
    clip_duration  seconds of the video that captions belong to
    max_pixels     of one picture; larger pictures are not decoded
    """

    sniffed: Sniffed | None
    deep: bool = False
    needs: tuple[str, ...] = ()
    payload: bool = False
    clip_duration: Fraction | None = None
    max_pixels: int = MAX_PIXELS


def wants(request: ReadRequest, *facts: str) -> bool:
    """Return True if any of ``facts``, or a fact above or below one of them, is required."""
    return not request.needs or any(
        need == fact or need.startswith(f"{fact}.") or fact.startswith(f"{need}.")
        for need in request.needs
        for fact in facts
    )
