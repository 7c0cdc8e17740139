"""The registry: documented, in order, and with the same rules as the profiles."""

from __future__ import annotations

import pytest

from mediaprep.model.media import Animation, Image, Media, Post, Sound, Subtitle, Video, fact
from mediaprep.profile import bundled, find_profile
from mediaprep.rules import REGISTRY, Rule

EMPTY: dict[str, Media] = {
    "video": Video(),
    "animation": Animation(),
    "image": Image(),
    "subtitle": Subtitle(),
    "sound": Sound(),
}
ALL = pytest.mark.parametrize("rule", REGISTRY.values(), ids=lambda rule: rule.id)


def profile_keys() -> set[str]:
    profiles = [find_profile(name) for name in bundled()]
    posts = {profile.post.rule for profile in profiles if profile.post is not None}
    return posts | {
        key
        for profile in profiles
        for placement in profile.placements.values()
        for key in placement.requirements
    }


def test_each_key_of_a_profile_is_a_rule() -> None:
    assert profile_keys() - set(REGISTRY) == set()


def test_each_rule_is_in_a_profile() -> None:
    assert set(REGISTRY) - profile_keys() == set()


@ALL
def test_each_rule_is_documented(rule: Rule) -> None:
    """The page that ``explain`` shows has its three parts in order, none of them empty."""
    order = [
        rule.page.find(heading) for heading in ("What it checks: ", "Why it matters: ", "The fix: ")
    ]
    assert -1 not in order
    assert order == sorted(order)
    assert all(len(part.split()) >= 3 for part in rule.page.split("\n\n") if part.strip())


@ALL
def test_a_rule_has_a_summary_if_and_only_if_it_has_a_fix(rule: Rule) -> None:
    assert (rule.fix is None) == (rule.fix_summary is None)
    if rule.fix is None:
        assert rule.page.split("The fix: ")[1].startswith("none"), (
            "the page must not describe a fix that does not exist"
        )


@ALL
def test_the_facts_that_a_rule_names_exist(rule: Rule) -> None:
    assert rule.facts
    for path in rule.facts:
        for kind in rule.kinds:
            fact(EMPTY[kind], path)
        if not rule.kinds:
            assert hasattr(Post(attachments=()), path)


@ALL
def test_a_rule_without_any_fact_never_passes(rule: Rule) -> None:
    """Without facts the verdict is unknown; ``file-complete`` passes formats without an end."""
    if not rule.kinds or rule.id in ("file-kind", "file-complete"):
        return
    for name in bundled():
        for placement in find_profile(name).placements.values():
            requirement = placement.requirements.get(rule.id)
            for kind in rule.kinds if requirement is not None else ():
                judged = rule.check(EMPTY[kind], requirement.limit) if requirement else None
                assert type(judged).__name__ == "Unknown", f"{name}: {judged}"


def test_the_order_of_checking_and_fixing() -> None:
    """The file comes first, the pixel aspect ratio before the size, the sound after the picture."""
    order = list(REGISTRY)
    assert order[:3] == ["file-kind", "file-complete", "file-private-metadata"]
    chain = [
        "video-container",
        "video-pixel-aspect-ratio",
        "video-dimensions",
        "video-duration",
        "video-pixel-format",
        "video-codec",
    ]
    chain += ["video-open-gop", "video-recommended-bitrate", "audio-codec", "audio-channels"]
    assert [rule_id for rule_id in order if rule_id in chain] == chain
