"""probe: a source to its facts. The bytes are sniffed by our own strict reader first; native parsers see them in a child only."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from mediaprep.model.media import Media, Video
from mediaprep.probing.identify.sniffed import Sniffed
from mediaprep.probing.reader.pool import Request
from mediaprep.probing.reader.pool import (
    reading as reading_in_child,
)  # not `reading`: importing that submodule rebinds the name here
from mediaprep.runtime.context import Context
from mediaprep.runtime.effects import Steps, call
from mediaprep.runtime.source import Source

if TYPE_CHECKING:
    from mediaprep.model.options import Wishes


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What a look gave: what the first bytes are, and the facts."""

    sniffed: Sniffed
    media: Media


def looking(
    source: Source,
    wishes: Wishes,
    context: Context,
    *,
    payload: bool = False,
    needs: tuple[str, ...] = (),
    oneshot: bool = False,
    clip_duration: Fraction | None = None,
) -> Steps[Looked]:
    """Steps: sniff, then read in the confined child, with the facts that the wishes need beyond a check's.

    payload   digests of the coded streams too; needs: dotted paths of the facts wanted, () = all
    oneshot   this process looks at one file and ends
    clip_duration   seconds of the video that captions go with
    Raises: SourceUnreadable, DeadlineExceeded, Cancelled, EnvironmentProblem.
    """
    from mediaprep.probing.identify.sniff import sniff

    sniffed = yield from call(sniff, source)
    request = Request(
        sniffed=sniffed,
        deep=wishes.deep,
        needs=needs,
        payload=payload,
        max_pixels=context.limits.max_pixels,
        clip_duration=clip_duration,
    )
    media = yield from reading_in_child(source, request, context, oneshot=oneshot)
    if isinstance(media, Video) and (wishes.split or wishes.loudness is not None):
        from mediaprep.probing.video.measures import measuring

        media = yield from measuring(source, sniffed, media, wishes, context)
    return Looked(sniffed=sniffed, media=media)


def glancing(
    source: Source, context: Context, *, deep: bool = False, oneshot: bool = False
) -> Steps[Media]:
    """Steps: the facts alone, all in the confined child, the first bytes too. Raises: as ``looking``."""
    request = Request(sniffed=None, deep=deep, max_pixels=context.limits.max_pixels)
    return (yield from reading_in_child(source, request, context, oneshot=oneshot))
