"""The table of facts about the real files: ``truth.tsv`` beside them, one row a file.

An empty cell or ``-`` means none.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "corpus"


@dataclass(frozen=True, slots=True, kw_only=True)
class RealFile:
    """One row of the table.

    kind       video, audio, gif, image, subtitle
    breaks     *must* limits that it breaks
    maybe      *must* limits that it breaks if the specification is read strictly
    size       decoded size
    display    size as shown
    rotation   degrees clockwise; None if the cell is not a number (a mirrored picture)
    rate       frames per second, three decimals
    duration   seconds
    row        all columns
    """

    name: str
    path: Path
    kind: str
    sha256: str
    size_bytes: int
    container: str
    breaks: frozenset[str]
    maybe: frozenset[str]
    codec: str
    profile: str
    pixel_format: str
    size: tuple[int, int] | None
    display: tuple[int, int] | None
    rotation: int | None
    rate: Fraction | None
    duration: Fraction | None
    gop: str
    audio_codec: str
    audio_profile: str
    channels: int | None
    notes: str
    row: dict[str, str]


def _ids(cell: str) -> frozenset[str]:
    return frozenset(part.strip() for part in cell.split(",")) - {"", "-"}


def _size(cell: str) -> tuple[int, int] | None:
    width, _, height = cell.partition(" ")[0].partition("x")
    return (int(width), int(height)) if width.isdigit() and height.isdigit() else None


def _number(cell: str) -> Fraction | None:
    try:
        return Fraction(cell.split(" ")[0])
    except (ValueError, ZeroDivisionError):
        return None


def _count(cell: str) -> int | None:
    return int(cell) if cell.isdigit() else None


def _real_file(folder: Path, row: dict[str, str]) -> RealFile:
    return RealFile(
        name=row["name"],
        path=folder / row["name"],
        kind=row["kind"],
        sha256=row["sha256"],
        size_bytes=int(row["bytes"]),
        container=row["container"],
        breaks=_ids(row["rules_broken"]),
        maybe=_ids(row["rules_maybe"]),
        codec=row["vcodec"],
        profile=row["vprofile"],
        pixel_format=row["pix_fmt"],
        size=_size(row["coded_wh"]),
        display=_size(row["display_wh"]),
        rotation=_count(row["rotation"]),
        rate=_number(row["fps"]),
        duration=_number(row["duration"]),
        gop=row["gop"],
        audio_codec=row["acodec"],
        audio_profile=row["aprofile"],
        channels=_count(row["channels"]),
        notes=row["notes"],
        row=row,
    )


def real_files(folder: Path = FOLDER) -> tuple[RealFile, ...]:
    """Return all rows; () without a corpus, so that it can be used in ``parametrize``."""
    table = folder / "truth.tsv"
    if not table.is_file():
        return ()
    with table.open(newline="", encoding="utf-8") as lines:
        return tuple(
            _real_file(folder, {key: value or "" for key, value in row.items()})
            for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        )


def breaks_by_spec(file: RealFile) -> frozenset[str]:
    """Return the *must* limits that a file breaks, with ``maybe`` decided by the specification.

    10 bits break the pixel format, 3GP the container, animated WebP and APNG the animation type; a
    JPEG without end marker is incomplete. Portrait sizes within 720x1280 and 60.06 fps pass.
    """
    broken = set(file.breaks - {"unreadable"})
    if "video-pixel-format" in file.maybe:
        broken.add("video-pixel-format")
    if file.container == "3gp" and "video-container" in file.maybe:
        broken.add("video-container")
    if "image-type" in file.maybe and file.container in {"webp", "apng"}:
        broken.add("animation-type")
    if file.container == "jpeg" and "unreadable" in file.breaks | file.maybe:
        broken.add("file-complete")
    return frozenset(broken)
