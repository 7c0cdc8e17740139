"""The records of file formats: everything about a format follows from its record and its walker."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mediaprep
from docs.format_page import formats_page
from mediaprep.model import containers
from mediaprep.model.containers import FORMATS, NO_METADATA, FileFormat
from mediaprep.probing.formats import walkers
from mediaprep.transcoding.image import strip_metadata

FUNCTIONS = (
    *("identify", "detect", "completeness", "private_items", "animation"),
    *("coded_picture", "encrypted_tracks"),
)

RECORD = """FileFormat(
        name="parcel",
        magic=(b"PARCEL",),
        identify="parcel:identify",
        demuxer="parcel",
        whitelist="parcel,parcel_pipe",
        completeness="parcel:completeness",
        private_items="parcel:private_items",
        media_type="video/x-parcel",
        suffix=".prc",
    ),
    """

WALKER = '''
"""Read a made-up container: its magic number, its size, the name of its owner."""

from mediaprep.model.media import PrivateItem
from mediaprep.probing.identify.sniffed import recognised


def identify(source, head):
    return recognised("parcel", frames=head[6])


def completeness(source):
    missing = source.read_at(6, 1)[0] - source.size_bytes
    return (False, f"{missing} bytes are missing") if missing > 0 else (True, None)


def private_items(source):
    return [PrivateItem(kind="owner", where="label")] if source.read_at(7, 1) else []
'''

CHECK = """
from mediaprep.model import containers
from mediaprep.model.media import Container, PrivateItem, Video
from mediaprep.pipeline.upload_record import suffix, upload
from mediaprep.probing.formats.window import InMemoryFile
from mediaprep.probing.identify.complete import completeness
from mediaprep.probing.identify.private import private_items
from mediaprep.probing.identify.sniff import sniff
import mediaprep.rules.video.container
from mediaprep.rules.registry import REGISTRY

whole, cut = InMemoryFile(b"PARCEL\\x08A"), InMemoryFile(b"PARCEL\\x08")
found = sniff(whole)
assert (found.kind_hint, found.format, found.demuxer) == ("video", "parcel", "parcel")
assert (found.format_whitelist, found.frames) == ("parcel,parcel_pipe", 8)
assert completeness(whole, found) == (True, None)
assert completeness(cut, found) == (False, "1 bytes are missing")
assert private_items(whole, found) == (PrivateItem(kind="owner", where="label"),)
assert private_items(cut, found) == ()
video = Video(size_bytes=8, container=Container(format="parcel"))
record = upload("a.prc", video, "video")
assert (record.media_type, record.total_bytes, suffix(video)) == ("video/x-parcel", 8, ".prc")
assert "parcel" in containers.names("video")
assert "parcel" in REGISTRY["video-container"].limit.names
"""


def test_a_format_is_one_record_and_its_walker(tmp_path: Path) -> None:
    """With both in a copy of the package, every other module knows the format."""
    package = Path(mediaprep.__file__).parent
    copy = tmp_path / "mediaprep"
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__"))
    records = copy / "model" / "containers.py"
    text = records.read_text(encoding="utf-8")
    assert text.count("FORMATS = (") == 1
    records.write_text(text.replace("FORMATS = (", f"FORMATS = (\n    {RECORD}"), encoding="utf-8")
    (copy / "probing" / "formats" / "parcel.py").write_text(WALKER, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", CHECK], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("record", FORMATS, ids=lambda record: record.name)
def test_every_named_function_exists(record: FileFormat) -> None:
    references = {getattr(record, field) for field in FUNCTIONS} - {"", NO_METADATA}
    assert all(callable(walkers.function(reference)) for reference in references)


@pytest.mark.parametrize("record", FORMATS, ids=lambda record: record.name)
def test_every_format_is_recognised_somehow(record: FileFormat) -> None:
    """A magic number that several formats share does not suffice."""
    shared = any(set(record.magic) & set(other.magic) for other in FORMATS if other is not record)
    assert record.magic or record.detect
    assert not shared or record.identify


def test_names_are_unique() -> None:
    names = [record.name for record in FORMATS]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("record", FORMATS, ids=lambda record: record.name)
def test_an_animation_has_a_walker_that_returns_its_frames(record: FileFormat) -> None:
    assert bool(record.animation) == ("animation" in record.kinds)


def test_formats_whose_metadata_is_removed_without_decoding_are_those_with_a_digest() -> None:
    """The digest of the coded picture proves that removing metadata left the picture alone."""
    strippable = {record.name for record in FORMATS if record.coded_picture}
    assert strippable == set(strip_metadata.FORMATS)


def test_an_unknown_format_has_no_capability() -> None:
    for name in (None, "", "raw", "no-such-format"):
        assert containers.of(name) == containers.UNKNOWN
    assert not any(containers.UNKNOWN[2:5])


def test_the_page_of_formats_is_current() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "formats.md"
    assert page.read_text(encoding="utf-8") == formats_page(), "run: python docs/generate.py"
