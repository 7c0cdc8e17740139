"""Guarantees that other tests cover, reported protection, memory and cost."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import fixtures
from mediaprep.model.options import Options
from tests.hostile.guarantees import Measurement
from tests.hostile.interruptions import run
from tests.hostile.oracles import (
    JOB_BYTES,
    PROBE_BYTES,
    PeakMemory,
    run_check,
    run_prepare,
    stop_readers,
)
from tests.hostile.seeds import seed

DEEP_BYTES = 900 * 10**6  # SECURITY.md, guarantee 3
ROOT = Path(__file__).resolve().parents[2]
# Guarantees that tests of other packages cover: (number, what they measure, file).
OTHER_TESTS = (
    (
        1,
        "a reader that crashes costs its own file only",
        "tests/probing/reader/test_pool.py",
    ),
    (
        8,
        "batch and watch killed at every named step and at random times",
        "tests/jobs/test_kill.py",
    ),
    (9, "1,000 claims of 1,000 jobs by 4 processes", "tests/jobs/ledger/test_ledger.py"),
    (
        11,
        "14 writer styles, polled and notified: none early, all eventually",
        "tests/jobs/watch/test_settle.py",
    ),
    (12, "3,000 of 3,000 files, and a short event queue", "tests/jobs/watch/test_watch.py"),
    (15, "children of killed parents end", "tests/runtime/test_process.py"),
    (18, "only the file that kills workers fails", "tests/jobs/workers/test_dask.py"),
)


def by_other_tests(*, long: bool) -> list[Measurement]:
    """Run these tests and list the failures."""
    measurements = []
    for number, what, path in OTHER_TESTS:
        marks = "long or not long" if long else "not long"
        options = ["-q", "-m", marks, "-p", "no:cacheprovider", "--timeout", "1800"]
        argv = [sys.executable, "-m", "pytest", *options, path]
        done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True)
        failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
        passed = re.search(r"(\d+) passed", done.stdout)
        violations = tuple(failed) or ((done.stdout[-500:],) if done.returncode else ())
        count = passed[1] if passed else str(done.stdout.count("."))
        measurements.append(
            Measurement(
                guarantee=number,
                measured=f"{what} ({count} tests of {path})",
                violations=violations,
            )
        )
    return measurements


def sandbox_reported(work: Path) -> list[Measurement]:
    """``doctor`` and every report state the sandbox level, whatever the result."""
    work.mkdir(parents=True, exist_ok=True)
    passing, failing, text = work / "passing.mp4", work / "failing.mkv", work / "text.mp4"
    passing.write_bytes(seed("_small_plain.mp4").data)
    failing.write_bytes(seed("_small.mkv").data)
    text.write_bytes(b"not a media file\n" * 20)
    paths = {"strict": (passing, failing, text), "basic": (failing,)}
    commands = (["check"], ["plan"], ["probe"], ["fix", "--force", "-o", f"{work}/out/"])
    (work / "out").mkdir(exist_ok=True)
    violations = []
    for level in ("strict", "basic"):
        for command, path in product(commands, paths[level]):
            code, output = run(["--sandbox", level, *command, "--json", str(path)])
            if code == 4 and level == "strict":
                continue  # not available here, and reported
            levels = set(_levels(_document(output)))
            if levels != {level}:
                violations.append(f"{command[0]} --sandbox {level} {path.name}: reports {levels}")
        code, output = run(["--sandbox", level, "doctor", "--json"])
        messages = {item["name"]: item["message"] for item in _document(output)["items"]}
        if level not in messages["sandbox"]:
            violations.append(f"doctor --sandbox {level}: {messages['sandbox']}")
    return [
        Measurement(
            guarantee=16,
            measured="doctor, check, plan, fix and probe report the level",
            violations=tuple(violations),
        )
    ]


def _document(output: str) -> dict[str, Any]:
    """Return the JSON document at the start of an output; messages may follow."""
    document: dict[str, Any] = json.JSONDecoder().raw_decode(output[output.index("{") :])[0]
    return document


def _levels(report: object) -> list[str]:
    """Return every level that occurs in a document."""
    if isinstance(report, list):
        return [level for item in report for level in _levels(item)]
    if not isinstance(report, dict):
        return []
    levels = [level for value in report.values() for level in _levels(value)]
    if isinstance(report.get("sandbox"), str):
        levels.append(report["sandbox"])
    return levels


def memory(work: Path) -> list[Measurement]:
    """Measure reader and job with the phone clip: 1080x1920 10-bit HEVC, re-encoded."""
    peaks, violations = {}, []
    for what, options in (("probe", Options()), ("deep probe", Options(deep=True))):
        with PeakMemory() as peak:
            run_check(fixtures.INPUT, options=options)
            stop_readers()
        peaks[what] = peak.bytes
    with PeakMemory() as peak:
        outcome = run_prepare(fixtures.INPUT, work)
        stop_readers()
    peaks["job"] = peak.bytes
    most = {"probe": PROBE_BYTES, "deep probe": DEEP_BYTES, "job": JOB_BYTES}
    for what, size in peaks.items():
        if size >= most[what]:
            violations.append(f"{what} of input.mov: {size} bytes")
    if outcome.status != "fixed":
        violations.append(f"fix of input.mov: {outcome.status} {outcome.text}")
    sizes = ", ".join(f"{what} {size / 2**20:.0f} MB" for what, size in peaks.items())
    return [
        Measurement(
            guarantee=3, measured=f"phone clip in 1080p: {sizes}", violations=tuple(violations)
        )
    ]


def cost(rounds: int) -> list[Measurement]:
    """Measure the time that confinement adds to a probe and to a job."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    import safety

    probe, job = safety.costs(rounds)
    texts = [f"{item.what} +{item.added:.1f} ms on {item.direct:.0f}" for item in (probe, job)]
    violations = [
        f"{item.what}: {item.added:.1f} ms added"
        for item, most in ((probe, safety.PROBE_MS), (job, safety.JOB_MS))
        if item.added > most
    ]
    return [Measurement(guarantee=17, measured=", ".join(texts), violations=tuple(violations))]
