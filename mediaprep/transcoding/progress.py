"""Translate the output of ffmpeg's ``-progress`` option into events."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction

from mediaprep.model.events import Progress, Stage
from mediaprep.runtime.context import Context


def progress_reader(
    name: str,
    stage: Stage,
    length: Fraction,
    context: Context,
    *,
    share: tuple[float, float] = (0.0, 1.0),
) -> Callable[[str], None]:
    """Return a function that takes ffmpeg's ``-progress`` lines and sends an event for each block.

    length  seconds that the run writes or reads
    share   the part of the stage that this run is, as (start, end) fractions
    """
    began = time.monotonic()
    block: dict[str, str] = {}
    first, last = share

    def on_line(line: str) -> None:
        key, _, value = line.strip().partition("=")
        block[key] = value.strip()
        if key != "progress":
            return
        micros = block.get("out_time_us", "")
        done = int(micros) / 1e6 if micros.lstrip("-").isdigit() else 0.0
        part = 1.0 if value == "end" else max(0.0, min(1.0, done / (float(length) or 1.0)))
        fraction = first + (last - first) * part
        elapsed = time.monotonic() - began
        speed = eta = None
        if elapsed > 0 and done > 0:
            speed = done / elapsed
        if fraction > first + 0.01:
            eta = elapsed * (last - fraction) / (fraction - first)
        size = block.get("total_size", "")
        context.listener(
            Progress(
                path=name,
                stage=stage,
                fraction=fraction,
                speed=speed,
                eta_seconds=eta,
                size_bytes=int(size) if size.isdigit() else None,
            )
        )

    return on_line
