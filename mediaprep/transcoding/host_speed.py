"""How fast this host encodes. Measured once and cached in the user's cache folder."""

from __future__ import annotations

import json
import os
from pathlib import Path

from mediaprep.errors import EnvironmentProblem, ToolError
from mediaprep.runtime.atomic import create_work_file
from mediaprep.runtime.command import Command
from mediaprep.runtime.effects import Steps, call, run_child

_WIDTH, _HEIGHT, _RATE, _FRAMES = 640, 360, 30, 60  # of the test clip
_RUNS = 3
_DEADLINE_SECONDS = 60.0


def host_speed_steps(binary: str, threads: int) -> Steps[float | None]:
    """Steps: return the pixels per second that x264 encodes here at preset medium; None if it
    cannot be measured. The measurement takes a second or two.
    """
    path = cache_file()
    key = f"{binary}:{Path(binary).stat().st_mtime_ns}:{threads}"
    cached = yield from call(read_speed, path, key)
    if cached is not None:
        return cached
    speeds = []
    try:
        for _ in range(_RUNS):
            speeds.append((yield from _measure_steps(binary, threads)))
    except ToolError:
        return None
    yield from call(write_speed, path, key, max(speeds))
    return max(speeds)


def _measure_steps(binary: str, threads: int) -> Steps[float]:
    clip = f"testsrc2=s={_WIDTH}x{_HEIGHT}:r={_RATE},noise=alls=6:allf=t"
    argv = (
        binary, "-nostdin", "-hide_banner", "-v", "error", "-f", "lavfi", "-i", clip,
        "-frames:v", str(_FRAMES), "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "medium",
        "-crf", "23", "-aq-mode", "2", "-threads", str(threads), "-f", "null", "-",
    )  # fmt: skip
    completed = yield from run_child(
        Command(argv=argv, what="measure this host", seconds=_DEADLINE_SECONDS, reads=(binary,))
    )
    return _WIDTH * _HEIGHT * _FRAMES / max(0.001, completed.seconds)


def cache_file() -> Path:
    """Return the path of the cached speed."""
    import platformdirs  # here, because a dry run of a batch alone needs it

    return Path(platformdirs.user_cache_dir("mediaprep")) / "speed.json"


def read_speed(path: Path, key: str) -> float | None:
    """Return the cached speed of this binary; None if there is none or the file is invalid."""
    try:
        speed = float(json.loads(path.read_text(encoding="utf-8"))[key])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return speed if speed > 0 else None


def write_speed(path: Path, key: str, speed: float) -> None:
    """Cache the speed. A folder that cannot be written is ignored: the speed is measured again."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part, descriptor = create_work_file(path.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            json.dump({key: speed}, out)
        part.replace(path)
    except (OSError, EnvironmentProblem):
        return
