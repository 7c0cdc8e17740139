"""Rules for captions: three rows each (passes, fails, unknown), and the cues after the fixes."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaprep.model.media import Cue, Subtitle
from mediaprep.model.options import Options
from mediaprep.planning.check import check
from mediaprep.planning.plan import plan
from mediaprep.profile import find_profile
from mediaprep.targets import cues as _cues

PROFILE = find_profile("twitter")
PLACEMENT = PROFILE.placements["subtitles"]


def cues(*times: tuple[float, float, str]) -> tuple[Cue, ...]:
    return tuple(
        Cue(start=Fraction(str(start)), end=Fraction(str(end)), text=text)
        for start, end, text in times
    )


GOOD = Subtitle(
    name="a.srt",
    size_bytes=100,
    private=(),
    format="srt",
    encoding="utf-8",
    cues=cues((1, 2, "one"), (3, 4, "two")),
)


def broken(source: Subtitle) -> dict[str, str]:
    return {finding.rule: finding.state for finding in check(source, PLACEMENT).findings}


@pytest.mark.parametrize(
    ("source", "rules"),
    [
        (GOOD, {}),
        (replace(GOOD, format="webvtt"), {"subtitle-format": "broken"}),
        (replace(GOOD, encoding="windows-1252"), {"subtitle-encoding": "broken"}),
        (replace(GOOD, encoding=None), {"subtitle-encoding": "unknown"}),
        (replace(GOOD, cues=cues((-1, 1, "a"))), {"subtitle-cue-time": "broken"}),
        (replace(GOOD, cues=cues((1, 1, "a"))), {"subtitle-cue-time": "broken"}),
        (replace(GOOD, cues=cues((3, 4, "a"), (1, 2, "b"))), {"subtitle-cue-order": "broken"}),
        (replace(GOOD, cues=cues((1, 2, ""))), {"subtitle-cue-empty": "broken"}),
        (replace(GOOD, cues=cues((1, 3, "a"), (2, 4, "b"))), {"subtitle-cue-overlap": "broken"}),
        (replace(GOOD, cues=cues((1, 2, "a"), (2, 4, "b"))), {}),
        (replace(GOOD, clip_duration=Fraction(4)), {}),
        (replace(GOOD, clip_duration=Fraction(39, 10)), {"subtitle-duration": "broken"}),
        (
            replace(GOOD, cues=None),
            dict.fromkeys(
                (
                    "subtitle-cue-time",
                    "subtitle-cue-order",
                    "subtitle-cue-empty",
                    "subtitle-cue-overlap",
                    "subtitle-duration",
                ),
                "unknown",
            ),
        ),
    ],
)
def test_three_rows_of_each_rule(source, rules):
    assert broken(source) == rules


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (((4, 3, "swapped"),), ((3, 4, "swapped"),)),
        (((-1, 1, "clamped"),), ((0, 1, "clamped"),)),
        (((-3, -1, "gone"), (1, 2, "stays")), ((1, 2, "stays"),)),
        (((1, 1, "until the next"), (2, 3, "next")), ((1, 2, "until the next"), (2, 3, "next"))),
        (
            ((1, 1, "two seconds at most"), (9, 10, "next")),
            ((1, 3, "two seconds at most"), (9, 10, "next")),
        ),
        (((3, 4, "late"), (1, 2, "early")), ((1, 2, "early"), (3, 4, "late"))),
    ],
)
def test_musts_are_fixed(before, after):
    result = plan((replace(GOOD, cues=cues(*before)),), PLACEMENT)
    assert isinstance(result.outputs[0].target, Subtitle)
    assert result.outputs[0].target.cues == cues(*after)


def test_advice_is_applied_only_on_request():
    source = replace(
        GOOD,
        cues=cues((1, 3.5, "a"), (3, 4, "b"), (5, 6, ""), (7, 8, "c"), (7, 9, "d")),
        clip_duration=Fraction(17, 2),
    )
    assert plan((source,), PLACEMENT).status == "already_ok"
    result = plan((source,), PLACEMENT, Options(fix_level="should"))
    assert isinstance(result.outputs[0].target, Subtitle)
    assert result.outputs[0].target.cues == cues((1, 3, "a"), (3, 4, "b"), (7, 8.5, "c\nd"))


def test_outputs_are_srt_in_utf8():
    result = plan((replace(GOOD, format="ass", encoding="utf-16"),), PLACEMENT)
    target = result.outputs[0].target
    assert isinstance(target, Subtitle)
    assert (target.format, target.encoding, target.cues) == ("srt", "utf-8", GOOD.cues)
    assert {c.fact: (c.because, c.safety) for c in result.outputs[0].changes} == {
        "format": (("subtitle-format",), "lossy"),
        "encoding": (("subtitle-encoding",), "lossless"),
    }


def test_unreadable_cues_are_refused():
    result = plan((replace(GOOD, cues=None, encoding="windows-1252"),), PLACEMENT)
    assert result.status == "refused"
    assert "by hand" in result.refusals[0].remedies[0]


def test_captions_without_a_remaining_cue_are_refused():
    assert plan((replace(GOOD, cues=cues((-3, -1, "a"))),), PLACEMENT).status == "refused"


times = st.integers(-5_000, 20_000).map(lambda ms: Fraction(ms, 1000))
any_cues = st.lists(
    st.builds(Cue, start=times, end=times, text=st.sampled_from(("", "a", "b\nc"))), max_size=8
).map(tuple)


@given(any_cues)
def test_fixed_cues_pass_every_rule(these):
    result = plan(
        (replace(GOOD, cues=these, clip_duration=Fraction(15)),),
        PLACEMENT,
        Options(fix_level="should"),
    )
    for output in result.outputs:
        assert isinstance(output.target, Subtitle)
        assert broken(output.target) == {}
        again = plan(
            (replace(output.target, size_bytes=1),), PLACEMENT, Options(fix_level="should")
        )
        assert again.status == "already_ok"


@given(any_cues, times, times)
def test_a_part_has_exactly_the_cues_shown_in_it(these, one, other):
    start, end = max(Fraction(0), min(one, other)), max(one, other, Fraction(1))
    part = _cues.within_span(these, (start, end))
    shown = _cues.with_times(these)
    for ms in range(0, int((end - start) * 1000), 333):
        at = Fraction(ms, 1000)
        assert [c.text for c in part if c.start <= at < c.end] == [
            c.text for c in shown if c.start <= start + at < c.end and start + at < end
        ]


def test_captions_without_a_cue_are_not_rewritten():
    empty = replace(GOOD, format="ass", cues=())
    assert broken(empty) == {"subtitle-format": "broken", "subtitle-cue-empty": "broken"}
    assert plan((empty,), PLACEMENT).status == "refused"
