"""A run over many files: its progress, a line per job, and a summary."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

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
from mediaprep.report.lines import Line, StyledText, columns, line, relative_path
from mediaprep.report.progress import (
    BarState,
    ProgressDisplay,
    display_for,
    elapsed,
    speed_and_eta,
)
from mediaprep.runtime.paths import display_name

# Seconds of media that each file counts for beyond its duration: probing is work, too.
PROBE_WEIGHT = 0.5
_ENCODE_SHARE = 0.9  # of the work on a file; the rest is verification (a guess)
_NAME_WIDTH = 40
_STYLE = {"fixed": "green", "already_ok": "green", "same": "dim", "own": "dim", "refused": "yellow"}
_STATUS = {
    "fixed": "fixed",
    "already_ok": "already accepted, copied",
    "same": "already processed, skipped",
    "own": "own output, skipped",
    "refused": "refused",
    "unreadable": "unreadable",
    "failed": "failed",
    "vanished": "vanished",
    "problems": "could not be read",
}


@dataclass(slots=True)
class _RunningJob:
    """A job at work; ``weight`` in seconds of media is 0 until the file was probed."""

    size_bytes: int
    weight: float = 0.0
    fraction: float = 0.0


class BatchProgress:
    """The progress of a run in seconds of media; files not probed yet count by their bytes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self.jobs = self.done = 0
        self._pending_bytes = self._probed_bytes = 0
        self._probed = self._finished = self._encoded = 0.0
        self._running: dict[int, _RunningJob] = {}

    def __call__(self, event: JobEvent) -> None:
        match event:
            case RunStarted() | JobFound():
                self._add(event.jobs, event.size_bytes)
            case JobStarted():
                self._running[event.job] = _RunningJob(event.size_bytes)
            case JobInspected():
                self._probe_done(event)
            case JobProgress(stage="encode") if event.job in self._running:
                self._running[event.job].fraction = _ENCODE_SHARE * event.fraction
            case JobRetry():
                self._put_back(event.job)
            case JobDone():
                self._finish(event)

    def _add(self, jobs: int, size_bytes: int) -> None:
        if self.done >= self.jobs:  # idle until now: speed and ETA are measured from here
            self._began = self._clock()
            self._probed_bytes, self._probed, self._finished, self._encoded = 0, 0.0, 0.0, 0.0
        self.jobs += jobs
        self._pending_bytes += size_bytes

    def _probe_done(self, event: JobInspected) -> None:
        job = self._running.get(event.job)
        if job is None:
            return
        job.weight = PROBE_WEIGHT + (event.media_seconds if event.status == "planned" else 0.0)
        job.fraction = 0.0
        self._pending_bytes -= job.size_bytes
        self._probed_bytes += job.size_bytes
        self._probed += job.weight

    def _put_back(self, number: int) -> None:
        job = self._running.pop(number, None)
        if job is not None and job.weight > 0:
            self._pending_bytes += job.size_bytes
            self._probed_bytes -= job.size_bytes
            self._probed -= job.weight

    def _finish(self, event: JobDone) -> None:
        job = self._running.pop(event.job, _RunningJob(event.size_bytes))
        weight = job.weight
        if not weight:
            weight = PROBE_WEIGHT
            self._pending_bytes -= job.size_bytes
            self._probed += weight
        self._finished += weight
        self._encoded += event.media_seconds if event.status == "fixed" else 0.0
        self.done += 1

    @property
    def fraction(self) -> float:
        """The share of the work that is done, 0 to 1."""
        if self.done >= self.jobs:
            return 1.0
        running = sum(job.weight * job.fraction for job in self._running.values())
        seconds_per_byte = self._probed / self._probed_bytes if self._probed_bytes > 0 else 0.0
        total = self._probed + max(0, self._pending_bytes) * seconds_per_byte
        return min(0.999, (self._finished + running) / total) if total > 0 else 0.0

    @property
    def speed(self) -> float | None:
        """Seconds of media encoded per second; None until a file was."""
        seconds = self._clock() - self._began
        return self._encoded / seconds if seconds > 0 and self._encoded > 0 else None

    @property
    def eta_seconds(self) -> float | None:
        """Seconds until the end at the pace so far; None while too little is done."""
        fraction = self.fraction
        if fraction <= 0.002:
            return None
        return (self._clock() - self._began) * (1 - fraction) / fraction

    def state(self) -> BarState:
        """Return the state of the bar of the whole run."""
        return BarState(
            key="run",
            name=f"{self.done}/{self.jobs} files",
            fraction=self.fraction,
            detail=speed_and_eta(self.speed, self.eta_seconds),
        )


class BatchTracker:
    """Turns the events of a run into the states of a bar per job and of one for the whole run."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._progress = BatchProgress(clock)

    def __call__(self, event: JobEvent) -> Sequence[BarState]:
        self._progress(event)
        states = []
        match event:
            case Notice() | RunDone():
                return ()
            case JobProgress():
                state = BarState(
                    key=event.job,
                    name=_short_name(event.input),
                    stage=event.stage,
                    fraction=event.fraction,
                    detail=speed_and_eta(event.speed, event.eta_seconds),
                    plain=False,
                )
                states.append(state)
            case JobDone() | JobRetry():
                states.append(BarState(key=event.job, removed=True, plain=False))
        return (*states, self._progress.state())


def batch_progress(mode: str, stream: TextIO) -> ProgressDisplay[JobEvent]:
    """Return the display for the events of a run; the keys of its bars are job numbers."""
    return display_for(mode, stream, BatchTracker())


def job_line(event: JobDone, *, stamp: str = "") -> Line:
    """Return ``clip.mov  fixed  out/clip.mp4  7.3 MB  (14.2 s)``, or why there is no output."""
    status = StyledText(_STATUS[event.status], _STYLE.get(event.status, "red"))
    head = (stamp, StyledText(relative_path(event.input), "bold"), "  ", status)
    if not event.outputs:
        return line(*head, f": {'; '.join(event.problems)}" if event.problems else "")
    copied = ", copied unchanged" if event.status == "refused" else ""
    names = ", ".join(map(relative_path, event.outputs))
    return line(*head, f"{copied}  {names}  {bytes_text(event.bytes)}  ({event.seconds:.1f} s)")


def retry_line(event: JobRetry) -> str:
    """Return why a job is retried, and when."""
    when = f"in {event.pause_seconds:g} s" if event.pause_seconds else "now"
    name = display_name(relative_path(event.input))
    return f"{name}: attempt {event.attempt} failed: {event.problem}; retrying {when}"


def summary(end: RunDone, totals: Mapping[str, int], output: str) -> tuple[Line, ...]:
    """Return a row for each status: its number of files in this run, and in all runs."""
    heads = (StyledText("", "dim"), StyledText("this run", "dim"), StyledText("all runs", "dim"))
    rows = [
        (
            StyledText(_STATUS[name], _STYLE.get(name, "red")),
            str(end.counts.get(name, 0)),
            str(totals.get(name, end.counts.get(name, 0))),
        )
        for name in _STATUS
        if end.counts.get(name) or totals.get(name)
    ]
    table = columns([heads, *rows], indent="  ") if rows else ()
    left = f"; {end.left} left for the next run" if end.left else ""
    files = _files(sum(end.counts.values()))
    return (*table, line(StyledText(output, "bold"), f": {files} in {elapsed(end.seconds)}{left}"))


def dry_run_lines(end: RunDone, size_bytes: int, seconds: float) -> tuple[Line, ...]:
    """Return the totals of a dry run."""
    status = {
        **_STATUS,
        "fixed": "would be fixed",
        "already_ok": "already accepted, would be copied",
        "refused": "would be refused",
    }
    rows = [
        (StyledText(status[name], _STYLE.get(name, "red")), str(end.counts[name]))
        for name in status
        if end.counts.get(name)
    ]
    files = sum(count for name, count in end.counts.items() if name != "problems")
    size, time_needed = bytes_text(size_bytes), elapsed(seconds)
    return (
        *columns(rows, indent="  "),
        line(
            StyledText(_files(files), "bold"),
            f": output about {size}, estimated time about {time_needed} on this machine",
        ),
    )


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _short_name(path: str) -> str:
    name = display_name(path.rsplit("/", 1)[-1])
    return name if len(name) <= _NAME_WIDTH else f"{name[: _NAME_WIDTH - 3]}..."
