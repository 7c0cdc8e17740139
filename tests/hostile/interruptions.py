"""Kills, full disks, suspended processes and sources that change during the work.

Guarantees 6, 7, 8, 10 and 15.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import mediaprep
from mediaprep.errors import MediaPrepError
from mediaprep.model.events import Event
from mediaprep.runtime.crashpoints import VARIABLE
from tests.hostile.guarantees import Measurement
from tests.hostile.oracles import descendants, file_state, run_check, stop_readers
from tests.hostile.seeds import seed

PROGRAM = (sys.executable, "-m", "mediaprep", "--isolated")
RUN_SECONDS = 120
MAX_CRASH_POINTS = 400
# Sources of a copy, an encode, a GIF and a still, and their output names.
WORK = {
    "_small.mkv": "clip.mp4",
    "_small_444.mp4": "full.mp4",
    "f351.gif": "many.gif",
    "comment.png": "plain.png",
}
_PR_SET_CHILD_SUBREAPER = 36


@contextmanager
def adopt_orphans() -> Iterator[None]:
    """Make this process the parent of orphaned descendants, so that they are counted (Linux)."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def strays(before: set[int], within: float = 1.0) -> set[int]:
    """Return running descendants that are not in ``before``, after waiting for them to end."""
    until = time.monotonic() + within
    while True:
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        left = descendants() - before
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.02)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interruption:
    """How a run ends early: at a crash point, or after some seconds (SIGKILL)."""

    crash_point: str = ""
    seconds: float = RUN_SECONDS


def run(
    arguments: Sequence[str],
    interruption: Interruption = Interruption(),
    max_file_bytes: int | None = None,
) -> tuple[int, str]:
    """Run the program; return its exit code, and stdout followed by stderr."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    if interruption.crash_point:
        environment[VARIABLE] = interruption.crash_point

    def limit_file_size() -> None:
        if max_file_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (max_file_bytes, max_file_bytes))
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    child = subprocess.Popen(
        [*PROGRAM, "--progress", "none", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        preexec_fn=limit_file_size if max_file_bytes is not None else None,
        text=True,
        errors="replace",
    )
    try:
        stdout, stderr = child.communicate(timeout=interruption.seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        stdout, stderr = child.communicate()
    return child.returncode, stdout + stderr


def visible(folder: Path) -> list[Path]:
    """Return the files that a user sees: not work files and not those of the ledger."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def partial(folder: Path, label: str) -> list[str]:
    """Return a line for each visible file that does not pass."""
    lines = []
    for path in visible(folder):
        outcome = run_check(path)
        if outcome.status != "pass":
            lines.append(f"{label}: {path.name} is {outcome.status}: {outcome.text[:200]}")
    return lines


class _KillTest:
    """One command that is killed again and again, and then run to its end."""

    def __init__(self, work: Path, names: Sequence[str]) -> None:
        self.sources, self.out = work / "in", work / "out"
        self.sources.mkdir(parents=True, exist_ok=True)
        for name in names:
            (self.sources / name).write_bytes(seed(name).data)
        self.before = {path: file_state(path) for path in self.sources.iterdir()}
        self.kills = 0
        self.violations: dict[int, list[str]] = {6: [], 7: [], 8: [], 15: []}

    def run_round(
        self,
        label: str,
        arguments: Sequence[str],
        interruptions: Sequence[Interruption],
        finish: Callable[[str], None],
    ) -> bool:
        """Interrupt the command each time, then finish; return True if the last run was killed."""
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir()
        killed = False
        for interruption in interruptions:
            processes = descendants()
            code, output = run(arguments, interruption)
            killed = code == -signal.SIGKILL
            self.kills += killed
            if code not in (0, -signal.SIGKILL):
                self.violations[8].append(f"{label}: exit code {code}: {output[-300:]}")
            if left := strays(processes):
                self.violations[15].append(f"{label}: {len(left)} processes outlive their parent")
                for pid in left:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            self.violations[7] += partial(self.out, label)
        finish(label)
        self.violations[6] += [
            f"{label}: {path.name} changed"
            for path, before in self.before.items()
            if file_state(path) != before
        ]
        return killed

    def measurements(self, command: str) -> list[Measurement]:
        texts = {
            6: f"sources changed by {self.kills} kills of {command}",
            7: f"partial outputs after {self.kills} kills of {command}",
            8: f"runs of {command} not finished after {self.kills} kills",
            15: f"orphans after {self.kills} kills of {command}",
        }
        return [
            Measurement(
                guarantee=number,
                measured=f"{len(self.violations[number])} {text}",
                violations=tuple(self.violations[number]),
            )
            for number, text in texts.items()
        ]


def kills_of_fix(work: Path, rounds: int, every: int) -> list[Measurement]:
    """Kill ``fix`` at crash points and random times; after that it must succeed."""
    test = _KillTest(work, tuple(WORK))
    rng = random.Random("kills of fix")
    with adopt_orphans():
        for name, target in WORK.items():
            arguments = ["fix", str(test.sources / name), "-o", str(test.out / target)]

            def finish(
                label: str, arguments: Sequence[str] = arguments, target: str = target
            ) -> None:
                code, output = run([*arguments, "--force"])
                outputs = [path.name for path in visible(test.out)]
                if code != 0 or outputs != [target]:
                    test.violations[8].append(
                        f"{label}: restarted, exit code {code}, {outputs}: {output[-300:]}"
                    )

            for count in range(1, MAX_CRASH_POINTS, every):
                label = f"{name} at crash point {count}"
                point = Interruption(crash_point=f"*:{count}")
                if not test.run_round(label, arguments, [point], finish):
                    break
            for _ in range(rounds // len(WORK)):
                seconds = rng.uniform(0.2, 1.5)
                label = f"{name} after {seconds:.3f} s"
                test.run_round(label, arguments, [Interruption(seconds=seconds)], finish)
    return test.measurements("fix")


def kills_of_batch(work: Path, rounds: int, every: int) -> list[Measurement]:
    """Kill ``batch`` up to three times, then run it to its end: each output must exist once."""
    test = _KillTest(work, (*WORK, "_small.mp4", "good.srt"))
    arguments = ["batch", str(test.sources), "-o", str(test.out)]
    code, output = run(arguments)
    expected = {path.relative_to(test.out) for path in visible(test.out)}
    if code or len(expected) != len(test.before):
        test.violations[8].append(f"not interrupted: exit code {code}: {output[-300:]}")
    rng = random.Random("kills of batch")

    def finish(label: str) -> None:
        code, output = run(arguments)
        outputs = {path.relative_to(test.out) for path in visible(test.out)}
        if code != 0 or outputs != expected:
            difference = sorted(map(str, outputs ^ expected))
            test.violations[8].append(
                f"{label}: restarted, exit code {code}, {difference}: {output[-300:]}"
            )
        test.violations[7].extend(partial(test.out, label))
        if left := list(test.out.rglob("*.part")):
            test.violations[8].append(f"{label}: {len(left)} work files are left")

    with adopt_orphans():
        for count in range(1, MAX_CRASH_POINTS, every):
            point = Interruption(crash_point=f"*:{count}")
            if not test.run_round(f"at crash point {count}", arguments, [point], finish):
                break
        for _ in range(rounds):
            times = [rng.uniform(0.3, 3.0) for _ in range(rng.randrange(1, 4))]
            kills = [Interruption(seconds=seconds) for seconds in times]
            test.run_round(f"after {times} s", arguments, kills, finish)
    return test.measurements("batch")


@contextmanager
def small_disk(place: Path, size: int) -> Iterator[bool]:
    """Mount a file system of ``size`` bytes; yield False if mounting is not permitted."""
    place.mkdir(parents=True, exist_ok=True)
    options = f"size={max(size, 4096)},nr_inodes=200"
    mounted = False
    if os.geteuid() == 0 and shutil.which("mount") is not None:
        argv = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
        mounted = subprocess.run(argv, capture_output=True).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(place)], check=True)


def _is_clean(code: int, output: str, codes: Sequence[int]) -> bool:
    return code in codes and "Traceback" not in output and "internal error" not in output


def full_disks(work: Path, sizes: int) -> list[Measurement]:
    """Run ``fix`` into disks from nearly empty to large enough.

    The output must be complete and verified, or absent after a clean error.
    """
    violations: list[str] = []
    sources = work / "in"
    sources.mkdir(parents=True, exist_ok=True)
    runs = full = 0
    for name, target in WORK.items():
        source = sources / name
        source.write_bytes(seed(name).data)
        before = file_state(source)
        for number in range(sizes):
            size = 4096 + len(seed(name).data) * 3 * number // max(1, sizes - 1)
            place = work / f"{name}.{number}"
            label = f"{name} on {size} bytes"
            with small_disk(place, size) as mounted:
                code, output = run(
                    ["fix", str(source), "-o", str(place / target)],
                    max_file_bytes=None if mounted else size,
                )
                runs, full = runs + 1, full + bool(code)
                left = sorted(path.name for path in place.iterdir())
                if left != ([] if code else [target]):
                    violations.append(f"{label}: exit code {code}, files: {left}")
                if not _is_clean(code, output, (0, 4, 5)):
                    violations.append(f"{label}: exit code {code}: {output[-300:]}")
                violations += partial(place, label)
                if file_state(source) != before:
                    violations.append(f"{label}: the source changed")
    how = "small file systems" if os.geteuid() == 0 else "a file size limit"
    return [
        Measurement(
            guarantee=7,
            measured=f"{len(violations)} violations on {full} full disks of {runs} ({how})",
            violations=tuple(violations),
        )
    ]


def full_disk_with_ledger(work: Path, sizes: int) -> list[Measurement]:
    """Run ``batch`` with outputs and ledger on a full disk; with more room it must finish."""
    violations: list[str] = []
    sources, place = work / "in", work / "disk"
    sources.mkdir(parents=True, exist_ok=True)
    for name in WORK:
        (sources / name).write_bytes(seed(name).data)
    arguments = ["batch", str(sources), "-o", str(place / "out")]
    for number in range(sizes):
        size = 16384 + 300_000 * number // max(1, sizes - 1)
        label = f"batch on {size} bytes"
        with small_disk(place, size) as mounted:
            if not mounted:
                return [Measurement(guarantee=8, measured="", skipped="mounting is not permitted")]
            code, output = run(arguments)
            if not _is_clean(code, output, (0, 4, 5, 6)):
                violations.append(f"{label}: exit code {code}: {output[-400:]}")
            if (place / "out").is_dir():
                violations += partial(place / "out", label)
            subprocess.run(["mount", "-o", "remount,size=50m", str(place)], check=True)
            code, output = run(arguments)
            if code != 0 or len(visible(place / "out")) != len(WORK):
                violations.append(f"{label}, enlarged: exit code {code}: {output[-400:]}")
    return [
        Measurement(
            guarantee=8,
            measured=f"{len(violations)} violations on {sizes} full disks with the ledger",
            violations=tuple(violations),
        )
    ]


def _append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\0\0\0\x10free" + bytes(8))


def _replace(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(seed("_small.mp4").data)
    other.replace(path)


def _overwrite(path: Path) -> None:
    """Overwrite bytes without changing size and mtime."""
    status = path.stat()
    with path.open("r+b") as file:
        file.seek(status.st_size // 2)
        file.write(bytes(2000))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


CHANGES: dict[str, Callable[[Path], None]] = {
    "appended": _append,
    "truncated": lambda path: os.truncate(path, path.stat().st_size // 2),
    "emptied": lambda path: os.truncate(path, 0),
    "replaced": _replace,
    "overwritten": _overwrite,
}


def changing_sources(work: Path) -> list[Measurement]:
    """Change the source at each stage: nothing may be published, and every error must be typed."""
    violations, count = [], 0
    for name, target in WORK.items():
        for change, apply in CHANGES.items():
            for stage in ("probe", "encode", "verify"):
                folder = work / f"{name}.{change}.{stage}"
                (folder / "out").mkdir(parents=True)
                source = folder / f"clip{Path(name).suffix}"
                source.write_bytes(seed(name).data)
                label = f"{name} {change} at {stage}"
                violations += _changed_at(stage, apply, source, folder / "out" / target, label)
                count += 1
    return [
        Measurement(
            guarantee=10,
            measured=f"{len(violations)} violations by {count} sources changed during the work",
            violations=tuple(violations),
        )
    ]


def _changed_at(
    stage: str, apply: Callable[[Path], None], source: Path, target: Path, label: str
) -> list[str]:
    def change_source(event: Event) -> None:
        if event.event == "stage.start" and getattr(event, "stage", "") == stage:
            apply(source)

    try:
        status = mediaprep.prepare(source, target, on_event=change_source).status
    except MediaPrepError as problem:
        status = type(problem).__name__
    violations, out = [], target.parent
    if stage == "probe":  # the change came first: the changed file is the source
        violations += partial(out, label)
    elif status not in ("failed", "unreadable") or visible(out):
        violations.append(f"{label}: {status}, {[path.name for path in visible(out)]}")
    if any(out.glob(".*.part")):
        violations.append(f"{label}: a work file is left")
    return violations


def suspended(work: Path) -> list[Measurement]:
    """Suspend the program (SIGSTOP) during the work and resume it: it must finish."""
    source, out = work / "clip.mp4", work / "out"
    out.mkdir(parents=True, exist_ok=True)
    source.write_bytes(seed("_small_444.mp4").data)
    arguments = ["--quiet", "fix", str(source), "-o", str(out / "x.mp4"), "--force"]
    violations = []
    times = (0.4, 0.7, 1.0)
    for seconds in times:
        child = subprocess.Popen([*PROGRAM, *arguments], stdout=subprocess.DEVNULL)
        time.sleep(seconds)
        child.send_signal(signal.SIGSTOP)
        time.sleep(0.5)
        child.send_signal(signal.SIGCONT)
        if child.wait(60) != 0:
            violations.append(f"suspended after {seconds} s: exit code {child.returncode}")
    return [
        Measurement(
            guarantee=8,
            measured=f"{len(violations)} of {len(times)} suspended runs did not finish",
            violations=tuple(violations),
        )
    ]


def cancelled_threads(work: Path, count: int) -> list[Measurement]:
    """Cancel calls in many threads at random times: nothing may be left behind."""
    source, out = work / "clip.mp4", work / "out"
    out.mkdir(parents=True, exist_ok=True)
    source.write_bytes(seed("_small_444.mp4").data)
    rng, violations = random.Random("threads"), []
    before = descendants()

    def call(number: int) -> None:
        cancel = threading.Event()
        timer = threading.Timer(rng.uniform(0.0, 0.6), cancel.set)
        timer.start()
        try:
            mediaprep.prepare(source, out / f"{number}.mp4", cancel=cancel)
        except MediaPrepError as problem:
            if (out / f"{number}.mp4").exists():
                violations.append(f"{number}: {problem}, but there is an output")
        finally:
            timer.cancel()

    threads = [threading.Thread(target=call, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    violations += partial(out, "cancelled") + [str(path) for path in out.glob(".*.part")]
    stop_readers()
    violations += [f"stray process {pid}" for pid in strays(before)]
    return [
        Measurement(
            guarantee=15,
            measured=f"{len(violations)} violations by {count} calls cancelled in threads",
            violations=tuple(violations),
        )
    ]
