"""Captions: the words, their order and the times of the output against the source's.

Both files are parsed by grammars of their own; the output is read by further programs as well,
which must find the same cues in it.
"""

from __future__ import annotations

import codecs
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from fractions import Fraction
from statistics import median

from mediaprep.comparing.captiontext import (
    CaptionCue,
    CaptionFile,
    caption_format,
    parsed,
    words_of,
)
from mediaprep.comparing.compositor import ByteSource
from mediaprep.model.comparison import Aspect, Comparison, Difference, Figure
from mediaprep.tools import reference_decoders
from mediaprep.tools.reference_decoders import ReferenceUndecodable

MAX_BYTES = 8 * 2**20
_SLACK = 1  # milliseconds by which times may be rounded
_SHOWN = 2  # milliseconds of a clipped cue below which it may be left out
_LONGEST = 10_000  # milliseconds that a cue without a length may be shown
_NAMED = 3  # captions or words that a message names
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CODECS = {"windows-874": "cp874", "damaged utf-8": "utf-8"}  # browsers' names that Python lacks


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionExpectation:
    """What the output of captions may change.

    source_format, output_format   srt, webvtt or ass; None: found out by the content
    span       seconds of the source's clock that the output covers, from its own 0 on; None: all
    encoding   of the source where it has no byte order mark and is not UTF-8, by browsers' names
    unrolled   rolling captions may have lost the lines that repeat the caption before
    """

    source_format: str | None = None
    output_format: str | None = None
    span: tuple[Fraction, Fraction] | None = None
    encoding: str | None = None
    unrolled: bool = False


def compare_captions(
    source: ByteSource, output: ByteSource, expected: CaptionExpectation
) -> Comparison:
    """Return how the output's captions differ from the source's."""
    if max(source.size_bytes, output.size_bytes) > MAX_BYTES:
        return Comparison(unknown=("captions of more than 8 MiB are not compared",))
    data = output.read_at(0, output.size_bytes)
    text = _decoded(source.read_at(0, source.size_bytes), expected.encoding)
    if text is None:
        return Comparison(
            unknown=("the source's text encoding is not known: captions not compared",)
        )
    try:
        made_text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        message = "the output's captions are not UTF-8"
        return Comparison(
            differences=(Difference(aspect="captions", message=message),), compared=("captions",)
        )
    one = parsed(text, expected.source_format or caption_format(text))
    other = parsed(made_text, expected.output_format or caption_format(made_text))
    judge = _CaptionJudge(one, other, expected)
    judge.compare()
    if other.cues:
        judge.read_again(data)
    aspects: tuple[Aspect, ...] = ("captions",)
    return Comparison(
        differences=tuple(judge.differences),
        figures=tuple(judge.figures),
        compared=aspects,
        unknown=tuple(judge.unknown),
    )


def _decoded(data: bytes, encoding: str | None) -> str | None:
    """Return the text by its byte order mark, as UTF-8, or in the encoding stated.

    None if it is not known.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        if encoding is None:
            return None
    try:
        return data.decode(_CODECS.get(encoding, encoding), "replace")
    except LookupError:
        return None


# -- what the output should hold -------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _WantedCue:
    """A cue as the output should hold it, in milliseconds of the output.

    ends       the earliest and the latest end that are right, apart from ``end``; None: only
               ``end`` is
    optional   so little of it is left in the span that it may be missing
    """

    start: int
    end: int
    words: tuple[str, ...]
    ends: tuple[int, int] | None = None
    optional: bool = False

    def fits(self, start: int, end: int) -> bool:
        """Whether a cue's times are right."""
        if abs(start - self.start) > _SLACK:
            return False
        if abs(end - self.end) <= _SLACK:
            return True
        return self.ends is not None and self.ends[0] - _SLACK <= end <= self.ends[1] + _SLACK


def _wanted(cues: Iterable[CaptionCue], expected: CaptionExpectation) -> list[_WantedCue]:
    """Return the cues to expect, with times in order, positive, and within the span."""
    begin, end = 0, None
    if expected.span is not None:
        begin, end = (round(edge * 1000) for edge in expected.span)
    spoken = [cue for cue in cues if cue.words]
    starts = sorted({min(cue.start, cue.end) for cue in spoken})
    found = []
    for cue in spoken:
        first, last = min(cue.start, cue.end), max(cue.start, cue.end)
        ends = None
        if first == last:  # shown for some time, at most until the next one
            after = bisect_right(starts, last)
            latest = starts[after] if after < len(starts) else last + _LONGEST
            last = min(latest, last + _LONGEST)
            ends = (first + 1, last)
        if last <= max(0, begin) or (end is not None and first >= end):
            continue
        start = max(0, first - begin)
        stop = last - begin if end is None else min(last, end) - begin
        if ends is not None:
            ends = (max(start, ends[0] - begin), stop)
        short = expected.span is not None and stop - start < _SHOWN
        found.append(_WantedCue(start=start, end=stop, words=cue.words, ends=ends, optional=short))
    return found


def _apart(cues: Sequence[_WantedCue]) -> list[_WantedCue]:
    """Return cues that may end where the next one begins; those that begin together are one."""
    merged: list[_WantedCue] = []
    for cue in cues:
        if merged and merged[-1].start == cue.start:
            last = merged[-1]
            merged[-1] = replace(last, end=max(last.end, cue.end), words=last.words + cue.words)
        else:
            merged.append(cue)
    found = []
    for number, cue in enumerate(merged):
        after = merged[number + 1].start if number + 1 < len(merged) else None
        if after is not None and cue.start < after < cue.end:
            cue = replace(cue, ends=(after, after))
        found.append(cue)
    return found


def _candidates(cues: Sequence[_WantedCue]) -> Iterable[list[_WantedCue]]:
    """Yield what the output may hold: the cues in the file's order or in time's, overlapping or
    apart.
    """
    in_time = sorted(cues, key=lambda cue: (cue.start, cue.end))
    yield list(cues)
    yield in_time
    yield _apart(in_time)


def _unrolled(cues: Sequence[_WantedCue]) -> list[_WantedCue]:
    """Return cues without the words with which they repeat the end of the cue before.

    Empty ones are left out.
    """
    found = []
    before: tuple[str, ...] = ()
    for cue in cues:
        most = min(len(before), len(cue.words))
        size = next((n for n in range(most, 0, -1) if before[-n:] == cue.words[:n]), 0)
        before = cue.words
        if size < len(cue.words):
            found.append(replace(cue, words=cue.words[size:], ends=(cue.start, cue.end + _LONGEST)))
    return found


# -- the comparison --------------------------------------------------------------------------------


class _CaptionJudge:
    """Compares two caption files, and says in one line each what is wrong."""

    def __init__(
        self, source: CaptionFile, output: CaptionFile, expected: CaptionExpectation
    ) -> None:
        self._source, self._output, self._expected = source, output, expected
        self._made = [cue for cue in output.cues if cue.words]
        self.differences: list[Difference] = []
        self.figures: list[Figure] = []
        self.unknown: list[str] = []

    def _differs(self, message: str, at: int | None = None) -> None:
        seconds = None if at is None else Fraction(at, 1000)
        self.differences.append(Difference(aspect="captions", message=message, at=seconds))

    def compare(self) -> None:
        """Compare words, order and times."""
        for name, file in (("source", self._source), ("output", self._output)):
            if file.stray:
                verb = "is lost" if name == "source" else "stands in the output"
                self._differs(f"text outside any caption {verb}: {_quoted(file.stray)}")
        wanted = _wanted(self._source.cues, self._expected)
        if self._expected.unrolled:
            wanted = _unrolled(sorted(wanted, key=lambda cue: (cue.start, cue.end)))
        best = min(map(self._matched, _candidates(wanted)), key=lambda match: match.faults)
        self.figures.append(Figure(name="captions", value=float(len(self._made))))
        self._words(best)
        self._times(best)

    def _matched(self, wanted: list[_WantedCue]) -> _CaptionMatch:
        """Pair wanted and made cues by their words."""
        match = _CaptionMatch()
        goal = [cue.words for cue in wanted]
        made = [cue.words for cue in self._made]
        for kind, a, b, c, d in _operations(goal, made):
            if kind == "equal":
                match.pairs += zip(wanted[a:b], self._made[c:d], strict=True)
                continue
            lost, new = wanted[a:b], self._made[c:d]
            while lost and new:
                match.changed.append((lost[0], new[0]))
                lost, new = lost[1:], new[1:]
            match.missing += [cue for cue in lost if not cue.optional]
            match.added += new
        match.find_moved()
        return match

    def _words(self, match: _CaptionMatch) -> None:
        """Report cues that have no partner, and words that differ."""
        for cues, one, many in (
            (match.missing, "caption line is missing", "caption lines are missing"),
            (match.added, "caption is invented", "captions are invented"),
            (match.moved, "caption stands in another place", "captions stand in another place"),
        ):
            if cues:
                noun = one if len(cues) == 1 else many
                lines = _quoted(" ".join(cue.words) for cue in cues)
                self._differs(f"{len(cues)} {noun}: {lines}", cues[0].start)
        for wanted, made in match.changed[:_NAMED]:
            self._differs(_changed_words(wanted.words, made.words), made.start)

    def _times(self, match: _CaptionMatch) -> None:
        wrong = [(w, m) for w, m in match.pairs if not w.fits(m.start, m.end)]
        if not wrong:
            return
        late = [m.start - w.start for w, m in wrong]
        middle = round(median(late))
        even = all(abs(offset - middle) <= _SLACK for offset in late)
        if len(wrong) > 1 and even and abs(middle) > _SLACK and len(wrong) == len(match.pairs):
            word = "late" if middle > 0 else "early"
            self._differs(f"all captions are {abs(middle) / 1000:.3f} s {word}")
            return
        wanted, made = wrong[0]
        more = f" ({len(wrong) - 1} more likewise)" if len(wrong) > 1 else ""
        self._differs(
            f"the caption {_quoted([' '.join(made.words)])} is shown from {_clock(made.start)} to"
            f" {_clock(made.end)} instead of {_clock(wanted.start)} to {_clock(wanted.end)}{more}",
            made.start,
        )

    # -- other readers

    def read_again(self, data: bytes) -> None:
        """Compare what other programs read of the output with what our grammar does."""
        form = self._output.form
        for name, read in reference_decoders.caption_readers(form).items():
            try:
                events = read(data)
            except ReferenceUndecodable as problem:
                self._differs(f"{name} cannot read the captions: {problem}")
                continue
            found = [
                (start, end, words)
                for start, end, text in events
                if (words := words_of(text, form))
            ]
            self._same_reading(name, found)

    def _same_reading(self, name: str, found: Sequence[tuple[int, int, tuple[str, ...]]]) -> None:
        if len(found) != len(self._made):
            self._differs(
                f"{name} reads {len(found)} captions in the output, not {len(self._made)}"
            )
            return
        for number, ((start, end, words), cue) in enumerate(zip(found, self._made, strict=True), 1):
            if words != cue.words:
                self._differs(
                    f"{name} reads other words in caption {number}: {_quoted([' '.join(words)])}"
                )
                return
            if abs(start - cue.start) > _SLACK or abs(end - cue.end) > _SLACK:
                times = f"{_clock(start)} to {_clock(end)}"
                self._differs(f"{name} reads other times in caption {number}: {times}")
                return


class _CaptionMatch:
    """Cues of both sides in pairs, and those that have no partner."""

    def __init__(self) -> None:
        self.pairs: list[tuple[_WantedCue, CaptionCue]] = []
        self.changed: list[tuple[_WantedCue, CaptionCue]] = []
        self.missing: list[_WantedCue] = []
        self.added: list[CaptionCue] = []
        self.moved: list[CaptionCue] = []

    def find_moved(self) -> None:
        """Pair cues that are missing in one place with those added in another: they were moved."""
        for cue in list(self.missing):
            twin = next((made for made in self.added if made.words == cue.words), None)
            if twin is not None:
                self.missing.remove(cue)
                self.added.remove(twin)
                self.moved.append(twin)

    @property
    def faults(self) -> int:
        """How much is wrong, to choose the reading that fits best."""
        pairs = [*self.pairs, *self.changed]
        timing = sum(not wanted.fits(made.start, made.end) for wanted, made in pairs)
        words = len(self.missing) + len(self.added) + len(self.changed) + len(self.moved)
        return timing + 2 * words


def _operations(
    goal: Sequence[tuple[str, ...]], made: Sequence[tuple[str, ...]]
) -> list[tuple[str, int, int, int, int]]:
    """Return what turns one list of cues into the other, as difflib names it.

    Equal ends cost nothing.
    """
    most = min(len(goal), len(made))
    head = next((n for n in range(most) if goal[n] != made[n]), most)
    tail = next((n for n in range(most - head) if goal[-1 - n] != made[-1 - n]), most - head)
    found = [("equal", 0, head, 0, head)]
    middle = SequenceMatcher(
        None,
        goal[head : len(goal) - tail],
        made[head : len(made) - tail],
        autojunk=len(made) > 5000,
    )
    for kind, a, b, c, d in middle.get_opcodes():
        found.append((kind, a + head, b + head, c + head, d + head))
    found.append(("equal", len(goal) - tail, len(goal), len(made) - tail, len(made)))
    return found


def _changed_words(wanted: Sequence[str], made: Sequence[str]) -> str:
    """Return which words a caption lost or gained."""
    lost: list[str] = []
    gained: list[str] = []
    for kind, a, b, c, d in SequenceMatcher(None, wanted, made, autojunk=False).get_opcodes():
        if kind != "equal":
            lost += wanted[a:b]
            gained += made[c:d]
    before, after = (_quoted([" ".join(words)]) for words in (wanted, made))
    if sorted(lost) == sorted(gained):
        return f"the words of a caption stand in another order: {after}"
    if lost and not gained:
        return f"words are missing from the caption {after}: {_quoted([' '.join(lost)])}"
    if gained and not lost:
        return f"words are added to the caption {before}: {_quoted([' '.join(gained)])}"
    return f"the caption {before} reads {after}"


def _quoted(lines: Iterable[str]) -> str:
    """Return a few lines in quotation marks, shortened."""
    found = list(lines)
    named = [f"'{line[:57]}...'" if len(line) > 60 else f"'{line}'" for line in found[:_NAMED]]
    return ", ".join(named) + (" ..." if len(found) > _NAMED else "")


def _clock(milliseconds: int) -> str:
    seconds, rest = divmod(abs(milliseconds), 1000)
    sign = "-" if milliseconds < 0 else ""
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:03d}"
