"""Stills: what separates a picture from the one wanted as one job, and its doing. Metadata is left out here, pixels change in a child."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

from mediaprep.errors import ToolError
from mediaprep.model import containers
from mediaprep.model.media import Image
from mediaprep.model.placement import ImageEncoding
from mediaprep.model.tolerance import Among, AtMostBytes
from mediaprep.planning.plan import Output
from mediaprep.runtime.atomic import writing
from mediaprep.runtime.context import Context
from mediaprep.runtime.effects import Steps, call, run_child
from mediaprep.runtime.source import Source
from mediaprep.tools import pillow, still_converter
from mediaprep.tools.still_job import StillJob
from mediaprep.transcoding.encode_log import EncodeLog
from mediaprep.transcoding.image import strip_metadata as lossless


def job(output: Output, *, max_pixels: int) -> StillJob:
    """What the converting child is to do. Pure. Raises: TypeError for an output that is not a still made of a still."""
    source_media, target, encoding = output.source, output.target, output.placement.encoding
    if not (
        isinstance(source_media, Image)
        and isinstance(target, Image)
        and isinstance(encoding, ImageEncoding)
    ):
        raise TypeError(f"{source_media.name}: not a still to be made of a still")
    among = next(
        (p.values for p in output.tolerances if isinstance(p, Among) and p.fact == "format"), ()
    )
    return StillJob(
        source_format=source_media.format or "",
        orientation=1
        if containers.of(source_media.format).pillow_orients
        else source_media.orientation or 1,
        targets=among or ((target.format,) if target.format else ()),
        limit=next((p.limit for p in output.tolerances if isinstance(p, AtMostBytes)), None),
        quality=encoding.quality,
        min_quality=encoding.min_quality,
        background=encoding.background,
        space=source_media.colour_space,
        tag=target.colour_space == "sRGB",
        max_pixels=max_pixels,
        keep_metadata=output.options.keep_metadata,
    )


def make(output: Output, source: Source, part: Path, context: Context) -> Steps[EncodeLog]:
    """Steps: writes the still into ``part``. Raises: ToolError, DeadlineExceeded, Cancelled."""
    target, source_media = output.target, output.source
    if not (isinstance(target, Image) and isinstance(source_media, Image)):
        raise TypeError(f"{source_media.name}: not a still to be made of a still")
    if not target.reencode:
        yield from call(_strip, source, source_media, part, context)
        return EncodeLog()
    command_line = job(output, max_pixels=context.limits.max_pixels)
    read, write = (
        source.reopen(),
        os.open(part, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW),
    )
    try:
        pixels = min(
            (source_media.width or 0) * (source_media.height or 0),
            context.limits.max_pixels * pillow.DRAFT_FACTOR,
        )
        command = still_converter.command(command_line, read, write, pixels=pixels)
        completed = yield from run_child(command)
    finally:
        os.close(read)
        os.close(write)
    try:
        made = still_converter.parse_answer(completed.stdout)
    except ValueError as problem:
        raise ToolError(
            command.argv[:1], completed.exit_code, str(problem), what=command.what
        ) from problem
    words = ("mediaprep.tools.still_converter", json.dumps(asdict(command_line)))
    return EncodeLog(argv=(words,), sandbox=completed.sandbox, ssim=made.ssim, quality=made.quality)


def _strip(source: Source, source_media: Image, part: Path, context: Context) -> None:
    with writing(part), part.open("r+b") as out:
        out.truncate()
        lossless.stripped(
            source,
            source_media.format or "",
            source_media.orientation or 1,
            out.write,
            context.check,
        )
