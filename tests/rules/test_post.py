"""``post-attachments``: the attachments of one post."""

from __future__ import annotations

import pytest

from mediaprep.model.media import Animation, Image, Sound, Subtitle, Video
from mediaprep.planning.check import check_post
from mediaprep.profile import find_profile

POST = find_profile("twitter").post


def judged(*attachments):
    return check_post(attachments, POST, "twitter")


@pytest.mark.parametrize(
    "attachments", [(Image(),) * 4, (Animation(),), (Video(),), (Video(), Subtitle()), (Image(),)]
)
def test_one_kind_up_to_its_number_passes(attachments):
    assert judged(*attachments).verdict == "pass"
    assert judged(*attachments).findings == ()


@pytest.mark.parametrize(
    ("attachments", "measured"),
    [
        ((Image(),) * 5, "5 photos"),
        ((Animation(),) * 2, "2 animated GIFs"),
        ((Video(),) * 2, "2 videos"),
        ((Image(), Video()), "1 photo and 1 video"),
        ((Image(), Image(), Animation()), "2 photos and 1 animated GIF"),
        ((Image(), Video(), None), "1 photo and 1 video"),
    ],
)
def test_too_many_or_a_mix_fails(attachments, measured):
    report = judged(*attachments)
    assert report.verdict == "fail"
    assert [(f.rule, f.level, f.measured, f.gate) for f in report.findings] == [
        ("post-attachments", "must", measured, "post")
    ]


def test_a_post_with_an_unreadable_attachment_is_undecided():
    report = judged(Image(), None)
    assert report.verdict == "undecided"
    assert [f.state for f in report.findings] == ["unknown"]


def test_audio_without_video_is_not_an_attachment():
    assert judged(Image(), Sound()).verdict == "pass"
