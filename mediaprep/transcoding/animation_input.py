"""An animation as the input of ffmpeg. Pure."""

from __future__ import annotations

from mediaprep.model import containers
from mediaprep.model.media import Animation
from mediaprep.runtime.context import MAX_PIXELS
from mediaprep.tools.ffmpeg import Input
from mediaprep.tools.ffmpeg_gif import PictureStreams
from mediaprep.transcoding.job import EncodeJob


def animation_input(job: EncodeJob, source: Animation) -> tuple[Input, PictureStreams]:
    """Return ffmpeg's input and its moving picture."""
    picture = PictureStreams(index=0)
    if containers.of(source.format).image_items:
        # A still comes first: its colour and, if it has one, its transparency.
        picture = PictureStreams(index=1)
        if source.transparency:
            picture = PictureStreams(index=2, alpha=3)
    # All frames of an animation have one size, so the filter graph never has to be rebuilt. ffmpeg
    # 9 would rebuild it if only some frames have EXIF, and lose the palette ("internal bug").
    options = {"reinit_filter": 0}
    source_input = Input(
        demuxer=job.demuxer, whitelist=job.whitelist, max_pixels=MAX_PIXELS, options=options
    )
    return source_input, picture
