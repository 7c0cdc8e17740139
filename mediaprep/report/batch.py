"""A run over many files as bars, as plain lines, as JSON lines, and as a summary. Drawers are listeners and context managers."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from mediaprep.jobs.run.events import (
    JobDone,
    JobEvent,
    JobFound,
    JobInspected,
    JobProgress,
    JobRetry,
    JobStarted,
    Notice,
    RunDone,
    RunStarted,
)
from mediaprep.model.units import bytes_text
from mediaprep.report import VERSION
from mediaprep.report.lines import Line, StyledText, columns, line
from mediaprep.runtime.source import display_name

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

EVERY_SECONDS = 10.0
LOOK_WEIGHT = (
    0.5  # seconds of media that a file counts for beyond its playing time: stills are work too
)
_STYLE = {"fixed": "green", "already_ok": "green", "same": "dim", "own": "dim", "refused": "yellow"}
_WORDS = {
    "fixed": "fixed",
    "already_ok": "already fine, copied",
    "same": "done before",
    "own": "our own output",
    "refused": "refused",
    "unreadable": "unreadable",
    "failed": "failed",
    "vanished": "vanished",
    "problems": "could not be read",
}


class BatchProgress:
    """How far a run is: done and to do, in media seconds; what was not looked at yet is guessed from its bytes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self.jobs = self.done = self.size = 0
        self._pending_bytes = 0
        self._known_bytes = 0
        self._known = self._finished = self._media = 0.0
        self._running: dict[int, tuple[int, float, float]] = {}  # size, weight, fraction

    def __call__(self, event: JobEvent) -> None:
        match event:
            case RunStarted() | JobFound():
                if self.done >= self.jobs:  # idle until now: the pace counts from here
                    self._began = self._clock()
                    self._known_bytes, self._known, self._finished, self._media = 0, 0.0, 0.0, 0.0
                self.jobs += event.jobs
                self.size += event.size_bytes
                self._pending_bytes += event.size_bytes
            case JobStarted():
                self._running[event.job] = (event.size_bytes, 0.0, 0.0)
            case JobInspected() if event.job in self._running:
                size = self._running[event.job][0]
                weight = LOOK_WEIGHT + (event.media_seconds if event.status == "planned" else 0.0)
                self._running[event.job] = (size, weight, 0.0)
                self._pending_bytes -= size
                self._known_bytes += size
                self._known += weight
            case JobProgress(stage="encode") if event.job in self._running:
                size, weight, _ = self._running[event.job]
                self._running[event.job] = (size, weight, 0.9 * event.fraction)
            case JobRetry():
                self._left(
                    event.job, event.job in self._running and self._running[event.job][1] > 0
                )
            case JobDone():
                size, weight, _ = self._running.pop(event.job, (event.size_bytes, 0.0, 0.0))
                if not weight:
                    self._pending_bytes -= size
                    weight = LOOK_WEIGHT
                    self._known += weight
                self._finished += weight
                self._media += event.media_seconds if event.status == "fixed" else 0.0
                self.done += 1

    def _left(self, job: int, probed: bool) -> None:
        size, weight, _ = self._running.pop(job, (0, 0.0, 0.0))
        if probed:
            self._pending_bytes += size
            self._known_bytes -= size
            self._known -= weight

    @property
    def fraction(self) -> float:
        """0 to 1."""
        going = sum(weight * fraction for _, weight, fraction in self._running.values())
        rate = self._known / self._known_bytes if self._known_bytes > 0 else 0.0
        whole = self._known + max(0, self._pending_bytes) * rate
        if self.done >= self.jobs:
            return 1.0
        return min(0.999, (self._finished + going) / whole) if whole > 0 else 0.0

    @property
    def speed(self) -> float | None:
        """Media seconds that were made, a second."""
        seconds = self._clock() - self._began
        return self._media / seconds if seconds > 0 and self._media > 0 else None

    @property
    def eta_seconds(self) -> float | None:
        """Until the end, at the pace so far."""
        fraction = self.fraction
        return (
            (self._clock() - self._began) * (1 - fraction) / fraction if fraction > 0.002 else None
        )

    def words(self) -> str:
        """``412/1432 files  29%  3.1x  ETA 1:02:11``."""
        speed = "" if self.speed is None else f"  {self.speed:.1f}x"
        eta = "" if self.eta_seconds is None else f"  ETA {_clock(self.eta_seconds)}"
        return f"{self.done}/{self.jobs} files  {self.fraction:.0%}{speed}{eta}"


class BatchDrawer(Protocol):
    """What listens to a run while it is entered."""

    def __enter__(self) -> BatchDrawer: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def __call__(self, event: JobEvent) -> None: ...


def drawer(mode: str, stream: TextIO, *, terminal: bool) -> BatchDrawer:
    """The drawer of a mode; ``auto`` is bars on a terminal and plain elsewhere."""
    match mode:
        case "none":
            return SilentBatch()
        case "json":
            return BatchJsonLines(stream)
        case "bar":
            return BatchBars(stream)
        case "auto" if terminal:
            return BatchBars(stream)
        case _:
            return PlainBatch(stream)


class SilentBatch:
    """Draws nothing."""

    def __enter__(self) -> SilentBatch:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def __call__(self, event: JobEvent) -> None:
        return None


class BatchJsonLines(SilentBatch):
    """Every event as one line of JSON."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._lock = stream, threading.Lock()

    def __call__(self, event: JobEvent) -> None:
        import json

        text = json.dumps(body(event))
        with self._lock:
            self._stream.write(text + "\n")
            self._stream.flush()


class PlainBatch(SilentBatch):
    """A line about the whole every ten seconds."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock = stream, clock
        self._tally = BatchProgress(clock)
        self._due = clock() + EVERY_SECONDS

    def __call__(self, event: JobEvent) -> None:
        self._tally(event)
        if self._clock() >= self._due and not isinstance(event, RunDone):
            self._due = self._clock() + EVERY_SECONDS
            self._stream.write(self._tally.words() + "\n")
            self._stream.flush()


class BatchBars(SilentBatch):
    """A bar for each job that encodes or is verified, and one for the whole, weighted by media seconds."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._tally = stream, BatchProgress()
        self._bars: RichProgress | None = None
        self._whole: TaskID | None = None
        self._tasks: dict[int, TaskID] = {}

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars = None

    def __call__(self, event: JobEvent) -> None:
        self._tally(event)
        bars = self._bars or self._started()
        match event:
            case JobProgress():
                task = self._tasks.get(event.job)
                if task is None:
                    task = self._tasks[event.job] = bars.add_task(
                        "", total=1.0, name=_short(event.input), stage=event.stage, detail=""
                    )
                speed = "" if event.speed is None else f"{event.speed:.1f}x"
                eta = "" if event.eta_seconds is None else f"  ETA {_clock(event.eta_seconds)}"
                bars.update(task, completed=event.fraction, stage=event.stage, detail=speed + eta)
            case JobDone() | JobRetry():
                if (done := self._tasks.pop(event.job, None)) is not None:
                    bars.remove_task(done)
            case Notice() | RunDone():
                return
        if self._whole is not None:
            speed = "" if self._tally.speed is None else f"{self._tally.speed:.1f}x"
            eta = (
                ""
                if self._tally.eta_seconds is None
                else f"  ETA {_clock(self._tally.eta_seconds)}"
            )
            name = f"{self._tally.done}/{self._tally.jobs} files"
            bars.update(self._whole, completed=self._tally.fraction, name=name, detail=speed + eta)

    def _started(self) -> RichProgress:
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
        self._bars = RichProgress(*columns, console=console, transient=True, refresh_per_second=4)
        self._bars.start()
        self._whole = self._bars.add_task("", total=1.0, name="", stage="all", detail="")
        return self._bars


def body(event: JobEvent) -> dict[str, Any]:
    """An event as JSON: version and event first; without what only this process can use."""
    import dataclasses

    names = [
        item.name
        for item in dataclasses.fields(event)
        if item.name not in ("event", "outcome", "plan")
    ]
    facts = {name: getattr(event, name) for name in names}
    if isinstance(event, JobDone) and event.outcome is not None:
        facts["changes"] = sorted({change.fact for change in event.outcome.changes})
    return {"version": VERSION, "event": event.event, **facts}


def job_line(event: JobDone, *, stamp: str = "") -> Line:
    """``clip.mov  fixed  out/clip.mp4  7.3 MB  (14.2 s)``, or why there is nothing."""
    status = StyledText(_WORDS[event.status], _STYLE.get(event.status, "red"))
    head: list[str | StyledText] = [stamp, StyledText(_near(event.input), "bold"), "  ", status]
    if event.outputs:
        copied = ", copied as it is" if event.status == "refused" else ""
        return line(
            *head,
            f"{copied}  {', '.join(map(_near, event.outputs))}  {bytes_text(event.bytes)}  ({event.seconds:.1f} s)",
        )
    return line(*head, f": {'; '.join(event.problems)}" if event.problems else "")


def again_line(event: JobRetry) -> str:
    """Why a job is tried again, and when."""
    when = f"in {event.pause_seconds:g} s" if event.pause_seconds else "now"
    return f"{display_name(_near(event.input))}: attempt {event.attempt} failed: {event.problem}; it is tried again {when}"


def _near(path: str) -> str:
    """As seen from the current folder, for what lies below it."""
    return path.removeprefix(os.path.join(os.getcwd(), ""))  # noqa: PTH109, PTH118


def summary(end: RunDone, total: Mapping[str, int], out: str) -> tuple[Line, ...]:
    """A row for each status: in this run, and in all that the ledger knows."""
    names = [name for name in _WORDS if end.counts.get(name) or total.get(name)]
    rows = [
        (
            StyledText(_WORDS[name], _STYLE.get(name, "red")),
            str(end.counts.get(name, 0)),
            str(total.get(name, end.counts.get(name, 0))),
        )
        for name in names
    ]
    table = (
        columns(
            [
                (StyledText("", "dim"), StyledText("this run", "dim"), StyledText("in all", "dim")),
                *rows,
            ],
            indent="  ",
        )
        if rows
        else ()
    )
    left = f", {end.left} left for the next run" if end.left else ""
    return (
        *table,
        line(
            StyledText(out, "bold"),
            f": {_files(sum(end.counts.values()))} in {_clock(end.seconds)}{left}",
        ),
    )


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _clock(seconds: float) -> str:
    whole = int(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


def _short(path: str, width: int = 40) -> str:
    name = display_name(path.rsplit("/", 1)[-1])
    return name if len(name) <= width else f"{name[: width - 3]}..."


def dry_lines(end: RunDone, size: int, seconds: float) -> tuple[Line, ...]:
    """The totals of a plan."""
    words = {
        **_WORDS,
        "fixed": "to be fixed",
        "already_ok": "already fine, to be copied",
        "refused": "would be refused",
    }
    rows = [
        (StyledText(words[name], _STYLE.get(name, "red")), str(end.counts[name]))
        for name in words
        if end.counts.get(name)
    ]
    files = sum(count for name, count in end.counts.items() if name != "problems")
    return (
        *columns(rows, indent="  "),
        line(
            StyledText(_files(files), "bold"),
            f": about {bytes_text(size)} to write, about {_clock(seconds)} of work on this machine",
        ),
    )
