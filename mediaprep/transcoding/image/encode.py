"""Write a still image: re-encoded in a child process, or copied without its metadata."""

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
from mediaprep.runtime.effects import Steps, call, run_child
from mediaprep.tools import pillow, still_converter
from mediaprep.tools.still_job import StillJob
from mediaprep.transcoding.encode_log import EncodeLog
from mediaprep.transcoding.image.strip_metadata import write_stripped
from mediaprep.transcoding.job import EncodeJob


def still_job(output: Output, *, max_pixels: int) -> StillJob:
    """Return what the encoding child has to do. Pure.

    Raises: TypeError if source, target or the placement's encoding is not a still image's.
    """
    source, target = _images(output)
    encoding = output.placement.encoding
    if not isinstance(encoding, ImageEncoding):
        raise TypeError(f"{output.placement.name} takes no still images")
    formats = (target.format,) if target.format else ()
    limit = None
    for item in output.tolerances:
        if isinstance(item, Among) and item.fact == "format":
            formats = item.values or formats
        elif isinstance(item, AtMostBytes):
            limit = item.limit
    oriented = containers.of(source.format).pillow_orients
    return StillJob(
        source_format=source.format or "",
        orientation=1 if oriented else source.orientation or 1,
        targets=formats,
        limit=limit,
        quality=encoding.quality,
        min_quality=encoding.min_quality,
        background=encoding.background,
        space=source.colour_space,
        tag=target.colour_space == "sRGB",
        max_pixels=max_pixels,
        keep_metadata=output.options.keep_metadata,
    )


def encode_steps(job: EncodeJob, part: Path) -> Steps[EncodeLog]:
    """Steps: write the still image of the job into ``part``.

    Raises: ToolError, DeadlineExceeded, Cancelled.
    """
    source, target = _images(job.output)
    if not target.reencode:
        yield from call(_strip, job, source, part)
        return EncodeLog()
    max_pixels = job.context.limits.max_pixels
    todo = still_job(job.output, max_pixels=max_pixels)
    pixels = min((source.width or 0) * (source.height or 0), max_pixels * pillow.DRAFT_FACTOR)
    read_fd = job.source.reopen()
    write_fd = os.open(part, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        command = still_converter.command(todo, read_fd, write_fd, pixels=pixels)
        completed = yield from run_child(command)
    finally:
        os.close(read_fd)
        os.close(write_fd)
    try:
        result = still_converter.parse_answer(completed.stdout)
    except ValueError as problem:
        raise ToolError(command.argv[:1], 0, str(problem), what=command.what) from problem
    argv = ("mediaprep.tools.still_converter", json.dumps(asdict(todo)))
    return EncodeLog(
        argv=(argv,), sandbox=completed.sandbox, ssim=result.ssim, quality=result.quality
    )


def _images(output: Output) -> tuple[Image, Image]:
    if not isinstance(output.source, Image) or not isinstance(output.target, Image):
        raise TypeError(f"{output.source.name}: source and target have to be still images")
    return output.source, output.target


def _strip(job: EncodeJob, source: Image, part: Path) -> None:
    with writing(part), part.open("r+b") as out:
        out.truncate()
        write_stripped(
            job.source,
            source.format or "",
            source.orientation or 1,
            out.write,
            job.context.check,
        )
