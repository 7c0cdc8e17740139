"""Parameter sets and sequence headers of real encoders; ffprobe reported the expected values."""

from __future__ import annotations

from fractions import Fraction

import pytest

from mediaprep.probing.bitstream.av1 import Av1Reader
from mediaprep.probing.bitstream.bits import BitReader, BitstreamDamaged
from mediaprep.probing.bitstream.h264 import H264Reader
from mediaprep.probing.bitstream.h264_sets import level_name, parse_sps, profile_name
from mediaprep.probing.bitstream.header import IDR, StreamHeader
from mediaprep.probing.bitstream.hevc import HevcReader
from mediaprep.probing.bitstream.mpeg2 import Mpeg2Reader
from mediaprep.probing.bitstream.mpeg4 import Mpeg4Reader
from mediaprep.probing.bitstream.nal import sei_messages, unescaped
from mediaprep.probing.bitstream.vp9 import Vp8Reader, Vp9Reader
from tests.probing.bitstream.bitwriter import H264, Bits, I, avcc, prefixed, recovery, sei


def assert_states(header: StreamHeader, **expected: object) -> None:
    assert {name: getattr(header, name) for name in expected} == expected


# H.264: avcC of libx264 (ffmpeg 9.0.2)
AVCC = {
    "high": "0164000dffe100196764000dacd94141fb011000000300100000030320f142996001000668eae3cb22c0fdf8f800",
    "interlaced": "01640015ffe1001a67640015acd941410fcb808800000300080000030190f8a14cb001000668faa3cb22c0fdf8f800",
    "422": "017a000dffe10017677a000dbcb40a0fd808800000030080000019078a155001000468ce0fc8fef8f800",
    "10 bits": "016e000dffe10018676e000da6cb40a0fd80880000030008000003019078a15501000468ce0fc8fdfafa00",
    "gray": "0164000dffe100186764000df2d0283f602d9000000300100000030320f142aa01000468ce0fc8fcf8f800",
    "cropped": "0142c00dffe100186742c00dda0507f1227c0440000003004000000c83c50aa801000468ce0fc8",
    "4:3": "0142c00dffe100166742c00dda0507ec3840000003004000000c83c50aa801000468ce0fc8",
}
PLAIN = {
    "width": 320,
    "height": 240,
    "level": "1.3",
    "bit_depth": 8,
    "chroma": "4:2:0",
    "timing_rate": Fraction(25),
}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "high",
            {"profile": "High", "frame_mbs_only": True, "sar": Fraction(1)} | PLAIN,
        ),
        (
            "interlaced",
            {"profile": "High", "frame_mbs_only": False} | PLAIN | {"level": "2.1"},
        ),
        ("422", {"profile": "High 4:2:2"} | PLAIN | {"chroma": "4:2:2"}),
        ("10 bits", {"profile": "High 10"} | PLAIN | {"bit_depth": 10}),
        ("gray", {"profile": "High"} | PLAIN | {"chroma": "4:0:0"}),
        (
            "cropped",
            {"profile": "Constrained Baseline"} | PLAIN | {"width": 288},
        ),
        ("4:3", {"profile": "Constrained Baseline", "sar": Fraction(4, 3)} | PLAIN),
    ],
)
def test_h264_sequence_parameter_sets(name: str, expected: dict[str, object]):
    assert_states(H264Reader(bytes.fromhex(AVCC[name])).header(), **expected)


@pytest.mark.parametrize(
    ("idc", "constraints", "name"),
    [
        (66, 0, "Baseline"),
        (66, 0x40, "Constrained Baseline"),
        (77, 0, "Main"),
        (88, 0, "Extended"),
        (100, 0x0C, "High"),
        (110, 0, "High 10"),
        (110, 0x10, "High 10 Intra"),
        (122, 0, "High 4:2:2"),
        (244, 0, "High 4:4:4 Predictive"),
        (250, 0, None),
    ],
)
def test_h264_profile_names(idc: int, constraints: int, name: str | None):
    assert profile_name(idc, constraints) == name


def test_h264_levels():
    cases = {
        (77, 0, 41): "4.1",
        (66, 0x10, 11): "1b",
        (100, 0x10, 11): "1.1",
        (100, 0, 9): "1b",
        (100, 0, 62): "6.2",
    }
    assert {case: level_name(*case) for case in cases} == cases


def vui(**parts: str) -> str:
    """Return VUI bits (E.1.1) with these parts."""
    names = (
        "sar",
        "overscan",
        "signal",
        "chroma_loc",
        "timing",
        "nal_hrd",
        "vcl_hrd",
        "pic_struct",
        "restriction",
    )
    out = ""
    for name in names:
        if name == "pic_struct" and (parts.get("nal_hrd") or parts.get("vcl_hrd")):
            out += "0"
        out += "1" + parts[name] if name in parts else "0"
    return out


def test_h264_vui_states_colour_and_range():
    signal = Bits().u(5, 3).u(1, 1).u(1, 1).u(9, 8).u(18, 8).u(9, 8).text
    assert_states(
        parse_sps(H264(vui=vui(signal=signal)).sps())[1].header,
        full_range=True,
        primaries=9,
        transfer=18,
        matrix=9,
        sar=None,
    )


@pytest.mark.parametrize(
    ("bits", "sar"),
    [
        (Bits().u(0, 8), None),
        (Bits().u(1, 8), Fraction(1)),
        (Bits().u(16, 8), Fraction(2)),
        (Bits().u(17, 8), None),
        (Bits().u(255, 8).u(80, 16).u(33, 16), Fraction(80, 33)),
        (Bits().u(255, 8).u(0, 16).u(1, 16), None),
        (Bits().u(255, 8).u(1, 16).u(0, 16), None),
    ],
)
def test_sample_aspect_ratios(bits: Bits, sar: Fraction | None):
    assert parse_sps(H264(vui=vui(sar=bits.text)).sps())[1].header.sar == sar


def test_h264_scaling_lists_are_skipped():
    """High Profile with chroma 4:2:0 and one explicit list of 16: next_scale 8 + 1 sixteen times."""
    extra = Bits().ue(1, 0, 0).u(0, 1).u(1, 1).u(1, 1)
    for _ in range(16):
        extra.ue(1)
    extra.u(0, 7)
    assert_states(
        parse_sps(H264(profile_idc=100, extra=extra).sps())[1].header,
        width=320,
        height=240,
        chroma="4:2:0",
    )


def test_h264_picture_structures_behind_hrd_delays():
    hrd = (
        Bits().ue(0).u(0, 8).ue(0, 0).u(0, 1).u(7, 5).u(8, 5).u(9, 5).u(0, 5).text
    )  # delays of 9 and 10 bits
    stream = H264(vui=vui(nal_hrd=hrd, pic_struct=""))
    reader = H264Reader(None)
    payload = int("0" * 19 + "0101" + "0", 2).to_bytes(
        3, "big"
    )  # pic_struct 5: top, bottom, top repeated
    reader.classify(
        prefixed(stream.sps(), stream.pps(), sei(1, payload), stream.slice(I, idr=True))
    )
    assert reader.header().pic_struct == (5,)


def test_sei_messages_about_the_stream():
    stream = H264()
    reader = H264Reader(None)
    units = [
        sei(147, b"\x12"),
        sei(137, bytes(24)),
        sei(4, b"\xb5\x00\x3c\x00\x01\x04\x01"),
    ]
    reader.classify(
        prefixed(stream.sps(), stream.pps(), *units, recovery(), stream.slice(I, idr=True))
    )
    assert_states(
        reader.header(),
        alternative_transfer=18,
        mastering_display=True,
        hdr10_plus=True,
    )


def test_captions_are_not_hdr10_plus():
    reader = H264Reader(None)
    reader.classify(prefixed(sei(4, b"\xb5\x00\x31GA94\x03")))
    assert reader.header().hdr10_plus is None


def test_readers_without_input_state_nothing():
    for reader in (
        H264Reader(None),
        HevcReader(None),
        Mpeg2Reader(None),
        Mpeg4Reader(None),
        Av1Reader(None),
        Vp9Reader(None),
    ):
        assert_states(
            reader.header(),
            profile=None,
            width=None,
            sar=None,
            full_range=None,
            chroma=None,
            size_changes=None,
        )


# HEVC: hvcC of libx265 (ffmpeg 9.0.2), of an iPhone (rotated_hdr_video.mov), of x265 with reference
# picture sets in the SPS
HVCC = {
    "x265": "0101600000009000000000003cf000fcfdf8f800000f03a00001001840010c01ffff01600000030090000003000003003c959409a10001002a420101"
    "01600000030090000003000003003ca00a080f16595952930bc05a020000030002000003003210a2000100064401c073c189",
    "PQ": "0102200000009000000000003cf000fcfdfafa00000f03a00001001840010c01ffff02200000030090000003000003003c959409a10001002d420101"
    "02200000030090000003000003003ca00a080f136595952930bc05a84880482000000300200000030321a2000100064401c073c189",
    "fields": "0101600000004000000000003ff000fcfdf8f800000f03a00001001840010c01ffff01600000030040000003000003003fba0240a100010028420101"
    "01600000030040000003000003003fa00a080f165ba4a4c2f0168680000003008000001904a2000100064401c073c189",
    "iPhone": "010220000000b0000000000078f000fcfdfafa00000b03a00001001840010c01ffff022000000300b0000003000003007815c090a100010024420101"
    "022000000300b00000030000030078a003c0801107cad8815ee45954d424482402a2000100084401c02cb86414c9",
}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "x265",
            {
                "profile": "Main",
                "level": "2.0",
                "width": 320,
                "height": 240,
                "sar": Fraction(1),
                "timing_rate": Fraction(25),
            },
        ),
        (
            "PQ",
            {
                "profile": "Main 10",
                "bit_depth": 10,
                "primaries": 9,
                "transfer": 16,
                "matrix": 9,
                "full_range": False,
            },
        ),
        (
            "fields",
            {
                "field_seq": True,
                "progressive_sequence": False,
                "timing_rate": Fraction(50),
                "height": 240,
            },
        ),
        (
            "iPhone",
            {
                "profile": "Main 10",
                "level": "4.0",
                "width": 1920,
                "height": 1080,
                "transfer": 18,
                "timing_rate": None,
            },
        ),
    ],
)
def test_hevc_sequence_parameter_sets(name: str, expected: dict[str, object]):
    assert_states(HevcReader(bytes.fromhex(HVCC[name])).header(), chroma="4:2:0", **expected)


def test_hevc_reference_picture_sets_predicted_from_each_other():
    """The VUI follows them, and the length of a predicted set depends on the set before.

    ITU-T H.265 7.4.8: {-1, -3, 1}; moved by -1 without the last: {-2, -4} (0 is dropped); moved by
    1: three flags.
    """
    bits = Bits().u(0, 4).u(0, 3).u(1, 1).u(1, 8).u(0x60000000, 32).u(0b1001, 4).u(0, 44).u(93, 8)
    bits.ue(0, 1, 320, 240).u(0, 1).ue(0, 0, 4).u(1, 1).ue(4, 2, 0).ue(0, 3, 0, 3, 0, 0).u(0, 4)
    bits.ue(3).ue(2, 1).ue(0).u(1, 1).ue(1).u(1, 1).ue(0).u(1, 1)
    bits.u(1, 1).u(1, 1).ue(0).u(0b1_01_1_00, 6)
    bits.u(1, 1).u(0, 1).ue(0).u(0b111, 3)
    bits.u(0, 1).u(0, 2).u(1, 1)
    bits.u(1, 1).u(255, 8).u(80, 16).u(33, 16).u(0, 3).u(0, 3).u(0, 1).u(1, 1).u(1001, 32).u(
        30000, 32
    ).u(0, 3)
    reader = HevcReader(None)
    reader.classify(prefixed(bits.rbsp(b"\x42\x01")))
    assert_states(
        reader.header(),
        width=320,
        height=240,
        level="3.1",
        sar=Fraction(80, 33),
        timing_rate=Fraction(30000, 1001),
    )


def test_mpeg2_sequence_header():
    """By ffmpeg's mpeg2video: 320x240, square pixels, 25 fps, Main@Main."""
    reader = Mpeg2Reader(bytes.fromhex("000001b31400f013ffffe018000001b5148a00010000"))
    reader.classify(bytes.fromhex("00000100000ffff8000001b58ffff3418000000101"))
    assert_states(
        reader.header(),
        profile="Main",
        level="Main",
        chroma="4:2:0",
        width=320,
        height=240,
        sar=Fraction(1),
        timing_rate=Fraction(25),
    )
    assert_states(
        reader.header(),
        progressive_sequence=True,
        top_field_first=(False,),
        repeat_first_field=(False,),
    )


@pytest.mark.parametrize(
    ("code", "sar"), [(1, Fraction(1)), (2, Fraction(16, 15)), (3, Fraction(64, 45)), (0, None)]
)
def test_mpeg2_display_aspect_ratio_becomes_sar(code: int, sar: Fraction | None):
    """720x576 displayed as 4:3 has the PAL SAR 16:15, as 16:9 it has 64:45 (H.262 6.3.3)."""
    sequence = Bits().u(720, 12).u(576, 12).u(code, 4).u(3, 4).u(0, 32)
    unit = (
        b"\0\0\1\xb3"
        + int(sequence.text, 2).to_bytes(8, "big")
        + bytes.fromhex("000001b5148200010000")
    )
    reader = Mpeg2Reader(unit)
    reader.classify(bytes.fromhex("00000100000ffff8000001b58ffff3418000000101"))
    assert reader.header().sar == sar


def test_mpeg4_video_object_layer():
    """By ffmpeg's mpeg4 encoder: 320x240, interlaced, top field first."""
    start = (
        "000001b001000001b58913000001000000012000c48d8800cd0a041e1c63000001b3001007000001b610622300"
    )
    reader = Mpeg4Reader(None)
    reader.classify(bytes.fromhex(start))
    assert_states(
        reader.header(),
        width=320,
        height=240,
        sar=Fraction(1),
        progressive_sequence=False,
        top_field_first=(True,),
    )
    assert_states(reader.header(), profile="Simple Profile", level="1")


AV1C = {
    "AV1 HDR10": "81094c000a0e0000004aabbfc3776fe342440241",
    "AV1 8 bits": "81010c000a0e0000000cc4ff673ffe6408080410",
}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "AV1 HDR10",
            {
                "bit_depth": 10,
                "width": 1920,
                "height": 1080,
                "primaries": 9,
                "transfer": 16,
                "matrix": 9,
                "full_range": False,
            },
        ),
        (
            "AV1 8 bits",
            {
                "bit_depth": 8,
                "width": 640,
                "height": 360,
                "primaries": 2,
                "transfer": 2,
                "full_range": False,
            },
        ),
    ],
)
def test_av1_sequence_header(name: str, expected: dict[str, object]):
    assert_states(
        Av1Reader(bytes.fromhex(AV1C[name])).header(), profile="Main", chroma="4:2:0", **expected
    )


def test_vp8_and_vp9_key_frames():
    vp8, vp9 = Vp8Reader(None), Vp9Reader(None)
    vp8.classify(bytes.fromhex("906f009d012a4001f000000708858598"))
    vp9.classify(bytes.fromhex("824983420013f00ef60638241c184a000ae05066"))
    assert_states(vp8.header(), width=320, height=240, chroma="4:2:0", size_changes=False)
    assert_states(
        vp9.header(),
        width=320,
        height=240,
        chroma="4:2:0",
        bit_depth=8,
        profile="Profile 0",
        size_changes=False,
    )


# Bits and messages.


def test_exp_golomb_codes():
    """ITU-T H.264 table 9-2 and 9-3."""
    bits = BitReader(int("101001100100001110001000".ljust(48, "0"), 2).to_bytes(6, "big"))
    assert [bits.ue() for _ in range(6)] == [0, 1, 2, 3, 6, 7]
    bits = BitReader(int(("10100110010000101").ljust(24, "0"), 2).to_bytes(3, "big"))
    assert [bits.se() for _ in range(5)] == [0, 1, -1, 2, -2]


@pytest.mark.parametrize("data", [b"", b"\0\0\0\0\0\0\0\0\0", b"\x01"])
def test_codes_cut_short_are_damaged(data: bytes):
    with pytest.raises(BitstreamDamaged):
        BitReader(data).ue()


def test_reads_past_the_end_are_damaged():
    with pytest.raises(BitstreamDamaged):
        BitReader(b"\xff").u(9)


def test_emulation_prevention_is_removed():
    assert unescaped(b"\0\0\3\1\0\0\3\0\0\3") == b"\0\0\1\0\0\0\0"


def test_sei_sizes_above_255_and_messages_cut_short():
    message = b"\x05\xff\x02" + b"x" * 257
    assert list(sei_messages(message + b"\x06\x01\xc4\x80")) == [(5, b"x" * 257), (6, b"\xc4")]
    assert list(sei_messages(b"\x05\x10abc")) == []
    assert list(sei_messages(b"\xff" * 9)) == []


def test_extradata_that_changes_within_a_stream():
    wide = H264(width_mbs=40)
    reader = H264Reader(avcc(H264()))
    for stream in (H264(), wide):
        reader.configure(avcc(stream))
        assert reader.classify(prefixed(stream.slice(I, idr=True))) & IDR
    assert (reader.header().width, reader.header().size_changes) == (320, True)
