"""Fixtures of the job tests: source files, worker pools and drivers."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from mediaprep.jobs.ledger.records import FoundFile, Publication
from mediaprep.jobs.run import batch
from mediaprep.jobs.run.driver import Driver
from mediaprep.jobs.run.events import JobEvent
from mediaprep.jobs.run.options import RunOptions
from mediaprep.jobs.workers.pool import WorkerPool
from mediaprep.jobs.workers.records import RunSettings
from mediaprep.jobs.workers.threads import ThreadPool
from mediaprep.profile import find_profile


@pytest.fixture(scope="session")
def settings() -> RunSettings:
    return RunSettings(profile=find_profile("twitter"))


@pytest.fixture
def drop(make: Callable[[str], Path], tmp_path: Path) -> Callable[..., Path]:
    """``drop("r60.mkv", "in/a.mkv")`` copies a built fixture to a path below ``tmp_path``.

    ``salt`` changes the content of an MP4 without effect: it appends a free box of that size.
    """

    def dropped(name: str, relative_path: str, salt: int | None = None) -> Path:
        path = tmp_path / relative_path
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(make(name), path)
        if salt is not None:
            with path.open("ab") as file:
                file.write((8 + salt).to_bytes(4, "big") + b"free" + bytes(salt))
        return path

    return dropped


@pytest.fixture(scope="session")
def dask_pool() -> Iterator[WorkerPool]:
    """A scheduler and two workers in this process, connected over TCP like remote ones."""
    distributed = pytest.importorskip("distributed")
    from mediaprep.jobs.workers.dask import DaskPool

    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=False,
        dashboard_address=None,
        protocol="tcp",
        host="127.0.0.1",
        resources={"CPU": 1},
    ) as local:
        pool = DaskPool(local.scheduler_address)
        yield pool
        pool.close()


@pytest.fixture(params=["threads", "dask"])
def pool(request: pytest.FixtureRequest) -> Iterator[WorkerPool]:
    """Every test that asks for it runs over both kinds of pool."""
    if request.param == "dask":
        yield request.getfixturevalue("dask_pool")
        return
    threads = ThreadPool(2)
    yield threads
    threads.close()


@pytest.fixture
def open_driver(
    pool: WorkerPool, settings: RunSettings, tmp_path: Path
) -> Callable[..., AbstractContextManager[Driver]]:
    """``with open_driver() as driver`` opens a driver for the output folder ``tmp_path/out``."""

    @contextmanager
    def opened(
        listener: EventLog | None = None, options: RunOptions | None = None, **arguments: object
    ) -> Iterator[Driver]:
        with batch.open_driver(
            tmp_path / "out",
            settings,
            pool,
            options or RunOptions(pause=0.0),
            listener or EventLog(),
            **arguments,
        ) as driver:  # type: ignore[arg-type]
            yield driver

    return opened


class EventLog:
    """A listener that stores the events."""

    def __init__(self) -> None:
        self.events: list[JobEvent] = []

    def __call__(self, event: JobEvent) -> None:
        self.events.append(event)

    def of(self, kind: str) -> list[JobEvent]:
        return [event for event in self.events if event.event == kind]


def found_files(count: int, stamp: int = 1) -> Iterator[FoundFile]:
    for number in range(count):
        yield FoundFile(
            source=f"/in/{number}.mov", relative_path=f"{number}.mov", stamp=(10, stamp, 1, number)
        )


def published(name: str, sha256: str = "ab", **more: object) -> Publication:
    output = Publication(name=name, sha256=sha256, size_bytes=1, work_file=None, fixed=True)
    return replace(output, **more)  # type: ignore[arg-type]


def visible(folder: Path) -> set[str]:
    """Return the files below a folder that are outside of the state folder."""
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and ".mediaprep" not in path.relative_to(folder).parts
    }
