"""The effect of edit lists."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest

from mediaprep.probing.formats import isobmff, isoedits
from mediaprep.probing.formats.isotrack import Edit, IsoTrack
from mediaprep.runtime.source import open_source
from tests.corpus import real_files


@pytest.mark.parametrize(
    ("name", "effect"),
    [
        ("base.mp4", "plain"),
        ("elst.mp4", "trims"),
        ("vdelay.mp4", "delays"),
        ("no_elst.mp4", "none"),
        ("ctts_start.mp4", "none"),
        ("r2997.mp4", "plain"),
        ("openflag_nob.mp4", "plain"),
        ("trimmed_140.mp4", "trims"),
    ],
)
def test_the_effect_of_edit_lists_in_fixtures(make, name, effect):
    """Truth: the recipes, which cut, delay, or do neither."""
    with open_source(make(name)) as source:
        found = isobmff.walk(source)
    assert (
        isoedits.edit_effect(
            next(item for item in found.tracks if item.handler == "vide"), found.timescale
        )
        == effect
    )


@pytest.mark.parametrize(
    "file", [file for file in real_files() if "elst" in file.notes], ids=lambda file: file.name
)
def test_edit_lists_equal_those_of_the_corpus_table(file):
    """Truth: the corpus's notes: ``elst vide [(duration, media time), ...]``."""
    expected = [
        (
            handler,
            [
                tuple(int(number) for number in pair.split(","))
                for pair in re.findall(r"\(([-\d, ]+)\)", edits)
            ],
        )
        for handler, edits in re.findall(r"elst (\w+) (\[[^]]*\])", file.notes)
    ]
    with open_source(file.path) as source:
        tracks = [item for item in isobmff.walk(source).tracks if item.edits]
    found = [
        (item.handler, [(edit.duration, edit.media_time) for edit in item.edits]) for item in tracks
    ]
    # the table omits edits that begin at 0 and cut nothing
    assert [item for item in found if item in expected] == expected


def _edited(*edits, handler="vide", first=1024, frame=512, duration=30720, second=15360):
    listed = tuple(
        Edit(duration=length, media_time=at, rate=Fraction(rate)) for length, at, rate in edits
    )
    return isoedits.edit_effect(
        IsoTrack(
            id=1,
            index=0,
            handler=handler,
            timescale=second,
            duration=duration,
            edits=listed,
            frame_ticks=frame,
            first_composition_offset=first,
        ),
        1000,
    )


@pytest.mark.parametrize(
    ("edits", "effect"),
    [
        ((), "none"),
        (((2000, 1024, 1),), "plain"),  # skips the reordering delay
        (((2000, 0, 1),), "plain"),
        (((0, 1024, 1),), "plain"),  # fragmented: to the end
        (((1999, 1024, 1),), "plain"),  # rounding of the movie's clock
        (((2000, 1536, 1),), "trims"),  # one frame into the picture
        (((1700, 1024, 1),), "trims"),  # stops early
        (((1500, -1, 1), (2000, 1024, 1)), "delays"),
        (((1500, -1, 1), (1000, 1024, 1)), "trims-and-delays"),
        (((10, -1, 1), (2000, 1024, 1)), "plain"),  # less than half a frame
        (((1000, 1024, 1), (1000, 16384, 1)), "plain"),  # two that join
        (((1000, 1024, 1), (500, 24064, 1)), "trims"),  # a cut in the middle
        (((2000, 1024, 2),), "trims"),  # double speed
        (((1000, 1024, 0), (2000, 1024, 1)), "delays"),  # a still frame
        (((2000, -1, 1),), "trims-and-delays"),  # nothing is shown
    ],
)
def test_effect_of_an_edit_list(edits, effect):
    assert _edited(*edits) == effect


@pytest.mark.parametrize(
    ("media_time", "effect"),
    [(0, "plain"), (1024, "plain"), (2112, "plain"), (2048, "plain"), (4800, "trims")],
)
def test_sound_may_skip_its_priming(media_time, effect):
    assert (
        _edited(
            (2000, media_time, 1),
            handler="soun",
            first=0,
            frame=1024,
            duration=96000 + media_time,
            second=48000,
        )
        == effect
    )


def test_edits_of_a_fragmented_file_are_compared_with_its_first_run(make):
    """A fragmented file has no sample tables."""
    with open_source(make("frag_dash.mp4")) as source:
        found = isobmff.walk(source)
    picture, sound = found.tracks
    assert (picture.first_composition_offset, picture.frame_ticks, picture.sample_count) == (
        1024,
        512,
        100,
    )  # 25 fps, reordered by two frames
    assert [isoedits.edit_effect(track, found.timescale) for track in (picture, sound)] == [
        "plain",
        "plain",
    ]
