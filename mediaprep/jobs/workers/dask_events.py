"""Events of jobs on a cluster: sent by the worker as a topic of the scheduler, read back here."""

from __future__ import annotations

import time
from typing import Any

from mediaprep.model.events import Event, Listener, Progress, StageDone, StageStarted, ignore

PROGRESS_SECONDS = 0.5  # between two progress events of one job


def topic(run: str) -> str:
    """Return the topic of a run's events."""
    return f"mediaprep-{run}"


def send_events(run: str, job: int, *, stages: bool) -> Listener:
    """Return a listener that sends a job's events; outside of a Dask worker it ignores them.

    Progress is sent twice a second at most. ``stages`` sends the start and end of each stage too:
    they show that a long job is alive, but would be most of what a short job sends.
    """
    try:
        from distributed import get_worker  # optional dependency: mediaprep[cluster]

        worker = get_worker()
    except (ImportError, ValueError):
        return ignore
    last_progress = 0.0

    def listener(event: Event) -> None:
        nonlocal last_progress
        facts: dict[str, Any] = {}
        if isinstance(event, Progress):
            now = time.monotonic()
            if now - last_progress < PROGRESS_SECONDS and event.fraction < 1:
                return
            last_progress = now
            facts = {
                "fraction": event.fraction,
                "speed": event.speed,
                "eta_seconds": event.eta_seconds,
            }
        elif not stages:
            return
        common = {"job": job, "event": event.event, "path": event.path, "stage": event.stage}
        worker.log_event(topic(run), common | facts)

    return listener


def event_from(facts: dict[str, Any]) -> Event | None:
    """Return the event that a worker sent; None for any other message."""
    match facts:
        case {"event": "progress", "fraction": float() | int()}:
            return Progress(
                path=facts["path"],
                stage=facts["stage"],
                fraction=facts["fraction"],
                speed=facts["speed"],
                eta_seconds=facts["eta_seconds"],
            )
        case {"event": "stage.start"}:
            return StageStarted(path=facts["path"], stage=facts["stage"])
        case {"event": "stage.done"}:
            return StageDone(path=facts["path"], stage=facts["stage"], seconds=0.0)
    return None
