"""A job's events on their way home from a worker of a cluster: sent as topics of the scheduler, read back by the coordinator."""

from __future__ import annotations

import time
from typing import Any

from mediaprep.model.events import Event, Listener, Progress, StageDone, StageStarted, ignore

TELL_SECONDS = 0.5  # a worker tells of one job's progress at most twice a second


def topic(run: str) -> str:
    """The topic under which a run's events go."""
    return f"mediaprep-{run}"


def forwarder(run: str, job: int, *, stages: bool) -> Listener:
    """In a worker of a cluster: what sends a job's events home, progress at most twice a second. Elsewhere nobody listens.
    ``stages``: their beginnings and ends too, which tell that a long job lives; they are most of what a short one would send."""
    try:
        from distributed import get_worker

        worker = get_worker()
    except (ImportError, ValueError):
        return ignore
    last = [0.0]

    def tell(event: Event) -> None:
        now = time.monotonic()
        if isinstance(event, Progress):
            if now - last[0] < TELL_SECONDS and event.fraction < 1:
                return
            last[0] = now
            facts = {
                "fraction": event.fraction,
                "speed": event.speed,
                "eta_seconds": event.eta_seconds,
            }
        elif stages:
            facts = {}
        else:
            return
        worker.log_event(
            topic(run),
            {"job": job, "event": event.event, "path": event.path, "stage": event.stage, **facts},
        )

    return tell


def event_of(facts: dict[str, Any]) -> Event | None:
    """What a worker sent, as an event; None for anything else."""
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
