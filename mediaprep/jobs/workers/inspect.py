"""Inspect the source of a job in a worker: its digest, its facts and its plan."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

from mediaprep.errors import Cancelled, MediaPrepError, SourceUnreadable
from mediaprep.jobs.problem import problem_text
from mediaprep.jobs.workers.context import job_context
from mediaprep.jobs.workers.records import JobInspection, JobTask, WorkFile, unpack_settings
from mediaprep.jobs.workers.work_files import copy_source, finish_work_file
from mediaprep.model.media import Animation, Media, Sound, Video
from mediaprep.pipeline.inspect import inspect_steps, unreadable_inspection
from mediaprep.pipeline.outcome import Outcome
from mediaprep.pipeline.prepare import unchanged_outcome, unreadable_outcome
from mediaprep.pipeline.request import AnySource, Request
from mediaprep.planning.plan import Plan
from mediaprep.probing.probe import ProbeResult
from mediaprep.runtime.context import Context
from mediaprep.runtime.crashpoints import crashpoint
from mediaprep.runtime.effects import drive
from mediaprep.runtime.source import Source, open_source

# Pixels of a source frame up to which an encode keeps so many threads busy.
_ENCODE_THREADS = (
    (1280 * 1024, 1),
    (1920 * 1088, 2),
    (2560 * 1440, 3),
)
_LARGEST_FRAME_THREADS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class _InspectedContent:
    """The facts and plan of a source, or its final outcome if no output is planned."""

    sha256: str | None = None
    probed: ProbeResult | None = None
    plan: Plan | None = None
    outcome: Outcome | None = None


def inspect_job(task: JobTask) -> JobInspection:
    """Inspect a job's source, and copy it if it is already accepted.

    Errors are returned as a status.
    """
    began = time.monotonic()
    try:
        inspection = _inspect(task)
    except Cancelled:
        inspection = JobInspection(status="stopped", problem="stopped")
    except (MediaPrepError, OSError) as problem:
        inspection = JobInspection(status="failed", problem=problem_text(problem))
    return replace(inspection, seconds=time.monotonic() - began)


def _inspect(task: JobTask) -> JobInspection:
    context = job_context(task, stages=False)
    try:
        source = open_source(task.source, follow=task.follow_links)
    except SourceUnreadable as problem:
        return inspection_of_unopened(task, problem)
    with source:
        if task.stamp is not None and source.stamp != task.stamp:
            return JobInspection(status="changed", problem="the file is being changed")
        content = _inspect_content(source, task, context)
        copy = None
        outcome = content.outcome
        if outcome is not None and outcome.status == "already_ok" and not task.dry_run:
            copy = _copy(source, task, context)
            if copy.sha256 != content.sha256:
                Path(copy.path).unlink()
                return _changed_while_read()
        if not source.unchanged():
            return _changed_while_read()
        return _inspection(source, task, content, copy)


def _inspect_content(source: Source, task: JobTask, context: Context) -> _InspectedContent:
    try:
        digest = source.sha256(context.check)
    except SourceUnreadable as problem:
        return _InspectedContent(outcome=_unreadable(task, source, problem))
    request = request_of(task, source)
    inspection = drive(inspect_steps(request, context, for_repair=True), context)
    if inspection.unreadable is not None:
        return _InspectedContent(sha256=digest, outcome=unreadable_outcome(inspection))
    plan = inspection.plan()
    return _InspectedContent(
        sha256=digest,
        probed=inspection.probed,
        plan=plan,
        outcome=None if plan.status == "planned" else unchanged_outcome(inspection, plan),
    )


def request_of(task: JobTask, source: AnySource) -> Request:
    """Return the pipeline's request for a job."""
    settings = unpack_settings(task.settings)
    return Request(
        source=source,
        profile=settings.profile,
        category=settings.category,
        options=settings.options,
    )


def _copy(source: Source, task: JobTask, context: Context) -> WorkFile:
    path = copy_source(source, Path(task.folder), context)
    copy = finish_work_file(path, Path(task.source).suffix, context)
    crashpoint("copied")
    return copy


def _changed_while_read() -> JobInspection:
    return JobInspection(status="changed", problem="the file changed while it was read")


def _inspection(
    source: Source, task: JobTask, content: _InspectedContent, copy: WorkFile | None
) -> JobInspection:
    outcome, probed, plan = content.outcome, content.probed, content.plan
    inspection = JobInspection(
        status="planned",
        stamp=source.stamp,
        sha256=content.sha256,
        media_seconds=_playing_seconds(probed.media) if probed else 0.0,
        threads=_encode_threads(plan) if plan else 1,
        plan=plan if task.dry_run else None,
    )
    if outcome is None:
        return replace(inspection, probed=probed)
    return replace(
        inspection,
        status="failed" if outcome.status == "fixed" else outcome.status,
        outcome=outcome,
        copy=copy,
        problem="; ".join(outcome.problems),
    )


def inspection_of_unopened(task: JobTask, problem: SourceUnreadable) -> JobInspection:
    """Return the inspection of a source that cannot be opened, or does not exist any more."""
    if not os.path.lexists(task.source):
        return JobInspection(status="vanished", problem="the file does not exist any more")
    return JobInspection(
        status="unreadable",
        problem=problem.reason,
        outcome=_unreadable(task, task.source, problem),
    )


def _unreadable(task: JobTask, source: AnySource, problem: SourceUnreadable) -> Outcome:
    return unreadable_outcome(unreadable_inspection(request_of(task, source), problem))


def _playing_seconds(media: Media) -> float:
    """Return the playing time; 0 if it is unknown or the media does not play.

    Only progress bars use it, as a weight.
    """
    if isinstance(media, Video | Animation | Sound) and media.duration is not None:
        return float(media.duration)
    return 0.0


def _encode_threads(plan: Plan) -> int:
    """Return the threads that the encode can use: more for larger pictures, 1 for a remux."""
    threads = 1
    for output in plan.outputs:
        source, target = output.source, output.target
        if isinstance(source, Video) and isinstance(target, Video) and target.video.reencode:
            pixels = (source.video.width or 0) * (source.video.height or 0)
            threads = max(threads, _threads_for(pixels))
    return threads


def _threads_for(pixels: int) -> int:
    for limit, threads in _ENCODE_THREADS:
        if pixels <= limit:
            return threads
    return _LARGEST_FRAME_THREADS
