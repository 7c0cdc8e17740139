"""Outputs appear complete or not at all, and never replace a file unless requested."""

from __future__ import annotations

import errno
import os
import stat
import threading
from pathlib import Path

import pytest

from mediaprep.errors import EnvironmentProblem, SourceUnreadable, UsageProblem
from mediaprep.runtime import atomic


def _write_work_file(folder: Path, content: bytes = b"content") -> Path:
    part, fd = atomic.create_work_file(folder, ".mp4")
    os.write(fd, content)
    os.close(fd)
    return part


def test_a_work_file_is_hidden_and_new(tmp_path):
    part = _write_work_file(tmp_path)
    assert part.parent == tmp_path
    assert part.name.startswith(".")
    assert part.name.endswith(".mp4.part")
    assert stat.S_IMODE(part.stat().st_mode) & 0o111 == 0
    atomic.remove_work_file(part)
    atomic.remove_work_file(part)
    assert not part.exists()


def test_only_work_files_are_removed(tmp_path):
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"x")
    with pytest.raises(ValueError, match="not a work file"):
        atomic.remove_work_file(clip)
    assert clip.exists()


def test_publish_leaves_the_final_name_only(tmp_path):
    final = tmp_path / "final.mp4"
    atomic.publish(_write_work_file(tmp_path), final, force=False)
    assert final.read_bytes() == b"content"
    assert os.listdir(tmp_path) == ["final.mp4"]


def test_publish_never_overwrites(tmp_path):
    final = tmp_path / "final.mp4"
    final.write_bytes(b"precious")
    part = _write_work_file(tmp_path)
    with pytest.raises(UsageProblem, match="exists"):
        atomic.publish(part, final, force=False)
    assert final.read_bytes() == b"precious"
    assert part.exists()


def test_publish_replaces_with_force(tmp_path):
    final = tmp_path / "final.mp4"
    final.write_bytes(b"old")
    atomic.publish(_write_work_file(tmp_path), final, force=True)
    assert final.read_bytes() == b"content"
    assert os.listdir(tmp_path) == ["final.mp4"]


def test_publish_with_force_replaces_a_link_and_not_its_target(tmp_path):
    (tmp_path / "precious").write_bytes(b"precious")
    final = tmp_path / "final.mp4"
    final.symlink_to(tmp_path / "precious")
    atomic.publish(_write_work_file(tmp_path), final, force=True)
    assert (tmp_path / "precious").read_bytes() == b"precious"
    assert not final.is_symlink()


def test_only_one_of_many_publishers_gets_the_name(tmp_path):
    final, won = tmp_path / "final.mp4", []

    def run(number):
        part = _write_work_file(tmp_path, str(number).encode())
        try:
            atomic.publish(part, final, force=False)
            won.append(number)
        except UsageProblem:
            atomic.remove_work_file(part)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert final.read_bytes() == str(won[0]).encode()
    assert os.listdir(tmp_path) == ["final.mp4"]


@pytest.mark.parametrize("taken", [False, True])
@pytest.mark.parametrize("rename", [atomic._renameat2, atomic._rename_over_placeholder])
def test_without_hard_links_nothing_is_overwritten_either(tmp_path, rename, taken):
    part, final = _write_work_file(tmp_path), tmp_path / "final.mp4"
    if taken:
        final.write_bytes(b"precious")
        with pytest.raises(FileExistsError):
            rename(part, final)
        assert final.read_bytes() == b"precious"
        assert part.exists()
    else:
        assert rename(part, final) in (True, None)
        assert final.read_bytes() == b"content"
        assert not part.exists()


def test_an_error_of_the_file_system_becomes_an_environment_problem(tmp_path):
    with (
        pytest.raises(EnvironmentProblem, match=r"writing failed \(no space left on device\)"),
        atomic.writing(tmp_path / "x.part"),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(SourceUnreadable), atomic.writing(tmp_path / "x.part"):
        raise SourceUnreadable("cut short")
