"""The events of a run: frozen records, one NDJSON line each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

Stage = Literal["probe", "plan", "encode", "measure", "verify", "publish"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StageStarted:
    """A stage of one file started.

    index, count  which output of how many; a split has several
    """

    path: str
    stage: Stage
    index: int = 0
    count: int = 1
    event: Literal["stage.start"] = "stage.start"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The progress of a stage; None: not known yet.

    fraction  completed part, 0 to 1
    speed     as a multiple of the playing speed
    """

    path: str
    stage: Stage
    fraction: float
    speed: float | None = None
    eta_seconds: float | None = None
    size_bytes: int | None = None
    event: Literal["progress"] = "progress"


@dataclass(frozen=True, slots=True, kw_only=True)
class StageDone:
    """A stage of one file ended after ``seconds`` of wall time."""

    path: str
    stage: Stage
    seconds: float
    event: Literal["stage.done"] = "stage.done"


Event: TypeAlias = StageStarted | Progress | StageDone
Listener: TypeAlias = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Ignore an event: the default listener."""
