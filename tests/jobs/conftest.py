"""What the tests of many files share: small real files, crews of threads and of a Dask cluster, and a driver in one line."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from mediaprep.jobs.run import batch
from mediaprep.jobs.run.driver import Driver
from mediaprep.jobs.run.events import JobEvent
from mediaprep.jobs.run.inflight import RunOptions
from mediaprep.jobs.workers.threads import ThreadPool, WorkerPool
from mediaprep.jobs.workers.worker import RunSettings
from mediaprep.profile import find_profile

TO_FIX = ("r60.mkv", "ac3.mp4")  # a remux; the sound anew
FINE = "base.mp4"


@pytest.fixture(scope="session")
def recipe() -> RunSettings:
    return RunSettings(profile=find_profile("twitter"))


@pytest.fixture
def drop(make: Callable[[str], Path], tmp_path: Path) -> Callable[..., Path]:
    """``drop("r60.mkv", "in/a.mkv")``: a copy of a fixture of its own under ``tmp_path``; ``salt`` makes its content differ,
    harmlessly: a free box at the end."""

    def dropped(name: str, place: str, salt: int | None = None) -> Path:
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(make(name), path)
        if salt is not None:
            with path.open("ab") as file:
                file.write((8 + salt).to_bytes(4, "big") + b"free" + bytes(salt))
        return path

    return dropped


@pytest.fixture(scope="session")
def dask_crew() -> Iterator[WorkerPool]:
    """A scheduler and two workers in this process, reached over TCP as from elsewhere."""
    distributed = pytest.importorskip("distributed")
    from mediaprep.jobs.workers.dask import Cluster

    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=False,
        dashboard_address=None,
        protocol="tcp",
        host="127.0.0.1",
        resources={"CPU": 1},
    ) as local:
        crew = Cluster(local.scheduler_address)
        yield crew
        crew.close()


@pytest.fixture(params=["threads", "dask"])
def crew(request: pytest.FixtureRequest) -> Iterator[WorkerPool]:
    """The whole suite runs over both."""
    if request.param == "dask":
        yield request.getfixturevalue("dask_crew")
        return
    threads = ThreadPool(2)
    yield threads
    threads.close()


@pytest.fixture
def opened(
    crew: WorkerPool, recipe: RunSettings, tmp_path: Path
) -> Callable[..., AbstractContextManager[Driver]]:
    """``with opened() as driver``: over ``tmp_path/out``; what it tells is in ``driver.tell.events``."""

    @contextmanager
    def entered(
        tell: Heard | None = None, options: RunOptions | None = None, **words: object
    ) -> Iterator[Driver]:
        with batch.opened(
            tmp_path / "out",
            recipe,
            crew,
            options or RunOptions(pause=0.0),
            tell or Heard(),
            **words,
        ) as driver:  # type: ignore[arg-type]
            yield driver

    return entered


class Heard:
    """Keeps the events."""

    def __init__(self) -> None:
        self.events: list[JobEvent] = []

    def __call__(self, event: JobEvent) -> None:
        self.events.append(event)

    def of(self, kind: str) -> list[JobEvent]:
        return [event for event in self.events if event.event == kind]


def visible(folder: Path) -> set[str]:
    """Every file below a folder, but for what is in hidden folders; a work file anywhere else counts."""
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and ".mediaprep" not in path.relative_to(folder).parts
    }
