"""What was run to write one output."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodeLog:
    """The child processes that wrote one output.

    argv     their command lines, in order
    sandbox  the level of confinement they ran under; None if no child was started
    ssim     of a re-encoded still: structural similarity to the source, 0 to 1
    quality  of a re-encoded still: the JPEG or WebP quality; None if it is lossless
    """

    argv: tuple[tuple[str, ...], ...] = ()
    sandbox: str | None = None
    ssim: float | None = None
    quality: int | None = None
