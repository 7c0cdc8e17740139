"""Lines of styled text for a terminal or a file.

Every text is escaped when it is rendered, so that no name or tag can move the cursor; styles are
applied after that.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from mediaprep.runtime.paths import display_name

# ECMA-48, section 8.3.117: select graphic rendition.
_SGR = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


@dataclass(frozen=True, slots=True)
class StyledText:
    """A piece of a line. ``style``: bold, dim, red, green, yellow or cyan; "": plain."""

    text: str
    style: str = ""


Line: TypeAlias = tuple[StyledText, ...]


def line(*pieces: str | StyledText) -> Line:
    """Return a line of plain and styled pieces."""
    return tuple(piece if isinstance(piece, StyledText) else StyledText(piece) for piece in pieces)


def render(lines: Iterable[Line], *, colour: bool = False) -> str:
    """Return the lines as one text, each ended by a line feed, without trailing spaces."""
    texts = ("".join(_rendered(piece, colour) for piece in pieces) for pieces in lines)
    return "".join(f"{text.rstrip()}\n" for text in texts)


def _rendered(piece: StyledText, colour: bool) -> str:
    text = display_name(piece.text)
    if not (colour and piece.style and text):
        return text
    return f"\x1b[{_SGR[piece.style]}m{text}\x1b[0m"


def relative_path(path: str) -> str:
    """Return a path below the current folder relative to it; any other path as it is."""
    return path.removeprefix(os.path.join(os.getcwd(), ""))  # noqa: PTH109, PTH118


def columns(rows: Sequence[Sequence[str | StyledText]], *, indent: str = "") -> tuple[Line, ...]:
    """Return rows as lines with their cells aligned to the left, two spaces apart."""
    table = [line(*row) for row in rows]
    widths: dict[int, int] = {}
    for cells in table:
        for position, cell in enumerate(cells):
            width = len(display_name(cell.text))
            widths[position] = max(widths.get(position, 0), width)
    aligned: list[Line] = []
    for cells in table:
        pieces = [StyledText(indent)]
        for position, cell in enumerate(cells):
            padding = widths[position] - len(display_name(cell.text)) + 2
            last = position == len(cells) - 1
            pieces += [cell] if last else [cell, StyledText(" " * padding)]
        aligned.append(tuple(pieces))
    return tuple(aligned)
