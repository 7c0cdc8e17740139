"""What a worker does for one job, in a thread of this process or on another host: look at a file, make its outputs, or copy them.

A worker knows no ledger and gives nothing its final name: it answers with verified, synced work files in the job's folder. It may go on
only while that folder exists: to take the folder away stops it, wherever it runs.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import hashlib
import os
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from mediaprep.errors import Cancelled, MediaPrepError, SourceUnreadable, VerifyError
from mediaprep.model.events import Event, Listener
from mediaprep.model.media import Animation, Media, Sound, Video
from mediaprep.model.options import Options
from mediaprep.model.report import Report
from mediaprep.model.serialize import encode
from mediaprep.pipeline import upload_record as handoff
from mediaprep.pipeline.outcome import Outcome
from mediaprep.pipeline.prepare import inspect_and_plan_steps, prepare_steps, unchanged_outcome
from mediaprep.pipeline.request import Request
from mediaprep.planning.check import unreadable
from mediaprep.planning.plan import PLAN_VERSION, Plan
from mediaprep.probing.probe import ProbeResult
from mediaprep.profile import Profile
from mediaprep.runtime.atomic import work_file
from mediaprep.runtime.context import Context, Limits
from mediaprep.runtime.crashpoints import step
from mediaprep.runtime.effects import drive
from mediaprep.runtime.source import Source, Stamp, display_name, open_source

FENCE_SECONDS = 0.25  # how often a worker looks whether it may go on
_FICLONE = 0x40049409  # linux/fs.h
_COPY = 16 * 2**20
_SLOTS = (
    (1280 * 1024, 1),
    (1920 * 1088, 2),
    (2560 * 1440, 3),
)  # pixels of a source frame, and cores that its encode is worth; more: 4
_MOST_SLOTS = 4

CHANNELS: dict[
    str, Callable[[int, Event], None]
] = {}  # of the runs of this process, by name; others hear through the cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """What is done to every file of a run."""

    profile: Profile
    category: str | None = None
    options: Options = field(default_factory=Options)

    @property
    def content(self) -> dict[str, object]:
        """What it consists of, as JSON."""
        return {
            "profile": self.profile.name,
            "category": self.category,
            "profile_digest": self.profile.digest,
            "wishes": encode(self.options),
            "plan_version": PLAN_VERSION,
        }

    @property
    def packed(self) -> bytes:
        """As it is sent: packed once, and unpacked once by each worker."""
        return pickle.dumps(self)

    @property
    def digest(self) -> str:
        """One text for placement, profile, wishes and plan version: what is not the same is another job."""
        import json

        return hashlib.sha256(json.dumps(self.content, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTask:
    """What a worker is told.

    folder    see above; recipe: packed; seconds: at the most
    stamp     the file must still be so; None: as it is
    follow    symbolic links
    dry       a look brings its plan back, and copies nothing; else what is fine as it is is copied at once
    """

    job: int
    run: str
    source: str
    folder: str
    recipe: bytes
    stamp: Stamp | None = None
    follow: bool = False
    dry: bool = False
    seconds: float | None = None
    threads: int = 1
    ffmpeg: str | None = None
    sandbox: str = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobInspection:
    """What a look gave. ``outcome``: final where nothing is to be made; ``copy`` of what is fine; ``slots``: cores that the making is
    worth."""

    status: Literal[
        "planned", "already_ok", "refused", "unreadable", "vanished", "changed", "stopped", "failed"
    ]
    stamp: Stamp | None = None
    sha256: str | None = None
    media_seconds: float = 0.0
    slots: int = 1
    probed: ProbeResult | None = None
    plan: Plan | None = None
    outcome: Outcome | None = None
    copy: WorkFile | None = None
    problem: str | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkFile:
    """One verified work file: where, its digest and size, and the suffix that its name will have."""

    path: str
    sha256: str
    size: int
    suffix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResult:
    """What the making gave. Without parts: ``problem`` says why."""

    status: Literal[
        "fixed", "already_ok", "refused", "unreadable", "vanished", "changed", "stopped", "failed"
    ]
    parts: tuple[WorkFile, ...] = ()
    outcome: Outcome | None = None
    problem: str | None = None
    seconds: float = 0.0


class Cancellation(threading.Event):
    """Set as soon as the folder is gone."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        self._folder, self._due = folder, 0.0

    def is_set(self) -> bool:
        """Looked up at most four times a second."""
        now = time.monotonic()
        if now >= self._due and not super().is_set():
            self._due = now + FENCE_SECONDS
            if not Path(self._folder).is_dir():
                self.set()
        return super().is_set()


@functools.lru_cache(maxsize=16)
def unpacked(packed: bytes) -> RunSettings:
    """The recipe. Only what a coordinator of ours has packed comes here."""
    recipe = pickle.loads(packed)  # noqa: S301
    assert isinstance(recipe, RunSettings)
    return recipe


def look(task: JobTask) -> JobInspection:
    """Read a file: its digest, its facts, its plan."""
    began = time.monotonic()
    try:
        seen = _look(task)
    except Cancelled:
        seen = JobInspection(status="stopped", problem="stopped")
    except (MediaPrepError, OSError) as problem:
        seen = JobInspection(status="failed", problem=said(problem))
    return replace(seen, seconds=time.monotonic() - began)


def _look(task: JobTask) -> JobInspection:
    context = _context(task, stages=False)
    try:
        source = open_source(task.source, follow=task.follow)
    except SourceUnreadable as problem:
        return _not_there(task, problem)
    with source:
        if task.stamp is not None and source.stamp != task.stamp:
            return JobInspection(status="changed", problem="the file is being changed")
        recipe = unpacked(task.recipe)
        order = Request(
            source=source, profile=recipe.profile, category=recipe.category, options=recipe.options
        )
        outcome = probed = plan = None
        try:
            digest = source.sha256(context.check)
            survey = drive(inspect_and_plan_steps(source, order, context), context)
            probed, plan = survey.probed, survey.plan
            if plan.status != "planned":
                outcome = unchanged_outcome(source, order, survey)
        except SourceUnreadable as problem:
            outcome = _unreadable(task, source.name, problem)
        copy = None
        if not task.dry and outcome is not None and outcome.status == "already_ok":
            copy = _part(
                _copied(source, Path(task.folder), context), Path(task.source).suffix, context
            )
            step("copied")
            if copy.sha256 != digest:
                Path(copy.path).unlink()
                return JobInspection(status="changed", problem="the file changed while it was read")
        if not source.unchanged():
            return JobInspection(status="changed", problem="the file changed while it was read")
        return JobInspection(
            copy=copy,
            status="planned" if outcome is None else _not_made(outcome),
            stamp=source.stamp,
            sha256=digest,
            media_seconds=_playing(probed.media) if probed else 0.0,
            slots=_slots(plan) if plan else 1,
            probed=probed if outcome is None else None,
            plan=plan if task.dry else None,
            outcome=outcome,
            problem="; ".join(outcome.problems) if outcome else None,
        )


def make(task: JobTask, seen: JobInspection) -> JobResult:
    """Make the outputs of a file that was looked at, or a copy of what is fine as it is."""
    began = time.monotonic()
    made = _guarded(task, lambda context: _make(task, seen, context))
    return replace(made, seconds=time.monotonic() - began)


def _make(task: JobTask, seen: JobInspection, context: Context) -> JobResult:
    try:
        source = open_source(task.source, follow=task.follow)
    except SourceUnreadable as problem:
        absent = _not_there(task, problem)
        return JobResult(
            status=absent.status if absent.status != "planned" else "failed",
            problem=absent.problem,
            outcome=absent.outcome,
        )
    with source:
        if source.stamp != seen.stamp:
            return JobResult(status="changed", problem="the file changed before it was worked on")
        if seen.outcome is not None:
            paths = [_copied(source, Path(task.folder), context)]
            outcome = seen.outcome
        else:
            recipe = unpacked(task.recipe)
            order = Request(
                source=source,
                profile=recipe.profile,
                category=recipe.category,
                options=recipe.options,
                probed=seen.probed,
                hold=Path(task.folder),
            )
            outcome = drive(prepare_steps(order, context), context)
            if outcome.status != "fixed":
                return JobResult(
                    status=outcome.status, outcome=outcome, problem="; ".join(outcome.problems)
                )
            paths = [Path(path) for path in outcome.outputs]
        suffixes = [_suffix(report) for report in outcome.after] or [Path(task.source).suffix]
        step("made")
        if source.sha256(context.check) != seen.sha256 or not source.unchanged():
            return JobResult(status="changed", problem="the file changed while it was worked on")
        parts = tuple(
            _part(path, suffix, context) for path, suffix in zip(paths, suffixes, strict=True)
        )
        if seen.outcome is not None and parts[0].sha256 != seen.sha256:
            return JobResult(status="failed", problem="the copy differs from the source")
    step("held")
    return JobResult(status=outcome.status, parts=parts, outcome=outcome)


def clone(task: JobTask, outputs: tuple[tuple[str, str], ...]) -> JobResult:
    """Copy what was made for another file of this content: (path, sha256) of each output. ``failed``: they are not what they were."""
    began = time.monotonic()

    def copied(context: Context) -> JobResult:
        parts = []
        for path, digest in outputs:
            with open_source(path, follow=False) as source:
                part = _part(
                    _copied(source, Path(task.folder), context), Path(path).suffix, context
                )
            if part.sha256 != digest:
                return JobResult(
                    status="failed", problem=f"{display_name(path)}: was changed since it was made"
                )
            parts.append(part)
        return JobResult(status="fixed", parts=tuple(parts))

    return replace(_guarded(task, copied), seconds=time.monotonic() - began)


def _guarded(task: JobTask, work: Callable[[Context], JobResult]) -> JobResult:
    try:
        return work(_context(task))
    except Cancelled:
        return JobResult(status="stopped", problem="stopped")
    except (MediaPrepError, OSError) as problem:
        return JobResult(status="failed", problem=said(problem))


def _context(task: JobTask, *, stages: bool = True) -> Context:
    return Context(
        deadline=None if task.seconds is None else time.monotonic() + task.seconds,
        cancel=Cancellation(task.folder),
        listener=_listener(task, stages=stages),
        limits=Limits(threads=task.threads),
        ffmpeg=task.ffmpeg,
        sandbox=task.sandbox,
    )


def _listener(task: JobTask, *, stages: bool) -> Listener:
    heard = CHANNELS.get(task.run)
    if heard is not None:
        return functools.partial(heard, task.job)
    from mediaprep.jobs.workers.dask_events import forwarder

    return forwarder(task.run, task.job, stages=stages)


def _not_there(task: JobTask, problem: SourceUnreadable) -> JobInspection:
    if not os.path.lexists(task.source):
        return JobInspection(status="vanished", problem="the file is gone")
    return JobInspection(
        status="unreadable",
        problem=problem.reason,
        outcome=_unreadable(task, display_name(task.source), problem),
    )


def _unreadable(task: JobTask, name: str, problem: SourceUnreadable) -> Outcome:
    recipe = unpacked(task.recipe)
    profile, category = recipe.profile.name, recipe.category
    report = unreadable(name, problem, profile if category is None else f"{profile}/{category}")
    return Outcome(
        path=task.source,
        status="unreadable",
        profile=profile,
        before=report,
        problems=(problem.reason,),
    )


def _not_made(outcome: Outcome) -> Literal["already_ok", "refused", "unreadable", "failed"]:
    return "failed" if outcome.status == "fixed" else outcome.status


def said(problem: BaseException) -> str:
    """One line about what went wrong."""
    if isinstance(problem, OSError) and not isinstance(problem, MediaPrepError):
        name = "" if problem.filename is None else f"{display_name(problem.filename)}: "
        return name + (problem.strerror or type(problem).__name__).lower()
    return str(problem)


def _playing(media: Media) -> float:
    """Seconds of playing time; 0 where it is not known, or nothing plays: a weight of bars, never a fact."""
    return (
        float(media.duration)
        if isinstance(media, Video | Animation | Sound) and media.duration is not None
        else 0.0
    )


def _slots(plan: Plan) -> int:
    """Cores that the encode is worth: a large picture keeps more of them busy, a copy or a small picture one."""
    worth = 1
    for output in plan.outputs:
        have, target = output.source, output.target
        if isinstance(have, Video) and isinstance(target, Video) and target.video.reencode:
            pixels = (have.video.width or 0) * (have.video.height or 0)
            worth = max(
                worth, next((slots for limit, slots in _SLOTS if pixels <= limit), _MOST_SLOTS)
            )
    return worth


def _copied(source: Source, folder: Path, context: Context) -> Path:
    """A copy in a new work file: a reflink where the file system can, never a hard link (the source must not change with it)."""
    part, descriptor = work_file(folder)
    try:
        try:
            fcntl.ioctl(descriptor, _FICLONE, source.fd)
        except OSError as problem:
            if problem.errno not in (
                errno.EOPNOTSUPP,
                errno.ENOTTY,
                errno.EXDEV,
                errno.EINVAL,
                errno.ENOSYS,
                errno.EPERM,
                errno.ETXTBSY,
            ):
                raise
            for offset in range(0, source.size_bytes, _COPY):
                context.check()
                _write(descriptor, source.read_at(offset, _COPY))
    finally:
        os.close(descriptor)
    return part


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _suffix(report: Report) -> str:
    """What the name of an output ends in. Raises: VerifyError where there are no facts of it."""
    if report.media is None:
        raise VerifyError(["the output has no facts"])
    return handoff.suffix(report.media)


def _part(path: Path, suffix: str, context: Context) -> WorkFile:
    """A work file made durable, and its digest."""
    with open_source(path, follow=False) as source:
        os.fsync(source.fd)
        digest = source.sha256(context.check)
        return WorkFile(path=str(path), sha256=digest, size=source.size_bytes, suffix=suffix)


@contextlib.contextmanager
def channel(run: str, heard: Callable[[int, Event], None]) -> Iterator[None]:
    """While it is entered, events of jobs of this run that are worked on in this process go to ``heard``."""
    CHANNELS[run] = heard
    try:
        yield
    finally:
        CHANNELS.pop(run, None)
