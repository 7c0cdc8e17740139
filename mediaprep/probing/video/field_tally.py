"""Add up the verdicts about single frames: progressive, interlaced or telecined. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal, TypeAlias

from mediaprep.model.media import ScanContent

Parity: TypeAlias = Literal["tff", "bff"]
FieldVerdict: TypeAlias = Literal["progressive", "tff", "bff", "undetermined"]

COMBED_ENOUGH = 8  # combed frames that suffice for a verdict
_MOSTLY = 0.4  # share of the frames
_CADENCE = 5  # frames: 2:3 pulldown makes five of four


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldAnalysis:
    """What decoded frames show.

    scan        None: no frame was analysed
    conclusive  enough frames show it to outweigh an interlaced flag
    parity      of interlaced or telecined frames
    source      what analysed the frames: idet or frames
    counts      number of frames by verdict, as text
    """

    scan: ScanContent | None = None
    conclusive: bool = True
    parity: Parity | None = None
    source: str = "frames"
    counts: str = ""


class FieldTally:
    """Verdicts about frames, by windows of consecutive frames.

    ``repeated``: frames of which one field repeats that of the previous frame.
    """

    def __init__(self) -> None:
        self._windows: list[list[FieldVerdict]] = [[]]
        # Per window: how many frames of each phase of five repeat a field
        self._repeats_by_phase: list[Counter[int]] = [Counter()]
        self._counts: Counter[FieldVerdict] = Counter()
        self.repeated = 0

    def begin_window(self) -> None:
        """Begin a new window."""
        self._windows.append([])
        self._repeats_by_phase.append(Counter())

    def add(self, verdict: FieldVerdict, repeated: bool = False) -> None:
        """Count the next frame of the window."""
        self._repeats_by_phase[-1][len(self._windows[-1]) % _CADENCE] += repeated
        self._windows[-1].append(verdict)
        self._counts[verdict] += 1
        self.repeated += repeated

    @property
    def decided(self) -> int:
        """Frames with a verdict."""
        return self._counts.total() - self._counts["undetermined"]

    @property
    def combed(self) -> int:
        """Frames whose fields differ in time, of the more frequent parity."""
        return max(self._counts["tff"], self._counts["bff"])

    @property
    def progressive(self) -> int:
        """Frames whose fields belong to one moment."""
        return self._counts["progressive"]

    @property
    def mostly_combed(self) -> bool:
        """Many frames seem interlaced, so that looking for more frames is worthwhile."""
        return self.combed >= _MOSTLY * max(1, self._counts.total())

    @property
    def all_combed(self) -> bool:
        """Enough frames, and each of them is combed with the same parity."""
        return COMBED_ENOUGH <= self.combed == self._counts.total() and not self.repeated

    @property
    def unanimous(self) -> bool:
        """All decided frames are progressive, or all have one parity; none repeats a field."""
        return self.decided == max(self.combed, self.progressive) and not self.repeated

    def analysis(self, source: str) -> FieldAnalysis:
        """Return the verdict over all frames; ``source``: what gave the verdicts."""
        parity: Parity = "tff" if self._counts["tff"] >= self._counts["bff"] else "bff"
        scan = self._scan(parity)
        has_parity = self.combed and scan not in ("progressive", "undetermined")
        names: tuple[FieldVerdict, ...] = ("tff", "bff", "progressive", "undetermined")
        counts = [f"{name} {self._counts[name]}" for name in names]
        return FieldAnalysis(
            scan=scan,
            conclusive=scan != "progressive" or self.progressive >= 0.3 * self._counts.total(),
            parity=parity if has_parity else None,
            source=source,
            counts=", ".join([*counts, f"repeated {self.repeated}"]),
        )

    def _scan(self, parity: Parity) -> ScanContent:
        total, combed, progressive = self._counts.total(), self.combed, self.progressive
        if not total:
            return "undetermined"
        # Nearly all combed frames have one parity. Progressive frames that seem combed have both.
        one_sided = combed >= max(
            COMBED_ENOUGH, 0.45 * self.decided, 0.95 * (self.decided - progressive)
        )
        # 2:3 pulldown repeats a field in two of five frames. In noise the cadence of the repeated
        # fields suffices, because they repeat the noise.
        often_repeated = self.repeated >= 0.25 * total
        if often_repeated and self._repeats_have_cadence():
            return "telecine"
        combed_enough = one_sided or combed >= 0.2 * total
        if combed_enough and (often_repeated or self._verdicts_have_cadence(parity)):
            return "telecine"
        # The other frames may be progressive: parts of a film, or pulldown of other cadences.
        if one_sided:
            return parity
        share = max(0.3 * total, 0.4 * self.decided, 0.8 * (self.decided - progressive))
        if combed and combed >= share:
            return parity
        if progressive and progressive >= 0.05 * total and progressive >= combed:
            return "progressive"
        return "undetermined"

    def _repeats_have_cadence(self) -> bool:
        """Return True if the repeated fields are confined to two frames of each five."""
        regular = sum(
            count for phases in self._repeats_by_phase for _, count in phases.most_common(2)
        )
        return self.repeated >= 2 * _CADENCE and regular >= 0.85 * self.repeated

    def _verdicts_have_cadence(self, parity: Parity) -> bool:
        """Return True if combed and progressive frames alternate as in 2:3 pulldown.

        The period is five frames, and verdicts do not come in runs. Of each five frames two are
        combed, and a third repeats a field of the previous frame, which looks the same.
        """
        same_after_five: list[bool] = []
        same_after_one: list[bool] = []
        for window in self._windows:
            for distance, same in ((_CADENCE, same_after_five), (1, same_after_one)):
                pairs = zip(window, window[distance:], strict=False)
                same.extend(a == b for a, b in pairs if {a, b} <= {parity, "progressive"})
        enough = (
            len(same_after_five) >= 2 * _CADENCE
            and self.progressive >= 0.2 * self.decided
            and self.combed >= 0.3 * self.decided
        )
        return (
            enough
            and sum(same_after_five) >= 0.85 * len(same_after_five)
            and sum(same_after_one) <= 0.75 * len(same_after_one)
        )
