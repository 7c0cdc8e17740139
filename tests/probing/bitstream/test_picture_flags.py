"""Picture flags in HEVC, VVC, MPEG-1/2/4, VP8, VP9 and AV1, and the verdicts that follow.

Packets are written by the syntax tables.
"""

from __future__ import annotations

from fractions import Fraction

import pytest

from mediaprep.probing.video.gop_scanner import GopResult, scanner_for
from tests.probing.bitstream.bitwriter import annexb, prefixed
from tests.probing.bitstream.test_stream_headers import AV1C, HVCC

TIME_BASE = Fraction(1, 25)


def scan(
    codec: str,
    extradata: bytes | None,
    *packets: bytes,
    pts: list[int] | None = None,
    keys: tuple[int, ...] = (0,),
) -> GopResult:
    scanner = scanner_for(codec, extradata, TIME_BASE)
    for number, packet in enumerate(packets):
        scanner.add(packet, pts[number] if pts else number, number in keys)
    return scanner.result()


# HEVC. Slices of libx265's parameter sets: PPS 0, no extra slice header bits.

SETS = bytes.fromhex(HVCC["x265"])
TRAIL_N, TRAIL_R, RADL_N, RASL_N, BLA_W_LP, BLA_N_LP, IDR_W_RADL, IDR_N_LP, CRA = (
    0,
    1,
    6,
    8,
    16,
    18,
    19,
    20,
    21,
)


def hevc(kind: int, letter: str = "P", layer: int = 0) -> bytes:
    """Return a slice.

    first_slice_segment_in_pic_flag 1, [no_output_of_prior_pics_flag], PPS 0, slice_type.
    """
    text = (
        "1" + ("0" if 16 <= kind <= 23 else "") + "1" + {"B": "1", "P": "010", "I": "011"}[letter]
    )
    return bytes([kind << 1 | layer >> 5, (layer & 31) << 3 | 1]) + int(
        text.ljust(32, "1"), 2
    ).to_bytes(4, "big")


def hevc_verdict(*kinds: int) -> str | None:
    return scan("hevc", SETS, *(prefixed(hevc(kind)) for kind in kinds)).gop.structure


@pytest.mark.parametrize(
    ("kinds", "structure"),
    [
        ((IDR_W_RADL, TRAIL_R, IDR_N_LP, TRAIL_R), "closed"),
        ((IDR_W_RADL, RADL_N, TRAIL_R), "closed"),
        ((IDR_W_RADL, TRAIL_R, CRA, TRAIL_R), "closed-nonidr"),
        ((IDR_W_RADL, TRAIL_R, CRA, RADL_N, TRAIL_R), "closed-nonidr"),
        ((IDR_W_RADL, TRAIL_R, CRA, RASL_N, TRAIL_R), "open"),
        ((CRA, RASL_N, TRAIL_R, IDR_W_RADL), "open"),
        ((CRA, TRAIL_R), "closed-nonidr"),
        ((IDR_W_RADL, TRAIL_R, BLA_W_LP, RASL_N), "open"),
        ((IDR_W_RADL, TRAIL_R, BLA_N_LP, TRAIL_R), "closed-nonidr"),
        ((TRAIL_R, IDR_W_RADL), "starts-mid-gop"),
        ((TRAIL_R, TRAIL_N), "no-rap"),
    ],
)
def test_hevc_verdicts_by_nal_unit_type(kinds: tuple[int, ...], structure: str):
    assert hevc_verdict(*kinds) == structure


def test_hevc_pattern_and_b_slices():
    pictures = ((IDR_W_RADL, "I"), (TRAIL_R, "P"), (TRAIL_N, "B"), (CRA, "I"))
    found = scan("hevc", SETS, *(prefixed(hevc(kind, letter)) for kind, letter in pictures))
    assert (found.gop.pattern, found.gop.nonidr_count, found.gop.starts_with_idr) == (
        "IPB|I",
        1,
        True,
    )


@pytest.mark.parametrize("wrap", [annexb, lambda *units: annexb(*units, long=False)])
def test_hevc_annexb_with_other_layers_and_delimiters(wrap):
    """Only nuh_layer_id 0 counts: an enhancement layer's CRA and Dolby Vision (63) are ignored."""
    delimiter, dolby = b"\x46\x01\x50", b"\x7e\x01\x19\x08"
    found = scan(
        "hevc",
        annexb(*_units(SETS)),
        wrap(delimiter, *_units(SETS), hevc(IDR_W_RADL, "I"), hevc(CRA, "I", layer=1), dolby),
        wrap(delimiter, hevc(TRAIL_R), hevc(TRAIL_R, layer=1), dolby),
    )
    assert (found.gop.structure, found.gop.pattern, found.faults) == ("closed", "IP", ())


def _units(record: bytes) -> list[bytes]:
    """Return the NAL units of an HEVCDecoderConfigurationRecord with one unit per array."""
    units, at = [], 23
    for _ in range(record[22]):
        size = int.from_bytes(record[at + 3 : at + 5], "big")
        units.append(record[at + 5 : at + 5 + size])
        at += 5 + size
    return units


def test_hevc_fields_are_half_a_frame():
    fields = bytes.fromhex(HVCC["fields"])
    packets = [
        prefixed(hevc(kind))
        for kind in (IDR_W_RADL, TRAIL_R, TRAIL_R, TRAIL_R, IDR_W_RADL, TRAIL_R)
    ]
    found = scan("hevc", fields, *packets, keys=(0, 4))
    assert (found.frames, found.stream.field_pictures, found.gop.length_max, found.frame_pts) == (
        3,
        True,
        2,
        (0, 2, 4),
    )


def test_hevc_gradual_refresh():
    recovery = b"\x4e\x01\x06\x01\xd0\x80"
    packets = [
        prefixed(hevc(IDR_W_RADL, "I")),
        prefixed(hevc(TRAIL_R)),
        prefixed(recovery, hevc(TRAIL_R)),
        prefixed(hevc(TRAIL_R)),
    ]
    assert scan("hevc", SETS, *packets, keys=(0, 2)).gop.structure == "gdr"
    assert scan("hevc", SETS, *packets, keys=(0,)).gop.structure == "closed"


def test_hevc_without_parameter_sets_has_no_start():
    found = scan("hevc", None, annexb(hevc(CRA, "I")), annexb(hevc(TRAIL_R)))
    assert (found.gop.structure, found.stream.parameter_sets_first) == ("starts-mid-gop", False)


def test_hevc_garbage():
    found = scan("hevc", SETS, b"\xff" * 30, b"\xff" * 30)
    assert (found.gop.structure, found.frames) == ("no-rap", 0)


@pytest.mark.parametrize(
    ("kinds", "structure"),
    [
        ((7, 0, 8, 0), "closed"),
        ((7, 0, 9, 0), "closed-nonidr"),
        ((7, 0, 9, 3, 0), "open"),
        ((9, 2, 0), "closed-nonidr"),
        ((0, 7), "starts-mid-gop"),
    ],
)
def test_vvc_verdicts_by_nal_unit_type(kinds: tuple[int, ...], structure: str):
    """IDR 7 and 8, CRA 9, RADL 2, RASL 3 (ITU-T H.266 table 5)."""
    packets = [annexb(b"\x00\xa1\x18", bytes([0, kind << 3 | 1, 0x80, 0x55])) for kind in kinds]
    assert scan("vvc", None, *packets).gop.structure == structure


# MPEG-1 and MPEG-2.

SEQUENCE = bytes.fromhex("000001b31400f013ffffe018000001b5148a00010000")
TYPES = {"I": 1, "P": 2, "B": 3}


def mpeg2(
    letter: str,
    group: str = "",
    *,
    structure: int = 3,
    reference: int = 0,
    first: bool = False,
    mpeg1: bool = False,
) -> bytes:
    """Return a picture.

    ``group``: "closed" or "open" puts a group header before it; ``structure``: 1 top field, 2
    bottom field, 3 frame.
    """
    out = SEQUENCE[:12] if first and mpeg1 else SEQUENCE if first else b""
    if group:
        out += b"\0\0\1\xb8\0\x08\0" + bytes([0x40 if group == "closed" else 0])
    out += b"\0\0\1\0" + bytes(
        [reference >> 2, (reference & 3) << 6 | TYPES[letter] << 3, 0xFF, 0xF8]
    )
    if not mpeg1:
        out += b"\0\0\1\xb5\x8f\xff" + bytes([0xF0 | structure, 0x41, 0x80])
    return out + b"\0\0\1\x01\x23\x45\x67"


def mpeg2_scan(*packets: bytes, codec: str = "mpeg2video") -> GopResult:
    return scan(codec, None, *packets)


@pytest.mark.parametrize(
    ("words", "structure", "opened"),
    [
        ("I:closed P B B I:open P B", "closed", 0),
        ("I:closed P B B I:open B B P", "open", 1),
        ("I:closed P B B I:closed B B P", "closed", 0),
        ("I:closed P B B I B B P", "open", 1),
        ("I:open B B P B B", "open", 1),
        ("P P I:closed P", "starts-mid-gop", 0),
        ("P P P", "no-rap", 0),
    ],
)
@pytest.mark.parametrize("codec", ["mpeg1video", "mpeg2video"])
def test_mpeg2_is_open_if_b_follows_i_without_closed_gop(
    codec: str, words: str, structure: str, opened: int
):
    packets = []
    for number, word in enumerate(words.split()):
        letter, _, group = word.partition(":")
        packets.append(mpeg2(letter, group, first=number == 0, mpeg1=codec == "mpeg1video"))
    found = mpeg2_scan(*packets, codec=codec)
    assert (found.gop.structure, found.gop.open_count, found.frames) == (
        structure,
        opened,
        len(packets),
    )


def test_mpeg2_broken_link_is_open():
    broken = mpeg2("I", "open").replace(b"\xb8\0\x08\0\0", b"\xb8\0\x08\0\x20")
    assert (
        mpeg2_scan(
            mpeg2("I", "closed", first=True), mpeg2("P"), broken, mpeg2("B"), mpeg2("P")
        ).gop.structure
        == "open"
    )


@pytest.mark.parametrize("together", [True, False])
def test_mpeg2_field_pairs_are_one_frame(together: bool):
    """The second field of an I picture is P; B pictures after it still lead."""
    fields: list[bytes] = []
    for number, (letter, group) in enumerate(
        [("I", "closed"), ("P", ""), ("I", "open"), ("B", ""), ("P", "")]
    ):
        top = mpeg2(letter, group, structure=1, reference=number, first=number == 0)
        bottom = mpeg2("P" if letter == "I" else letter, structure=2, reference=number)
        fields += [top + bottom] if together else [top, bottom]
    found = mpeg2_scan(*fields)
    assert (found.frames, found.stream.field_pictures, found.gop.structure, found.gop.pattern) == (
        5,
        True,
        "open",
        "IP|(IBP)",
    )


def test_mpeg2_repeated_fields():
    repeated = mpeg2("P").replace(b"\xf3\x41\x80", b"\xf3\xc3\x80")
    header = mpeg2_scan(mpeg2("I", "closed", first=True), repeated).stream
    assert header.repeat_first_field == header.top_field_first == (False, True)


def test_mpeg2_without_sequence_header_has_no_start():
    assert mpeg2_scan(mpeg2("I", "closed"), mpeg2("P")).gop.structure == "starts-mid-gop"


def test_mpeg2_headers_alone_are_not_damage():
    found = mpeg2_scan(mpeg2("I", "closed", first=True), SEQUENCE, mpeg2("P"))
    assert (found.frames, found.faults, found.gop.structure) == (2, (), "closed")


# MPEG-4 Part 2.

LAYER = bytes.fromhex("000001b001000001b58913000001000000012000c48d8800cd0a041e1463")


def mpeg4(letter: str, group: str = "", first: bool = False) -> bytes:
    out = LAYER if first else b""
    if group:
        out += b"\0\0\1\xb3\0\x10" + bytes([0x07 | (0x20 if group == "closed" else 0)])
    return out + b"\0\0\1\xb6" + bytes(["IPBS".index(letter) << 6 | 0x10, 0x60, 0x8D])


@pytest.mark.parametrize(
    ("words", "structure"),
    [
        ("I:open P B I:open P B", "closed"),
        ("I:closed P I:open B P", "open"),
        ("I:closed P I:closed B P", "closed"),
        ("I P I B P", "open"),
        ("P I P", "starts-mid-gop"),
        ("I S I S", "closed"),
    ],
)
def test_mpeg4_verdicts(words: str, structure: str):
    packets = [
        mpeg4(word[0], word[2:], first=number == 0) for number, word in enumerate(words.split())
    ]
    assert scan("mpeg4", None, *packets).gop.structure == structure


def test_mpeg4_packed_b_frames():
    """DivX: P and B in one packet, then a placeholder in the place of the B picture."""
    placeholder = mpeg4("P")
    found = scan(
        "mpeg4",
        LAYER,
        mpeg4("I"),
        mpeg4("P") + mpeg4("B"),
        placeholder,
        mpeg4("I") + mpeg4("B"),
        placeholder,
    )
    assert (found.frames, found.gop.structure) == (5, "open")
    assert (
        scan("mpeg4", LAYER, mpeg4("I"), mpeg4("P") + mpeg4("B"), placeholder).gop.structure
        == "closed"
    )


# VP8 and VP9.


def vp8(key: bool, shown: bool = True, width: int = 320) -> bytes:
    head = bytes([(0 if key else 1) | (0x10 if shown else 0), 0x6F, 0])
    return head + (
        b"\x9d\x01\x2a" + width.to_bytes(2, "little") + b"\xf0\0\0\0" if key else b"\x11\x22"
    )


def test_vp8_hidden_frames_are_not_presented():
    found = scan(
        "vp8",
        None,
        vp8(True),
        vp8(False),
        vp8(False, shown=False),
        vp8(False),
        vp8(True),
        keys=(0, 4),
    )
    assert (found.gop.structure, found.frames, found.gop.length_max, found.frame_pts) == (
        "closed",
        4,
        3,
        (0, 1, 3, 4),
    )


def test_vp8_size_changes_and_lost_start():
    found = scan("vp8", None, vp8(True), vp8(True, width=640))
    assert found.stream.size_changes is True
    assert scan("vp8", None, vp8(False), vp8(True)).gop.structure == "starts-mid-gop"


VP9_KEY = bytes.fromhex("824983420013f00ef60638241c184a000ae05066")
VP9_INTER, VP9_HIDDEN, VP9_SHOW = b"\x86\x00\x40\x92", b"\x84\x00\x40\x92", b"\x88\x00"


def superframe(*frames: bytes) -> bytes:
    """Return a superframe (annex B): its index has sizes of one byte, between equal markers."""
    marker = bytes([0xC0 | len(frames) - 1])
    return b"".join(frames) + marker + bytes(len(frame) for frame in frames) + marker


def test_vp9_superframes_and_show_existing_frame():
    found = scan(
        "vp9",
        None,
        VP9_KEY,
        superframe(VP9_HIDDEN, VP9_INTER),
        VP9_SHOW,
        superframe(VP9_KEY, VP9_INTER),
        VP9_HIDDEN,
    )
    assert (found.gop.structure, found.gop.count, found.frames, found.faults) == (
        "closed",
        2,
        4,
        (),
    )


def test_vp9_show_existing_frame_is_not_a_key_frame():
    assert scan("vp9", None, VP9_SHOW, VP9_KEY).gop.structure == "starts-mid-gop"


def test_vp9_damage():
    found = scan("vp9", None, VP9_KEY, b"\x00\x01\x02")
    assert (found.gop.structure, found.faults[0]) == (None, "a frame has no frame marker")


# AV1.


def obu(kind: int, payload: bytes) -> bytes:
    return bytes([kind << 3 | 2, len(payload)]) + payload


def av1(frame_type: int, shown: bool = True, kind: int = 6) -> bytes:
    return obu(kind, bytes([frame_type << 5 | (0x10 if shown else 0), 0x55]))


DELIMITER, KEY, INTER, INTRA_ONLY, AGAIN = obu(2, b""), av1(0), av1(1), av1(2), obu(3, b"\x80")


@pytest.mark.parametrize(
    ("units", "keys", "structure"),
    [
        ((KEY, INTER, KEY, INTER), (0, 2), "closed"),
        ((KEY, INTER, av1(0, shown=False) + INTER, AGAIN), (0,), "open"),
        ((KEY, INTER, INTRA_ONLY, INTER), (0, 2), "open"),
        ((KEY, INTER, INTRA_ONLY, INTER), (0,), "closed"),
        ((KEY, av1(1, shown=False) + INTER, AGAIN), (0,), "closed"),
        ((INTER, KEY), (1,), "starts-mid-gop"),
    ],
)
def test_av1_verdicts(units: tuple[bytes, ...], keys: tuple[int, ...], structure: str):
    found = scan(
        "av1", bytes.fromhex(AV1C["AV1 8 bits"]), *(DELIMITER + unit for unit in units), keys=keys
    )
    assert (found.gop.structure, found.frames, found.faults) == (structure, len(units), ())


def test_av1_without_sequence_header_has_no_start():
    assert scan("av1", None, DELIMITER + KEY, DELIMITER + INTER).gop.structure == "starts-mid-gop"


def test_av1_metadata_and_sequence_in_band():
    sequence = bytes.fromhex(AV1C["AV1 8 bits"])[4:]
    notes = (
        obu(5, b"\x01\0\x10\0\x10")
        + obu(5, b"\x02" + bytes(24))
        + obu(5, b"\x04\xb5\x00\x3c\x00\x01\x04\x01")
    )
    header = scan("av1", None, DELIMITER + sequence + notes + KEY).stream
    assert (header.width, header.parameter_sets_first) == (640, True)
    assert (header.mastering_display, header.hdr10_plus) == (True, True)


def test_av1_damage():
    found = scan("av1", bytes.fromhex(AV1C["AV1 8 bits"]), DELIMITER + KEY, b"\x32\x7f\x00")
    assert (found.gop.structure, found.frames) == (None, 1)
