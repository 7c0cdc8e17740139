"""What the first bytes of a file reveal: its format."""

from __future__ import annotations

from dataclasses import dataclass

from mediaprep.model import containers
from mediaprep.model.media import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Sniffed:
    """The format of a file, by its first bytes and its structure.

    kind_hint        the kind of media; a video container may still prove to hold sound alone
    format           name of its record in ``model.containers``
    demuxer          the ffmpeg demuxer to force; None: ffmpeg cannot or must not read it (captions)
    width, height    of the picture, if its header states them cheaply; only HEIF's own orientation
                     is applied
    frames           declared or counted; None: not determined
    """

    kind_hint: Kind
    format: str
    demuxer: str | None
    width: int | None = None
    height: int | None = None
    frames: int | None = None

    @property
    def format_whitelist(self) -> str:
        """The value of ``-format_whitelist``; "" without a demuxer."""
        if self.demuxer is None:
            return ""
        return containers.of(self.format).whitelist or self.demuxer


def recognised(
    name: str,
    kind: Kind | None = None,
    *,
    demuxer: str | None = None,
    width: int | None = None,
    height: int | None = None,
    frames: int | None = None,
) -> Sniffed:
    """Return a ``Sniffed`` of the format ``name``.

    Kind and demuxer are those of the format's record unless given.
    """
    record = containers.of(name)
    return Sniffed(
        kind_hint=kind or record.kinds[0],
        format=name,
        demuxer=demuxer or record.demuxer,
        width=width,
        height=height,
        frames=frames,
    )
