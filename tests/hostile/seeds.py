"""The files that are damaged: small ones of each format and each kind of fix."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import fixtures
from tests.corpus import FOLDER
from tests.hostile.mutators import mutant

FIXTURES = (
    *(
        "_small.mp4",
        "_small.mov",
        "_small_plain.mp4",
        "_small_frag.mp4",
        "_small_444.mp4",
        "_small_bframes.mp4",
        "_small_hevc.mp4",
        "_small.mkv",
        "_small.webm",
    ),
    *(
        "_small.ts",
        "_small.avi",
        "_small.flv",
        "_small.wmv",
        "_small.ogv",
        "_small.mpg",
        "_small.h264",
        "_small.gif",
        "f351.gif",
    ),
    *("_small.ivf", "_small.mxf"),
    *(
        "anim.apng",
        "anim.webp",
        "anim.avif",
        "plain.png",
        "comment.png",
        "alpha.png",
        "orientation6.jpg",
        "comment.jpg",
        "mpo.jpg",
    ),
    *(
        "progressive.jpg",
        "comment.webp",
        "alpha.webp",
        "still.gif",
        "plain.avif",
        "plain.tiff",
        "plain.bmp",
        "plain.ico",
        "plain.jp2",
    ),
    *("good.srt", "utf16.srt", "good.vtt", "good.ass"),
)
CORPUS_FILES = (
    "tika__IMG_1034.heic",
    "pillow__ultrahdr.jpg",
    "image__anim.webp",
    "media__sample_rotate_and_reflect.mp4",
    "tika__test_subrip.srt",
)
MAX_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Seed:
    """A file to damage; ``name`` is that of the fixture or of the file in the corpus."""

    name: str
    data: bytes

    @property
    def suffix(self) -> str:
        return Path(self.name).suffix

    def mutant(self, number: int) -> bytes:
        """Return the damaged copy with this number; 0 is the seed itself."""
        others = seeds()
        splice = others[number % len(others)].data
        return mutant(self.data, self.name, number, splice=splice) if number else self.data


@functools.cache
def seeds() -> tuple[Seed, ...]:
    """Return all seeds; those of the corpus only where it exists."""
    fixture_seeds = [Seed(name, fixtures.make(name).read_bytes()) for name in FIXTURES]
    real = [
        FOLDER / name
        for name in CORPUS_FILES
        if (FOLDER / name).is_file() and (FOLDER / name).stat().st_size <= MAX_BYTES
    ]
    return (*fixture_seeds, *(Seed(path.name, path.read_bytes()) for path in real))


def seed(name: str) -> Seed:
    """The one of that name. Raises: StopIteration."""
    return next(item for item in seeds() if item.name == name)
