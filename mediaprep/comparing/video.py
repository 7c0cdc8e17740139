"""Video: judge pictures of source and output of the same presentation times."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from statistics import median

from mediaprep.comparing import picture, thresholds
from mediaprep.comparing.mistakes import best_peak, colours, likeliest_mistake
from mediaprep.comparing.picture import ColourDifference, SmallPicture
from mediaprep.comparing.sampling import Pair, Side, VideoExpectation, levelled, sampled_pairs
from mediaprep.comparing.similarity import Displacement, displacement, structure
from mediaprep.model.comparison import Comparison, Difference, Figure

_TURN_NAMES = {1: "90 degrees clockwise", 2: "180 degrees", 3: "90 degrees counter-clockwise"}


def compare_video(source: Side, output: Side, expected: VideoExpectation) -> Comparison:
    """Return how the output's pictures differ from the source's."""
    pairs = list(sampled_pairs(source, output, expected))
    if not pairs:
        return Comparison(
            unknown=("no frame of source and output could be decoded at the same time",)
        )
    return Judge(pairs, source, output).result()


class Judge:
    """Judges pairs, and says in one line what is wrong."""

    def __init__(self, pairs: Sequence[Pair], source: Side, output: Side) -> None:
        self._pairs, self._source, self._output = list(pairs), source, output
        self.differences: list[Difference] = []
        self.figures: list[Figure] = []
        self.unknown: list[str] = []

    def result(self) -> Comparison:
        """Return everything that was found. Later checks mean nothing where the picture is
        turned.
        """
        self._defects()
        if self._pairs and self._picture():
            self._colour()
            self._timing()
        return Comparison(
            differences=tuple(self.differences),
            figures=tuple(self.figures),
            compared=("picture", "colour", "timing", "defects"),
            unknown=tuple(self.unknown),
        )

    def _defects(self) -> None:
        """Find pairs of which the output is plain (black, grey, green) and the source is not; judge
        the rest.
        """
        plain = [
            pair for pair in self._pairs if is_plain(pair.output) and not is_plain(pair.source)
        ]
        if plain:
            times = ", ".join(f"{float(pair.at):.1f} s" for pair in plain[:4])
            self.differences.append(
                Difference(
                    aspect="defects",
                    message=f"the picture is {plain_colour(plain[0].output)} at {times},"
                    " the source is not",
                    at=plain[0].at,
                )
            )
        self._pairs = [pair for pair in self._pairs if pair not in plain]
        if len(self._pairs) < 3:
            return
        scores = [(structure(pair.source.luma, pair.output.luma), pair) for pair in self._pairs]
        usual = median(score for score, _ in scores)
        worst, pair = min(scores, key=lambda item: item[0])
        self._figure("structure-worst", worst, thresholds.STRUCTURE_WORST.limit, pair.at)
        if usual > thresholds.STRUCTURE.limit and worst < thresholds.STRUCTURE_WORST.limit:
            self._differs(
                "defects",
                f"the picture at {float(pair.at):.1f} s is not the source's"
                f" (structural similarity {worst:.2f})",
                at=pair.at,
                measured=worst,
                limit=thresholds.STRUCTURE_WORST.limit,
            )
            self._pairs = [other for other in self._pairs if other is not pair]

    def _figure(self, name: str, value: float, limit: float, at: Fraction | None = None) -> None:
        self.figures.append(Figure(name=name, value=value, limit=limit, at=at))

    def _differs(self, aspect: str, message: str, **more: object) -> None:
        self.differences.append(Difference(aspect=aspect, message=message, **more))  # type: ignore[arg-type]

    def _picture(self) -> bool:
        """Judge structure, orientation and displacement; False where the picture is another one."""
        textured = [pair for pair in self._pairs if pair.source.luma.std() > 0.02]
        if not textured:
            self.unknown.append(
                "every compared frame is plain: shape and orientation were not compared"
            )
            return True
        votes = [picture.best_orientation(pair.source, pair.output) for pair in textured]
        margin = median(best - identity for _, best, identity in votes)
        alike = median(identity for _, _, identity in votes)
        self._figure("structure", alike, thresholds.STRUCTURE.limit)
        self._figure("orientation-margin", margin, thresholds.ORIENTATION_MARGIN.limit)
        if margin > thresholds.ORIENTATION_MARGIN.limit:
            self._differs(
                "picture", orientation_words([vote for vote, _, _ in votes]), measured=margin
            )
            return False
        moved = [
            move
            for pair in textured
            if (move := displacement(*levelled(pair.source.luma, pair.output.luma))) is not None
        ]
        if moved:
            edges = Displacement(
                *(
                    median(getattr(move, edge) for move in moved)
                    for edge in ("left", "right", "top", "bottom")
                )
            )
            limit = thresholds.DISPLACEMENT.limit
            self._figure("displacement", edges.largest, limit)
            if edges.largest > limit:
                self._differs(
                    "picture", displacement_words(edges), measured=edges.largest, limit=limit
                )
                return True
        if alike < thresholds.STRUCTURE.limit:
            self._differs(
                "picture",
                f"the picture is not the source's (structural similarity {alike:.2f})",
                measured=alike,
                limit=thresholds.STRUCTURE.limit,
            )
            return False
        return True

    def _colour(self) -> None:
        """Judge colour over all pairs, with a tone map where the source is HDR and the output is
        not.
        """
        peak = best_peak(self._pairs)
        found = [colours(pair, peak) for pair in self._pairs]
        mean = median(item.mean for item in found)
        self._figure("colour-mean", mean, thresholds.COLOUR_MEAN.limit)
        self._figure("colour-high", median(item.high for item in found), math.inf)
        word, cast = strongest_cast(found)
        self._figure("colour-cast", abs(cast), thresholds.COLOUR_CAST.limit)
        mistake, certainty, share = likeliest_mistake(self._pairs, peak)
        self._figure("colour-mistake", certainty, thresholds.COLOUR_MISTAKE.limit)
        beyond = mean > thresholds.COLOUR_MEAN.limit or abs(cast) > thresholds.COLOUR_CAST.limit
        explains = share > (0.5 if beyond else thresholds.COLOUR_EXPLAINED.limit)
        if certainty > thresholds.COLOUR_MISTAKE.limit and explains:
            self._differs("colour", mistake, measured=mean, limit=thresholds.COLOUR_MEAN.limit)
        elif beyond:
            self._differs(
                "colour",
                f"the colours differ from the source's: {mean:.1f} on average (2 is just visible),"
                f" the picture is {word}",
                measured=mean,
                limit=thresholds.COLOUR_MEAN.limit,
            )

    def _timing(self) -> None:
        """Judge the offset of begin, middle and end, from samples with enough motion."""
        frames = (self._source.frame_seconds, self._output.frame_seconds)
        frame = float(max(frames))
        same_rate = abs(float(frames[0] / frames[1]) - 1) < 0.01
        # A change of rate may show a frame up to 1.1 output frames off (ffmpeg's -fps_mode cfr).
        limit = thresholds.TIMING.limit if same_rate else thresholds.TIMING_OTHER_RATE.limit
        votes = [vote for pair in self._pairs for vote in pair.votes if vote.error < 0.25 * frame]
        if not votes:
            self.unknown.append("no motion: the timing of the pictures was not compared")
            return
        third = float(self._output.end) / 3
        for name, low, high in (
            ("at the beginning", -1.0, third),
            ("in the middle", third, 2 * third),
            ("at the end", 2 * third, math.inf),
        ):
            part = [(vote.late, vote.error) for vote in votes if low < vote.at <= high]
            if not part:
                continue
            offset = weighted_median(part)
            self._figure(f"timing {name}", abs(offset) / frame, limit)
            if abs(offset) / frame > limit:
                direction = "late" if offset > 0 else "early"
                self._differs(
                    "timing",
                    f"the picture is {abs(offset) * 1000:.0f} ms {direction} {name}",
                    measured=abs(offset) / frame,
                    limit=limit,
                )


def weighted_median(votes: Sequence[tuple[float, float]]) -> float:
    """Return the median of values with standard errors, a surer one counting more."""
    ranked = sorted(votes)
    weights = [1.0 / (error**2 + 1e-8) for _, error in ranked]
    half, below = sum(weights) / 2, 0.0
    for (value, _), weight in zip(ranked, weights, strict=True):
        below += weight
        if below >= half:
            return value
    return ranked[-1][0]


def is_plain(shown: SmallPicture) -> bool:
    """Whether the picture is one colour."""
    return float(shown.codes[..., 0].std()) < 1.5 * (1 << (shown.bits - 8))


def plain_colour(shown: SmallPicture) -> str:
    """Return the name of a plain picture's colour."""
    red, green, blue = (float(value) for value in shown.rgb().mean(axis=(0, 1)))
    if max(red, green, blue) - min(red, green, blue) > 0.15:
        return "green" if green > max(red, blue) else "one colour"
    return "black" if green < 0.08 else "white" if green > 0.92 else "grey"


def strongest_cast(found: Sequence[ColourDifference]) -> tuple[str, float]:
    """Return the word for the largest signed difference, and the difference."""
    axes = (
        (median(item.lightness for item in found), "lighter", "darker"),
        (median(item.green_red for item in found), "redder", "greener"),
        (median(item.blue_yellow for item in found), "yellower", "bluer"),
    )
    cast, more, less = max(axes, key=lambda axis: abs(axis[0]))
    return (more if cast > 0 else less), cast


def orientation_words(votes: Sequence[tuple[int, bool]]) -> str:
    """Return what is wrong with the orientation that most samples found."""
    turns, mirrored = max(set(votes), key=list(votes).count)
    if mirrored and turns == 0:
        return "the picture is mirrored left to right compared with the source"
    if mirrored and turns == 2:
        return "the picture is upside down and mirrored compared with the source"
    words = f"the picture is rotated by {_TURN_NAMES[turns]}"
    return f"{words}{' and mirrored' if mirrored else ''} compared with the source"


def displacement_words(edges: Displacement) -> str:
    """Return which edges are cropped, or that the picture is squeezed or shifted."""
    names = ("left", "right", "top", "bottom")
    moved = {name: getattr(edges, name) for name in names}
    across, down = edges.left + edges.right, edges.top + edges.bottom
    cropped = [f"{-value:.1%} at the {name}" for name, value in moved.items() if value < -0.003]
    if cropped and not any(value > 0.003 for value in moved.values()):
        return f"the picture is cropped: {', '.join(cropped)}"
    if abs(across) < 0.003 and abs(down) < 0.003:
        return "the picture is shifted compared with the source"
    return f"the picture is scaled wrongly: by {across:.1%} in width, {down:.1%} in height"
