"""check: verdicts, the order of findings, and what a report carries."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mediaprep.errors import SourceUnreadable
from mediaprep.model.level import LEVELS
from mediaprep.model.media import Animation, Sound, Video
from mediaprep.planning.check import check, effective_limit, unreadable
from mediaprep.profile import bundled, find_profile
from mediaprep.rules import REGISTRY
from tests.facts import good, silent, sized, twitter


def test_pass() -> None:
    report = check(good(), twitter())
    assert (report.verdict, report.findings, report.kind, report.placement) == (
        "pass",
        (),
        "video",
        "twitter/tweet_video",
    )
    assert (report.path, report.category, report.media) == ("clip.mp4", "tweet_video", good())


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"video__codec": "vp9"}, "fail"),
        ({"video__codec": None}, "undecided"),
        ({"video__codec": "vp9", "video__scan": None}, "fail"),  # broken outweighs unknown
        (
            {"video__gop__length_max": 600, "video__profile": "Main"},
            "pass",
        ),  # findings that are not a must
        (
            {"video__gop__length_max": None, "video__profile": None, "private": None},
            "pass",
        ),  # unknown, but not a must
    ],
)
def test_verdict(changes: dict[str, object], verdict: str) -> None:
    assert check(good(**changes), twitter()).verdict == verdict


def test_findings_come_in_the_order_of_the_rules() -> None:
    media = sized(
        4000,
        30,
        container__format="avi",
        video__codec="vp9",
        audio__channels=6,
        video__gop__structure="open",
    )
    found = [finding.rule for finding in check(media, twitter()).findings]
    assert found == [rule for rule in REGISTRY if rule in found]
    assert len(found) == len(set(found)) > 6


def test_only_the_rules_of_the_placement_apply() -> None:
    """Discord limits only the size of a video: rules for codecs or GIFs do not apply."""
    placement = find_profile("discord").placement_for("video")
    media = sized(
        4000, 30, container__format="matroska", video__codec="vp9", private=(), size_bytes=10**6
    )
    assert check(media, placement).verdict == "pass"
    assert check(replace(media, size_bytes=10**8), placement).verdict == "fail"


def test_a_file_without_facts_passes_no_must() -> None:
    """Every must is undecided; nothing is guessed."""
    report = check(replace(silent(Video(name="clip.mp4")), audio_present=None), twitter())
    musts = {
        rule for rule, requirement in twitter().requirements.items() if requirement.level == "must"
    } - {"file-kind", "file-complete"}
    assert {finding.rule for finding in report.findings if finding.state == "unknown"} >= musts
    assert report.verdict == "undecided"


def test_only_rules_for_every_kind_apply_to_another_kind() -> None:
    report = check(Sound(name="song.mp3", complete=True, private=()), twitter())
    assert [finding.rule for finding in report.findings] == ["file-kind"]
    assert report.kind == "sound"
    assert (
        "song.mp3: kind of media is audio without video; twitter/tweet_video takes video ("
        in report.findings[0].message
    )


@pytest.mark.parametrize(
    ("category", "kinds"),
    [
        ("tweet_video", "video"),
        ("tweet_gif", "animation"),
        ("dm_image", "image or animation"),
        ("subtitles", "subtitle"),
    ],
)
def test_the_limit_of_file_kind_is_the_kinds_that_the_category_takes(
    category: str, kinds: str
) -> None:
    placement = twitter(category)
    assert effective_limit(placement.requirements["file-kind"], placement).describe() == kinds


def test_a_finding_names_its_gate_if_it_is_known() -> None:
    (size,) = [
        finding
        for finding in check(good(size_bytes=10**9), twitter()).findings
        if finding.level == "must"
    ]
    assert size.gate == "upload"
    (kind,) = [
        f
        for f in check(Animation(complete=True, private=()), twitter()).findings
        if f.rule == "file-kind"
    ]
    assert kind.gate is None


def test_unreadable() -> None:
    """A file that cannot be read has its own verdict, one finding and no facts."""
    report = unreadable(
        "x.mp4",
        SourceUnreadable("no moov box: copy the file again", rule="file-complete"),
        "twitter",
    )
    (finding,) = report.findings
    assert (report.verdict, report.kind, report.media, finding.rule) == (
        "unreadable",
        None,
        None,
        "file-complete",
    )
    assert finding.message == "x.mp4: no moov box: copy the file again"


@pytest.mark.parametrize("name", bundled())
def test_every_bundled_placement_judges_known_and_unknown_facts(name: str) -> None:
    """Each limit has the type that its rule expects."""
    for placement in find_profile(name).placements.values():
        if placement.kind == "video":
            for media in (good(), Video(), silent(good())):
                assert all(finding.level in LEVELS for finding in check(media, placement).findings)
