"""Events drawn on stderr: a bar on a terminal, else a plain line every ten seconds, or one JSON line for each event.

A drawer is a listener and a context manager; it may be called from several threads.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, TextIO

from mediaprep.model.events import Event, Progress, StageDone, StageStarted
from mediaprep.model.units import bytes_text
from mediaprep.report import VERSION
from mediaprep.runtime.source import display_name

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

EVERY_SECONDS = 10.0
MODES = ("auto", "bar", "plain", "json", "none")
_DRAWN = ("encode", "measure", "verify")


class Drawer(Protocol):
    """What listens to the events of a run while it is entered."""

    def __enter__(self) -> Drawer: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def __call__(self, event: Event) -> None: ...

    def aside(self, path: str) -> AbstractContextManager[None]: ...


def drawer(mode: str, stream: TextIO, *, terminal: bool) -> Drawer:
    """The drawer of a mode; ``auto`` is a bar on a terminal and plain elsewhere."""
    match mode:
        case "none":
            return Silent()
        case "json":
            return JsonLines(stream)
        case "bar":
            return Bar(stream)
        case "auto" if terminal:
            return Bar(stream)
        case _:
            return Plain(stream)


class Silent:
    """Draws nothing."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def __call__(self, event: Event) -> None:
        return None

    @contextmanager
    def aside(self, path: str) -> Iterator[None]:
        """The file of this path (as events have it) is done; while this is entered, the terminal is free for its answer."""
        yield


class Plain(Silent):
    """A line for each file at most every ten seconds, and none for what takes less."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock, self._lock = stream, clock, threading.Lock()
        self._due: dict[str, float] = {}

    def __call__(self, event: Event) -> None:
        with self._lock:
            now = self._clock()
            if isinstance(event, StageStarted):
                self._due.setdefault(event.path, now + EVERY_SECONDS)
            elif isinstance(event, Progress) and now >= self._due.setdefault(
                event.path, now + EVERY_SECONDS
            ):
                self._due[event.path] = now + EVERY_SECONDS
                self._stream.write(f"{progress_words(event)}\n")
                self._stream.flush()


class JsonLines(Silent):
    """Every event as one line of JSON: ``{"version": 1, "event": "progress", ...}``."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._lock = stream, threading.Lock()

    def __call__(self, event: Event) -> None:
        import dataclasses
        import json

        facts = dataclasses.asdict(event)
        text = json.dumps({"version": VERSION, "event": facts.pop("event"), **facts})
        with self._lock:
            self._stream.write(text + "\n")
            self._stream.flush()


class Bar(Silent):
    """A bar for each file at work, gone when the file is done."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._lock = stream, threading.Lock()
        self._bars: RichProgress | None = None
        self._tasks: dict[str, TaskID] = {}

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            if self._bars is not None:
                self._bars.stop()
                self._bars = None

    @contextmanager
    def aside(self, path: str) -> Iterator[None]:
        with self._lock:
            if self._bars is not None:
                self._bars.stop()
            if (task := self._tasks.pop(path, None)) is not None and self._bars is not None:
                self._bars.remove_task(task)
            try:
                yield
            finally:
                if self._bars is not None and self._tasks:
                    self._bars.start()

    def __call__(self, event: Event) -> None:
        if event.stage not in _DRAWN:
            return
        with self._lock:
            bars = self._bars or self._made()
            bars.start()  # harmless where it is on already
            name = display_name(event.path)
            task = self._tasks.get(event.path)
            if task is None:
                task = self._tasks[event.path] = bars.add_task(
                    "", total=1.0, name=name, stage=event.stage, detail=""
                )
            match event:
                case StageStarted():
                    part = f" {event.index + 1}/{event.count}" if event.count > 1 else ""
                    bars.update(task, completed=0.0, stage=f"{event.stage}{part}", detail="")
                case Progress():
                    bars.update(task, completed=event.fraction, detail=_detail(event))
                case StageDone():
                    bars.update(task, completed=1.0)

    def _made(self) -> RichProgress:
        from rich.console import Console
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn
        from rich.progress import Progress as RichProgress

        console = Console(file=self._stream, highlight=False, markup=False, emoji=False)
        columns = (
            TextColumn("{task.fields[name]}", markup=False),
            TextColumn("{task.fields[stage]}", markup=False),
            BarColumn(bar_width=30),
            TaskProgressColumn(markup=True),
            TextColumn("{task.fields[detail]}", markup=False),
        )
        self._bars = RichProgress(
            *columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False
        )
        return self._bars


def progress_words(event: Progress) -> str:
    """``holiday.mov  encode 63%  2.9x  24 MB  ETA 0:18``."""
    return (
        f"{display_name(event.path)}  {event.stage} {event.fraction:.0%}  {_detail(event)}".rstrip()
    )


def _detail(event: Progress) -> str:
    words = [
        "" if event.speed is None else f"{event.speed:.1f}x",
        "" if event.size_bytes is None else bytes_text(event.size_bytes),
        ""
        if event.eta_seconds is None
        else f"ETA {int(event.eta_seconds) // 60}:{int(event.eta_seconds) % 60:02d}",
    ]
    return "  ".join(word for word in words if word)
