"""Format, dimensions, frames, pixels and size of animations.

All fixes lead to one encode: a GIF within every limit.
"""

from __future__ import annotations

from mediaprep.model import containers, units
from mediaprep.model.fix import Case, Refused
from mediaprep.model.limit_forms import ByteLimitForm, DimensionRangeForm, OneOfForm, RangeForm
from mediaprep.model.limits import ByteLimit, DimensionRange, OneOf, Range
from mediaprep.model.media import Animation
from mediaprep.rules.registry import (
    Failed,
    Judgement,
    Passed,
    Unknown,
    fix,
    judge,
    judge_name,
    rule,
)
from mediaprep.targets.animation import encoded


@rule(
    "animation-type",
    kinds=("animation",),
    subject="type of animation",
    limit=OneOfForm(names=containers.names("animation")),
    facts=("format",),
)
def animation_type(source: Animation, limit: OneOf) -> Judgement:
    """What it checks: the animation has a format that the platform accepts, such as GIF. The format
    is detected from the content.

    Why it matters: platforms that accept an animated WebP, APNG or AVIF at all treat it as a still
    image.

    The fix: converts to GIF: 256 colours, transparency on or off, frame times in hundredths of a
    second. Loop count and duration are kept. Lossy. ``--to video`` makes a video instead.
    """
    return judge_name(source.format, "format", limit)


@fix("animation-type", safety="lossy", summary="convert to GIF; --to video makes a video instead")
def as_gif(target: Animation, case: Case) -> Animation | Refused:
    return encoded(target, case)


@rule(
    "gif-dimensions",
    kinds=("animation",),
    subject="picture size",
    limit=DimensionRangeForm(),
    facts=("width", "height"),
)
def dimensions(source: Animation, limit: DimensionRange) -> Judgement:
    """What it checks: the width and height of the logical screen are within the limits. If the
    profile fixes the orientation, as Twitter's 1280x1080 does, a portrait of 1080x1280 is too high.

    Why it matters: the post is rejected.

    The fix: scales the animation down to fit and keeps its shape. Enlarged pixel art is scaled in
    whole steps of its pixels. Lossy.
    """
    if source.width is None or source.height is None:
        return Unknown(fact="width")
    size = source.width, source.height
    return judge(units.size_text(size), allowed=limit.allows(size))


@fix("gif-dimensions", safety="lossy", summary="scale it down to fit")
def scaled(target: Animation, case: Case) -> Animation | Refused:
    return encoded(target, case)


@rule(
    "gif-frames",
    kinds=("animation",),
    subject="number of frames",
    limit=RangeForm(quantity="count"),
    facts=("frame_count",),
)
def frames(source: Animation, limit: Range) -> Judgement:
    """What it checks: the number of frames, counted block by block.

    Why it matters: the post is rejected.

    The fix: drops frames at even intervals. Of each run of frames, the one shown longest is kept
    and shown for the whole run, so that the duration stays the same. Lossy. ``--to video`` keeps
    every frame.
    """
    if source.frame_count is None:
        return Unknown(fact="frame_count")
    return judge(str(source.frame_count), allowed=limit.allows(source.frame_count))


@fix(
    "gif-frames",
    safety="lossy",
    summary="drop frames evenly and keep the duration; --to video keeps every frame",
)
def thinned(target: Animation, case: Case) -> Animation | Refused:
    return encoded(target, case)


@rule(
    "gif-pixels",
    kinds=("animation",),
    subject="number of pixels",
    limit=RangeForm(quantity="count"),
    facts=("width", "height", "frame_count"),
)
def pixels(source: Animation, limit: Range) -> Judgement:
    """What it checks: width x height x frames. Width and height are those of the logical screen,
    even if the stored frames are smaller.

    Why it matters: the server holds every frame at full size, and rejects the post above its limit.

    The fix: scales the animation down, after frames and dimensions are within their limits, because
    a smaller picture loses less than fewer frames. Lossy.
    """
    if source.width is None or source.height is None or source.frame_count is None:
        return Unknown(fact="width")
    count = source.width * source.height * source.frame_count
    measured = f"{count:,}".replace(",", " ")
    if limit.allows(count):
        return Passed(measured=measured)
    size = units.size_text((source.width, source.height))
    return Failed(measured=measured, detail=f"{size}, {source.frame_count} frames")


@fix("gif-pixels", safety="lossy", summary="scale it down")
def fewer_pixels(target: Animation, case: Case) -> Animation | Refused:
    return encoded(target, case)


@rule(
    "gif-size",
    kinds=("animation",),
    subject="file size",
    limit=ByteLimitForm(),
    facts=("size_bytes",),
)
def size(source: Animation, limit: ByteLimit) -> Judgement:
    """What it checks: the size of the file. A limit in MB is checked as 2^20 bytes per MB, as the
    server counts.

    Why it matters: the upload is rejected.

    The fix: encodes the largest picture that fits, found in at most three encodes. Frames,
    duration, loop count and transparency are kept. The output stays below the limit with 10^6 bytes
    per MB. If it would become narrower than 240 pixels, a video is made instead. Lossy.
    """
    if source.size_bytes is None:
        return Unknown(fact="size_bytes")
    return judge(units.bytes_text(source.size_bytes), allowed=limit.allows(source.size_bytes))


@fix("gif-size", safety="lossy", summary="encode the largest GIF that fits")
def smaller(target: Animation, case: Case) -> Animation | Refused:
    return encoded(target, case)
