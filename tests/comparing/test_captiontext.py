"""Caption files by their grammars: cues, words, and text outside any cue."""

from __future__ import annotations

import pytest

from mediaprep.comparing.captiontext import caption_format, parsed, words_of


def cues(text: str, form: str) -> list[tuple[int, int, str]]:
    return [(cue.start, cue.end, " ".join(cue.words)) for cue in parsed(text, form).cues]


SRT_TIMES = [
    ("00:00:01,000 --> 00:00:02,000", 1000, 2000),
    ("00:00:01.000 --> 00:00:02.5", 1000, 2500),
    ("0:0:1,5-->0:0:2,25", 1500, 2250),
    ("00:00:03,000 -> 00:00:04,000", 3000, 4000),
    ("00:00:07 , 000 --> 00:00:08 , 000", 7000, 8000),
    ("00:00:09,000 \u2013> 00:00:10,000", 9000, 10000),
    ("00:00:03,000 \u2192 00:00:04,000", 3000, 4000),
    ("00:00:11:500 --> 00:00:12:500", 11500, 12500),
    ("\ufeff\u200b00:00:01,000 --> 00:00:02,000\u202c", 1000, 2000),
    ("00:00:01,000 --> 00:00:02,000 X1:100 X2:200 Y1:10 Y2:20", 1000, 2000),
    ("01:02,000 --> 01:03,000", 62000, 63000),
    ("-00:00:01,000 --> 00:00:02,000", -1000, 2000),
    ("100:00:00,000 --> 100:00:01,000", 360000000, 360001000),
]


@pytest.mark.parametrize(("line", "start", "end"), SRT_TIMES, ids=range(len(SRT_TIMES)))
def test_time_lines_of_srt(line: str, start: int, end: int) -> None:
    assert cues(f"1\n{line}\ntext\n", "srt") == [(start, end, "text")]


def test_times_within_text_are_text() -> None:
    text = "1\n00:00:01,000 --> 00:00:03,000\nWe are open\nfrom 09:00 to 17:00.\n\n2\n00:00:03,000 --> 00:00:05,000\n3:02, not 2:15\n"
    assert cues(text, "srt") == [
        (1000, 3000, "We are open from 09:00 to 17:00."),
        (3000, 5000, "3:02, not 2:15"),
    ]


def test_numbers_are_text_where_they_number_nothing() -> None:
    text = "00:00:01,000 --> 00:00:02,000\n1984\n\n00:00:03,000 --> 00:00:04,000\nHe said\n\nnothing.\n\n00:00:05,000 --> 00:00:06,000\n2001\n"
    assert [words for *_, words in cues(text, "srt")] == ["1984", "He said nothing.", "2001"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_numbers_and_line_ends(end: str) -> None:
    lines = [
        "1",
        "00:00:01,000 --> 00:00:02,000",
        "a",
        "",
        "\u200b2",
        "",
        "00:00:03,000 --> 00:00:04,000",
        "b",
        "3",
        "00:00:05,000 --> 00:00:06,000",
        "c",
    ]
    assert [words for *_, words in cues(end.join(lines), "srt")] == ["a", "b", "c"]


def test_text_on_the_time_line_is_text() -> None:
    assert cues("00:00:01,000 --> 00:00:02,000 Hello there\nyou\n", "srt") == [
        (1000, 2000, "Hello there you")
    ]


def test_text_before_the_first_cue_of_srt_is_stray() -> None:
    file = parsed("Made by hand\n\n1\n00:00:01,000 --> 00:00:02,000\na\n", "srt")
    assert file.stray == ("Made by hand",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<i>so</i> <b>it</b> <font color=red>is</font>", "so it is"),
        ("Press <Enter> now", "Press <Enter> now"),
        ("<sighs> a < b > c {laughs} I <3 you", "<sighs> a < b > c {laughs} I <3 you"),
        ("{\\an8}top {y:i}line", "top line"),
        ("one<br>two<BR/>three", "one two three"),
        ("a\u200bb \u202bשלום\u202c", "ab שלום"),
        ("5 &amp; 6", "5 &amp; 6"),
        ("e\u0301", "\u00e9"),
        ("a --> b", "a -> b"),
    ],
)
def test_words_of_srt(text: str, words: str) -> None:
    assert " ".join(words_of(text, "srt")) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<v Anna Berg>They live in <c.yellow>Old Town</c> &amp; it&#39;s &lt;cold&gt;", "They live in Old Town & it's <cold>"),
        ("<lang en>yes</lang> <ruby>漢<rt>kan</rt></ruby>&nbsp;x", "yes 漢kan x"),
        ("One,<00:00:00.960><c> two</c>", "One, two"),
        ("use &lt;b&gt; for bold", "use <b> for bold"),
        ("a <unknown>b</unknown> c<", "a b c"),
    ],
)  # fmt: skip
def test_words_of_webvtt(text: str, words: str) -> None:
    assert " ".join(words_of(text, "webvtt")) == words


def test_blocks_of_webvtt() -> None:
    text = """WEBVTT - title
Kind: captions
X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000

STYLE
::cue(.yellow) { color: yellow; }

REGION
id:fred

NOTE
a note over
two lines

intro
00:01.000 --> 00:02.500 region:fred align:left
one

2
01:00:03.000 --> 01:00:05.000 line:0
- two
@
- three
""".replace("@", " ")
    file = parsed(text, "webvtt")
    assert [(c.start, c.end, " ".join(c.words)) for c in file.cues] == [
        (1000, 2500, "one"),
        (3603000, 3605000, "- two - three"),
    ]
    assert file.stray == ()


def test_webvtt_without_empty_lines_between_cues() -> None:
    text = "WEBVTT\n\n00:01.000 --> 00:02.000\na\n00:03.000 --> 00:04.000\nb\n"
    assert cues(text, "webvtt") == [(1000, 2000, "a"), (3000, 4000, "b")]


def test_text_outside_cues_of_webvtt_is_stray() -> None:
    text = (
        "WEBVTT\n\n00:01.000 --> 00:02.000\na\n\nlost words\n\nNOTE fine\n\n00:xx --> 1\nbroken\n"
    )
    assert parsed(text, "webvtt").stray == ("lost words", "00:xx --> 1", "broken")


def test_ass() -> None:
    text = """[Script Info]
Title: x

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:01.50,0:00:02.00,Default,,0,0,0,,{\\i1}Hello{\\i0}, you\\Nand\\hme
Comment: 0,0:00:01.50,0:00:02.00,Default,,0,0,0,,not shown
Dialogue: 0,0:00:03.00,0:00:04.00,Default,,0,0,0,,{\\p1}m 0 0 l 1 1{\\p0}drawn
"""
    assert caption_format(text) == "ass"
    assert cues(text, "ass") == [(1500, 2000, "Hello, you and me"), (3000, 4000, "drawn")]


@pytest.mark.parametrize(
    ("text", "form"),
    [("WEBVTT\n", "webvtt"), ("\ufeffWEBVTT x\n", "webvtt"), ("WEBVTTX\n", "srt"), ("1\n", "srt")],
)
def test_format_by_content(text: str, form: str) -> None:
    assert caption_format(text) == form
