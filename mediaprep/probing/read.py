"""Read the facts of an opened, sniffed file with the reader of its kind.

Runs in the child process, which may crash. Readers are imported when a file of their kind is met.
"""

from __future__ import annotations

from typing import assert_never

from mediaprep.model.media import Media
from mediaprep.probing.identify.sniffed import Sniffed
from mediaprep.probing.request import ReadRequest
from mediaprep.runtime.source import Source


def read(source: Source, sniffed: Sniffed, request: ReadRequest) -> Media:
    """Return the facts of the file. Raises: SourceUnreadable if no fact can be read."""
    match sniffed.kind_hint:
        case "video" | "sound":
            from mediaprep.probing.video.assemble import read_video

            return read_video(source, sniffed, request)
        case "image":
            from mediaprep.probing.picture.image import read_image

            return read_image(source, sniffed, request)
        case "animation":
            from mediaprep.probing.picture.animation import read_animation

            return read_animation(source, sniffed, request)
        case "subtitle":
            from mediaprep.probing.subtitle import read_subtitle

            return read_subtitle(source, sniffed, request)
        case _:
            assert_never(sniffed.kind_hint)
