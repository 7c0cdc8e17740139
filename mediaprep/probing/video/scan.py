"""Progressive or interlaced: what stream and container say, and what the picture shows.

Content is looked at in two steps. A *screen*: ffmpeg's ``idet`` over the first frames; where no frame seems interlaced, that is all.
On doubt (such a frame, an interlaced flag, lines and rate of television) a *measure* of our own over windows of the file: with ``near``
and ``far`` the combing between this frame's fields and those of the frame before (both ways round), and ``own`` the combing within the
frame, each over what moves, (near - own) / (far - own) is about 0 where the fields are evenly spaced in time and about 1 where both belong
to one moment. idet compares near and far alone and takes moving fine patterns for interlace. See docs/decisions, scan sampling.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from mediaprep.model.media import Scan, ScanContent, ScanFlag
from mediaprep.probing.bitstream.header import StreamHeader

if TYPE_CHECKING:
    from mediaprep.tools.fields import Fields, FrameComparison

SCREEN_FRAMES, SCREEN_FRAMES_LARGE = (
    10,
    6,
)  # of pictures up to 1280x720, and above: 1080p HEVC in 10 bits costs 13 ms a frame
WINDOW_FRAMES = 40
WINDOW_SHORT = 12  # of a window that is unanimous, or shows nothing
WINDOW_GLANCE = 6  # the same, from the second on, where nothing but the screen gave cause for doubt
DECIDED_ENOUGH = 20  # verdicts over all windows, where unanimous
CLEAN_ENOUGH = 6  # where nothing but the screen gave cause for doubt, and all are progressive: telecine has no four clean frames in a row
COMBED_ENOUGH = (
    8  # where all frames so far are combed, of one parity: telecine has no four of them in a row
)
WINDOWS = (Fraction(1, 10), Fraction(1, 2), Fraction(85, 100))
MOST_LINES = 1088  # no broadcast or disc format interlaces more lines (ITU-R BT.709: 1080)
INTERLACED_LINES = frozenset({480, 486, 576, 1080, 1088})
INTERLACED_RATES = frozenset(
    {Fraction(25), Fraction(30000, 1001)}
)  # of frames; 50 and 59.94 are the fields
FEWEST_LINES = 200  # what television interlaces has 480 and more; in small pictures fine patterns look interlaced
COLUMNS = 320  # measured: at most as many, evenly spaced
LIKELY_ABOVE = 0.4  # of the screened frames
CADENCE = 5  # frames: 2:3 pulldown makes five of four
FEWEST_MOVING = 200  # samples: fewer tell nothing
_MOTION = 8  # 8-bit steps between two frames: more than the noise of most cameras after coding
_LEAST_SHARE = 0.15  # of a combing, by which two must differ
_LEAST_LEAN = 0.04  # of the nearer combing, by which the farther exceeds it (idet's intl_thres)
_LEAST_LEAN_DOUBLED = 2.5  # doublings: of doubled lines that move up or down 1 to 2.4, of interlaced ones 2.4 and mostly far more
_INTERLACED_BELOW, _PROGRESSIVE_ABOVE = 0.45, 0.7  # of the ratio above
_CLEAN = 2  # fields of one moment comb so many times less than neighbours in time; real interlace combs within the frame as between frames
_REPEAT = 3.0  # a field is repeated where the other changes this many times more (idet's rep_thres)
_FLAG_EACH_FRAME = frozenset(
    {"h264", "hevc", "mpeg2video", "mpeg4", "dvvideo", "prores", "vc1", "wmv3"}
)
# AVFieldOrder: TT, BB; TB and BT are QuickTime's and Matroska's 9 and 14, fields interleaved, first line early or late (Apple TN2162)
_TFF, _BFF = {2, 4}, {3, 5}

FieldVerdict: TypeAlias = Literal["progressive", "tff", "bff", "undetermined"]


class DecodedFrame(Protocol):
    """What is needed of a decoded picture: see ``tools.pyav.Picture``."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""

    @property
    def interlaced(self) -> bool:
        """Flagged as interlaced."""

    def luma(self) -> tuple[memoryview, int, int]:
        """The plane, bytes a line, bits a sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldContent:
    """What the picture shows, ``parity`` of its fields where they differ in time, and the counts that say so, as text, by ``source``.
    ``sure``: enough frames show it to outweigh an interlaced flag."""

    scan: ScanContent | None = None
    sure: bool = True
    parity: Literal["tff", "bff"] | None = None
    source: str = "frames"
    evidence: str = ""


class FieldTally:
    """Verdicts so far, by windows of consecutive frames; ``repeated``: frames one field of which is that of the frame before."""

    def __init__(self) -> None:
        self._windows: list[list[FieldVerdict]] = [[]]
        self._phases: list[Counter[int]] = [
            Counter()
        ]  # of a window: how many frames of each phase of five repeat a field
        self._counts: Counter[FieldVerdict] = Counter()
        self.repeated = 0

    def begin(self) -> None:
        """A new window."""
        self._windows.append([])
        self._phases.append(Counter())

    def add(self, verdict: FieldVerdict, repeated: bool = False) -> None:
        """Count one frame."""
        self._phases[-1][len(self._windows[-1]) % CADENCE] += repeated
        self._windows[-1].append(verdict)
        self._counts[verdict] += 1
        self.repeated += repeated

    @property
    def decided(self) -> int:
        """Frames with a verdict."""
        return self._counts.total() - self._counts["undetermined"]

    @property
    def interlaced(self) -> int:
        """Frames whose fields differ in time, of the parity that more of them show."""
        return max(self._counts["tff"], self._counts["bff"])

    @property
    def likely(self) -> bool:
        """Many frames seem interlaced: worth the search for others, where these cannot be measured."""
        return self.interlaced >= LIKELY_ABOVE * max(1, self._counts.total())

    @property
    def clean(self) -> int:
        """Frames that are progressive."""
        return self._counts["progressive"]

    @property
    def combed(self) -> bool:
        """Every frame so far differs in time between its fields, of one parity, and they are enough."""
        return COMBED_ENOUGH <= self.interlaced == self._counts.total() and not self.repeated

    @property
    def unanimous(self) -> bool:
        """All frames decided so far are progressive, or all show one parity; none repeats a field."""
        return (
            self.decided == max(self.interlaced, self._counts["progressive"]) and not self.repeated
        )

    def content(self, source: str) -> FieldContent:
        """Interlaced: at least 0.3 of all, 0.4 of the decided and 0.8 of the combed frames show one parity, or at least 8 frames, 0.45 of
        the decided and nearly all of the combed, whatever their share of all (progressive pictures that seem combed show both parities);
        the others are clean (parts of a film, pulldown of other cadences). Telecine: fields are repeated, or the verdicts have its
        cadence, among frames of which some are combed; in noise the cadence of repeated fields is enough, for they repeat the noise.
        Progressive: the decided frames are mostly that."""
        total, high, progressive = (
            self._counts.total(),
            self.interlaced,
            self._counts["progressive"],
        )
        parity: Literal["tff", "bff"] = (
            "tff" if self._counts["tff"] >= self._counts["bff"] else "bff"
        )
        counts = [
            f"{name} {self._counts[name]}" for name in ("tff", "bff", "progressive", "undetermined")
        ]
        evidence = ", ".join([*counts, f"repeated {self.repeated}"])
        told: ScanContent = "undetermined"
        often = self.repeated >= 0.25 * total
        one_sided = high >= max(
            COMBED_ENOUGH, 0.45 * self.decided, 0.95 * (self.decided - progressive)
        )
        if total and (
            (often and self._pulldown())
            or ((one_sided or high >= 0.2 * total) and (often or self._cadence(parity)))
        ):
            told = "telecine"
        elif one_sided or (
            high
            and high >= 0.3 * total
            and high >= max(0.4 * self.decided, 0.8 * (self.decided - progressive))
        ):
            told = parity
        elif progressive and progressive >= 0.05 * total and progressive >= high:
            told = "progressive"
        known = high and told not in ("progressive", "undetermined")
        sure = told != "progressive" or progressive >= 0.3 * total
        return FieldContent(
            scan=told, sure=sure, parity=parity if known else None, source=source, evidence=evidence
        )

    def _pulldown(self) -> bool:
        """Whether the repeated fields keep to two frames of each five."""
        kept = sum(count for phases in self._phases for _, count in phases.most_common(2))
        return self.repeated >= 2 * CADENCE and kept >= 0.85 * self.repeated

    def _cadence(self, parity: Literal["tff", "bff"]) -> bool:
        """Whether combed and clean frames alternate with the period of 2:3 pulldown, five frames, and not in runs. Of each five, two are
        combed, and a third repeats a field of the frame before, which looks the same."""
        after_five: list[bool] = []
        after_one: list[bool] = []
        for window in self._windows:
            for apart, same in ((CADENCE, after_five), (1, after_one)):
                pairs = zip(window, window[apart:], strict=False)
                same.extend(a == b for a, b in pairs if {a, b} <= {parity, "progressive"})
        clean = self._counts["progressive"]
        enough = (
            len(after_five) >= 2 * CADENCE
            and clean >= 0.2 * self.decided
            and self.interlaced >= 0.3 * self.decided
        )
        return (
            enough
            and sum(after_five) >= 0.85 * len(after_five)
            and sum(after_one) <= 0.75 * len(after_one)
        )


class FieldMeasure:
    """The measure, frame by frame in display order; start a new one after every jump."""

    def __init__(self) -> None:
        self._before: Fields | None = None

    def push(self, frame: DecodedFrame) -> tuple[FieldVerdict, bool] | None:
        """(verdict, a field is repeated) of a frame against the one before; None for the first and for pictures of another size."""
        from mediaprep.tools import fields

        if frame.size[1] < FEWEST_LINES:
            return None
        now = fields.split(*frame.luma(), frame.size, COLUMNS)
        before, self._before = self._before, now
        if before is None or before[0].plane.size != now[0].plane.size:
            return None
        found = fields.compare(now, before, step=_MOTION, fewest=FEWEST_MOVING)
        if found is None:
            return "undetermined", False
        return _judge(found), _apart(*found.moves) or _apart(*found.changes)


def _judge(found: FrameComparison) -> FieldVerdict:
    """``near`` and ``far``: of the top field with the bottom field before (top first: they are neighbours in time), and the other way
    round."""
    own, near, far = found.own, *sorted((found.top_late, found.bottom_late))
    least = _LEAST_SHARE * min(own, near)
    if max(own, far) - min(own, near) < least:
        return "undetermined"
    if own * _CLEAN <= near:
        return "progressive"
    if (
        far * _CLEAN <= own
    ):  # no interlace either: its fields of three moments apart comb more than those of one frame
        return "undetermined"
    ratio = (
        0.0 if own - near >= least else (near - own) / (far - own) if far - own >= least else 0.5
    )
    if ratio > _PROGRESSIVE_ABOVE:
        return "progressive"
    if ratio >= _INTERLACED_BELOW or far - near < max(
        _LEAST_LEAN * near, _LEAST_LEAN_DOUBLED * found.doubled
    ):
        return "undetermined"
    return "tff" if found.top_late < found.bottom_late else "bff"


class FieldScreen(Protocol):
    """A screen: see ``tools.fieldfilters.FieldDetector``."""

    def push(self, picture: Any) -> tuple[FieldVerdict, ...]:
        """The verdicts that are ready after one more frame."""


def screen(frames: Iterable[Any], detector: FieldScreen) -> FieldTally:
    """The first look. Where a frame seems interlaced, the second decides."""
    tally = FieldTally()
    for frame in frames:
        for verdict in detector.push(frame):
            tally.add(verdict)
    return tally


def measure(
    windows: Iterable[Iterator[DecodedFrame]],
    *,
    deep: bool,
    only_screened: bool = False,
    tally: FieldTally | None = None,
) -> FieldContent:
    """The second look, over windows of consecutive frames: each ends early when unanimous, and so does the whole; ``deep`` does not.
    ``only_screened``: nothing but the screen speaks for interlace; ``tally``: where to count, for whoever makes the windows to see."""
    tally, brief = tally or FieldTally(), SCREEN_FRAMES if only_screened else WINDOW_SHORT

    def settled() -> bool:
        enough = tally.decided >= DECIDED_ENOUGH or (only_screened and tally.clean >= CLEAN_ENOUGH)
        return not deep and (tally.combed or (tally.unanimous and enough))

    for window in windows:
        measurement = FieldMeasure()
        tally.begin()
        for count, frame in enumerate(islice(window, WINDOW_FRAMES), 1):
            if (verdict := measurement.push(frame)) is not None:
                tally.add(*verdict)
            if settled() or (not deep and tally.unanimous and count >= brief):
                break
        if settled():
            break
        brief = WINDOW_GLANCE if only_screened else WINDOW_SHORT
    return tally.content("frames")


def interlaced_material(height: int | None, rate: Fraction | None) -> bool:
    """Lines and rate are those that television interlaces: look closer."""
    return height in INTERLACED_LINES and rate in INTERLACED_RATES


def scan_flags(
    codec: str | None,
    field_order: int,
    header: StreamHeader,
    flagged: tuple[bool, ...],
    parities: frozenset[str],
) -> ScanFlag | None:
    """What stream and container say. ``field_order``: AVFieldOrder (0 unknown, 1 progressive, 2 to 5 interlaced); ``flagged``: the
    interlaced flag of the decoded frames, ``parities`` of those that have it: they outweigh the field order, which x264's streams get
    wrong for bff. ``frame_mbs_only`` 0 alone says nothing: x264's fake-interlaced frames are progressive."""
    some, all_of = any(flagged), bool(flagged) and all(flagged)
    if header.field_seq or header.field_pictures or some or field_order > 1:
        if some and not all_of and field_order < 2:
            return "mixed"
        return _flagged_parity(field_order, header, parities)
    if field_order == 1 or header.progressive_sequence or header.frame_mbs_only:
        return "progressive"
    if flagged:
        return "progressive" if codec in _FLAG_EACH_FRAME else "unspecified"
    return None


def _flagged_parity(field_order: int, header: StreamHeader, parities: frozenset[str]) -> ScanFlag:
    if parities:
        return "interlaced" if len(parities) > 1 else "tff" if "tff" in parities else "bff"
    if field_order in _TFF:
        return "tff"
    if field_order in _BFF:
        return "bff"
    firsts = set(header.top_field_first or ())
    firsts |= {
        struct in (3, 5) for struct in header.pic_struct or () if struct in (3, 4, 5, 6)
    }  # ITU-T H.264, table D-1
    return "interlaced" if len(firsts) != 1 else "tff" if firsts.pop() else "bff"


def soft_telecine(header: StreamHeader) -> bool:
    """Progressive pictures with repeated fields by flag alone: MPEG-2 repeat_first_field, pic_struct 5 and 6."""
    return bool(header.repeat_first_field and any(header.repeat_first_field)) or bool(
        set(header.pic_struct or ()) & {5, 6}
    )


def verdict(
    flags: ScanFlag | None, content: ScanContent | None, soft: bool, sure: bool = True
) -> Scan | None:
    """Interlaced or telecined content outweighs any flag; a still or noisy picture cannot be told (not ``sure``: few frames that happen to
    look progressive), then the flag decides. None: nothing is known."""
    flagged = flags in ("tff", "bff", "interlaced", "mixed")
    match content:
        case "tff" | "bff":
            return "interlaced"
        case "telecine":
            return "telecine"
        case "progressive" if sure or not flagged:
            return "soft-telecine" if soft else "psf" if flagged else "progressive"
    if flags is None:
        return None
    return (
        "soft-telecine" if soft and flags != "mixed" else "interlaced" if flagged else "progressive"
    )


def _apart(one: int, other: int) -> bool:
    """One field changes far more than the other."""
    less, more = sorted((one, other))
    return less * _REPEAT < more
