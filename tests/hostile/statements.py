"""That protection is stated, what it costs, and what the suites of other rooms hold: the remaining promises."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import fixtures
from mediaprep.model.options import Options
from tests.hostile.faults import run
from tests.hostile.figures import Figure
from tests.hostile.oracles import JOB_BYTES, PROBE_BYTES, Peak, checked, end_readers, prepared
from tests.hostile.seeds import seed

DEEP_BYTES = 900 * 10**6  # SECURITY.md, 3
ROOT = Path(__file__).resolve().parents[2]
# Promises that the suites of their rooms hold: (number, what was measured, tests to run). The long ones are run by name.
SUITES = (
    (
        1,
        "a reader that crashes is charged to its file, the next is fine",
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
        "14 writer styles, polled and told: none early, all in the end",
        "tests/jobs/watch/test_settle.py",
    ),
    (12, "3,000 of 3,000 files, and a queue of few events", "tests/jobs/watch/test_watch.py"),
    (15, "children and readers of killed parents", "tests/runtime/test_process.py"),
    (18, "a file that kills workers fails alone", "tests/jobs/workers/test_dask.py"),
)


def by_suites(*, long: bool) -> list[Figure]:
    """Run them, and tell which tests failed."""
    figures = []
    for number, words, path in SUITES:
        marks = "long or not long" if long else "not long"
        argv = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-m",
            marks,
            "-p",
            "no:cacheprovider",
            "--timeout",
            "1800",
            path,
        ]
        done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True)
        failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
        passed = re.search(r"(\d+) passed", done.stdout)
        broken = tuple(failed) or ((done.stdout[-500:],) if done.returncode else ())
        count = passed[1] if passed else str(done.stdout.count("."))
        figures.append(
            Figure(tolerance=number, found=f"{words} ({count} tests of {path})", broken=broken)
        )
    return figures


def stated(work: Path) -> list[Figure]:
    """``doctor`` and every report say how children are confined, whatever became of the file; what is refused says so too."""
    work.mkdir(parents=True, exist_ok=True)
    fine, odd, text = work / "fine.mp4", work / "odd.mkv", work / "text.mp4"
    fine.write_bytes(seed("_small_plain.mp4").data)
    odd.write_bytes(seed("_small.mkv").data)
    text.write_bytes(b"no medium\n" * 20)
    broken = []
    for level in ("strict", "basic"):
        for words in (["check"], ["plan"], ["probe"], ["fix", "--force", "-o", f"{work}/out/"]):
            (work / "out").mkdir(exist_ok=True)
            for path in (fine, odd, text) if level == "strict" else (odd,):
                code, said = run(["--sandbox", level, *words, "--json", str(path)])
                if code == 4 and level == "strict":
                    continue  # this host has none, and says so
                report = json.loads(said[said.index("{") :])
                levels = {report.get("sandbox")} | set(_levels(report))
                if levels != {level}:
                    broken.append(f"{words[0]} --sandbox {level} {path.name}: says {levels}")
        code, said = run(["--sandbox", level, "doctor", "--json"])
        item = next(
            item
            for item in json.loads(said[said.index("{") :])["items"]
            if item["name"] == "sandbox"
        )
        if level not in item["message"]:
            broken.append(f"doctor --sandbox {level}: {item['message']}")
    return [
        Figure(
            tolerance=16,
            found="doctor, check, plan, fix and probe state the level, for files of every end",
            broken=tuple(broken),
        )
    ]


def _levels(report: object) -> list[str]:
    """Every level that is stated anywhere in a document."""
    if isinstance(report, dict):
        own = [report["sandbox"]] if isinstance(report.get("sandbox"), str) else []
        return own + [level for value in report.values() for level in _levels(value)]
    return (
        [level for value in report for level in _levels(value)] if isinstance(report, list) else []
    )


def memory(work: Path) -> list[Figure]:
    """The peak of a reader and of a job for the phone clip that the package is about: 1080x1920 HEVC of 10 bits, encoded anew."""
    readers = {"probe": {}, "deep probe": {"options": Options(deep=True)}}
    peaks: dict[str, int] = {}
    for what, options in readers.items():
        with Peak() as peak:
            checked(fixtures.INPUT, **options)
            end_readers()
        peaks[what] = peak.bytes
    with Peak() as peak:
        ending = prepared(fixtures.INPUT, work)
        end_readers()
    peaks["job"] = peak.bytes
    most = {"probe": PROBE_BYTES, "deep probe": DEEP_BYTES, "job": JOB_BYTES}
    over = [
        f"{what} of input.mov: {size} bytes" for what, size in peaks.items() if size >= most[what]
    ]
    over += [] if ending.word == "fixed" else [f"fix of input.mov: {ending.word} {ending.text}"]
    found = ", ".join(f"{what} {size / 2**20:.0f} MB" for what, size in peaks.items())
    return [Figure(tolerance=3, found=f"a phone's clip of 1080p: {found}", broken=tuple(over))]


def cost(rounds: int) -> list[Figure]:
    """What a probe and a job take more than without protection."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    import safety

    probe, job = safety.costs(rounds)
    found = f"probe +{probe.added:.1f} ms on {probe.bare:.0f}, job +{job.added:.1f} ms on {job.bare:.0f}"
    over = [
        f"{one.what}: {one.added:.1f} ms"
        for one, most in ((probe, safety.PROBE_MS), (job, safety.JOB_MS))
        if one.added > most
    ]
    return [Figure(tolerance=17, found=found, broken=tuple(over))]
