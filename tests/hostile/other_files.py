"""Files, names and links that make a tool open or overwrite something else.

Guarantees 4, 5 and 6; opened files are traced with strace.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import mediaprep
from fixtures.recipes.hostile import PLAYLISTS
from fixtures.steps import mp4
from mediaprep.errors import UsageProblem
from tests.hostile.guarantees import Measurement
from tests.hostile.interruptions import PROGRAM
from tests.hostile.oracles import file_state, run_check, run_prepare, snapshot
from tests.hostile.seeds import seed

# Each makes some tool open another file, or none, if the tool gets the name as it is.
# fmt: off
NAMES = (
    b"http:x.mp4", b"concat:a|b.mp4", b"data:,x.mp4", b"fd:", b"subfile,,start,0,end,9,,:x.mp4",
    b"crypto:x.mp4", b"C:x.mp4", b"unix:x.mp4", b"file:x.mp4", b"pipe:0",
    b"-", b"-out.mp4", b"--help", b"a%d.png", b"clip 100%d.jpg", b"a[0-9].png", b"a*?.png",
    b"@list.mp4", b"a" * 251 + b".mp4", "é".encode() * 125 + b".png", b"caf\xe9.mp4",
    b"new\nline.mp4", b"esc\x1b[31m.mp4", "bidi\u202egpj.mp4".encode(), b" .mp4",
    b"'; rm -rf $HOME; '.mp4", b"%s%n.mp4",
)
_NAME_PARTS = (
    *"abz%d*?[]{}()'\"`$|&;<>\\:,= -~#!@\t\n\r\x01\x1b",
    "..", "http:", "%04d", "\u202e", "é", "\udcff", "\ufeff", "𝟙", "CON", "nul",
)
# fmt: on
_NEIGHBOURS = ("a1.png", "a2.png", "x.mp4", "1", "clip 1001.jpg")

# Like PLAYLISTS: formatted with the target.
_MORE_TEXTS = {
    "asx": '<asx version="3.0"><entry><ref href="{}"/></entry></asx>\n',
    "pls": "[playlist]\nFile1={}\nNumberOfEntries=1\n",
    "smil": '<smil><body><video src="{}"/></body></smil>\n',
    "xspf": (
        '<?xml version="1.0"?><playlist version="1"><trackList><track><location>{}</location>'
        "</track></trackList></playlist>\n"
    ),
    "imf": (
        '<?xml version="1.0"?><AssetMap><AssetList><Asset><Path>{}</Path></Asset></AssetList>'
        "</AssetMap>\n"
    ),
    "sdp": (
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\na=control:{}\n"
        "m=video 9 RTP/AVP 96\n"
    ),
    "mvg": (
        "push graphic-context\nviewbox 0 0 640 480\nimage over 0,0 0,0 '{}'\npop graphic-context\n"
    ),
    "msl": '<?xml version="1.0"?><image><read filename="{}"/><write filename="/tmp/x"/></image>\n',
    "eps": "%!PS-Adobe-3.0 EPSF-3.0\n({}) run\n",
    "rtsp": "rtsptext {}\n",
    "qtnext": "RTSPtext\r{}\r",
    "bom hls": "\ufeff#EXTM3U\n#EXTINF:1,\n{}\n",
    "spaced hls": "\n\n  #EXTM3U\n#EXTINF:1,\n{}\n",
    "ffmetadata": ";FFMETADATA1\ntitle={}\n",
    "ass": (
        "[Script Info]\nVideo File: {0}\n[Events]\nFormat: Start, End, Text\n"
        "Dialogue: 0:00:01.00,0:00:02.00,{{\\fn{0}}}x\n"
    ),
    "srt": '1\n00:00:01,000 --> 00:00:02,000\n<img src="{}">\n',
}
TEXTS = {**PLAYLISTS, **_MORE_TEXTS}
SUFFIXES = (".mp4", ".mkv", ".ts", ".m3u8", ".png", ".srt")

# What Python, its libraries, ffmpeg and this package read. Anything else is the input, or a leak.
_SYSTEM = re.compile(
    r"^(/usr/|/lib|/etc/(ld\.so|localtime|mime|ssl|nsswitch|passwd|gai|host\.conf|resolv)"
    r"|/proc/|/sys/|/dev/(null|urandom|zero|tty)|/$|$)"
)
_OPEN = re.compile(r'\b(?:openat2?\((?:AT_FDCWD|\d+), |open\(|creat\()"((?:[^"\\]|\\.)*)"')
_CONTACT = re.compile(r"\b(connect|bind|sendto)\(.*sa_family=AF_INET")


@dataclass(frozen=True, slots=True)
class TracedRun:
    """What one run did: attempts to open other paths, and contacts, as lines of the trace."""

    opened: tuple[str, ...]
    contacts: tuple[str, ...]


def strace() -> str | None:
    """Return the path of strace if it works here."""
    path = shutil.which("strace")
    if path is None:
        return None
    argv = [path, "-f", "--seccomp-bpf", "-e", "trace=openat", "-o", os.devnull, "true"]
    return path if subprocess.run(argv, capture_output=True).returncode == 0 else None


def traced(arguments: Sequence[bytes | str], folder: Path, allowed: Sequence[Path]) -> TracedRun:
    """Run mediaprep under strace in a folder.

    ``allowed``: what it may open besides the system and the program itself.
    """
    path = strace()
    assert path is not None
    log = folder.parent / f"{folder.name}.strace"
    scratch = folder.parent / f"{folder.name}.scratch"
    (scratch / "tmp").mkdir(parents=True, exist_ok=True)
    package = Path(mediaprep.__file__).parents[1]
    python = filter(None, (sys.prefix, sys.base_prefix, *sys.path))
    places = list(map(str, (scratch, package, *python, *allowed)))
    calls = "trace=open,openat,openat2,creat,connect,bind,sendto"
    tracer = [path, "-f", "--seccomp-bpf", "-qq", "-s", "4096", "-e", calls, "-o", str(log)]
    subprocess.run(
        [*tracer, *PROGRAM, *arguments],
        cwd=folder,
        capture_output=True,
        timeout=300,
        env={
            **os.environ,
            "HOME": str(scratch),
            "TMPDIR": str(scratch / "tmp"),
            "PYTHONSAFEPATH": "1",  # otherwise Python searches the folder for modules
        },
    )
    opened, contacts = [], []
    for line in log.read_text(errors="replace").splitlines():
        call = _OPEN.search(line)
        if _CONTACT.search(line):
            contacts.append(line)
        elif call is not None and not _is_allowed(call[1], places):
            opened.append(line[:300])
    log.unlink()
    return TracedRun(tuple(opened), tuple(contacts))


def _is_allowed(path: str, places: Sequence[str]) -> bool:
    if _SYSTEM.match(path):
        return True
    return any(path == place or path.startswith(f"{place}/") for place in places)


def cells() -> Iterator[tuple[str, str, bytes]]:
    """Yield (label, suffix, content): every text with an absolute, relative and remote target."""
    targets = {
        "absolute": "{folder}/secret/canary.ts",
        "relative": "canary.ts",
        "remote": "http://127.0.0.1:9/x.ts",
    }
    for kind, text in TEXTS.items():
        for number, (how, target) in enumerate(targets.items()):
            suffix = SUFFIXES[(len(kind) + number) % len(SUFFIXES)]
            yield f"{kind}, {how}, as {suffix}", suffix, text.format(target).encode()
    for how, target in targets.items():
        yield f"dref, {how}", ".mov", b"dref:" + target.encode()


def opens_nothing_else(work: Path, count: int | None = None) -> list[Measurement]:
    """Check and fix each file (or a sample) under strace."""
    if strace() is None:
        return [Measurement(guarantee=4, measured="", skipped="no strace on this host")]
    selected = list(cells())
    if count is not None:
        selected = random.Random("cells").sample(selected, min(count, len(selected)))
    violations = []
    for number, (label, suffix, content) in enumerate(selected):
        folder = work / f"cell{number}"
        path = _write_cell(folder, suffix, content)
        out = folder / "out"
        out.mkdir()
        for arguments in (["check", path.name], ["fix", path.name, "-o", "out/"]):
            run = traced(arguments, folder, (path, out))
            own = (f'"{path.name}"', '"out', '"."')
            opened = [line for line in run.opened if not any(name in line for name in own)]
            violations += [f"{label}, {arguments[0]}: {line}" for line in opened]
            violations += [f"{label}, {arguments[0]}: {line}" for line in run.contacts]
        if number == 0 and not traced(["check", "canary.ts"], folder, (path, out)).opened:
            violations.append("strace does not report what is opened")
    runs = 2 * len(selected)
    return [
        Measurement(
            guarantee=4,
            measured=f"{len(violations)} opens or connects in {runs} traced runs",
            violations=tuple(violations),
        )
    ]


def _write_cell(folder: Path, suffix: str, content: bytes) -> Path:
    """Create a folder with the file and the files that it refers to; return the file's path."""
    (folder / "secret").mkdir(parents=True)
    canary = seed("_small.ts").data
    (folder / "secret" / "canary.ts").write_bytes(canary)
    (folder / "canary.ts").write_bytes(canary)
    path = folder / f"clip{suffix}"
    text = content.replace(b"{folder}", os.fsencode(folder))
    if text.startswith(b"dref:"):
        (folder / "valid.mov").write_bytes(seed("_small.mov").data)
        mp4.set_external_data(path, folder / "valid.mov", text.removeprefix(b"dref:").decode())
    else:
        path.write_bytes(text)
    return path


def generated_names(count: int) -> list[bytes]:
    """Return names of parts that have a meaning to some program."""
    rng = random.Random("names")
    names: list[bytes] = []
    while len(names) < count:
        text = "".join(rng.choice(_NAME_PARTS) for _ in range(rng.randrange(1, 12)))
        text += rng.choice((".mp4", ".png", ".gif", ""))
        name = os.fsencode(text).replace(b"/", b"").replace(b"\0", b"")[:200]
        if name not in (b"", b".", b".."):
            names.append(name)
    return names


def names(work: Path, count: int) -> list[Measurement]:
    """Fix a file under each name: only it is read, and only the output folder is written."""
    selected = [*NAMES, *generated_names(count)]
    violations: dict[int, list[str]] = {4: [], 5: [], 6: []}
    runs, home = 0, Path.cwd()
    for number, name in enumerate(selected):
        folder = work / f"name{number}"
        (folder / "out").mkdir(parents=True)
        for neighbour in _NEIGHBOURS:
            (folder / neighbour).write_bytes(b"not to be opened")
        path = folder / os.fsdecode(name)
        content = seed("comment.png" if name.endswith(b".png") else "_small.mp4").data
        path.write_bytes(content)
        before, entries = file_state(path), _outside(folder)
        sources = [path, Path(os.fsdecode(name))]
        if number >= len(NAMES) and number % 2:
            sources = sources[1:]
        os.chdir(folder)
        try:
            for source in sources:
                runs += 1
                outcome = run_prepare(source, folder / "out", force=True)
                if outcome.status != "fixed" or run_check(source).status != "pass":
                    violations[4].append(f"{name!r}: {outcome.status} {outcome.text[:200]}")
        finally:
            os.chdir(home)
        if file_state(path) != before:
            violations[6].append(f"{name!r}: the source changed")
        if _outside(folder) != entries or len(list((folder / "out").iterdir())) != 1:
            violations[5].append(f"{name!r}: {sorted(snapshot(folder))}")
        shutil.rmtree(folder)
    texts = {
        4: f"{len(violations[4])} of {runs} runs read another file",
        5: f"{len(violations[5])} of {len(selected)} names wrote elsewhere",
        6: f"{len(violations[6])} of {len(selected)} sources with hostile names changed",
    }
    return [
        Measurement(guarantee=number, measured=text, violations=tuple(violations[number]))
        for number, text in texts.items()
    ]


def _outside(folder: Path) -> dict[str, tuple[object, ...]]:
    """Return a snapshot of everything but the output folder."""
    return {name: entry for name, entry in snapshot(folder).items() if not name.startswith("out")}


def links(work: Path) -> list[Measurement]:
    """Outputs that are the source, by name or through links, are refused even with force."""
    violations, runs = [], 0
    for number, force in enumerate((False, True)):
        folder = work / f"links{number}"
        folder.mkdir()
        source = folder / "clip.mp4"
        source.write_bytes(seed("_small.mp4").data)
        (folder / "hard.mp4").hardlink_to(source)
        (folder / "soft.mp4").symlink_to("clip.mp4")
        (folder / "soft2.mp4").symlink_to("soft.mp4")
        (folder / "there").symlink_to(".", target_is_directory=True)
        before = file_state(source)
        for target in (
            "clip.mp4",
            "hard.mp4",
            "soft.mp4",
            "soft2.mp4",
            "there/clip.mp4",
            "./clip.mp4",
            f"../links{number}/clip.mp4",
            "CLIP.MP4",
        ):
            runs += 1
            try:
                mediaprep.prepare(str(source), str(folder / target), force=force)
                violations.append(f"output {target}, force={force}: not refused")
            except UsageProblem:
                pass
            if file_state(source) != before:
                violations.append(f"output {target}, force={force}: the source changed")
        for name in ("hard.mp4", "soft2.mp4", "there/clip.mp4"):
            runs += 1
            target = folder / f"out-{name.replace('/', '-')}"
            mediaprep.prepare(str(folder / name), str(target), force=force)
            if file_state(source) != before:
                violations.append(f"input {name}: the source changed")
    return [
        Measurement(
            guarantee=6,
            measured=f"{len(violations)} violations by {runs} links and names of the source",
            violations=tuple(violations),
        )
    ]
