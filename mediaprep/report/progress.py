"""Show progress on stderr: as bars, as plain lines every ten seconds, or as JSON lines.

A display is a listener of events and a context manager; it may be called from several threads. A
tracker turns events into the states of bars: ``FileTracker`` those of single files,
``report.batch.BatchTracker`` those of a run over many files.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, TextIO, TypeAlias, TypeVar

from mediaprep.model.events import Event, Progress, StageDone, StageStarted
from mediaprep.model.units import bytes_text
from mediaprep.runtime.paths import display_name

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

E = TypeVar("E", contravariant=True)
INTERVAL_SECONDS = 10.0  # between two plain lines about the same thing
_STAGES_SHOWN = ("encode", "measure", "verify")  # the others take no time worth a bar


@dataclass(frozen=True, slots=True, kw_only=True)
class BarState:
    """What the bar of one file, or of a whole run, shows.

    key       identifies the bar
    name, stage, detail   texts around the bar; the name is escaped
    fraction  0 to 1
    removed   the bar disappears
    plain     plain lines show it, too
    """

    key: str | int
    name: str = ""
    stage: str = ""
    detail: str = ""
    fraction: float = 0.0
    removed: bool = False
    plain: bool = True

    def line(self) -> str:
        """Return the state as one line: ``holiday.mov  encode 63%  2.9x  24 MB  ETA 0:18``."""
        stage = f"{self.stage} {self.fraction:.0%}".strip()
        return "  ".join(text for text in (self.name, stage, self.detail) if text)


Tracker: TypeAlias = Callable[[E], Sequence[BarState]]


class ProgressDisplay(Generic[E]):
    """A display that shows nothing; the others derive from it."""

    def __enter__(self) -> ProgressDisplay[E]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def __call__(self, event: E) -> None:
        return None

    @contextmanager
    def paused(self, key: str | int | None = None) -> Iterator[None]:
        """Clear the terminal for other output, and remove the bar of ``key``."""
        yield


class JsonLines(ProgressDisplay[Any]):
    """Writes every event as one line of JSON."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._lock = stream, threading.Lock()

    def __call__(self, event: Any) -> None:
        from mediaprep.report.json import dumps, event_body

        text = dumps(event_body(event), indent=None)
        with self._lock:
            self._stream.write(text + "\n")
            self._stream.flush()


class PlainLines(ProgressDisplay[E]):
    """Writes a line about each bar every ten seconds; nothing about what takes less."""

    def __init__(
        self, stream: TextIO, tracker: Tracker[E], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream, self._tracker, self._clock = stream, tracker, clock
        self._lock = threading.Lock()
        self._due: dict[str | int, float] = {}

    def __call__(self, event: E) -> None:
        with self._lock:
            now = self._clock()
            for state in self._tracker(event):
                if not state.plain:
                    continue
                if now >= self._due.setdefault(state.key, now + INTERVAL_SECONDS):
                    self._due[state.key] = now + INTERVAL_SECONDS
                    self._stream.write(state.line() + "\n")
                    self._stream.flush()


class Bars(ProgressDisplay[E]):
    """Draws a bar for each file at work, and one for the whole run if the tracker has one."""

    def __init__(self, stream: TextIO, tracker: Tracker[E]) -> None:
        self._stream, self._tracker = stream, tracker
        self._lock = threading.RLock()
        self._bars: RichProgress | None = None
        self._tasks: dict[str | int, TaskID] = {}

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
    def paused(self, key: str | int | None = None) -> Iterator[None]:
        with self._lock:
            if self._bars is not None:
                self._bars.stop()
            if key is not None:
                self._remove(key)
            try:
                yield
            finally:
                if self._bars is not None and self._tasks:
                    self._bars.start()

    def __call__(self, event: E) -> None:
        with self._lock:
            for state in self._tracker(event):
                if state.removed:
                    self._remove(state.key)
                else:
                    self._draw(state)

    def _draw(self, state: BarState) -> None:
        bars = self._bars or self._open()
        bars.start()  # does nothing if it has been started
        texts: dict[str, Any] = {"name": state.name, "stage": state.stage, "detail": state.detail}
        if state.key not in self._tasks:
            self._tasks[state.key] = bars.add_task("", total=1.0, **texts)
        bars.update(self._tasks[state.key], completed=state.fraction, **texts)

    def _remove(self, key: str | int) -> None:
        task = self._tasks.pop(key, None)
        if task is not None and self._bars is not None:
            self._bars.remove_task(task)

    def _open(self) -> RichProgress:
        # A run without bars does without rich.
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


def display_for(mode: str, stream: TextIO, tracker: Tracker[E]) -> ProgressDisplay[E]:
    """Return the display of a mode: bar, plain, json or none."""
    match mode:
        case "bar":
            return Bars(stream, tracker)
        case "plain":
            return PlainLines(stream, tracker)
        case "json":
            return JsonLines(stream)
        case _:
            return ProgressDisplay()


def file_progress(mode: str, stream: TextIO) -> ProgressDisplay[Event]:
    """Return the display for the events of single files; the keys of its bars are paths."""
    return display_for(mode, stream, FileTracker())


class FileTracker:
    """Turns the events of single files into the states of their bars."""

    def __init__(self) -> None:
        self._stages: dict[str, str] = {}

    def __call__(self, event: Event) -> Sequence[BarState]:
        if event.stage not in _STAGES_SHOWN:
            return ()
        name = display_name(event.path)
        match event:
            case StageStarted():
                part = f" {event.index + 1}/{event.count}" if event.count > 1 else ""
                self._stages[event.path] = f"{event.stage}{part}"
                fraction, detail = 0.0, ""
            case Progress():
                fraction, detail = event.fraction, progress_detail(event)
            case StageDone():
                fraction, detail = 1.0, ""
        stage = self._stages.get(event.path, event.stage)
        return (BarState(key=event.path, name=name, stage=stage, fraction=fraction, detail=detail),)


def progress_detail(event: Progress) -> str:
    """Return ``2.9x  24 MB  ETA 0:18``, without what is unknown."""
    size = None if event.size_bytes is None else bytes_text(event.size_bytes)
    return speed_and_eta(event.speed, event.eta_seconds, size)


def speed_and_eta(speed: float | None, eta_seconds: float | None, size: str | None = None) -> str:
    """Return ``2.9x  24 MB  ETA 0:18``, without what is None."""
    texts = []
    if speed is not None:
        texts.append(f"{speed:.1f}x")
    if size is not None:
        texts.append(size)
    if eta_seconds is not None:
        texts.append(f"ETA {elapsed(eta_seconds)}")
    return "  ".join(texts)


def elapsed(seconds: float) -> str:
    """Return ``1:02:11`` or ``0:18``."""
    whole = int(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"
