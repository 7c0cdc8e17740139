"""Who sees what: mediaprep's verdicts, those that ffprobe's fields alone allow, and those of a
MediaConch policy, against the truth of
every fixture and (where they lie beside this checkout) of the real files.

    python benchmarks/score.py [--slow] [--only WORD] [--wrong]

Truth comes from the recipes and from judges, never from a program that is scored. ``ffprobe`` is
what a careful script reads off
``ffprobe -show_streams -show_format``; MediaConch is asked where it is installed, about videos
only. Rules on which a file's truth makes no
claim are left out for that file. A must that cannot be told is refused: right where it is broken,
and no false alarm where it is not, but
listed (a raw stream has no time stamps, nobody reads the GOPs of H.263).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from _run import judge

import fixtures
import mediaprep
from tests.corpus import breaks_by_spec, real_files

UNREADABLE = "(unreadable)"
ACCEPTED = "(accepted or not)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One file and the truth about it: the musts that it breaks, those left open; ``verdict``
    unreadable, or "" where none is claimed.
    """

    name: str
    path: Path
    breaks: frozenset[str]
    maybe: frozenset[str] = frozenset()
    verdict: str = ""
    moving: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a checker said: the rules that it finds broken; None: it cannot read the file.
    ``untold``: those that it cannot tell.
    """

    broken: frozenset[str] | None
    untold: frozenset[str] = frozenset()


@dataclass(slots=True)
class Score:
    """Of one checker and rule: files that break it and were found, that were not, and files that
    keep it and were accused; ``untold``:
    files that keep it, and nobody is accused."""

    right: int = 0
    untold: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)


def cases(slow: bool, only: str) -> Iterator[Case]:
    for name in fixtures.names(slow=slow):
        truth = fixtures.truth(name)
        if only in name:
            kind = str(truth.facts.get("kind") or "video")
            moving = kind == "video" and not name.endswith(
                (".srt", ".vtt", ".ass", ".gif", ".png", ".jpg", ".webp")
            )
            path = fixtures.make(name)
            yield Case(
                name=name,
                path=path,
                breaks=truth.breaks,
                maybe=truth.recipe.maybe,
                verdict=truth.verdict,
                moving=moving,
            )
    for real in real_files():
        if only in real.name:
            broken = breaks_by_spec(real)
            settled = real.breaks - broken - {"unreadable"}
            yield Case(
                name=real.name,
                path=real.path,
                breaks=broken,
                maybe=settled,
                moving=real.kind == "video",
            )


def by_mediaprep(path: Path) -> Said:
    report = mediaprep.check(path)
    if report.verdict == "unreadable":
        return Said(broken=None)
    musts = [finding for finding in report.findings if finding.level == "must"]
    states = {
        state: frozenset(finding.rule for finding in musts if finding.state == state)
        for state in ("broken", "unknown")
    }
    return Said(broken=states["broken"], untold=states["unknown"])


# -- ffprobe ---------------------------------------------------------------------------------------


def by_ffprobe(path: Path) -> Said:
    """The fields as a script takes them: the first picture and the first sound, the rate that is
    declared, no pass over packets.
    """
    argv = [
        judge("ffprobe") or "ffprobe",
        "-v",
        "error",
        "-of",
        "json",
        "-show_streams",
        "-show_format",
        str(path),
    ]
    try:
        done = subprocess.run(argv, capture_output=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        return Said(broken=None)
    told = json.loads(done.stdout or b"{}")
    streams, whole = told.get("streams", []), told.get("format", {})
    if done.returncode or not streams:
        return Said(broken=None)
    video = next((s for s in streams if s["codec_type"] == "video"), None)
    audio = next((s for s in streams if s["codec_type"] == "audio"), None)
    names = set(whole.get("format_name", "").split(","))
    if any(s["codec_type"] == "subtitle" for s in streams) and video is None:
        return Said(broken=frozenset() if names & {"srt"} else frozenset({"subtitle-format"}))
    if video is None:
        return Said(broken=frozenset({"file-kind"}))
    if names & {"gif", "apng", "webp_pipe"} and video.get("r_frame_rate") != "25/1":
        return Said(broken=frozenset(_animation(names, video, whole)))
    if any(name.endswith("_pipe") for name in names) or names & {"image2", "gif"}:
        return Said(broken=frozenset(_still(names, whole)))
    return Said(broken=frozenset(_video(names, video, audio, whole)))


def _video(
    names: set[str],
    video: Mapping[str, Any],
    audio: Mapping[str, Any] | None,
    whole: Mapping[str, Any],
) -> Iterator[str]:
    width, height = video.get("width", 0), video.get("height", 0)
    tests = {
        "video-frame-rate": _number(video.get("r_frame_rate")) <= 60,
        "video-dimensions": max(width, height) <= 1280
        and min(width, height) <= 1024
        and min(width, height) >= 32,
        "video-size": int(whole.get("size", 0)) <= 512 * 2**20,
        "video-duration": Fraction(1, 2) <= _number(whole.get("duration")) <= 140,
        "video-aspect-ratio": bool(height) and Fraction(1, 3) <= Fraction(width, height) <= 3,
        "video-pixel-aspect-ratio": video.get("sample_aspect_ratio") in (None, "1:1", "0:1", "N/A"),
        "video-pixel-format": video.get("pix_fmt") in ("yuv420p", "yuvj420p"),
        "video-scan": video.get("field_order") in (None, "progressive", "unknown"),
        "video-codec": video.get("codec_name") == "h264",
        "video-container": bool(names & {"mp4", "mov"}),
        "audio-codec": audio is None
        or (audio.get("codec_name"), audio.get("profile")) == ("aac", "LC"),
        "audio-channels": audio is None or int(audio.get("channels", 0)) <= 2,
    }
    yield from (rule for rule, kept in tests.items() if not kept)


def _animation(
    names: set[str], video: Mapping[str, Any], whole: Mapping[str, Any]
) -> Iterator[str]:
    width, height, frames = (
        video.get("width", 0),
        video.get("height", 0),
        int(video.get("nb_frames", 0)),
    )
    tests = {
        "animation-type": "gif" in names,
        "gif-dimensions": width <= 1280 and height <= 1080,
        "gif-frames": frames <= 350,
        "gif-pixels": width * height * frames <= 300_000_000,
        "gif-size": int(whole.get("size", 0)) <= 15 * 2**20,
    }
    yield from (rule for rule, kept in tests.items() if not kept)


def _still(names: set[str], whole: Mapping[str, Any]) -> Iterator[str]:
    if not names & {"jpeg_pipe", "png_pipe", "webp_pipe", "gif", "image2"}:
        yield "image-type"
    if int(whole.get("size", 0)) > 5 * 2**20:
        yield "image-size"


def _number(text: str | None) -> Fraction:
    try:
        return Fraction(text or 0)
    except (ValueError, ZeroDivisionError):
        return Fraction(0)


# -- MediaConch ------------------------------------------------------------------------------------

_ABSENT = "must not exist"
# rule: alternatives; each a list of (track, field, operator, value) that hold together
_POLICY: Mapping[str, list[list[tuple[str, str, str, str]]]] = {
    "file-complete": [[("General", "IsTruncated", _ABSENT, "")]],
    "video-codec": [[("Video", "Format", "=", "AVC")]],
    "video-container": [[("General", "Format", "=", "MPEG-4")]],
    "video-frame-rate": [
        [("Video", "FrameRate", "<=", "60")],
        [("Video", "FrameRate", _ABSENT, "")],
    ],
    "video-dimensions": [
        [
            ("Video", a, "<=", "1280"),
            ("Video", b, "<=", "1024"),
            ("Video", a, ">=", "32"),
            ("Video", b, ">=", "32"),
        ]
        for a, b in (("Width", "Height"), ("Height", "Width"))
    ],
    "video-size": [[("General", "FileSize", "<=", str(512 * 2**20))]],
    "video-duration": [
        [("General", "Duration", "<=", "140"), ("General", "Duration", ">=", "0.5")]
    ],
    "video-aspect-ratio": [
        [("Video", "DisplayAspectRatio", "<=", "3"), ("Video", "DisplayAspectRatio", ">=", "0.333")]
    ],
    "video-pixel-aspect-ratio": [[("Video", "PixelAspectRatio", "=", "1.000")]],
    "video-pixel-format": [
        [("Video", "ChromaSubsampling", "=", "4:2:0"), ("Video", "BitDepth", "=", "8")]
    ],
    "video-scan": [
        [("Video", "ScanType", "=", "Progressive")],
        [("Video", "ScanType", _ABSENT, "")],
    ],
    "video-open-gop": [
        [("Video", "Gop_OpenClosed", _ABSENT, "")],
        [("Video", "Gop_OpenClosed", "=", "Closed")],
    ],
    "audio-codec": [
        [("Audio", "Format", _ABSENT, "")],
        [("Audio", "Format", "=", "AAC"), ("Audio", "Format_AdditionalFeatures", "=", "LC")],
    ],
    "audio-channels": [[("Audio", "Channels", _ABSENT, "")], [("Audio", "Channels", "<=", "2")]],
}


def policy() -> str:
    """The rules as MediaConch reads them, one policy within the policy for each."""
    root = ET.Element("policy", type="and", name="twitter")
    for rule, ways in _POLICY.items():
        one = ET.SubElement(root, "policy", type="or", name=rule)
        for number, way in enumerate(ways):
            place = ET.SubElement(one, "policy", type="and", name=f"{rule} {number}")
            for track, name, operator, value in way:
                ET.SubElement(
                    place,
                    "rule",
                    name=name,
                    value=name,
                    tracktype=track,
                    occurrence="*",
                    operator=operator,
                ).text = value or None
    return ET.tostring(root, encoding="unicode", xml_declaration=True)


def by_mediaconch(program: str, rules: Path) -> Callable[[Path], Said]:
    def checked(path: Path) -> Said:
        try:
            done = subprocess.run(
                [program, "-p", str(rules), "-fx", str(path)],
                capture_output=True,
                timeout=60,
                check=False,
            )
            root = ET.fromstring(done.stdout)
        except (subprocess.TimeoutExpired, ET.ParseError):
            return Said(broken=None)
        found = {
            item.get("name"): item.get("outcome")
            for item in root.iter("{https://mediaarea.net/mediaconch}policy")
        }
        return Said(broken=frozenset(rule for rule in _POLICY if found.get(rule) != "pass"))

    return checked


# -- the table -------------------------------------------------------------------------------------


def count(case: Case, said: Said, scores: dict[str, Score]) -> None:
    """Add one file's answers."""

    def add(row: str, broken: bool, found: bool, untold: bool = False) -> None:
        score = scores.setdefault(row, Score())
        if broken and (found or untold):
            score.right += 1
        elif broken:
            score.missed.append(case.name)
        elif found:
            score.alarms.append(case.name)
        elif untold:
            score.untold.append(case.name)

    if case.verdict == "unreadable" or said.broken is None:
        if case.verdict:
            add(UNREADABLE, case.verdict == "unreadable", said.broken is None)
        if said.broken is None:
            return
    if case.verdict == "unreadable":
        return
    for rule in (case.breaks | said.broken | said.untold) - case.maybe:
        add(rule, rule in case.breaks, rule in said.broken, rule in said.untold)
    if not case.maybe or case.breaks:
        add(
            ACCEPTED,
            bool(case.breaks),
            bool(said.broken - case.maybe),
            bool(said.untold - case.maybe),
        )


def table(scores: Mapping[str, dict[str, Score]], asked: int) -> str:
    rows = sorted({rule for one in scores.values() for rule in one})
    head = " | ".join(f"{name}: right | missed must | false alarm" for name in scores)
    lines = [
        f"### {asked} files",
        "",
        f"| rule | broken by | {head} |",
        "| --- |" + " ---: |" * (1 + 3 * len(scores)),
    ]
    for rule in rows:
        ours = [one.get(rule, Score()) for one in scores.values()]
        cells = " | ".join(
            f"{score.right} | {len(score.missed) or ''} | {len(score.alarms) or ''}"
            for score in ours
        )
        lines.append(f"| {rule} | {ours[0].right + len(ours[0].missed)} | {cells} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--slow", action="store_true", help="the fixtures that take long to build too"
    )
    parser.add_argument("--only", default="", help="files whose name holds this word")
    parser.add_argument(
        "--wrong", action="store_true", help="name the files that mediaprep gets wrong"
    )
    parser.add_argument("--mediaconch", help="its path, where it is not on PATH")
    options = parser.parse_args()
    checkers: dict[str, Callable[[Path], Said]] = {"mediaprep": by_mediaprep}
    if judge("ffprobe"):
        checkers["ffprobe's fields"] = by_ffprobe
    with tempfile.TemporaryDirectory() as folder:
        if program := options.mediaconch or judge("mediaconch"):
            rules = Path(folder) / "twitter.xml"
            rules.write_text(policy())
            checkers["MediaConch (videos)"] = by_mediaconch(program, rules)
        scores: dict[str, dict[str, Score]] = {name: {} for name in checkers}
        asked = 0
        for case in cases(options.slow, options.only):
            asked += 1
            for name, checker in checkers.items():
                if case.moving or not name.startswith("MediaConch"):
                    count(case, checker(case.path), scores[name])
    print(table(scores, asked))
    wrong = [
        (rule, score)
        for rule, score in sorted(scores["mediaprep"].items())
        if score.missed or score.alarms
    ]
    for rule, score in wrong if options.wrong else ():
        print(
            f"{rule}: missed {', '.join(score.missed) or 'none'}; false alarm {', '.join(score.alarms) or 'none'}"
        )
    untold = sorted(
        f"{rule} of {name}"
        for rule, score in scores["mediaprep"].items()
        for name in score.untold
        if rule != ACCEPTED
    )
    print(f"\nleft undecided by mediaprep: {', '.join(untold) or 'none'}")
    print(
        f"mediaprep: {'every verdict is right' if not wrong else f'{len(wrong)} rules with a wrong verdict'}"
    )
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
