"""A real scheduler and real workers in processes of their own, some of which are killed."""

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
from mediaprep.jobs.run.inflight import RunOptions
from mediaprep.jobs.workers.dask import Cluster
from mediaprep.model.options import Options
from tests.jobs.conftest import Heard, visible

pytest.importorskip("distributed")
Drop = Callable[..., Path]
ENVIRONMENT = {
    "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1",
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "10s",
}


class Hosts:
    """Plain processes, as on plain hosts."""

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

    def _start(self, what: str, *words: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{what}.{time.monotonic_ns()}.log").open("wb")
        argv = [sys.executable, "-m", "dask", what, *words]
        return subprocess.Popen(
            argv,
            env={**os.environ, **ENVIRONMENT},
            stdout=log,
            stderr=log,
            cwd=self.folder,
            start_new_session=True,
        )

    def kill(self, child: subprocess.Popen[bytes]) -> None:
        """With its nanny, as a host that loses power."""
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


def connected(hosts: Hosts) -> Cluster:
    until = time.monotonic() + 60
    while True:
        try:
            crew = Cluster(hosts.address)
        except EnvironmentProblem:
            if time.monotonic() > until:
                raise
            continue
        break
    while crew.jobs < len(hosts.workers) and time.monotonic() < until:
        time.sleep(0.2)
        crew._due = 0.0
    return crew


def test_without_a_scheduler_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from mediaprep.jobs.workers import dask as cluster

    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.5)
    with pytest.raises(EnvironmentProblem, match="no scheduler answers"):
        Cluster("tcp://127.0.0.1:9")
    with pytest.raises(EnvironmentProblem, match="no scheduler answers"):
        Cluster("nonsense://x")


@pytest.mark.long
def test_a_worker_killed_in_mid_job_loses_and_doubles_nothing(
    drop: Drop, hosts: Hosts, recipe, tmp_path: Path
) -> None:
    for number in range(6):
        drop("d140_2997.mp4", f"in/{number}.mp4", salt=number)
    drop("r60.mkv", "in/x.mkv")
    hosts.add_worker()
    hosts.add_worker()
    crew = connected(hosts)
    assert crew.jobs == 2
    heard = Heard()
    killed: list[float] = []

    def tell(event: object) -> None:
        heard(event)  # type: ignore[arg-type]
        if (
            isinstance(event, JobProgress)
            and event.stage == "encode"
            and event.fraction < 1
            and not killed
        ):
            killed.append(time.monotonic())
            hosts.kill(hosts.workers[0])

    from dataclasses import replace

    trimming = replace(recipe, options=Options(trim="first", quality="fast"))
    with batch.opened(tmp_path / "out", trimming, crew, RunOptions(), tell) as driver:
        end = batch.run(driver, [str(tmp_path / "in")])
    crew.close()
    assert killed
    assert end.counts == {"fixed": 7}
    assert visible(tmp_path / "out") == {*(f"{number}.mp4" for number in range(6)), "x.mp4"}
    assert not list((tmp_path / "out" / ".mediaprep" / "work").iterdir())


@pytest.mark.long
def test_a_lost_scheduler_is_told_and_the_next_run_goes_on(
    drop: Drop, hosts: Hosts, recipe, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(8):
        drop("ac3.mp4", f"in/{number}.mp4", salt=number)
    hosts.add_worker()
    crew = connected(hosts)
    heard = Heard()

    def tell(event: object) -> None:
        heard(event)  # type: ignore[arg-type]
        if len(heard.of("job.done")) == 2 and hosts.scheduler.poll() is None:
            hosts.kill(hosts.scheduler)

    with (
        pytest.raises(EnvironmentProblem, match="scheduler"),
        batch.opened(tmp_path / "out", recipe, crew, RunOptions(), tell) as driver,
    ):
        batch.run(driver, [str(tmp_path / "in")])
    crew.close()
    assert [
        record for record in caplog.records if record.name == "distributed.client"
    ] == []  # the one line is ours
    for worker in hosts.workers:
        hosts.kill(worker)
    hosts.workers.clear()
    with Ledger(tmp_path / "out" / ".mediaprep" / "ledger.db") as ledger:
        assert {count.state for count in ledger.counts()} == {"new", "done"}
    hosts.start_scheduler()
    hosts.add_worker()
    crew = connected(hosts)
    with batch.opened(tmp_path / "out", recipe, crew, RunOptions(), Heard()) as driver:
        end = batch.run(driver, [str(tmp_path / "in")])
    crew.close()
    assert sum(end.counts.values()) < 8
    assert visible(tmp_path / "out") == {f"{number}.mp4" for number in range(8)}


@pytest.mark.long
def test_a_file_that_kills_workers_ends_as_failed_and_they_go_on(
    drop: Drop, hosts: Hosts, recipe, tmp_path: Path
) -> None:
    """The poison is of the worst sort: it ends the worker itself, not only the child that reads it."""
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
    crew = connected(hosts)
    with batch.opened(tmp_path / "out", recipe, crew, RunOptions(retries=1), Heard()) as driver:
        end = batch.run(driver, [str(tmp_path / "in")])
    crew.close()
    assert end.counts == {"already_ok": 3, "failed": 1}
    assert all(worker.poll() is None for worker in hosts.workers)
