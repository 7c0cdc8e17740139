"""Regression cases: files that once gave a wrong result. Each docstring says what was wrong.

Files that a recipe can make are in ``fixtures/recipes/hostile.py``, bombs in ``bombs.py``, private
metadata in ``canaries.py``.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

import fixtures
from tests.hostile.seeds import seed


def _avif_without_reader() -> bytes:
    """A damaged AVIF: Pillow's message contained an object's address, so two reports differed."""
    data = bytearray(seed("plain.avif").data)
    data[0:4] = struct.pack(">I", 0x1C + 8)
    return bytes(data)


def _mp4_with_false_sizes() -> bytes:
    """``moov`` within ``trak`` within ``moov``, each as large as the file."""
    data = seed("_small.mp4").data
    size = struct.pack(">I", len(data))
    return data[:32] + size + b"moov" + size + b"trak" + size + b"moov" + data[32:]


def _gif_of_comments() -> bytes:
    """A GIF without a picture: it passed, and fixing it took 22 s."""
    return b"GIF89a\x40\0\x40\0\0\0\0" + b"\x21\xfe\x04word\0" * 1000 + b"\x3b"


def _jpeg_of_fill() -> bytes:
    """A JPEG of fill bytes: read byte by byte in the caller's process."""
    return b"\xff\xd8" + b"\xff" * 100_000


def _webp_without_padding() -> bytes:
    """A WebP without the padding byte that its size includes: it counted as complete."""
    data = seed("comment.webp").data
    return data[:-1]


def _mp4_cut_between_fragments() -> bytes:
    """Two of four fragments, whose number is not declared: it counted as complete."""
    data = seed("_small_frag.mp4").data
    first = data.index(b"moof") - 4
    second = data.index(b"moof", first + 8) - 4
    return data[:second]


def _flv_of_nested_objects() -> bytes:
    """Nested metadata objects overflow MediaInfo's stack (SIGSEGV); the next file is fine."""
    data = seed("_small.flv").data
    script = b"\2\0\x0aonMetaData" + b"\3\0\1a" * 15_000
    return (
        data[:13]
        + b"\x12"
        + len(script).to_bytes(3, "big")
        + bytes(7)
        + script
        + struct.pack(">I", len(script) + 11)
        + data[13:]
    )


def _flv_with_a_long_unit() -> bytes:
    """A NAL unit longer than its packet: it was copied into an MP4 with decoding errors."""
    data = bytearray(seed("_small.flv").data)
    at = 13
    while not (
        data[at] == 9 and data[at + 11] & 0x0F == 7 and data[at + 12] == 1 and at > len(data) // 2
    ):
        at += 15 + int.from_bytes(data[at + 1 : at + 4], "big")
    data[at + 16] = 1  # of the length, after tag, AVC packet type and composition time
    return bytes(data)


def _flv_cut_between_tags() -> bytes:
    """The first half of the tags: it counted as complete."""
    data = seed("_small.flv").data
    at = 13
    while at < len(data) // 2:
        at += 15 + int.from_bytes(data[at + 1 : at + 4], "big")
    return data[:at]


def _mp4_without_decodable_pictures() -> bytes:
    """All slices are damaged: the output had sound only, which caused an AttributeError."""
    data = bytearray(seed("_small_444.mp4").data)
    start = data.index(b"mdat") + 4
    for at in range(start, len(data), 3):
        data[at] ^= 0x5A
    return bytes(data)


def _captions_of_tags() -> bytes:
    """Captions with thousands of closing tags that do not match the opening ones."""
    return b"1\n00:00:01,000 --> 00:00:02,000\n" + b"<i>" * 20_000 + b"</b>" * 20_000 + b"\n"


CASES: Mapping[str, tuple[str, Callable[[], bytes], frozenset[str]]] = {
    # description: (file name, how to make it, correct verdicts)
    "a damaged AVIF": ("a.avif", _avif_without_reader, frozenset({"unreadable", "fail"})),
    "nested boxes with false sizes": (
        "a.mp4",
        _mp4_with_false_sizes,
        frozenset({"unreadable", "fail", "undecided"}),
    ),
    "a GIF of comments": ("a.gif", _gif_of_comments, frozenset({"unreadable", "fail"})),
    "a JPEG of fill bytes": ("a.jpg", _jpeg_of_fill, frozenset({"unreadable"})),
    "a WebP without its padding": ("a.webp", _webp_without_padding, frozenset({"fail"})),
    "one line feed": (
        "a.mp4",
        lambda: b"\n",
        frozenset({"unreadable"}),
    ),  # raised IndexError in the caller
    "an FLV of nested objects": (
        "a.flv",
        _flv_of_nested_objects,
        frozenset({"unreadable", "fail"}),
    ),
    "an FLV with a NAL unit longer than its packet": (
        "a.flv",
        _flv_with_a_long_unit,
        frozenset({"fail"}),
    ),
    "an FLV cut between tags": ("a.flv", _flv_cut_between_tags, frozenset({"fail"})),
    "an MP4 without decodable pictures": (
        "a.mp4",
        _mp4_without_decodable_pictures,
        frozenset({"fail", "unreadable", "undecided"}),
    ),
    "an MP4 with zeroed bytes": (
        "a.mp4",
        lambda: fixtures.make("zeroed_middle.mp4").read_bytes(),
        frozenset({"fail"}),
    ),  # was fixed
    "captions of tags": ("a.srt", _captions_of_tags, frozenset({"pass", "fail"})),
}
UNKNOWN_COMPLETENESS = _mp4_cut_between_fragments
