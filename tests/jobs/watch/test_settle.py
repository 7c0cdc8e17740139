"""Fourteen ways of writing a file: none settles before it is complete, but each in the end."""

from __future__ import annotations

import mmap
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mediaprep.jobs.ledger.discover import found_file, walk
from mediaprep.jobs.watch import settle
from mediaprep.jobs.watch.settle import SettleOptions, UnsettledFiles, is_complete

SETTLE = SettleOptions(settle=0.3, check_interval=0.05, incomplete_after=60)
PAUSE = 0.5  # longer than SETTLE.settle
PIECES = 3


def pieces(data: bytes) -> list[bytes]:
    size = len(data) // PIECES + 1
    return [data[i : i + size] for i in range(0, len(data), size)]


def slowly(path: Path, data: bytes) -> None:
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
    slowly(path.with_name(path.name + ".part"), data)
    path.with_name(path.name + ".part").rename(path)


def like_rsync(path: Path, data: bytes) -> None:
    slowly(path.with_name(f".{path.name}.Xy12ab"), data)
    path.with_name(f".{path.name}.Xy12ab").rename(path)


def like_a_browser(path: Path, data: bytes) -> None:
    path.with_name(path.name + ".crdownload").touch()
    renaming(path, data)
    path.with_name(path.name + ".crdownload").unlink()


def mapping(path: Path, data: bytes) -> None:
    with path.open("wb+", buffering=0) as file:
        file.truncate(len(data))
        memory = mmap.mmap(file.fileno(), len(data))
    with memory:  # still mapped, although the descriptor is closed
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
    slowly(path, data)


def linking(path: Path, data: bytes) -> None:
    hidden = path.with_name(f".{path.name}")
    slowly(hidden, data)
    os.link(hidden, path)
    hidden.unlink()


def at_once(path: Path, data: bytes) -> None:
    path.write_bytes(data)


WRITERS = (
    slowly, preallocating, sparse, keeping_old_times, renaming, like_rsync, like_a_browser,
    mapping, reopening, backwards, header_last, touching_first, linking, at_once,
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("events", [False, True], ids=["scans", "close events"])
def test_no_file_settles_early_and_every_file_settles(
    make: Callable[[str], Path], tmp_path: Path, events: bool
) -> None:
    """All writers run at once.

    With ``events`` each scan reports that the file was closed, which may only shorten the wait.
    """
    data = make("base.mp4").read_bytes()
    unsettled = UnsettledFiles(SETTLE)
    threads = [
        threading.Thread(target=writer, args=(tmp_path / f"{writer.__name__}.mp4", data))
        for writer in WRITERS
    ]
    for thread in threads:
        thread.start()
    settled: dict[str, bytes] = {}
    until = time.monotonic() + 60
    while len(settled) < len(WRITERS) and time.monotonic() < until:
        for file in walk(tmp_path, pytest.fail):
            if file.relative_path not in settled:
                unsettled.add(file, closed=events)
        for file in unsettled.settled():
            settled[file.relative_path] = Path(file.source).read_bytes()
            unsettled.remove(file)
        time.sleep(SETTLE.check_interval)
    for thread in threads:
        thread.join()
    assert set(settled) == {f"{writer.__name__}.mp4" for writer in WRITERS}
    assert [name for name, content in settled.items() if content != data] == []
    unsettled.close()


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def settled_at(
    unsettled: UnsettledFiles, path: Path, clock: Clock, seconds: float, step: float = 1.0
) -> float | None:
    """Return the time at which a file settles; None if it does not within so many seconds."""
    for _ in range(int(seconds / step)):
        file = found_file(path, path.name)
        assert file is not None
        unsettled.add(file)
        if list(unsettled.settled()):
            return clock.now
        clock.now += step
    return None


def test_quiet_time_is_measured_by_the_clock_not_by_file_times(
    make: Callable[[str], Path], tmp_path: Path
) -> None:
    clock = Clock()
    unsettled = UnsettledFiles(SettleOptions(settle=5, check_interval=1), clock)
    path = tmp_path / "a.mp4"
    path.write_bytes(make("base.mp4").read_bytes())
    os.utime(path, (1e9, 1e9))
    assert settled_at(unsettled, path, clock, 60) == 5


def test_an_incomplete_file_settles_after_a_longer_time(
    make: Callable[[str], Path], tmp_path: Path
) -> None:
    clock = Clock()
    unsettled = UnsettledFiles(
        SettleOptions(settle=5, check_interval=1, incomplete_after=600), clock
    )
    path = tmp_path / "a.mp4"
    path.write_bytes(make("base.mp4").read_bytes()[:50_000])
    at = settled_at(unsettled, path, clock, 1200)
    assert at is not None
    assert 600 <= at <= 600 + settle.MAX_CHECK_INTERVAL + 1


def test_a_format_without_an_end_mark_needs_its_full_quiet_time(
    make: Callable[[str], Path], tmp_path: Path
) -> None:
    clock = Clock()
    path = tmp_path / "a.ts"
    path.write_bytes(make("r60.ts").read_bytes())
    assert is_complete(str(path)) is None
    unsettled = UnsettledFiles(SettleOptions(settle=5, check_interval=1), clock)
    file = found_file(path, "a.ts")
    assert file is not None
    unsettled.add(file, closed=True)
    assert settled_at(unsettled, path, clock, 60) == 5


def test_a_file_that_disappears_is_removed(tmp_path: Path) -> None:
    clock = Clock()
    unsettled = UnsettledFiles(SettleOptions(settle=5, check_interval=1), clock)
    path = tmp_path / "a.mp4"
    path.write_bytes(b"x")
    file = found_file(path, "a.mp4")
    assert file is not None
    unsettled.add(file)
    path.unlink()
    clock.now = 10
    assert list(unsettled.settled()) == []
    assert len(unsettled) == 0
