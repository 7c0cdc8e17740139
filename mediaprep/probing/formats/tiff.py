"""Read the directories of a TIFF file (TIFF 6.0, BigTIFF)."""

from __future__ import annotations

import re

from mediaprep.errors import SourceUnreadable
from mediaprep.model.media import PrivateItem
from mediaprep.probing.formats.exif import Tiff, is_camera_raw
from mediaprep.probing.formats.refused import CAMERA_RAW, EXPECTED
from mediaprep.probing.formats.walkers import Completeness
from mediaprep.probing.formats.window import Window
from mediaprep.probing.identify.sniffed import Sniffed, recognised
from mediaprep.runtime.source import Readable

_WIDTH, _HEIGHT = 0x100, 0x101
_BLOCK = 4096


def identify(source: Readable, head: bytes) -> Sniffed | None:
    """Return None for the raw formats of cameras that resemble TIFF.

    Raises: SourceUnreadable for a DNG, or without a directory.
    """
    if re.match(CAMERA_RAW, head, re.DOTALL):
        return None
    tiff = _directories(source)
    if not tiff.first and not tiff.tags:
        raise SourceUnreadable(
            "a TIFF without its first directory: copy it again", rule="file-complete"
        )
    if is_camera_raw(tiff):
        raise SourceUnreadable(f"a camera raw picture (DNG); {EXPECTED}: export it as JPEG")
    return recognised("tiff", width=tiff.first.get(_WIDTH), height=tiff.first.get(_HEIGHT))


def completeness(source: Readable) -> Completeness:
    """Check that directories, their values and the first picture's data lie within the file."""
    missing = _directories(source).end - source.size_bytes
    if missing > 0:
        return False, f"its data end {missing} bytes after the end of the file"
    return True, None


def private_items(source: Readable) -> list[PrivateItem]:
    """Return the private facts of all directories."""
    return _directories(source).items


def _directories(source: Readable) -> Tiff:
    return Tiff(Window(source, _BLOCK), "TIFF")
