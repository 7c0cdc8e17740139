"""Permanent cases: what the harness found once, by recipe. Each names what was wrong; ``test_cases.py`` holds that it stays right.

What a fixture's recipe can make stands in ``fixtures/recipes/hostile.py``, bombs in ``bombs.py``, private metadata in ``canaries.py``.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

import fixtures
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


def _flv_of_nested_objects() -> bytes:
    """MediaInfo's stack runs out in the objects of objects of its metadata (SIGSEGV): charged to the file, the next is fine."""
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


def _flv_of_a_longer_unit() -> bytes:
    """One NAL unit that claims more than its packet: it was copied into an MP4 that no decoder takes without an error."""
    data = bytearray(seed("_small.flv").data)
    at = 13
    while not (
        data[at] == 9 and data[at + 11] & 0x0F == 7 and data[at + 12] == 1 and at > len(data) // 2
    ):
        at += 15 + int.from_bytes(data[at + 1 : at + 4], "big")
    data[at + 16] = 1  # of the length, after tag, AVC packet type and composition time
    return bytes(data)


def _flv_cut_between_tags() -> bytes:
    """The first half of the tags: it was called whole."""
    data = seed("_small.flv").data
    at = 13
    while at < len(data) // 2:
        at += 15 + int.from_bytes(data[at + 1 : at + 4], "big")
    return data[:at]


def _mp4_without_decodable_pictures() -> bytes:
    """Every picture's slices damaged: what was made of it held sound alone, which ended in an AttributeError."""
    data = bytearray(seed("_small_444.mp4").data)
    start = data.index(b"mdat") + 4
    for at in range(start, len(data), 3):
        data[at] ^= 0x5A
    return bytes(data)


def _wrong_way_round() -> bytes:
    """Captions whose closing tags have no opening ones, many thousand deep."""
    return b"1\n00:00:01,000 --> 00:00:02,000\n" + b"<i>" * 20_000 + b"</b>" * 20_000 + b"\n"


CASES: Mapping[str, tuple[str, Callable[[], bytes], frozenset[str]]] = {
    # name: (what it is called, how it is made, the verdicts that are right)
    "an AVIF without a reader": ("a.avif", _avif_without_reader, frozenset({"unreadable", "fail"})),
    "boxes within each other": (
        "a.mp4",
        _mp4_of_nested_lies,
        frozenset({"unreadable", "fail", "undecided"}),
    ),
    "a GIF of comments": ("a.gif", _gif_of_comments, frozenset({"unreadable", "fail"})),
    "a JPEG of fill bytes": ("a.jpg", _jpeg_of_fill, frozenset({"unreadable"})),
    "a WebP without its padding": ("a.webp", _webp_without_padding, frozenset({"fail"})),
    "one line feed": (
        "a.mp4",
        lambda: b"\n",
        frozenset({"unreadable"}),
    ),  # IndexError in the caller
    "an FLV of objects in objects": (
        "a.flv",
        _flv_of_nested_objects,
        frozenset({"unreadable", "fail"}),
    ),
    "an FLV of a longer unit": ("a.flv", _flv_of_a_longer_unit, frozenset({"fail"})),
    "an FLV cut between tags": ("a.flv", _flv_cut_between_tags, frozenset({"fail"})),
    "an MP4 without pictures": (
        "a.mp4",
        _mp4_without_decodable_pictures,
        frozenset({"fail", "unreadable", "undecided"}),
    ),
    "an MP4 with a hole": (
        "a.mp4",
        lambda: fixtures.make("zeroed_middle.mp4").read_bytes(),
        frozenset({"fail"}),
    ),  # it was repaired
    "captions of tags": ("a.srt", _wrong_way_round, frozenset({"pass", "fail"})),
}
UNTELLABLE = _mp4_cut_between_fragments
