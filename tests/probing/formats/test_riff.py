"""The RIFF walker: sizes of AVI files."""

from __future__ import annotations

from mediaprep.probing.formats import riff
from mediaprep.probing.formats.window import InMemoryFile
from tests.probing.formats.riffwriter import riff_file


def test_the_sizes_of_an_avi(make):
    data = make("base.avi").read_bytes()
    assert riff.completeness(InMemoryFile(data)) == (True, None)
    assert riff.completeness(InMemoryFile(data[:-10]))[0] is False
    assert (
        riff.completeness(InMemoryFile(data + riff_file((b"idx1", b""), form=b"AVIX")))[0] is True
    )
    assert (
        riff.completeness(InMemoryFile(data + riff_file((b"idx1", bytes(50)), form=b"AVIX")[:-20]))[
            0
        ]
        is False
    )
    assert riff.completeness(InMemoryFile(data + bytes(5000)))[0] is True
    assert riff.completeness(InMemoryFile(riff_file(form=b"AVI ", size=0)))[0] is None
