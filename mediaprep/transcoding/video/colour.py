"""From the source's colours to BT.709 limited range, 8 bits. Pure."""

from __future__ import annotations

from mediaprep.model.media import Colour, VideoStream
from mediaprep.tools.ffmpeg import Filter

# codec-facts.md, section 7: mobius at 203 nit keeps diffuse white natural and clips nothing.
_HDR_NITS = 203
_MATRICES = ("bt709", "smpte170m", "bt470bg", "smpte240m", "fcc", "bt2020nc", "bt2020c", "ycgco")
_NOT_SWSCALE = ("bt2020nc", "bt2020c", "ycgco")  # matrices for zscale
# Primaries that are not BT.709's: BT.2020, Display P3, DCI P3, and those of standard definition.
_CONVERTED = ("bt2020", "smpte432", "smpte431", "smpte170m", "bt470bg", "smpte240m")
_PEAK = 10  # of the brightest, in units of 100 nit: fixed, for what the metadata says of it is often wrong (MaxCLL 0, 1 or 10000)
_DITHER = "error_diffusion"
_SDR_BASE = 2  # Dolby Vision base layer compatibility: 1 HDR10, 2 SDR, 4 HLG


def colour_filters(
    video: VideoStream, size: tuple[int, int], *, zscale: bool = True
) -> list[Filter]:
    """Filters from what the stream says of its colours to tagged BT.709 limited yuv420p; they stand after scaling, when there are fewer
    pixels. ``zscale``: ffmpeg has it; without it the tone mapping is swscale's (ffmpeg 7.1 and later), which is darker.
    """
    colour = video.colour
    if high_range(colour):
        return [
            *_declared(colour),
            *(_tone_mapped(colour) if zscale else _by_swscale()),
            *_tagged(),
        ]
    if video.chroma == "rgb":
        return [
            Filter(
                name="scale",
                options={
                    "out_color_matrix": "bt709",
                    "out_range": "limited",
                    "flags": "accurate_rnd",
                },
            ),
            Filter(name="format", options={"pix_fmts": "yuv420p"}),
            *_tagged(),
        ]
    matrix = _matrix(video)
    range_ = "full" if colour.range == "full" else "limited"
    filters: list[Filter] = []
    if colour.primaries in _CONVERTED or matrix in _NOT_SWSCALE:
        filters = [*_declared(colour, matrix), *(_converted() if zscale else _by_swscale())]
    elif matrix != "bt709" or range_ == "full":
        filters = [
            Filter(
                name="scale",
                options={
                    "in_color_matrix": matrix,
                    "out_color_matrix": "bt709",
                    "in_range": range_,
                    "out_range": "limited",
                    "flags": "accurate_rnd",
                },
            )
        ]
    return [*filters, Filter(name="format", options={"pix_fmts": "yuv420p"}), *_tagged()]


def needs_zscale(video: VideoStream) -> bool:
    """Whether the colours are converted by zscale, where ffmpeg has it."""
    wide = video.colour.primaries in _CONVERTED or _matrix(video) in _NOT_SWSCALE
    return high_range(video.colour) or (video.chroma != "rgb" and wide)


def high_range(colour: Colour) -> bool:
    """Whether the decoded picture is HDR: by its transfer, else by what else says so; a Dolby Vision base layer may be plain."""
    if colour.transfer in ("smpte2084", "arib-std-b67"):
        return True
    plain = any(
        hdr.name == "Dolby Vision" and hdr.compatibility == _SDR_BASE for hdr in colour.hdr or ()
    )
    return bool(colour.hdr) and not plain and colour.transfer in (None, "unspecified")


def _matrix(video: VideoStream) -> str:
    """The matrix stated; where none is, what players take for pictures of that size: BT.601 up to 576 lines and 1024 columns, BT.709
    above.
    """
    stated = video.colour.matrix
    if stated in _MATRICES:
        return stated
    small = (video.height or 0) <= 576 and (video.width or 0) <= 1024
    return "smpte170m" if small else "bt709"


def _declared(colour: Colour, matrix: str | None = None) -> list[Filter]:
    """Fills in what a stream leaves unsaid, or zscale finds no path."""
    hdr = high_range(colour)
    stated = {
        "color_primaries": colour.primaries
        if colour.primaries not in (None, "unspecified")
        else "bt2020"
        if hdr
        else "bt709",
        "color_trc": colour.transfer
        if colour.transfer not in (None, "unspecified")
        else "smpte2084"
        if hdr
        else "bt709",
        "colorspace": colour.matrix
        if colour.matrix not in (None, "unspecified")
        else "bt2020nc"
        if hdr
        else matrix or "bt709",
        "range": "full" if colour.range == "full" else "limited",
    }
    return [Filter(name="setparams", options={key: str(value) for key, value in stated.items()})]


def _tone_mapped(colour: Colour) -> list[Filter]:
    """HLG's system gamma belongs to the luminance (BT.2100); zscale's approximation gives it to each component: too saturated."""
    exact: dict[str, str | int] = {"agamma": 0} if colour.transfer == "arib-std-b67" else {}
    return [
        Filter(name="zscale", options={"t": "linear", "npl": _HDR_NITS, **exact}),
        Filter(name="format", options={"pix_fmts": "gbrpf32le"}),
        Filter(name="zscale", options={"p": "bt709"}),
        Filter(name="tonemap", options={"tonemap": "mobius", "desat": 0, "peak": _PEAK}),
        Filter(name="zscale", options={"t": "bt709", "m": "bt709", "r": "limited", "d": _DITHER}),
        Filter(name="format", options={"pix_fmts": "yuv420p"}),
    ]


def _converted() -> list[Filter]:
    return [
        Filter(
            name="zscale",
            options={"p": "709", "t": "709", "m": "709", "r": "limited", "d": _DITHER},
        )
    ]


def _by_swscale() -> list[Filter]:
    return [
        Filter(
            name="scale",
            options={
                "out_primaries": "bt709",
                "out_transfer": "bt709",
                "out_color_matrix": "bt709",
                "out_range": "limited",
                "intent": "perceptual",
            },
        ),
        Filter(name="format", options={"pix_fmts": "yuv420p"}),
    ]


def _tagged() -> list[Filter]:
    return [
        Filter(
            name="setparams",
            options={
                "color_primaries": "bt709",
                "color_trc": "bt709",
                "colorspace": "bt709",
                "range": "limited",
            },
        )
    ]
