"""Fourteen kinds of writers: none of their files is taken before it is whole, every one in the end."""

from __future__ import annotations

import mmap
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mediaprep.jobs.ledger.discover import entry_of, ignored, walk
from mediaprep.jobs.watch import settle
from mediaprep.jobs.watch.settle import OpenWriters, SettleOptions, UnsettledFiles, complete

RULES = SettleOptions(settle=0.3, poll=0.05, incomplete_after=60)
PAUSE = 0.5  # longer than the quiet that is asked for
PIECES = 3


def pieces(data: bytes) -> list[bytes]:
    size = len(data) // PIECES + 1
    return [data[i : i + size] for i in range(0, len(data), size)]


def slow(path: Path, data: bytes) -> None:
    with path.open("wb", buffering=0) as file:
        for piece in pieces(data):
            file.write(piece)
            time.sleep(PAUSE)


def preallocating(path: Path, data: bytes) -> None:
    with path.open("wb", buffering=0) as file:
        os.posix_fallocate(file.fileno(), 0, len(data))
        for piece in pieces(data):
            time.sleep(PAUSE)
            file.write(piece)


def sparse(path: Path, data: bytes) -> None:
    with path.open("wb", buffering=0) as file:
        file.truncate(len(data))
        file.write(pieces(data)[0])
        time.sleep(PAUSE)
        file.seek(0)
        file.write(data)


def keeping_old_times(path: Path, data: bytes) -> None:
    with path.open("wb", buffering=0) as file:
        for piece in pieces(data):
            file.write(piece)
            os.utime(path, (1e9, 1e9))
            time.sleep(PAUSE)
    os.utime(path, (1e9, 1e9))


def renaming(path: Path, data: bytes) -> None:
    slow(path.with_name(path.name + ".part"), data)
    path.with_name(path.name + ".part").rename(path)


def as_rsync(path: Path, data: bytes) -> None:
    slow(path.with_name(f".{path.name}.Xy12ab"), data)
    path.with_name(f".{path.name}.Xy12ab").rename(path)


def as_a_browser(path: Path, data: bytes) -> None:
    path.with_name(path.name + ".crdownload").touch()
    renaming(path, data)
    path.with_name(path.name + ".crdownload").unlink()


def mapping(path: Path, data: bytes) -> None:
    with path.open("wb+", buffering=0) as file:
        file.truncate(len(data))
        memory = mmap.mmap(file.fileno(), len(data))
    with memory:  # the descriptor is closed, the map is not
        at = 0
        for piece in pieces(data):
            memory[at : at + len(piece)] = piece
            at += len(piece)
            time.sleep(PAUSE)


def reopening(path: Path, data: bytes) -> None:
    for piece in pieces(data):
        with path.open("ab") as file:
            file.write(piece)
        time.sleep(PAUSE)


def backwards(path: Path, data: bytes) -> None:
    at = len(data)
    with path.open("wb", buffering=0) as file:
        for piece in reversed(pieces(data)):
            at -= len(piece)
            os.pwrite(file.fileno(), piece, at)
            time.sleep(PAUSE)


def header_last(path: Path, data: bytes) -> None:
    with path.open("wb", buffering=0) as file:
        file.write(bytes(64) + data[64:])
        time.sleep(PAUSE)
    time.sleep(PAUSE)
    with path.open("rb+", buffering=0) as file:
        file.write(data[:64])


def touching_first(path: Path, data: bytes) -> None:
    path.touch()
    time.sleep(PAUSE)
    slow(path, data)


def linking(path: Path, data: bytes) -> None:
    hidden = path.with_name(f".{path.name}")
    slow(hidden, data)
    os.link(hidden, path)
    hidden.unlink()


def at_once(path: Path, data: bytes) -> None:
    path.write_bytes(data)


WRITERS = (
    slow, preallocating, sparse, keeping_old_times, renaming, as_rsync, as_a_browser, mapping, reopening, backwards, header_last,
    touching_first, linking, at_once,
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("events", [False, True], ids=["polled", "told of closing"])
def test_no_file_is_taken_early_and_every_one_in_the_end(
    make: Callable[[str], Path], tmp_path: Path, events: bool
) -> None:
    """All writers at once. ``events``: each look claims that the file was just closed, which may shorten the wait and nothing else."""
    data = make("base.mp4").read_bytes()
    settling = UnsettledFiles(RULES)
    threads = [
        threading.Thread(target=writer, args=(tmp_path / f"{writer.__name__}.mp4", data))
        for writer in WRITERS
    ]
    for thread in threads:
        thread.start()
    taken: dict[str, bytes] = {}
    until = time.monotonic() + 60
    while len(taken) < len(WRITERS) and time.monotonic() < until:
        for entry in walk(tmp_path, pytest.fail):
            if entry.place not in taken:
                settling.saw(entry, closed=events)
        for entry in settling.settled():
            taken[entry.place] = Path(entry.source).read_bytes()
            settling.taken(entry)
        time.sleep(RULES.poll)
    for thread in threads:
        thread.join()
    assert set(taken) == {f"{writer.__name__}.mp4" for writer in WRITERS}
    assert [name for name, content in taken.items() if content != data] == []
    settling.close()


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def probed(
    settling: UnsettledFiles, path: Path, clock: Clock, seconds: float, step: float = 1.0
) -> float | None:
    """The time at which a file is settled; None within so many seconds."""
    for _ in range(int(seconds / step)):
        entry = entry_of(path, path.name)
        assert entry is not None
        settling.saw(entry)
        if list(settling.settled()):
            return clock.now
        clock.now += step
    return None


def test_quiet_is_counted_from_the_last_change_on_a_clock_of_its_own(
    make: Callable[[str], Path], tmp_path: Path
) -> None:
    clock = Clock()
    settling = UnsettledFiles(SettleOptions(settle=5, poll=1), clock)
    path = tmp_path / "a.mp4"
    path.write_bytes(make("base.mp4").read_bytes())
    os.utime(path, (1e9, 1e9))
    assert probed(settling, path, clock, 60) == 5


def test_what_is_incomplete_waits_and_is_judged_as_it_is_in_the_end(
    make: Callable[[str], Path], tmp_path: Path
) -> None:
    clock = Clock()
    settling = UnsettledFiles(SettleOptions(settle=5, poll=1, incomplete_after=600), clock)
    path = tmp_path / "a.mp4"
    path.write_bytes(make("base.mp4").read_bytes()[:50_000])
    at = probed(settling, path, clock, 1200)
    assert at is not None
    assert 600 <= at <= 600 + settle.LONGEST_DELAY + 1


def test_a_format_without_an_end_mark_needs_its_full_quiet_even_if_it_was_closed(
    make: Callable[[str], Path], tmp_path: Path
) -> None:
    clock = Clock()
    path = tmp_path / "a.ts"
    path.write_bytes(make("r60.ts").read_bytes())
    assert complete(str(path)) is None
    settling = UnsettledFiles(SettleOptions(settle=5, poll=1), clock)
    entry = entry_of(path, "a.ts")
    assert entry is not None
    settling.saw(entry, closed=True)
    assert probed(settling, path, clock, 60) == 5


def test_a_file_that_disappears_is_forgotten(tmp_path: Path) -> None:
    clock = Clock()
    settling = UnsettledFiles(SettleOptions(settle=5, poll=1), clock)
    path = tmp_path / "a.mp4"
    path.write_bytes(b"x")
    entry = entry_of(path, "a.mp4")
    assert entry is not None
    settling.saw(entry)
    path.unlink()
    clock.now = 10
    assert list(settling.settled()) == []
    assert len(settling) == 0


@pytest.mark.parametrize("lease", [True, False])
def test_a_writer_is_seen_by_lease_and_by_descriptors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lease: bool
) -> None:
    if not lease:
        monkeypatch.setattr(settle, "_lease", lambda path: None)
    path = tmp_path / "a"
    path.write_bytes(b"x")
    entry = entry_of(path, "a")
    assert entry is not None
    with path.open("r+b"):
        assert OpenWriters().writes(str(path), entry.stamp)
    with path.open("rb"):
        assert not OpenWriters().writes(str(path), entry.stamp)


@pytest.mark.parametrize(
    "name", [".a", "a.part", "a.tmp", "a.crdownload", "a.filepart", "~a.mp4", "_UNPACK_a"]
)
def test_names_that_are_passed_over(name: str) -> None:
    assert ignored(name)
    assert not ignored("part.mp4")


def test_links_and_special_files_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "real.mp4").write_bytes(b"x")
    (tmp_path / "link.mp4").symlink_to(tmp_path / "real.mp4")
    (tmp_path / "folder").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.mp4")
    assert [entry.place for entry in walk(tmp_path, pytest.fail)] == ["real.mp4"]
