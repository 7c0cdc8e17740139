"""Reading a file where it may crash: in a warm, confined child that gets the descriptor and nothing else.

A crash, a hang or a blow-up is charged to the one file that caused it; the next file meets a fresh child. Safe to use from many threads
and event loops at once. Costs and limits: the hostile-input notes, section 8.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, NoReturn

from mediaprep.errors import EnvironmentProblem, SourceUnreadable
from mediaprep.model.media import Media
from mediaprep.model.serialize import decode, encode
from mediaprep.probing.identify.sniffed import Sniffed
from mediaprep.probing.reader.slots import Slots
from mediaprep.runtime import child as peer
from mediaprep.runtime import sandbox
from mediaprep.runtime.child import Child, ChildConfig, ChildDied, ChildTimeout, Handle
from mediaprep.runtime.context import MAX_PIXELS, SLOW_DISK, Context
from mediaprep.runtime.effects import Steps, call, drive, drive_async
from mediaprep.runtime.prefork import ForkedChild
from mediaprep.runtime.source import Source, display_name

READER = "mediaprep.probing.read:read"
PARSERS = ("numpy", "av", "PIL", "pymediainfo", "pi_heif", "pysubs2", "charset_normalizer")
WARM = (
    *(
        "mediaprep.probing.video.assemble",
        "mediaprep.probing.picture.animation",
        "mediaprep.probing.picture.image",
        "mediaprep.probing.subtitle",
    ),
    *("av", "mediaprep.tools.fields", "mediaprep.tools.mediainfo"),
)
FIRST = (
    "mediaprep.probing.video.assemble",
    "av",
    "mediaprep.tools.mediainfo",
)  # what most files need; the rest when one does
MEMORY_BYTES = (
    2**30
)  # of address space; the parsers' libraries map 0.25 GB of it before the first file
DATA_BYTES = (
    448 * 2**20
)  # of memory that it may write to: with 45 MB of libraries it stays below 512 MB
DEEP_DATA_BYTES = (
    800 * 2**20
)  # a deep look keeps more pictures: 4K HEVC of 10 bits takes 560 MB (measured)
FILES_OF_ONE_CHILD = 500
RESIDENT_BYTES = 300 * 2**20
LONG_FACTOR = (
    12  # deep looks and measures of the whole file decode much more than a probe; a guess, generous
)
STARVED = 0.5  # a child that used less of its time than this share was waiting, not spinning: it gets one more try


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRequest:
    """What is asked of one reading.

    sniffed     what the bytes told; None: the child looks
    deep        decode as much as a sure verdict takes
    needs       dotted paths of the facts that are wanted (``video.gop`` stands for all below it); () = all
    payload     digests of the coded streams, which prove a copy
    pixel_grid  a fact that only some fixes need
    clip_duration   of the video that captions go with, seconds
    max_pixels  of one picture
    """

    sniffed: Sniffed | None
    deep: bool = False
    needs: tuple[str, ...] = ()
    payload: bool = False
    pixel_grid: bool = False
    clip_duration: Fraction | None = None
    max_pixels: int = MAX_PIXELS


def read_media(source: Source, request: ReadRequest, context: Context) -> Media:
    """Return the facts of an opened, sniffed file.

    Raises: SourceUnreadable (also for a crash or a hang on this file), EnvironmentProblem, DeadlineExceeded, Cancelled.
    """
    return drive(reading(source, request, context), context)


async def read_media_async(source: Source, request: ReadRequest, context: Context) -> Media:
    """As ``read_media``, on the running loop. Raises: as ``read_media``."""
    return await drive_async(reading(source, request, context), context)


def reading(source: Source, request: ReadRequest, context: Context) -> Steps[Media]:
    """``read_media`` as steps."""
    return _shared().reading(source, request, context)


class ReaderPool:
    """A pool of reading children: as many as there are cores, started when needed. ``reader``: ``module:function`` that they call with
    (source, sniffed, request); ``warm``: modules imported at their start."""

    def __init__(
        self,
        *,
        reader: str = READER,
        warm: tuple[str, ...] = WARM,
        count: int | None = None,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        self._reader, self._warm, self._memory_bytes = reader, warm, memory_bytes
        self._places, self._second_try = Slots(count or os.cpu_count() or 1), Slots(1)
        self._lock = threading.Lock()
        self._idle: dict[sandbox.Level, deque[Child]] = {"strict": deque(), "basic": deque()}

    def reading(self, source: Source, request: ReadRequest, context: Context) -> Steps[Media]:
        """Steps: see ``read_media``. A hang is tried once more if the child waited rather than worked (load), one file at a time."""
        long = request.deep or request.payload
        seconds = (
            context.limits.probe_seconds * (LONG_FACTOR if long else 1)
            + source.size_bytes / SLOW_DISK
        )
        attempt = _Attempt(source=source, body=encode(request), seconds=seconds)
        try:
            try:
                return (yield from self._attempt(attempt, context))
            except ChildTimeout as silent:
                if silent.cpu_seconds is not None and silent.cpu_seconds > STARVED * seconds:
                    raise
            yield from call(self._second_try.take, context.check, twin=self._second_try.take_async)
            try:
                return (yield from self._attempt(attempt, context))
            finally:
                self._second_try.give()
        except ChildTimeout as silent:
            reason = (
                f"the reader did not come to an end of this file in {seconds:.3g} s and was stopped"
            )
            raise SourceUnreadable(f"{reason}: {_REMEDY}", rule="file-complete") from silent
        except ChildDied as lost:
            raise SourceUnreadable(f"{_crash(lost)}: {_REMEDY}", rule="file-complete") from lost

    def adopt(self, forked: Sequence[ForkedChild]) -> None:
        """Take in children that were forked early, and run ``early_child``."""
        children = [peer.adopt(child) for child in forked]
        try:
            level = sandbox.choose("auto")
        except EnvironmentProblem:  # told when a file is read
            for child in children:
                child.end()
            return
        with self._lock:
            self._idle[level].extend(children)

    def close(self) -> None:
        """End all children that are idle."""
        for child in self._taken():
            child.end()

    def forget(self) -> None:
        """After a fork: the children belong to the parent."""
        self._lock = threading.Lock()
        for child in self._taken():
            child.forget()

    def _taken(self) -> list[Child]:
        with self._lock:
            children = [child for idle in self._idle.values() for child in idle]
            for idle in self._idle.values():
                idle.clear()
        return children

    def _attempt(self, attempt: _Attempt, context: Context) -> Steps[Media]:
        level = sandbox.choose(context.sandbox)
        yield from call(self._places.take, context.check, twin=self._places.take_async)
        try:
            child = self._child(level)
            try:
                words = (attempt.body, attempt.source.fd, attempt.seconds, context.check)
                answer = _Answer.of((yield from call(child.ask, *words, twin=child.ask_async)))
            except BaseException:
                child.end()
                raise
            self._put_back(child, level, spent=answer.spent)
        finally:
            self._places.give()
        return replace(answer.media(), name=attempt.source.name, sandbox=level)

    def _child(self, level: sandbox.Level) -> Child:
        while True:
            with self._lock:
                child = self._idle[level].pop() if self._idle[level] else None
            if child is None:
                return peer.start(self._order(level, self._warm))
            if child.alive():
                return child
            child.end()

    def _order(self, level: sandbox.Level, warm: tuple[str, ...]) -> ChildConfig:
        return ChildConfig(
            entry=f"{__name__}:prepare",
            options={"reader": self._reader, "warm": warm},
            level=level,
            folders=tuple(sandbox.python_folders([*PARSERS, self._reader.partition(":")[0]])),
            memory_bytes=self._memory_bytes,
            data_bytes=DEEP_DATA_BYTES,
        )

    def serve(self, channel: int, lifeline: int) -> NoReturn:
        """In a child that was forked early: be one of these. Raises: EnvironmentProblem."""
        peer.serve(self._order(sandbox.choose("auto"), FIRST), channel, lifeline)

    def _put_back(self, child: Child, level: sandbox.Level, *, spent: bool) -> None:
        if spent or child.answered >= FILES_OF_ONE_CHILD or child.resident_bytes() > RESIDENT_BYTES:
            child.end()
            return
        with self._lock:
            self._idle[level].append(child)


_REMEDY = "it is damaged or made to harm; write it anew with another program"


def _crash(lost: ChildDied) -> str:
    if lost.exit_code is None or lost.exit_code >= 0:
        return f"the reader broke down on this file ({lost})"
    number = -lost.exit_code
    name = signal.Signals(number).name if number in set(signal.Signals) else "unknown"
    return f"the reader crashed on this file (signal {number}, {name})"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    """What each try of one reading is given."""

    source: Source
    body: Any
    seconds: float


@dataclass(frozen=True, slots=True)
class _Answer:
    """A child's answer, checked: facts, or the reason why there are none. ``spent``: the child should not go on."""

    facts: Media | None
    problem: SourceUnreadable | EnvironmentProblem | None
    spent: bool

    @classmethod
    def of(cls, body: Any) -> _Answer:
        """Raises: Lost for what no honest child says."""
        match body:
            case {"media": facts, "spent": bool(spent)}:
                try:
                    return cls(decode(Media, _shown(facts)), None, spent)
                except ValueError as problem:
                    raise ChildDied(None, f"its facts make no sense: {problem}") from problem
            case {"unreadable": str(reason), "rule": "file-kind" | "file-complete" as rule}:
                return cls(None, SourceUnreadable(display_name(reason[:500]), rule=rule), False)
            case {"failed": str(reason)}:
                text = f"the reader failed on this file ({display_name(reason[:500])}): {_REMEDY}"
                return cls(None, SourceUnreadable(text, rule="file-complete"), False)
            case {"memory": _}:
                text = "a reader needs more memory for this file than it is given: a size in it is malformed, or its pictures are too large"
                return cls(None, SourceUnreadable(text, rule="file-complete"), True)
            case {"cannot": str(reason)}:
                return cls(
                    None,
                    EnvironmentProblem(
                        f"the reading child lacks a module: {display_name(reason[:500])}"
                    ),
                    True,
                )
        raise ChildDied(None, "its answer makes no sense")

    def media(self) -> Media:
        """The facts. Raises: SourceUnreadable, EnvironmentProblem."""
        if self.facts is None:
            raise self.problem or SourceUnreadable("nothing was read")
        return self.facts


def _shown(body: Any) -> Any:
    """A file's own words (names of tags, codecs, languages) as they may be shown in one line: they end in messages, logs and terminals.
    Captions stay as they are: they are written again."""
    match body:
        case str():
            return body if body.isprintable() else display_name(body)
        case list():
            return [_shown(item) for item in body]
        case dict():
            return {name: item if name == "cues" else _shown(item) for name, item in body.items()}
    return body


def prepare(options: dict[str, Any]) -> Handle:
    """In the child: import what reads, and give the function that answers one question."""
    module, _, name = options["reader"].partition(":")
    read: Callable[[Source, Sniffed, ReadRequest], Media] = getattr(
        importlib.import_module(module), name
    )
    for warm in options["warm"]:
        with contextlib.suppress(ImportError):  # told when a file needs it
            importlib.import_module(warm)

    from mediaprep.probing.identify.sniff import sniff

    threads = threading.active_count()

    def handle(body: Any, descriptor: int) -> Any:
        with Source(descriptor, path="", real=None) as source:
            try:
                request: ReadRequest = decode(ReadRequest, body)
                peer.allow_data(DEEP_DATA_BYTES if request.deep else DATA_BYTES)
                facts = encode(read(source, request.sniffed or sniff(source), request))
                return {
                    "media": facts,
                    "spent": threading.active_count() > threads,
                }  # a parser that hangs goes on in its thread
            except SourceUnreadable as problem:
                return {"unreadable": problem.reason, "rule": problem.rule}
            except MemoryError:
                return {"memory": True}
            except ImportError as problem:
                return {"cannot": str(problem)}
            except Exception as problem:  # the edge of the child: whatever a parser raises is told as a typed error of this file
                import traceback

                place = traceback.extract_tb(problem.__traceback__)[-1]
                where = f"{os.path.basename(place.filename)}:{place.lineno}"  # noqa: PTH119
                return {"failed": f"{type(problem).__name__}: {problem} at {where}"}

    return handle


def adopt(forked: Sequence[ForkedChild]) -> None:
    """Use these for the looks that will come: forked with ``early_child`` by a command that knows that it will read files."""
    _shared().adopt(forked)


def early_child(channel: int, lifeline: int) -> NoReturn:
    """In a child that was forked early: confine, import, answer. Raises: EnvironmentProblem."""
    ReaderPool().serve(channel, lifeline)


def confinement(asked: str) -> str:
    """The level that children run under where ``asked`` is auto, strict or basic; none where it cannot be had, and nothing is run."""
    try:
        return sandbox.choose(asked)
    except EnvironmentProblem:
        return "none"


_one: ReaderPool | None = None
_one_lock = threading.Lock()


def _shared() -> ReaderPool:
    global _one
    with _one_lock:
        if _one is None:
            _one = ReaderPool()
            atexit.register(_one.close)
        return _one


def _after_fork() -> None:
    global _one, _one_lock
    _one_lock = threading.Lock()
    if _one is not None:
        atexit.unregister(_one.close)
        _one.forget()
        _one = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
