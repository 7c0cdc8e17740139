"""How many violations mediaprep, ffprobe's fields and a MediaConch policy detect.

    python benchmarks/score.py [--slow] [--only WORD] [--wrong]

The files are all fixtures and, beside this checkout, the corpus of real files. What is true comes
from the recipes and from reference tools, never from a program that is scored. ``ffprobe`` is what
a careful script reads from ``ffprobe -show_streams -show_format``; MediaConch is used if it is
installed, for videos only. Rules about which a recipe makes no claim are left out. An undecided
rule counts as detected if it is broken, and is listed but not a false alarm if it is not.
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

from _run import installed

import fixtures
import mediaprep
from tests.corpus import breaks_by_spec, real_files

UNREADABLE = "(unreadable)"
ACCEPTED = "(accepted or not)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One file and what is true about it.

    breaks     *must* limits that it breaks
    maybe      rules without a claim
    verdict    unreadable, or "" for no claim
    """

    name: str
    path: Path
    breaks: frozenset[str]
    maybe: frozenset[str] = frozenset()
    verdict: str = ""
    is_video: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer of one program.

    broken      rules that it reports as broken; None: it cannot read the file
    undecided   rules that it cannot decide
    """

    broken: frozenset[str] | None
    undecided: frozenset[str] = frozenset()


@dataclass(slots=True)
class Score:
    """The score of one program for one rule.

    right       files that break it and were detected
    undecided   files that do not break it, without an answer
    missed      files that break it and were not detected
    alarms      files that do not break it, but were reported
    """

    right: int = 0
    undecided: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)


def cases(slow: bool, only: str) -> Iterator[Case]:
    for name in fixtures.names(slow=slow):
        truth = fixtures.truth(name)
        if only in name:
            kind = str(truth.facts.get("kind") or "video")
            is_video = kind == "video" and not name.endswith(
                (".srt", ".vtt", ".ass", ".gif", ".png", ".jpg", ".webp")
            )
            path = fixtures.make(name)
            yield Case(
                name=name,
                path=path,
                breaks=truth.breaks,
                maybe=truth.recipe.maybe,
                verdict=truth.verdict,
                is_video=is_video,
            )
    for real in real_files():
        if only in real.name:
            broken = breaks_by_spec(real)
            open_rules = real.breaks - broken - {"unreadable"}
            yield Case(
                name=real.name,
                path=real.path,
                breaks=broken,
                maybe=open_rules,
                is_video=real.kind == "video",
            )


def ask_mediaprep(path: Path) -> Answer:
    report = mediaprep.check(path)
    if report.verdict == "unreadable":
        return Answer(broken=None)
    musts = [finding for finding in report.findings if finding.level == "must"]
    states = {
        state: frozenset(finding.rule for finding in musts if finding.state == state)
        for state in ("broken", "unknown")
    }
    return Answer(broken=states["broken"], undecided=states["unknown"])


# -- ffprobe -----------------------------------------------------------------------------------


def ask_ffprobe(path: Path) -> Answer:
    """Use the fields as a script would: first streams, declared rate, no pass over packets."""
    options = ["-v", "error", "-of", "json", "-show_streams", "-show_format"]
    argv = [installed("ffprobe") or "ffprobe", *options, str(path)]
    try:
        done = subprocess.run(argv, capture_output=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        return Answer(broken=None)
    report = json.loads(done.stdout or b"{}")
    streams, container = report.get("streams", []), report.get("format", {})
    if done.returncode or not streams:
        return Answer(broken=None)
    video = next((s for s in streams if s["codec_type"] == "video"), None)
    audio = next((s for s in streams if s["codec_type"] == "audio"), None)
    names = set(container.get("format_name", "").split(","))
    if any(s["codec_type"] == "subtitle" for s in streams) and video is None:
        return Answer(broken=frozenset() if names & {"srt"} else frozenset({"subtitle-format"}))
    if video is None:
        return Answer(broken=frozenset({"file-kind"}))
    if names & {"gif", "apng", "webp_pipe"} and video.get("r_frame_rate") != "25/1":
        return Answer(broken=frozenset(_animation(names, video, container)))
    if any(name.endswith("_pipe") for name in names) or names & {"image2", "gif"}:
        return Answer(broken=frozenset(_still(names, container)))
    return Answer(broken=frozenset(_video(names, video, audio, container)))


def _video(
    names: set[str],
    video: Mapping[str, Any],
    audio: Mapping[str, Any] | None,
    container: Mapping[str, Any],
) -> Iterator[str]:
    width, height = video.get("width", 0), video.get("height", 0)
    tests = {
        "video-frame-rate": _number(video.get("r_frame_rate")) <= 60,
        "video-dimensions": max(width, height) <= 1280
        and min(width, height) <= 1024
        and min(width, height) >= 32,
        "video-size": int(container.get("size", 0)) <= 512 * 2**20,
        "video-duration": Fraction(1, 2) <= _number(container.get("duration")) <= 140,
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
    yield from (rule for rule, met in tests.items() if not met)


def _animation(
    names: set[str], video: Mapping[str, Any], container: Mapping[str, Any]
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
        "gif-size": int(container.get("size", 0)) <= 15 * 2**20,
    }
    yield from (rule for rule, met in tests.items() if not met)


def _still(names: set[str], container: Mapping[str, Any]) -> Iterator[str]:
    if not names & {"jpeg_pipe", "png_pipe", "webp_pipe", "gif", "image2"}:
        yield "image-type"
    if int(container.get("size", 0)) > 5 * 2**20:
        yield "image-size"


def _number(text: str | None) -> Fraction:
    try:
        return Fraction(text or 0)
    except (ValueError, ZeroDivisionError):
        return Fraction(0)


# -- MediaConch --------------------------------------------------------------------------------

_ABSENT = "must not exist"
# rule: alternatives, each a list of (track, field, operator, value) that must all hold
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
    """Return the rules as a MediaConch policy, with an inner policy for each."""
    root = ET.Element("policy", type="and", name="twitter")
    for rule, alternatives in _POLICY.items():
        one = ET.SubElement(root, "policy", type="or", name=rule)
        for number, tests in enumerate(alternatives):
            place = ET.SubElement(one, "policy", type="and", name=f"{rule} {number}")
            for track, name, operator, value in tests:
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


def ask_mediaconch(program: str, rules: Path) -> Callable[[Path], Answer]:
    def ask(path: Path) -> Answer:
        try:
            done = subprocess.run(
                [program, "-p", str(rules), "-fx", str(path)],
                capture_output=True,
                timeout=60,
                check=False,
            )
            root = ET.fromstring(done.stdout)
        except (subprocess.TimeoutExpired, ET.ParseError):
            return Answer(broken=None)
        found = {
            item.get("name"): item.get("outcome")
            for item in root.iter("{https://mediaarea.net/mediaconch}policy")
        }
        return Answer(broken=frozenset(rule for rule in _POLICY if found.get(rule) != "pass"))

    return ask


# -- table -------------------------------------------------------------------------------------


def count(case: Case, answer: Answer, scores: dict[str, Score]) -> None:
    """Add the answer about one file to the scores."""

    def add(row: str, broken: bool, found: bool, undecided: bool = False) -> None:
        score = scores.setdefault(row, Score())
        if broken and (found or undecided):
            score.right += 1
        elif broken:
            score.missed.append(case.name)
        elif found:
            score.alarms.append(case.name)
        elif undecided:
            score.undecided.append(case.name)

    if case.verdict == "unreadable" or answer.broken is None:
        if case.verdict:
            add(UNREADABLE, case.verdict == "unreadable", answer.broken is None)
        if answer.broken is None:
            return
    if case.verdict == "unreadable":
        return
    for rule in (case.breaks | answer.broken | answer.undecided) - case.maybe:
        add(rule, rule in case.breaks, rule in answer.broken, rule in answer.undecided)
    if not case.maybe or case.breaks:
        add(
            ACCEPTED,
            bool(case.breaks),
            bool(answer.broken - case.maybe),
            bool(answer.undecided - case.maybe),
        )


def table(scores: Mapping[str, dict[str, Score]], file_count: int) -> str:
    rows = sorted({rule for one in scores.values() for rule in one})
    head = " | ".join(f"{name}: right | missed must | false alarm" for name in scores)
    lines = [
        f"### {file_count} files",
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
        "--slow", action="store_true", help="include fixtures that take long to build"
    )
    parser.add_argument("--only", default="", help="files whose name contains this word")
    parser.add_argument("--wrong", action="store_true", help="list the files with a wrong verdict")
    parser.add_argument("--mediaconch", help="path of mediaconch, if it is not on PATH")
    options = parser.parse_args()
    checkers: dict[str, Callable[[Path], Answer]] = {"mediaprep": ask_mediaprep}
    if installed("ffprobe"):
        checkers["ffprobe's fields"] = ask_ffprobe
    with tempfile.TemporaryDirectory() as folder:
        if program := options.mediaconch or installed("mediaconch"):
            rules = Path(folder) / "twitter.xml"
            rules.write_text(policy())
            checkers["MediaConch (videos)"] = ask_mediaconch(program, rules)
        scores: dict[str, dict[str, Score]] = {name: {} for name in checkers}
        file_count = 0
        for case in cases(options.slow, options.only):
            file_count += 1
            for name, checker in checkers.items():
                if case.is_video or not name.startswith("MediaConch"):
                    count(case, checker(case.path), scores[name])
    print(table(scores, file_count))
    wrong = [
        (rule, score)
        for rule, score in sorted(scores["mediaprep"].items())
        if score.missed or score.alarms
    ]
    for rule, score in wrong if options.wrong else ():
        print(
            f"{rule}: missed {', '.join(score.missed) or 'none'}; false alarm "
            f"{', '.join(score.alarms) or 'none'}"
        )
    undecided = sorted(
        f"{rule} of {name}"
        for rule, score in scores["mediaprep"].items()
        for name in score.undecided
        if rule != ACCEPTED
    )
    print(f"\nundecided by mediaprep: {', '.join(undecided) or 'none'}")
    print(
        "mediaprep: "
        f"{'every verdict is right' if not wrong else f'{len(wrong)} rules with a wrong verdict'}"
    )
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
