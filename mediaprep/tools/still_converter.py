"""Convert one still in a confined child: decode, orient, convert to sRGB, fit a byte limit.

The parent builds the command (``command``) and reads the answer (``parse_answer``). The child runs
``main`` with two open descriptors and nothing else.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mediaprep.runtime import sandbox
from mediaprep.runtime.command import Command
from mediaprep.runtime.source import Readable
from mediaprep.tools import colour_conversion, pillow, still_encoder
from mediaprep.tools.similarity import similarity
from mediaprep.tools.still_job import StillJob

MEMORY_BYTES = 5 * 2**28  # of libraries and interpreter; the rest grows with the picture
# Up to eight copies of 4 bytes while the picture is oriented, converted and measured, and what
# sorting its colours takes.
BYTES_PER_PIXEL = 48
BASE_SECONDS = 60.0
SECONDS_PER_MPIXEL = 4.0  # a guess, ten times what seven WebP encodes of one million pixels took
MAX_FILE = 2**30
SMALLEST = 16  # pixels of the shorter side: smaller pictures are not halved
UNDECODABLE = 65  # exit code of the child, EX_DATAERR of sysexits.h
UNFITTING = 73  # EX_CANTCREAT
# The package is imported by its own folder: the folder above may hold anything, and the child must
# not read it.
_BOOT = """import json, os, sys
os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MALLOC_ARENA_MAX="2")
words = json.loads(sys.argv[1])
sys.path[:] = words.pop("path")
from importlib.util import module_from_spec, spec_from_file_location
folder = words.pop("package")
init, folders = folder + "/__init__.py", [folder]
spec = spec_from_file_location("mediaprep", init, submodule_search_locations=folders)
sys.modules["mediaprep"] = package = module_from_spec(spec)
spec.loader.exec_module(package)
from mediaprep.tools.still_converter import main
sys.exit(main(words))"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StillResult:
    """The converted still.

    quality   of JPEG and WebP; None: lossless
    divided   the power of two by which each side was divided
    encodes   that the search for the quality took at that size
    ssim      of luma against the oriented source, 0 to 1, on a copy of at most a million pixels
    """

    format: str
    width: int
    height: int
    quality: int | None
    divided: int
    encodes: int
    ssim: float


def command(job: StillJob, source_fd: int, target_fd: int, *, pixels: int) -> Command:
    """Return the command of the child; ``pixels`` of the source set its memory and deadline."""
    words = {
        "job": asdict(job),
        "source": source_fd,
        "target": target_fd,
        "path": [str(Path(path).absolute()) for path in sys.path if path],
        "package": str(Path(__file__).resolve().parents[1]),
    }
    return Command(
        argv=(sandbox.interpreter(), "-I", "-S", "-B", "-c", _BOOT, json.dumps(words)),
        what="convert the picture",
        seconds=BASE_SECONDS + SECONDS_PER_MPIXEL * pixels / 1e6,
        pass_fds=(source_fd, target_fd),
        reads=tuple(sandbox.python_folders(["PIL", "numpy", "pi_heif"])),
        memory_bytes=MEMORY_BYTES + BYTES_PER_PIXEL * pixels,
        file_bytes=MAX_FILE,
        capture=True,
    )


def parse_answer(answer: bytes) -> StillResult:
    """Parse the child's output. Raises: ValueError for an answer that it never writes."""
    try:
        match json.loads(answer):
            case {
                "format": str(name),
                "width": int(width),
                "height": int(height),
                "quality": None | int() as quality,
                "divided": int(divided),
                "encodes": int(encodes),
                "ssim": float(ssim),
            } if 0 <= ssim <= 1:
                return StillResult(
                    format=name,
                    width=width,
                    height=height,
                    quality=quality,
                    divided=divided,
                    encodes=encodes,
                    ssim=ssim,
                )
    except RecursionError:
        pass
    raise ValueError("the answer of the converting child process is invalid")


def main(words: dict[str, Any]) -> int:
    """In the child: convert; write one line of JSON to stdout, or the reason to stderr."""
    os.chdir("/")  # Pillow asks for the working directory, and the one of children is deleted
    job = StillJob(**{**words["job"], "targets": tuple(words["job"]["targets"])})
    try:
        converted = convert(_Descriptor(words["source"]), job)
    except pillow.PictureUndecodable as problem:
        sys.stderr.write(f"the picture cannot be decoded: {problem}\n")
        return UNDECODABLE
    except MemoryError:
        sys.stderr.write(
            "the picture takes more memory than allowed: a size in it is malformed, or it is too "
            "large\n"
        )
        return UNDECODABLE
    if converted is None:
        sys.stderr.write(f"the picture exceeds {job.limit} bytes at every size\n")
        return UNFITTING
    data, result = converted
    with open(words["target"], "wb", closefd=False) as out:
        out.write(data)
    sys.stdout.write(json.dumps(asdict(result)) + "\n")
    return 0


def convert(source: Readable, job: StillJob) -> tuple[bytes, StillResult] | None:
    """Return the file to write and its facts; None if no size is within the limit.

    Raises: pillow.PictureUndecodable.
    """
    metadata: dict[str, Any] = {}
    halvings = 0
    while True:
        picture, divided = colour_conversion.decoded(source, job, halvings, metadata)
        if halvings and min(picture.size) < SMALLEST:
            return None
        found = still_encoder.encode(picture, job, metadata, full_size=divided == 1)
        if found is not None:
            ssim = similarity(picture, found.data, found.format, job.background)
            width, height = picture.size
            return found.data, StillResult(
                format=found.format,
                width=width,
                height=height,
                quality=found.quality,
                divided=divided,
                encodes=found.encodes,
                ssim=ssim,
            )
        halvings = divided.bit_length()


class _Descriptor:
    """An inherited descriptor, readable like a ``Source``."""

    def __init__(self, number: int) -> None:
        self._number = number
        self.size_bytes = os.fstat(number).st_size

    def read_at(self, offset: int, n: int) -> bytes:
        """Return up to ``n`` bytes from ``offset``."""
        return os.pread(self._number, max(0, min(n, self.size_bytes - offset)), offset)
