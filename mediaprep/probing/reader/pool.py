"""Read files in warm, confined child processes that receive a file descriptor and nothing else.

A crash, a hang or excessive memory use costs only the file that caused it; the next file is read by
a fresh process. Safe to use from many threads and event loops at once. Reasons and measurements:
docs/decisions/confined-children.md.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from mediaprep.errors import EnvironmentProblem, SourceUnreadable
from mediaprep.model.media import Media
from mediaprep.model.serialize import encode
from mediaprep.probing.reader.answer import REMEDY, describe_crash, parse_answer
from mediaprep.probing.reader.semaphore import FairSemaphore
from mediaprep.probing.reader.serve import PRELOADED, READER, child_config
from mediaprep.probing.request import ReadRequest
from mediaprep.runtime import sandbox
from mediaprep.runtime.child import Child, ChildDied, ChildTimeout, start
from mediaprep.runtime.context import MIN_READ_RATE, Context
from mediaprep.runtime.effects import Steps, call
from mediaprep.runtime.prefork import ForkedChild
from mediaprep.runtime.source import Source

FILES_PER_CHILD = 500
RESIDENT_BYTES = 300 * 2**20
# Deep probes and payload digests decode or hash much more than a probe; a generous guess.
LONG_FACTOR = 12
# A process that timed out with a smaller share of CPU time was waiting, not spinning: try again.
STARVED = 0.5


def read_steps(source: Source, request: ReadRequest, context: Context) -> Steps[Media]:
    """Read the facts of an opened file in a process of the shared pool.

    Raises: SourceUnreadable (also if the reader crashes or hangs on this file),
    EnvironmentProblem, DeadlineExceeded, Cancelled.
    """
    return _shared_pool().read_steps(source, request, context)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    """One file, with the encoded request and the time limit that every attempt at it shares."""

    source: Source
    body: Any
    seconds: float


class ReaderPool:
    """A pool of reader processes, one per core, started on demand.

    reader     ``module:function`` that is called with (source, sniffed, request)
    preloaded  modules that a process imports when it starts
    """

    def __init__(
        self,
        *,
        reader: str = READER,
        preloaded: tuple[str, ...] = PRELOADED,
        count: int | None = None,
    ) -> None:
        self._reader, self._preloaded = reader, preloaded
        self._running = FairSemaphore(count or os.cpu_count() or 1)
        self._retrying = FairSemaphore(1)
        self._lock = threading.Lock()
        self._idle: dict[sandbox.Level, deque[Child]] = {"strict": deque(), "basic": deque()}

    def read_steps(self, source: Source, request: ReadRequest, context: Context) -> Steps[Media]:
        """Read the facts of an opened file; see the function ``read_steps``.

        A process that hangs but used little CPU time suffered from load, so the file gets a second
        attempt; only one file at a time gets that.
        """
        factor = LONG_FACTOR if request.deep or request.payload else 1
        seconds = context.limits.probe_seconds * factor + source.size_bytes / MIN_READ_RATE
        attempt = _Attempt(source=source, body=encode(request), seconds=seconds)
        try:
            try:
                return (yield from self._attempt_steps(attempt, context))
            except ChildTimeout as timeout:
                if timeout.cpu_seconds is not None and timeout.cpu_seconds > STARVED * seconds:
                    raise
            retrying = self._retrying
            yield from call(retrying.acquire, context.check, twin=retrying.acquire_async)
            try:
                return (yield from self._attempt_steps(attempt, context))
            finally:
                retrying.release()
        except ChildTimeout as timeout:
            reason = f"the reader did not finish this file within {seconds:.3g} s and was stopped"
            raise SourceUnreadable(f"{reason}: {REMEDY}", rule="file-complete") from timeout
        except ChildDied as died:
            text = f"{describe_crash(died)}: {REMEDY}"
            raise SourceUnreadable(text, rule="file-complete") from died

    def add_preforked(self, forked: Sequence[ForkedChild]) -> None:
        """Take over children that were forked early and run ``serve_prefork``."""
        children = [Child.from_fork(child) for child in forked]
        try:
            level = sandbox.resolve_level("auto")
        except EnvironmentProblem:  # raised again when a file is read
            for child in children:
                child.stop()
            return
        with self._lock:
            self._idle[level].extend(children)

    def close(self) -> None:
        """Stop all idle processes."""
        for child in self._take_idle():
            child.stop()

    def release_after_fork(self) -> None:
        """Release all idle processes in a fork of this process: they belong to its parent."""
        self._lock = threading.Lock()
        for child in self._take_idle():
            child.close()

    def _take_idle(self) -> list[Child]:
        with self._lock:
            children = [child for idle in self._idle.values() for child in idle]
            for idle in self._idle.values():
                idle.clear()
        return children

    def _attempt_steps(self, attempt: _Attempt, context: Context) -> Steps[Media]:
        level = sandbox.resolve_level(context.sandbox)
        running = self._running
        yield from call(running.acquire, context.check, twin=running.acquire_async)
        try:
            child = self._acquire_child(level)
            try:
                question = (attempt.body, attempt.source.fd, attempt.seconds, context.check)
                answer = parse_answer(
                    (yield from call(child.request, *question, twin=child.request_async))
                )
            except BaseException:
                child.stop()
                raise
            self._release_child(child, level, spent=answer.spent)
        finally:
            running.release()
        return replace(answer.media(), name=attempt.source.name, sandbox=level)

    def _acquire_child(self, level: sandbox.Level) -> Child:
        while True:
            with self._lock:
                child = self._idle[level].pop() if self._idle[level] else None
            if child is None:
                return start(child_config(level, reader=self._reader, preloaded=self._preloaded))
            if child.alive():
                return child
            child.stop()

    def _release_child(self, child: Child, level: sandbox.Level, *, spent: bool) -> None:
        if spent or child.responses >= FILES_PER_CHILD or child.resident_bytes() > RESIDENT_BYTES:
            child.stop()
            return
        with self._lock:
            self._idle[level].append(child)


def add_preforked(forked: Sequence[ForkedChild]) -> None:
    """Add children that were forked early to the shared pool."""
    _shared_pool().add_preforked(forked)


def effective_sandbox(requested: str) -> str:
    """Return the level that reader processes run under; "none" if ``requested`` is unavailable.

    ``requested`` is auto, strict or basic. At "none" no process is started.
    """
    try:
        return sandbox.resolve_level(requested)
    except EnvironmentProblem:
        return "none"


_shared: ReaderPool | None = None
_shared_lock = threading.Lock()


def _shared_pool() -> ReaderPool:
    global _shared
    with _shared_lock:
        if _shared is None:
            _shared = ReaderPool()
            atexit.register(_shared.close)
        return _shared


def _reset_after_fork() -> None:
    global _shared, _shared_lock
    _shared_lock = threading.Lock()
    if _shared is not None:
        atexit.unregister(_shared.close)
        _shared.release_after_fork()
        _shared = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_after_fork)
