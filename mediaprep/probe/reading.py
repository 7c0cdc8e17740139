"""From an opened, sniffed source to its facts: one reader for each kind. Runs in the child that may crash."""

from __future__ import annotations

from fractions import Fraction
from typing import Protocol, assert_never

from mediaprep.files import Source
from mediaprep.media import Media
from mediaprep.probe.sniff import Sniffed


class Request(Protocol):
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


def wants(request: Request, *facts: str) -> bool:
    """Whether one of these facts, or something above or below it, is asked for."""
    return not request.needs or any(
        need == fact or need.startswith(f"{fact}.") or fact.startswith(f"{need}.") for need in request.needs for fact in facts
    )


def read(source: Source, sniffed: Sniffed, request: Request) -> Media:
    """The facts of the file. Raises: SourceUnreadable where nothing can be read of it."""
    match sniffed.kind_hint:
        case "video" | "sound" | None:
            from mediaprep.probe.video import read_video

            return read_video(source, sniffed, request)
        case "image":
            from mediaprep.probe.image import read_image

            return read_image(source, sniffed, request)
        case "animation":
            from mediaprep.probe.animation import read_animation

            return read_animation(source, sniffed, request)
        case "subtitle":
            from mediaprep.probe.subtitle import read_subtitle

            return read_subtitle(source, sniffed, request)
        case _:
            assert_never(sniffed.kind_hint)
