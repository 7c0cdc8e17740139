"""Produce the outputs of a job in a worker: encode and verify them, or copy existing ones."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from mediaprep.errors import Cancelled, MediaPrepError, SourceUnreadable, VerifyError
from mediaprep.jobs.problem import problem_text
from mediaprep.jobs.workers.context import job_context
from mediaprep.jobs.workers.inspect import inspection_of_unopened, request_of
from mediaprep.jobs.workers.records import JobInspection, JobResult, JobTask, WorkFile
from mediaprep.jobs.workers.work_files import copy_source, finish_work_file
from mediaprep.model.report import Report
from mediaprep.pipeline import upload_record
from mediaprep.pipeline.outcome import Outcome
from mediaprep.pipeline.prepare import prepare_steps
from mediaprep.runtime.context import Context
from mediaprep.runtime.crashpoints import crashpoint
from mediaprep.runtime.effects import drive
from mediaprep.runtime.paths import display_name
from mediaprep.runtime.source import Source, open_source


def encode_job(task: JobTask, inspection: JobInspection) -> JobResult:
    """Produce the planned outputs of an inspected source, or a copy of it if none is planned."""
    return _run(task, lambda context: _encode(task, inspection, context))


def copy_outputs(task: JobTask, outputs: tuple[tuple[str, str], ...]) -> JobResult:
    """Copy the outputs of another job with the same source content.

    ``outputs`` are (path, sha256). The status is ``failed`` if one of them has changed.
    """
    return _run(task, lambda context: _copy_outputs(task, outputs, context))


def _run(task: JobTask, work: Callable[[Context], JobResult]) -> JobResult:
    """Measure the time of some work, and return its errors as results."""
    began = time.monotonic()
    try:
        result = work(job_context(task))
    except Cancelled:
        result = JobResult(status="stopped", problem="stopped")
    except (MediaPrepError, OSError) as problem:
        result = JobResult(status="failed", problem=problem_text(problem))
    return replace(result, seconds=time.monotonic() - began)


def _encode(task: JobTask, inspection: JobInspection, context: Context) -> JobResult:
    try:
        source = open_source(task.source, follow=task.follow_links)
    except SourceUnreadable as problem:
        return _unopened(task, problem)
    with source:
        if source.stamp != inspection.stamp:
            return JobResult(status="changed", problem="the file changed before it was processed")
        outcome = inspection.outcome
        if outcome is None:
            outcome = _prepare(source, task, inspection, context)
            if outcome.status != "fixed":
                return JobResult(
                    status=outcome.status, outcome=outcome, problem="; ".join(outcome.problems)
                )
            paths = [Path(path) for path in outcome.outputs]
            suffixes = [_suffix(report) for report in outcome.after]
        else:
            paths = [copy_source(source, Path(task.folder), context)]
            suffixes = [Path(task.source).suffix]
        crashpoint("encoded")
        if source.sha256(context.check) != inspection.sha256 or not source.unchanged():
            return JobResult(status="changed", problem="the file changed while it was processed")
    work_files = _finish(paths, suffixes, context)
    if inspection.outcome is not None and work_files[0].sha256 != inspection.sha256:
        return JobResult(status="failed", problem="the copy differs from the source")
    crashpoint("synced")
    return JobResult(status=outcome.status, work_files=work_files, outcome=outcome)


def _unopened(task: JobTask, problem: SourceUnreadable) -> JobResult:
    inspection = inspection_of_unopened(task, problem)
    return JobResult(
        status="vanished" if inspection.status == "vanished" else "unreadable",
        problem=inspection.problem,
        outcome=inspection.outcome,
    )


def _prepare(source: Source, task: JobTask, inspection: JobInspection, context: Context) -> Outcome:
    steps = prepare_steps(
        request_of(task, source), context, probed=inspection.probed, work_folder=Path(task.folder)
    )
    return drive(steps, context)


def _suffix(report: Report) -> str:
    """Return the suffix of an output's name. Raises: VerifyError if its facts are unknown."""
    if report.media is None:
        raise VerifyError(["the output cannot be read"])
    return upload_record.suffix(report.media)


def _finish(paths: list[Path], suffixes: list[str], context: Context) -> tuple[WorkFile, ...]:
    return tuple(
        finish_work_file(path, suffix, context)
        for path, suffix in zip(paths, suffixes, strict=True)
    )


def _copy_outputs(
    task: JobTask, outputs: tuple[tuple[str, str], ...], context: Context
) -> JobResult:
    work_files = []
    for path, digest in outputs:
        with open_source(path, follow=False) as source:
            copy = copy_source(source, Path(task.folder), context)
        work_file = finish_work_file(copy, Path(path).suffix, context)
        if work_file.sha256 != digest:
            problem = f"{display_name(path)}: changed since it was published"
            return JobResult(status="failed", problem=problem)
        work_files.append(work_file)
    return JobResult(status="fixed", work_files=tuple(work_files))
