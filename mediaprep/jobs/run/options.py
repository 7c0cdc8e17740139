"""How a run over many files is carried out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

OnRefused = Literal["skip", "copy", "quarantine"]
OnDone = Literal["leave", "move", "delete"]  # of a watch: the source of a finished job


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How a run over many files is carried out.

    retries      attempts after the first
    pause        seconds before the second attempt; each further pause is four times as long
    timeout      seconds that a job may take; None is unlimited
    stall        seconds without progress after which a job is stopped; None never stops one
    on_refused   what is done with a refused file: nothing, a copy in the output folder, or a copy
                 and its report in the quarantine
    watched      the inputs are a watched folder: a file that differs from what was found is found
                 again later, and symbolic links and our own outputs are not accepted
    dry_run      inspect and plan only
    """

    retries: int = 2
    pause: float = 1.0
    timeout: float | None = None
    stall: float | None = None
    on_refused: OnRefused = "skip"
    watched: bool = False
    dry_run: bool = False
    ffmpeg: str | None = None
    sandbox: str = "auto"
