"""Kills, full disks and sources that change under the work: the sixth, seventh, eighth and fifteenth promise."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
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
from pathlib import Path

import mediaprep
from mediaprep.errors import MediaPrepError
from mediaprep.model.events import Event
from mediaprep.runtime.crashpoints import VARIABLE
from tests.hostile.figures import Figure
from tests.hostile.oracles import checked, descendants, state
from tests.hostile.seeds import seed

PROGRAM = str(Path(sys.executable).with_name("mediaprep"))
MOST_STEPS = 400
# A copy, an encode, a GIF, a still; what they become.
WORK = {
    "_small.mkv": "clip.mp4",
    "_small_444.mp4": "full.mp4",
    "f351.gif": "many.gif",
    "comment.png": "plain.png",
}
_PR_SET_CHILD_SUBREAPER = 36


@contextmanager
def adopting() -> Iterator[None]:
    """Orphans of our children become ours, so that they can be counted (Linux)."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def strays(before: set[int], within: float = 1.0) -> set[int]:
    """Live processes below us that were not there before, after so many seconds at the most. The dead ones are reaped."""
    until = time.monotonic() + within
    while True:
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        left = descendants() - before
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.02)


def run(
    words: Sequence[str],
    *,
    fault: str = "",
    kill_after: float | None = None,
    most_bytes: int | None = None,
) -> tuple[int, str]:
    """The program with these words: its exit code and what it said. ``kill_after`` seconds: SIGKILL; ``most_bytes`` of any file."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"} | (
        {VARIABLE: fault} if fault else {}
    )

    def limited() -> None:
        if most_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    child = subprocess.Popen(
        [PROGRAM, "--isolated", "--progress", "none", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        preexec_fn=limited if most_bytes is not None else None,
        text=True,
        errors="replace",
    )
    try:
        said, _ = child.communicate(timeout=kill_after if kill_after is not None else 120)
    except subprocess.TimeoutExpired:
        child.kill()
        said, _ = child.communicate()
    return child.returncode, said


def visible(folder: Path) -> list[Path]:
    """Files that a user sees: none of ours is hidden but work files and the ledger's folder."""
    hidden = (path for path in folder.rglob("*") if path.is_file())
    return sorted(
        path
        for path in hidden
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def partial(folder: Path, label: str) -> list[str]:
    """Visible files that do not pass."""
    return [
        f"{label}: {path.name} is {told.word}: {told.text[:200]}"
        for path in visible(folder)
        if (told := checked(path)).word != "pass"
    ]


class _Kills:
    """One command that is killed again and again, and then run to its end."""

    def __init__(self, work: Path) -> None:
        self.work, self.sources, self.out = work, work / "in", work / "out"
        self.sources.mkdir(parents=True, exist_ok=True)
        self.kills = 0
        self.broken: dict[int, list[str]] = {6: [], 7: [], 8: [], 15: []}

    def fill(self, names: Sequence[str]) -> None:
        for name in names:
            (self.sources / name).write_bytes(seed(name).data)
        self.before = {path: state(path) for path in self.sources.iterdir()}

    def round(
        self,
        label: str,
        words: Sequence[str],
        faults: Sequence[dict[str, object]],
        finish: Callable[[str], None],
    ) -> bool:
        """Killed at each of these, restarted, judged; False where the last run was not killed any more."""
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir()
        killed = False
        for fault in faults:
            around = descendants()
            code, said = run(words, **fault)  # type: ignore[arg-type]
            killed = code == -signal.SIGKILL
            self.kills += killed
            if code not in (0, -signal.SIGKILL):
                self.broken[8].append(f"{label}: exit code {code}: {said[-300:]}")
            if left := strays(around):
                self.broken[15].append(f"{label}: {len(left)} processes outlive their parent")
                for pid in left:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            self.broken[7] += partial(self.out, label)
        finish(label)
        self.broken[6] += [
            f"{label}: {path.name} changed"
            for path, told in self.before.items()
            if state(path) != told
        ]
        return killed

    def figures(self, what: str) -> list[Figure]:
        return [
            Figure(
                tolerance=6,
                found=f"{len(self.broken[6])} sources changed by {self.kills} kills of {what}",
                broken=tuple(self.broken[6]),
            ),
            Figure(
                tolerance=7,
                found=f"{len(self.broken[7])} partial outputs after {self.kills} kills of {what}",
                broken=tuple(self.broken[7]),
            ),
            Figure(
                tolerance=8,
                found=f"{what}: all finished after {self.kills} kills",
                broken=tuple(self.broken[8]),
            ),
            Figure(
                tolerance=15,
                found=f"{len(self.broken[15])} orphans after {self.kills} kills of {what}",
                broken=tuple(self.broken[15]),
            ),
        ]


def kills_of_fix(work: Path, rounds: int, every: int) -> list[Figure]:
    """``fix`` killed at every so-manyth step of each kind of work, and at random times; then it must succeed as if nothing had been."""
    kills = _Kills(work)
    kills.fill(tuple(WORK))
    chance = random.Random("kills of fix")
    with adopting():
        for name, target in WORK.items():
            words = ["fix", str(kills.sources / name), "-o", str(kills.out / target)]

            def finish(label: str, words: Sequence[str] = words, target: str = target) -> None:
                code, said = run([*words, "--force"])
                if code != 0 or [path.name for path in visible(kills.out)] != [target]:
                    kills.broken[8].append(
                        f"{label}: after a restart exit code {code}, {visible(kills.out)}: {said[-300:]}"
                    )

            for count in range(1, MOST_STEPS, every):
                if not kills.round(
                    f"{name} step {count}", words, [{"fault": f"*:{count}"}], finish
                ):
                    break
            for _ in range(rounds // len(WORK)):
                seconds = chance.uniform(0.2, 1.5)
                kills.round(f"{name} {seconds:.3f} s", words, [{"kill_after": seconds}], finish)
    return kills.figures("fix")


def kills_of_batch(work: Path, rounds: int, every: int) -> list[Figure]:
    """``batch`` over all of them, killed up to three times in a row, then run to its end: each output there, once, whole."""
    kills = _Kills(work)
    kills.fill((*WORK, "_small.mp4", "good.srt"))
    words = ["batch", str(kills.sources), "-o", str(kills.out)]
    code, said = run(words)
    calm = {path.relative_to(kills.out) for path in visible(kills.out)}
    kills.broken[8] += (
        [f"undisturbed: exit code {code}: {said[-300:]}"]
        if code or len(calm) != len(kills.before)
        else []
    )
    chance = random.Random("kills of batch")

    def finish(label: str) -> None:
        code, said = run(words)
        found = {path.relative_to(kills.out) for path in visible(kills.out)}
        if code != 0 or found != calm:
            kills.broken[8].append(
                f"{label}: after a restart exit code {code}, {sorted(map(str, found ^ calm))}: {said[-300:]}"
            )
        kills.broken[7].extend(partial(kills.out, label))
        if left := list(kills.out.rglob("*.part")):
            kills.broken[8].append(f"{label}: {len(left)} work files are left")

    with adopting():
        for count in range(1, MOST_STEPS, every):
            if not kills.round(f"step {count}", words, [{"fault": f"*:{count}"}], finish):
                break
        for _ in range(rounds):
            seconds = [chance.uniform(0.3, 3.0) for _ in range(chance.randrange(1, 4))]
            kills.round(f"{seconds}", words, [{"kill_after": time_} for time_ in seconds], finish)
    return kills.figures("batch")


@contextmanager
def small_disk(place: Path, size: int) -> Iterator[bool]:
    """A file system of so many bytes there; False where none may be mounted."""
    place.mkdir(parents=True, exist_ok=True)
    words = [
        "mount",
        "-t",
        "tmpfs",
        "-o",
        f"size={max(size, 4096)},nr_inodes=200",
        "tmpfs",
        str(place),
    ]
    mounted = (
        os.geteuid() == 0
        and shutil.which("mount") is not None
        and subprocess.run(words, capture_output=True).returncode == 0
    )
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(place)], check=True)


def full_disks(work: Path, sizes: int) -> list[Figure]:
    """``fix`` and ``batch`` into disks from nearly nothing to enough: whole and verified, or a clean error and nothing."""
    broken: list[str] = []
    sources = work / "in"
    sources.mkdir(parents=True, exist_ok=True)
    tried = full = 0
    for name, target in WORK.items():
        source = sources / name
        source.write_bytes(seed(name).data)
        before = state(source)
        for number in range(sizes):
            size = 4096 + len(seed(name).data) * 3 * number // max(1, sizes - 1)
            place = work / f"{name}.{number}"
            with small_disk(place, size) as mounted:
                most = None if mounted else size
                code, said = run(["fix", str(source), "-o", str(place / target)], most_bytes=most)
                label = f"{name} on {size} bytes"
                tried, full = tried + 1, full + bool(code)
                left = sorted(path.name for path in place.iterdir())
                if left != ([] if code else [target]):
                    broken.append(f"{label}: exit code {code}, and {left} is there")
                if code not in (0, 4, 5) or "Traceback" in said or "internal error" in said:
                    broken.append(f"{label}: exit code {code}: {said[-300:]}")
                broken += partial(place, label)
                if state(source) != before:
                    broken.append(f"{label}: the source changed")
    how = "of a file system" if os.geteuid() == 0 else "by a file size limit"
    return [
        Figure(
            tolerance=7,
            found=f"0 partial outputs on {full} full disks of {tried} ({how})",
            broken=tuple(broken),
        )
    ]


def full_disk_with_ledger(work: Path, sizes: int) -> list[Figure]:
    """The ledger on the full disk too; with room again the same command finishes everything."""
    broken: list[str] = []
    sources, place = work / "in", work / "disk"
    sources.mkdir(parents=True, exist_ok=True)
    for name in WORK:
        (sources / name).write_bytes(seed(name).data)
    for number in range(sizes):
        size = 16384 + 300_000 * number // max(1, sizes - 1)
        with small_disk(place, size) as mounted:
            if not mounted:
                return [Figure(tolerance=8, found="", skipped="no file system may be mounted here")]
            words = ["batch", str(sources), "-o", str(place / "out")]
            code, said = run(words)
            if "Traceback" in said or "internal error" in said or code not in (0, 4, 5, 6):
                broken.append(f"batch on {size} bytes: exit code {code}: {said[-400:]}")
            if (place / "out").is_dir():
                broken += partial(place / "out", f"batch on {size} bytes")
            subprocess.run(["mount", "-o", "remount,size=50m", str(place)], check=True)
            code, said = run(words)
            if code != 0 or len(visible(place / "out")) != len(WORK):
                broken.append(
                    f"batch on {size} bytes, then with room: exit code {code}: {said[-400:]}"
                )
    return [
        Figure(
            tolerance=8,
            found=f"ledger and outputs on {sizes} full disks, all finished with room",
            broken=tuple(broken),
        )
    ]


def _append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\0\0\0\x10free" + bytes(8))


def _swap(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(seed("_small.mp4").data)
    other.replace(path)


def _overwrite(path: Path) -> None:
    """Other bytes of the same length under the old time of change."""
    facts = path.stat()
    with path.open("r+b") as file:
        file.seek(facts.st_size // 2)
        file.write(bytes(2000))
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))


CHANGES: dict[str, Callable[[Path], None]] = {
    "appended": _append,
    "truncated": lambda path: os.truncate(path, path.stat().st_size // 2),
    "emptied": lambda path: os.truncate(path, 0),
    "swapped": _swap,
    "overwritten": _overwrite,
}
HARMLESS: dict[str, Callable[[Path], object]] = {"removed": Path.unlink}


def changing_sources(work: Path) -> list[Figure]:
    """The source changed by somebody else at each stage: nothing is published of it, no exception but a typed one."""
    broken, tried = [], 0
    for name, target in WORK.items():
        for change, act in CHANGES.items():
            for stage in ("probe", "encode", "verify"):
                folder = work / f"{name}.{change}.{stage}"
                (folder / "out").mkdir(parents=True)
                source = folder / f"clip{Path(name).suffix}"
                source.write_bytes(seed(name).data)
                tried += 1

                def listen(
                    event: Event,
                    stage: str = stage,
                    act: Callable[[Path], None] = act,
                    source: Path = source,
                ) -> None:
                    if event.event == "stage.start" and getattr(event, "stage", "") == stage:
                        act(source)

                label = f"{name} {change} at {stage}"
                try:
                    status = mediaprep.prepare(
                        source, folder / "out" / target, on_event=listen
                    ).status
                except MediaPrepError as problem:
                    status = type(problem).__name__
                if stage == "probe":
                    broken += partial(folder / "out", label)
                elif status not in ("failed", "unreadable") or visible(folder / "out"):
                    broken.append(
                        f"{label}: {status}, {[path.name for path in visible(folder / 'out')]}"
                    )
                if any((folder / "out").glob(".*.part")):
                    broken.append(f"{label}: a work file is left")
    return [
        Figure(
            tolerance=10,
            found=f"{len(broken)} outputs of {tried} sources that changed under the work",
            broken=tuple(broken),
        )
    ]


def stopped(work: Path) -> list[Figure]:
    """The program stopped by SIGSTOP in mid-work and continued: it goes on, or ends with a typed error; its children never run on."""
    source, out = work / "clip.mp4", work / "out"
    out.mkdir(parents=True, exist_ok=True)
    source.write_bytes(seed("_small_444.mp4").data)
    broken = []
    for seconds in (0.4, 0.7, 1.0):
        child = subprocess.Popen(
            [
                PROGRAM,
                "--isolated",
                "--quiet",
                "fix",
                str(source),
                "-o",
                str(out / "x.mp4"),
                "--force",
            ],
            stdout=subprocess.DEVNULL,
        )
        time.sleep(seconds)
        child.send_signal(signal.SIGSTOP)
        time.sleep(0.5)
        child.send_signal(signal.SIGCONT)
        if child.wait(60) != 0:
            broken.append(f"stopped after {seconds} s: exit code {child.returncode}")
    return [
        Figure(tolerance=8, found="3 of 3 runs stopped and continued finish", broken=tuple(broken))
    ]


def digest(path: Path) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def in_threads(work: Path, count: int) -> list[Figure]:
    """Callers in threads that are all cancelled at random: nothing is left of any."""
    source, out = work / "clip.mp4", work / "out"
    out.mkdir(parents=True, exist_ok=True)
    source.write_bytes(seed("_small_444.mp4").data)
    chance, broken = random.Random("threads"), []
    before = descendants()

    def one(number: int) -> None:
        stop = threading.Event()
        timer = threading.Timer(chance.uniform(0.0, 0.6), stop.set)
        timer.start()
        try:
            mediaprep.prepare(source, out / f"{number}.mp4", cancel=stop)
        except MediaPrepError as problem:
            if (out / f"{number}.mp4").exists():
                broken.append(f"{number}: {problem}, and an output is there")
        finally:
            timer.cancel()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    broken += partial(out, "cancelled") + [str(path) for path in out.glob(".*.part")]
    from tests.hostile.oracles import end_readers

    end_readers()
    broken += [f"stray {pid}" for pid in strays(before)]
    return [
        Figure(
            tolerance=15,
            found=f"0 strays of {count} callers cancelled in threads",
            broken=tuple(broken),
        )
    ]
