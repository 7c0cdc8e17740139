import pytest

from mediaprep.probing.bitstream.header import StreamHeader
from mediaprep.probing.video.scan_type import scan_flags, scan_type, soft_telecine


@pytest.mark.parametrize(
    ("codec", "field_order", "header", "flagged", "parities", "expected"),
    [
        ("h264", 1, {}, (False,), (), "progressive"),
        ("h264", 0, {"frame_mbs_only": True}, (), (), "progressive"),
        # x264's fake-interlaced
        ("h264", 0, {"frame_mbs_only": False}, (False, False), (), "progressive"),
        # The frames outweigh the field order.
        ("h264", 2, {}, (True, True), ("bff",), "bff"),
        ("h264", 2, {}, (True, True), ("bff", "tff"), "interlaced"),
        ("h264", 2, {}, (), (), "tff"),
        ("prores", 4, {}, (), (), "tff"),  # QuickTime's 9
        ("prores", 5, {}, (), (), "bff"),
        ("mpeg4", 0, {}, (True, False), (), "mixed"),
        ("mpeg2video", 0, {"top_field_first": (True,)}, (True,), (), "tff"),
        ("hevc", 0, {"field_seq": True}, (), (), "interlaced"),
        ("h264", 0, {"pic_struct": (4,), "field_pictures": True}, (), (), "bff"),
        ("vp9", 0, {}, (False,), (), "unspecified"),
        ("wmv3", 0, {}, (), (), None),
    ],
)
def test_flags(codec, field_order, header, flagged, parities, expected):
    flags = scan_flags(codec, field_order, StreamHeader(**header), flagged, frozenset(parities))
    assert flags == expected


@pytest.mark.parametrize(
    ("flags", "content", "soft", "expected"),
    [
        ("progressive", "progressive", False, "progressive"),
        ("progressive", "tff", False, "interlaced"),
        ("progressive", "telecine", False, "telecine"),
        ("progressive", "undetermined", False, "progressive"),
        ("tff", "undetermined", False, "interlaced"),
        ("tff", "progressive", False, "psf"),
        ("tff", "bff", False, "interlaced"),
        ("tff", "telecine", False, "telecine"),
        ("progressive", "progressive", True, "soft-telecine"),
        ("mixed", "undetermined", True, "interlaced"),
        ("unspecified", None, False, "progressive"),
        (None, "progressive", False, "progressive"),
        (None, "undetermined", False, None),
        (None, None, False, None),
    ],
)
def test_verdict(flags, content, soft, expected):
    assert scan_type(flags, content, soft=soft) == expected


def test_inconclusive_content_does_not_outweigh_an_interlaced_flag():
    assert scan_type("tff", "progressive", soft=False, conclusive=False) == "interlaced"
    assert scan_type("progressive", "progressive", soft=False, conclusive=False) == "progressive"


def test_soft_telecine_is_by_flag():
    assert soft_telecine(StreamHeader(repeat_first_field=(False, True)))
    assert soft_telecine(StreamHeader(pic_struct=(3, 5)))
    assert not soft_telecine(StreamHeader(repeat_first_field=(False,), pic_struct=(3, 4)))
