"""Verdicts about GOPs, on streams written bit by bit (ITU-T H.264 table 7-1 and 7.3.3)."""

from __future__ import annotations

from fractions import Fraction

import pytest

from mediaprep.probing.video.gop_scanner import GopResult, scanner_for
from tests.probing.bitstream.bitwriter import H264, B, I, P, annexb, avcc, prefixed, recovery

S = H264()
TIME_BASE = Fraction(1, 25)


def scan(
    pictures: str,
    *,
    stamps: str = "",
    stream: H264 = S,
    keys: str = "",
    pts: bool = True,
    wrap=prefixed,
    extradata: bytes | None = b"-",
    width: int = 4,
) -> GopResult:
    """Scan pictures that are written as words.

    ``idr``, ``R`` (I, recovery point), ``I``, ``P``, ``B``, ``G`` (P with a recovery point 5 frames
    on), ``S`` (parameter sets); each picture is followed by its place in output order, as ``B3``.
    ``keys``: the words that the container flags. ``stamps``: the timestamps, if they are not the
    output places.
    """
    scanner = scanner_for(
        "h264", avcc(stream, width) if extradata == b"-" else extradata, TIME_BASE
    )
    for number, word in enumerate(pictures.split()):
        name, place = word.rstrip("0123456789"), int(word.lstrip("idrRIPBGS") or 0)
        kind = {"B": B, "P": P, "G": P}.get(name, I)
        units = [
            stream.slice(
                kind, idr=name == "idr", poc=2 * place if name != "idr" else 0, used=name != "B"
            )
        ]
        if name in "RG":
            units.insert(0, recovery(0 if name == "R" else 5))
        if name == "S":
            units = [stream.sps(), stream.pps()]
        shown = int(stamps.split()[number]) if stamps else place
        scanner.add(wrap(*units), shown if pts else None, name in keys.split())
    return scanner.result()


def test_idr_only_is_closed():
    found = scan("idr0 P3 B1 B2 idr4 P5 P6", keys="idr")
    assert (found.gop.structure, found.gop.count, found.gop.open_count, found.gop.nonidr_count) == (
        "closed",
        2,
        0,
        0,
    )
    assert (found.gop.length_min, found.gop.length_mean, found.gop.length_max) == (
        3,
        Fraction(7, 2),
        4,
    )
    assert found.gop.keyframe_interval_max == Fraction(4, 25)
    assert found.gop.reorder_depth == 2
    assert found.gop.pattern == "IPBB|IPP"
    assert found.gop.starts_with_idr is True
    assert found.frame_pts == (0, 3, 1, 2, 4, 5, 6)


def test_one_open_gop_among_closed_ones_is_open():
    found = scan("idr0 P1 R2 P3 R6 B4 B5 P7", keys="idr R")
    assert (found.gop.structure, found.gop.open_count, found.gop.nonidr_count) == ("open", 1, 2)
    assert found.gop.first_open == Fraction(6, 25)
    assert found.gop.pattern == "IP|IP|(IBBP)"


def test_recovery_points_without_leading_pictures_are_closed_nonidr():
    assert scan("idr0 P1 R2 P3 R4", keys="idr R").gop.structure == "closed-nonidr"


def test_repaired_timestamps_do_not_hide_an_open_gop():
    """A muxer that repairs timestamps puts leading pictures right behind their I picture."""
    assert (
        scan("idr0 P2 B1 R6 B4 B5 P8", stamps="0 20 10 60 61 62 80", keys="idr R").gop.structure
        == "open"
    )
    assert (
        scan("idr0 P2 B1 R4 P8 B6", stamps="0 20 10 40 80 60", keys="idr R").gop.structure
        == "closed-nonidr"
    )


def test_an_unflagged_recovery_point_is_a_random_access_point():
    assert scan("idr0 P1 R4 B2 B3", keys="idr").gop.structure == "open"


@pytest.mark.parametrize("has_pts", [True, False])
@pytest.mark.parametrize("late", [0, 40])
def test_timestamps_that_only_rise_despite_b_pictures_show_no_order(has_pts, late):
    """AVI: the demuxer derives them from decode times; picture order counts show the order."""
    scanner = scanner_for("h264", avcc(S), TIME_BASE, has_pts=has_pts)
    order = [
        (I, True, 0),
        (P, False, 8),
        (B, False, 4),
        (I, False, 16),
        (B, False, 12),
        (P, False, 20),
    ]
    for number, (kind, idr, count) in enumerate(order):
        units = () if idr or kind != I else (recovery(0),)
        scanner.add(
            prefixed(*units, S.slice(kind, idr=idr, poc=count)),
            40 * number + late,
            kind == I,
        )
    found = scanner.result().gop
    assert (found.structure, found.pattern) == ("open", "IPB|(IBP)")


def test_a_plain_i_inside_a_gop_is_not_a_random_access_point():
    found = scan("idr0 P1 I4 B2 B3 P5", keys="idr")
    assert (found.gop.structure, found.gop.count, found.gop.length_max) == ("closed", 1, 6)


def test_a_plain_i_that_the_container_flags_is_one():
    assert scan("idr0 P1 I4 B2 B3 P5", keys="idr I").gop.structure == "open"
    assert scan("idr0 P1 I2 P3", keys="idr I").gop.structure == "closed-nonidr"


def test_refresh_pictures_flagged_as_key_are_gdr():
    found = scan("idr0 P1 P2 G3 P4", keys="idr G")
    assert (found.gop.structure, found.gop.count, found.gop.length_max) == ("gdr", 1, 5)


def test_an_i_picture_with_a_later_recovery_is_not_a_random_access_point():
    """recovery_frame_cnt 5 on an I picture: later pictures may refer to earlier ones."""
    for flagged in (True, False):
        scanner = scanner_for("h264", avcc(S), TIME_BASE)
        scanner.add(prefixed(S.slice(I, idr=True)), 0, True)
        scanner.add(prefixed(recovery(5), S.slice(I)), 1, flagged)
        found = scanner.result().gop
        assert (found.structure, found.count) == ("gdr" if flagged else "closed", 1)


def test_a_stream_that_begins_with_a_gradual_refresh_is_gdr():
    assert scan("G0 P1 P2 G3", keys="G").gop.structure == "gdr"


def test_key_flags_on_every_picture_are_ignored():
    """An MP4 without stss flags all samples."""
    found = scan("idr0 P1 P2 I3 P4", keys="idr P I")
    assert (found.gop.structure, found.gop.count) == ("closed", 1)


def test_a_stream_that_begins_with_p_starts_mid_gop():
    found = scan("P0 P1 idr2 P3", keys="idr")
    assert found.gop.structure == "starts-mid-gop"
    assert found.gop.starts_with_idr is False


def test_without_a_marked_start_every_i_picture_counts():
    found = scan("I2 B0 B1 P3 I6 B4 B5 P7")
    assert (found.gop.structure, found.gop.count, found.gop.open_count) == ("open", 2, 2)


def test_without_parameter_sets_the_first_picture_is_not_a_start():
    found = scan("idr0 P1", keys="idr", extradata=None, wrap=annexb)
    assert found.gop.structure == "starts-mid-gop"
    assert found.stream.parameter_sets_first is False


def test_parameter_sets_in_band_suffice():
    found = scan("S idr0 P1", keys="idr", extradata=None, wrap=annexb)
    assert (found.gop.structure, found.frames, found.faults) == ("closed", 2, ())
    assert found.stream.parameter_sets_first is True


def test_annexb_extradata_counts_unless_the_sets_come_later_in_band():
    """A demuxer copies sets from anywhere in the stream into the extradata."""
    sets = annexb(S.sps(), S.pps())
    assert scan("idr0 P1", extradata=sets, wrap=annexb).gop.structure == "closed"
    assert scan("idr0 P1 S idr2", extradata=sets, wrap=annexb).gop.structure == "starts-mid-gop"


def test_no_key_picture_at_all_is_no_rap():
    assert scan("P0 P1 P2").gop.structure == "no-rap"


def test_no_packets_is_no_rap():
    found = scanner_for("h264", avcc(S), TIME_BASE).result()
    assert (found.gop.structure, found.frames, found.frame_pts) == ("no-rap", 0, ())


def test_empty_packets_are_ignored():
    scanner = scanner_for("h264", avcc(S), TIME_BASE)
    scanner.add(b"", None, False)
    assert scanner.result().frames == 0


def test_garbage_is_no_rap_with_a_fault():
    scanner = scanner_for("h264", avcc(S), TIME_BASE)
    for number in range(5):
        scanner.add(b"\xff" * 40, number, True)
    found = scanner.result()
    assert found.gop.structure == "no-rap"
    assert any("no picture" in fault for fault in found.faults)


def test_structure_is_undecided_if_a_packet_of_a_closed_stream_is_unreadable():
    scanner = scanner_for("h264", avcc(S), TIME_BASE)
    scanner.add(prefixed(S.slice(I, idr=True)), 0, True)
    scanner.add(b"\0\0\0\x08" + b"\xff" * 8, 1, False)
    found = scanner.result()
    assert found.gop.structure is None
    assert found.reason is not None


def test_an_open_gop_outweighs_an_unreadable_packet():
    scanner = scanner_for("h264", avcc(S), TIME_BASE)
    scanner.add(prefixed(recovery(), S.slice(I)), 2, True)
    scanner.add(prefixed(S.slice(B, used=False)), 1, False)
    scanner.add(b"\0\0\0\x08" + b"\xff" * 8, 3, False)
    assert scanner.result().gop.structure == "open"


def test_a_unit_longer_than_its_packet_is_a_fault():
    scanner = scanner_for("h264", avcc(S), TIME_BASE)
    scanner.add(prefixed(S.slice(I, idr=True)), 0, True)
    scanner.add(prefixed(S.slice(P))[:-2], 1, False)
    found = scanner.result()
    assert found.faults == ("a NAL unit is longer than its packet",)
    assert found.frames == 2


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_every_width_of_length_prefix(width: int):
    found = scan(
        "idr0 P1 R4 B2 B3",
        keys="idr R",
        width=width,
        wrap=lambda *units: prefixed(*units, width=width),
    )
    assert (found.gop.structure, found.gop.pattern, found.faults) == ("open", "IP|(IBB)", ())


@pytest.mark.parametrize("long", [True, False])
@pytest.mark.parametrize("extradata", [b"-", None, annexb(S.sps(), S.pps())])
def test_annexb_payload_whatever_the_extradata_declares(long: bool, extradata: bytes | None):
    found = scan(
        "S idr0 P1 R4 B2 B3",
        keys="idr R",
        extradata=extradata,
        wrap=lambda *units: annexb(*units, long=long),
    )
    assert (found.gop.structure, found.gop.pattern, found.faults) == ("open", "IP|(IBB)", ())


@pytest.mark.parametrize("extradata", [avcc(S, sets=False), b"", None])
def test_sets_in_band_with_lengths_and_empty_extradata(extradata: bytes | None):
    """avc3: the sets come in band; without extradata the framing is detected."""
    found = scan("S idr0 P1 R4 B2 B3", keys="idr R", extradata=extradata)
    assert (found.gop.structure, found.gop.pattern) == ("open", "IP|(IBB)")


@pytest.mark.parametrize("wrap", [prefixed, annexb])
def test_lengths_of_256_to_511_bytes_are_not_start_codes(wrap):
    """A length of 00 00 01 xx looks like a start code."""
    scanner = scanner_for("h264", avcc(S), TIME_BASE)
    for number, length in enumerate((300, 257, 511, 256)):
        unit = S.slice(P if number else I, idr=not number)
        scanner.add(wrap(unit + b"\x5a" * (length - len(unit))), number, not number)
    found = scanner.result()
    assert (found.gop.pattern, found.faults) == ("IPPP", ())


def test_size_changes_by_sets_in_band():
    wide = H264(width_mbs=40)
    scanner = scanner_for("h264", None, TIME_BASE)
    for number, stream in enumerate((S, S, wide)):
        scanner.add(annexb(stream.sps(), stream.pps(), stream.slice(I, idr=True)), number, True)
    assert scanner.result().stream.size_changes is True


# Output order by picture order count: streams without timestamps.


def test_without_pts_order_counts_show_the_leading_pictures():
    found = scan("idr0 P3 B1 B2 R6 B4 B5 P7", pts=False)
    assert (found.gop.structure, found.gop.reorder_depth, found.frame_pts) == ("open", 2, None)


def test_without_pts_a_recovery_point_without_leading_pictures():
    assert scan("idr0 P1 R2 P3", pts=False).gop.structure == "closed-nonidr"


def test_the_picture_order_count_wraps():
    """6 bits of pic_order_cnt_lsb hold 32 frames."""
    closed = "idr0 " + " ".join(f"P{n}" for n in range(1, 60)) + " R60 P61"
    assert scan(closed, pts=False).gop.structure == "closed-nonidr"
    assert scan(closed + " R64 B62 B63", pts=False).gop.structure == "open"
    assert (
        scan(
            "idr0 " + " ".join(f"P{n}" for n in range(1, 31)) + " R31 P32 P33", pts=False
        ).gop.structure
        == "closed-nonidr"
    )


def test_pts_in_decode_order_are_ignored_if_there_are_b_pictures():
    """AVI counts frames in decode order; order counts show the output order."""
    scanner = scanner_for("h264", avcc(S), TIME_BASE)
    for number, (kind, poc) in enumerate(
        [(I, 0), (P, 6), (B, 2), (B, 4), (I, 12), (B, 8), (B, 10)]
    ):
        sei = [recovery()] if kind == I and number else []
        scanner.add(
            prefixed(*sei, S.slice(kind, idr=not number, poc=poc, used=kind != B)),
            number,
            kind == I,
        )
    assert scanner.result().gop.structure == "open"


def test_without_pts_and_order_counts_the_structure_is_undecided():
    found = scan("idr0 P1 R4 B2 B3", pts=False, stream=H264(poc_type=1))
    assert found.gop.structure is None
    assert found.reason is not None


# Field pictures: two make one frame.

FIELDS = H264(frame_mbs_only=False, height_units=8)


def field_packets(*pictures: tuple[int, bool, int], together: bool) -> GopResult:
    """Scan frames of two fields each, top first: (type of the first field, idr, output place).

    The second field of an I picture is P.
    """
    scanner = scanner_for("h264", avcc(FIELDS), TIME_BASE)
    for number, (kind, idr, place) in enumerate(pictures):
        first = FIELDS.slice(kind, idr=idr, frame_num=number, field_of="top", poc=2 * place)
        second = FIELDS.slice(
            P if kind == I else kind, frame_num=number, field_of="bottom", poc=2 * place + 1
        )
        head = [recovery()] if kind == I and not idr else []
        if together:
            scanner.add(prefixed(*head, first, second), 2 * place, kind == I)
        else:
            scanner.add(prefixed(*head, first), 2 * place, kind == I)
            scanner.add(prefixed(second), 2 * place + 1, False)
    return scanner.result()


@pytest.mark.parametrize("together", [True, False])
def test_field_pairs_are_one_frame(together: bool):
    found = field_packets(
        (I, True, 0), (P, False, 1), (P, False, 2), (I, True, 3), together=together
    )
    assert (found.frames, found.stream.field_pictures, found.gop.pattern) == (4, True, "IPP|I")
    assert (found.gop.structure, found.gop.length_max, found.frame_pts) == (
        "closed",
        3,
        (0, 2, 4, 6),
    )


@pytest.mark.parametrize("together", [True, False])
def test_open_gop_of_field_pairs(together: bool):
    found = field_packets(
        (I, True, 0), (P, False, 1), (I, False, 4), (B, False, 2), (B, False, 3), together=together
    )
    assert (found.gop.structure, found.gop.open_count, found.frames) == ("open", 1, 5)


def test_unpaired_fields_of_one_parity_are_frames_of_their_own():
    scanner = scanner_for("h264", avcc(FIELDS), TIME_BASE)
    for number in range(3):
        unit = FIELDS.slice(P if number else I, idr=not number, frame_num=number, field_of="top")
        scanner.add(prefixed(unit), number, not number)
    assert scanner.result().frames == 3


def test_frame_pictures_of_an_interlaced_sequence_are_not_fields():
    scanner = scanner_for("h264", avcc(FIELDS), TIME_BASE)
    for number in range(4):
        scanner.add(
            prefixed(FIELDS.slice(P if number else I, idr=not number, frame_num=number)),
            number,
            not number,
        )
    found = scanner.result()
    assert (found.frames, found.stream.field_pictures, found.stream.frame_mbs_only) == (
        4,
        False,
        False,
    )


# Slices.


def test_several_slices_make_an_i_picture_only_if_all_are_intra():
    for kinds, structure in (((I, I), "open"), ((I, P), "closed")):
        scanner = scanner_for("h264", avcc(S), TIME_BASE)
        scanner.add(prefixed(S.slice(I, idr=True)), 0, True)
        scanner.add(
            prefixed(
                *(S.slice(kind, first_mb=10 * n, alike=False) for n, kind in enumerate(kinds))
            ),
            3,
            kinds == (I, I),
        )
        scanner.add(prefixed(S.slice(B, used=False)), 2, False)
        assert scanner.result().gop.structure == structure


def test_discarded_packets_belong_to_gops_but_are_not_presented():
    scanner = scanner_for("h264", avcc(S), TIME_BASE)
    for number in range(4):
        scanner.add(
            prefixed(S.slice(P if number else I, idr=not number)),
            number,
            not number,
            number < 2,
        )
    found = scanner.result()
    assert (found.frames, found.frames_presented, found.frame_pts, found.gop.length_max) == (
        4,
        2,
        (2, 3),
        4,
    )


@pytest.mark.parametrize("codec", ["prores", "mjpeg", "dvvideo", "gif", "rawvideo"])
def test_codecs_without_prediction_are_closed(codec: str):
    scanner = scanner_for(codec, None, TIME_BASE)
    for number in range(3):
        scanner.add(b"\x01\x02", number, True)
    found = scanner.result()
    assert (found.gop.structure, found.gop.count, found.gop.length_max) == ("closed", 3, 1)


@pytest.mark.parametrize("codec", ["wmv3", "h263", "", "rv40"])
def test_other_codecs_are_undecided_but_counted(codec: str):
    scanner = scanner_for(codec, b"\x01", TIME_BASE)
    for number in range(3):
        scanner.add(b"\x01\x02", number, True)
    found = scanner.result()
    assert (found.gop.structure, found.frames, found.frame_pts) == (None, 3, (0, 1, 2))
    assert found.reason
