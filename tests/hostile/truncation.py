"""Files truncated at many points must not count as complete: guarantee 10."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mediaprep.errors import SourceUnreadable
from mediaprep.probing.identify.complete import completeness
from mediaprep.probing.identify.sniff import sniff
from mediaprep.runtime.source import open_source
from tests.hostile.guarantees import Measurement
from tests.hostile.oracles import run_check, run_prepare
from tests.hostile.seeds import Seed, seeds

# Formats without an end mark: a cut between two of these units leaves a well-formed file.
# docs/security.md lists them.
NO_END_MARK = {
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
    """One seed truncated to ``size`` bytes, and what its structure shows."""

    seed: Seed
    size: int
    status: str

    @property
    def label(self) -> str:
        return f"{self.seed.name} cut to {self.size} of {len(self.seed.data)} bytes: {self.status}"


# Starts of units: page, element, box, chunk, packet, extension, start code, list, header.
_UNITS = re.compile(
    rb"OggS|\x1f\x43\xb6\x75|\x1c\x53\xbb\x6b|\x12\x54\xc3\x67|(?=....(?:mo[ov][vf]|mdat|mfra|free|sidx))|idx1|LIST|"
    rb"IEND|fdAT|fcTL|ANMF|\x06\x0e\x2b\x34|\x21[\xf9\xfe\xff]|\xff\xda|\xff\xd9|\x00\x00\x01|\x90\x08\x00\x33\xb1\xe5",
    re.DOTALL,
)


def _sizes(seed: Seed, points: int) -> list[int]:
    """Return cuts over the whole length, between units, and just before the end."""
    size, units = len(seed.data), {hit.start() for hit in _UNITS.finditer(seed.data)}
    at = 13
    while seed.suffix == ".flv" and at < size:  # a tag, then the size of it
        at += 15 + int.from_bytes(seed.data[at + 1 : at + 4], "big")
        units.add(at)
    last = {size - n for n in (1, 2, 3, 4, 8, 12)}
    between = sorted(units)[:: max(1, len(units) // points)]
    return sorted(
        cut
        for cut in {*(size * step // points for step in range(1, points)), *between, *last}
        if 0 < cut < size
    )


def structure_of(path: Path) -> str:
    """Return what the structure shows: complete, truncated, unknown or unreadable."""
    with open_source(path) as source:
        try:
            return {True: "complete", False: "truncated", None: "unknown"}[
                completeness(source, sniff(source))[0]
            ]
        except SourceUnreadable:
            return "unreadable"


def grid(work: Path, points: int) -> list[Measurement]:
    """Truncate every seed at many points; run check and fix on a sample of them."""
    cells, violations = [], []
    for seed in seeds():
        for size in _sizes(seed, points):
            path = work / f"cut{seed.suffix}"
            path.write_bytes(seed.data[:size])
            cells.append(Cell(seed, size, structure_of(path)))
    violations += [cell.label for cell in cells if cell.status == "complete"]
    violations += [
        cell.label
        for cell in cells
        if cell.status == "unknown" and cell.seed.name not in NO_END_MARK
    ]
    tails = sum(cell.status == "unknown" for cell in cells)
    sample = cells[:: max(1, len(cells) // 100)]
    with ThreadPoolExecutor(2) as pool:
        for lines in pool.map(lambda cell: _run_commands(work, cell), sample):
            violations += lines
    found = (
        f"{len(violations)} of {len(cells)} cuts count as complete; {tails} unknown "
        f"({len(NO_END_MARK)} seeds have no end mark)"
    )
    return [
        Measurement(
            guarantee=10,
            measured=f"{found}; {len(sample)} through check and fix",
            violations=tuple(violations),
        )
    ]


def _run_commands(work: Path, cell: Cell) -> list[str]:
    """Check and fix a truncated file: it must neither pass nor give an output."""
    if cell.status == "unknown":
        return []
    place = work / f"{cell.seed.name}.{cell.size}"
    place.mkdir()
    path = place / f"cut{cell.seed.suffix}"
    path.write_bytes(cell.seed.data[: cell.size])
    verdict, status = run_check(path).status, run_prepare(path, place).status
    bad = verdict not in ("fail", "unreadable") or status not in ("refused", "unreadable")
    return [f"{cell.label}; check: {verdict}, fix: {status}"] if bad else []
