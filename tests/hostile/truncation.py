"""Whole files cut at many points: none may be called whole. The tenth promise."""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mediaprep.errors import SourceUnreadable
from mediaprep.probing.identify.complete import completeness
from mediaprep.probing.identify.sniff import sniff
from mediaprep.runtime.source import open_source
from tests.hostile.figures import Figure
from tests.hostile.oracles import checked, prepared
from tests.hostile.seeds import Seed, seeds

# No mark of their end: a cut between two packets, frames or cues leaves a well-formed file. docs/security.md says so.
ENDLESS = {
    "_small.ts": "packets",
    "_small.mpg": "packs",
    "_small.h264": "NAL units",
    "_small_frag.mp4": "fragments",
    "_small.mxf": "the last partition and the random index, which is optional",
    "good.srt": "cues",
    "utf16.srt": "cues",
    "good.vtt": "cues",
    "good.ass": "cues",
    "tika__test_subrip.srt": "cues",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One seed cut to so many bytes, and what was said of it: a verdict of ``file-complete``."""

    seed: Seed
    size: int
    word: str

    @property
    def label(self) -> str:
        return f"{self.seed.name} cut to {self.size} of {len(self.seed.data)} bytes: {self.word}"


# What begins a unit of its format: a page, element, box, chunk, packet, extension, start code, list, header.
_UNITS = re.compile(
    rb"OggS|\x1f\x43\xb6\x75|\x1c\x53\xbb\x6b|\x12\x54\xc3\x67|(?=....(?:mo[ov][vf]|mdat|mfra|free|sidx))|idx1|LIST|"
    rb"IEND|fdAT|fcTL|ANMF|\x06\x0e\x2b\x34|\x21[\xf9\xfe\xff]|\xff\xda|\xff\xd9|\x00\x00\x01|\x90\x08\x00\x33\xb1\xe5",
    re.DOTALL,
)


def _sizes(seed: Seed, points: int) -> list[int]:
    """As many cuts over the whole length, as many between two units, and those just before the end, where a missing tail is smallest."""
    whole, units = len(seed.data), {hit.start() for hit in _UNITS.finditer(seed.data)}
    at = 13
    while seed.suffix == ".flv" and at < whole:  # a tag, then the size of it
        at += 15 + int.from_bytes(seed.data[at + 1 : at + 4], "big")
        units.add(at)
    last = {whole - n for n in (1, 2, 3, 4, 8, 12)}
    between = sorted(units)[:: max(1, len(units) // points)]
    return sorted(
        size
        for size in {*(whole * step // points for step in range(1, points)), *between, *last}
        if 0 < size < whole
    )


def word_of(path: Path) -> str:
    """What the structure says: whole, cut, cannot tell, unreadable."""
    with open_source(path) as source:
        try:
            return {True: "whole", False: "cut", None: "cannot tell"}[
                completeness(source, sniff(source))[0]
            ]
        except SourceUnreadable:
            return "unreadable"


def grid(work: Path, points: int, names: Sequence[str] = ()) -> list[Figure]:
    """Every seed cut at so many points, judged by its structure; a sample of the cells goes through ``check`` and ``fix`` too."""
    cells, broken = [], []
    for seed in seeds():
        for size in _sizes(seed, points) if not names or seed.name in names else ():
            path = work / f"cut{seed.suffix}"
            path.write_bytes(seed.data[:size])
            cells.append(Cell(seed, size, word_of(path)))
    broken += [cell.label for cell in cells if cell.word == "whole"]
    broken += [
        cell.label for cell in cells if cell.word == "cannot tell" and cell.seed.name not in ENDLESS
    ]
    tails = sum(cell.word == "cannot tell" for cell in cells)
    seen = cells[:: max(1, len(cells) // 100)]
    with ThreadPoolExecutor(2) as pool:
        for told in pool.map(lambda cell: _through(work, cell), seen):
            broken += told
    found = f"{len(broken)} of {len(cells)} cuts called whole; {tails} cannot be told ({len(ENDLESS)} seeds without an end mark)"
    return [
        Figure(
            tolerance=10, found=f"{found}; {len(seen)} through check and fix", broken=tuple(broken)
        )
    ]


def _through(work: Path, cell: Cell) -> list[str]:
    """The same cut file through the public calls: neither passes it, neither makes anything of it."""
    if cell.word == "cannot tell":
        return []
    place = work / f"{cell.seed.name}.{cell.size}"
    place.mkdir()
    path = place / f"cut{cell.seed.suffix}"
    path.write_bytes(cell.seed.data[: cell.size])
    verdict, status = checked(path).word, prepared(path, place).word
    bad = verdict not in ("fail", "unreadable") or status not in ("refused", "unreadable")
    return [f"{cell.label}; check says {verdict}, fix {status}"] if bad else []
