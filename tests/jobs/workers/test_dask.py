"""A Dask scheduler and workers in their own processes, some of which are killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mediaprep.errors import EnvironmentProblem
from mediaprep.jobs.ledger.ledger import Ledger
from mediaprep.jobs.run import batch
from mediaprep.jobs.run.events import JobProgress
from mediaprep.jobs.run.options import RunOptions
from mediaprep.jobs.workers.dask import DaskPool
from mediaprep.model.options import Options
from tests.jobs.conftest import EventLog, visible

pytest.importorskip("distributed")
Drop = Callable[..., Path]
ENVIRONMENT = {
    "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1",
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "10s",
}


class Hosts:
    """A scheduler and workers as plain processes."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.folder = folder
        self.workers: list[subprocess.Popen[bytes]] = []
        self.start_scheduler()

    def start_scheduler(self) -> None:
        self.scheduler = self._start(
            "scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard"
        )

    def add_worker(self) -> None:
        self.workers.append(
            self._start(
                "worker",
                self.address,
                "--nthreads",
                "1",
                "--resources",
                "CPU=1",
                "--no-dashboard",
                "--host",
                "127.0.0.1",
            )
        )

    def _start(self, role: str, *arguments: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{role}.{time.monotonic_ns()}.log").open("wb")
        argv = [sys.executable, "-m", "dask", role, *arguments]
        return subprocess.Popen(
            argv,
            env={**os.environ, **ENVIRONMENT},
            stdout=log,
            stderr=log,
            cwd=self.folder,
            start_new_session=True,
        )

    def kill(self, child: subprocess.Popen[bytes]) -> None:
        """Kill a worker with its nanny, like a host that loses power."""
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()

    def end(self) -> None:
        for child in (*self.workers, self.scheduler):
            if child.poll() is None:
                self.kill(child)


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Hosts]:
    (tmp_path / "hosts").mkdir()
    running = Hosts(tmp_path / "hosts")
    yield running
    running.end()


def connected(hosts: Hosts) -> DaskPool:
    until = time.monotonic() + 60
    while True:
        try:
            pool = DaskPool(hosts.address)
        except EnvironmentProblem:
            if time.monotonic() > until:
                raise
            continue
        break
    while pool.jobs < len(hosts.workers) and time.monotonic() < until:
        time.sleep(0.2)
        pool._refresh_at = 0.0
    return pool


def test_a_missing_scheduler_is_an_environment_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    from mediaprep.jobs.workers import dask

    monkeypatch.setattr(dask, "CONNECT_SECONDS", 0.5)
    with pytest.raises(EnvironmentProblem, match="cannot connect"):
        DaskPool("tcp://127.0.0.1:9")
    with pytest.raises(EnvironmentProblem, match="cannot connect"):
        DaskPool("nonsense://x")


@pytest.mark.long
def test_a_job_of_a_killed_worker_is_done_once(
    drop: Drop, hosts: Hosts, settings, tmp_path: Path
) -> None:
    for number in range(6):
        drop("d140_2997.mp4", f"in/{number}.mp4", salt=number)
    drop("r60.mkv", "in/x.mkv")
    hosts.add_worker()
    hosts.add_worker()
    pool = connected(hosts)
    assert pool.jobs == 2
    log = EventLog()
    killed: list[float] = []

    def listener(event: object) -> None:
        log(event)  # type: ignore[arg-type]
        if (
            isinstance(event, JobProgress)
            and event.stage == "encode"
            and event.fraction < 1
            and not killed
        ):
            killed.append(time.monotonic())
            hosts.kill(hosts.workers[0])

    from dataclasses import replace

    trimming = replace(settings, options=Options(trim="first", quality="fast"))
    with batch.open_driver(tmp_path / "out", trimming, pool, RunOptions(), listener) as driver:
        end = batch.run(driver, [str(tmp_path / "in")])
    pool.close()
    assert killed
    assert end.counts == {"fixed": 7}
    assert visible(tmp_path / "out") == {*(f"{number}.mp4" for number in range(6)), "x.mp4"}
    assert not list((tmp_path / "out" / ".mediaprep" / "work").iterdir())


@pytest.mark.long
def test_a_run_continues_after_a_lost_scheduler(
    drop: Drop, hosts: Hosts, settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(8):
        drop("ac3.mp4", f"in/{number}.mp4", salt=number)
    hosts.add_worker()
    pool = connected(hosts)
    log = EventLog()

    def listener(event: object) -> None:
        log(event)  # type: ignore[arg-type]
        if len(log.of("job.done")) == 2 and hosts.scheduler.poll() is None:
            hosts.kill(hosts.scheduler)

    with (
        pytest.raises(EnvironmentProblem, match="scheduler"),
        batch.open_driver(tmp_path / "out", settings, pool, RunOptions(), listener) as driver,
    ):
        batch.run(driver, [str(tmp_path / "in")])
    pool.close()
    assert [record for record in caplog.records if record.name == "distributed.client"] == []
    for worker in hosts.workers:
        hosts.kill(worker)
    hosts.workers.clear()
    with Ledger(tmp_path / "out" / ".mediaprep" / "ledger.db") as ledger:
        assert {count.state for count in ledger.counts()} == {"new", "done"}
    hosts.start_scheduler()
    hosts.add_worker()
    pool = connected(hosts)
    with batch.open_driver(tmp_path / "out", settings, pool, RunOptions(), EventLog()) as driver:
        end = batch.run(driver, [str(tmp_path / "in")])
    pool.close()
    assert sum(end.counts.values()) < 8
    assert visible(tmp_path / "out") == {f"{number}.mp4" for number in range(8)}


@pytest.mark.long
def test_a_file_that_kills_workers_fails_and_the_others_are_done(
    drop: Drop, hosts: Hosts, settings, tmp_path: Path
) -> None:
    """The file ends the worker itself, not only the child that reads it."""
    for number in range(3):
        drop("base.mp4", f"in/{number}.mp4", salt=number)
    drop("base.mp4", "in/poison.mp4", salt=99)
    (tmp_path / "hosts" / "sitecustomize.py").write_text(
        "import os, mediaprep.runtime.source as files\n"
        "real = files.open_source\n"
        "def poisoned(path, **more):\n"
        "    if str(path).endswith('poison.mp4'): os._exit(9)\n"
        "    return real(path, **more)\n"
        "files.open_source = poisoned\n"
    )
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(tmp_path / "hosts"), before]))
    try:
        hosts.add_worker()
        hosts.add_worker()
    finally:
        os.environ.pop("PYTHONPATH") if before is None else os.environ.__setitem__(
            "PYTHONPATH", before
        )
    pool = connected(hosts)
    with batch.open_driver(
        tmp_path / "out", settings, pool, RunOptions(retries=1), EventLog()
    ) as driver:
        end = batch.run(driver, [str(tmp_path / "in")])
    pool.close()
    assert end.counts == {"already_ok": 3, "failed": 1}
    assert all(worker.poll() is None for worker in hosts.workers)
