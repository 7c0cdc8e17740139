"""Sample descriptions."""

from __future__ import annotations

import struct

import pytest

from mediaprep.probing.formats import isobmff
from mediaprep.probing.formats.isoentry import DolbyVisionBox
from mediaprep.runtime.source import open_source
from tests.probing.formats.isowriter import (
    box,
    esds,
    full,
    movie,
    only_track,
    sound_entry,
    track,
    video_entry,
)


def test_children_of_a_picture_entry():
    """ISO/IEC 14496-12, 12.1; QuickTime File Format, sample description extensions."""
    found = only_track(
        movie(
            track(
                video_entry(
                    box(b"avcC", b"\1\x64\0\x1f"),
                    box(b"pasp", struct.pack(">II", 4, 3)),
                    box(b"clap", struct.pack(">IIIIiIiI", 300, 1, 200, 1, -5, 1, 0, 1)),
                    box(b"dvcC", b"\1\0", struct.pack(">HB", 5 << 9 | 6 << 3 | 5, 0x20)),
                )
            )
        )
    )
    assert (found.codec, found.pasp) == ("avc1", (4, 3))
    assert found.clap == (300, 1, 200, 1, -5, 1, 0, 1)
    assert found.dolby_vision == DolbyVisionBox(profile=5, level=6, compatibility=2)


def test_a_name_inside_a_configuration_is_not_a_box():
    """x265's settings text contains names of boxes: they are walked, not searched for."""
    inner = b"x265 pasp " + box(b"pasp", struct.pack(">II", 4, 3))
    found = only_track(movie(track(video_entry(box(b"hvcC", inner), kind=b"hvc1"))))
    assert found.pasp is None


@pytest.mark.parametrize("version", [0, 1, 2])
def test_esds_in_every_version_of_a_sound_entry(version):
    config = b"\x12\x10\x56\xe5\x00"
    plain = only_track(
        movie(track(sound_entry(esds(config=config), version=version), handler=b"soun"))
    )
    wrapped = only_track(
        movie(
            track(
                sound_entry(
                    box(b"wave", box(b"frma", b"mp4a"), esds(config=config)), version=version
                ),
                handler=b"soun",
            )
        )
    )
    for found in (plain, wrapped):
        assert found.asc == config


def test_version_1_of_iso_differs_from_quicktime():
    """Under a stsd of version 1, it has no further fields (ISO/IEC 14496-12, 12.2.3)."""
    plain = sound_entry(esds(), version=0)
    entry = plain[:16] + b"\0\1" + plain[18:]
    assert only_track(movie(track(entry, handler=b"soun", version=1))).asc == b"\x11\x90"


def test_encrypted_entries_state_their_original_codec():
    sinf = box(b"sinf", box(b"frma", b"avc1"), full(b"schm", b"cenc\0\1\0\0"))
    found = only_track(movie(track(video_entry(sinf, kind=b"encv"))))
    assert (found.encrypted, found.codec) == (True, "avc1")


def test_cenc_file(make):
    with open_source(make("cenc.mp4")) as source:
        assert all(item.encrypted for item in isobmff.walk(source).tracks)
