"""prepare: the one function that knows all stages. Written once, as steps; a blocking driver and one for event loops carry them out.

Nothing of an output is visible before it is whole and verified; the source is opened once, for reading.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from mediaprep.errors import SourceUnreadable, ToolError, UsageProblem, VerifyError
from mediaprep.model.media import Media, Subtitle, Video
from mediaprep.model.options import Options
from mediaprep.model.placement import Placement
from mediaprep.model.report import Report
from mediaprep.pipeline import publish as publishing
from mediaprep.pipeline import upload_record as handoff
from mediaprep.pipeline.encode_and_verify import EncodeResult, EncodeTask, encode_and_verify_steps
from mediaprep.pipeline.outcome import Outcome, Upload
from mediaprep.pipeline.request import Request
from mediaprep.planning.check import check, unreadable
from mediaprep.planning.plan import Plan, plan
from mediaprep.probing.probe import ProbeResult, probe_steps
from mediaprep.runtime.atomic import remove_work_file
from mediaprep.runtime.context import Context
from mediaprep.runtime.effects import Steps, call
from mediaprep.runtime.paths import display_name
from mediaprep.runtime.source import Source, open_source, refuse_target
from mediaprep.targets.conversion import losses
from mediaprep.transcoding.gif.width_search import TooSmall

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectedSource:
    """What a look at one source gave, at the captions that go with it, and what is planned for both."""

    probed: ProbeResult
    plan: Plan
    captions: ProbeResult | None = None


def inspect_steps(order: Request, context: Context) -> Steps[tuple[Report, Plan | None]]:
    """Steps: probe, check and plan, nothing written. A file of which nothing can be read has a report and no plan."""
    try:
        source = yield from call(_opened, order.source, context)
    except SourceUnreadable as problem:
        return unreadable(_name(order.source), problem, _placement(order)), None
    with _closing(source, order):
        try:
            seen = yield from _along(
                order,
                context,
                lambda captions: inspect_and_plan_steps(source, order, context, captions),
            )
        except SourceUnreadable as problem:
            return unreadable(source.name, problem, _placement(order)), None
        return seen.plan.report, seen.plan


def inspect_and_plan_steps(
    source: Source, order: Request, context: Context, captions: Source | None = None
) -> Steps[InspectedSource]:
    """Steps: look at an opened source (and the captions that go with it), and plan.

    Raises: SourceUnreadable, UsageProblem (captions with what is no video), EnvironmentProblem, DeadlineExceeded, Cancelled.
    """
    probed = yield from _look(source, order, context)
    placement = order.profile.placement_for(probed.media.kind, order.category)
    said = None if captions is None else (yield from _look_along(captions, probed.media, context))
    sources = (probed.media,) if said is None else (probed.media, said.media)
    return InspectedSource(
        probed=probed,
        plan=plan(
            sources, placement, order.options, companions=order.profile.companions(placement)
        ),
        captions=said,
    )


def _along(order: Request, context: Context, work: Callable[[Source | None], Steps[T]]) -> Steps[T]:
    """Steps: the work, with the order's captions open while it goes on. Raises: SourceUnreadable, saying that it is the captions."""
    if order.captions is None:
        return (yield from work(None))
    try:
        captions = yield from call(_opened, order.captions, context)
    except SourceUnreadable as problem:
        raise SourceUnreadable(
            f"captions {_name(order.captions)}: {problem.reason}", rule=problem.rule
        ) from problem
    with nullcontext() if captions is order.captions else captions:
        return (yield from work(captions))


def _look_along(captions: Source, video: Media, context: Context) -> Steps[ProbeResult]:
    if not isinstance(video, Video):
        raise UsageProblem(f"{captions.name}: captions go with a video, and {video.name} is none")
    try:
        said = yield from probe_steps(captions, Options(), context, clip_duration=video.duration)
    except SourceUnreadable as problem:
        raise SourceUnreadable(
            f"captions {captions.name}: {problem.reason}", rule=problem.rule
        ) from problem
    if not isinstance(said.media, Subtitle):
        raise UsageProblem(
            f"{captions.name}: is no captions but of the kind {said.media.kind}; give an SRT, WebVTT or ASS file"
        )
    return said


def prepare_steps(order: Request, context: Context) -> Steps[Outcome]:
    """Steps: the whole way from a source to a published, verified output.

    A bad file ends in an outcome with its status. Raises: UsageProblem (before any work), EnvironmentProblem, DeadlineExceeded, Cancelled.
    """
    began = time.monotonic()
    try:
        source = yield from call(_opened, order.source, context)
    except SourceUnreadable as problem:
        return _unreadable(_name(order.source), problem, order, began)
    with _closing(source, order):
        try:
            outcome = yield from _along(
                order, context, lambda captions: _preferably(source, order, context, captions)
            )
        except SourceUnreadable as problem:
            return _unreadable(source.name, problem, order, began)
    return replace(outcome, seconds=time.monotonic() - began)


def _preferably(
    source: Source, order: Request, context: Context, captions: Source | None
) -> Steps[Outcome]:
    """As planned; where the GIF would become smaller than is worth keeping, and nobody asked for one by name, as a video."""
    order = replace(order, probed=(yield from _look(source, order, context)))
    options = order.options
    if options.to == "auto" and _names_gif(order):
        return (
            yield from _prepared(
                source, replace(order, options=replace(options, to="gif")), context, captions
            )
        )
    try:
        return (yield from _prepared(source, order, context, captions))
    except TooSmall as problem:
        outcome = yield from _prepared(
            source, replace(order, options=replace(options, to="video")), context, captions
        )
        return replace(outcome, problems=(*outcome.problems, f"{problem}: a video is made instead"))


def _names_gif(order: Request) -> bool:
    """Whether an animation is to stay one: by its category, or by the name of its output."""
    if order.probed is None or order.probed.media.kind != "animation":
        return False
    named = order.profile.placements.get(order.category or "")
    return (named is not None and named.kind == "animation") or (
        order.target is not None and order.target.suffix.lower() == ".gif"
    )


def _prepared(
    source: Source, order: Request, context: Context, captions: Source | None
) -> Steps[Outcome]:
    seen = yield from inspect_and_plan_steps(source, order, context, captions)
    base = unchanged_outcome(source, order, seen, captions)
    if base.status == "refused" or not seen.plan.outputs:
        return base
    tasks = [
        EncodeTask(output=output, source=captions, probed=seen.captions)
        if captions and seen.captions and isinstance(output.target, Subtitle)
        else EncodeTask(output=output, source=source, probed=seen.probed)
        for output in seen.plan.outputs
    ]
    try:
        parts, targets = yield from _carried_out(source, order, tasks, context)
    except TooSmall:
        raise
    except ToolError as problem:
        return replace(
            base,
            status="failed",
            uploads=(),
            problems=(str(problem),),
            stderr=tuple(problem.stderr_tail.splitlines()),
        )
    except VerifyError as problem:
        return replace(base, status="failed", uploads=(), problems=problem.problems)
    return _fixed(base, tasks, parts, targets)


def unchanged_outcome(
    source: Source, order: Request, seen: InspectedSource, captions: Source | None = None
) -> Outcome:
    """The outcome where nothing is made: refused, or the sources as they are."""
    made, media = seen.plan, seen.probed.media
    base = Outcome(
        path=source.path,
        status="already_ok",
        profile=order.profile.name,
        before=made.report,
        plan=made,
    )
    if made.refusals:
        reasons = tuple(
            r.reason + (f"; ways out: {', '.join(r.remedies)}" if r.remedies else "")
            for r in made.refusals
        )
        return replace(base, status="refused", problems=reasons)
    placement = order.profile.placement_for(media.kind, order.category)
    return replace(
        base,
        uploads=(
            handoff.upload(source.path, media, placement.category),
            *_captions_upload(captions, seen, order, placement),
        ),
    )


def _carried_out(
    source: Source, order: Request, tasks: list[EncodeTask], context: Context
) -> Steps[tuple[list[EncodeResult], list[Path]]]:
    """Steps: every output made and verified, then published together (or held), or none. Raises: ToolError, VerifyError, UsageProblem."""
    targets = (
        []
        if order.hold
        else publishing.targets(order, source, tuple(task.output for task in tasks))
    )
    for task, target in zip(tasks, targets, strict=False):
        for name in publishing.possible(target, task.output, order):
            refuse_target(source, name, order.force)
            refuse_target(task.source, name, order.force)
    parts: list[EncodeResult] = []
    held = False
    try:
        for index, task in enumerate(tasks):
            parts.append(
                (
                    yield from encode_and_verify_steps(
                        task, order.hold or targets[index].parent, context, index, len(tasks)
                    )
                )
            )
        if order.hold:
            held = True
            return parts, [item.part for item in parts]
        targets = [
            publishing.final(target, item.report.media, order)
            for item, target in zip(parts, targets, strict=True)
        ]
        with context.stage(source.name, "publish"):
            yield from call(publishing.publish, [item.part for item in parts], targets, order.force)
        return parts, targets
    finally:
        for item in () if held else parts:
            yield from call(remove_work_file, item.part)


def _fixed(
    base: Outcome, tasks: list[EncodeTask], parts: list[EncodeResult], targets: list[Path]
) -> Outcome:
    """What there is to say of what was published; ``base.uploads``: of the sources as they are."""
    outputs = [task.output for task in tasks]
    reports = [
        _named(item.report, target, output.placement)
        for item, target, output in zip(parts, targets, outputs, strict=True)
    ]
    uploads = tuple(
        handoff.upload(str(target), report.media, output.placement.category)
        for target, report, output in zip(targets, reports, outputs, strict=True)
        if report.media is not None
    )
    told = (line for output in outputs for line in losses(output.source, output.target))
    noted = (note for item in parts for note in item.evidence.notes)
    return replace(
        base,
        status="fixed",
        problems=tuple(dict.fromkeys((*told, *noted))),
        measured=tuple(
            item.evidence.measured for item in parts if item.evidence.measured is not None
        ),
        outputs=tuple(map(str, targets)),
        uploads=_with_untouched(uploads, base.uploads),
        changes=tuple(change for output in outputs for change in output.changes),
        after=tuple(reports),
        evidence=tuple(item.evidence for item in parts),
    )


def _captions_upload(
    captions: Source | None, seen: InspectedSource, order: Request, placement: Placement
) -> tuple[Upload, ...]:
    if captions is None or seen.captions is None:
        return ()
    placement = order.profile.companions(placement)["subtitle"]
    return (handoff.upload(captions.path, seen.captions.media, placement.category),)


def _with_untouched(
    made: tuple[Upload, ...], as_they_are: tuple[Upload, ...]
) -> tuple[Upload, ...]:
    """With a video that was made or its captions, the other goes along as it is, the video first; of parts each has its own."""
    kinds = {upload.category for upload in made}
    return (*(upload for upload in as_they_are[:1] if upload.category not in kinds and len(as_they_are) > 1), *made,
            *(upload for upload in as_they_are[1:] if upload.category not in kinds))  # fmt: skip


def _named(report: Report, target: Path, placement: Placement) -> Report:
    """The report of a made file under its final name: until then its messages speak of "the output"."""
    if report.media is None:
        return replace(report, path=str(target))
    return replace(
        check(replace(report.media, name=display_name(target)), placement), path=str(target)
    )


def _look(source: Source, order: Request, context: Context) -> Steps[ProbeResult]:
    if order.probed is not None:
        return order.probed
    with context.stage(source.name, "probe"):
        probed = yield from probe_steps(source, order.options, context, payload=True)
    return probed


def _closing(source: Source, order: Request) -> AbstractContextManager[Any]:
    return nullcontext() if source is order.source else source


def _opened(source: Any, context: Context) -> Source:
    if isinstance(source, Source):
        return source
    return open_source(source, max_bytes=context.limits.max_source_bytes, check=context.check)


def _unreadable(path: str, problem: SourceUnreadable, order: Request, began: float) -> Outcome:
    report = unreadable(path, problem, _placement(order))
    return Outcome(
        path=path,
        status="unreadable",
        profile=order.profile.name,
        before=report,
        problems=(problem.reason,),
        seconds=time.monotonic() - began,
    )


def _placement(order: Request) -> str:
    return (
        order.profile.name if order.category is None else f"{order.profile.name}/{order.category}"
    )


def _name(source: Any) -> str:
    if isinstance(source, Source):
        return source.name
    return display_name(source) if isinstance(source, (str, bytes, os.PathLike)) else "stream"
