"""Stills: what separates a picture from the one wanted as one job, and its doing. Metadata is left out here, pixels change in a child."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

from mediaprep.errors import ToolError
from mediaprep.model.media import Image
from mediaprep.model.placement import ImageEncoding
from mediaprep.model.tolerance import Among, AtMostBytes
from mediaprep.planning.plan import Output
from mediaprep.runtime.context import Context
from mediaprep.runtime.effects import Steps, call, run_child
from mediaprep.runtime.source import Source, writing
from mediaprep.tools import picture, pillow
from mediaprep.tools.picture_job import Job
from mediaprep.transcoding import lossless
from mediaprep.transcoding.performed import Performed


def job(output: Output, *, max_pixels: int) -> Job:
    """What the converting child is to do. Pure. Raises: TypeError for an output that is not a still made of a still."""
    have, want, target = output.source, output.want, output.spec.encoding
    if not (
        isinstance(have, Image) and isinstance(want, Image) and isinstance(target, ImageEncoding)
    ):
        raise TypeError(f"{have.name}: not a still to be made of a still")
    among = next(
        (p.values for p in output.promises if isinstance(p, Among) and p.fact == "format"), ()
    )
    return Job(
        form=have.format or "",
        orientation=1 if have.format in pillow.TURNED_BY_READER else have.orientation or 1,
        targets=among or ((want.format,) if want.format else ()),
        limit=next((p.limit for p in output.promises if isinstance(p, AtMostBytes)), None),
        quality=target.quality,
        min_quality=target.min_quality,
        background=target.background,
        space=have.colour_space,
        tag=want.colour_space == "sRGB",
        max_pixels=max_pixels,
        keep_metadata=output.wishes.keep_metadata,
    )


def make(output: Output, source: Source, part: Path, context: Context) -> Steps[Performed]:
    """Steps: writes the still into ``part``. Raises: ToolError, DeadlineExceeded, Cancelled."""
    want, have = output.want, output.source
    if not (isinstance(want, Image) and isinstance(have, Image)):
        raise TypeError(f"{have.name}: not a still to be made of a still")
    if not want.anew:
        yield from call(_strip, source, have, part, context)
        return Performed()
    command_line = job(output, max_pixels=context.limits.max_pixels)
    read, write = (
        source.reopen(),
        os.open(part, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW),
    )
    try:
        pixels = min(
            (have.width or 0) * (have.height or 0), context.limits.max_pixels * pillow.DRAFT_FACTOR
        )
        command = picture.command(command_line, read, write, pixels=pixels)
        completed = yield from run_child(command)
    finally:
        os.close(read)
        os.close(write)
    try:
        made = picture.made(completed.stdout)
    except ValueError as problem:
        raise ToolError(
            command.argv[:1], completed.exit_code, str(problem), what=command.what
        ) from problem
    words = ("mediaprep.tools.picture", json.dumps(asdict(command_line)))
    return Performed(argv=(words,), sandbox=completed.sandbox, ssim=made.ssim, quality=made.quality)


def _strip(source: Source, have: Image, part: Path, context: Context) -> None:
    with writing(part), part.open("r+b") as out:
        out.truncate()
        lossless.stripped(
            source, have.format or "", have.orientation or 1, out.write, context.check
        )
