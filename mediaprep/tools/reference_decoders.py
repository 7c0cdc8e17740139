"""Decoders of stills, animation frames and captions for the comparison: Pillow, lcms, pi-heif and
PyAV.

Only in confined children. The files that are made come from other code; a reader is named
beforehand, so that Pillow never guesses a format. Arrays are uint8 unless they say otherwise.
"""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import IO, TYPE_CHECKING, Any, TypeAlias, cast

from mediaprep.runtime.source import Readable
from mediaprep.runtime.source_file import SourceFile

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

    Array: TypeAlias = np.ndarray[Any, np.dtype[np.uint8]]

_READERS = {
    "jpeg": ("JPEG", "MPO"),
    "png": ("PNG",),
    "gif": ("GIF",),
    "webp": ("WEBP",),
    "heif": ("HEIF",),
    "avif": ("AVIF",),
    "tiff": ("TIFF",),
    "bmp": ("BMP", "DIB"),
    "psd": ("PSD",),
    "jpeg2000": ("JPEG2000",),
    "ico": ("ICO",),
    "icns": ("ICNS",),
    "pnm": ("PPM",),
    "pcx": ("PCX",),
    "sgi": ("SGI",),
    "qoi": ("QOI",),
    "dds": ("DDS",),
}
# What PyAV decodes with code that Pillow does not share: demuxer by format.
_SECOND_READERS = {
    "jpeg": "jpeg_pipe",
    "png": "png_pipe",
    "webp": "webp_pipe",
    "bmp": "bmp_pipe",
    "tiff": "tiff_pipe",
}
_PLANAR = ("yuvj420p", "yuvj422p", "yuvj440p", "yuvj444p", "yuv420p", "yuv422p", "yuv444p")
_SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N")
_ALPHA_MODES = ("RGBA", "LA", "PA", "La", "RGBa")
_COLOUR_MAP_TAG = 320  # TIFF 6.0, section 5


class ReferenceUndecodable(Exception):
    """A picture, frame or caption file cannot be decoded; the reason in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallStill:
    """A still reduced by area averaging, before any orientation or colour conversion.

    colours      rows×columns×channels uint8 in ``mode``: L, RGB, CMYK or LAB
    alpha        rows×columns uint8; None: opaque. Colours are averaged over opaque area alone
    mode         Pillow's name of the channels
    width, height   of the decoded picture in samples
    icc          the embedded profile
    """

    colours: Array
    alpha: Array | None
    mode: str
    width: int
    height: int
    icc: bytes | None


def still_size(source: Readable, form: str, *, max_pixels: int) -> tuple[int, int]:
    """Return width and height of a still as ``small_still`` decodes it.

    Raises: ReferenceUndecodable.
    """
    with _opened(source, form, max_pixels) as picture:
        return picture.size


def small_still(
    source: Readable, form: str, *, columns: int, rows: int, max_pixels: int
) -> SmallStill:
    """Decode a still with Pillow and reduce it to ``columns`` x ``rows`` means.

    JPEG is decoded at a fraction of its size where that is enough. Raises: ReferenceUndecodable.
    """
    with _opened(source, form, max_pixels) as picture:
        profile = picture.info.get("icc_profile")
        width, height = picture.size
        part = float(width), float(height)
        if form == "jpeg":
            drafted = picture.draft(None, (min(width, 2 * columns), min(height, 2 * rows)))
            if drafted is not None:
                part = drafted[1][2:]  # the last column and row may hold less than a whole sample
        picture.load()
        plain = _plain(picture)
        colours, alpha = _reduced(plain, part, columns, rows)
        return SmallStill(
            colours=colours,
            alpha=alpha,
            mode=plain.mode.removesuffix("A"),
            width=width,
            height=height,
            icc=profile if isinstance(profile, bytes) and profile else None,
        )


def second_still(source: Readable, form: str, *, columns: int, rows: int) -> Array | None:
    """Decode a still with PyAV; return rows×columns×3 RGB before orientation, None if it has no
    reader.

    Raises: ReferenceUndecodable.
    """
    demuxer = _SECOND_READERS.get(form)
    if demuxer is None:
        return None
    import av

    try:
        with av.open(cast("Any", SourceFile(source)), format=demuxer) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            frame = next(container.decode(stream))
            if frame.format.name in _PLANAR:
                return _from_planes(frame, columns, rows)
            if frame.format.name == "rgb24":
                return _from_rgb(frame, columns, rows)
            whole = frame.to_ndarray(format="rgba")
    except (av.FFmpegError, StopIteration, ValueError, IndexError, OverflowError) as problem:
        raise ReferenceUndecodable(f"{type(problem).__name__}: {problem}"[:200]) from problem
    return area_average(cast("Array", whole), columns, rows)[..., :3]


def _from_rgb(frame: Any, columns: int, rows: int) -> Array:
    import numpy as np
    from PIL import Image

    plane = frame.planes[0]
    size = frame.width, frame.height
    picture = Image.frombuffer("RGB", size, plane, "raw", "RGB", plane.line_size, 1)
    return np.asarray(picture.resize((columns, rows), Image.Resampling.BILINEAR, reducing_gap=3.0))


def _from_planes(frame: Any, columns: int, rows: int) -> Array:
    """Return RGB means of Y, Cb and Cr planes, by BT.601.

    JFIF 1.02, page 3; for limited range ITU-R BT.601-7, 2.5.
    """
    import numpy as np

    means = []
    for plane in frame.planes:
        lines = np.frombuffer(plane, dtype=np.uint8).reshape(-1, plane.line_size)
        samples = np.ascontiguousarray(lines[: plane.height, : plane.width])
        # Chroma planes cover whole samples of luma: the last of an odd side only in part.
        part = None
        if plane.width != frame.width or plane.height != frame.height:
            across = 2 if plane.width != frame.width else 1
            down = 2 if plane.height != frame.height else 1
            part = frame.width / across, frame.height / down
        means.append(area_average(samples, columns, rows, part).astype(np.float32))
    luma, cb, cr = means[0], means[1] - 128, means[2] - 128
    if not frame.format.name.startswith("yuvj") and int(frame.color_range) != 2:
        luma, cb, cr = (luma - 16) * (255 / 219), cb * (255 / 224), cr * (255 / 224)
    rgb = (luma + 1.402 * cr, luma - 0.344136 * cb - 0.714136 * cr, luma + 1.772 * cb)
    rounded: Array = np.rint(np.clip(np.stack(rgb, axis=-1), 0, 255)).astype(np.uint8)
    return rounded


def _plain(picture: Image.Image) -> Image.Image:
    """Return the picture as L, LA, RGB, RGBA, CMYK or LAB with 8 bits a sample."""
    import numpy as np
    from PIL import Image

    if picture.mode in _SIXTEEN_BITS or picture.mode == "I":
        samples = np.asarray(picture).astype(np.int64)
        grey = Image.fromarray(((np.clip(samples, 0, 65535) + 128) // 257).astype(np.uint8))
        clear = picture.info.get("transparency")
        if isinstance(clear, int):
            grey.putalpha(Image.fromarray(np.where(samples == clear, 0, 255).astype(np.uint8)))
        return grey
    if picture.mode == "F":
        raise ReferenceUndecodable("its samples are floating-point numbers of no agreed range")
    if picture.mode == "P" and picture.format == "TIFF":
        _widen_colour_map(picture)
    clear = picture.info.get("transparency")
    if picture.mode in ("P", "PA"):
        return picture.convert("RGBA" if clear is not None or picture.mode == "PA" else "RGB")
    if picture.mode in ("L", "RGB", "1") and clear is not None:
        if isinstance(clear, tuple) and max(clear) > 255:
            picture.info["transparency"] = tuple(value >> 8 for value in clear)
        return picture.convert("RGBA")
    if picture.mode in ("L", "LA", "RGB", "RGBA", "CMYK", "LAB"):
        return _opaque_bitmap(picture) if picture.format in ("BMP", "DIB") else picture
    if picture.mode == "1":
        return picture.convert("L")
    return picture.convert("RGBA" if picture.mode in _ALPHA_MODES else "RGB")


def _widen_colour_map(picture: Image.Image) -> None:
    """Correct a TIFF colour map that holds 8-bit values where the standard wants 16-bit ones.

    Readers such as libtiff's take such a map for 8 bits (TIFF 6.0, section 5; ``checkcmap`` of
    tif_getimage.c).
    """
    table = getattr(picture, "tag_v2", {}).get(_COLOUR_MAP_TAG)
    if table and max(table) < 256:
        count = len(table) // 3
        triples = zip(table[:count], table[count : 2 * count], table[2 * count :], strict=True)
        picture.putpalette(bytes(value for triple in triples for value in triple), "RGB")


def _opaque_bitmap(picture: Image.Image) -> Image.Image:
    """Return a BMP whose alpha bytes are all zero as opaque: nothing was meant by them, and
    browsers show it.
    """
    if picture.mode == "RGBA" and picture.getchannel("A").getextrema() == (0, 0):
        return picture.convert("RGB")
    return picture


def _reduced(
    picture: Image.Image, part: tuple[float, float], columns: int, rows: int
) -> tuple[Array, Array | None]:
    """Return (colours, alpha) means of the picture's ``part``, width and height.

    Colours count by their alpha.
    """
    import numpy as np
    from PIL import Image

    has_alpha = picture.mode in ("RGBA", "LA")
    if has_alpha and picture.getchannel("A").getextrema() == (255, 255):
        picture, has_alpha = picture.convert(picture.mode.removesuffix("A")), False
    size, box, kind = (columns, rows), (0.0, 0.0, *part), Image.Resampling.BILINEAR
    if not has_alpha:
        small = picture.resize(size, kind, box, reducing_gap=3.0)
        colours = np.asarray(small)
        return (colours if colours.ndim == 3 else colours[..., None]), None
    small = picture.convert("RGBA").resize(size, kind, box, reducing_gap=3.0)
    both = np.asarray(small)
    channels = 1 if picture.mode == "LA" else 3
    return both[..., :channels], both[..., 3]


def area_average(
    pixels: Array, columns: int, rows: int, part: tuple[float, float] | None = None
) -> Array:
    """Return H×W or H×W×4 samples as rows×columns means; four channels are averaged each alone.

    ``part``: width and height that count, where the last samples are not whole. Weights fall off to
    the neighbouring means (a triangle): with a box, whole samples would change sides and edges
    would move by up to half a sample.
    """
    import numpy as np
    from PIL import Image

    height, width = pixels.shape[:2]
    mode = "RGBX" if pixels.ndim == 3 else "L"
    picture = Image.frombuffer(
        mode, (width, height), np.ascontiguousarray(pixels), "raw", mode, 0, 1
    )
    box = None if part is None else (0.0, 0.0, *part)
    return np.asarray(
        picture.resize((columns, rows), Image.Resampling.BILINEAR, box, reducing_gap=3.0)
    )


def to_srgb(colours: Array, mode: str, icc: bytes | None) -> Array:
    """Convert rows×columns×channels samples to sRGB with lcms: relative colorimetric, black points
    matched.

    A profile of another kind of picture, or a damaged one, does not count, as in browsers; CMYK
    without a profile is converted by subtraction. Raises: ReferenceUndecodable for LAB that lcms
    refuses.
    """
    import numpy as np
    from PIL import Image, ImageCms

    data = colours[..., 0] if mode == "L" else colours
    picture = (
        Image.fromarray(np.ascontiguousarray(data), mode=mode) if mode != "LAB" else _lab(data)
    )
    profile = _profile(icc, mode)
    if profile is None:
        return _without_profile(colours, mode)
    try:
        converted = ImageCms.profileToProfile(
            picture,
            profile,
            ImageCms.createProfile("sRGB"),
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            "RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError) as problem:
        if mode == "LAB":
            raise ReferenceUndecodable(f"lcms: {problem}"[:200]) from problem
        return _without_profile(colours, mode)
    return np.asarray(converted)


def _lab(data: Array) -> Image.Image:
    from PIL import Image

    return Image.frombytes("LAB", (data.shape[1], data.shape[0]), data.tobytes())


def _profile(icc: bytes | None, mode: str) -> Any:
    from PIL import ImageCms

    if mode == "LAB":
        return ImageCms.createProfile("LAB")
    if icc is None:
        return None
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
    kind = profile.profile.xcolor_space.strip()
    return profile if kind == {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}.get(mode) else None


def _without_profile(colours: Array, mode: str) -> Array:
    import numpy as np

    if mode == "L":
        return np.repeat(colours, 3, axis=2)
    if mode == "CMYK":
        ink = colours.astype(np.uint16)
        return ((255 - ink[..., :3]) * (255 - ink[..., 3:]) // 255).astype(np.uint8)
    return colours


# -- frames of animations --------------------------------------------------------------------------


def gif_indices(data: bytes, width: int, height: int, *, interlaced: bool) -> Array:
    """Decode the image data of one GIF frame (from its LZW code size on) to H×W colour indices.

    The data are put into a GIF of their own without any colour table, so that the decoder returns
    indices. Raises: ReferenceUndecodable.
    """
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0)
    image = b"," + struct.pack("<HHHHB", 0, 0, width, height, 0x40 if interlaced else 0)
    return _frame(b"".join((head, image, data, b";")), "GIF", None)


def frame_pixels(data: bytes, form: str) -> Array:
    """Decode a PNG or WebP that holds one frame to H×W×4 RGBA. Raises: ReferenceUndecodable."""
    return _frame(data, form.upper(), "RGBA")


def _frame(data: bytes, reader: str, mode: str | None) -> Array:
    import numpy as np
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=(reader,)) as picture:
            picture.load()
            if mode is None:
                return np.asarray(picture)
            plain = picture if picture.mode == mode else _plain(picture)
            return np.asarray(plain if plain.mode == mode else plain.convert(mode))
    except _damage() as problem:
        raise ReferenceUndecodable(f"{type(problem).__name__}: {problem}"[:200]) from problem


def sequence_pixels(source: Readable, count: int) -> Iterator[Array]:
    """Decode the frames of an AVIF sequence in order to H×W×4 RGBA.

    Raises: ReferenceUndecodable.
    """
    import numpy as np
    from PIL import Image

    try:
        with Image.open(_file(source), formats=("AVIF",)) as picture:
            for index in range(count):
                picture.seek(index)
                yield np.asarray(picture.convert("RGBA"))
    except _damage() as problem:
        raise ReferenceUndecodable(f"{type(problem).__name__}: {problem}"[:200]) from problem


# -- captions --------------------------------------------------------------------------------------


CaptionEvents: TypeAlias = tuple[tuple[int, int, str], ...]  # start and end in milliseconds, text


def caption_readers(form: str) -> dict[str, Callable[[bytes], CaptionEvents]]:
    """Return the readers of caption files that are installed, by name.

    ``form``: srt, webvtt or ass. The text that they return has the markup of the file; each raises
    ReferenceUndecodable.
    """
    found: dict[str, Callable[[bytes], CaptionEvents]] = {"FFmpeg": partial(_by_ffmpeg, form)}
    name, read = {"srt": ("srt", _by_srt), "webvtt": ("webvtt", _by_webvtt)}.get(form, ("", None))
    if read is not None and find_spec(name) is not None:
        found[name] = read
    return found


def _by_ffmpeg(form: str, data: bytes) -> CaptionEvents:
    """Read cues with FFmpeg's demuxer."""
    import av

    found = []
    try:
        with av.open(io.BytesIO(data), "r", format=form) as container:
            for packet in container.demux(container.streams[0]):
                if packet.pts is None or packet.time_base is None:
                    continue
                start = round(packet.pts * packet.time_base * 1000)
                length = round((packet.duration or 0) * packet.time_base * 1000)
                found.append((start, start + length, bytes(packet).decode("utf-8", "replace")))
    except (av.FFmpegError, IndexError, ValueError, OverflowError) as problem:
        raise ReferenceUndecodable(f"{type(problem).__name__}: {problem}"[:200]) from problem
    return tuple(found)


def _by_srt(data: bytes) -> CaptionEvents:
    srt = import_module("srt")  # optional, and without types
    try:
        cues = list(srt.parse(data.decode("utf-8-sig")))
    except (srt.SRTParseError, srt.TimestampParseError, ValueError) as problem:
        raise ReferenceUndecodable(f"{type(problem).__name__}: {problem}"[:200]) from problem
    tick = timedelta(milliseconds=1)
    return tuple((cue.start // tick, cue.end // tick, cue.content) for cue in cues)


def _by_webvtt(data: bytes) -> CaptionEvents:
    webvtt = import_module("webvtt")  # optional, and without types
    try:
        cues = list(webvtt.from_buffer(io.StringIO(data.decode("utf-8-sig"))))
    except (
        webvtt.errors.MalformedFileError,
        webvtt.errors.MalformedCaptionError,
        ValueError,
    ) as problem:
        raise ReferenceUndecodable(f"{type(problem).__name__}: {problem}"[:200]) from problem
    return tuple((_ticks(cue.start), _ticks(cue.end), cue.raw_text) for cue in cues)


def _ticks(clock: str) -> int:
    """Return the milliseconds of ``hh:mm:ss.ttt``."""
    whole, _, fraction = clock.partition(".")
    hours, minutes, seconds = (int(field) for field in whole.split(":"))
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + int(fraction)


# -- shared ----------------------------------------------------------------------------------------


def _file(source: Readable) -> IO[bytes]:
    return cast("IO[bytes]", SourceFile(source))


@contextmanager
def _opened(source: Readable, form: str, max_pixels: int) -> Iterator[Image.Image]:
    """Open a still with its one reader.

    What decoding raises inside becomes ReferenceUndecodable.
    """
    from PIL import Image

    names = _READERS.get(form)
    if names is None:
        raise ReferenceUndecodable(f"{form} has no reader here")
    if form == "heif":
        _register_heif()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(_file(source), formats=names) as picture:
                scale = 64 if form == "jpeg" else 1  # decoded at an eighth of each side
                if picture.width * picture.height > max_pixels * scale:
                    raise ReferenceUndecodable(
                        f"{picture.width}x{picture.height} is more than {max_pixels} pixels"
                    )
                yield picture
    except _damage() as problem:
        raise ReferenceUndecodable(f"{type(problem).__name__}: {problem}"[:200]) from problem


def _register_heif() -> None:
    try:
        import pi_heif
    except ImportError:
        raise ReferenceUndecodable("HEIF has no reader: pi-heif is not installed") from None
    pi_heif.options.DECODE_THREADS = 1
    with suppress(AttributeError):
        pi_heif.register_heif_opener(thumbnails=False)


def _damage() -> tuple[type[Exception], ...]:
    """Return what Pillow's readers raise for damaged files."""
    from PIL import Image

    return (
        OSError,
        EOFError,
        SyntaxError,
        ValueError,
        LookupError,
        TypeError,
        RuntimeError,
        struct.error,
        Image.DecompressionBombError,
    )
