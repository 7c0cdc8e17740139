"""The widths that a GIF may get, and when a video is made instead. Pure."""

from __future__ import annotations

from mediaprep.model.media import Animation
from mediaprep.model.placement import AnimationEncoding
from mediaprep.planning.plan import Output
from mediaprep.transcoding.gif.filters import grid_size, largest_size
from mediaprep.transcoding.gif.width_search import GifTooSmall

MIN_WIDTH = 16


def possible_widths(output: Output) -> range:
    """Return the widths to try, ascending: whole factors of pixel art, even widths if the source
    is a video, any width of other animations.
    """
    widest, grid, narrowest = largest_size(output)[0], grid_size(output), min_width(output)
    if grid is not None and widest % grid[0] == 0:
        return range(-(-narrowest // grid[0]) * grid[0], widest + 1, grid[0])
    step = 1 if isinstance(output.source, Animation) else 2
    return range(narrowest + (widest - narrowest) % step, widest + 1, step)


def min_width(output: Output) -> int:
    """Return the smallest width to try: the profile's if a video may be made instead."""
    least = _profile_min_width(output) if video_allowed(output) else MIN_WIDTH
    return min(least, largest_size(output)[0])


def refuse_small_gif(output: Output) -> None:
    """Raise GifTooSmall if a video may be made instead: below the minimum width it shows more."""
    if video_allowed(output):
        raise GifTooSmall(
            [f"a GIF within the limit would be less than {_profile_min_width(output)} pixels wide"]
        )


def video_allowed(output: Output) -> bool:
    """Return True if a video may be made instead of a GIF: no option asks for a GIF, and the
    source is wider than the minimum width of the profile.
    """
    source, encoding = output.source, output.placement.encoding
    if output.options.to != "auto" or not isinstance(source, Animation):
        return False
    least = encoding.min_width if isinstance(encoding, AnimationEncoding) else 0
    return (source.width or 0) > least


def _profile_min_width(output: Output) -> int:
    encoding = output.placement.encoding
    return encoding.min_width if isinstance(encoding, AnimationEncoding) else MIN_WIDTH
