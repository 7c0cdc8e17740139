from __future__ import annotations

import errno
import gzip
import hashlib
import io
import os
import socket
import stat
import tempfile
import threading
import time
from pathlib import Path

import pytest

from mediaprep.errors import DeadlineExceeded, EnvironmentProblem, SourceUnreadable, UsageProblem
from mediaprep.runtime import atomic as workfiles
from mediaprep.runtime import source as files
from mediaprep.runtime.context import Context


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(bytes(range(256)) * 8)
    return path


# -- opening -----------------------------------------------------------------------------------------------------------------------


def test_source_reads_where_asked_and_no_further(clip):
    with files.open_source(clip) as source:
        assert source.size_bytes == 2048
        assert source.read_at(250, 10) == bytes(range(250, 256)) + bytes(range(4))
        assert source.read_at(2040, 100) == bytes(range(248, 256))
        assert source.read_at(5000, 4) == b""
        assert source.read_at(-1, 4) == b""
        assert source.sha256() == hashlib.sha256(clip.read_bytes()).hexdigest()
        assert bytes(source.map()[:3]) == b"\0\1\2"


def test_close_gives_every_descriptor_back(clip):
    before = len(os.listdir("/proc/self/fd"))
    with files.open_source(clip) as source:
        source.map()
        os.close(source.reopen())
    source.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_descriptors_are_not_inherited(clip):
    with files.open_source(clip) as source:
        again = source.reopen()
        assert not os.get_inheritable(source.fd)
        assert not os.get_inheritable(again)
        os.close(again)


def test_reopen_has_an_offset_of_its_own(clip):
    with files.open_source(clip) as source:
        again = source.reopen()
        os.lseek(again, 100, os.SEEK_SET)
        assert os.lseek(source.fd, 0, os.SEEK_CUR) == 0
        os.close(again)


def test_reopen_is_the_same_file_after_the_name_was_taken_over(clip):
    with files.open_source(clip) as source:
        clip.rename(clip.with_name("moved"))
        clip.write_bytes(b"another")
        again = source.reopen()
        assert os.fstat(again).st_ino == source.identity[1]
        os.close(again)
        assert not source.unchanged()


def test_unchanged_sees_growth_and_rewriting(clip):
    with files.open_source(clip) as source:
        assert source.unchanged()
        with clip.open("ab") as more:
            more.write(b"x")
        assert not source.unchanged()
    with files.open_source(clip) as source:
        os.utime(clip, ns=(1, 1))
        assert not source.unchanged()


def test_sha256_calls_check_and_lets_it_raise(clip):
    class Stop(Exception):
        pass

    def check():
        raise Stop

    with files.open_source(clip) as source, pytest.raises(Stop):
        source.sha256(check)


def test_sha256_refuses_a_file_that_shrank(clip):
    with files.open_source(clip) as source:
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
        "circle",
        "too large",
    ],
)
def test_what_is_no_plain_file_is_refused_in_one_line(tmp_path, how):
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
        case "circle":
            path.symlink_to(path)
        case "too large":
            path.write_bytes(bytes(101))
    with pytest.raises(SourceUnreadable) as caught:
        files.open_source(path, max_bytes=most)
    assert "\n" not in caught.value.reason
    assert str(tmp_path) not in caught.value.reason


def test_a_file_without_permission_is_refused(clip):
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    clip.chmod(0)
    with pytest.raises(SourceUnreadable, match="permission"):
        files.open_source(clip)


def test_a_symlink_is_followed_only_where_allowed(clip, tmp_path):
    link = tmp_path / "link.mp4"
    link.symlink_to(clip)
    with files.open_source(link) as source:
        assert source.identity == (clip.stat().st_dev, clip.stat().st_ino)
        assert source.name.endswith("link.mp4")
    with pytest.raises(SourceUnreadable, match="symbolic link"):
        files.open_source(link, follow=False)
    with files.open_source(clip, follow=False):
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
def test_any_name_opens_and_is_shown_in_one_safe_line(tmp_path, name):
    path = os.fsencode(tmp_path) + b"/" + name
    with open(path, "wb") as made:
        made.write(b"x")
    with files.open_source(path) as source:
        assert source.name.isascii() or all(char.isprintable() for char in source.name)
        assert "\n" not in source.name
        assert "\u202e" not in source.name
        assert os.fsencode(source.path) == path
        source.name.encode("utf-8")


def test_display_name_keeps_what_people_read():
    assert (
        files.display_name("Bildschirmfoto 2024-01-01 um 10.00\u202fUhr ü.png")
        == "Bildschirmfoto 2024-01-01 um 10.00\u202fUhr ü.png"
    )
    assert files.display_name(b"caf\xe9\n") == "caf\\xe9\\n"


# -- streams -----------------------------------------------------------------------------------------------------------------------


def test_a_plain_file_object_is_held_by_a_descriptor_of_our_own(clip):
    with clip.open("rb") as file:
        file.read(100)
        with files.open_source(file) as source:
            assert source.identity[1] == clip.stat().st_ino
            assert source.read_at(0, 3) == b"\0\1\2"
        assert file.tell() == 100
        assert not file.closed


def test_streams_without_a_name_work():
    with files.open_source(io.BytesIO(b"GIF89a" * 10)) as source:
        assert (source.path, source.name, source.size_bytes) == ("", "stream", 60)
        assert source.unchanged()
        assert source.folder is None
        again = source.reopen()
        assert os.pread(again, 6, 0) == b"GIF89a"
        os.close(again)
    with tempfile.TemporaryFile() as file:
        file.write(b"hello")
        with files.open_source(file) as source:
            assert source.read_at(0, 5) == b"hello"


def test_a_stream_is_read_from_its_start(tmp_path):
    stream = io.BytesIO(b"0123456789")
    stream.read(5)
    with files.open_source(stream) as source:
        assert source.read_at(0, 10) == b"0123456789"


def test_a_decompressing_stream_gives_its_content_not_the_file_below(tmp_path):
    packed = tmp_path / "x.gz"
    packed.write_bytes(gzip.compress(b"content"))
    with gzip.open(packed) as stream, files.open_source(stream) as source:
        assert source.read_at(0, 20) == b"content"


def test_a_pipe_is_read_to_its_end():
    reading, writing = os.pipe()
    os.write(writing, b"through a pipe")
    os.close(writing)
    with open(reading, "rb") as stream, files.open_source(stream) as source:
        assert source.read_at(0, 100) == b"through a pipe"


def test_an_endless_stream_is_stopped_at_the_limit():
    class Endless(io.RawIOBase):
        def readable(self):
            return True

        def read(self, n=-1):
            return bytes(n)

    with pytest.raises(SourceUnreadable, match="more than"):
        files.open_source(Endless(), max_bytes=10_000_000)


# -- targets -----------------------------------------------------------------------------------------------------------------------


def test_the_input_is_refused_as_target_by_every_road(clip, tmp_path):
    (tmp_path / "sub").mkdir()
    hard, soft = tmp_path / "hard.mp4", tmp_path / "soft.mp4"
    os.link(clip, hard)
    soft.symlink_to(clip)
    roads = (
        clip,
        hard,
        soft,
        tmp_path / "sub" / ".." / "clip.mp4",
        tmp_path / "CLIP.MP4",
        tmp_path / "cliP.mp4",
    )
    with files.open_source(clip) as source:
        for road in roads:
            with pytest.raises(UsageProblem, match="input itself"):
                files.refuse_target(source, road, True)


def test_composed_and_decomposed_names_are_one(tmp_path):
    (tmp_path / "e\u0301.mp4").write_bytes(b"x")
    with files.open_source(tmp_path / "e\u0301.mp4") as source, pytest.raises(UsageProblem):
        files.refuse_target(source, tmp_path / "\u00e9.mp4", False)


def test_an_existing_target_needs_force(clip, tmp_path):
    other = tmp_path / "other.mp4"
    with files.open_source(clip) as source:
        files.refuse_target(source, other, False)
        other.write_bytes(b"y")
        with pytest.raises(UsageProblem, match="--force"):
            files.refuse_target(source, other, False)
        files.refuse_target(source, other, True)


def test_a_target_that_is_no_file_or_has_no_folder_is_refused_even_with_force(clip, tmp_path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    with files.open_source(clip) as source:
        for target in (
            tmp_path / "folder",
            tmp_path / "fifo",
            tmp_path / "none" / "x.mp4",
            clip / "x.mp4",
        ):
            with pytest.raises(UsageProblem):
                files.refuse_target(source, target, True)


def test_same_file_sees_through_links(clip, tmp_path):
    hard = tmp_path / "hard"
    os.link(clip, hard)
    other = tmp_path / "other"
    other.write_bytes(clip.read_bytes())
    with files.open_source(clip) as source:
        assert files.same_file(source, hard)
        assert files.same_file(clip, hard)
        assert not files.same_file(source, other)
        assert not files.same_file(tmp_path / "absent", other)
        assert files.same_file(tmp_path / "absent", tmp_path / "x" / ".." / "absent")


# -- work files and publishing -------------------------------------------------------------------------------------------------------


def _made(folder: Path, content: bytes = b"made") -> Path:
    part, fd = workfiles.work_file(folder, ".mp4")
    os.write(fd, content)
    os.close(fd)
    return part


def test_a_work_file_is_hidden_new_and_ours(tmp_path):
    part = _made(tmp_path)
    assert part.parent == tmp_path
    assert part.name.startswith(".")
    assert part.name.endswith(".mp4.part")
    assert stat.S_IMODE(part.stat().st_mode) & 0o111 == 0
    workfiles.remove_part(part)
    workfiles.remove_part(part)
    assert not part.exists()


def test_only_work_files_are_removed(clip):
    with pytest.raises(ValueError, match="not a work file"):
        workfiles.remove_part(clip)
    assert clip.exists()


def test_publish_gives_the_name_and_leaves_nothing_else(tmp_path):
    final = tmp_path / "final.mp4"
    workfiles.publish(_made(tmp_path), final, force=False)
    assert final.read_bytes() == b"made"
    assert os.listdir(tmp_path) == ["final.mp4"]


def test_publish_never_overwrites(tmp_path):
    final = tmp_path / "final.mp4"
    final.write_bytes(b"precious")
    part = _made(tmp_path)
    with pytest.raises(UsageProblem, match="exists"):
        workfiles.publish(part, final, force=False)
    assert final.read_bytes() == b"precious"
    assert part.exists()


def test_publish_replaces_with_force(tmp_path):
    final = tmp_path / "final.mp4"
    final.write_bytes(b"old")
    workfiles.publish(_made(tmp_path), final, force=True)
    assert final.read_bytes() == b"made"
    assert os.listdir(tmp_path) == ["final.mp4"]


def test_publish_with_force_replaces_a_link_and_not_what_it_leads_to(tmp_path):
    (tmp_path / "precious").write_bytes(b"precious")
    final = tmp_path / "final.mp4"
    final.symlink_to(tmp_path / "precious")
    workfiles.publish(_made(tmp_path), final, force=True)
    assert (tmp_path / "precious").read_bytes() == b"precious"
    assert not final.is_symlink()


def test_of_many_publishers_of_one_name_one_wins(tmp_path):
    final, won = tmp_path / "final.mp4", []

    def run(number):
        part = _made(tmp_path, str(number).encode())
        try:
            workfiles.publish(part, final, force=False)
            won.append(number)
        except UsageProblem:
            workfiles.remove_part(part)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert final.read_bytes() == str(won[0]).encode()
    assert os.listdir(tmp_path) == ["final.mp4"]


@pytest.mark.parametrize("taken", [False, True])
@pytest.mark.parametrize("way", [workfiles._rename_without_replacing, workfiles._rename_over_own])
def test_the_ways_without_hard_links_do_not_overwrite_either(tmp_path, way, taken):
    part, final = _made(tmp_path), tmp_path / "final.mp4"
    if taken:
        final.write_bytes(b"precious")
        with pytest.raises(FileExistsError):
            way(part, final)
        assert final.read_bytes() == b"precious"
        assert part.exists()
    else:
        assert way(part, final) in (True, None)
        assert final.read_bytes() == b"made"
        assert not part.exists()


def test_what_the_file_system_refuses_is_a_problem_of_the_host(tmp_path):
    with (
        pytest.raises(EnvironmentProblem, match=r"writing failed \(no space left on device\)"),
        files.writing(tmp_path / "x.part"),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(SourceUnreadable), files.writing(tmp_path / "x.part"):
        raise SourceUnreadable("cut short")


@pytest.mark.parametrize(
    "name", ["a" * 300 + ".png", "a\0b.png", "\ud800.png", "b/" * 3000 + "x.png"]
)
@pytest.mark.parametrize("force", [False, True])
def test_a_target_that_no_file_can_have_is_refused_before_any_work(tmp_path, name, force):
    (tmp_path / "a.png").write_bytes(b"x")
    with (
        files.open_source(tmp_path / "a.png") as source,
        pytest.raises(UsageProblem, match="no file can have this name"),
    ):
        files.refuse_target(source, tmp_path / name, force)


@pytest.mark.parametrize("stem", ["a" * 251, "é" * 125, "\udcff" * 251, "a"])
def test_a_name_is_shortened_until_it_fits(stem):
    name = files.fitting(stem, ".twitter.mp4")
    assert len(os.fsencode(name)) <= 255
    assert name.endswith(".twitter.mp4")
    assert stem.startswith(name.removesuffix(".twitter.mp4"))


def test_a_stream_that_cannot_be_read_is_unreadable():
    class Gone(io.BytesIO):
        def read(self, size=-1):
            raise OSError(errno.EIO, "input/output error")

    with pytest.raises(SourceUnreadable, match="reading failed"):
        files.open_source(Gone())


def test_a_stream_without_an_end_is_left_at_the_deadline():
    class Endless(io.RawIOBase):
        def read(self, size=-1):
            return bytes(size)

    with pytest.raises(DeadlineExceeded):
        files.open_source(Endless(), check=Context(deadline=time.monotonic() + 0.05).check)
