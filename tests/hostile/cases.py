"""Permanent cases: what the harness found once, by recipe. Each names what was wrong; ``test_cases.py`` holds that it stays right.

What a fixture's recipe can make stands in ``fixtures/rows/hostile.py``, bombs in ``bombs.py``, private metadata in ``canaries.py``.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

from tests.hostile.seeds import seed


def _avif_without_reader() -> bytes:
    """A damaged AVIF: Pillow's message named an object and its address, so that two looks differed."""
    data = bytearray(seed("plain.avif").data)
    data[0:4] = struct.pack(">I", 0x1C + 8)
    return bytes(data)


def _mp4_of_nested_lies() -> bytes:
    """``moov`` within a ``trak`` within ``moov``, each of the size of the file."""
    data = seed("_small.mp4").data
    size = struct.pack(">I", len(data))
    return data[:32] + size + b"moov" + size + b"trak" + size + b"moov" + data[32:]


def _gif_of_comments() -> bytes:
    """A GIF without a picture: it passed, and took 22 s to repair."""
    return b"GIF89a\x40\0\x40\0\0\0\0" + b"\x21\xfe\x04word\0" * 1000 + b"\x3b"


def _jpeg_of_fill() -> bytes:
    """A JPEG of fill bytes: walked byte by byte in the caller's process."""
    return b"\xff\xd8" + b"\xff" * 100_000


def _webp_without_padding() -> bytes:
    """A WebP that lacks the padding byte of its last chunk, which its size counts: it was called whole."""
    data = seed("comment.webp").data
    return data[:-1]


def _mp4_cut_between_fragments() -> bytes:
    """Two fragments of four, nothing that says how many there were: it was called whole."""
    data = seed("_small_frag.mp4").data
    first = data.index(b"moof") - 4
    second = data.index(b"moof", first + 8) - 4
    return data[:second]


def _wrong_way_round() -> bytes:
    """Captions whose closing tags have no opening ones, many thousand deep."""
    return b"1\n00:00:01,000 --> 00:00:02,000\n" + b"<i>" * 20_000 + b"</b>" * 20_000 + b"\n"


CASES: Mapping[str, tuple[str, Callable[[], bytes], frozenset[str]]] = {
    # name: (what it is called, how it is made, the verdicts that are right)
    "an AVIF without a reader": ("a.avif", _avif_without_reader, frozenset({"unreadable", "fail"})),
    "boxes within each other": ("a.mp4", _mp4_of_nested_lies, frozenset({"unreadable", "fail", "undecided"})),
    "a GIF of comments": ("a.gif", _gif_of_comments, frozenset({"unreadable", "fail"})),
    "a JPEG of fill bytes": ("a.jpg", _jpeg_of_fill, frozenset({"unreadable"})),
    "a WebP without its padding": ("a.webp", _webp_without_padding, frozenset({"fail"})),
    "captions of tags": ("a.srt", _wrong_way_round, frozenset({"pass", "fail"})),
}
UNTELLABLE = _mp4_cut_between_fragments
