"""Reports, plans and outcomes as lines of text."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from mediaprep.errors import SourceUnreadable
from mediaprep.model.media import Gop, UnknownFact
from mediaprep.model.options import Options
from mediaprep.pipeline.outcome import Outcome
from mediaprep.planning.check import check, unreadable
from mediaprep.planning.plan import plan
from mediaprep.report import text
from mediaprep.report.facts import all_facts, clock, gop_pattern, summary
from mediaprep.report.lines import StyledText, columns, line, render
from mediaprep.report.predict import predict
from mediaprep.rules import REGISTRY
from tests.report.made import GOOD, PLACEMENT, video


def shown(path, media, options=None, profile="twitter"):
    made = plan((media,), PLACEMENT, options)
    return render(text.check_lines(path, made.report, made, profile)).splitlines()


def planned(media, options=None):
    made = plan((media,), PLACEMENT, options)
    return render(
        text.plan_lines("x.mp4", made.report, made, [predict(output) for output in made.outputs])
    ).splitlines()


def test_the_header_has_the_facts_and_the_placement():
    first = shown("x.mp4", GOOD)[0]
    assert (
        first == "x.mp4  640x360 h264 29.97p yuv420p 0:10 aac-lc stereo 1 MB"
        "    profile: twitter/tweet_video"
    )


def test_each_finding_is_one_row_the_musts_first():
    lines = shown(
        "x.mp4",
        video(
            audio={"channels": 6},
            gop={"structure": "open", "open_count": 2},
            picture={"bit_rate": 10**5},
        ),
    )
    rows = [words for row in lines[1:-1] if (words := row.split())]
    assert [row[0] for row in rows] == sorted(
        (row[0] for row in rows), key=["must", "observed", "should"].index
    )
    assert {"video-open-gop", "audio-channels"} <= {row[1] for row in rows if row[0] == "must"}


def test_the_last_line_counts_and_names_the_next_command():
    assert shown("a b.mp4", video(container={"format": "matroska"}))[-1].endswith(
        "1 fixable.   Next: mediaprep fix 'a b.mp4'"
    )
    long = video(duration=Fraction(200), picture={"duration": Fraction(200)})
    assert shown("-x.mp4", long, profile="my")[-1].endswith(
        "1 fixable with an option.   Next: mediaprep fix ./-x.mp4 -p my --trim first"
    )
    assert "Next" not in shown("x.mp4", GOOD)[-1]


def test_an_unknown_fact_comes_with_its_reason():
    media = replace(
        video(gop={"structure": None}),
        unknown=(UnknownFact(fact="video.gop.structure", reason="the packets are encrypted"),),
    )
    row = next(row for row in shown("x.mp4", media) if "video-open-gop" in row)
    assert "unknown (the packets are encrypted); allowed: closed" in row


@pytest.mark.parametrize(
    ("level", "measured", "limit", "expected"),
    [
        ("must", "59.94 fps", "at most 30 fps", "59.94 fps; allowed: at most 30 fps"),
        ("observed", "hevc", "h264", "hevc; allowed: h264"),
        ("should", "Main 10", "High", "Main 10; recommended: High"),
        ("must", "a video", "", "a video"),
    ],
)
def test_a_finding_names_value_and_limit(level, measured, limit, expected):
    finding = replace(
        check(video(container={"format": "avi"}), PLACEMENT).findings[0],
        level=level,
        measured=measured,
        limit=limit,
    )
    assert text.finding_text(finding) == expected


def test_an_unreadable_file_is_one_line_with_its_name_once():
    report = unreadable("x.mp4", SourceUnreadable("the file is empty"), "twitter")
    assert (
        render(text.check_lines("x.mp4", report, None, "twitter"))
        == "x.mp4: unreadable: the file is empty\n"
    )


def test_a_plan_is_numbered_steps_with_their_rules():
    lines = planned(video(audio={"channels": 6, "layout": "5.1"}))
    assert [row.split()[:2] for row in lines[1:3]] == [["1", "audio"], ["2", "copy"]]
    assert lines[1].split()[2:8] == ["AAC", "LC", "48", "kHz", "stereo", "64"]
    assert lines[1].endswith("because audio-channels")
    assert lines[2].split()[2:] == ["video,", "unchanged"]
    assert lines[3].split()[0] == "estimate"


def test_the_reasons_of_an_encode_are_all_rules_that_need_it():
    made = planned(video(picture={"codec": "hevc", "pixel_format": "yuv420p10le", "bit_depth": 10}))
    steps = {row.split()[1]: row for row in made[1:-1]}
    assert steps["encode"].endswith("because video-codec")
    assert steps["colour"].endswith("because video-pixel-format")


def test_a_trim_names_its_option():
    lines = planned(
        video(duration=Fraction(200), picture={"duration": Fraction(200)}), Options(trim="first")
    )
    assert lines[1].split() == ["1", "trim", "0", "to", "139.9", "s", "because", "--trim"]


def test_a_refusal_names_the_remedies():
    media = video(duration=Fraction(200), picture={"duration": Fraction(200)})
    assert planned(media)[1].endswith("remedies: --trim first, --trim START-END, --split")
    made = plan((media,), PLACEMENT)
    outcome = Outcome(
        path="x.mp4", status="refused", profile="twitter", before=made.report, plan=made
    )
    lines = render(text.fix_lines("x.mp4", outcome, "twitter")).splitlines()
    assert lines[0].startswith("x.mp4: refused: the video lasts 200 s")
    assert lines[1] == "  Next: mediaprep fix x.mp4 --trim first"


def test_a_fixed_file_is_one_line_per_output():
    report = check(video("out.mp4"), PLACEMENT)
    outcome = Outcome(
        path="x.mkv", status="fixed", profile="twitter", outputs=("out.mp4",), after=(report,)
    )
    assert render(text.fix_lines("x.mkv", outcome, "twitter")).startswith(
        "out.mp4  640x360 h264 High 29.97p yuv420p 0:10 aac-lc stereo 1 MB   verified"
    )


def test_an_accepted_file_is_one_line():
    report = replace(check(GOOD, PLACEMENT), findings=())
    outcome = Outcome(path="x.mp4", status="already_ok", profile="twitter", before=report)
    assert (
        render(text.fix_lines("x.mp4", outcome, "twitter"))
        == "x.mp4  already accepted, unchanged\n"
    )


def test_a_failure_names_each_problem():
    outcome = Outcome(
        path="x.mp4",
        status="failed",
        profile="twitter",
        problems=("encode: exit code 1: no space", "second"),
    )
    assert (
        render(text.fix_lines("x.mp4", outcome, "twitter"))
        == "x.mp4: failed: encode: exit code 1: no space\nx.mp4: failed: second\n"
    )


@pytest.mark.parametrize("rule", REGISTRY.values(), ids=lambda rule: rule.id)
def test_every_rule_has_a_page_of_three_parts(rule):
    page = render(text.explain_lines(rule, []))
    assert page.startswith(rule.id)
    assert "What it checks: " in page
    assert "Why it matters: " in page


def test_all_facts_are_grouped_with_units_and_the_pattern_of_the_gops():
    lines = render(all_facts(GOOD, "x.mp4")).splitlines()
    groups = [row for row in lines if row and not row.startswith(" ")][1:]
    assert groups == ["file", "container", "video", "colour", "GOP", "audio"]
    assert "  pattern  IBBP 4 | IBBP 4" in lines
    assert "  frame_rate           29.97 fps (30000/1001)" in lines


def test_a_name_can_neither_move_the_cursor_nor_be_markup():
    lines = shown("a\nb\x1b[31m[red]\u202e\udcff.mp4", GOOD)
    assert lines[0].startswith("a\\nb\\x1b[31m[red]\\u202e\\xff.mp4  ")


def test_styles_are_applied_after_escaping():
    assert (
        render([line(StyledText("a\x1b[0m", "red"), " b")], colour=True)
        == "\x1b[31ma\\x1b[0m\x1b[0m b\n"
    )
    assert render([line(StyledText("a", "red"))]) == "a\n"


def test_columns_are_as_wide_as_their_escaped_texts():
    assert render(columns([("a\n", "b"), ("ccccc", "d")])) == "a\\n    b\nccccc  d\n"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (Fraction(184), "3:04"),
        (Fraction(3723), "1:02:03"),
        (Fraction(417, 100), "0:04.17"),
        (Fraction(5), "0:05"),
        (None, None),
        (Fraction(1399, 10), "2:20"),
    ],
)
def test_clock(seconds, words):
    assert clock(seconds) == words


def test_a_summary_omits_unknown_facts():
    assert (
        summary(video(picture={"frame_rate": None, "pixel_format": None}, duration=None))
        == "640x360 h264 aac-lc stereo 1 MB"
    )


@pytest.mark.parametrize(
    ("pattern", "count", "text"),
    [
        ("IPBB|(IBBP)", 2, "IPBB 4 | IBBP 4 open"),
        ("IPP|IP|I", 9, "IPP 3 | IP 2 | I 1 | 6 more"),
        (f"I{'P' * 59}...+190", 1, f"I{'P' * 59}... 250"),
    ],
)
def test_gops_are_shown_with_their_lengths(pattern, count, text):
    assert gop_pattern(Gop(pattern=pattern, count=count)) == text
