"""Damaged files: walkers return facts or raise a typed error, after a bounded number of reads."""

from __future__ import annotations

import contextlib

import pytest

from mediaprep.errors import SourceUnreadable
from mediaprep.probing.formats import gif, isobmff, isoedits, mpegts
from mediaprep.probing.identify.complete import completeness
from mediaprep.probing.identify.private import private_items
from mediaprep.probing.identify.sniff import sniff
from tests.probing.mutants import Counted, mutant

SEEDS = (
    *(
        "base.mp4",
        "loc_mdta.mov",
        "loc.mp4",
        "chapters.mp4",
        "frag_dash.mp4",
        "cenc.mp4",
        "dv5.mp4",
        "loc.mkv",
        "vp9.webm",
        "base.ts",
        "base.avi",
    ),
    *(
        "base.flv",
        "wmv.wmv",
        "theora.ogv",
        "anim.gif",
        "anim.apng",
        "comment.png",
        "mpo.jpg",
        "comment.jpg",
        "comment.webp",
        "anim.webp",
    ),
    *(
        "plain.avif",
        "anim.avif",
        "plain.tiff",
        "plain.bmp",
        "plain.ico",
        "plain.jp2",
        "good.srt",
        "utf16.srt",
        "mpeg2_nob.mpg",
        "raw.h264",
        "tone.mp3",
    ),
)


def walk_all(source):
    """Call everything that these modules offer for a file."""
    found = sniff(source)
    complete, reason = completeness(source, found)
    assert (complete is False) <= bool(reason)
    private_items(source, found)
    if found.format in ("mp4", "mov", "3gp", "heif", "avif"):
        facts = isobmff.walk(source)
        for track in facts.tracks:
            assert isoedits.edit_effect(track, facts.timescale) in (
                "none",
                "plain",
                "trims",
                "delays",
                "trims-and-delays",
            )
    elif found.format == "mpegts":
        mpegts.streams(source)
    elif found.format == "gif":
        facts_of_gif = gif.walk(source)
        assert len(facts_of_gif.delays) == facts_of_gif.frame_count


def check_mutants(seed, name, numbers):
    for number in numbers:
        source = Counted(mutant(seed, name, number))
        try:
            walk_all(source)
        except SourceUnreadable:
            pass
        except Exception as problem:
            raise AssertionError(f"{name} {number}: {problem!r}") from problem
        assert source.reads < 2000, f"{name} {number}"
        assert source.bytes_read < 100 * max(source.size_bytes, 2**16), f"{name} {number}"


@pytest.mark.parametrize("name", SEEDS)
def test_mutants_are_read_or_refused(make, name):
    check_mutants(make(name).read_bytes(), name, range(30))


@pytest.mark.long
@pytest.mark.parametrize("name", SEEDS)
def test_many_mutants_are_read_or_refused(make, name):
    check_mutants(make(name).read_bytes(), name, range(30, 1000))


@pytest.mark.parametrize("name", SEEDS)
def test_every_prefix_is_read_or_refused(make, name):
    """Each of the first 400 lengths, so that every header is cut at every byte."""
    data = make(name).read_bytes()
    for length in range(1, min(400, len(data))):
        with contextlib.suppress(SourceUnreadable):
            walk_all(Counted(data[:length]))
