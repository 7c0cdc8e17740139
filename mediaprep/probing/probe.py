"""Probe a file: sniff its first bytes, then read its facts in a confined child process.

Native parsers see the bytes only in that child process.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from mediaprep.model.media import Media, Video
from mediaprep.probing.identify.sniffed import Sniffed
from mediaprep.probing.reader.pool import read_steps
from mediaprep.probing.request import ReadRequest
from mediaprep.runtime.context import Context
from mediaprep.runtime.effects import Steps, call
from mediaprep.runtime.source import Source

if TYPE_CHECKING:
    from mediaprep.model.options import Options


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """The format that was sniffed, and the facts that were read."""

    sniffed: Sniffed
    media: Media


def probe_steps(
    source: Source,
    options: Options,
    context: Context,
    *,
    payload: bool = False,
    clip_duration: Fraction | None = None,
) -> Steps[ProbeResult]:
    """Sniff a file, read it, and measure what the options require beyond a check.

    payload        compute digests of the coded streams
    clip_duration  seconds of the video that captions belong to

    Raises: SourceUnreadable, DeadlineExceeded, Cancelled, EnvironmentProblem.
    """
    # Local: a plain check sniffs in the child process and needs neither module here.
    from mediaprep.probing.identify.sniff import sniff

    sniffed = yield from call(sniff, source)
    request = ReadRequest(
        sniffed=sniffed,
        deep=options.deep,
        payload=payload,
        max_pixels=context.limits.max_pixels,
        clip_duration=clip_duration,
    )
    media = yield from read_steps(source, request, context)
    if isinstance(media, Video) and (options.split or options.loudness is not None):
        from mediaprep.probing.video.measures import measure_steps

        media = yield from measure_steps(source, sniffed, media, options, context)
    return ProbeResult(sniffed=sniffed, media=media)


def probe_in_child_steps(source: Source, context: Context, *, deep: bool = False) -> Steps[Media]:
    """Sniff and read a file, both in the child process.

    Raises: SourceUnreadable, DeadlineExceeded, Cancelled, EnvironmentProblem.
    """
    request = ReadRequest(sniffed=None, deep=deep, max_pixels=context.limits.max_pixels)
    return (yield from read_steps(source, request, context))
