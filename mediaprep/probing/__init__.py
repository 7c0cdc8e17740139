"""probe: a source to its facts. The bytes are sniffed by our own strict reader first; native parsers see them in a child only."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from mediaprep.model.media import Media, Video
from mediaprep.probing.identify.sniffed import Sniffed
from mediaprep.probing.reader.pool import ReadRequest
from mediaprep.probing.reader.pool import (
    reading as reading_in_child,
)  # not `reading`: importing that submodule rebinds the name here
from mediaprep.runtime.context import Context
from mediaprep.runtime.effects import Steps, call
from mediaprep.runtime.source import Source

if TYPE_CHECKING:
    from mediaprep.model.options import Options


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """What a look gave: what the first bytes are, and the facts."""

    sniffed: Sniffed
    media: Media


def probe_steps(
    source: Source,
    options: Options,
    context: Context,
    *,
    payload: bool = False,
    needs: tuple[str, ...] = (),
    clip_duration: Fraction | None = None,
) -> Steps[ProbeResult]:
    """Steps: sniff, then read in the confined child, with the facts that the wishes need beyond a check's.

    payload   digests of the coded streams too; needs: dotted paths of the facts wanted, () = all
    clip_duration   seconds of the video that captions go with
    Raises: SourceUnreadable, DeadlineExceeded, Cancelled, EnvironmentProblem.
    """
    from mediaprep.probing.identify.sniff import sniff

    sniffed = yield from call(sniff, source)
    request = ReadRequest(
        sniffed=sniffed,
        deep=options.deep,
        needs=needs,
        payload=payload,
        max_pixels=context.limits.max_pixels,
        clip_duration=clip_duration,
    )
    media = yield from reading_in_child(source, request, context)
    if isinstance(media, Video) and (options.split or options.loudness is not None):
        from mediaprep.probing.video.measures import measure_steps

        media = yield from measure_steps(source, sniffed, media, options, context)
    return ProbeResult(sniffed=sniffed, media=media)


def probe_in_child_steps(source: Source, context: Context, *, deep: bool = False) -> Steps[Media]:
    """Steps: the facts alone, all in the confined child, the first bytes too. Raises: as ``probe_steps``."""
    request = ReadRequest(sniffed=None, deep=deep, max_pixels=context.limits.max_pixels)
    return (yield from reading_in_child(source, request, context))
