"""Files and names that make a tool open something else, under strace: the fourth promise. Links to the source: the sixth."""

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
from tests.hostile.figures import Figure
from tests.hostile.oracles import checked, prepared, state, tree
from tests.hostile.seeds import seed

# Each alone opens the wrong thing, or a sibling, or nothing, when a tool is given it: the hostile-input notes, section 2.
NAMES = (
    *(
        b"http:x.mp4",
        b"concat:a|b.mp4",
        b"data:,x.mp4",
        b"fd:",
        b"subfile,,start,0,end,9,,:x.mp4",
        b"crypto:x.mp4",
        b"C:x.mp4",
        b"unix:x.mp4",
    ),
    *(
        b"file:x.mp4",
        b"pipe:0",
        b"-",
        b"-out.mp4",
        b"--help",
        b"a%d.png",
        b"clip 100%d.jpg",
        b"a[0-9].png",
        b"a*?.png",
        b"@list.mp4",
    ),
    *(b"a" * 251 + b".mp4", "é".encode() * 125 + b".png"),
    *(
        b"caf\xe9.mp4",
        b"new\nline.mp4",
        b"esc\x1b[31m.mp4",
        "bidi\u202egpj.mp4".encode(),
        b" .mp4",
        b"'; rm -rf $HOME; '.mp4",
        b"%s%n.mp4",
    ),
)
_PIECES = (
    *"abz%d*?[]{}()'\"`$|&;<>\\:,= -~#!@\t\n\r\x01\x1b",
    "..",
    "http:",
    "%04d",
    "\u202e",
    "é",
    "\udcff",
    "\ufeff",
    "𝟙",
    "CON",
    "nul",
)

_MVG = "push graphic-context\nviewbox 0 0 640 480\nimage over 0,0 0,0 '{}'\npop graphic-context\n"
_MORE = {  # as PLAYLISTS: one place is filled in
    "asx": '<asx version="3.0"><entry><ref href="{}"/></entry></asx>\n',
    "pls": "[playlist]\nFile1={}\nNumberOfEntries=1\n",
    "smil": '<smil><body><video src="{}"/></body></smil>\n',
    "xspf": '<?xml version="1.0"?><playlist version="1"><trackList><track><location>{}</location></track></trackList></playlist>\n',
    "imf": '<?xml version="1.0"?><AssetMap><AssetList><Asset><Path>{}</Path></Asset></AssetList></AssetMap>\n',
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\na=control:{}\nm=video 9 RTP/AVP 96\n",
    "mvg": _MVG,
    "msl": '<?xml version="1.0"?><image><read filename="{}"/><write filename="/tmp/x"/></image>\n',
    "eps": "%!PS-Adobe-3.0 EPSF-3.0\n({}) run\n",
    "rtsp": "rtsptext {}\n",
    "qtnext": "RTSPtext\r{}\r",
    "bom hls": "\ufeff#EXTM3U\n#EXTINF:1,\n{}\n",
    "spaced hls": "\n\n  #EXTM3U\n#EXTINF:1,\n{}\n",
    "ffmetadata": ";FFMETADATA1\ntitle={}\n",
    "ass": "[Script Info]\nVideo File: {0}\n[Events]\nFormat: Start, End, Text\nDialogue: 0:00:01.00,0:00:02.00,{{\\fn{0}}}x\n",
    "srt": '1\n00:00:01,000 --> 00:00:02,000\n<img src="{}">\n',
}
TEXTS = {**PLAYLISTS, **_MORE}
SUFFIXES = (".mp4", ".mkv", ".ts", ".m3u8", ".png", ".srt")

# What Python, its libraries, ffmpeg and this package read of the system. Everything else is the file given, or a leak.
_SYSTEM = re.compile(
    r"^(/usr/|/lib|/etc/(ld\.so|localtime|mime|ssl|nsswitch|passwd|gai|host\.conf|resolv)|/proc/|/sys/|/dev/(null|urandom|zero|tty)|/$|$)"
)
_CALL = re.compile(r'\b(?:openat2?\((?:AT_FDCWD|\d+), |open\(|creat\()"((?:[^"\\]|\\.)*)"')
_CONTACT = re.compile(r"\b(connect|bind|sendto)\(.*sa_family=AF_INET")


@dataclass(frozen=True, slots=True)
class Seen:
    """What one run did: paths that it opened outside of what it may (also in vain), contacts, its exit code."""

    opened: tuple[str, ...]
    contacts: tuple[str, ...]
    code: int


def strace() -> str | None:
    """The tracer, where this host has one that may trace."""
    found = shutil.which("strace")
    if found is None:
        return None
    works = subprocess.run(
        [found, "-f", "--seccomp-bpf", "-e", "trace=openat", "-o", os.devnull, "true"],
        capture_output=True,
    )
    return found if works.returncode == 0 else None


def traced(words: Sequence[bytes | str], folder: Path, allowed: Sequence[Path]) -> Seen:
    """The command line of mediaprep under strace, in that folder. ``allowed``: what it may open besides the system and itself."""
    tracer, log = strace(), folder.parent / f"{folder.name}.strace"
    assert tracer is not None
    scratch = folder.parent / f"{folder.name}.scratch"
    (scratch / "tmp").mkdir(parents=True, exist_ok=True)
    own = [
        str(scratch),
        sys.prefix,
        sys.base_prefix,
        str(Path(mediaprep.__file__).parents[1]),
        *map(str, allowed),
    ]
    argv = [
        tracer,
        "-f",
        "--seccomp-bpf",
        "-qq",
        "-s",
        "4096",
        "-e",
        "trace=open,openat,openat2,creat,connect,bind,sendto",
        "-o",
        str(log),
    ]
    code = [str(Path(sys.executable).with_name("mediaprep")), "--isolated", *words]
    environment = {**os.environ, "HOME": str(scratch), "TMPDIR": str(scratch / "tmp")}
    done = subprocess.run(
        [*argv, *code], cwd=folder, capture_output=True, timeout=300, env=environment
    )
    opened, contacts = [], []
    for line in log.read_text(errors="replace").splitlines():
        call = _CALL.search(line)
        if _CONTACT.search(line):
            contacts.append(line)
        elif call is not None:
            path = call[1]
            if not _SYSTEM.match(path) and not any(
                path == place or path.startswith(place + "/") for place in own
            ):
                opened.append(line[:300])
    log.unlink()
    return Seen(tuple(opened), tuple(contacts), done.returncode)


def cells() -> Iterator[tuple[str, str, bytes, bool]]:
    """(label, suffix, content, whether it may be readable): every text with an absolute, a relative and a remote target."""
    targets = {
        "absolute": "{folder}/secret/canary.ts",
        "relative": "canary.ts",
        "remote": "http://127.0.0.1:9/x.ts",
    }
    for kind, text in TEXTS.items():
        for number, (how, target) in enumerate(targets.items()):
            suffix = SUFFIXES[(len(kind) + number) % len(SUFFIXES)]
            yield (
                f"{kind}, {how}, as {suffix}",
                suffix,
                text.format(target).encode(),
                kind in ("ass", "srt"),
            )
    for how, target in targets.items():
        yield f"dref, {how}", ".mov", b"dref:" + target.encode(), True


def opens_nothing_else(work: Path, count: int | None = None) -> list[Figure]:
    """Each cell (or a sample of so many) through ``check`` and ``fix`` under strace."""
    if strace() is None:
        return [Figure(tolerance=4, found="", skipped="no strace on this host")]
    wanted = list(cells())
    if count is not None:
        wanted = random.Random("cells").sample(wanted, min(count, len(wanted)))
    broken = []
    for number, (label, suffix, content, _) in enumerate(wanted):
        folder = work / f"cell{number}"
        (folder / "secret").mkdir(parents=True)
        canary = seed("_small.ts").data
        (folder / "secret" / "canary.ts").write_bytes(canary)
        (folder / "canary.ts").write_bytes(canary)
        path = folder / f"clip{suffix}"
        text = content.replace(b"{folder}", os.fsencode(folder))
        if text.startswith(b"dref:"):
            (folder / "whole.mov").write_bytes(seed("_small.mov").data)
            mp4.set_external_data(path, folder / "whole.mov", text.removeprefix(b"dref:").decode())
        else:
            path.write_bytes(text)
        out = folder / "out"
        out.mkdir()
        for words in (["check", path.name], ["fix", path.name, "-o", "out/"]):
            seen = traced(words, folder, (path, out))
            strange = [
                line
                for line in seen.opened
                if f'"{path.name}"' not in line and '"out' not in line and '"."' not in line
            ]
            broken += [f"{label}, {words[0]}: {line}" for line in (*strange, *seen.contacts)]
        if number == 0 and not traced(["check", "canary.ts"], folder, (path, out)).opened:
            broken.append("the tracer does not see what is opened")
    return [
        Figure(
            tolerance=4,
            found=f"{len(broken)} opens or connects in {2 * len(wanted)} traced runs",
            broken=tuple(broken),
        )
    ]


def generated(count: int) -> list[bytes]:
    """Names made of pieces that mean something to somebody."""
    rng = random.Random("names")
    made: list[bytes] = []
    while len(made) < count:
        text = "".join(rng.choice(_PIECES) for _ in range(rng.randrange(1, 12))) + rng.choice(
            (".mp4", ".png", ".gif", "")
        )
        name = os.fsencode(text).replace(b"/", b"").replace(b"\0", b"")[:200]
        if name not in (b"", b".", b".."):
            made.append(name)
    return made


def names(work: Path, count: int) -> list[Figure]:
    """Each hostile name, relative and absolute: read as the file that it is, and nothing is written but in the output folder."""
    wanted = [*NAMES, *generated(count)]
    data = {".png": seed("comment.png").data, "": seed("_small.mp4").data}
    elsewhere, changed, wrong = [], [], []
    home = Path.cwd()
    for number, name in enumerate(wanted):
        folder = work / f"name{number}"
        (folder / "out").mkdir(parents=True)
        for sibling in (b"a1.png", b"a2.png", b"x.mp4", b"1", b"clip 1001.jpg"):
            (folder / os.fsdecode(sibling)).write_bytes(b"not to be opened")
        path = folder / os.fsdecode(name)
        path.write_bytes(data[".png" if name.endswith(b".png") else ""])
        before, around = state(path), tree(folder)
        os.chdir(folder)
        try:
            for given in (path, Path(os.fsdecode(name)))[
                number % 2 if number >= len(NAMES) else 0 :
            ]:
                ending = prepared(given, folder / "out", force=True)
                if ending.word != "fixed" or checked(given).word != "pass":
                    wrong.append(f"{name!r}: {ending.word} {ending.text[:200]}")
        finally:
            os.chdir(home)
        if state(path) != before:
            changed.append(f"{name!r}: the source changed")
        left = {key: facts for key, facts in tree(folder).items() if not key.startswith("out")}
        if (
            left != {key: facts for key, facts in around.items() if not key.startswith("out")}
            or len(list((folder / "out").iterdir())) != 1
        ):
            elsewhere.append(f"{name!r}: {sorted(tree(folder))}")
        shutil.rmtree(folder)
    return [
        Figure(
            tolerance=4,
            found=f"{len(wrong)} of {2 * len(wanted)} names led elsewhere",
            broken=tuple(wrong),
        ),
        Figure(
            tolerance=5,
            found=f"{len(elsewhere)} of {len(wanted)} names wrote elsewhere",
            broken=tuple(elsewhere),
        ),
        Figure(
            tolerance=6,
            found=f"{len(changed)} of {len(wanted)} sources under strange names changed",
            broken=tuple(changed),
        ),
    ]


def links(work: Path) -> list[Figure]:
    """An output that is the source by name, by symbolic link, by hard link, through a linked folder: refused, with and without force."""
    broken, tried = [], 0
    for number, force in enumerate((False, True)):
        folder = work / f"links{number}"
        folder.mkdir()
        source = folder / "clip.mp4"
        source.write_bytes(seed("_small.mp4").data)
        (folder / "hard.mp4").hardlink_to(source)
        (folder / "soft.mp4").symlink_to("clip.mp4")
        (folder / "soft2.mp4").symlink_to("soft.mp4")
        (folder / "there").symlink_to(".", target_is_directory=True)
        before = state(source)
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
            tried += 1
            try:
                mediaprep.prepare(str(source), str(folder / target), force=force)
                broken.append(f"output {target}, force={force}: not refused")
            except UsageProblem:
                pass
            if state(source) != before:
                broken.append(f"output {target}, force={force}: the source changed")
        for given in ("hard.mp4", "soft2.mp4", "there/clip.mp4"):
            tried += 1
            mediaprep.prepare(
                str(folder / given), str(folder / f"made-{given.replace('/', '-')}"), force=force
            )
            if state(source) != before:
                broken.append(f"input {given}: the source changed")
    return [
        Figure(
            tolerance=6,
            found=f"0 sources changed through {tried} links" if not broken else f"{len(broken)}",
            broken=tuple(broken),
        )
    ]
