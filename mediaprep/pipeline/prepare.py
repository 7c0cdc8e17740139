"""Prepare one source: from opening it to its published, verified outputs.

``_pipeline_steps`` lists the stages in order; each is a function below it. They are written once,
as steps,
for the blocking driver and the one for event loops. Nothing of an output is visible before all
outputs are complete and verified.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from mediaprep.errors import SourceUnreadable, ToolError, VerifyError
from mediaprep.model.media import Image, Media, Subtitle
from mediaprep.model.options import Options
from mediaprep.model.placement import Placement
from mediaprep.model.report import Report
from mediaprep.pipeline.encode_and_verify import (
    EncodeResult,
    OutputNumber,
    encode_and_verify_steps,
)
from mediaprep.pipeline.inspect import (
    Inspection,
    OpenedSources,
    inspect_opened_steps,
    open_sources_steps,
    source_path,
    unreadable_inspection,
)
from mediaprep.pipeline.outcome import Outcome, Upload
from mediaprep.pipeline.output_paths import (
    OutputPath,
    check_paths,
    create_folder,
    output_paths,
)
from mediaprep.pipeline.publish import publish
from mediaprep.pipeline.request import Request
from mediaprep.pipeline.upload_record import upload
from mediaprep.planning.check import check
from mediaprep.planning.plan import Output, Plan
from mediaprep.probing.probe import ProbeResult
from mediaprep.runtime.atomic import remove_work_file
from mediaprep.runtime.context import Context
from mediaprep.runtime.effects import Steps, call
from mediaprep.runtime.paths import display_name
from mediaprep.targets.conversion import losses
from mediaprep.tools import ffmpeg_program
from mediaprep.transcoding.gif.width_search import GifTooSmall
from mediaprep.transcoding.job import EncodeJob


@dataclass(slots=True, kw_only=True)
class _Run:
    """The state of one run: what the stages have found out so far. The request is not changed.

    work_folder  leave the verified outputs here as work files, for the caller to publish
    opened       closes the sources
    paths        the planned path of each output; empty if the caller publishes
    results      the verified outputs of the current attempt
    unpublished  the work files that still have to be removed
    notes        lines for the outcome's problems
    """

    request: Request
    context: Context
    work_folder: Path | None
    started: float = field(default_factory=time.monotonic)
    opened: ExitStack = field(init=False)
    sources: OpenedSources = field(init=False)
    inspection: Inspection = field(init=False)
    plan: Plan = field(init=False)
    paths: tuple[OutputPath, ...] = ()
    results: list[EncodeResult] = field(default_factory=list)
    unpublished: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def prepare_steps(
    request: Request,
    context: Context,
    *,
    probed: ProbeResult | None = None,
    work_folder: Path | None = None,
) -> Steps[Outcome]:
    """Steps: prepare the source of a request. A bad source gives an outcome, not an exception.

    probed       the result of an earlier probe of this very content
    work_folder  leave the verified outputs here as work files, which the outcome names; the caller
                 publishes them

    Raises: UsageProblem (before any work), EnvironmentProblem, DeadlineExceeded, Cancelled.
    """
    run = _Run(request=request, context=context, work_folder=work_folder)
    with ExitStack() as run.opened:
        try:
            outcome = yield from _pipeline_steps(run, probed)
        except SourceUnreadable as problem:
            outcome = unreadable_outcome(unreadable_inspection(request, problem))
        except (ToolError, VerifyError) as problem:
            outcome = _failed_outcome(run, problem)
        finally:
            for part in run.unpublished:
                yield from call(remove_work_file, part)
    seconds = time.monotonic() - run.started
    return replace(outcome, problems=(*outcome.problems, *run.notes), seconds=seconds)


def _pipeline_steps(run: _Run, probed: ProbeResult | None) -> Steps[Outcome]:
    """Steps: the stages of one run, in order."""
    yield from _open_steps(run)
    yield from _inspect_steps(run, probed)
    for options in _attempts(run.inspection):
        run.plan = run.inspection.plan(options)
        if run.plan.status != "planned":  # refused, or fine as it is
            return unchanged_outcome(run.inspection, run.plan)
        _choose_paths(run)
        try:
            yield from _encode_and_verify_steps(run)
        except GifTooSmall as problem:
            run.notes.append(f"{problem}; a video is made instead")
            continue
        yield from _publish_steps(run)
        return _fixed_outcome(run)
    raise AssertionError("the last attempt makes no GIF")


def _open_steps(run: _Run) -> Steps[None]:
    """Steps: open the source and its captions, once, for reading."""
    sources = yield from open_sources_steps(run.request, run.context)
    run.sources = run.opened.enter_context(sources)


def _inspect_steps(run: _Run, probed: ProbeResult | None) -> Steps[None]:
    """Steps: probe and check the source and its captions."""
    run.inspection = yield from inspect_opened_steps(
        run.request, run.sources, run.context, for_repair=True, probed=probed
    )


def _attempts(inspection: Inspection) -> Iterator[Options]:
    """Yield the options of each attempt. The second one makes a video, if the GIF would be too
    small
    and neither the options nor the category nor the name of the output ask for a GIF.
    """
    options = inspection.request.options
    if options.to != "auto":
        yield options
    elif _names_gif(inspection):
        yield replace(options, to="gif")
    else:
        yield options
        yield replace(options, to="video")


def _names_gif(inspection: Inspection) -> bool:
    request, media = inspection.request, inspection.media
    if media is None or media.kind != "animation":
        return False
    placement = request.profile.placements.get(request.category or "")
    file = request.destination.file
    return (placement is not None and placement.kind == "animation") or (
        file is not None and file.suffix.lower() == ".gif"
    )


def _choose_paths(run: _Run) -> None:
    """Decide on the paths of the outputs, and check that they can be written."""
    if run.work_folder is not None:
        return
    run.paths = output_paths(run.request, run.sources.source.path, run.plan.outputs)
    sources = [run.sources.source]
    if run.sources.captions is not None:
        sources.append(run.sources.captions)
    check_paths(run.paths, run.request, sources)


def _encode_and_verify_steps(run: _Run) -> Steps[None]:
    """Steps: encode each output into a work file, and verify it."""
    run.results = []
    if run.work_folder is None:
        yield from call(create_folder, run.request.destination)
    for index, output in enumerate(run.plan.outputs):
        folder = run.work_folder or run.paths[index].path.parent
        number = OutputNumber(index=index, count=len(run.plan.outputs))
        result = yield from encode_and_verify_steps(_job(run, output), folder, number)
        run.results.append(result)
        run.unpublished.append(result.part)


def _job(run: _Run, output: Output) -> EncodeJob:
    source, sniffed = run.sources.source, run.inspection.sniffed
    assert sniffed is not None  # it is read for a repair
    if isinstance(output.target, Subtitle) and run.sources.captions is not None:
        source = run.sources.captions
    needs_ffmpeg = not isinstance(output.target, Image | Subtitle)
    return EncodeJob(
        output=output,
        source=source,
        context=run.context,
        binary=ffmpeg_program.locate(run.context.ffmpeg) if needs_ffmpeg else "",
        demuxer=sniffed.demuxer or "",
        whitelist=sniffed.format_whitelist or "",
    )


def _publish_steps(run: _Run) -> Steps[None]:
    """Steps: publish all outputs, or none. Afterwards the paths are the final ones."""
    parts = [result.part for result in run.results]
    if run.work_folder is not None:
        run.paths = tuple(OutputPath(path=part, possible=(part,)) for part in parts)
    else:
        targets = [
            path.of(result.report.media)
            for path, result in zip(run.paths, run.results, strict=True)
        ]
        with run.context.stage(run.sources.source.name, "publish"):
            yield from call(_publish, parts, targets, run.request.force)
        run.paths = tuple(OutputPath(path=target, possible=(target,)) for target in targets)
    run.unpublished.clear()


def _publish(parts: list[Path], targets: list[Path], force: bool) -> None:
    publish(parts, targets, force=force)


def unchanged_outcome(inspection: Inspection, plan: Plan) -> Outcome:
    """Return the outcome if nothing is encoded: refused, or fine as it is."""
    request = inspection.request
    outcome = Outcome(
        path=source_path(request.source),
        status="already_ok",
        profile=request.profile.name,
        before=plan.report,
        plan=plan,
    )
    if plan.refusals:
        problems = tuple(refusal.message for refusal in plan.refusals)
        return replace(outcome, status="refused", problems=problems)
    return replace(outcome, uploads=_source_uploads(inspection))


def unreadable_outcome(inspection: Inspection) -> Outcome:
    """Return the outcome of a source of which nothing can be read."""
    reason = inspection.unreadable.reason if inspection.unreadable else "nothing could be read"
    return Outcome(
        path=source_path(inspection.request.source),
        status="unreadable",
        profile=inspection.request.profile.name,
        before=inspection.report,
        problems=(reason,),
    )


def _failed_outcome(run: _Run, problem: ToolError | VerifyError) -> Outcome:
    if isinstance(problem, VerifyError):
        problems, stderr = tuple(problem.problems), ""
    else:
        problems, stderr = (str(problem),), problem.stderr_tail
    return Outcome(
        path=source_path(run.request.source),
        status="failed",
        profile=run.request.profile.name,
        before=run.plan.report,
        problems=problems,
        plan=run.plan,
        stderr=tuple(stderr.splitlines()),
    )


def _fixed_outcome(run: _Run) -> Outcome:
    """Return the outcome of the published outputs."""
    outputs = run.plan.outputs
    paths = [str(path.path) for path in run.paths]
    records = tuple(result.record for result in run.results)
    reports = tuple(
        _published_report(result.report, path, output.placement)
        for result, path, output in zip(run.results, paths, outputs, strict=True)
    )
    uploads = tuple(
        upload(path, report.media, output.placement.category)
        for path, report, output in zip(paths, reports, outputs, strict=True)
        if report.media is not None
    )
    lost = [line for output in outputs for line in losses(output.source, output.target)]
    notes = [line for record in records for line in record.notes]
    return Outcome(
        path=source_path(run.request.source),
        status="fixed",
        profile=run.request.profile.name,
        outputs=tuple(paths),
        uploads=_with_unchanged(uploads, _source_uploads(run.inspection)),
        changes=tuple(change for output in outputs for change in output.changes),
        before=run.plan.report,
        after=reports,
        problems=tuple(dict.fromkeys([*lost, *notes])),
        plan=run.plan,
        records=records,
        measured=tuple(record.measured for record in records if record.measured is not None),
    )


def _source_uploads(inspection: Inspection) -> tuple[Upload, ...]:
    """Return the uploads if source and captions are uploaded as they are."""
    request, source, placement = inspection.request, inspection.media, inspection.placement
    if source is None:
        return ()
    uploads = [upload(source_path(request.source), source, placement.category)]
    if inspection.captions is not None and request.captions is not None:
        category = request.profile.companions(placement)["subtitle"].category
        uploads.append(upload(source_path(request.captions), inspection.captions, category))
    return tuple(uploads)


def _with_unchanged(outputs: tuple[Upload, ...], sources: tuple[Upload, ...]) -> tuple[Upload, ...]:
    """If only the video or only its captions were rewritten, upload the other unchanged, video
    first. Parts of a split have their own captions.
    """
    if len(sources) < 2:
        return outputs
    video, captions = sources
    categories = {upload.category for upload in outputs}
    before = (video,) if video.category not in categories else ()
    after = (captions,) if captions.category not in categories else ()
    return (*before, *outputs, *after)


def _published_report(report: Report, path: str, placement: Placement) -> Report:
    """Return the report of an output with its final name in the messages."""
    media: Media | None = report.media
    if media is not None:
        report = check(replace(media, name=display_name(path)), placement)
    return replace(report, path=path)
