"""A source as a file object."""

import io
import os

from mediaprep.runtime.source_file import SourceFile
from tests.tools.sources import BytesSource


def test_it_reads_like_bytesio():
    data = bytes(range(200))
    ours, theirs = SourceFile(BytesSource(data)), io.BytesIO(data)
    for step in (
        lambda f: f.read(7), lambda f: f.seek(-5, os.SEEK_END), lambda f: f.read(10), lambda f: f.seek(20),
        lambda f: f.seek(3, os.SEEK_CUR),
                lambda f: f.tell(), lambda f: f.read(), lambda f: f.seek(500), lambda f: f.read(4),
    ):  # fmt: skip
        assert step(ours) == step(theirs)
