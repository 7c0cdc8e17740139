"""The public functions. Each one that reads or writes a file has a twin for event loops, which
drives the same steps with asyncio.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any, BinaryIO, Generic, TypeAlias, TypeVar

from mediaprep.errors import UsageProblem
from mediaprep.model.events import Event, ignore
from mediaprep.model.media import Media
from mediaprep.model.options import Options
from mediaprep.model.report import PostReport, Report
from mediaprep.pipeline.inspect import Inspection, inspect_steps, probe_source_steps, source_path
from mediaprep.pipeline.outcome import Outcome, PostOutcome
from mediaprep.pipeline.request import Destination, OutputStem, Request
from mediaprep.planning import check as checking
from mediaprep.planning import plan as planning
from mediaprep.planning.plan import Plan
from mediaprep.profile import DEFAULT, Profile, find_profile, split_name
from mediaprep.runtime.context import Context
from mediaprep.runtime.effects import Steps, drive, drive_async

# pipeline.prepare and pipeline.post are imported where they are called: a check does without the
# modules that encode.

Source: TypeAlias = str | bytes | PathLike[Any] | BinaryIO

T = TypeVar("T")


def load_profile(name: str = DEFAULT) -> Profile:
    """Load a profile: a bundled one or the user's own by name, or the TOML file at a path.

    Raises: ProfileError.
    """
    return find_profile(name)


def probe(
    source: Source,
    *,
    options: Options | None = None,
    timeout: float | None = None,
    sandbox: str = "auto",
) -> Media:
    """Return the facts of a file, read in a confined child process. ``timeout`` is in seconds.

    Raises: SourceUnreadable, DeadlineExceeded, EnvironmentProblem.
    """
    return _probe(source, options, timeout, sandbox).run()


async def probe_async(
    source: Source,
    *,
    options: Options | None = None,
    timeout: float | None = None,
    sandbox: str = "auto",
) -> Media:
    """Do what ``probe`` does, on the running event loop."""
    return await _probe(source, options, timeout, sandbox).run_async()


def check(
    source: Source | Media,
    placement: str = DEFAULT,
    *,
    options: Options | None = None,
    timeout: float | None = None,
) -> Report:
    """Check a file, or facts that were probed before, against the limits of a placement: a profile
    (``twitter``), a profile and category (``twitter/dm_video``) or the path of a TOML file.

    A file that cannot be read has the verdict ``unreadable``. Raises: ProfileError,
    DeadlineExceeded, EnvironmentProblem.
    """
    if isinstance(source, Media):
        profile, category = _resolve(placement)
        return checking.check(source, profile.placement_for(source.kind, category))
    return _inspect(source, placement, options, timeout).run().report


async def check_async(
    source: Source,
    placement: str = DEFAULT,
    *,
    options: Options | None = None,
    timeout: float | None = None,
) -> Report:
    """Do what ``check`` does with a file, on the running event loop."""
    return (await _inspect(source, placement, options, timeout).run_async()).report


def plan(
    source: Source | Media,
    placement: str = DEFAULT,
    options: Options | None = None,
    *,
    timeout: float | None = None,
) -> Plan:
    """Plan the repair of a file, or of facts that were probed before. Nothing is written.

    Raises: SourceUnreadable, and as ``check``.
    """
    if isinstance(source, Media):
        profile, category = _resolve(placement)
        limits = profile.placement_for(source.kind, category)
        companions = profile.companions(limits)
        return planning.plan((source,), limits, options, companions=companions)
    return _inspect(source, placement, options, timeout).run().plan()


async def plan_async(
    source: Source,
    placement: str = DEFAULT,
    options: Options | None = None,
    *,
    timeout: float | None = None,
) -> Plan:
    """Do what ``plan`` does with a file, on the running event loop."""
    return (await _inspect(source, placement, options, timeout).run_async()).plan()


def prepare(
    source: Source,
    target: str | PathLike[str] | None = None,
    placement: str = DEFAULT,
    *,
    category: str | None = None,
    captions: Source | None = None,
    options: Options | None = None,
    force: bool = False,
    on_event: Callable[[Event], None] = ignore,
    cancel: threading.Event | None = None,
    timeout: float | None = None,
    ffmpeg: str | None = None,
    sandbox: str = "auto",
) -> Outcome:
    """Make a file acceptable: probe, check, plan, encode, verify, publish. All outputs are
    published complete and verified, or none.

    source     a path, or a seekable binary file; it is never written to
    target     a file, or a folder (an existing one, or a name that ends in / and is created); None
               for beside the source as ``<stem>.<profile>.mp4``
    placement  as for ``check``
    category   media category, unless the placement names one; None to infer it from the content
    captions   SRT, WebVTT or ASS that go with a video: cut as it is, published together with it
    options    what the repair should do
    force      replace an existing output; the source is never replaced
    on_event   called in this thread with each event
    cancel     set it in any thread to stop the call
    timeout    seconds for the whole call
    ffmpeg     path of an ffmpeg binary to use instead of the bundled one
    sandbox    auto, basic or strict, the weakest confinement of child processes to accept

    Raises: UsageProblem (before any work), ProfileError, EnvironmentProblem, Cancelled,
    DeadlineExceeded.
    """
    context = _context(timeout, sandbox, on_event, cancel, ffmpeg)
    return _prepare(source, target, placement, category, captions, options, force, context).run()


async def prepare_async(
    source: Source,
    target: str | PathLike[str] | None = None,
    placement: str = DEFAULT,
    *,
    category: str | None = None,
    captions: Source | None = None,
    options: Options | None = None,
    force: bool = False,
    on_event: Callable[[Event], None] = ignore,
    timeout: float | None = None,
    ffmpeg: str | None = None,
    sandbox: str = "auto",
) -> Outcome:
    """Do what ``prepare`` does, on the running event loop. Cancelling the task ends the child
    process within a second and removes the work files.
    """
    context = _context(timeout, sandbox, on_event, None, ffmpeg)
    return await _prepare(
        source, target, placement, category, captions, options, force, context
    ).run_async()


def check_post(
    sources: Sequence[Source],
    placement: str = DEFAULT,
    *,
    options: Options | None = None,
    timeout: float | None = None,
    sandbox: str = "auto",
) -> PostReport:
    """Check files as the attachments of one post: each of them, and whether they go together.

    Raises: UsageProblem if there are no sources; as ``check``.
    """
    return _check_post(sources, placement, options, timeout, sandbox).run()


async def check_post_async(
    sources: Sequence[Source],
    placement: str = DEFAULT,
    *,
    options: Options | None = None,
    timeout: float | None = None,
    sandbox: str = "auto",
) -> PostReport:
    """Do what ``check_post`` does, on the running event loop."""
    return await _check_post(sources, placement, options, timeout, sandbox).run_async()


def prepare_post(
    sources: Sequence[Source],
    folder: str | PathLike[str] | None = None,
    placement: str = DEFAULT,
    *,
    options: Options | None = None,
    force: bool = False,
    on_event: Callable[[Event], None] = ignore,
    cancel: threading.Event | None = None,
    timeout: float | None = None,
    ffmpeg: str | None = None,
    sandbox: str = "auto",
) -> PostOutcome:
    """Make the attachments of one post acceptable. If they cannot be posted together, nothing is
    written, and the report says how they could be.

    folder  where outputs go, created if it does not exist; None for beside each source

    The other arguments and the exceptions are those of ``prepare``.
    """
    context = _context(timeout, sandbox, on_event, cancel, ffmpeg)
    return _prepare_post(sources, folder, placement, options, force, context).run()


async def prepare_post_async(
    sources: Sequence[Source],
    folder: str | PathLike[str] | None = None,
    placement: str = DEFAULT,
    *,
    options: Options | None = None,
    force: bool = False,
    on_event: Callable[[Event], None] = ignore,
    timeout: float | None = None,
    ffmpeg: str | None = None,
    sandbox: str = "auto",
) -> PostOutcome:
    """Do what ``prepare_post`` does, on the running event loop."""
    context = _context(timeout, sandbox, on_event, None, ffmpeg)
    return await _prepare_post(sources, folder, placement, options, force, context).run_async()


def events(
    source: Source,
    target: str | PathLike[str] | None = None,
    placement: str = DEFAULT,
    *,
    category: str | None = None,
    captions: Source | None = None,
    options: Options | None = None,
    force: bool = False,
    cancel: threading.Event | None = None,
    timeout: float | None = None,
    ffmpeg: str | None = None,
    sandbox: str = "auto",
) -> Iterator[Event | Outcome]:
    """Do what ``prepare`` does in a thread of its own. Yield its events, and the Outcome last.
    Leaving the loop early stops the work.
    """
    results: queue.SimpleQueue[Event | Outcome | BaseException] = queue.SimpleQueue()
    stop = cancel or threading.Event()

    def work() -> None:
        try:
            context = _context(timeout, sandbox, results.put, stop, ffmpeg)
            call = _prepare(source, target, placement, category, captions, options, force, context)
            results.put(call.run())
        except BaseException as problem:  # the consumer raises it
            results.put(problem)

    worker = threading.Thread(target=work, name="mediaprep-events")
    worker.start()
    try:
        while True:
            result = results.get()
            if isinstance(result, BaseException):
                raise result
            yield result
            if isinstance(result, Outcome):
                return
    finally:
        stop.set()
        worker.join()


async def events_async(
    source: Source,
    target: str | PathLike[str] | None = None,
    placement: str = DEFAULT,
    *,
    category: str | None = None,
    captions: Source | None = None,
    options: Options | None = None,
    force: bool = False,
    timeout: float | None = None,
    ffmpeg: str | None = None,
    sandbox: str = "auto",
) -> AsyncIterator[Event | Outcome]:
    """Do what ``prepare_async`` does. Yield its events, and the Outcome last. Leaving the loop
    early stops the work.
    """
    received: asyncio.Queue[Event] = asyncio.Queue()
    context = _context(timeout, sandbox, received.put_nowait, None, ffmpeg)
    call = _prepare(source, target, placement, category, captions, options, force, context)
    work = asyncio.ensure_future(call.run_async())
    try:
        while not work.done() or not received.empty():
            event = asyncio.ensure_future(received.get())
            await asyncio.wait({work, event}, return_when=asyncio.FIRST_COMPLETED)
            if event.done():
                yield event.result()
            else:
                event.cancel()
        yield await work
    finally:
        work.cancel()
        await asyncio.wait({work})


# -- what a function and its twin share --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Call(Generic[T]):
    """The steps of one call, to be driven by either twin."""

    steps: Steps[T]
    context: Context

    def run(self) -> T:
        return drive(self.steps, self.context)

    async def run_async(self) -> T:
        return await drive_async(self.steps, self.context)


def _probe(
    source: Source, options: Options | None, timeout: float | None, sandbox: str
) -> _Call[Media]:
    context = _context(timeout, sandbox)
    return _Call(probe_source_steps(source, options or Options(), context), context)


def _inspect(
    source: Source, placement: str, options: Options | None, timeout: float | None
) -> _Call[Inspection]:
    context, request = _context(timeout), _request(source, placement, options)
    return _Call(inspect_steps(request, context), context)


def _prepare(
    source: Source,
    target: str | PathLike[str] | None,
    placement: str,
    category: str | None,
    captions: Source | None,
    options: Options | None,
    force: bool,
    context: Context,
) -> _Call[Outcome]:
    from mediaprep.pipeline.output_paths import destination_of
    from mediaprep.pipeline.prepare import prepare_steps

    request = _request(
        source,
        placement,
        options,
        category=category,
        captions=captions,
        destination=destination_of(target),
        force=force,
    )
    return _Call(prepare_steps(request, context), context)


def _check_post(
    sources: Sequence[Source],
    placement: str,
    options: Options | None,
    timeout: float | None,
    sandbox: str,
) -> _Call[PostReport]:
    from mediaprep.pipeline.post import check_post_steps

    context = _context(timeout, sandbox)
    requests = [_request(source, placement, options) for source in sources]
    return _Call(check_post_steps(requests, context), context)


def _prepare_post(
    sources: Sequence[Source],
    folder: str | PathLike[str] | None,
    placement: str,
    options: Options | None,
    force: bool,
    context: Context,
) -> _Call[PostOutcome]:
    from mediaprep.pipeline.output_paths import destination_of, output_stems
    from mediaprep.pipeline.post import prepare_post_steps

    destination = destination_of(folder, folder=folder is not None)
    to = options.to if options is not None else "auto"
    paths = [source_path(source) for source in sources]
    stems = output_stems(paths, destination.folder, to=to)
    requests = [
        _request(source, placement, options, destination=destination, stem=stem, force=force)
        for source, stem in zip(sources, stems, strict=True)
    ]
    return _Call(prepare_post_steps(requests, context), context)


def _request(
    source: Source,
    placement: str,
    options: Options | None,
    *,
    category: str | None = None,
    captions: Source | None = None,
    destination: Destination | None = None,
    stem: OutputStem | None = None,
    force: bool = False,
) -> Request:
    """Return the request. Raises: UsageProblem, ProfileError."""
    profile, category = _resolve(placement, category)
    return Request(
        source=source,
        profile=profile,
        category=category,
        options=options or Options(),
        captions=captions,
        destination=destination or Destination(),
        stem=stem,
        force=force,
    )


def _resolve(placement: str, category: str | None = None) -> tuple[Profile, str | None]:
    """Find the profile and the category of a placement. Raises: UsageProblem, ProfileError."""
    _, named = split_name(placement)
    if named and category and named != category:
        raise UsageProblem(
            f"two categories: {named!r} in {placement!r}, and {category!r}; pass one of them"
        )
    profile, category = find_profile(placement), named or category
    if category is not None:
        profile.placement_for(None, category)  # raises ProfileError if there is no such category
    return profile, category


def _context(
    timeout: float | None,
    sandbox: str = "auto",
    on_event: Callable[[Event], None] = ignore,
    cancel: threading.Event | None = None,
    ffmpeg: str | None = None,
) -> Context:
    return Context(
        deadline=None if timeout is None else time.monotonic() + timeout,
        cancel=cancel or threading.Event(),
        listener=on_event,
        ffmpeg=ffmpeg,
        sandbox=sandbox,
    )
