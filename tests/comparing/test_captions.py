"""Captions: every wrong output is reported in plain words, and right ones are not."""

from __future__ import annotations

import random
import time
from fractions import Fraction

import pytest

from mediaprep.comparing.captions import CaptionExpectation, compare_captions
from mediaprep.tools import reference_decoders
from tests.comparing.files import Held, messages

ANY = CaptionExpectation()
Cue = tuple[int, int, str]
CUES: list[Cue] = [
    (1000, 2500, "We are open\nfrom 09:00 to 17:00."),
    (3000, 4000, "- Who?\n- <i>Me.</i>"),
    (4000, 6000, "1984"),
    (7000, 8000, "Press <Enter> now"),
    (9000, 9500, "Thank you & good night."),
]


def clock(milliseconds: int, point: str) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{point}{rest:03d}"


def srt(cues: list[Cue]) -> bytes:
    blocks = [
        f"{n}\n{clock(a, ',')} --> {clock(b, ',')}\n{text}\n"
        for n, (a, b, text) in enumerate(cues, 1)
    ]
    return "\n".join(blocks).encode()


def vtt(cues: list[Cue]) -> bytes:
    blocks = []
    for start, end, text in cues:
        escaped = text.replace("&", "&amp;").replace("<Enter>", "&lt;Enter&gt;")
        blocks.append(f"{clock(start, '.')} --> {clock(end, '.')}\n{escaped}\n")
    return ("WEBVTT\n\n" + "\n".join(blocks)).encode()


def found(source: bytes, output: bytes, expected: CaptionExpectation = ANY) -> list[str]:
    return messages(compare_captions(Held(source), Held(output), expected))


def with_cue(number: int, cue: Cue | None) -> list[Cue]:
    """The cues with one of them (from 1 on) replaced or left out."""
    made: list[Cue] = list(CUES)
    made[number - 1 : number] = [] if cue is None else [cue]
    return made


# -- right outputs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", [srt, vtt])
@pytest.mark.parametrize("read", [srt, vtt])
def test_conversions_have_no_difference(read, write) -> None:
    comparison = compare_captions(Held(read(CUES)), Held(write(CUES)), ANY)
    assert messages(comparison) == []
    assert comparison.compared == ("captions",)
    assert comparison.unknown == ()


WORDS = ["Hello", "1984", "<i>so</i>", "a < b", "&", "I <3 you", "{laughs}", "— Oui.", "日本語です", "9:00", "->",
         "NOTE", "STYLE", "♪ la ♪", "...", "[noise]", "\u00a0", "5", "WEBVTT"]  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_random_captions_have_no_difference(seed: int) -> None:
    rng = random.Random(seed)
    cues, time = [], 0
    for _ in range(rng.randint(1, 30)):
        time += rng.randint(0, 5000)
        end = time + rng.randint(1, 4000)
        lines = [
            " ".join(rng.choices(WORDS, k=rng.randint(1, 4))) for _ in range(rng.randint(1, 3))
        ]
        text = "\n".join(line for line in lines if line.strip()) or "x"
        cues.append((time, end, text))
        time = end
    assert found(srt(cues), srt(cues)) == []
    escaped = [
        (a, b, t.replace("&", "&amp;").replace("< ", "&lt; ").replace("<3", "&lt;3"))
        for a, b, t in cues
    ]
    text = "WEBVTT\n\n" + "\n".join(
        f"{clock(a, '.')} --> {clock(b, '.')}\n{t}\n" for a, b, t in escaped
    )
    assert found(srt(cues), text.encode()) == []


def test_repairs_of_times() -> None:
    """Sorted, turned round, clamped, apart, with a length: as players show them."""
    source = [
        (9000, 10000, "five"), (3000, 2000, "two"), (-500, 1000, "one"), (4000, 4000, "three"),
        (5000, 9500, "four"), (-900, -100, "gone"), (20000, 20000, "last"),
    ]  # fmt: skip
    made = [
        (0, 1000, "one"), (2000, 3000, "two"), (4000, 5000, "three"), (5000, 9000, "four"),
        (9000, 10000, "five"), (20000, 22000, "last"),
    ]  # fmt: skip
    text = "\n".join(
        f"{n}\n{'-' if a < 0 else ''}{clock(abs(a), ',')} --> {'-' if b < 0 else ''}{clock(abs(b), ',')}\n{t}\n"
        for n, (a, b, t) in enumerate(source, 1)
    )
    assert found(text.encode(), srt(made)) == []


def test_cues_that_begin_together_may_be_one() -> None:
    source = [(1000, 3000, "upper"), (1000, 2000, "lower"), (4000, 5000, "next")]
    assert found(srt(source), srt([(1000, 3000, "lower\nupper"), (4000, 5000, "next")])) == []
    assert found(srt(source), srt([(1000, 3000, "lower"), (4000, 5000, "next")]))


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("windows-1251", "Где ты был вчера вечером?"),
        ("shift_jis", "日本語です"),
        ("windows-874", "สวัสดี"),
    ],
)
def test_encoding_of_the_source(encoding: str, text: str) -> None:
    cues = [(1000, 2000, text)]
    data = srt(cues).decode().encode({"windows-874": "cp874"}.get(encoding, encoding))
    comparison = compare_captions(Held(data), Held(srt(cues)), ANY)
    assert comparison.unknown == ("the source's text encoding is not known: captions not compared",)
    assert found(data, srt(cues), CaptionExpectation(encoding=encoding)) == []
    assert found(data, srt([(1000, 2000, "?????")]), CaptionExpectation(encoding=encoding))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_mark_of_the_source(encoding: str) -> None:
    assert found(srt(CUES).decode().encode(encoding), srt(CUES)) == []


def test_span() -> None:
    span = CaptionExpectation(span=(Fraction(2), Fraction(15, 2)))
    made = [
        (0, 500, CUES[0][2]),
        (1000, 2000, CUES[1][2]),
        (2000, 4000, CUES[2][2]),
        (5000, 5500, CUES[3][2]),
    ]
    assert found(srt(CUES), srt(made), span) == []
    assert found(srt(CUES), srt(made[1:]), span) == [
        "1 caption line is missing: 'We are open from 09:00 to 17:00.'"
    ]
    assert found(srt(CUES), srt(CUES), span)


def test_unrolled() -> None:
    rolling = [
        (160, 3429, "One, two three four"), (3439, 5749, "One, two three four\nfive six"),
        (5759, 8000, "five six\nseven"),
    ]  # fmt: skip
    made = [(160, 3429, "One, two three four"), (3439, 5749, "five six"), (5759, 8000, "seven")]
    unrolled = CaptionExpectation(unrolled=True)
    assert found(srt(rolling), srt(made), unrolled) == []
    assert found(srt(rolling), srt(made))
    assert found(srt(rolling), srt(made[:2]), unrolled) == ["1 caption line is missing: 'seven'"]


# -- mutations ---------------------------------------------------------------------------------------------

MUTATIONS = {
    "missing word": (
        with_cue(1, (1000, 2500, "We are open\nfrom 09:00 to")),
        ["words are missing from the caption 'We are open from 09:00 to': '17:00.'"],
    ),
    "added word": (
        with_cue(1, (1000, 2500, "We are not open\nfrom 09:00 to 17:00.")),
        ["words are added to the caption 'We are open from 09:00 to 17:00.': 'not'"],
    ),
    "other word": (
        with_cue(3, (4000, 6000, "1985")),
        ["the caption '1984' reads '1985'"],
    ),
    "swapped lines": (
        with_cue(2, (3000, 4000, "- <i>Me.</i>\n- Who?")),
        ["the words of a caption stand in another order: '- Me. - Who?'"],
    ),
    "missing cue": (with_cue(3, None), ["1 caption line is missing: '1984'"]),
    "missing cues": (
        CUES[:2],
        ["3 caption lines are missing: '1984', 'Press <Enter> now', 'Thank you & good night.'"],
    ),
    "invented cue": (
        [*CUES[:3], (6200, 6800, "made up"), *CUES[3:]],
        ["1 caption is invented: 'made up'"],
    ),
    "shifted cue": (
        with_cue(4, (7500, 8500, CUES[3][2])),
        ["the caption 'Press <Enter> now' is shown from 0:00:07.500 to 0:00:08.500 instead of 0:00:07.000 to 0:00:08.000"],
    ),
    "late by 2 ms": (
        with_cue(4, (7002, 8002, CUES[3][2])),
        ["the caption 'Press <Enter> now' is shown from 0:00:07.002 to 0:00:08.002 instead of 0:00:07.000 to 0:00:08.000"],
    ),
    "all late": ([(a + 500, b + 500, t) for a, b, t in CUES], ["all captions are 0.500 s late"]),
    "all early": ([(a - 40, b - 40, t) for a, b, t in CUES], ["all captions are 0.040 s early"]),
    "swapped cues": (
        [CUES[0], (3000, 4000, CUES[2][2]), (4000, 6000, CUES[1][2]), *CUES[3:]],
        ["1 caption stands in another place: '1984'"],
    ),
    "markup taken for text": (
        with_cue(4, (7000, 8000, "Press now")),
        ["words are missing from the caption 'Press now': '<Enter>'"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTATIONS)
@pytest.mark.parametrize("write", [srt, vtt])
def test_mutations_are_reported(name: str, write) -> None:
    cues, expected = MUTATIONS[name]
    assert found(srt(CUES), write(cues))[: len(expected)] == expected


def test_joined_cues_are_reported() -> None:
    made = [*CUES[:1], (3000, 6000, CUES[1][2] + "\n1984"), *CUES[3:]]
    assert found(srt(CUES), srt(made))


def test_text_outside_any_caption() -> None:
    source = b"Made by hand\n\n" + srt(CUES)
    assert found(source, srt(CUES)) == ["text outside any caption is lost: 'Made by hand'"]
    lost = vtt(CUES) + b"\nbehind the last\n"
    assert "text outside any caption stands in the output: 'behind the last'" in found(
        srt(CUES), lost
    )


def test_output_that_is_not_utf8() -> None:
    assert found(srt(CUES), "1\n00:00:01,000 --> 00:00:02,000\né\n".encode("latin-1")) == [
        "the output's captions are not UTF-8"
    ]


def test_bold_that_was_text() -> None:
    """&lt;b&gt; of WebVTT is text; in SRT it would be markup."""
    source = b"WEBVTT\n\n00:01.000 --> 00:02.000\nuse &lt;b&gt; for bold\n"
    assert found(source, srt([(1000, 2000, "use <b> for bold")])) == [
        "words are missing from the caption 'use for bold': '<b>'"
    ]


# -- other readers -----------------------------------------------------------------------------------------


def test_two_other_readers() -> None:
    pytest.importorskip("srt")
    pytest.importorskip("webvtt")
    assert set(reference_decoders.caption_readers("srt")) == {"FFmpeg", "srt"}
    assert set(reference_decoders.caption_readers("webvtt")) == {"FFmpeg", "webvtt"}


def test_reader_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference_decoders, "find_spec", lambda name: None)
    assert set(reference_decoders.caption_readers("srt")) == {"FFmpeg"}
    assert found(srt(CUES), srt(CUES)) == []


def test_output_that_other_readers_read_differently() -> None:
    """A time without hours: our grammar understands it, FFmpeg's does not."""
    loose = srt(CUES).replace(b"00:00:07,000 --> 00:00:08,000", b"00:07,000 --> 00:08,000")
    texts = found(srt(CUES), loose)
    assert texts
    assert all("reads" in text or "cannot read" in text for text in texts)


def test_empty_and_odd_files() -> None:
    assert found(b"", b"") == []
    assert found(srt(CUES), b"")
    huge = Held(b"")
    huge.size_bytes = 2**30
    assert compare_captions(huge, Held(b""), ANY).unknown


def test_many_cues_are_quick() -> None:
    """A file of 20,000 cues without one of them: seconds, not minutes."""
    cues = [(at * 2000, at * 2000 + 1500, f"line {at} of many") for at in range(20_000)]
    before = time.process_time()
    assert found(srt(cues), srt([*cues[:70], *cues[71:]])) == [
        "1 caption line is missing: 'line 70 of many'"
    ]
    assert time.process_time() - before < 20
