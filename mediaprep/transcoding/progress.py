"""What ffmpeg's ``-progress`` tells, as events."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction

from mediaprep.model.events import Progress, Stage
from mediaprep.runtime.context import Context


def progress(
    name: str,
    stage: Stage,
    length: Fraction,
    context: Context,
    *,
    share: tuple[float, float] = (0.0, 1.0),
) -> Callable[[str], None]:
    """A reader of ffmpeg's -progress lines that tells the listener, at most once each block. ``share``: from where to where of the stage
    this run is."""
    began = time.monotonic()
    seen: dict[str, str] = {}

    def on_line(line: str) -> None:
        key, _, value = line.strip().partition("=")
        seen[key] = value.strip()
        if key != "progress":
            return
        micro = seen.get("out_time_us", "")
        done = int(micro) / 1e6 if micro.lstrip("-").isdigit() else 0.0
        whole = float(length) or 1.0
        part = 1.0 if value == "end" else max(0.0, min(1.0, done / whole))
        fraction = share[0] + (share[1] - share[0]) * part
        elapsed = time.monotonic() - began
        context.listener(
            Progress(
                path=name,
                stage=stage,
                fraction=fraction,
                speed=done / elapsed if elapsed > 0 and done > 0 else None,
                eta_seconds=elapsed * (share[1] - fraction) / (fraction - share[0])
                if fraction > share[0] + 0.01
                else None,
                size_bytes=int(seen["total_size"])
                if seen.get("total_size", "").isdigit()
                else None,
            )
        )

    return on_line
