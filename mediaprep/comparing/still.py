"""Stills: size, orientation, framing, colour and alpha of the output against the source.

Both are decoded by Pillow and reduced by averaging; each is brought to what a viewer sees by what
its own file declares: orientation, ICC profile (by lcms) or numbers (by the formulas of the
standards). PyAV reads the files a second time where it can.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from mediaprep.comparing import colour, geometry, perception, thresholds
from mediaprep.comparing.compositor import ByteSource
from mediaprep.comparing.declared import StillDeclaration, declaration, still_format
from mediaprep.comparing.shape import same_shape, size_difference, turned_words
from mediaprep.comparing.similarity import Displacement, correlation, displacement
from mediaprep.comparing.thresholds import Threshold
from mediaprep.model.comparison import Aspect, Comparison, Difference, Figure
from mediaprep.tools import reference_decoders
from mediaprep.tools.reference_decoders import ReferenceUndecodable, SmallStill

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

MAX_PIXELS = 64_000_000
_GRID, _LEAST = 256, 4  # means on the long side of a compared picture
# Pixels of a side that a mean covers at least: chroma may have half the samples, scaling blurs.
_CELL = 4
_PLAIN = 0.5  # standard deviation of lightness, OKLab times 100, up to which nothing is turned
_PEAKS = (1.0, 1000 / 203, 10.0, 20.0, 50.0)  # light, 1 = diffuse white, that is mapped to white
_DETAIL = (
    0.3  # standard deviation of fine detail, OKLab times 100, from which a displacement is believed
)
_BETTER = (
    0.75  # share of what fine detail lacks to agree that may be left once a displacement is undone
)
_FARTHEST = 0.2  # share of a side beyond which a displacement is not believed
_BLOCK = 8  # samples of a side of the smallest part that is judged alone
_COLOURED = 4.0  # chroma, OKLab times 100, from which a colour has a hue
_SPREAD = 2.0  # standard deviation of lightness, OKLab times 100, from which contrast is measured
_FEW = 0.05  # share of the samples below which a mean over some of them says nothing
_MIDDLE = 0.1  # the same for samples that are not clipped: where few are, they lie at edges
_CLIPPED = 16  # levels from black and white within which a shift may be cut off
_MANY = 64  # samples of the long side from which the mean of a level is exact
_CLIPS = 3.0  # factor of the limit of levels where samples were averaged before a conversion
_UNTOUCHED = (
    1.0  # mean distance, OKLab times 100, up to which samples are the same but for their coding
)
_TOUCHED = 3.5  # mean distance from which missing tone mapping is looked for
_TONE_BENDS = 0.02  # share of a side by which a tone curve can seem to displace smooth parts
_PROFILE_MATTERS = 0.3  # mean distance, OKLab times 100, from which a lost profile is looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class StillExpectation:
    """What the output of a still may change.

    source_format, output_format   by our names; None: found out by the first bytes
    scale        the output may be smaller
    background   R, G, B that transparent parts were laid on; None: they stay transparent
    max_pixels   larger pictures are not decoded (JPEG: 64 times as many, at a fraction of their
                 size)
    second_decoder   decode both files a second time, with PyAV, where it can
    """

    source_format: str | None = None
    output_format: str | None = None
    scale: bool = True
    background: tuple[int, int, int] | None = None
    max_pixels: int = MAX_PIXELS
    second_decoder: bool = True


def compare_still(source: ByteSource, output: ByteSource, expected: StillExpectation) -> Comparison:
    """Return how the output's picture differs from the source's."""
    most = expected.max_pixels
    files = []
    for name, file, form in (
        ("source", source, expected.source_format), ("output", output, expected.output_format),
    ):  # fmt: skip
        found = _described(file, form, most)
        if isinstance(found, str):
            return _unread(name, found)
        files.append(found)
    size = files[0].size
    made = files[1].size
    same = same_shape(size, made)
    grid = _grid(size, min(max(size), max(made)))
    pictures = []
    for name, described in zip(("source", "output"), files, strict=True):
        own = grid if same else _grid(described.size, max(described.size))
        still = _decoded(described, own, expected)
        if isinstance(still, str):
            return _unread(name, still)
        pictures.append(still)
    return _StillJudge(pictures[0], pictures[1], expected).result()


def _grid(size: tuple[int, int], pixels: int) -> tuple[int, int]:
    """Return columns and rows of means: each covers a few pixels of the smaller picture."""
    longest = max(_LEAST, min(_GRID, pixels // _CELL))
    scale = longest / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _unread(name: str, reason: str) -> Comparison:
    """Return the result where a file cannot be decoded: unknown for a source, a difference for an
    output.
    """
    if name == "source":
        return Comparison(unknown=(f"the source's picture was not compared: {reason}",))
    message = f"the output's picture cannot be read: {reason}"
    return Comparison(
        differences=(Difference(aspect="picture", message=message),), compared=("picture",)
    )


@dataclass(frozen=True, slots=True)
class _Described:
    """A still that is not decoded yet: its format, upright size, and what it declares."""

    file: ByteSource
    form: str
    size: tuple[int, int]
    declared: StillDeclaration


@dataclass(frozen=True, slots=True)
class _ShownStill:
    """A still as a viewer sees it.

    size         upright width and height of the picture
    light        rows×columns×3 linear BT.709, 1 = diffuse white, not clipped
    as_srgb      the same if its samples were taken for sRGB; None: they are
    flat         the same if only its transfer, PQ or HLG, were taken for sRGB's; None: neither
    alpha        rows×columns 0 to 1; None: opaque
    apart        levels of 8 bits by which another decoder differs on average, or why there is none
    """

    size: tuple[int, int]
    light: Array
    as_srgb: Array | None
    flat: Array | None
    alpha: Array | None
    high_range: bool
    apart: float | str


def _described(file: ByteSource, form: str | None, max_pixels: int) -> _Described | str:
    """Return format, size and declarations of a still, or why it cannot be read."""
    name = form or still_format(file)
    if name is None:
        return "its format is not known"
    try:
        size = reference_decoders.still_size(file, name, max_pixels=max_pixels)
    except ReferenceUndecodable as problem:
        return str(problem)
    declared = declaration(file, name)
    upright = size[::-1] if geometry.swapped(declared.orientation) else size
    return _Described(file, name, upright, declared)


def _decoded(
    described: _Described, grid: tuple[int, int], expected: StillExpectation
) -> _ShownStill | str:
    """Return a still upright at columns×rows in linear light, or why it cannot be decoded."""
    declared = described.declared
    columns, rows = grid[::-1] if geometry.swapped(declared.orientation) else grid
    try:
        still = reference_decoders.small_still(
            described.file,
            described.form,
            columns=columns,
            rows=rows,
            max_pixels=expected.max_pixels,
        )
        light, as_srgb = _shown(still, declared)
        flat = None
        if declared.high_range and as_srgb is not None:
            flat = _converted(as_srgb, declared)
    except ReferenceUndecodable as problem:
        return str(problem)
    turn = declared.orientation
    return _ShownStill(
        size=described.size,
        light=geometry.oriented(light, turn),
        as_srgb=None if as_srgb is None else geometry.oriented(as_srgb, turn),
        flat=None if flat is None else geometry.oriented(flat, turn),
        alpha=None
        if still.alpha is None
        else geometry.oriented(still.alpha / np.float32(255), turn),
        high_range=declared.high_range,
        apart=_second_decoding(described, still) if expected.second_decoder else "disabled",
    )


def _shown(still: SmallStill, declared: StillDeclaration) -> tuple[Array, Array | None]:
    """Return linear BT.709 light, and that of the samples taken for sRGB.

    Raises: ReferenceUndecodable.
    """
    plain = None
    if still.mode in ("L", "RGB"):
        values = still.colours.astype(np.float32) / 255
        values = np.broadcast_to(values, (*values.shape[:2], 3))
        plain = colour.linear(values, colour.SRGB)
        by_numbers = declared.numbers and (still.icc is None or declared.overrides_icc)
        if by_numbers:
            return _light(values, declared), plain
        if still.icc is None:
            return plain, None
    converted = reference_decoders.to_srgb(still.colours, still.mode, still.icc)
    return colour.linear(converted.astype(np.float32) / 255, colour.SRGB), plain


def _light(values: Array, declared: StillDeclaration) -> Array:
    """Return linear BT.709 light of samples whose colours are declared by numbers."""
    gamma = declared.gamma
    light = (
        colour.linear(values, declared.transfer or colour.SRGB) if gamma is None else values**gamma
    )
    return _converted(light, declared)


def _converted(light: Array, declared: StillDeclaration) -> Array:
    """Return light with the declared primaries as BT.709 light."""
    if declared.chromaticities is None:
        return light
    return light @ perception.to_bt709(declared.chromaticities).T


def _second_decoding(described: _Described, still: SmallStill) -> float | str:
    """Return by how many levels PyAV's decoding differs from Pillow's on average, or why it is
    unknown.
    """
    if still.mode not in ("L", "RGB") or still.alpha is not None:
        return f"{still.mode} with alpha" if still.alpha is not None else still.mode
    rows, columns = still.colours.shape[:2]
    try:
        second = reference_decoders.second_still(
            described.file, described.form, columns=columns, rows=rows
        )
    except ReferenceUndecodable as problem:
        return str(problem)
    if second is None:
        return f"no other decoder for {described.form}"
    return float(np.abs(still.colours.astype(np.float32) - second).mean())


# -- the comparison --------------------------------------------------------------------------------


class _StillJudge:
    """Judges a still against its source, and says in one line each what is wrong."""

    def __init__(
        self, source: _ShownStill, output: _ShownStill, expected: StillExpectation
    ) -> None:
        self._source, self._output, self._expected = source, output, expected
        self._tone_mapped = source.high_range and not output.high_range
        self._differences: list[Difference] = []
        self._figures: list[Figure] = []
        self._unknown: list[str] = []

    def result(self) -> Comparison:
        """Compare everything that can be compared."""
        self._second_decoder()
        size, made = self._source.size, self._output.size
        words = size_difference(size, made, scale=self._expected.scale)
        if same_shape(size, made):
            if words is not None:
                self._differs("picture", words)
            self._pictures()
        else:
            one, other = _lightness(self._source), _lightness(self._output)
            self._differs("picture", _turn(one, other) or words or "")
        aspects: tuple[Aspect, ...] = ("picture", "alpha", "colour")
        return Comparison(
            differences=tuple(self._differences),
            figures=tuple(self._figures),
            compared=aspects,
            unknown=tuple(self._unknown),
        )

    def _differs(self, aspect: Aspect, message: str, **more: Any) -> None:
        self._differences.append(Difference(aspect=aspect, message=message, **more))

    def _exceeds(self, limit: Threshold, value: float) -> bool:
        """Record a figure; return True if it exceeds its limit."""
        self._figures.append(Figure(name=limit.name, value=value, limit=limit.limit))
        return value > limit.limit

    def _second_decoder(self) -> None:
        """Judge what another decoder reads of both files."""
        wrong = []
        for name, still in (("source", self._source), ("output", self._output)):
            if isinstance(still.apart, str):
                self._unknown.append(f"only one decoder read the {name}'s picture ({still.apart})")
            elif self._exceeds(thresholds.SECOND_DECODER, still.apart):
                wrong.append(name)
        if "source" in wrong:
            self._unknown.append("two decoders read the source's picture differently")
        elif wrong:
            self._differs("picture", "two decoders read the output's picture differently")

    def _pictures(self) -> None:
        """Compare pictures of the same shape; what comes first explains what comes later."""
        views = [self._view(behind) for behind in self._backgrounds()]
        one, other = max(views, key=lambda view: float(view[0][..., 0].std()))
        turn = _turn(one[..., 0], other[..., 0])
        if turn is not None:
            self._differs("picture", turn)
            return
        if self._alpha_differs() or self._framing_differs(one[..., 0], other[..., 0]):
            return
        both = tuple(np.concatenate(side) for side in zip(*views, strict=True))
        if self._tone_mapped:
            self._judge_tone(both[0], both[1])
        else:
            self._judge_colour(both[0], both[1])

    def _backgrounds(self) -> tuple[tuple[int, int, int], ...]:
        """Return the colours that transparent parts are laid on before colours are compared."""
        if self._expected.background is not None:
            return (self._expected.background,)
        if _has_clear(self._source) or _has_clear(self._output):
            return (255, 255, 255), (0, 0, 0)
        return ((255, 255, 255),)

    def _view(self, behind: tuple[int, int, int]) -> tuple[Array, Array]:
        """Return both pictures on a background as OKLab times 100."""
        made = _laid(self._output.light.clip(0, 1), self._output.alpha, behind)
        goal = self._source.light
        if not self._tone_mapped:
            return _laid(goal.clip(0, 1), self._source.alpha, behind), made
        mapped = (_laid(_tone_mapped(goal, peak), self._source.alpha, behind) for peak in _PEAKS)
        return min(mapped, key=lambda lab: float(np.abs(lab - made).mean())), made

    def _alpha_differs(self) -> bool:
        """Compare alpha; report and return True if it differs."""
        clear = _has_clear(self._source)
        if self._expected.background is not None:
            if _has_clear(self._output):
                self._differs("alpha", "transparent parts should be filled and are not")
                return True
            return False
        if not clear and not _has_clear(self._output):
            return False
        goal, made = _alpha(self._source), _alpha(self._output)
        apart = np.abs(goal - made)
        wrong = self._exceeds(thresholds.ALPHA_MEAN, float(apart.mean()))
        wrong |= self._exceeds(thresholds.CELL_ALPHA, float(apart.max()))
        if not wrong:
            return False
        if not _has_clear(self._output):
            share = float((1 - goal).mean())
            words = f"transparency is lost: {share:.1%} of the picture should show through"
        elif not clear:
            share = float((1 - made).mean())
            words = f"{share:.1%} of the picture is transparent and should be opaque"
        else:
            mean, most = float(apart.mean()), float(apart.max())
            words = f"alpha differs by {mean:.1%} on average, {most:.0%} at most"
        self._differs("alpha", words)
        return True

    def _framing_differs(self, one: Array, other: Array) -> bool:
        """Compare crop, shift and squeeze; report and return True if they differ."""
        if one.std() < _PLAIN:
            return False
        moved = displacement(one / 100, _levelled(one, other) / 100)
        if moved is None:
            return False
        # A size is rounded to whole pixels: an edge may move by one of them.
        limit = max(thresholds.STILL_DISPLACEMENT.limit, 1 / min(self._output.size))
        limit = max(limit, _TONE_BENDS) if self._tone_mapped else limit
        if moved.largest > limit and not _explains(moved, one, other):
            return False
        name = thresholds.STILL_DISPLACEMENT.name
        self._figures.append(Figure(name=name, value=moved.largest, limit=limit))
        if moved.largest <= limit:
            return False
        edges = {name: getattr(moved, name) for name in ("left", "right", "top", "bottom")}
        name = max(edges, key=lambda edge: abs(edges[edge]))
        verb = "cropped" if edges[name] < 0 else "extended"
        self._differs(
            "picture",
            f"the picture is {verb} or moved by {abs(edges[name]):.1%} at the {name}",
            measured=moved.largest,
            limit=limit,
        )
        return True

    def _judge_colour(self, one: Array, other: Array) -> None:
        """Compare colours of the same range, in the order of what explains most."""
        apart = other - one
        distance = _length(apart)
        mean, high = float(distance.mean()), float(np.percentile(distance, 95))
        chroma, hue = _chroma_and_hue(one, other)
        shift = _level_shift(self._source, self._output)
        contrast = _contrast(one[..., 0], other[..., 0])
        figures = (
            (thresholds.STILL_COLOUR, mean),
            (thresholds.STILL_COLOUR_HIGH, high),
            (thresholds.STILL_SHIFT, float(np.abs(shift).max()) / self._uncertainty()),
            (thresholds.STILL_CONTRAST, max(contrast, 1 / max(contrast, 1e-3))),
            (thresholds.STILL_CHROMA, max(chroma, 1 / max(chroma, 1e-3))),
            (thresholds.STILL_HUE, hue),
        )
        wrong = [limit for limit, value in figures if self._exceeds(limit, value)]
        local = self._exceeds(thresholds.STILL_PLACE, _largest_block(distance))
        profile = self._lost_profile(other, mean)
        if profile is not None:
            self._differs("colour", profile, measured=mean)
        elif wrong:
            words = f"the colours differ by {mean:.1f} on average (2 is just visible)"
            self._differs(
                "colour",
                words + _colour_words(shift, contrast, chroma, hue),
                measured=mean,
                limit=thresholds.STILL_COLOUR.limit,
            )
        elif local:
            self._differs("picture", "a part of the picture differs")

    def _uncertainty(self) -> float:
        """Return how much less exact a mean level is: over few samples, and where a profile clips
        colours.
        """
        few = math.sqrt(_MANY / max(self._output.light.shape[:2]))
        return max(1.0, few) * (1.0 if self._source.as_srgb is None else _CLIPS)

    def _lost_profile(self, other: Array, mean: float) -> str | None:
        """Return which colour profile was ignored, if that explains the output far better than no
        mistake.
        """
        if _has_clear(self._source) or _has_clear(self._output) or mean < _PROFILE_MATTERS:
            return None
        if self._source.as_srgb is not None:
            ignored = _length(other - perception.lab(self._source.as_srgb))
            if float(ignored.mean()) < mean / 2:
                return (
                    "the source's colour profile is lost: its values are shown as if they were sRGB"
                )
        if self._output.as_srgb is not None:
            goal = perception.lab(self._source.light.clip(0, 1))
            ignored = _length(goal - perception.lab(self._output.as_srgb))
            if float(ignored.mean()) < mean / 2:
                return "the output declares a colour profile that its values do not have"
        return None

    def _judge_tone(self, one: Array, other: Array) -> None:
        """Compare a tone-mapped picture: lightness, contrast, colourfulness and hue."""
        apart = _length(other - one)
        colourful, hue = _chroma_and_hue(one, other)
        contrast = float(other[..., 0].std() + 1) / float(one[..., 0].std() + 1)
        wrong = self._exceeds(thresholds.HDR_COLOUR, float(apart.mean()))
        grey = self._exceeds(thresholds.HDR_GREY, max(1 / max(colourful, 1e-3), 1 / contrast))
        vivid = self._exceeds(thresholds.HDR_VIVID, max(colourful, contrast))
        turned = self._exceeds(thresholds.HDR_HUE, hue)
        lightness = float((other - one)[..., 0].mean())
        if self._untouched(other, float(apart.mean())):
            words = "the HDR picture turned grey: its values are shown as if they were sRGB"
        elif grey:
            words = "the HDR picture turned grey: contrast or colours are lost"
        elif vivid:
            words = "the HDR picture is too vivid: contrast or colours are exaggerated"
        elif wrong:
            word = "light" if lightness > 0 else "dark"
            words = f"the HDR picture is too {word}: by {abs(lightness):.0f} of 100 on average"
        elif turned:
            words = f"the hues of the HDR picture are turned by {hue:.0f} degrees"
        else:
            return
        self._differs("colour", words)

    def _untouched(self, other: Array, mean: float) -> bool:
        """Whether the source's samples as if they were sRGB explain the output.

        ``mean``: what is to explain.
        """
        if _has_clear(self._source) or mean < _TOUCHED:
            return False
        rests = [
            float(_length(other - perception.lab(light.clip(0, 1))).mean())
            for light in (self._source.as_srgb, self._source.flat)
            if light is not None
        ]
        return any(rest < _UNTOUCHED and rest < mean / 3 for rest in rests)


def _has_clear(still: _ShownStill) -> bool:
    return still.alpha is not None and bool((still.alpha < 1).any())


def _alpha(still: _ShownStill) -> Array:
    """Return rows×columns alpha, 1 where the picture has none."""
    if still.alpha is None:
        return np.ones(still.light.shape[:2], dtype=np.float32)
    return still.alpha


def _laid(light: Array, alpha: Array | None, behind: tuple[int, int, int]) -> Array:
    """Return OKLab times 100 of light laid on a colour, mixed in sRGB values as viewers do."""
    if alpha is None:
        return perception.lab(light)
    coded = perception.srgb_values(light)
    share = alpha[..., None]
    mixed = coded * share + np.asarray(behind, dtype=np.float32) / 255 * (1 - share)
    return perception.lab_of_srgb(mixed)


def _tone_mapped(light: Array, peak: float) -> Array:
    return colour.mobius(np.maximum(light, 0.0), peak=peak).clip(0, 1)


def _lightness(still: _ShownStill) -> Array:
    return perception.lab(still.light.clip(0, 1))[..., 0]


def _turn(one: Array, other: Array) -> str | None:
    """Return what is wrong with the orientation.

    None too for pictures that are too plain to have one.
    """
    if one.std() < _PLAIN or other.std() < _PLAIN:
        return None
    return turned_words(one, other)


def _levelled(reference: Array, other: Array) -> Array:
    """Return a plane with its levels fitted to the reference's, so that colour does not count."""
    spread = float(other.std())
    gain = float(((reference - reference.mean()) * (other - other.mean())).mean())
    levelled: Array = (other - other.mean()) * (gain / max(spread**2, 1e-9)) + reference.mean()
    return levelled


def _explains(moved: Displacement, one: Array, other: Array) -> bool:
    """Whether a displacement brings fine detail together.

    In smooth areas it is but another tone curve.
    """
    if moved.largest > _FARTHEST:
        return False
    detail = _detail(one)
    if detail.std() < _DETAIL:
        return False
    back = _moved_back(other, moved)
    rest, before = (1 - correlation(detail, _detail(plane)) for plane in (back, other))
    return rest < _BETTER * before


def _detail(plane: Array) -> Array:
    """Return a plane without what is smooth over nine samples."""
    smooth = plane
    for axis in (0, 1):
        padded = np.pad(smooth, [(4, 4) if a == axis else (0, 0) for a in (0, 1)], mode="edge")
        windows = np.lib.stride_tricks.sliding_window_view(padded, 9, axis=axis)
        smooth = windows.mean(axis=-1)
    return plane - smooth


def _moved_back(plane: Array, moved: Displacement) -> Array:
    """Return a plane with a displacement undone, bilinearly."""
    for axis, (near, far) in enumerate(((moved.top, moved.bottom), (moved.left, moved.right))):
        last = plane.shape[axis] - 1
        at = np.clip(np.linspace(near * last, (1 - far) * last, last + 1), 0, last)
        low = np.minimum(at.astype(np.intp), max(0, last - 1))
        share = (at - low).astype(np.float32).reshape((-1, 1) if axis == 0 else (1, -1))
        high = np.minimum(low + 1, last)
        plane = plane.take(low, axis=axis) * (1 - share) + plane.take(high, axis=axis) * share
    return plane


def _largest_block(distance: Array) -> float:
    """Return the largest mean of blocks of ``_BLOCK`` x ``_BLOCK`` samples."""
    rows, columns = (max(1, side // _BLOCK) for side in distance.shape)
    high, wide = distance.shape[0] // rows, distance.shape[1] // columns
    cut = distance[: rows * high, : columns * wide]
    return float(cut.reshape(rows, high, columns, wide).mean(axis=(1, 3)).max())


def _length(apart: Array) -> Array:
    length: Array = np.sqrt((apart**2).sum(axis=-1))
    return length


def _level_shift(source: _ShownStill, output: _ShownStill) -> Array:
    """Return by how many levels of 8 bits red, green and blue are higher on average, where neither
    is clipped.
    """
    values = [perception.srgb_values(still.light.clip(0, 1)) * 255 for still in (source, output)]
    opaque = (_alpha(source) > 0.99) & (_alpha(output) > 0.99)
    shift = np.zeros(3, dtype=np.float32)
    for channel in range(3):
        goal, made = values[0][..., channel], values[1][..., channel]
        middle = opaque & (goal > _CLIPPED) & (goal < 255 - _CLIPPED)
        if np.count_nonzero(middle) >= _MIDDLE * middle.size:
            shift[channel] = (made - goal)[middle].mean()
    return shift


def _contrast(one: Array, other: Array) -> float:
    """Return by which factor the second plane of lightness spreads against the first.

    1 where it is plain.
    """
    planes = [_blocks(lightness[..., None])[..., 0] for lightness in (one, other)]
    apart = [plane - plane.mean() for plane in planes]
    spread = float((apart[0] ** 2).mean())
    if spread < _SPREAD**2:
        return 1.0
    return float((apart[0] * apart[1]).mean()) / spread


def _chroma_and_hue(one: Array, other: Array) -> tuple[float, float]:
    """Return how colourful the second picture is against the first, and the mean turn of hue in
    degrees.

    Both are taken from means of blocks, in which noise cancels; (1, 0) where little is coloured.
    """
    planes = [_blocks(lab) for lab in (one, other)]
    chroma = [np.hypot(lab[..., 1], lab[..., 2]) for lab in planes]
    coloured = np.maximum(*chroma) > _COLOURED
    if np.count_nonzero(coloured) < _FEW * coloured.size:
        return 1.0, 0.0
    ratio = float(chroma[1][coloured].mean()) / max(float(chroma[0][coloured].mean()), 1e-3)
    hued = np.minimum(*chroma) > _COLOURED
    if np.count_nonzero(hued) < _FEW * hued.size:
        return ratio, 0.0
    angles = [np.arctan2(lab[..., 2], lab[..., 1])[hued] for lab in planes]
    turn = np.abs(np.angle(np.exp(1j * (angles[1] - angles[0]))))
    return ratio, float(np.degrees(np.average(turn, weights=chroma[0][hued])))


def _blocks(lab: Array) -> Array:
    """Return the means of blocks of 4x4 samples; what does not fill a block is left out."""
    height, width, channels = lab.shape
    if min(height, width) < 16:
        return lab
    cut = lab[: height // 4 * 4, : width // 4 * 4]
    means: Array = cut.reshape(height // 4, 4, width // 4, 4, channels).mean(axis=(1, 3))
    return means


def _colour_words(shift: Array, contrast: float, chroma: float, hue: float) -> str:
    """Return how colours differ; empty if in no way that has a name."""
    found = []
    mean = float(shift.mean())
    if abs(mean) > thresholds.STILL_SHIFT.limit / 2:
        found.append(f"{'lighter' if mean > 0 else 'darker'} by {abs(mean):.0f} levels")
    elif float(np.abs(shift).max()) > thresholds.STILL_SHIFT.limit:
        worst = int(np.abs(shift).argmax())
        more = "more" if shift[worst] > 0 else "less"
        found.append(f"{more} {('red', 'green', 'blue')[worst]} by {abs(shift[worst]):.0f} levels")
    if contrast < 1 / thresholds.STILL_CONTRAST.limit:
        found.append("less contrast")
    elif contrast > thresholds.STILL_CONTRAST.limit:
        found.append("more contrast")
    if chroma < 1 / thresholds.STILL_CHROMA.limit:
        found.append("less colourful")
    elif chroma > thresholds.STILL_CHROMA.limit:
        found.append("more colourful")
    if hue > thresholds.STILL_HUE.limit:
        found.append(f"hues are turned by {hue:.0f} degrees")
    return f": {', '.join(found)}" if found else ""
