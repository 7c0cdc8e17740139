"""What was run to make one output."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodeLog:
    """The command lines that were run, and the level their children ran under; None: no child. Of a still that was coded anew: its
    similarity to the source (SSIM, 0 to 1), and the quality it was coded at (None: losslessly)."""

    argv: tuple[tuple[str, ...], ...] = ()
    sandbox: str | None = None
    ssim: float | None = None
    quality: int | None = None
