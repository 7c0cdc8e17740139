"""A batch: every file of some folders once, into one output folder. ``opened`` sets up what batch and watch share."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from threading import Event as Flag

from mediaprep.jobs.ledger.discover import given, refuse_loop
from mediaprep.jobs.ledger.ledger import open_ledger
from mediaprep.jobs.run.driver import Driver
from mediaprep.jobs.run.events import FAILURES, Heard, JobEvent, Notice, RunDone, RunStarted
from mediaprep.jobs.run.inflight import RunOptions
from mediaprep.jobs.run.publish import OutputFolder, default_ledger, one_ledger
from mediaprep.jobs.run.quarantine import Quarantine
from mediaprep.jobs.workers.threads import WorkerPool
from mediaprep.jobs.workers.worker import RunSettings
from mediaprep.runtime.source import display_name

_TOOLS = ("mediaprep", "imageio-ffmpeg", "av", "pymediainfo", "pillow")


@contextlib.contextmanager
def opened(
    out: Path,
    recipe: RunSettings,
    crew: WorkerPool,
    options: RunOptions,
    tell: Heard,
    *,
    state: Path | None = None,
    quarantine: Quarantine | None = None,
    cancel: Flag | None = None,
) -> Iterator[Driver]:
    """A driver over an output folder and its ledger, with what dead runs left taken over. ``state``: the ledger's path.
    Raises: EnvironmentProblem, UsageProblem."""
    with OutputFolder(out) as places:
        path = (state or default_ledger(out)).absolute()
        one_ledger(out, path)
        with open_ledger(path, lambda line: tell(Notice(message=line)), places.rebuild) as ledger:
            driver = Driver(
                ledger=ledger,
                recipe=recipe,
                number=ledger.recipe(recipe.digest, recipe.content, tools()),
                places=places,
                crew=crew,
                options=options,
                tell=tell,
                cancel=cancel or Flag(),
                quarantine=quarantine,
            )
            driver.recover()
            with crew.channel(places.run, driver.hear):
                yield driver


def refuse_loops(inputs: Sequence[str], out: Path) -> None:
    """Look before anything is written. Raises: UsageProblem where the output folder lies inside an input folder."""
    for text in inputs:
        if Path(text).is_dir():
            refuse_loop(Path(text), out)


def run(
    driver: Driver, inputs: Sequence[str], *, fresh: bool = False, max_failures: int | None = None
) -> RunDone:
    """Every file below the inputs once. Raises: EnvironmentProblem, Cancelled; then the rest is left for the next run."""
    began = time.monotonic()
    ledger, tell = driver.ledger, driver.tell
    trouble: list[str] = []

    def problem(line: str) -> None:
        trouble.append(line)
        tell(Notice(message=line, failure=True))

    ledger.add(driver.number, given(inputs, problem), fresh=fresh)
    new = [count for count in ledger.counts(driver.number) if count.state == "new"]
    done = sum(count.jobs for count in ledger.counts(driver.number) if count.state == "done")
    tell(
        RunStarted(
            jobs=sum(count.jobs for count in new),
            size_bytes=sum(count.size for count in new),
            skipped=done,
            profile=f"{driver.recipe.profile.name}@{driver.recipe.profile.digest[:8]}",
            ledger=display_name(ledger.path),
        )
    )
    if max_failures is None:
        driver.run()
    else:
        _run_until(driver, max_failures)
    left = sum(count.jobs for count in ledger.counts(driver.number) if count.state != "done")
    counts = dict(driver.counts) | ({"problems": len(trouble)} if trouble else {})
    end = RunDone(counts=counts, left=left, seconds=time.monotonic() - began)
    tell(end)
    return end


def _run_until(driver: Driver, max_failures: int) -> None:
    """As ``driver.run``, but no more once so many jobs have failed."""
    try:
        while driver.turn(0.5):
            failed = failures(driver.counts, on_refused=driver.options.on_refused)
            if failed >= max_failures:
                driver.tell(
                    Notice(
                        message=f"{failed} files failed, which is enough; the rest is left for the next run",
                        failure=True,
                    )
                )
                driver.stop()
                return
    except BaseException:
        driver.stop()
        raise


def failures(counts: Mapping[str, int], *, on_refused: str = "skip") -> int:
    """Jobs that did not come to a good end; a refused file that was copied as wished did."""
    fine = {"refused"} if on_refused == "copy" else set()
    return sum(
        count for status, count in counts.items() if status in (FAILURES | {"problems"}) - fine
    )


def totals(driver: Driver) -> dict[str, int]:
    """All that the ledger knows of this recipe, by status."""
    return {
        count.status: count.jobs
        for count in driver.ledger.counts(driver.number)
        if count.status is not None
    }


def dry_run(
    recipe: RunSettings,
    crew: WorkerPool,
    options: RunOptions,
    inputs: Sequence[str],
    tell: Callable[[JobEvent], None],
    cancel: Flag | None = None,
) -> RunDone:
    """Look and plan, nothing kept: the ledger of such a run is thrown away. Raises: as ``run``."""
    with tempfile.TemporaryDirectory(prefix="mediaprep-") as folder:
        out = Path(folder) / "out"
        with opened(out, recipe, crew, replace(options, dry=True), tell, cancel=cancel) as driver:
            return run(driver, inputs)


def tools() -> dict[str, str]:
    """The versions of what works on files; "" for what is not installed."""
    found = {}
    for name in _TOOLS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = ""
    return found
