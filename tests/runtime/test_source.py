"""A source is opened once, whatever it is named, and is never an output."""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import os
import socket
import tempfile
import time
from pathlib import Path

import pytest

from mediaprep.errors import DeadlineExceeded, SourceUnreadable, UsageProblem
from mediaprep.runtime.context import Context
from mediaprep.runtime.source import open_source, refuse_target


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(bytes(range(256)) * 8)
    return path


# -- opening --------------------------------------------------------------------------------------


def test_reads_stay_within_the_file(clip):
    with open_source(clip) as source:
        assert source.size_bytes == 2048
        assert source.read_at(250, 10) == bytes(range(250, 256)) + bytes(range(4))
        assert source.read_at(2040, 100) == bytes(range(248, 256))
        assert source.read_at(5000, 4) == b""
        assert source.read_at(-1, 4) == b""
        assert source.sha256() == hashlib.sha256(clip.read_bytes()).hexdigest()


def test_close_closes_every_descriptor(clip):
    before = len(os.listdir("/proc/self/fd"))
    with open_source(clip) as source:
        os.close(source.reopen())
    source.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_descriptors_are_not_inherited(clip):
    with open_source(clip) as source:
        again = source.reopen()
        assert not os.get_inheritable(source.fd)
        assert not os.get_inheritable(again)
        os.close(again)


def test_reopen_has_an_offset_of_its_own(clip):
    with open_source(clip) as source:
        again = source.reopen()
        os.lseek(again, 100, os.SEEK_SET)
        assert os.lseek(source.fd, 0, os.SEEK_CUR) == 0
        os.close(again)


def test_reopen_opens_the_same_file_after_the_name_was_reused(clip):
    with open_source(clip) as source:
        clip.rename(clip.with_name("moved"))
        clip.write_bytes(b"another")
        again = source.reopen()
        assert os.fstat(again).st_ino == source.identity[1]
        os.close(again)
        assert not source.unchanged()


def test_unchanged_detects_growth_and_rewriting(clip):
    with open_source(clip) as source:
        assert source.unchanged()
        with clip.open("ab") as more:
            more.write(b"x")
        assert not source.unchanged()
    with open_source(clip) as source:
        os.utime(clip, ns=(1, 1))
        assert not source.unchanged()


def test_sha256_calls_check_and_lets_it_raise(clip):
    class Stop(Exception):
        pass

    def check():
        raise Stop

    with open_source(clip) as source, pytest.raises(Stop):
        source.sha256(check)


def test_sha256_refuses_a_file_that_shrank(clip):
    with open_source(clip) as source:
        os.truncate(clip, 10)
        with pytest.raises(SourceUnreadable, match="shrank"):
            source.sha256()


@pytest.mark.parametrize(
    "how",
    [
        "missing",
        "folder",
        "empty",
        "nul",
        "fifo",
        "socket",
        "device",
        "below a file",
        "loop",
        "too large",
    ],
)
def test_anything_but_a_regular_file_is_refused_in_one_line(tmp_path, how):
    path, most = tmp_path / how, 100
    match how:
        case "folder":
            path.mkdir()
        case "empty":
            path.touch()
        case "nul":
            path = tmp_path / "a\0b"
        case "fifo":
            os.mkfifo(path)
        case "socket":
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(str(path))
        case "device":
            path = Path("/dev/null")
        case "below a file":
            (tmp_path / "file").write_bytes(b"x")
            path = tmp_path / "file" / "x.mp4"
        case "loop":
            path.symlink_to(path)
        case "too large":
            path.write_bytes(bytes(101))
    with pytest.raises(SourceUnreadable) as caught:
        open_source(path, max_bytes=most)
    assert "\n" not in caught.value.reason
    assert str(tmp_path) not in caught.value.reason


def test_a_file_without_permission_is_refused(clip):
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    clip.chmod(0)
    with pytest.raises(SourceUnreadable, match="permission"):
        open_source(clip)


def test_a_symlink_is_followed_only_where_allowed(clip, tmp_path):
    link = tmp_path / "link.mp4"
    link.symlink_to(clip)
    with open_source(link) as source:
        assert source.identity == (clip.stat().st_dev, clip.stat().st_ino)
        assert source.name.endswith("link.mp4")
    with pytest.raises(SourceUnreadable, match="symbolic link"):
        open_source(link, follow=False)
    with open_source(clip, follow=False):
        pass


@pytest.mark.parametrize(
    "name",
    [
        b"caf\xe9.mp4",
        b"a\nb.mp4",
        b"-out.mp4",
        b"http:x.mp4",
        b"concat:a|b.mp4",
        b"100%d.png",
        b"\xe2\x80\xaegpj.mp4",
        b" lead.mp4",
    ],
)
def test_any_name_can_be_opened_and_displayed_in_one_line(tmp_path, name):
    path = os.fsencode(tmp_path) + b"/" + name
    with open(path, "wb") as file:
        file.write(b"x")
    with open_source(path) as source:
        assert source.name.isascii() or all(char.isprintable() for char in source.name)
        assert "\n" not in source.name
        assert "\u202e" not in source.name
        assert os.fsencode(source.path) == path
        source.name.encode("utf-8")


# -- streams --------------------------------------------------------------------------------------


def test_a_plain_file_object_is_opened_by_its_descriptor(clip):
    with clip.open("rb") as file:
        file.read(100)
        with open_source(file) as source:
            assert source.identity[1] == clip.stat().st_ino
            assert source.read_at(0, 3) == b"\0\1\2"
        assert file.tell() == 100
        assert not file.closed


def test_streams_without_a_name_work():
    with open_source(io.BytesIO(b"GIF89a" * 10)) as source:
        assert (source.path, source.name, source.size_bytes) == ("", "stream", 60)
        assert source.unchanged()
        again = source.reopen()
        assert os.pread(again, 6, 0) == b"GIF89a"
        os.close(again)
    with tempfile.TemporaryFile() as file:
        file.write(b"hello")
        with open_source(file) as source:
            assert source.read_at(0, 5) == b"hello"


def test_a_stream_is_read_from_its_start(tmp_path):
    stream = io.BytesIO(b"0123456789")
    stream.read(5)
    with open_source(stream) as source:
        assert source.read_at(0, 10) == b"0123456789"


def test_a_decompressing_stream_yields_its_content_not_the_compressed_file(tmp_path):
    packed = tmp_path / "x.gz"
    packed.write_bytes(gzip.compress(b"content"))
    with gzip.open(packed) as stream, open_source(stream) as source:
        assert source.read_at(0, 20) == b"content"


def test_a_pipe_is_read_to_its_end():
    reading, writing = os.pipe()
    os.write(writing, b"through a pipe")
    os.close(writing)
    with open(reading, "rb") as stream, open_source(stream) as source:
        assert source.read_at(0, 100) == b"through a pipe"


def test_an_endless_stream_is_stopped_at_the_limit():
    class Endless(io.RawIOBase):
        def readable(self):
            return True

        def read(self, n=-1):
            return bytes(n)

    with pytest.raises(SourceUnreadable, match="more than"):
        open_source(Endless(), max_bytes=10_000_000)


# -- targets --------------------------------------------------------------------------------------


def test_the_input_is_refused_as_target_under_every_name(clip, tmp_path):
    (tmp_path / "sub").mkdir()
    hard, soft = tmp_path / "hard.mp4", tmp_path / "soft.mp4"
    os.link(clip, hard)
    soft.symlink_to(clip)
    names = (
        clip,
        hard,
        soft,
        tmp_path / "sub" / ".." / "clip.mp4",
        tmp_path / "CLIP.MP4",
        tmp_path / "cliP.mp4",
    )
    with open_source(clip) as source:
        for name in names:
            with pytest.raises(UsageProblem, match="is the input"):
                refuse_target(source, name, True)


def test_composed_and_decomposed_names_are_one(tmp_path):
    (tmp_path / "e\u0301.mp4").write_bytes(b"x")
    with open_source(tmp_path / "e\u0301.mp4") as source, pytest.raises(UsageProblem):
        refuse_target(source, tmp_path / "\u00e9.mp4", False)


def test_an_existing_target_needs_force(clip, tmp_path):
    other = tmp_path / "other.mp4"
    with open_source(clip) as source:
        refuse_target(source, other, False)
        other.write_bytes(b"y")
        with pytest.raises(UsageProblem, match="--force"):
            refuse_target(source, other, False)
        refuse_target(source, other, True)


def test_a_target_that_is_not_a_file_or_has_no_folder_is_refused_even_with_force(clip, tmp_path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    with open_source(clip) as source:
        for target in (
            tmp_path / "folder",
            tmp_path / "fifo",
            tmp_path / "none" / "x.mp4",
            clip / "x.mp4",
        ):
            with pytest.raises(UsageProblem):
                refuse_target(source, target, True)


def test_is_same_file_follows_links(clip, tmp_path):
    hard = tmp_path / "hard"
    os.link(clip, hard)
    other = tmp_path / "other"
    other.write_bytes(clip.read_bytes())
    with open_source(clip) as source:
        assert source.is_same_file(clip)
        assert source.is_same_file(hard)
        assert not source.is_same_file(other)
        assert not source.is_same_file(tmp_path / "absent")


@pytest.mark.parametrize(
    "name", ["a" * 300 + ".png", "a\0b.png", "\ud800.png", "b/" * 3000 + "x.png"]
)
@pytest.mark.parametrize("force", [False, True])
def test_an_invalid_target_name_is_refused(tmp_path, name, force):
    (tmp_path / "a.png").write_bytes(b"x")
    with (
        open_source(tmp_path / "a.png") as source,
        pytest.raises(UsageProblem, match="not a valid file name"),
    ):
        refuse_target(source, tmp_path / name, force)


def test_a_stream_that_cannot_be_read_is_unreadable():
    class Broken(io.BytesIO):
        def read(self, size=-1):
            raise OSError(errno.EIO, "input/output error")

    with pytest.raises(SourceUnreadable, match="reading failed"):
        open_source(Broken())


def test_reading_an_endless_stream_stops_at_the_deadline():
    class Endless(io.RawIOBase):
        def read(self, size=-1):
            return bytes(size)

    with pytest.raises(DeadlineExceeded):
        open_source(Endless(), check=Context(deadline=time.monotonic() + 0.05).check)
