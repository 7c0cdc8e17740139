"""Convert the source's colours to BT.709, limited range, 8 bits, and tag them. Pure."""

from __future__ import annotations

from mediaprep.model.media import Colour, VideoStream
from mediaprep.tools.ffmpeg import Filter

# Nominal brightness of diffuse white in HDR: ITU-R BT.2408, 203 cd/m2. Together with the curve
# mobius it keeps white natural and clips no highlights.
_HDR_WHITE_NITS = 203
# Peak brightness for the tone mapping, in units of 100 cd/m2. Fixed, because MaxCLL is often
# wrong: 0, 1 or 10000.
_PEAK = 10
_MATRICES = ("bt709", "smpte170m", "bt470bg", "smpte240m", "fcc", "bt2020nc", "bt2020c", "ycgco")
_ZSCALE_MATRICES = ("bt2020nc", "bt2020c", "ycgco")  # swscale does not convert them
# Primaries to convert: BT.2020, Display P3, DCI P3, and those of standard definition.
_CONVERTED_PRIMARIES = ("bt2020", "smpte432", "smpte431", "smpte170m", "bt470bg", "smpte240m")
_DITHER = "error_diffusion"
_SDR_COMPATIBLE = 2  # Dolby Vision's base layer compatibility: 1 HDR10, 2 SDR, 4 HLG
_YUV420P = Filter(name="format", options={"pix_fmts": "yuv420p"})
_TAG_BT709 = Filter(
    name="setparams",
    options={
        "color_primaries": "bt709",
        "color_trc": "bt709",
        "colorspace": "bt709",
        "range": "limited",
    },
)


def colour_filters(video: VideoStream, *, zscale: bool = True) -> list[Filter]:
    """Return the filters from the declared colours of the stream to tagged BT.709 yuv420p. They
    follow the scaling, when there are fewer pixels.

    zscale  False if this ffmpeg lacks the filter: swscale converts instead (tone mapping since
            ffmpeg 7.1), and the result is darker
    """
    colour = video.colour
    if high_range(colour):
        convert = _tone_mapping(colour) if zscale else _swscale_conversion()
        return [_declared(colour), *convert, _TAG_BT709]
    if video.chroma == "rgb":
        scale: dict[str, str | int] = {
            "out_color_matrix": "bt709",
            "out_range": "limited",
            "flags": "accurate_rnd",
        }
        return [Filter(name="scale", options=scale), _YUV420P, _TAG_BT709]
    matrix = _matrix(video)
    filters: list[Filter] = []
    if colour.primaries in _CONVERTED_PRIMARIES or matrix in _ZSCALE_MATRICES:
        convert = _zscale_conversion() if zscale else _swscale_conversion()
        filters = [_declared(colour, matrix), *convert]
    elif matrix != "bt709" or colour.range == "full":
        scale = {
            "in_color_matrix": matrix,
            "out_color_matrix": "bt709",
            "in_range": "full" if colour.range == "full" else "limited",
            "out_range": "limited",
            "flags": "accurate_rnd",
        }
        filters = [Filter(name="scale", options=scale)]
    return [*filters, _YUV420P, _TAG_BT709]


def needs_zscale(video: VideoStream) -> bool:
    """Return True if zscale converts the colours, provided that ffmpeg has it."""
    if high_range(video.colour):
        return True
    wide = video.colour.primaries in _CONVERTED_PRIMARIES or _matrix(video) in _ZSCALE_MATRICES
    return video.chroma != "rgb" and wide


def high_range(colour: Colour) -> bool:
    """Return True if the decoded picture is HDR: by its transfer characteristics, or, if those are
    not declared, by its HDR metadata. The base layer of Dolby Vision may be SDR.
    """
    if colour.transfer in ("smpte2084", "arib-std-b67"):
        return True
    for item in colour.hdr or ():
        if item.name == "Dolby Vision" and item.compatibility == _SDR_COMPATIBLE:
            return False
    return bool(colour.hdr) and not _is_declared(colour.transfer)


def _is_declared(value: str | None) -> bool:
    return value not in (None, "unspecified")


def _matrix(video: VideoStream) -> str:
    """Return the declared matrix. If there is none, return what players assume for the size:
    BT.601 up to 576 lines and 1024 columns, BT.709 above.
    """
    declared = video.colour.matrix
    if declared in _MATRICES:
        return declared
    small = (video.height or 0) <= 576 and (video.width or 0) <= 1024
    return "smpte170m" if small else "bt709"


def _declared(colour: Colour, matrix: str | None = None) -> Filter:
    """Return the filter that declares all colour properties: those of the stream, completed by
    defaults. zscale refuses to convert from undeclared ones.
    """
    defaults = {"primaries": "bt709", "transfer": "bt709", "matrix": matrix or "bt709"}
    if high_range(colour):
        defaults = {"primaries": "bt2020", "transfer": "smpte2084", "matrix": "bt2020nc"}

    def value(name: str) -> str:
        declared = getattr(colour, name)
        return str(declared) if _is_declared(declared) else defaults[name]

    return Filter(
        name="setparams",
        options={
            "color_primaries": value("primaries"),
            "color_trc": value("transfer"),
            "colorspace": value("matrix"),
            "range": "full" if colour.range == "full" else "limited",
        },
    )


def _tone_mapping(colour: Colour) -> list[Filter]:
    """Return the filters that map HDR to SDR.

    The system gamma of HLG applies to luminance (ITU-R BT.2100). zscale's ``agamma`` approximates
    it by each component, which over-saturates colours, so it is off.
    """
    exact: dict[str, str | int] = {"agamma": 0} if colour.transfer == "arib-std-b67" else {}
    return [
        Filter(name="zscale", options={"t": "linear", "npl": _HDR_WHITE_NITS, **exact}),
        Filter(name="format", options={"pix_fmts": "gbrpf32le"}),
        Filter(name="zscale", options={"p": "bt709"}),
        Filter(name="tonemap", options={"tonemap": "mobius", "desat": 0, "peak": _PEAK}),
        Filter(name="zscale", options={"t": "bt709", "m": "bt709", "r": "limited", "d": _DITHER}),
        _YUV420P,
    ]


def _zscale_conversion() -> list[Filter]:
    options = {"p": "709", "t": "709", "m": "709", "r": "limited", "d": _DITHER}
    return [Filter(name="zscale", options=options)]


def _swscale_conversion() -> list[Filter]:
    options = {
        "out_primaries": "bt709",
        "out_transfer": "bt709",
        "out_color_matrix": "bt709",
        "out_range": "limited",
        "intent": "perceptual",
    }
    return [Filter(name="scale", options=options), _YUV420P]
