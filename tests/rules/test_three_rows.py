"""Every rule for videos has three rows: passes, fails (with the measured text), unknown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import pytest

from mediaprep.model.media import (
    DeclaredSar,
    HdrFormat,
    PrivateItem,
    ReportedFact,
    UnknownFact,
    Video,
)
from mediaprep.model.report import Finding
from mediaprep.planning.check import check
from mediaprep.rules import REGISTRY
from tests.facts import changed, good, silent, twitter

Changes = dict[str, Any]
_SAR43 = (
    DeclaredSar(where="container", value=Fraction(4, 3)),
    DeclaredSar(where="bitstream", value=Fraction(4, 3)),
)
_GPS = PrivateItem(kind="location", where="moov/udta/©xyz")
_CLOCK = PrivateItem(kind="time", where="moov/mvhd")


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The rows of one rule.

    passes   facts that pass
    fails    facts that fail, and the measured text
    unknown  the fact whose absence makes the verdict unknown
    """

    passes: tuple[Changes, ...]
    fails: tuple[tuple[Changes, str], ...]
    unknown: str | None


ROWS: dict[str, Rows] = {
    "file-complete": Rows(
        passes=({}, {"complete": None}),
        fails=(
            (
                {"complete": False, "incomplete_because": "moov ends after the file"},
                "truncated or damaged",
            ),
        ),
        unknown=None,  # None: a format without an end marker passes
    ),
    "file-private-metadata": Rows(
        passes=({}, {"private": (_CLOCK,)}),
        fails=(({"private": (_GPS, _CLOCK)}, "location"),),
        unknown="private",
    ),
    "video-container": Rows(
        passes=(
            {},
            {"container__format": "mov"},
            {"container__fragmented": True},
            {"container__faststart": False},
        ),
        fails=(
            ({"container__format": "matroska"}, "matroska"),
            ({"container__format": "3gp"}, "3gp"),
        ),
        unknown="container.format",
    ),
    "video-size": Rows(
        passes=({}, {"size_bytes": 512 * 2**20}),
        fails=(({"size_bytes": 512 * 2**20 + 1}, "537 MB (536870913 bytes)"),),
        unknown="size_bytes",
    ),
    "video-edit-list": Rows(
        passes=({}, {"video__edit_list": "none"}),
        fails=(
            ({"video__edit_list": "trims"}, "trims"),
            ({"video__edit_list": "delays"}, "delays"),
        ),
        unknown="video.edit_list",
    ),
    "video-pixel-aspect-ratio": Rows(
        passes=({}, {"video__sars": ()}),
        fails=(({"video__sars": _SAR43}, "4:3 in the container, 4:3 in the bitstream"),),
        unknown="video.sars",
    ),
    "video-dimensions": Rows(
        passes=({}, {"video__width": 32, "video__height": 32}),
        fails=(
            ({"video__width": 1920, "video__height": 1080}, "1920x1080"),
            ({"video__width": 30, "video__height": 32}, "30x32"),
            ({"video__size_changes": True}, "1280x720"),
            ({"video__sars": _SAR43}, "1707x720"),
            ({"video__clap": (0, 0, 30, 20)}, "30x20"),
        ),
        unknown="video.width",
    ),
    "video-aspect-ratio": Rows(
        passes=(
            {},
            {"video__width": 1200, "video__height": 400},
            {"video__width": 400, "video__height": 1200},
        ),
        fails=(
            ({"video__width": 1202, "video__height": 400}, "601:200 (1202x400)"),
            (
                {"video__width": 1202, "video__height": 400, "video__rotation": 90},
                "200:601 (400x1202)",
            ),
        ),
        unknown="video.rotation",
    ),
    "video-recommended-dimensions": Rows(
        passes=({}, {"video__width": 720}, {"video__rotation": 270}),
        fails=(({"video__width": 640, "video__height": 360}, "640x360"),),
        unknown="video.height",
    ),
    "video-recommended-aspect-ratio": Rows(
        passes=({}, {"video__width": 854, "video__height": 480}, {"video__width": 720}),
        fails=(({"video__width": 960}, "4:3"),),
        unknown="video.width",
    ),
    "video-duration": Rows(
        passes=({}, {"duration": Fraction(140), "video__duration": Fraction(1, 2)}),
        fails=(
            ({"duration": Fraction(141)}, "141 s"),
            ({"video__duration": Fraction(12, 25), "duration": Fraction(12, 25)}, "0.48 s"),
        ),
        unknown="duration",
    ),
    "video-frame-rate": Rows(
        passes=(
            {},
            {
                "video__frame_rate": Fraction(60),
                "video__frame_rate_peak": 61,
                "video__jitter_frames": 1,
            },
            {"video__frame_rate_peak": None},
        ),
        fails=(
            ({"video__frame_rate": Fraction(120000, 1001)}, "119.88 fps"),
            ({"video__frame_rate_peak": 75}, "75 frames in one second"),
        ),
        unknown="video.frame_rate",
    ),
    "video-peak-frame-rate": Rows(
        passes=(
            {},
            {"video__frame_rate_burst": Fraction(605, 10), "video__rate_mode": "vfr"},
            {"video__frame_rate_burst": Fraction(62)},
        ),
        fails=(
            (
                {"video__frame_rate_burst": Fraction(120), "video__rate_mode": "vfr"},
                "120 fps in bursts",
            ),
            ({"video__frame_rate_declared": Fraction(600)}, "600 fps"),
        ),
        unknown="video.frame_rate_burst",
    ),
    "video-recommended-frame-rate": Rows(
        passes=(
            {},
            {"video__frame_rate": Fraction(30000, 1001)},
            {"video__frame_rate": Fraction(60)},
        ),
        fails=(({"video__frame_rate": Fraction(25)}, "25 fps"),),
        unknown="video.frame_rate",
    ),
    "video-scan": Rows(
        passes=({}, {"video__scan": "soft-telecine"}),
        fails=tuple(({"video__scan": scan}, scan) for scan in ("interlaced", "telecine", "psf")),
        unknown="video.scan",
    ),
    "video-pixel-format": Rows(
        passes=({}, {"video__pixel_format": "yuvj420p"}),
        fails=tuple(
            ({"video__pixel_format": name}, name)
            for name in ("yuv420p10le", "yuv422p", "gbrp", "gray")
        ),
        unknown="video.pixel_format",
    ),
    "video-colour-range": Rows(
        passes=({}, {"video__colour__range": "unspecified"}),
        fails=(({"video__colour__range": "full"}, "full"),),
        unknown="video.colour.range",
    ),
    "video-hdr": Rows(
        passes=({},),
        fails=(
            ({"video__colour__hdr": (HdrFormat(name="HLG"),)}, "HLG"),
            (
                {
                    "video__colour__hdr": (
                        HdrFormat(name="Dolby Vision", profile=8, compatibility=4),
                    )
                },
                "Dolby Vision profile 8.4",
            ),
        ),
        unknown="video.colour.hdr",
    ),
    "video-codec": Rows(
        passes=({},),
        fails=tuple(({"video__codec": name}, name) for name in ("hevc", "vp9", "mpeg4")),
        unknown="video.codec",
    ),
    "video-profile": Rows(
        passes=({},), fails=(({"video__profile": "Main"}, "Main"),), unknown="video.profile"
    ),
    "video-open-gop": Rows(
        passes=({}, {"video__gop__structure": "closed-nonidr"}),
        fails=(
            ({"video__gop__structure": "open"}, "open"),
            ({"video__gop__structure": "gdr"}, "gradual refresh without key pictures"),
            ({"video__gop__structure": "no-rap"}, "without a random access point"),
            (
                {"video__gop__structure": "starts-mid-gop"},
                "incomplete: starts in the middle of a GOP",
            ),
        ),
        unknown="video.gop.structure",
    ),
    "video-gop-length": Rows(
        passes=({"video__gop__length_max": 512},),
        fails=(({"video__gop__length_max": 513}, "513 frames"),),
        unknown="video.gop.length_max",
    ),
    "video-idr": Rows(
        passes=({},),
        fails=(({"video__gop__nonidr_count": 4}, "without IDR at 4 points"),),
        unknown="video.gop.nonidr_count",
    ),
    "video-start": Rows(
        passes=({}, {"video__start": Fraction(1, 60)}),
        fails=(
            ({"video__start": Fraction(3, 2)}, "at 1.5 s"),
            ({"video__gop__starts_with_idr": False}, "without an IDR picture"),
        ),
        unknown="video.start",
    ),
    "video-recommended-bitrate": Rows(
        passes=({"video__bit_rate": 5_000_000},),
        fails=(({"video__bit_rate": 4_999_000}, "4999 kbit/s"),),
        unknown="video.bit_rate",
    ),
    "audio-recommended-bitrate": Rows(
        passes=({"audio__bit_rate": 128_000},),
        fails=(({"audio__bit_rate": 96_000}, "96 kbit/s"),),
        unknown="audio.bit_rate",
    ),
    "audio-codec": Rows(
        passes=({},),
        fails=(
            ({"audio__profile": "HE-AAC"}, "aac/HE-AAC"),
            ({"audio__profile": "HE-AACv2"}, "aac/HE-AACv2"),
            ({"audio__codec": "mp3", "audio__profile": ""}, "mp3"),
            ({"audio__codec": "aac_latm"}, "aac_latm/LC"),
        ),
        unknown="audio.profile",
    ),
    "audio-channels": Rows(
        passes=({}, {"audio__channels": 1}),
        fails=(({"audio__channels": 6}, "6"), ({"audio__channels": 3}, "3")),
        unknown="audio.channels",
    ),
}
OF_VIDEO = [
    rule for rule in REGISTRY.values() if "video" in rule.kinds and rule.id != "file-kind"
]  # file-kind: test_file_rules.py


def allowed(finding: Finding) -> str:
    """The middle of the message: the limit, its placement and its source."""
    source = twitter().requirements[finding.rule].source
    if finding.level == "must":
        return f"; twitter/tweet_video takes {finding.limit} ({source})."
    return f"; recommended for twitter/tweet_video: {finding.limit} ({source})."


def findings(media: Video, rule_id: str) -> tuple[Finding, ...]:
    return tuple(finding for finding in check(media, twitter()).findings if finding.rule == rule_id)


def test_every_rule_has_rows() -> None:
    """A new rule for videos needs its three rows here."""
    assert set(ROWS) == {rule.id for rule in OF_VIDEO}


@pytest.mark.parametrize(
    ("rule_id", "changes"),
    [(rule_id, changes) for rule_id, rows in ROWS.items() for changes in rows.passes],
)
def test_passes(rule_id: str, changes: Changes) -> None:
    assert findings(good(**changes), rule_id) == ()


@pytest.mark.parametrize(
    ("rule_id", "changes", "measured"),
    [(rule_id, changes, text) for rule_id, rows in ROWS.items() for changes, text in rows.fails],
)
def test_fails_with_the_measured_value(rule_id: str, changes: Changes, measured: str) -> None:
    """The finding has the level of the profile; its message has value, limit and source."""
    (finding,) = findings(good(**changes), rule_id)
    requirement = twitter().requirements[rule_id]
    assert (finding.state, finding.level, finding.measured, finding.gate) == (
        "broken",
        requirement.level,
        measured,
        requirement.gate,
    )
    head, middle, tail = finding.message.partition(allowed(finding))
    assert middle, finding.message
    assert head.startswith(f"clip.mp4: {REGISTRY[rule_id].subject} is {measured}")
    assert tail == (f" Fix: {finding.fix}." if finding.fix else "")
    assert finding.message.isprintable()


@pytest.mark.parametrize(
    ("rule_id", "path"), [(rule_id, rows.unknown) for rule_id, rows in ROWS.items() if rows.unknown]
)
def test_unknown(rule_id: str, path: str) -> None:
    """An unknown fact never passes: the finding has the reason and the reports of the readers."""
    reported = ReportedFact(fact=path, source="mediainfo", value="something", agrees=False)
    media = changed(good(), **{path.replace(".", "__"): None})
    if rule_id == "video-peak-frame-rate":
        media = changed(media, video__frame_rate_declared=None)
    media = replace(
        media,
        unknown=(UnknownFact(fact=path, reason="the header is damaged"),),
        reported_facts=(reported,),
    )
    (finding,) = findings(media, rule_id)
    assert finding.state == "unknown"
    assert finding.measured == ""
    head, middle, tail = finding.message.partition(allowed(finding))
    assert middle, finding.message
    assert tail == (f" Fix: {finding.fix}." if finding.fix else "")
    judged = any(path == fact or fact.startswith(f"{path}.") for fact in REGISTRY[rule_id].facts)
    assert finding.evidence == ((reported,) if judged else ())
    subject = REGISTRY[rule_id].subject
    assert head == f"clip.mp4: {subject} is unknown (the header is damaged)"


@pytest.mark.parametrize("rule_id", ["audio-codec", "audio-channels", "audio-recommended-bitrate"])
def test_no_sound_is_fine(rule_id: str) -> None:
    assert findings(silent(good()), rule_id) == ()


@pytest.mark.parametrize("rule_id", ["audio-codec", "audio-channels", "audio-recommended-bitrate"])
def test_sound_of_unknown_presence_is_undecided(rule_id: str) -> None:
    """``audio_present`` None means unknown, not silent."""
    (finding,) = findings(replace(silent(good()), audio_present=None), rule_id)
    assert finding.state == "unknown"


def test_contradicting_readers_are_named_in_the_message() -> None:
    """Disagreement is reported, not averaged."""
    reported_facts = (
        ReportedFact(fact="video.scan", source="bitstream", value="progressive"),
        ReportedFact(fact="video.scan", source="mediainfo", value="tff", agrees=False),
        ReportedFact(fact="video.codec", source="mediainfo", value="AVC", agrees=False),
    )
    (finding,) = findings(
        replace(good(video__scan="interlaced"), reported_facts=reported_facts), "video-scan"
    )
    assert finding.evidence == reported_facts[:2]
    assert "Readers disagree: mediainfo reports tff. Fix:" in finding.message


def test_the_place_of_the_first_open_gop_is_reported() -> None:
    media = good(
        video__gop__structure="open",
        video__gop__open_count=3,
        video__gop__first_open=Fraction(24, 25),
    )
    (finding,) = findings(media, "video-open-gop")
    assert "GOP structure is open (3 open, the first at 0.96 s); " in finding.message


def test_the_remedy_for_missing_timestamps_is_frame_rate() -> None:
    """Rate and duration of a raw stream are unknown until --frame-rate declares the rate."""
    media = good(
        video__frame_rate=None, video__timestamps="missing", duration=None, video__duration=None
    )
    for rule_id in ("video-frame-rate", "video-duration"):
        (finding,) = findings(media, rule_id)
        assert finding.fix == "pass the frame rate with --frame-rate N"
