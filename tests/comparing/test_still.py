"""Stills: every wrong output is reported in plain words, and right ones are not."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageCms

from mediaprep.comparing import colour, perception, thresholds
from mediaprep.comparing.still import StillExpectation, compare_still
from mediaprep.model.comparison import Comparison
from tests.comparing.files import Held, chunk, coded, figure, messages, photograph, png

ANY = StillExpectation()
WIDE, HIGH = 1280, 960
TURN = Image.Transpose
_P3 = (0.51512, 0.24120, -0.00105, 0.29198, 0.69225, 0.04189, 0.15710, 0.06657, 0.78407)
PHOTO = photograph(1, WIDE, HIGH)


def compared(source: bytes, output: bytes, expected: StillExpectation = ANY) -> Comparison:
    return compare_still(Held(source), Held(output), expected)


def jpeg(picture: Image.Image, **options) -> bytes:
    return coded(picture.convert("RGB"), "JPEG", **{"quality": 85, **options})


def lossless(picture: Image.Image, **options) -> bytes:
    return coded(picture, "PNG", compress_level=1, **options)


def levels(change: Callable[[np.ndarray], np.ndarray]) -> Image.Image:
    values = change(np.asarray(PHOTO).astype(np.float32))
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


def exif(value: int) -> bytes:
    data = Image.Exif()
    data[274] = value
    return data.tobytes()


def display_p3() -> bytes:
    """A matrix profile with sRGB's curve (ICC.1:2001-12)."""
    return matrix_profile(_P3, 2.2)


def matrix_profile(colorants: tuple[float, ...], gamma: float) -> bytes:
    def fixed(*values: float) -> bytes:
        return b"".join(struct.pack(">i", round(value * 65536)) for value in values)

    tags = {
        b"wtpt": b"XYZ " + bytes(4) + fixed(0.9642, 1.0, 0.8249),
        b"cprt": b"text" + bytes(4) + b"none\0\0\0\0",
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"wide\0" + bytes(79),
    }
    for at, name in enumerate((b"r", b"g", b"b")):
        tags[name + b"XYZ"] = b"XYZ " + bytes(4) + fixed(*colorants[3 * at : 3 * at + 3])
        tags[name + b"TRC"] = (
            b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
        )
    offset, table, body = 132 + 12 * len(tags), b"", b""
    for name, data in tags.items():
        table += name + struct.pack(">II", offset + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    size = offset + len(body)
    date = (2000, 1, 1, 0, 0, 0)
    head = struct.pack(
        ">I4sI4s4s4s6H4s", size, bytes(4), 0x02100000, b"mntr", b"RGB ", b"XYZ ", *date, b"acsp"
    )
    return (
        head
        + bytes(28)
        + fixed(0.9642, 1.0, 0.8249)
        + bytes(48)
        + struct.pack(">I", len(tags))
        + table
        + body
    )


def to_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    return ImageCms.profileToProfile(
        picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
    )


# -- right outputs -----------------------------------------------------------------------------------------

RIGHT = {
    "JPEG 50": jpeg(PHOTO, quality=50),
    "JPEG 85": jpeg(PHOTO),
    "JPEG 4:4:4": jpeg(PHOTO, quality=75, subsampling=0),
    "WebP": coded(PHOTO, "WEBP", quality=60, method=1),
    "PNG": lossless(PHOTO),
    "palette": lossless(PHOTO.quantize(256)),
    "half": jpeg(PHOTO.reduce(2)),
    "0.3": jpeg(PHOTO.resize((384, 288), Image.Resampling.LANCZOS)),
    "0.777": jpeg(PHOTO.resize((994, 746), Image.Resampling.BICUBIC)),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_outputs_have_no_difference(name: str) -> None:
    for source in (lossless(PHOTO), jpeg(PHOTO, quality=95)):
        found = compared(source, RIGHT[name])
        assert messages(found) == []
        assert found.unknown == ()
        for item in found.figures:
            assert item.limit is not None
            assert item.value <= item.limit


@pytest.mark.parametrize("value", range(1, 9))
def test_upright_output_of_a_turned_source(value: int) -> None:
    turn = {
        2: TURN.FLIP_LEFT_RIGHT, 3: TURN.ROTATE_180, 4: TURN.FLIP_TOP_BOTTOM, 5: TURN.TRANSPOSE,
        6: TURN.ROTATE_270, 7: TURN.TRANSVERSE, 8: TURN.ROTATE_90,
    }.get(value)  # fmt: skip
    upright = PHOTO if turn is None else PHOTO.transpose(turn)
    for source in (jpeg(PHOTO, exif=exif(value)), coded(PHOTO, "AVIF", speed=10, exif=exif(value))):
        assert messages(compared(source, jpeg(upright))) == []


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "LAB", "I;16"])
def test_kinds_of_samples(mode: str) -> None:
    grey = PHOTO.convert("L")
    if mode == "I;16":
        deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
        assert messages(compared(coded(deep, "PNG"), jpeg(grey))) == []
        return
    if mode == "LAB":
        to_lab = ImageCms.buildTransform(
            ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
        )
        source = coded(ImageCms.applyTransform(PHOTO, to_lab), "TIFF")
        assert messages(compared(source, jpeg(PHOTO))) == []
        return
    picture = PHOTO.quantize(200) if mode == "P" else PHOTO.convert(mode)
    form = "JPEG" if mode == "CMYK" else "PNG"
    source = coded(picture, form, **({"quality": 95} if mode == "CMYK" else {}))
    assert messages(compared(source, jpeg(picture.convert("RGB")))) == []


# -- orientation, framing, size ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("turn", "words"),
    [
        (TURN.ROTATE_180, "rotated by 180 degrees"),
        (TURN.ROTATE_90, "rotated by 90 degrees counter-clockwise"),
        (TURN.ROTATE_270, "rotated by 90 degrees clockwise"),
        (TURN.FLIP_LEFT_RIGHT, "mirrored left to right"),
        (TURN.FLIP_TOP_BOTTOM, "mirrored top to bottom"),
        (TURN.TRANSPOSE, "rotated by 90 degrees clockwise and mirrored"),
    ],
)
@pytest.mark.parametrize("square", [False, True])
def test_orientation(turn: Image.Transpose, words: str, square: bool) -> None:
    picture = PHOTO.crop((0, 0, 900, 900)) if square else PHOTO
    found = compared(lossless(picture), jpeg(picture.transpose(turn)))
    assert messages(found) == [f"the picture is {words} compared with the source"]


def test_stripped_exif_orientation() -> None:
    assert messages(compared(jpeg(PHOTO, exif=exif(3)), jpeg(PHOTO))) == [
        "the picture is rotated by 180 degrees compared with the source"
    ]


def test_xmp_that_was_obeyed() -> None:
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="3"/>'
    source = coded(PHOTO, "AVIF", speed=10, quality=90, xmp=xmp)
    assert messages(compared(source, jpeg(PHOTO))) == []
    assert (
        "rotated by 180 degrees"
        in messages(compared(source, jpeg(PHOTO.transpose(TURN.ROTATE_180))))[0]
    )


@pytest.mark.parametrize(
    ("box", "edge"),
    [
        ((0, 8, WIDE, HIGH), "top"),
        ((0, 0, WIDE, HIGH - 8), "bottom"),
        ((12, 0, WIDE, HIGH), "left"),
    ],
)
def test_crop_that_was_scaled_up(box: tuple[int, int, int, int], edge: str) -> None:
    made = PHOTO.crop(box).resize(PHOTO.size, Image.Resampling.LANCZOS)
    found = compared(lossless(PHOTO), jpeg(made))
    assert len(messages(found)) == 1
    assert messages(found)[0].startswith("the picture is cropped or moved by ")
    assert messages(found)[0].endswith(f"at the {edge}")


def test_crop_and_squeeze() -> None:
    source = lossless(PHOTO)
    assert messages(compared(source, jpeg(PHOTO.crop((0, 8, WIDE, HIGH))))) == [
        f"the picture is {WIDE}x{HIGH - 8} instead of {WIDE}x{HIGH}: the shape differs"
    ]
    assert (
        "the shape differs"
        in messages(compared(source, jpeg(PHOTO.resize((WIDE, HIGH * 9 // 10)))))[0]
    )
    assert messages(compared(source, jpeg(PHOTO.resize((2 * WIDE, 2 * HIGH))))) == [
        f"the picture is {2 * WIDE}x{2 * HIGH} instead of {WIDE}x{HIGH}"
    ]
    same = StillExpectation(scale=False)
    assert messages(compared(source, jpeg(PHOTO.reduce(2)), same)) == [
        f"the picture is {WIDE // 2}x{HIGH // 2} instead of {WIDE}x{HIGH}"
    ]


def test_another_picture() -> None:
    assert messages(compared(lossless(PHOTO), jpeg(photograph(2, WIDE, HIGH))))


def test_a_part_that_is_missing() -> None:
    def grey(values: np.ndarray) -> np.ndarray:
        values[400:480, 600:700] = 128
        return values

    assert messages(compared(lossless(PHOTO), jpeg(levels(grey)))) == [
        "a part of the picture differs"
    ]


# -- colour ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda v: v + 8, "lighter by 8 levels"),
        (lambda v: v - 8, "darker by 8 levels"),
        (lambda v: v + 48, "lighter by"),
        (lambda v: v * 219 / 255 + 16, "less contrast"),
        (lambda v: (v - 16) * 255 / 219, "more contrast"),
        (lambda v: v[..., ::-1], "hues are turned"),
        (lambda v: np.repeat(v.mean(axis=-1, keepdims=True), 3, axis=-1), "less colourful"),
        (
            lambda v: v.mean(axis=-1, keepdims=True) + 1.3 * (v - v.mean(axis=-1, keepdims=True)),
            "more colourful",
        ),
        (lambda v: v * np.array([1.05, 1.0, 0.95]), "by"),
    ],
    ids=[
        "+8",
        "-8",
        "+48",
        "limited as full",
        "full as limited",
        "swapped",
        "grey",
        "vivid",
        "cast",
    ],
)
def test_wrong_colours(change: Callable[[np.ndarray], np.ndarray], words: str) -> None:
    found = compared(lossless(PHOTO), jpeg(levels(change)))
    assert len(messages(found)) == 1
    assert messages(found)[0].startswith("the colours differ by ")
    assert words in messages(found)[0]
    assert found.differences[0].aspect == "colour"


def test_profile_that_was_obeyed() -> None:
    source = lossless(PHOTO, icc_profile=display_p3())
    assert messages(compared(source, jpeg(to_srgb(PHOTO, display_p3())))) == []
    assert messages(compared(source, jpeg(PHOTO, icc_profile=display_p3()))) == []


def test_stripped_profile() -> None:
    found = compared(lossless(PHOTO, icc_profile=display_p3()), jpeg(PHOTO))
    assert messages(found) == [
        "the source's colour profile is lost: its values are shown as if they were sRGB"
    ]


def test_profile_that_the_samples_do_not_have() -> None:
    found = compared(lossless(PHOTO), jpeg(PHOTO, icc_profile=display_p3()))
    assert messages(found) == ["the output declares a colour profile that its values do not have"]


def test_damaged_profile_does_not_count() -> None:
    assert messages(compared(lossless(PHOTO, icc_profile=b"no profile"), jpeg(PHOTO))) == []


def grey_profile(gamma: float) -> bytes:
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"grey\0" + bytes(79),
        b"wtpt": b"XYZ " + bytes(4) + struct.pack(">iii", 63190, 65536, 54061),
        b"kTRC": b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2),
    }
    offset, table, body = 132 + 12 * len(tags), b"", b""
    for name, data in tags.items():
        table += name + struct.pack(">II", offset + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(
        ">I4sI4s4s4s6H4s", offset + len(body), bytes(4), 0x02100000, b"mntr", b"GRAY", b"XYZ ",
        2020, 1, 1, 0, 0, 0, b"acsp",
    )  # fmt: skip
    white = struct.pack(">iii", 63190, 65536, 54061)
    return head + bytes(28) + white + bytes(48) + struct.pack(">I", len(tags)) + table + body


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_grey_profile(mode: str) -> None:
    grey = PHOTO.convert("L")
    right = Image.fromarray(np.uint8(perception.srgb_values(np.asarray(grey) / 255) * 255 + 0.5))
    if mode == "LA":
        alpha = Image.fromarray(np.tile(np.linspace(0, 255, WIDE).astype(np.uint8), (HIGH, 1)))
        grey, right = (Image.merge("LA", (plane, alpha)) for plane in (grey, right))
    source = lossless(grey, icc_profile=grey_profile(1.0))
    assert messages(compared(source, lossless(right))) == []
    assert messages(compared(source, lossless(grey)))


@pytest.mark.parametrize(
    "extra",
    [chunk(b"gAMA", struct.pack(">I", 55_556)), chunk(b"cICP", bytes((12, 13, 0, 1)))],
    ids=["gamma 1.8", "Display P3"],
)
def test_colours_by_numbers(extra: bytes) -> None:
    values = np.asarray(PHOTO)
    source = png(values, extra=extra)
    scaled = values.astype(np.float32) / 255
    if extra[4:8] == b"gAMA":
        light = scaled**1.8
    else:
        matrix = perception.to_bt709(colour.CHROMATICITIES[12])
        light = colour.linear(scaled, colour.SRGB) @ matrix.T
    right = Image.fromarray(np.uint8(perception.srgb_values(light.clip(0, 1)) * 255 + 0.5))
    assert messages(compared(source, jpeg(right))) == []
    assert messages(compared(source, jpeg(PHOTO))) == [
        "the source's colour profile is lost: its values are shown as if they were sRGB"
    ]


# -- HDR ---------------------------------------------------------------------------------------------------

TO_BT2020 = np.linalg.inv(perception.to_bt709(colour.CHROMATICITIES[9]).astype(np.float64))


def bright() -> np.ndarray:
    """Light of the photograph with highlights of three times diffuse white."""
    light = colour.linear(np.asarray(PHOTO.reduce(2)).astype(np.float64) / 255, colour.SRGB)
    return light * (1 + 2 * np.clip(light.max(axis=-1, keepdims=True) * 2 - 0.6, 0, 1))


def pq(light: np.ndarray) -> np.ndarray:
    y = np.clip(light @ TO_BT2020.T, 0, None) * 203 / 10000
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    return ((c1 + c2 * y**m1) / (1 + c3 * y**m1)) ** m2


def shown(light: np.ndarray) -> bytes:
    values = perception.srgb_values(np.clip(light, 0, 1)) * 255
    return jpeg(Image.fromarray(np.uint8(values + 0.5)))


def hdr() -> bytes:
    return png(np.rint(pq(bright()) * 65535), bits=16, extra=chunk(b"cICP", bytes((9, 16, 0, 1))))


def luma(light: np.ndarray) -> np.ndarray:
    return (light @ np.array([0.2126, 0.7152, 0.0722]))[..., None]


@pytest.mark.parametrize(
    "curve",
    [
        lambda light: light,
        lambda light: light * (1 + luma(light) / 9) / (1 + luma(light)),
        lambda light: 1 - np.exp(-1.5 * light),
        lambda light: colour.mobius(light, peak=10.0),
    ],
    ids=["clipped", "Reinhard", "by channel", "Moebius"],
)
def test_any_usual_tone_map_is_right(curve: Callable[[np.ndarray], np.ndarray]) -> None:
    assert messages(compared(hdr(), shown(curve(bright())))) == []


def test_hdr_shown_as_srgb() -> None:
    flat = jpeg(Image.fromarray(np.uint8(pq(bright()) * 255 + 0.5)))
    assert messages(compared(hdr(), flat)) == [
        "the HDR picture turned grey: its values are shown as if they were sRGB"
    ]
    turned = pq(bright())
    light = colour.linear(turned, colour.SRGB) @ perception.to_bt709(colour.CHROMATICITIES[9]).T
    assert messages(compared(hdr(), shown(light))) == [
        "the HDR picture turned grey: its values are shown as if they were sRGB"
    ]


def test_hdr_without_colours() -> None:
    grey = np.repeat(luma(bright()), 3, axis=-1)
    assert messages(compared(hdr(), shown(grey))) == [
        "the HDR picture turned grey: contrast or colours are lost"
    ]


def test_hdr_exposed_wrongly() -> None:
    assert messages(compared(hdr(), shown(bright() * 0.1)))
    assert messages(compared(hdr(), shown(bright() * 8)))


def test_hdr_that_stays_hdr() -> None:
    assert messages(compared(hdr(), hdr())) == []


# -- alpha -------------------------------------------------------------------------------------------------


def with_alpha() -> Image.Image:
    picture = PHOTO.convert("RGBA")
    ys, xs = np.mgrid[:HIGH, :WIDE]
    picture.putalpha(
        Image.fromarray(np.clip(600 - np.hypot(xs - 640, ys - 480), 0, 255).astype(np.uint8))
    )
    return picture


def test_alpha_that_is_kept() -> None:
    source = lossless(with_alpha())
    assert messages(compared(source, coded(with_alpha(), "WEBP", quality=70, method=1))) == []
    small = with_alpha().resize((WIDE // 3, HIGH // 3), Image.Resampling.LANCZOS)
    assert messages(compared(source, lossless(small))) == []


def test_colours_behind_what_is_transparent_do_not_count() -> None:
    other = np.array(with_alpha())
    other[other[..., 3] == 0] = (255, 0, 255, 0)
    assert messages(compared(lossless(with_alpha()), lossless(Image.fromarray(other)))) == []


def test_lost_alpha() -> None:
    found = compared(lossless(with_alpha()), lossless(with_alpha().convert("RGB")))
    assert len(messages(found)) == 1
    assert messages(found)[0].startswith("transparency is lost: ")
    assert found.differences[0].aspect == "alpha"


def test_added_alpha() -> None:
    blank = PHOTO.convert("RGBA")
    blank.putalpha(0)
    assert messages(compared(lossless(PHOTO), lossless(blank))) == [
        "100.0% of the picture is transparent and should be opaque"
    ]


def test_halved_alpha() -> None:
    values = np.array(with_alpha())
    values[..., 3] //= 2
    assert (
        "alpha differs by "
        in messages(compared(lossless(with_alpha()), lossless(Image.fromarray(values))))[0]
    )


def test_background_that_is_expected() -> None:
    white = Image.new("RGBA", PHOTO.size, (255, 255, 255, 255))
    black = Image.new("RGBA", PHOTO.size, (0, 0, 0, 255))
    on_white, on_black = (Image.alpha_composite(ground, with_alpha()) for ground in (white, black))
    expected = StillExpectation(background=(255, 255, 255))
    assert messages(compared(lossless(with_alpha()), jpeg(on_white), expected)) == []
    assert messages(compared(lossless(with_alpha()), jpeg(on_black), expected))
    assert messages(compared(lossless(with_alpha()), lossless(with_alpha()), expected)) == [
        "transparent parts should be filled and are not"
    ]


def test_bitmap_whose_alpha_bytes_are_all_zero_is_opaque() -> None:
    """As browsers show it: nothing was meant by the fourth byte."""
    blank = PHOTO.convert("RGBA")
    blank.putalpha(0)
    source = coded(blank, "BMP")
    assert messages(compared(source, jpeg(PHOTO))) == []
    assert messages(compared(source, lossless(blank)))


# -- decoders ----------------------------------------------------------------------------------------------


def test_one_decoder_is_reported() -> None:
    found = compared(coded(PHOTO, "AVIF", speed=10), jpeg(PHOTO))
    assert found.unknown == (
        "only one decoder read the source's picture (no other decoder for avif)",
    )
    off = StillExpectation(second_decoder=False)
    assert len(compared(lossless(PHOTO), jpeg(PHOTO), off).unknown) == 2


def test_decoders_that_disagree_about_the_output(monkeypatch: pytest.MonkeyPatch) -> None:
    from mediaprep.tools import reference_decoders

    real = reference_decoders.second_still

    def dark(source, form, **grid):
        found = real(source, form, **grid)
        return found // 2 if form == "jpeg" else found

    monkeypatch.setattr(reference_decoders, "second_still", dark)
    assert messages(compared(lossless(PHOTO), jpeg(PHOTO))) == [
        "two decoders read the output's picture differently"
    ]
    found = compared(jpeg(PHOTO), lossless(PHOTO))
    assert messages(found) == []
    assert found.unknown == ("two decoders read the source's picture differently",)


def test_unreadable_files() -> None:
    assert compared(b"nothing", jpeg(PHOTO)).unknown == (
        "the source's picture was not compared: its format is not known",
    )
    assert messages(compared(jpeg(PHOTO), jpeg(PHOTO)[:5000]))[0].startswith(
        "the output's picture cannot be read: "
    )
    few = StillExpectation(max_pixels=1000)
    assert "more than 1000 pixels" in compared(lossless(PHOTO), jpeg(PHOTO), few).unknown[0]


def test_figures_have_their_limits() -> None:
    found = compared(lossless(PHOTO), jpeg(PHOTO))
    assert figure(found, "still-colour") < thresholds.STILL_COLOUR.limit / 4
    assert found.compared == ("picture", "alpha", "colour")
