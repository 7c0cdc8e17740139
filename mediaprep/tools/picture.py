"""Converting one still in a confined child: decode, turn upright, 8 bits, sRGB, flatten where the target has no alpha, fit a byte limit.

The parent makes the command (``command``) and reads the answer (``PictureResult``); the child runs ``main`` with two open descriptors and nothing
else. Sizes and qualities: encoding.md, section 5.
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
from mediaprep.tools import _code, _develop, pillow
from mediaprep.tools.picture_job import PictureJob

MEMORY_BYTES = 5 * 2**28  # libraries and interpreter; the rest grows with the picture
BYTES_PER_PIXEL = 48  # decoded, turned, converted, measured: up to eight copies of 4 bytes, and what sorting takes
BASE_SECONDS = 60.0
SECONDS_PER_MPIXEL = 4.0  # a guess, ten times what seven WebP encodes of one million pixels took
MAX_FILE = 2**30
SMALLEST = 16  # pixels: a picture is not halved below
# The package is named by its own folder: the one above may hold anything, and the child may not look into it.
_BOOT = """import json, os, sys
os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MALLOC_ARENA_MAX="2")
words = json.loads(sys.argv[1])
sys.path[:] = words.pop("path")
from importlib.util import module_from_spec, spec_from_file_location
folder = words.pop("package")
spec = spec_from_file_location("mediaprep", folder + "/__init__.py", submodule_search_locations=[folder])
sys.modules["mediaprep"] = package = module_from_spec(spec)
spec.loader.exec_module(package)
from mediaprep.tools.picture import main
sys.exit(main(words))"""
UNDECODABLE = 65  # exit codes, as in sysexits.h: EX_DATAERR
UNFITTING = 73  # EX_CANTCREAT


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureResult:
    """What came of it: ``quality`` None where nothing was lost to coding; ``divided``: each side by this power of
    two; ``encodes`` that the search took at that size;
    ``ssim`` of luma against the upright source, 0 to 1, on a copy of at most a million pixels."""

    format: str
    width: int
    height: int
    quality: int | None
    divided: int
    encodes: int
    ssim: float


def command(job: PictureJob, source_fd: int, target_fd: int, *, pixels: int) -> Command:
    """The child that does it. ``pixels`` of the source set its memory and deadline."""
    words = {
        "job": asdict(job),
        "source": source_fd,
        "target": target_fd,
        "path": [os.path.abspath(path) for path in sys.path if path],  # noqa: PTH100 (the child stands elsewhere)
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


def made(answer: bytes) -> PictureResult:
    """The child's answer. Raises: ValueError for what no honest child says."""
    try:
        match json.loads(answer):
            case {
                "format": str(form), "width": int(width), "height": int(height), "quality": None | int() as quality,
                "divided": int(divided), "encodes": int(encodes), "ssim": float(ssim),
            } if 0 <= ssim <= 1:  # fmt: skip
                return PictureResult(
                    format=form,
                    width=width,
                    height=height,
                    quality=quality,
                    divided=divided,
                    encodes=encodes,
                    ssim=ssim,
                )
    except RecursionError:
        pass
    raise ValueError("the converting child's answer makes no sense")


# -- in the child --------------------------------------------------------------------------------------------------------------------


def main(words: dict[str, Any]) -> int:
    """Do the job; the answer goes to stdout as one line of JSON, one line of complaint to stderr."""
    os.chdir("/")  # Pillow asks where it is; the folder that children start in is deleted
    job = PictureJob(**{**words["job"], "targets": tuple(words["job"]["targets"])})
    try:
        data, result = converted(_Descriptor(words["source"]), job)
    except pillow.PictureUndecodable as problem:
        sys.stderr.write(f"the picture cannot be decoded: {problem}\n")
        return UNDECODABLE
    except MemoryError:
        sys.stderr.write(
            "the picture takes more memory than it is given: a size in it is malformed, or it is too large\n"
        )
        return UNDECODABLE
    if data is None or result is None:
        sys.stderr.write(f"the picture does not come under {job.limit} bytes at any size\n")
        return UNFITTING
    with open(words["target"], "wb", closefd=False) as out:
        out.write(data)
    sys.stdout.write(json.dumps(asdict(result)) + "\n")
    return 0


class _Descriptor:
    """An inherited descriptor as ``RawFile`` wants it."""

    def __init__(self, number: int) -> None:
        self._number = number
        self.size_bytes = os.fstat(number).st_size

    def read_at(self, offset: int, n: int) -> bytes:
        """As ``files.Source.read_at``."""
        return os.pread(self._number, max(0, min(n, self.size_bytes - offset)), offset)


def converted(source: Readable, job: PictureJob) -> tuple[bytes | None, PictureResult | None]:
    """The bytes to write and what they are; (None, None): nothing fits. Raises: pillow.Undecodable."""
    carried: dict[str, Any] = {}
    halvings = 0
    while True:
        picture, divided = _develop.developed(source, job, halvings, carried)
        if halvings and min(picture.size) < SMALLEST:
            return None, None
        found = _code.coded(picture, job, carried, exact=divided == 1)
        if found is not None:
            data, form, quality, encodes = found
            ssim = _code.similarity(picture, data, form, job.background)
            wide, high = picture.size
            return data, PictureResult(
                format=form,
                width=wide,
                height=high,
                quality=quality,
                divided=divided,
                encodes=encodes,
                ssim=ssim,
            )
        halvings = divided.bit_length()
