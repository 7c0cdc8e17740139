"""Measure batch and watch: ``python -m benchmarks.batch [--quick] [row ...]`` prints the table.

inputs     build the clips below; otherwise the first row that needs a clip builds it
clips      40 clips of 3 s that must be encoded: mediaprep batch, and xargs -P with the bare
           ffmpeg commands
long       6 clips of 60 s in the same way
fine       2,000 files of 320x240 that are already accepted, 2 workers: milliseconds per file
dask       overhead of a job over Dask: the same files over threads and over a local cluster
ledger     10^6 jobs added to a ledger: seconds, peak memory
memory     peak memory of the commands batch and watch on 1,000 and on 20,000 files, and of a scan,
           the ledger and the unsettled files with 1,000 and with 100,000 files
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks._run import build_input

MEDIAPREP = [sys.executable, "-m", "mediaprep"]


def clip(seconds: float, *, seed: int, size: str = "640x360", fine: bool = False) -> Path:
    """Return a clip that is built once; unless ``fine`` it violates the chroma subsampling rule."""
    picture = f"testsrc2=s={size}:r=30:d={seconds},hue=h={seed * 7}"
    inputs = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", f"sine=f={200 + seed}:d={seconds}"]
    pixels = (
        ["-profile:v", "high", "-pix_fmt", "yuv420p"]
        if fine
        else ["-profile:v", "high422", "-pix_fmt", "yuv422p"]
    )
    coded = [
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        *pixels,
        "-flags",
        "+cgop",
        "-x264-params",
        "open-gop=0",
        "-c:a",
        "aac",
    ]
    return build_input(
        f"batch-{'fine' if fine else 'clip'}-{size}-{seconds:g}s-{seed}.mp4",
        [*inputs, *coded, "-movflags", "+faststart"],
    )


def throughput(folder: Path, count: int, seconds: float) -> tuple[float, float]:
    """Return the seconds of xargs -P 2 with the commands that plan prints, and of batch -j 2."""
    source = folder / "in"
    source.mkdir()
    for number in range(count):
        shutil.copyfile(clip(seconds, seed=number), source / f"{number:03d}.mp4")
    commands = folder / "commands"
    bare = folder / "bare"
    bare.mkdir()
    with commands.open("w") as file:
        for path in sorted(source.iterdir()):
            command = subprocess.run(
                [*MEDIAPREP, "plan", "--argv", str(path)],
                capture_output=True,
                text=True,
                check=True,
            ).stdout.strip()
            file.write(f"cd {bare} && {command}\0")
    began = time.monotonic()
    with commands.open("rb") as file:
        subprocess.run(
            ["xargs", "-0", "-P", "2", "-n", "1", "sh", "-c"],
            stdin=file,
            stdout=subprocess.DEVNULL,
            check=True,
        )
    xargs = time.monotonic() - began
    assert len(list(bare.iterdir())) == count
    began = time.monotonic()
    subprocess.run(
        [*MEDIAPREP, "batch", str(source), "-o", str(folder / "out"), "-j", "2", "-q"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    took = time.monotonic() - began
    assert len(list((folder / "out").glob("*.mp4"))) == count
    return xargs, took


def clips(quick: bool, count: int = 40, seconds: float = 3, goal: float = 0.85) -> None:
    with tempfile.TemporaryDirectory() as folder:
        xargs, took = throughput(Path(folder), 8 if quick else count, seconds)
    print(
        f"clips   {8 if quick else count} x {seconds:g} s: xargs -P 2 {xargs:.1f} s,"
        f" batch -j 2 {took:.1f} s: {xargs / took:.2f} of the throughput (goal {goal})"
    )


def long(quick: bool) -> None:
    clips(False, 2 if quick else 6, 60, 0.90)


def inputs(quick: bool) -> None:
    """Build the clips of the other rows."""
    for number in range(40):
        clip(3, seed=number)
    for number in range(6):
        clip(60, seed=number)


def fine(quick: bool) -> None:
    count = 200 if quick else 2000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder / "in", count)
        began = time.monotonic()
        argv = [*MEDIAPREP, "batch", str(folder / "in"), "-o", str(folder / "out"), "-j", "2", "-q"]
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
        took = time.monotonic() - began
        assert len(list((folder / "out").glob("*.mp4"))) == count
    print(f"fine    {count} files of 320x240, 1 s: {1000 * took / count:.1f} ms a file (goal 25)")


def fill(folder: Path, count: int) -> None:
    """Write files of 320x240 that are already accepted, each with different content."""
    folder.mkdir()
    data = clip(1, seed=1, size="320x240", fine=True).read_bytes()
    for number in range(count):
        (folder / f"{number:05d}.mp4").write_bytes(
            data + (8 + number).to_bytes(4, "big") + b"free" + bytes(number)
        )


def dask(quick: bool) -> None:
    import distributed

    from mediaprep.jobs.run import batch
    from mediaprep.jobs.run.options import RunOptions
    from mediaprep.jobs.workers.dask import DaskPool
    from mediaprep.jobs.workers.pool import WorkerPool
    from mediaprep.jobs.workers.records import RunSettings
    from mediaprep.jobs.workers.threads import ThreadPool
    from mediaprep.profile import find_profile

    count, took = (100 if quick else 500), {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder / "in", count)

        def run(pool: WorkerPool, label: str) -> None:
            with batch.open_driver(
                folder / label,
                RunSettings(profile=find_profile("twitter")),
                pool,
                RunOptions(),
                lambda event: None,
            ) as driver:
                batch.run(driver, [str(folder / "in" / "00000.mp4")])  # imports, and the first file
                began = time.monotonic()
                batch.run(driver, [str(folder / "in")])
                took[label] = time.monotonic() - began
            pool.close()

        run(ThreadPool(2), "threads")
        with distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address=None,
            protocol="tcp",
            host="127.0.0.1",
            resources={"CPU": 1},
        ) as local:
            run(DaskPool(local.scheduler_address), "cluster")
    threads, cluster = (1000 * took[label] / count for label in ("threads", "cluster"))
    print(
        f"dask    {count} jobs: threads {threads:.1f} ms, cluster {cluster:.1f} ms:"
        f" {cluster - threads:+.1f} ms a job (goal 10)"
    )


def ledger(quick: bool) -> None:
    from mediaprep.jobs.ledger.ledger import Ledger
    from mediaprep.jobs.ledger.records import FoundFile

    count = 100_000 if quick else 1_000_000
    with tempfile.TemporaryDirectory() as name, Ledger(Path(name) / "ledger.db") as jobs:
        settings = jobs.register_settings("r", {}, {})
        began = time.monotonic()
        jobs.add(
            settings,
            (
                FoundFile(
                    source=f"/archive/{n % 365}/clip-{n}.mov",
                    relative_path=f"{n % 365}/clip-{n}.mov",
                    stamp=(n, n, n, n),
                )
                for n in range(count)
            ),
        )
        took = time.monotonic() - began
        began = time.monotonic()
        for _ in range(100):
            jobs.claim(settings, 1)
        claim = (time.monotonic() - began) / 100
    print(
        f"ledger  {count} jobs added in {took:.1f} s (goal: 10^6 in 20),"
        f" a claim {1000 * claim:.2f} ms, peak {peak()} MB"
    )


def memory(quick: bool) -> None:
    """Measure in separate processes. Every input is a text file, which watch quarantines."""
    few, many = (200, 2000) if quick else (1000, 20_000)
    for command, options in (
        ("batch", ["-o", "out"]),
        ("watch", ["out", "--once", "--settle", "0.1", "--incomplete-after", "1"]),
    ):
        peaks = [peak_of_command(command, options, count) for count in (few, many)]
        print(
            f"memory  mediaprep {command}: {few} files {peaks[0]} MB, {many} files {peaks[1]} MB:"
            f" {peaks[1] - peaks[0]:+d} MB",
            flush=True,
        )
    few, many = (500, 20_000) if quick else (1000, 100_000)
    for command in ("batch", "watch"):
        peaks = []
        for count in (few, many):
            argv = [
                sys.executable,
                "-m",
                "benchmarks.batch",
                "--known",
                command,
                "--count",
                str(count),
            ]
            peaks.append(
                int(
                    subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()[
                        -1
                    ]
                )
            )
        print(
            f"memory  known to {command}: {few} files {peaks[0]} MB, {many} files {peaks[1]} MB:"
            f" {peaks[1] - peaks[0]:+d} MB"
        )


def peak_of_command(command: str, options: list[str], count: int) -> int:
    """Return the peak memory in MB of a command that gets so many text files."""
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "in").mkdir()
        for number in range(count):
            (Path(name) / "in" / f"{number}.txt").write_bytes(b"note %d" % number)
        argv = [*MEDIAPREP, command, "in", *options, "-q"]
        child = subprocess.Popen(argv, cwd=name, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        assert child.returncode == 6, child.returncode
        return usage.ru_maxrss // 1024


def known(command: str, count: int) -> None:
    """Scan ``count`` files: half are in the ledger, the others are added by ``command``."""
    from mediaprep.jobs.ledger.discover import walk
    from mediaprep.jobs.ledger.ledger import Ledger
    from mediaprep.jobs.watch.settle import SettleOptions, UnsettledFiles

    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "in"
        source.mkdir()
        for number in range(count):
            (source / f"{number}.srt").write_bytes(b"%d" % number)
        with Ledger(Path(name) / "ledger.db") as jobs:
            settings = jobs.register_settings("r", {}, {})
            jobs.add(
                settings,
                (file for file in walk(source, print) if int(file.relative_path[:-4]) % 2),
            )
            if command == "batch":
                jobs.add(settings, walk(source, print))
                while jobs.claim(settings, 8):
                    pass
            else:
                unsettled = UnsettledFiles(
                    SettleOptions(settle=0.0, check_interval=0.0, incomplete_after=0.0)
                )
                for file in walk(source, print):
                    if not jobs.contains(settings, file.source, file.stamp):
                        unsettled.add(file)
                while len(unsettled):
                    files = list(unsettled.settled())
                    jobs.add(settings, files)
                    for file in files:
                        unsettled.remove(file)
                    if not files:
                        time.sleep(0.01)
        print(peak())  # before the folder is deleted, which lists all its names in memory


def peak() -> int:
    """Return the peak memory of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


ROWS: dict[str, Callable[[bool], None]] = {
    "inputs": inputs,
    "clips": clips,
    "long": long,
    "fine": fine,
    "dask": dask,
    "ledger": ledger,
    "memory": memory,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", nargs="*", metavar="row")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--known", choices=["batch", "watch"], help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, default=0, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.known:
        known(arguments.known, arguments.count)
        return
    print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f},"
        f" {shutil.disk_usage(tempfile.gettempdir()).free // 2**30} GB free"
    )
    for row in arguments.rows or ROWS:
        ROWS[row](arguments.quick)


if __name__ == "__main__":
    main()
