"""A batch: every file of some folders once, into one output folder.

``open_driver`` sets up what batch and watch share.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event as Flag

from mediaprep.jobs.ledger.discover import find_inputs, refuse_nested_output
from mediaprep.jobs.ledger.open import open_or_rebuild
from mediaprep.jobs.run.driver import TURN_SECONDS, Driver
from mediaprep.jobs.run.events import FAILURES, JobListener, Notice, RunDone, RunStarted
from mediaprep.jobs.run.ledger_path import bind_ledger, default_ledger
from mediaprep.jobs.run.options import RunOptions
from mediaprep.jobs.run.output_folder import OutputFolder
from mediaprep.jobs.run.quarantine import Quarantine
from mediaprep.jobs.run.receipts import rebuild_ledger
from mediaprep.jobs.workers.pool import WorkerPool
from mediaprep.jobs.workers.records import RunSettings
from mediaprep.runtime.paths import display_name
from mediaprep.tools.libraries import version

TOOLS = ("mediaprep", "imageio-ffmpeg", "av", "pymediainfo", "pillow")


@contextlib.contextmanager
def open_driver(
    out: Path,
    settings: RunSettings,
    pool: WorkerPool,
    options: RunOptions,
    listener: JobListener,
    *,
    ledger_path: Path | None = None,
    quarantine: Quarantine | None = None,
    cancel: Flag | None = None,
) -> Iterator[Driver]:
    """Open an output folder and its ledger, and recover the jobs of processes that died.

    Raises: EnvironmentProblem, UsageProblem.
    """
    with OutputFolder(out) as folder:
        path = (ledger_path or default_ledger(out)).absolute()
        bind_ledger(out, path)
        with open_or_rebuild(
            path,
            lambda line: listener(Notice(message=line)),
            lambda new_ledger: rebuild_ledger(folder.out, new_ledger),
        ) as ledger:
            driver = Driver(
                ledger=ledger,
                settings=settings,
                settings_id=ledger.register_settings(
                    settings.digest, settings.content, tool_versions()
                ),
                folder=folder,
                pool=pool,
                options=options,
                listener=listener,
                cancel=cancel or Flag(),
                quarantine=quarantine,
            )
            driver.recover()
            with pool.channel(folder.run, driver.on_worker_event):
                yield driver


def refuse_nested_outputs(inputs: Sequence[str], out: Path) -> None:
    """Raise UsageProblem if the output folder lies inside an input folder."""
    for text in inputs:
        if Path(text).is_dir():
            refuse_nested_output(Path(text), out)


def run(
    driver: Driver, inputs: Sequence[str], *, fresh: bool = False, max_failures: int | None = None
) -> RunDone:
    """Process every file below the inputs once; with ``fresh`` repeat what was done before.

    Raises: EnvironmentProblem, Cancelled; the remaining files are left for the next run.
    """
    began = time.monotonic()
    ledger, listener = driver.ledger, driver.listener
    unreadable_inputs = 0

    def report(line: str) -> None:
        nonlocal unreadable_inputs
        unreadable_inputs += 1
        listener(Notice(message=line, failure=True))

    ledger.add(driver.settings_id, find_inputs(inputs, report), fresh=fresh)
    listener(_run_started(driver))
    if max_failures is None:
        driver.run()
    else:
        _run_until(driver, max_failures)
    counts = dict(driver.counts)
    if unreadable_inputs:
        counts["problems"] = unreadable_inputs
    end = RunDone(
        counts=counts,
        left=ledger.unfinished(driver.settings_id),
        seconds=time.monotonic() - began,
    )
    listener(end)
    return end


def _run_started(driver: Driver) -> RunStarted:
    counts = driver.ledger.counts(driver.settings_id)
    new = [count for count in counts if count.state == "new"]
    profile = driver.settings.profile
    return RunStarted(
        jobs=sum(count.jobs for count in new),
        size_bytes=sum(count.size_bytes for count in new),
        skipped=sum(count.jobs for count in counts if count.state == "done"),
        profile=f"{profile.name}@{profile.digest[:8]}",
        ledger=display_name(driver.ledger.path),
    )


def _run_until(driver: Driver, max_failures: int) -> None:
    """Run until all jobs are done or ``max_failures`` have failed."""
    try:
        while driver.turn(TURN_SECONDS):
            failed = count_failures(driver.counts, on_refused=driver.options.on_refused)
            if failed >= max_failures:
                message = (
                    f"{failed} files failed (--max-failures {max_failures});"
                    " the others are left for the next run"
                )
                driver.listener(Notice(message=message, failure=True))
                driver.stop()
                return
    except BaseException:
        driver.stop()
        raise


def count_failures(counts: Mapping[str, int], *, on_refused: str = "skip") -> int:
    """Count the jobs that failed; a refused file that was copied as requested did not."""
    failures = FAILURES | {"problems"}
    if on_refused == "copy":
        failures -= {"refused"}
    return sum(count for status, count in counts.items() if status in failures)


def count_by_status(driver: Driver) -> dict[str, int]:
    """Count all finished jobs of these run settings, of this run and earlier ones."""
    return {
        count.status: count.jobs
        for count in driver.ledger.counts(driver.settings_id)
        if count.status is not None
    }


def dry_run(
    settings: RunSettings,
    pool: WorkerPool,
    options: RunOptions,
    inputs: Sequence[str],
    listener: JobListener,
    cancel: Flag | None = None,
) -> RunDone:
    """Inspect and plan every file, with a ledger that is deleted afterwards. Raises: as ``run``."""
    with tempfile.TemporaryDirectory(prefix="mediaprep-") as folder:
        out = Path(folder) / "out"
        dry_options = replace(options, dry_run=True)
        with open_driver(out, settings, pool, dry_options, listener, cancel=cancel) as driver:
            return run(driver, inputs)


def tool_versions() -> dict[str, str]:
    """Return the version of each tool by package name; "" if it is not installed."""
    return {name: version(name) or "" for name in TOOLS}
