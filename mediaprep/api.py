"""The public calls: ``mediaprep.probe``, ``check``, ``plan``, ``prepare``, ``events`` and their twins for event loops. ``mediaprep``
shows them.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from mediaprep.errors import (
    SourceUnreadable,
    UsageProblem,
)
from mediaprep.model.events import Event, ignore
from mediaprep.model.media import Media
from mediaprep.model.options import Options
from mediaprep.model.placement import Placement
from mediaprep.model.report import PostReport, Report
from mediaprep.pipeline.outcome import Outcome, PostOutcome
from mediaprep.planning.check import check as _check
from mediaprep.planning.check import unreadable as _unreadable
from mediaprep.planning.plan import Plan
from mediaprep.planning.plan import plan as _plan
from mediaprep.profile import Profile, find_profile, split_name
from mediaprep.runtime.context import Context, Limits
from mediaprep.runtime.paths import is_folder

Source: TypeAlias = str | bytes | PathLike[Any] | BinaryIO
DEFAULT = "twitter"


def load_profile(name: str = DEFAULT) -> Profile:
    """A profile by name (bundled, or the user's own) or by the path of a TOML file. Raises: ProfileError."""
    return find_profile(name)


def probe(
    source: Source,
    *,
    options: Options | None = None,
    timeout: float | None = None,
    sandbox: str = "auto",
) -> Media:
    """The facts of a file, read in a confined child. ``timeout``: seconds. Raises: SourceUnreadable, DeadlineExceeded,
    EnvironmentProblem.
    """
    from mediaprep.pipeline.inspect import facts
    from mediaprep.runtime.effects import drive

    context = _context(timeout=timeout, sandbox=sandbox)
    return drive(facts(source, options or Options(), context), context)


async def probe_async(
    source: Source,
    *,
    options: Options | None = None,
    timeout: float | None = None,
    sandbox: str = "auto",
) -> Media:
    """As ``probe``, on the running loop."""
    from mediaprep.pipeline.inspect import facts
    from mediaprep.runtime.effects import drive_async

    context = _context(timeout=timeout, sandbox=sandbox)
    return await drive_async(facts(source, options or Options(), context), context)


def check(
    source: Source | Media,
    placement: str = DEFAULT,
    *,
    options: Options | None = None,
    timeout: float | None = None,
) -> Report:
    """Judges a file, or facts already probed (pure then), for a placement: ``twitter``, ``twitter/dm_video``, ``./own.toml``.

    A file of which nothing can be read has the verdict ``unreadable``. Raises: ProfileError, DeadlineExceeded, EnvironmentProblem.
    """
    if isinstance(source, Media):
        return _check(source, _spec(placement, source))
    try:
        return check(probe(source, options=options, timeout=timeout), placement)
    except SourceUnreadable as problem:
        return _unreadable(_shown(source), problem, placement)


async def check_async(
    source: Source,
    placement: str = DEFAULT,
    *,
    options: Options | None = None,
    timeout: float | None = None,
) -> Report:
    """As ``check`` of a file, on the running loop."""
    try:
        return check(await probe_async(source, options=options, timeout=timeout), placement)
    except SourceUnreadable as problem:
        return _unreadable(_shown(source), problem, placement)


def check_post(
    sources: Sequence[Source],
    placement: str = DEFAULT,
    *,
    options: Options | None = None,
    timeout: float | None = None,
    sandbox: str = "auto",
) -> PostReport:
    """Judges files as the attachments of one post: each by itself, and whether they can go together. Raises: as ``check``, UsageProblem."""
    from mediaprep.pipeline.post import check_post_steps
    from mediaprep.runtime.effects import drive

    context = _context(timeout=timeout, sandbox=sandbox)
    return drive(
        check_post_steps(_orders(sources, None, placement, options, False), context), context
    )


async def check_post_async(
    sources: Sequence[Source],
    placement: str = DEFAULT,
    *,
    options: Options | None = None,
    timeout: float | None = None,
    sandbox: str = "auto",
) -> PostReport:
    """As ``check_post``, on the running loop."""
    from mediaprep.pipeline.post import check_post_steps
    from mediaprep.runtime.effects import drive_async

    context = _context(timeout=timeout, sandbox=sandbox)
    return await drive_async(
        check_post_steps(_orders(sources, None, placement, options, False), context), context
    )


def plan(
    source: Source | Media,
    placement: str = DEFAULT,
    options: Options | None = None,
    *,
    timeout: float | None = None,
) -> Plan:
    """What would have to change, decided and proved without writing anything. Raises: as ``check``, and SourceUnreadable."""
    media = source if isinstance(source, Media) else probe(source, options=options, timeout=timeout)
    found = _spec(placement, media)
    return _plan((media,), found, options, companions=find_profile(placement).companions(found))


async def plan_async(
    source: Source,
    placement: str = DEFAULT,
    options: Options | None = None,
    *,
    timeout: float | None = None,
) -> Plan:
    """As ``plan`` of a file, on the running loop."""
    return plan(await probe_async(source, options=options, timeout=timeout), placement, options)


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
    """Makes a file acceptable: the whole way from a source to a verified output that is published whole, or not at all.

    source     a path, or a seekable binary file; never written to
    target     file or folder; None: beside the source as ``<stem>.<profile>.mp4``
    placement  profile or profile/category; category: where the placement names none; None: inferred from the content
    captions   SRT, WebVTT or ASS that goes with a video: cut and timed as the video is, published together with it
    force      replace an existing output (never the source)
    on_event   called in this thread with each event; cancel: set it from any thread to stop; timeout: seconds for all of it
    ffmpeg     a binary to use instead of the bundled one; sandbox: auto, strict (refuse to run weaker) or basic

    Raises: UsageProblem (before any work), ProfileError, EnvironmentProblem, Cancelled, DeadlineExceeded.
    """
    from mediaprep.pipeline.prepare import prepare_steps
    from mediaprep.runtime.effects import drive

    context = _context(
        timeout=timeout, sandbox=sandbox, on_event=on_event, cancel=cancel, ffmpeg=ffmpeg
    )
    order = _order(source, target, placement, category, options, force, captions)
    return drive(prepare_steps(order, context), context)


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
    """As ``prepare``, on the running loop. Cancelling the task ends the child within a second and leaves nothing behind."""
    from mediaprep.pipeline.prepare import prepare_steps
    from mediaprep.runtime.effects import drive_async

    context = _context(timeout=timeout, sandbox=sandbox, on_event=on_event, ffmpeg=ffmpeg)
    order = _order(source, target, placement, category, options, force, captions)
    return await drive_async(prepare_steps(order, context), context)


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
    """Makes the attachments of one post acceptable. Where they cannot go together nothing is made; the report says how they could.

    folder     where outputs go; None: beside each source. The rest as for ``prepare``, whose exceptions it raises too.
    """
    from mediaprep.pipeline.post import prepare_post_steps
    from mediaprep.runtime.effects import drive

    context = _context(
        timeout=timeout, sandbox=sandbox, on_event=on_event, cancel=cancel, ffmpeg=ffmpeg
    )
    return drive(
        prepare_post_steps(_orders(sources, folder, placement, options, force), context), context
    )


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
    """As ``prepare_post``, on the running loop."""
    from mediaprep.pipeline.post import prepare_post_steps
    from mediaprep.runtime.effects import drive_async

    context = _context(timeout=timeout, sandbox=sandbox, on_event=on_event, ffmpeg=ffmpeg)
    return await drive_async(
        prepare_post_steps(_orders(sources, folder, placement, options, force), context), context
    )


def events(
    source: Source,
    target: str | PathLike[str] | None = None,
    placement: str = DEFAULT,
    **options: Any,
) -> Iterator[Event | Outcome]:
    """``prepare`` as an iterator: its events as they come, then the Outcome. Leaving the loop early stops the work. ``options``: as
    ``prepare``.
    """
    told: queue.SimpleQueue[Event | Outcome | BaseException] = queue.SimpleQueue()
    stop = options.pop("cancel", None) or threading.Event()

    def work() -> None:
        try:
            told.put(prepare(source, target, placement, on_event=told.put, cancel=stop, **options))
        except BaseException as problem:  # handed to the consumer, who raises it
            told.put(problem)

    worker = threading.Thread(target=work, name="mediaprep-events")
    worker.start()
    try:
        while True:
            item = told.get()
            if isinstance(item, BaseException):
                raise item
            yield item
            if isinstance(item, Outcome):
                return
    finally:
        stop.set()
        worker.join()


async def events_async(
    source: Source,
    target: str | PathLike[str] | None = None,
    placement: str = DEFAULT,
    **options: Any,
) -> AsyncIterator[Event | Outcome]:
    """``prepare_async`` as an asynchronous iterator: its events as they come, then the Outcome. ``options``: as ``prepare_async``."""
    told: asyncio.Queue[Event] = asyncio.Queue()
    work = asyncio.ensure_future(
        prepare_async(source, target, placement, on_event=told.put_nowait, **options)
    )
    try:
        while not work.done() or not told.empty():
            item = asyncio.ensure_future(told.get())
            await asyncio.wait({work, item}, return_when=asyncio.FIRST_COMPLETED)
            if item.done():
                yield item.result()
            else:
                item.cancel()
        yield await work
    finally:
        work.cancel()
        await asyncio.wait({work})


def _order(
    source: Source,
    target: str | PathLike[str] | None,
    placement: str,
    category: str | None,
    options: Options | None,
    force: bool,
    captions: Source | None = None,
) -> Any:
    from mediaprep.pipeline.request import Request

    named = split_name(placement)[1]
    if named and category and named != category:
        raise UsageProblem(
            f"two categories: {named!r} in {placement!r}, and {category!r}; name one"
        )
    path = None if target is None else _target(target)
    profile = find_profile(placement)
    return Request(
        source=source,
        profile=profile,
        category=named or category,
        options=options or Options(),
        target=path,
        force=force,
        captions=captions,
    )


def _orders(
    sources: Sequence[Source],
    folder: str | PathLike[str] | None,
    placement: str,
    options: Options | None,
    force: bool,
) -> tuple[Any, ...]:
    """One order for each attachment. Raises: UsageProblem where ``folder`` is none, or two outputs would have one name."""
    if folder is not None and not is_folder(Path(folder)):
        raise UsageProblem(f"{folder}: no such folder; make it first")
    return tuple(_order(source, folder, placement, None, options, force) for source in sources)


def _target(target: str | PathLike[str]) -> Path:
    """A path; a trailing separator asks for a folder, which a Path would forget."""
    path = Path(target)
    if str(target).endswith("/") and not is_folder(path):
        raise UsageProblem(f"{target}: no such folder; make it first, or name a file")
    return path


def _context(
    *,
    timeout: float | None,
    sandbox: str,
    on_event: Callable[[Event], None] = ignore,
    cancel: threading.Event | None = None,
    ffmpeg: str | None = None,
) -> Context:
    deadline = None if timeout is None else time.monotonic() + timeout
    return Context(
        deadline=deadline,
        cancel=cancel or threading.Event(),
        listener=on_event,
        limits=Limits(),
        ffmpeg=ffmpeg,
        sandbox=sandbox,
    )


def _spec(placement: str, media: Media) -> Placement:
    return find_profile(placement).placement_for(media.kind, split_name(placement)[1])


def _shown(source: Source | Media) -> str:
    from mediaprep.runtime.paths import display_name

    return display_name(source) if isinstance(source, (str, bytes, PathLike)) else "stream"
