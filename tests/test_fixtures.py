"""Fixtures are what their recipes claim, according to the reference tools' ``truth.json``."""

from __future__ import annotations

import multiprocessing
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import fixtures
import fixtures.__main__
from fixtures.builder import FixtureBuilder
from fixtures.recipe import PythonStep, recipe
from fixtures.reports import reference_reports
from mediaprep.rules.registry import REGISTRY

FORMATS = {
    "mp4": "mov,mp4,m4a,3gp,3g2,mj2",
    "mov": "mov,mp4,m4a,3gp,3g2,mj2",
    "3gp": "mov,mp4,m4a,3gp,3g2,mj2",
    "matroska": "matroska,webm",
    "webm": "matroska,webm",
    "mpegts": "mpegts",
    "mpegps": "mpeg",
    "avi": "avi",
    "flv": "flv",
    "asf": "asf",
    "ogg": "ogg",
    "gif": "gif",
}
# Facts that ffprobe 5.1 is known to report wrongly or differently; each was examined by hand.
KNOWN_DIFFERENCES = {
    ("hflip.mp4", "video.rotation"): "reports a mirror as half a turn",
    ("vflip.mp4", "video.rotation"): "ignores the mirror",
    ("transpose.mp4", "video.rotation"): "ignores the mirror",
    (
        "sei_rot90.mp4",
        "video.rotation",
    ): "the SEI is reported for frames only: rotation=90, anticlockwise",
    (
        "crop.mp4",
        "video.width",
    ): "304: skips the left crop; the SPS crops 16 + 16, mediainfo's Sampled_Width is 288",
    ("d0_5_60.mkv", "video.duration"): "Matroska's milliseconds: 0.499",
    ("paff_closed.mp4", "video.gop.length_max"): "counts packets, two fields a frame",
    ("paff_closed.ts", "video.gop.length_max"): "counts packets, two fields a frame",
}


def _streams(reports: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    found = [
        s
        for s in reports.get("ffprobe", {}).get("streams", ())
        if s.get("codec_type") == kind and "attached_pic" not in s["disposition"]
    ]
    return sorted(found, key=lambda stream: "default" not in stream["disposition"])


def _gop_structure(reports: dict[str, Any], codec: str) -> str | None:
    """Return the GOP structure according to ffmpeg's header trace; None: it has no opinion."""
    trace = reports.get("gop")
    if not trace or not trace["raps"] or reports["packets"].get("discarded"):
        return None
    if reports["ffprobe"]["format_name"] == "avi":  # no presentation times to order the trace by
        return None
    raps = trace["raps"]
    if codec == "mpeg2video":
        leading = any(kind == "i:open" and at in trace["b_after_i"] for at, kind, _ in raps)
        return "open" if leading else "closed"
    marks = [(kind, leading) for _, kind, leading in raps if not kind.startswith("plain")]
    if any(kind.startswith("gdr") for kind, _ in marks):
        return "gdr"
    if codec == "hevc":
        if not all(kind == "idr" for kind, _ in marks) and trace.get("labels", {}).get("rasl"):
            return "open"
    elif any(kind != "idr" and leading for kind, leading in marks):
        return "open"
    return "closed" if all(kind == "idr" for kind, _ in marks) else "closed-nonidr"


def _reported_facts(reports: dict[str, Any]) -> dict[str, Any]:
    """Return the facts that the tools report, by our names; facts they do not report are absent."""
    video, audio = _streams(reports, "video"), _streams(reports, "audio")
    facts: dict[str, Any] = {"size_bytes": reports["size_bytes"], "audio_present": bool(audio)}
    if video:
        facts |= _video_facts(video[0], reports)
    if audio:
        facts |= _audio_facts(audio[0])
    if reports.get("gifsicle", {}).get("screen"):
        facts |= _gif_facts(reports["gifsicle"])
    return {name: value for name, value in facts.items() if value is not None}


def _video_facts(stream: dict[str, Any], reports: dict[str, Any]) -> dict[str, Any]:
    packets, frames = reports.get("packets", {}), reports.get("frames", {})
    sizes = frames.get("sizes") or [f"{stream.get('width')}x{stream.get('height')}"]
    width, height = map(int, sizes[0].split("x"))
    structure = _gop_structure(reports, stream.get("codec_name", ""))
    ranges = {"tv": "limited", "pc": "full"}
    facts = {
        "video.codec": stream.get("codec_name"),
        "video.profile": stream.get("profile"),
        "video.pixel_format": stream.get("pix_fmt"),
        "video.width": width,
        "video.height": height,
        "video.tag": stream.get("codec_tag_string"),
        "video.colour.transfer": stream.get("color_transfer", "unspecified"),
        "video.colour.primaries": stream.get("color_primaries", "unspecified"),
        "video.colour.matrix": stream.get("color_space", "unspecified"),
        "video.colour.range": ranges.get(stream.get("color_range", ""), "unspecified"),
        "video.rotation": -int(stream.get("rotation", 0)) % 360,
        "video.gop.structure": structure,
    }
    if structure == "closed":
        facts["video.gop.length_max"] = _longest_gop(reports.get("gop", {}))
    if frames:
        facts["video.scan_flags"] = _scan_flags(frames)
    if "end" in packets:
        seconds = packets["end"] - packets["first"]
        facts["video.duration"] = Fraction(round(seconds * 1000), 1000)
    if "count" in packets:
        facts["video.frame_count"] = packets["count"] - packets["discarded"]
    return facts


def _longest_gop(trace: dict[str, Any]) -> int | None:
    """Return the length of the longest GOP in packets; None if the trace is incomplete."""
    if not trace.get("raps") or len(trace["raps"]) >= 40:
        return None
    marks = [at for at, kind, _ in trace["raps"] if not kind.startswith("plain")]
    ends = [*marks[1:], trace["packets"]]
    return max(end - at for at, end in zip(marks, ends, strict=True))


def _scan_flags(frames: dict[str, Any]) -> str:
    if not frames["interlaced"]:
        return "progressive"
    if frames["interlaced"] != frames["count"]:
        return "mixed"
    return {frames["count"]: "tff", 0: "bff"}.get(frames["top_first"], "mixed")


def _audio_facts(stream: dict[str, Any]) -> dict[str, Any]:
    facts = {
        "audio.codec": stream["codec_name"],
        "audio.channels": stream.get("channels"),
        "audio.sample_rate": int(stream.get("sample_rate", 0)),
    }
    if stream["codec_name"] == "aac":
        facts["audio.profile"] = stream.get("profile")
    return facts


def _gif_facts(report: dict[str, Any]) -> dict[str, Any]:
    """Return facts of a GIF; delays of 0 and 1 hundredths are played as 100 ms."""
    width, height = map(int, report["screen"].split("x"))
    shown = [(100 if delay <= 1 else 10 * delay, frames) for delay, frames in report["delays"]]
    loop = 1
    if report["loop"] == "forever":
        loop = 0
    elif report["loop"]:
        loop = int(report["loop"].split()[1]) + 1
    return {
        "format": "gif",
        "frame_count": report["images"],
        "width": width,
        "height": height,
        "duration": sum((Fraction(ms * frames, 1000) for ms, frames in shown), Fraction(0)),
        "loop": loop,
    }


# A tool is known to mislead here.
MISLEADING = {
    "hevc_field.mp4": "each frame is a field",
    "durations.mp4": "the headers are false",
    "rounded_aspect.avi": "ffprobe reports 21845:21844, MediaInfo 1.000",
}
CLAIMS = [
    (name, fact, value)
    for name in fixtures.names(slow=True)
    for fact, value in fixtures.truth(name).facts.items()
]


@pytest.mark.parametrize("name", fixtures.names(slow=True))
def test_reference_tools_confirm_the_facts(name: str) -> None:
    """Every fact of a recipe that a tool reports has the same value."""
    truth = fixtures.truth(name)
    if "ffprobe" not in truth.reference:
        pytest.skip("too large for the reference tools")
    reported = _reported_facts(dict(truth.reference))
    if truth.facts.get("kind", "video") != "video":
        reported = {key: value for key, value in reported.items() if not key.startswith("video.")}
    claims = {
        fact: value
        for fact, value in truth.facts.items()
        if fact in reported and (name, fact) not in KNOWN_DIFFERENCES
    }
    if "video.duration" in claims:  # the tools' times have six decimals
        claims["video.duration"] = Fraction(round(claims["video.duration"] * 1000), 1000)
    assert claims == {fact: reported[fact] for fact in claims}


@pytest.mark.parametrize("name", [name for name, fact, _ in CLAIMS if fact == "container.format"])
def test_reference_tools_confirm_the_container(name: str) -> None:
    """The demuxer of another ffmpeg detects the format that the recipe names."""
    truth = fixtures.truth(name)
    wanted = FORMATS.get(truth.facts["container.format"])
    assert wanted in {None, truth.reference["ffprobe"].get("format_name")}


def _display(reports: dict[str, Any]) -> tuple[Fraction, Fraction]:
    """Return the display size according to ffprobe, with SAR and rotation applied."""
    stream = _streams(reports, "video")[0]
    size = [Fraction(part) for part in reports["frames"]["sizes"][0].split("x")]
    across, down = (int(part) for part in stream.get("sample_aspect_ratio", "1:1").split(":"))
    shown = size[0] * Fraction(across, down), size[1]
    return shown if int(stream.get("rotation", 0)) % 180 == 0 else (shown[1], shown[0])


def _broken_by_reports(reports: dict[str, Any]) -> dict[str, bool]:
    """Return which *must* limits on video are broken, for the rules that the reports decide."""
    video, audio, info = _streams(reports, "video")[0], _streams(reports, "audio"), {}
    for track in reports["mediainfo"].get("tracks", ()):
        info.setdefault(track["type"], track)
    broken = {
        "video-codec": video["codec_name"] != "h264",
        "video-container": reports["ffprobe"]["format_name"] != FORMATS["mp4"]
        or reports["ffprobe"]["tags"].get("major_brand", "").startswith("3g"),
        "video-pixel-format": video["pix_fmt"] not in {"yuv420p", "yuvj420p"}
        or info.get("Video", {}).get("ColorSpace") == "Y",
        "audio-codec": bool(audio)
        and (
            audio[0]["codec_name"] != "aac"
            or info.get("Audio", {}).get("Format_AdditionalFeatures") != "LC"
        ),
        "audio-channels": bool(audio) and audio[0]["channels"] > 2,
        "video-size": reports["size_bytes"] > 512 * 2**20,
    }
    width, height = _display(reports)
    broken["video-dimensions"] = (
        max(width, height) > 1280 or min(width, height) > 1024 or min(width, height) < 32
    )
    broken["video-aspect-ratio"] = max(width / height, height / width) > 3
    original = info.get("Video", {}).get("PixelAspectRatio_Original", "1.000")
    is_square = video.get("sample_aspect_ratio", "1:1") == "1:1" and original == "1.000"
    broken["video-pixel-aspect-ratio"] = not is_square
    if "duration" in reports["ffprobe"]:
        broken["video-duration"] = not 0.5 <= float(reports["ffprobe"]["duration"]) <= 140
    if "most_in_a_second" in reports["packets"]:
        rate = float(info.get("Video", {}).get("FrameRate", 0))
        broken["video-frame-rate"] = rate > 60 or reports["packets"]["most_in_a_second"] > 61
    structure = _gop_structure(reports, video["codec_name"])
    if structure:
        broken["video-open-gop"] = structure in {"open", "gdr"}
    if reports["frames"]["interlaced"]:
        broken["video-scan"] = True
    return broken


@pytest.mark.parametrize(
    "name", [name for name in fixtures.names() if "frames" in fixtures.truth(name).reference]
)
def test_reference_tools_confirm_the_broken_rules(name: str) -> None:
    """A video breaks the same rules by its recipe and by the tools' figures."""
    truth = fixtures.truth(name)
    if (
        truth.facts.get("kind", "video") != "video"
        or truth.verdict == "unreadable"
        or name in MISLEADING
    ):
        pytest.skip("not a video that the tools can decide")
    decided = {
        rule: broken
        for rule, broken in _broken_by_reports(dict(truth.reference)).items()
        if rule not in truth.recipe.maybe
    }
    assert {rule for rule, broken in decided.items() if broken} == truth.breaks & set(decided)


def test_every_fixture_has_reports() -> None:
    """``truth.json`` has an entry for every fixture and no other."""
    assert set(reference_reports()) == {"input.mov", *fixtures.names(slow=True)}


def test_recipes_name_existing_rules() -> None:
    """Each rule is named once in a recipe."""
    named = {
        rule for item in fixtures.RECIPES.values() for rule in item.breaks | item.warns | item.maybe
    }
    assert named <= set(REGISTRY)
    assert [
        name
        for name, item in fixtures.RECIPES.items()
        if item.breaks & item.maybe or item.breaks & item.warns
    ] == []


def test_the_page_of_recipes_is_current() -> None:
    """``python -m fixtures docs`` would not change RECIPES.md."""
    page = fixtures.__main__.RECIPES_PAGE.read_text(encoding="utf-8")
    assert page == fixtures.__main__.recipes_page()


def test_input_mov_is_what_its_recipe_makes() -> None:
    """ffprobe reports the same about the committed clip and the built one."""
    truth = reference_reports()
    assert truth["input.mov"]["ffprobe"]["streams"] == truth["phone.mov"]["ffprobe"]["streams"]
    assert truth["input.mov"]["ffprobe"]["tags"] == truth["phone.mov"]["ffprobe"]["tags"]
    assert truth["input.mov"]["size_bytes"] == fixtures.INPUT.stat().st_size < 2_000_000


def test_make_builds_once(tmp_path: Path) -> None:
    """A second call does not build again; another recipe with the same name is another file."""
    first = FixtureBuilder({"x.bin": recipe("x.bin", PythonStep(_write, (b"one",)))}, tmp_path)
    path = first.make("x.bin")
    stamp = path.stat().st_mtime_ns
    assert first.make("x.bin") == path
    assert path.stat().st_mtime_ns == stamp
    other = FixtureBuilder(
        {"x.bin": recipe("x.bin", PythonStep(_write, (b"two",)))}, tmp_path
    ).make("x.bin")
    assert (path.read_bytes(), other.read_bytes()) == (b"one", b"two")


def test_make_is_safe_in_parallel(tmp_path: Path) -> None:
    """Several processes that build the same file all get the complete file and leave no other."""
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        paths = pool.map(_make_small, [str(tmp_path)] * 6)
    assert len(set(paths)) == 1
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["small.mp4"]


def test_an_unknown_name_is_refused() -> None:
    """A name without a recipe raises KeyError."""
    with pytest.raises(KeyError):
        fixtures.make("no-such-fixture.mp4")


def _write(out: Path, data: bytes) -> None:
    out.write_bytes(data)


def _make_small(cache: str) -> str:
    recipes = {
        "small.mp4": recipe(
            "small.mp4",
            "-f lavfi -i color=black:s=32x32:r=5:d=1 -c:v libx264 -preset ultrafast -threads 1",
        )
    }
    return str(FixtureBuilder(recipes, Path(cache)).make("small.mp4"))
