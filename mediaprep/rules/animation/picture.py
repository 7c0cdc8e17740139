"""Animations: type, dimensions, frames, pixels, size. One fix for all: the GIF made anew within every limit."""

from __future__ import annotations

from mediaprep.model import units
from mediaprep.model.fix import Case, Refused
from mediaprep.model.limits import ByteLimit, DimensionRange, OneOf, Range
from mediaprep.model.media import Animation
from mediaprep.rules.registry import Failed, Judgement, Passed, Unknown, fix, named, rule
from mediaprep.targets.animation import encoded


@rule("animation-type", kinds=("animation",), subject="type of animation", facts=("format",))
def animation_type(source: Animation, limit: OneOf) -> Judgement:
    """What it checks: that the animation is a GIF, by its bytes. Animated WebP, APNG and AVIF have a still's name and are none.

    Why it matters: where they are taken at all, they are shown as a still.

    The fix: makes a GIF of it: 256 colours, transparency on or off, times in hundredths of a second. Loop and duration are kept. Lossy.
    ``--to video`` makes a video instead.
    """
    return named(source.format, "format", limit)


@fix("animation-type", safety="lossy", says="make a GIF of it; --to video makes a video instead")
def as_gif(target: Animation, case: Case) -> Animation | Refused:
    return encoded(target, case)


@rule("gif-dimensions", kinds=("animation",), subject="picture size", facts=("width", "height"))
def dimensions(source: Animation, limit: DimensionRange) -> Judgement:
    """What it checks: width and height of the logical screen, as width x height: a portrait of 1080x1280 is too high.

    Why it matters: the post fails.

    The fix: scales it down to fit, keeping the shape; enlarged pixel art by whole steps of its grid. Lossy.
    """
    if source.width is None or source.height is None:
        return Unknown(fact="width")
    size = source.width, source.height
    return (
        Passed(measured=units.size_text(size))
        if limit.allows(size)
        else Failed(measured=units.size_text(size))
    )


@fix("gif-dimensions", safety="lossy", says="scale it down to fit")
def scaled(target: Animation, case: Case) -> Animation | Refused:
    return encoded(target, case)


@rule("gif-frames", kinds=("animation",), subject="number of frames", facts=("frame_count",))
def frames(source: Animation, limit: Range) -> Judgement:
    """What it checks: how many frames there are, counted block by block.

    Why it matters: the post fails.

    The fix: drops frames spread evenly, of each run keeping the one that stays longest; what is dropped is shown by its neighbour, so the
    duration is kept. Lossy. ``--to video`` keeps every frame.
    """
    if source.frame_count is None:
        return Unknown(fact="frame_count")
    measured = str(source.frame_count)
    return (
        Passed(measured=measured) if limit.allows(source.frame_count) else Failed(measured=measured)
    )


@fix(
    "gif-frames",
    safety="lossy",
    says="drop frames evenly, keeping the duration; --to video keeps every frame",
)
def thinned(target: Animation, case: Case) -> Animation | Refused:
    return encoded(target, case)


@rule(
    "gif-pixels",
    kinds=("animation",),
    subject="number of pixels",
    facts=("width", "height", "frame_count"),
)
def pixels(source: Animation, limit: Range) -> Judgement:
    """What it checks: width x height x frames, by the logical screen, however small the frames are that are stored.

    Why it matters: the server holds every frame at full size; the post fails.

    The fix: scales it down, once frames and dimensions fit: a smaller picture is less loss than fewer frames. Lossy.
    """
    if source.width is None or source.height is None or source.frame_count is None:
        return Unknown(fact="width")
    count = source.width * source.height * source.frame_count
    measured = f"{count:,}".replace(",", " ")
    detail = f"{units.size_text((source.width, source.height))}, {source.frame_count} frames"
    return (
        Passed(measured=measured)
        if limit.allows(count)
        else Failed(measured=measured, detail=detail)
    )


@fix("gif-pixels", safety="lossy", says="scale it down")
def fewer_pixels(target: Animation, case: Case) -> Animation | Refused:
    return encoded(target, case)


@rule("gif-size", kinds=("animation",), subject="file size", facts=("size_bytes",))
def size(source: Animation, limit: ByteLimit) -> Judgement:
    """What it checks: the file's bytes against the limit, an MB taken as 2^20 as the server counts.

    Why it matters: the upload is refused.

    The fix: the largest picture that fits, found in at most three encodes; frames, duration, loop and transparency are kept. What is
    written stays under the limit with an MB taken as 10^6. Where less than 240 pixels of width would be left it becomes a video. Lossy.
    """
    if source.size_bytes is None:
        return Unknown(fact="size_bytes")
    measured = units.bytes_text(source.size_bytes)
    return (
        Passed(measured=measured) if limit.allows(source.size_bytes) else Failed(measured=measured)
    )


@fix("gif-size", safety="lossy", says="make the largest GIF that fits")
def smaller(target: Animation, case: Case) -> Animation | Refused:
    return encoded(target, case)
