"""Which files below a folder are found."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from mediaprep.errors import UsageProblem
from mediaprep.jobs.ledger.discover import is_ignored, refuse_nested_output, walk


@pytest.mark.parametrize(
    "name", [".a", "a.part", "a.tmp", "a.crdownload", "a.filepart", "~a.mp4", "_UNPACK_a"]
)
def test_unfinished_names_are_ignored(name: str) -> None:
    assert is_ignored(name)
    assert not is_ignored("part.mp4")


def test_links_and_special_files_are_ignored(tmp_path: Path) -> None:
    (tmp_path / "real.mp4").write_bytes(b"x")
    (tmp_path / "link.mp4").symlink_to(tmp_path / "real.mp4")
    (tmp_path / "folder").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.mp4")
    assert [file.relative_path for file in walk(tmp_path, pytest.fail)] == ["real.mp4"]


def test_an_unreadable_folder_is_one_line_and_the_others_are_scanned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error is simulated, because root may read everything."""
    for name in ("a/1.mp4", "secret/2.mp4", "z/3.mp4", "4.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    real = os.scandir

    def scandir(path: Path) -> object:
        if Path(path).name == "secret":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    lines: list[str] = []
    assert {entry.relative_path for entry in walk(tmp_path, lines.append)} == {
        "a/1.mp4",
        "z/3.mp4",
        "4.mp4",
    }
    assert lines == [f"{tmp_path}/secret: cannot be read (permission denied)"]


def test_an_output_folder_inside_the_input_is_refused_through_links_too(
    tmp_path: Path,
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "alias").symlink_to(tmp_path / "in")
    for out in (tmp_path / "in" / "out", tmp_path / "alias" / "deep" / "out", tmp_path / "in"):
        with pytest.raises(UsageProblem, match="would become inputs"):
            refuse_nested_output(tmp_path / "in", out)
    refuse_nested_output(tmp_path / "in", tmp_path / "beside")
