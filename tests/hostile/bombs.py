"""Files that cost without end where nothing stops them: the second and third promise. Recipes: fixtures/recipes/hostile.py."""

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
from tests.hostile.figures import Figure
from tests.hostile.mutants import JOB_SECONDS
from tests.hostile.oracles import (
    JOB_BYTES,
    PROBE_BYTES,
    PROBE_SECONDS,
    Peak,
    checked,
    nothing_left,
    prepared,
)

# Asked of the files whose time stamps span years: what makes an fps filter or a planner count to them.
WAYS = {
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


def made() -> Iterator[tuple[str, bytes]]:
    """Bombs that are written here: nested and repeated structures, texts without an end."""
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


def bombs(work: Path, *, slow: bool) -> list[Figure]:
    """Every one of them through ``check`` and ``fix``: in time, in bounds, with a typed end."""
    broken: dict[int, list[str]] = {2: [], 3: [], 13: []}
    files = [
        (name, fixtures.make(name))
        for name, recipe in ((row.name, row) for row in hostile.RECIPES)
        if slow or not recipe.slow
    ]
    for name, data in made():
        path = work / name
        path.write_bytes(data)
        files.append((name, path))
    worst = {"check": 0.0, "fix": 0.0}
    with nothing_left() as left, Peak() as probed:
        for name, path in files:
            out = work / f"{name}.out"
            out.mkdir()
            ending = checked(path)
            worst["check"] = max(worst["check"], ending.seconds)
            if ending.bare:
                broken[13].append(f"check {name}: {ending.text}")
            if ending.seconds > PROBE_SECONDS + 1:
                broken[2].append(f"check {name}: {ending.seconds:.1f} s")
    with nothing_left() as later, Peak() as repaired:
        for name, path in files:
            ways = WAYS if name.startswith("gap") else {"": Options()}
            for way, options in ways.items():
                ending = prepared(path, work / f"{name}.out", options=options, force=True)
                worst["fix"] = max(worst["fix"], ending.seconds)
                if ending.bare:
                    broken[13].append(f"fix {name} {way}: {ending.text}")
                if ending.seconds > JOB_SECONDS + 1:
                    broken[2].append(f"fix {name} {way}: {ending.seconds:.1f} s")
                for output in ending.outputs:
                    if checked(Path(output)).word != "pass":
                        broken[13].append(f"fix {name} {way}: published what does not pass")
    broken[2] += [f"stray process {pid}" for pid in left.strays | later.strays]
    probing, peak = probed.bytes, repaired.bytes
    if probing >= PROBE_BYTES:
        broken[3].append(f"a reader took {probing / 2**20:.0f} MB")
    if peak >= JOB_BYTES:
        broken[3].append(f"a child took {peak / 2**20:.0f} MB")
    return [
        Figure(
            tolerance=2,
            found=f"{len(files)} bombs: check at most {worst['check']:.1f} s, fix {worst['fix']:.1f} s",
            broken=tuple(broken[2]),
        ),
        Figure(
            tolerance=3,
            found=f"bombs: probe {probing / 2**20:.0f} MB, job {peak / 2**20:.0f} MB",
            broken=tuple(broken[3]),
        ),
        Figure(tolerance=13, found=f"{len(files)} bombs typed", broken=tuple(broken[13])),
    ]


def no_files(work: Path) -> list[Figure]:
    """What is no regular file: answered at once, never waited for."""
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
        slow, bare = [], []
        paths = sorted(path for path in work.iterdir() if path.suffix == ".mp4")
        for path in (
            *paths,
            work / "absent.mp4",
            work / "clip.mp4" / "x",
            Path("/dev/null"),
            Path("nul\0byte"),
        ):
            for ending in (checked(path), prepared(path, work)):
                label = (
                    f"{path.name!r}: {ending.word} {ending.text[:200]} after {ending.seconds:.2f} s"
                )
                if ending.seconds > 1:
                    slow.append(label)
                if ending.bare or ending.word != "unreadable":
                    bare.append(label)
    count = len(paths) + 4
    return [
        Figure(
            tolerance=2,
            found=f"{count} FIFOs, devices, links and folders answered within 1 s",
            broken=tuple(slow),
        ),
        Figure(tolerance=13, found=f"{count} of them unreadable", broken=tuple(bare)),
    ]
