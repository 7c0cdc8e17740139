"""What is asked of one reading."""

from __future__ import annotations

from fractions import Fraction
from typing import Protocol


class ProbeRequest(Protocol):
    """What is asked of one reading. ``deep``: look at more frames. ``needs``: dotted paths of the facts that are wanted (``video.gop``
    stands for all below it); empty: all."""

    @property
    def deep(self) -> bool:
        """Look at more frames."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Dotted paths; empty: all."""

    @property
    def max_pixels(self) -> int:
        """Of one picture: more are not decoded."""

    @property
    def payload(self) -> bool:
        """Digests of the coded streams too."""

    @property
    def clip_duration(self) -> Fraction | None:
        """Seconds of the video that captions go with."""


def wants(request: ProbeRequest, *facts: str) -> bool:
    """Whether one of these facts, or something above or below it, is asked for."""
    return not request.needs or any(
        need == fact or need.startswith(f"{fact}.") or fact.startswith(f"{need}.")
        for need in request.needs
        for fact in facts
    )
