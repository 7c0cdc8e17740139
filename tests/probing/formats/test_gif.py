"""The GIF walker."""

from __future__ import annotations

import struct
from collections import Counter
from fractions import Fraction

import pytest

from mediaprep.probing.formats import gif
from mediaprep.probing.formats.window import InMemoryFile
from mediaprep.runtime.source import open_source
from tests.probing.mutants import Counted

GIFS = (
    *(
        "anim.gif",
        "f350.gif",
        "f351.gif",
        "zero_delay.gif",
        "delays012.gif",
        "once.gif",
        "loop3.gif",
        "patches.gif",
        "trailing.gif",
        "one.gif",
    ),
    *("still.gif", "g1280x1080.gif", "comment.gif"),
)


def _plays(words):
    """Translate gifsicle's "forever", "count 3" (repeats after the first play) or nothing."""
    return 0 if words == "forever" else 1 + int(words.split()[-1]) if words else 1


@pytest.mark.parametrize("name", GIFS)
def test_the_facts_equal_those_of_gifsicle(make, name):
    """Truth: ``gifsicle --info``: frames, screen, delays, loop count, disposals."""
    import fixtures

    expected_facts = fixtures.truth(name).reference["gifsicle"]
    with open_source(make(name)) as source:
        found = gif.walk(source)
    assert f"{found.width}x{found.height}" == expected_facts["screen"]
    assert found.frame_count == expected_facts["images"] == len(found.delays_raw)
    stated = Counter(dict.fromkeys((delay for delay, _ in expected_facts["delays"]), 0))
    for delay, count in expected_facts["delays"]:
        stated[delay] += count
    none_stated = Counter({0: found.frame_count})  # without an extension gifsicle lists no delay
    assert Counter(found.delays_raw) == (stated or none_stated)
    assert found.loop == _plays(expected_facts["loop"])
    names = {"asis": "keep", "background": "background", "previous": "previous"}
    assert set(found.disposals) - {"none"} == {names[item] for item in expected_facts["disposals"]}


def test_a_real_file(corpus):
    """Truth: gifsicle --info: 380 images, loop forever, 58.55 s, disposal asis."""
    with open_source(corpus / "image-gif__gifplayer-muybridge.gif") as source:
        found = gif.walk(source)
    assert (found.frame_count, found.width, found.height, found.loop) == (380, 472, 298, 0)
    assert (sum(found.delays), found.delays_raw[:4], found.disposals) == (
        Fraction("58.55"),
        (36, 4, 4, 4),
        ("keep",),
    )
    assert (found.complete, found.trailing_bytes) == (True, 0)


def _gif(*blocks, screen=(4, 4), flags=0):
    return b"GIF89a" + struct.pack("<HHBBB", *screen, flags, 0, 0) + b"".join(blocks)


def _frame(left=0, top=0, width=4, height=4, flags=0, data=b"\2\1\0\0"):
    return b"\x2c" + struct.pack("<HHHHB", left, top, width, height, flags) + data


def _control(delay=0, disposal=0, transparent=False):
    return b"\x21\xf9\4" + struct.pack("<BHB", disposal << 2 | transparent, delay, 0) + b"\0"


def _looping(count):
    return b"\x21\xff\x0bNETSCAPE2.0\3\1" + struct.pack("<H", count) + b"\0"


@pytest.mark.parametrize(("count", "plays"), [(None, 1), (0, 0), (1, 2), (3, 4), (65535, 65536)])
def test_the_loop_extension_counts_repeats(count, plays):
    blocks = (_looping(count),) if count is not None else ()
    assert gif.walk(InMemoryFile(_gif(*blocks, _frame(), b";"))).loop == plays


def test_delays_are_those_of_browsers():
    found = gif.walk(
        InMemoryFile(
            _gif(*(part for delay in (0, 1, 2, 10) for part in (_control(delay), _frame())), b";")
        )
    )
    assert found.delays_raw == (0, 1, 2, 10)
    assert found.delays == (Fraction(1, 10), Fraction(1, 10), Fraction(1, 50), Fraction(1, 10))


def test_a_control_extension_applies_to_the_next_frame_only():
    found = gif.walk(InMemoryFile(_gif(_control(7, 2, True), _frame(), _frame(), b";")))
    assert found.delays_raw == (7, 0)
    assert found.disposals == ("background", "none")
    assert found.transparency


@pytest.mark.parametrize(
    ("blocks", "transparent"),
    [
        ((_frame(),), False),
        ((_frame(width=3),), True),
        ((_frame(), _frame(width=1)), False),
        ((_control(0, 0, True), _frame()), True),
    ],
)
def test_transparency(blocks, transparent):
    """A frame names a transparent colour, or the first does not cover the screen."""
    assert gif.walk(InMemoryFile(_gif(*blocks, b";"))).transparency is transparent


def test_frame_marks_inside_data_are_not_frames():
    data = b"\2" + bytes([200]) + b"\x2c\x3b\x21\xf9" * 50 + b"\0"
    found = gif.walk(InMemoryFile(_gif(_frame(data=data), b"\0\0\0", _frame(flags=0x40), b";")))
    assert (found.frame_count, found.complete) == (2, True)


def test_colour_tables_are_skipped():
    data = _gif(b"\x2c" * 24, _frame(flags=0x81, data=b";" * 12 + b"\2\1\0\0"), b";", flags=0x82)
    assert gif.walk(InMemoryFile(data)).frame_count == 1


@pytest.mark.parametrize(
    ("end", "why"),
    [
        (b"", "no trailer"),
        (_frame()[:-1], "last frame is cut"),
        (_frame()[:5], "last frame is cut"),
        (b"\x21\xff\x0bNET", "extension is cut"),
        (b"\x99", "0x99"),
    ],
)
def test_a_gif_that_is_cut_short(end, why):
    found = gif.walk(InMemoryFile(_gif(_frame(), end)))
    assert (found.frame_count, found.complete) == (1, False)
    assert why in str(found.incomplete_because)


def test_trailing_bytes():
    found = gif.walk(InMemoryFile(_gif(_frame(), b";", b"junk")))
    assert (found.complete, found.trailing_bytes) == (True, 4)


def test_the_walk_stops_at_the_limit_of_frames():
    found = gif.walk(InMemoryFile(_gif(*[_frame()] * 50, b";")), max_frames=2)
    assert (found.frame_count, found.capped, found.complete) == (2, True, None)


def test_a_gif_is_read_once_and_blocks_may_span_reads():
    frame = _frame(width=4, data=b"\2" + (b"\xff" + bytes(255)) * 5000 + b"\0")
    data = _gif(*[frame] * 3, b";")
    counted = Counted(data)
    assert gif.walk(counted).frame_count == 3
    assert counted.bytes_read < 1.5 * len(data)


def test_zero_padding_takes_few_reads():
    counted = Counted(_gif(_frame(), bytes(5 * 2**20)))
    assert gif.walk(counted).complete is False
    assert counted.reads < 20


def test_a_gif_without_a_picture_is_incomplete():
    data = b"GIF89a\1\0\1\0\0\0\0" + b"\x21\xfe\1x\0" * 3 + b"\x3b"
    assert (
        gif.walk(InMemoryFile(data)).complete,
        gif.walk(InMemoryFile(data)).incomplete_because,
    ) == (
        False,
        "no picture in it",
    )
