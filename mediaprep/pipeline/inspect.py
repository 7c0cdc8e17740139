"""Inspect one source: open it, probe it, check it, and plan its repair on request.

Importing what a repair needs takes about as long as probing a small file. A check needs none of
it, so the modules that judge are imported where they are called, and the planner only for a plan.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

from mediaprep.errors import SourceUnreadable, UsageProblem
from mediaprep.model.media import Media, Subtitle, Video
from mediaprep.model.options import Options
from mediaprep.pipeline.request import AnySource, Request
from mediaprep.probing.probe import ProbeResult, probe_in_child_steps, probe_steps
from mediaprep.runtime.effects import Steps, call
from mediaprep.runtime.paths import display_name
from mediaprep.runtime.source import Source, open_source

if TYPE_CHECKING:
    from mediaprep.model.placement import Placement
    from mediaprep.model.report import Report
    from mediaprep.planning.plan import Plan
    from mediaprep.probing.identify.sniffed import Sniffed
    from mediaprep.runtime.context import Context


_KIND_TEXT = {
    "video": "a video",
    "animation": "an animation",
    "image": "an image",
    "subtitle": "a caption file",
    "sound": "a sound file",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedSources:
    """The opened source and captions of a request; a context manager that closes what it opened
    itself.
    """

    source: Source
    captions: Source | None = None
    owned: tuple[Source, ...] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for source in self.owned:
            source.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What was found out about the source of a request, without writing anything.

    report     the findings; the verdict is ``unreadable`` if nothing could be read
    media      the facts of the source; None if nothing could be read
    sniffed    its format by the first bytes; None if all was read in the child process
    captions   the facts of the captions; None without captions
    unreadable  why nothing could be read; None if the source could be read
    """

    request: Request
    report: Report
    media: Media | None = None
    sniffed: Sniffed | None = None
    captions: Media | None = None
    unreadable: SourceUnreadable | None = None

    @property
    def placement(self) -> Placement:
        """The placement that judges the source."""
        kind = None if self.media is None else self.media.kind
        return self.request.profile.placement_for(kind, self.request.category)

    @property
    def reports(self) -> tuple[Report, ...]:
        """The report of the source, and that of its captions if they can be used."""
        if self.captions is None:
            return (self.report,)
        return (self.report, *self.plan().caption_reports)

    @property
    def probed(self) -> ProbeResult | None:
        """Format and facts, for a repair of this very content; None if only facts were read."""
        if self.media is None or self.sniffed is None:
            return None
        return ProbeResult(sniffed=self.sniffed, media=self.media)

    def plan(self, options: Options | None = None) -> Plan:
        """Plan the repair of the source and its captions, by the options of the request unless
        others are passed. Pure. Raises: SourceUnreadable if nothing could be read.
        """
        from mediaprep.planning.plan import plan

        if self.media is None:
            raise self.unreadable or SourceUnreadable("nothing could be read")
        sources = (self.media,) if self.captions is None else (self.media, self.captions)
        return plan(
            sources,
            self.placement,
            options or self.request.options,
            companions=self.request.profile.companions(self.placement),
        )


def inspect_steps(
    request: Request, context: Context, *, for_repair: bool = False
) -> Steps[Inspection]:
    """Steps: open, probe and check the source of a request.

    for_repair  also read what a repair needs: the format, and digests of the coded streams

    Raises: UsageProblem (captions that do not go with the source), EnvironmentProblem,
    DeadlineExceeded, Cancelled. A source that cannot be read is no exception but an inspection.
    """
    try:
        sources = yield from open_sources_steps(request, context)
        with sources:
            return (
                yield from inspect_opened_steps(request, sources, context, for_repair=for_repair)
            )
    except SourceUnreadable as problem:
        return unreadable_inspection(request, problem)


def inspect_opened_steps(
    request: Request,
    sources: OpenedSources,
    context: Context,
    *,
    for_repair: bool = False,
    probed: ProbeResult | None = None,
) -> Steps[Inspection]:
    """Steps: probe and check opened sources. ``probed``: the result of an earlier probe of this
    very content. Raises: SourceUnreadable, and as ``inspect_steps``.
    """
    from mediaprep.planning.check import check

    source, sniffed = sources.source, None
    if for_repair:
        if probed is None:
            with context.stage(source.name, "probe"):
                probed = yield from probe_steps(source, request.options, context, payload=True)
        media, sniffed = probed.media, probed.sniffed
    else:
        media = yield from _probe_opened_steps(source, request.options, context)
    captions = None
    if sources.captions is not None:
        captions = yield from _probe_captions_steps(sources.captions, media, context)
    placement = request.profile.placement_for(media.kind, request.category)
    return Inspection(
        request=request,
        report=check(media, placement),
        media=media,
        sniffed=sniffed,
        captions=captions,
    )


def unreadable_inspection(request: Request, problem: SourceUnreadable) -> Inspection:
    """Return the inspection of a source of which nothing can be read."""
    from mediaprep.planning.check import unreadable

    report = unreadable(source_name(request.source), problem, request.placement_name)
    return Inspection(request=request, report=report, unreadable=problem)


def open_sources_steps(request: Request, context: Context) -> Steps[OpenedSources]:
    """Steps: open the source of a request and its captions. Raises: SourceUnreadable."""
    source = yield from _open_steps(request.source, context)
    owned = () if source is request.source else (source,)
    if request.captions is None:
        return OpenedSources(source=source, owned=owned)
    try:
        captions = yield from _open_steps(request.captions, context)
    except BaseException as problem:
        for opened in owned:
            opened.close()
        if isinstance(problem, SourceUnreadable):
            raise _about_captions(source_name(request.captions), problem) from problem
        raise
    if captions is not request.captions:
        owned = (*owned, captions)
    return OpenedSources(source=source, captions=captions, owned=owned)


def probe_source_steps(source: AnySource, options: Options, context: Context) -> Steps[Media]:
    """Steps: open and probe one source. Raises: SourceUnreadable, and as ``inspect_steps``."""
    opened = yield from _open_steps(source, context)
    with opened:
        return (yield from _probe_opened_steps(opened, options, context))


def source_name(source: AnySource) -> str:
    """Return the name of a source for messages."""
    if isinstance(source, Source):
        return source.name
    return display_name(source_path(source)) or "stream"


def source_path(source: AnySource) -> str:
    """Return the path of a source as it was given; "" for a stream without a name."""
    if isinstance(source, Source):
        return source.path
    if isinstance(source, str | bytes | os.PathLike):
        return os.fsdecode(source)
    name = getattr(source, "name", None)
    return os.fsdecode(name) if isinstance(name, str | bytes) else ""


def _open_steps(source: AnySource, context: Context) -> Steps[Source]:
    if isinstance(source, Source):
        return source
    return (yield from call(_open, source, context))


def _open(source: AnySource, context: Context) -> Source:
    assert not isinstance(source, Source)
    return open_source(source, max_bytes=context.limits.max_source_bytes, check=context.check)


def _probe_opened_steps(source: Source, options: Options, context: Context) -> Steps[Media]:
    if options.split or options.loudness is not None:  # facts that ffmpeg has to measure
        return (yield from probe_steps(source, options, context)).media
    return (yield from probe_in_child_steps(source, context, deep=options.deep))


def _probe_captions_steps(captions: Source, video: Media, context: Context) -> Steps[Media]:
    if not isinstance(video, Video):
        raise UsageProblem(
            f"{captions.name}: captions go with a video; {video.name} is {_KIND_TEXT[video.kind]}"
        )
    try:
        probed = yield from probe_steps(captions, Options(), context, clip_duration=video.duration)
    except SourceUnreadable as problem:
        raise _about_captions(captions.name, problem) from problem
    if not isinstance(probed.media, Subtitle):
        raise UsageProblem(
            f"{captions.name}: not a caption file (it is {_KIND_TEXT[probed.media.kind]}); pass an"
            " SRT, WebVTT or ASS file"
        )
    return probed.media


def _about_captions(name: str, problem: SourceUnreadable) -> SourceUnreadable:
    return SourceUnreadable(f"captions {name}: {problem.reason}", rule=problem.rule)
