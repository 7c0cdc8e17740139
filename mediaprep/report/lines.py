"""Lines of text for a terminal or a file: every word is escaped when it is written, so that no name or tag can move the cursor, and colour
comes after that. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from mediaprep.runtime.paths import display_name

_SGR = {"": "", "bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


@dataclass(frozen=True, slots=True)
class StyledText:
    """A piece of a line, and how it is drawn: bold, dim, red, green, yellow, cyan, or "" for plain."""

    text: str
    style: str = ""


Line: TypeAlias = tuple[StyledText, ...]


def line(*pieces: str | StyledText) -> Line:
    """A line of plain and drawn pieces."""
    return tuple(piece if isinstance(piece, StyledText) else StyledText(piece) for piece in pieces)


def written(lines: Iterable[Line], *, colour: bool = False) -> str:
    """The lines as one text that ends in a line feed, trailing blanks removed; "" for none."""
    return "".join(_written(item, colour).rstrip() + "\n" for item in lines)


def _written(spans: Line, colour: bool) -> str:
    return "".join(
        f"\x1b[{_SGR[span.style]}m{display_name(span.text)}\x1b[0m"
        if colour and span.style and span.text
        else display_name(span.text)
        for span in spans
    )


def columns(
    rows: Sequence[Sequence[str | StyledText]], *, indent: str = "", gap: str = "  "
) -> tuple[Line, ...]:
    """Rows with their cells aligned to the left."""
    cells = [
        [cell if isinstance(cell, StyledText) else StyledText(cell) for cell in row] for row in rows
    ]
    count = max((len(row) for row in cells), default=0)
    widths = [
        max((len(display_name(row[i].text)) for row in cells if i < len(row)), default=0)
        for i in range(count)
    ]
    made: list[Line] = []
    for row in cells:
        spans = [StyledText(indent)]
        for i, cell in enumerate(row):
            pad = "" if i == len(row) - 1 else " " * (widths[i] - len(display_name(cell.text)))
            spans += [cell, StyledText(pad + (gap if i < len(row) - 1 else ""))]
        made.append(tuple(spans))
    return tuple(made)
