"""What the first bytes of a file told."""

from __future__ import annotations

from dataclasses import dataclass

from mediaprep.model.media import Kind

_LISTED = {
    "mov": "mov,mp4,m4a,3gp,3g2,mj2",
    "matroska": "matroska,webm",
    "webp_pipe": "webp_pipe,webp_anim",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sniffed:
    """What the first bytes and the structure say.

    kind_hint        None: not told; a video container may still prove to hold sound alone
    format           as ``media.Container.format``, or an image's, animation's or subtitle's format
    demuxer          ffmpeg's name of the one demuxer to force; None: ffmpeg does not read it, or must not (subtitles)
    width, height    of the picture, where its header states them cheaply, before any orientation but HEIF's own
    frames           as declared or counted; None: not looked
    declared_bytes   the file size that the header states
    """

    kind_hint: Kind | None
    format: str
    demuxer: str | None
    width: int | None = None
    height: int | None = None
    frames: int | None = None
    declared_bytes: int | None = None

    @property
    def format_whitelist(self) -> str:
        """For ``-format_whitelist``: the demuxer under all its names; "" without one."""
        return _LISTED.get(self.demuxer, self.demuxer) if self.demuxer else ""

    @property
    def pixels(self) -> int | None:
        """Pixels of one picture."""
        return None if self.width is None or self.height is None else self.width * self.height
