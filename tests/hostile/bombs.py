"""Files that would use unlimited time or memory: guarantees 2, 3 and 13.

Their recipes are in fixtures/recipes/hostile.py.
"""

from __future__ import annotations

import os
import socket
import struct
import zlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import fixtures
from fixtures.recipes import hostile
from mediaprep.model.options import Options
from tests.hostile.guarantees import Measurement
from tests.hostile.mutants import JOB_SECONDS
from tests.hostile.oracles import (
    JOB_BYTES,
    PROBE_BYTES,
    PROBE_SECONDS,
    PeakMemory,
    leak_check,
    run_check,
    run_prepare,
)

# For files whose timestamps span years: options that make a filter or planner count up to them.
REPAIR_OPTIONS = {
    "first": Options(trim="first"),
    "span": Options(trim=(Fraction(0), Fraction(100))),
    "late": Options(trim=(Fraction(90_000_000), Fraction(90_000_100))),
    "split": Options(split=True),
    "gif": Options(to="gif", trim=(Fraction(0), Fraction(5))),
}


def _png(chunks: tuple[tuple[bytes, bytes], ...], size: tuple[int, int] = (64, 64)) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 0, 0, 0, 0))
    picture = chunk(b"IDAT", zlib.compress(bytes((size[0] + 1) * size[1])))
    return (
        b"\x89PNG\r\n\x1a\n"
        + head
        + b"".join(chunk(*item) for item in chunks)
        + picture
        + chunk(b"IEND", b"")
    )


def generated_bombs() -> Iterator[tuple[str, bytes]]:
    """Yield names and contents: nested and repeated structures, very long texts."""
    text = b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(200 * 2**20), 9)
    yield "itxt.png", _png(((b"iTXt", text),))
    yield "many_texts.png", _png(tuple((b"tEXt", b"Comment\0x") for _ in range(100_000)))
    yield (
        "exif_loop.png",
        _png(((b"eXIf", b"II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x08\0\0\0\x08\0\0\0"),)),
    )
    yield (
        "deep.mkv",
        b"\x1a\x45\xdf\xa3\x8b\x42\x82\x88matroska"
        + b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff" * 20_000,
    )
    yield (
        "cues.srt",
        b"".join(b"%d\n00:00:01,000 --> 00:00:02,000\nx\n\n" % n for n in range(200_000)),
    )
    yield "one_line.srt", b"1\n00:00:01,000 --> 00:00:02,000\n" + b"<i>" * 2_000_000
    yield "long_time.srt", b"1\n" + b"9" * 100_000 + b":00:01,000 --> 00:00:02,000\nx\n"
    yield (
        "braces.ass",
        b"[Script Info]\n[Events]\nFormat: Start, End, Text\nDialogue: 0:00:01.00,0:00:02.00,"
        + b"{" * 2_000_000
        + b"\n",
    )
    yield "segments.jpg", b"\xff\xd8" + b"\xff\xe1\x00\x02" * 500_000 + b"\xff\xd9"
    yield "fill.jpg", b"\xff\xd8" + b"\xff" * 5_000_000
    yield (
        "chunks.webp",
        b"RIFF" + struct.pack("<I", 4 + 8 * 500_000) + b"WEBP" + b"ALPH\0\0\0\0" * 500_000,
    )
    yield "pat.ts", (b"\x47\x40\x00\x10" + b"\0" * 184) * 50_000
    yield "frames.gif", b"GIF89a\x01\0\x01\0\0\0\0" + b"\x21\xfe\x01x\0" * 1_000_000 + b"\x3b"
    yield (
        "ifds.tiff",
        b"II*\0\x08\0\0\0"
        + b"".join(struct.pack("<HI", 0, 8 + 6 * (n + 1)) for n in range(200_000)),
    )


def bombs(work: Path, *, slow: bool) -> list[Measurement]:
    """Check and fix all bombs: within the limits of time and memory, with typed results."""
    violations: dict[int, list[str]] = {2: [], 3: [], 13: []}
    files = [
        (recipe.name, fixtures.make(recipe.name))
        for recipe in hostile.RECIPES
        if slow or not recipe.slow
    ]
    for name, data in generated_bombs():
        path = work / name
        path.write_bytes(data)
        files.append((name, path))
    worst = {"check": 0.0, "fix": 0.0}
    with leak_check() as check_leaks, PeakMemory() as check_peak:
        for name, path in files:
            out = work / f"{name}.out"
            out.mkdir()
            outcome = run_check(path)
            worst["check"] = max(worst["check"], outcome.seconds)
            if outcome.unexpected:
                violations[13].append(f"check {name}: {outcome.text}")
            if outcome.seconds > PROBE_SECONDS + 1:
                violations[2].append(f"check {name}: {outcome.seconds:.1f} s")
    with leak_check() as fix_leaks, PeakMemory() as fix_peak:
        for name, path in files:
            repairs = REPAIR_OPTIONS if name.startswith("gap") else {"": Options()}
            for repair, options in repairs.items():
                outcome = run_prepare(path, work / f"{name}.out", options=options, force=True)
                worst["fix"] = max(worst["fix"], outcome.seconds)
                if outcome.unexpected:
                    violations[13].append(f"fix {name} {repair}: {outcome.text}")
                if outcome.seconds > JOB_SECONDS + 1:
                    violations[2].append(f"fix {name} {repair}: {outcome.seconds:.1f} s")
                for output in outcome.outputs:
                    if run_check(Path(output)).status != "pass":
                        violations[13].append(f"fix {name} {repair}: published, but does not pass")
    violations[2] += check_leaks.violations + fix_leaks.violations
    probe_mb, job_mb = check_peak.bytes / 2**20, fix_peak.bytes / 2**20
    if check_peak.bytes >= PROBE_BYTES:
        violations[3].append(f"a reader used {probe_mb:.0f} MB")
    if fix_peak.bytes >= JOB_BYTES:
        violations[3].append(f"a child used {job_mb:.0f} MB")
    return [
        Measurement(
            guarantee=2,
            measured=(
                f"{len(files)} bombs: check at most {worst['check']:.1f} s, fix "
                f"{worst['fix']:.1f} s"
            ),
            violations=tuple(violations[2]),
        ),
        Measurement(
            guarantee=3,
            measured=f"bombs: probe {probe_mb:.0f} MB, job {job_mb:.0f} MB",
            violations=tuple(violations[3]),
        ),
        Measurement(
            guarantee=13, measured=f"{len(files)} bombs typed", violations=tuple(violations[13])
        ),
    ]


def special_files(work: Path) -> list[Measurement]:
    """Check and fix what is not a regular file: the answer comes at once."""
    os.mkfifo(work / "fifo.mp4")
    (work / "zero.mp4").symlink_to("/dev/zero")
    (work / "tty.mp4").symlink_to("/dev/tty")
    (work / "stdin.mp4").symlink_to("/dev/stdin")
    (work / "loop.mp4").symlink_to("loop.mp4")
    (work / "nowhere.mp4").symlink_to("nothing")
    (work / "folder.mp4").mkdir()
    (work / "proc.mp4").symlink_to("/proc/self/mem")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(work / "socket.mp4"))
        slow, wrong = [], []
        paths = sorted(path for path in work.iterdir() if path.suffix == ".mp4")
        for path in (
            *paths,
            work / "absent.mp4",
            work / "clip.mp4" / "x",
            Path("/dev/null"),
            Path("nul\0byte"),
        ):
            for outcome in (run_check(path), run_prepare(path, work)):
                label = (
                    f"{path.name!r}: {outcome.status} {outcome.text[:200]} after "
                    f"{outcome.seconds:.2f} s"
                )
                if outcome.seconds > 1:
                    slow.append(label)
                if outcome.unexpected or outcome.status != "unreadable":
                    wrong.append(label)
    count = len(paths) + 4
    return [
        Measurement(
            guarantee=2,
            measured=f"{count} FIFOs, devices, links and folders answered within 1 s",
            violations=tuple(slow),
        ),
        Measurement(guarantee=13, measured=f"{count} of them unreadable", violations=tuple(wrong)),
    ]
