"""The fixtures are what their recipes claim: the recipes' facts against ``truth.json``, which other programs wrote."""

from __future__ import annotations

import multiprocessing
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import fixtures
from fixtures.build import Edit, Kitchen, judgements, row

RULES = frozenset(
    """
    file-kind file-complete video-container video-codec video-frame-rate video-dimensions video-size video-duration video-aspect-ratio
    video-pixel-aspect-ratio video-pixel-format video-open-gop video-scan audio-codec audio-channels video-gop-length video-idr video-start
    video-peak-frame-rate video-colour-range video-hdr video-edit-list animation-type gif-dimensions gif-frames gif-pixels gif-size
    image-type image-size subtitle-format subtitle-encoding subtitle-cue-time subtitle-cue-order subtitle-cue-empty subtitle-cue-overlap
    subtitle-duration
    """.split()  # noqa: SIM905 - a table of words
)
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
UNTOLD = {  # where ffprobe 5.1 is known to say otherwise, each looked at by hand
    ("hflip.mp4", "video.rotation"): "a mirror is told as half a turn",
    ("vflip.mp4", "video.rotation"): "a mirror is dropped",
    ("transpose.mp4", "video.rotation"): "the mirror is dropped",
    (
        "sei_rot90.mp4",
        "video.rotation",
    ): "the SEI shows on frames only: rotation=90 there, anticlockwise",
    (
        "crop.mp4",
        "video.width",
    ): "304: the left crop is left out; the SPS crops 16 + 16 (trace), mediainfo's Sampled_Width is 288",
    ("d0_5_60.mkv", "video.duration"): "Matroska's milliseconds: 0.499",
    ("paff_closed.mp4", "video.gop.length_max"): "packets are counted, two fields a frame",
    ("paff_closed.ts", "video.gop.length_max"): "packets are counted, two fields a frame",
}


def _streams(judges: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    found = [
        s
        for s in judges.get("ffprobe", {}).get("streams", ())
        if s.get("codec_type") == kind and "attached_pic" not in s["disposition"]
    ]
    return sorted(found, key=lambda stream: "default" not in stream["disposition"])


def _gop_structure(judges: dict[str, Any], codec: str) -> str | None:
    """The verdict by ffmpeg's header trace: only for the codecs that it reads."""
    told = judges.get("gop")
    if not told or not told["raps"] or judges["packets"].get("discarded"):
        return None
    if judges["ffprobe"]["format_name"] == "avi":  # no presentation times to order the trace by
        return None
    raps = told["raps"]
    if codec == "mpeg2video":
        return (
            "open"
            if any(kind == "i:open" and at in told["b_after_i"] for at, kind, _ in raps)
            else "closed"
        )
    marks = [(kind, leading) for _, kind, leading in raps if not kind.startswith("plain")]
    if any(kind.startswith("gdr") for kind, _ in marks):
        return "gdr"
    if codec == "hevc":
        if not all(kind == "idr" for kind, _ in marks) and told.get("labels", {}).get("rasl"):
            return "open"
    elif any(kind != "idr" and leading for kind, leading in marks):
        return "open"
    return "closed" if all(kind == "idr" for kind, _ in marks) else "closed-nonidr"


def _told(judges: dict[str, Any]) -> dict[str, Any]:
    """What the judges say, by the names of our facts; a fact on which they are silent is absent."""
    facts: dict[str, Any] = {"size_bytes": judges["size_bytes"]}
    video, audio = _streams(judges, "video"), _streams(judges, "audio")
    if video:
        first = video[0]
        width, height = (
            judges.get("frames", {}).get("sizes") or [f"{first.get('width')}x{first.get('height')}"]
        )[0].split("x")
        facts |= {
            "video.codec": first.get("codec_name"),
            "video.profile": first.get("profile"),
            "video.pixel_format": first.get("pix_fmt"),
            "video.width": int(width),
            "video.height": int(height),
            "video.gop.structure": _gop_structure(judges, first.get("codec_name", "")),
            "video.tag": first.get("codec_tag_string"),
            "video.colour.transfer": first.get("color_transfer", "unspecified"),
            "video.colour.primaries": first.get("color_primaries", "unspecified"),
            "video.colour.matrix": first.get("color_space", "unspecified"),
            "video.rotation": -int(first.get("rotation", 0)) % 360,
        }
        facts["video.colour.range"] = {"tv": "limited", "pc": "full"}.get(
            first.get("color_range", ""), "unspecified"
        )
        packets, traced = judges.get("packets", {}), judges.get("gop", {})
        if (
            traced.get("raps")
            and len(traced["raps"]) < 40
            and facts["video.gop.structure"] == "closed"
        ):
            marks = [at for at, kind, _ in traced["raps"] if not kind.startswith("plain")]
            facts["video.gop.length_max"] = max(
                end - at for at, end in zip(marks, [*marks[1:], traced["packets"]], strict=True)
            )
        flags = judges.get("frames", {})
        if flags:
            whole = flags["interlaced"] == flags["count"]
            known = {(True, flags["count"]): "tff", (True, 0): "bff"}
            facts["video.scan_flags"] = (
                known.get((whole, flags["top_first"]), "mixed")
                if flags["interlaced"]
                else "progressive"
            )
        if "end" in packets:
            facts["video.duration"] = Fraction(
                round((packets["end"] - packets["first"]) * 1000), 1000
            )
        if "count" in packets:
            facts["video.frame_count"] = packets["count"] - packets["discarded"]
    if audio:
        facts |= {
            "audio.codec": audio[0]["codec_name"],
            "audio.channels": audio[0].get("channels"),
            "audio.sample_rate": int(audio[0].get("sample_rate", 0)),
        }
        if audio[0]["codec_name"] == "aac":
            facts["audio.profile"] = audio[0].get("profile")
    facts["audio_present"] = bool(audio)
    gif = judges.get("gifsicle")
    if gif and gif["screen"]:
        facts |= {
            "format": "gif",
            "frame_count": gif["images"],
            "width": int(gif["screen"].split("x")[0]),
            "height": int(gif["screen"].split("x")[1]),
            "duration": sum(
                Fraction(100 if delay <= 1 else 10 * delay, 1000) * times
                for delay, times in gif["delays"]
            ),
        }
        facts["loop"] = (
            0 if gif["loop"] == "forever" else int(gif["loop"].split()[1]) + 1 if gif["loop"] else 1
        )
    return {key: value for key, value in facts.items() if value is not None}


UNDECIDED = {  # a judge's figure is known to mislead here
    "hevc_field.mp4": "each frame is a field",
    "durations.mp4": "the headers lie",
    "rounded_aspect.avi": "ffprobe says 21845:21844, MediaInfo 1.000",
}
CLAIMS = [
    (name, fact, value)
    for name in fixtures.names(slow=True)
    for fact, value in fixtures.truth(name).facts.items()
]


@pytest.mark.parametrize("name", fixtures.names(slow=True))
def test_judges_confirm_the_recipe(name: str) -> None:
    """Every fact of a recipe on which a judge speaks is confirmed by it."""
    truth = fixtures.truth(name)
    if "ffprobe" not in truth.judges:
        pytest.skip("too large for the judges")
    told = _told(dict(truth.judges))
    if truth.facts.get("kind", "video") != "video":
        told = {key: value for key, value in told.items() if not key.startswith("video.")}
    claims = {
        fact: value
        for fact, value in truth.facts.items()
        if fact in told and (name, fact) not in UNTOLD
    }
    if "video.duration" in claims:  # the judges' times have six decimals
        claims["video.duration"] = Fraction(round(claims["video.duration"] * 1000), 1000)
    assert claims == {fact: told[fact] for fact in claims}


@pytest.mark.parametrize("name", [name for name, fact, _ in CLAIMS if fact == "container.format"])
def test_judges_confirm_the_container(name: str) -> None:
    """The demuxer of another ffmpeg takes the file for the format that the recipe names."""
    truth = fixtures.truth(name)
    wanted = FORMATS.get(truth.facts["container.format"])
    assert wanted in {None, truth.judges["ffprobe"].get("format_name")}


def _display(judges: dict[str, Any]) -> tuple[Fraction, Fraction]:
    """Width and height as shown, by ffprobe: SAR and rotation applied."""
    stream = _streams(judges, "video")[0]
    size = [Fraction(part) for part in judges["frames"]["sizes"][0].split("x")]
    across, down = (int(part) for part in stream.get("sample_aspect_ratio", "1:1").split(":"))
    shown = size[0] * Fraction(across, down), size[1]
    return shown if int(stream.get("rotation", 0)) % 180 == 0 else (shown[1], shown[0])


def _broken_by_judges(judges: dict[str, Any]) -> dict[str, bool]:
    """The musts on video that the judges' words decide: rule id, broken or not. A rule on which they are silent is absent."""
    video, audio, info = _streams(judges, "video")[0], _streams(judges, "audio"), {}
    for track in judges["mediainfo"].get("tracks", ()):
        info.setdefault(track["type"], track)
    broken = {
        "video-codec": video["codec_name"] != "h264",
        "video-container": judges["ffprobe"]["format_name"] != FORMATS["mp4"]
        or judges["ffprobe"]["tags"].get("major_brand", "").startswith("3g"),
        "video-pixel-format": video["pix_fmt"] not in {"yuv420p", "yuvj420p"}
        or info.get("Video", {}).get("ColorSpace") == "Y",
        "audio-codec": bool(audio)
        and (
            audio[0]["codec_name"] != "aac"
            or info.get("Audio", {}).get("Format_AdditionalFeatures") != "LC"
        ),
        "audio-channels": bool(audio) and audio[0]["channels"] > 2,
        "video-size": judges["size_bytes"] > 512 * 2**20,
    }
    width, height = _display(judges)
    broken["video-dimensions"] = (
        max(width, height) > 1280 or min(width, height) > 1024 or min(width, height) < 32
    )
    broken["video-aspect-ratio"] = max(width / height, height / width) > 3
    stated = {
        video.get("sample_aspect_ratio", "1:1"),
        *(
            ["other"]
            if info.get("Video", {}).get("PixelAspectRatio_Original", "1.000") != "1.000"
            else []
        ),
    }
    broken["video-pixel-aspect-ratio"] = stated != {"1:1"}
    if "duration" in judges["ffprobe"]:
        broken["video-duration"] = not 0.5 <= float(judges["ffprobe"]["duration"]) <= 140
    if "most_in_a_second" in judges["packets"]:
        rate = float(info.get("Video", {}).get("FrameRate", 0))
        broken["video-frame-rate"] = rate > 60 or judges["packets"]["most_in_a_second"] > 61
    structure = _gop_structure(judges, video["codec_name"])
    if structure:
        broken["video-open-gop"] = structure in {"open", "gdr"}
    if judges["frames"]["interlaced"]:
        broken["video-scan"] = True
    return broken


@pytest.mark.parametrize(
    "name", [name for name in fixtures.names() if "frames" in fixtures.truth(name).judges]
)
def test_judges_confirm_the_broken_rules(name: str) -> None:
    """What a video breaks by its recipe it also breaks by the judges' figures, and nothing else."""
    truth = fixtures.truth(name)
    if (
        truth.facts.get("kind", "video") != "video"
        or truth.verdict == "unreadable"
        or name in UNDECIDED
    ):
        pytest.skip("no video to judge")
    told = {
        rule: broken
        for rule, broken in _broken_by_judges(dict(truth.judges)).items()
        if rule not in truth.recipe.maybe
    }
    assert {rule for rule, broken in told.items() if broken} == truth.breaks & set(told)


def test_every_fixture_was_judged() -> None:
    """``truth.json`` knows every fixture and no other."""
    assert set(judgements()) == {"input.mov", *fixtures.names(slow=True)}


def test_rules_are_spelt_as_in_the_specification() -> None:
    """Recipes name rules that exist, and none twice."""
    named = {
        rule
        for recipe in fixtures.BOOK.values()
        for rule in recipe.breaks | recipe.warns | recipe.maybe
    }
    assert named <= RULES
    assert [
        name
        for name, recipe in fixtures.BOOK.items()
        if recipe.breaks & recipe.maybe or recipe.breaks & recipe.warns
    ] == []


def test_input_is_what_the_recipe_makes() -> None:
    """The committed clip and its recipe agree in every word of ffprobe."""
    truth = judgements()
    assert truth["input.mov"]["ffprobe"]["streams"] == truth["phone.mov"]["ffprobe"]["streams"]
    assert truth["input.mov"]["ffprobe"]["tags"] == truth["phone.mov"]["ffprobe"]["tags"]
    assert truth["input.mov"]["size_bytes"] == fixtures.INPUT.stat().st_size < 2_000_000


def test_make_builds_once(tmp_path: Path) -> None:
    """A second call returns the same file without building; another recipe under that name is another file."""
    first = Kitchen({"x.bin": row("x.bin", Edit(_write, (b"one",)))}, tmp_path)
    made = first.make("x.bin")
    stamp = made.stat().st_mtime_ns
    assert first.make("x.bin") == made
    assert made.stat().st_mtime_ns == stamp
    other = Kitchen({"x.bin": row("x.bin", Edit(_write, (b"two",)))}, tmp_path).make("x.bin")
    assert (made.read_bytes(), other.read_bytes()) == (b"one", b"two")


def test_make_is_safe_in_parallel(tmp_path: Path) -> None:
    """Several processes that build the same file at once all get the whole file, and leave nothing else behind."""
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        made = pool.map(_make_small, [str(tmp_path)] * 6)
    assert len(set(made)) == 1
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["small.mp4"]


def test_unknown_name_is_refused() -> None:
    """A name without recipe raises KeyError."""
    with pytest.raises(KeyError):
        fixtures.make("no such fixture.mp4")


def _write(out: Path, data: bytes) -> None:
    out.write_bytes(data)


def _make_small(cache: str) -> str:
    book = {
        "small.mp4": row(
            "small.mp4",
            "-f lavfi -i color=black:s=32x32:r=5:d=1 -c:v libx264 -preset ultrafast -threads 1",
        )
    }
    return str(Kitchen(book, Path(cache)).make("small.mp4"))
