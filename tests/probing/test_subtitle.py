"""Captions: times, text, encodings; damage is reported, and nothing is guessed."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

import mediaprep
from fixtures import RECIPES
from fixtures.recipes.subtitles import CUES
from mediaprep.errors import SourceUnreadable
from mediaprep.model.media import Cue, Subtitle
from mediaprep.probing.formats import textual
from mediaprep.tools import subtitles

Make = Callable[[str], Path]
READ = [name for name, recipe in RECIPES.items() if recipe.facts.get("kind") == "subtitle"]
GOOD = tuple(Cue(start=start, end=end, text=text) for start, end, text in CUES)


@pytest.mark.parametrize("name", READ)
def test_facts_are_those_of_the_recipe(name, make: Make):
    media = mediaprep.probe(make(name))
    assert isinstance(media, Subtitle)
    assert {fact: getattr(media, fact) for fact in RECIPES[name].facts} == RECIPES[name].facts


@pytest.mark.parametrize(
    "name", ["good.srt", "crlf.srt", "bom.srt", "no_final_newline.srt", "dots.srt"]
)
def test_cues_are_exact_with_any_line_endings(name, make: Make):
    media = mediaprep.probe(make(name))
    assert isinstance(media, Subtitle)
    assert media.cues == GOOD


def test_a_real_srt(corpus: Path):
    """By its text, the first cue lasts from 1:14.440 to 1:15.760."""
    media = mediaprep.probe(corpus / "tika__test_subrip.srt")
    assert isinstance(media, Subtitle)
    assert media.cues is not None
    assert media.cues[0] == Cue(
        start=Fraction(7444, 100), end=Fraction(7576, 100), text="ESSAI DE SOUS-TITRES"
    )
    assert len(media.cues) == (corpus / "tika__test_subrip.srt").read_bytes().count(b"-->")


def read(text: str, form: str = "srt") -> list[tuple[int, int, str]]:
    return [(cue.start, cue.end, cue.text) for cue in subtitles.cues(text, form)]


@pytest.mark.parametrize(
    ("line", "times"),
    [
        ("00:00:01,500 --> 00:00:02,000", (1500, 2000)),
        ("0:0:1,5 --> 0:0:2", (1500, 2000)),
        ("100:00:00,000 --> 100:00:01,000", (360_000_000, 360_001_000)),
        ("-00:00:01,000 --> 00:00:01,000", (-1000, 1000)),
        ("00:00:-01,500 --> 00:00:01,000", (-1500, 1000)),
        ("00:00:01.500 -> 00:00:02.000", (1500, 2000)),
        ("00:00:01,500 --> 00:00:02,000 X1:10 X2:20 Y1:1 Y2:2", (1500, 2000)),
        ("00:00:01:500 --> 00:00:02:000", (1500, 2000)),
    ],
)
def test_times_of_srt(line, times):
    assert read(f"1\n{line}\ntext\n") == [(*times, "text")]


@pytest.mark.parametrize(
    "line", ["00:00:01,500 --> ", "00:00:0x,500 --> 00:00:02,000", "1,500 --> 2,000"]
)
def test_a_broken_time_line_is_reported_with_its_number(line):
    with pytest.raises(subtitles.CaptionsUnreadable, match="line 5 is not a valid time line"):
        read(f"1\n00:00:00,000 --> 00:00:01,000\na\n\n{line}\nb\n")


def test_text_that_is_a_number_stays_text():
    """pysubs2 alone mistakes a number in the last line for the next cue's."""
    assert read(
        "1\n00:00:01,000 --> 00:00:02,000\nIn the year\n1984\n\n2\n00:00:03,000 --> 00:00:04,000\n2001\n"
    ) == [
        (1000, 2000, "In the year\n1984"),
        (3000, 4000, "2001"),
    ]


def test_cues_without_numbers_and_with_blank_lines_inside():
    assert read("00:00:01,000 --> 00:00:02,000\na\n\nb\n\n00:00:03,000 --> 00:00:04,000\nc\n") == [
        (1000, 2000, "a\nb"),
        (3000, 4000, "c"),
    ]


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("<i>a</i> <b>b</b> <u>c</u>", "<i>a</i> <b>b</b> <u>c</u>"),
        ('<font color="#ff0000" size=3>a</font>', '<font color="#ff0000">a</font>'),
        ("<font face=Arial>a</font>", "a"),
        ("{\\an8}top <s>struck</s>", "top struck"),
        ("<em>a</em> <strong>b</strong>", "<i>a</i> <b>b</b>"),
        ("<i>never closed", "<i>never closed</i>"),
        ("closed</i> only", "closed only"),
        ("<b><i>crossed</b></i>", "<b><i>crossed</i></b>"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("I <3 you", "I <3 you"),
        ("a --> b", "a -> b"),
        ("a\x00\x07b", "ab"),
        ("Tom &amp; Jerry", "Tom &amp; Jerry"),
    ],
)
def test_markup_of_srt(text, cleaned):
    assert subtitles.cleaned(text, "srt") == cleaned


def test_webvtt_by_blocks():
    """Identifiers, notes, styles, regions and settings are not text; entities are characters."""
    text = (
        "WEBVTT - title\n\nSTYLE\n::cue { color: red }\n\nREGION\nid:fred\n\nNOTE\nseveral\nlines --> here\n\n"
        "intro\n00:01.000 --> 00:02.500 align:start line:10%\n<v Ann>Tom &amp; <i.loud>Jerry</i></v> &lt;3\n\n"
        "NOTE one\n\n00:00:03.000 --> 01:00:04.000\n<00:00:03.500><c.yellow>go</c>\n1984\n"
    )
    assert read(text, "webvtt") == [
        (1000, 2500, "Tom & <i>Jerry</i> <3"),
        (3000, 3_604_000, "go\n1984"),
    ]


def test_ass_without_its_positions(make: Make):
    media = mediaprep.probe(make("good.ass"))
    assert isinstance(media, Subtitle)
    assert media.cues == (
        Cue(start=Fraction(1, 2), end=Fraction(2), text="Hello\nworld"),
        Cue(start=Fraction(5, 2), end=Fraction(39, 10), text="<i>second</i>"),
    )


# encodings

CUE = "1\n00:00:00,500 --> 00:00:02,000\n{}\n\n"
TEXTS = {
    "windows-1252": "La leçon de français était très intéressante, n'est-ce pas ?",
    "windows-1251": "Привет, как у вас дела сегодня? Спасибо, всё хорошо.",
    "koi8-r": "Привет, как у вас дела сегодня? Спасибо, всё хорошо.",
    "windows-1250": "Zażółć gęślą jaźń, proszę pana. Czy to już wszystko?",
    "windows-1253": "Καλημέρα, πώς είστε σήμερα;",
    "shift_jis": "こんにちは、今日はいい天気ですね。",
    "euc-kr": "안녕하세요, 오늘 날씨가 좋네요.",
    "gb18030": "你好，今天天气很好，我们去公园吧。",
    "big5": "你好，今天天氣很好，我們去公園吧。",
}


@pytest.mark.parametrize("name", TEXTS)
def test_usual_encodings_are_detected(name, tmp_path):
    path = tmp_path / "a.srt"
    path.write_bytes(CUE.format(TEXTS[name]).encode(name))
    media = mediaprep.probe(path)
    assert isinstance(media, Subtitle)
    assert media.encoding == name
    assert media.cues is not None
    assert media.cues[0].text == TEXTS[name]


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_unicode_by_byte_order_mark_or_zeros(codec, tmp_path):
    path = tmp_path / "a.srt"
    path.write_bytes(CUE.format("Grüße aus Köln").encode(codec))
    media = mediaprep.probe(path)
    assert isinstance(media, Subtitle)
    assert media.encoding == {"utf-8-sig": "utf-8"}.get(codec, codec[:6])
    assert media.cues is not None
    assert media.cues[0].text == "Grüße aus Köln"


def test_slight_damage_does_not_change_the_detected_encoding(tmp_path):
    path = tmp_path / "a.srt"
    path.write_bytes(
        (CUE.format("äöü" * 10)).encode() + CUE.format("ß").encode().replace("ß".encode(), b"\xff")
    )
    media = mediaprep.probe(path)
    assert isinstance(media, Subtitle)
    assert media.encoding == "damaged utf-8"
    assert [f.rule for f in mediaprep.check(media).findings if f.level == "must"] == [
        "subtitle-encoding"
    ]


def test_the_encoding_is_detected_before_the_cues():
    assert textual.caption_format(CUE.format("Привет").encode("koi8-r")) == "srt"
    assert textual.caption_format(CUE.format("你好").encode("utf-16-be")) == "srt"


def test_large_files_are_refused(tmp_path):
    path = tmp_path / "a.srt"
    path.write_bytes(CUE.format("x").encode() * 300_000)
    with pytest.raises(SourceUnreadable, match="at most"):
        mediaprep.probe(path)


def test_too_many_cues_are_refused():
    with pytest.raises(subtitles.CaptionsUnreadable, match="50000"):
        read(CUE.format("x") * 50_001)
