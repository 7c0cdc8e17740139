"""AudioSpecificConfigs and ADTS headers as bytes; expected values by ISO/IEC 14496-3."""

from __future__ import annotations

import pytest

from mediaprep.probing.bitstream.aac import packet_framing, parse_adts, parse_config, parse_latm
from mediaprep.probing.bitstream.bits import BitstreamDamaged
from tests.probing.bitstream.bitwriter import Bits


def config(bits: Bits) -> bytes:
    text = bits.text + "0" * (-len(bits.text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big")


def with_sbr(bits: Bits) -> Bits:
    """Append the backward-compatible announcement of SBR (0x2b7)."""
    return bits.u(0x2B7, 11).u(5, 5).u(1, 1).u(3, 4)


@pytest.mark.parametrize(
    ("written", "aot", "sbr", "ps", "object_type"),
    [
        ("1210", 2, None, None, "LC"),
        ("119056e500", 2, False, None, "LC"),  # by ffmpeg
        ("11b056e500", 2, False, None, "LC"),  # 6 channels
        ("11e056e500", 2, False, None, "LC"),  # 8 channels
        # Channels in a program config element (ffmpeg -aac_pce 1)
        ("118004c40000200c4c61766336332e312e31303256e500", 2, False, None, "LC"),
        ("131056e598", 2, True, None, "HE-AAC"),  # 0x2b7
        ("131056e59d4880", 2, True, True, "HE-AACv2"),  # 0x2b7, 0x548
        ("2b920800", 2, True, None, "HE-AAC"),  # object type 5
        ("eb8a0800", 2, True, True, "HE-AACv2"),  # object type 29
        ("0a10", 1, None, None, "Main"),
        ("1a10", 3, None, None, "SSR"),
        ("2210", 4, None, None, "LTP"),
        ("1214", 2, None, None, "LC"),  # frames of 960 samples
        ("ba1000", 23, None, None, "LD"),
    ],
)
def test_audio_specific_configs(
    written: str, aot: int, sbr: bool | None, ps: bool | None, object_type: str
):
    found = parse_config(bytes.fromhex(written))
    assert (found.aot, found.sbr, found.ps, found.object_type) == (aot, sbr, ps, object_type)


def test_object_types_above_31_are_escaped():
    usac = parse_config(config(Bits().u(31, 5).u(42 - 32, 6).u(3, 4).u(2, 4).u(0, 16)))
    assert (usac.aot, usac.object_type) == (42, "xHE-AAC")
    eld = Bits().u(31, 5).u(39 - 32, 6).u(4, 4).u(1, 4).u(1, 1).u(0, 3).u(1, 1).u(0, 16)
    assert (parse_config(config(eld)).object_type, parse_config(config(eld)).sbr) == ("ELD", True)


def test_an_explicit_rate_is_skipped():
    found = parse_config(config(with_sbr(Bits().u(2, 5).u(15, 4).u(12345, 24).u(1, 4).u(0, 3))))
    assert found.sbr is True


def test_down_sampled_sbr_is_announced():
    found = parse_config(config(Bits().u(5, 5).u(3, 4).u(2, 4).u(3, 4).u(2, 5).u(0, 3)))
    assert found.sbr is True


def test_a_program_config_element_is_skipped():
    """Front: one single, one pair; side none; back: one pair; one LFE; a comment of 2 bytes."""
    bits = Bits().u(2, 5).u(3, 4).u(0, 4).u(0, 3)
    bits.u(0, 4).u(1, 2).u(3, 4).u(2, 4).u(0, 4).u(1, 4).u(1, 2).u(0, 3).u(0, 4).u(0, 3)
    bits.u(0, 1).u(0, 4).u(1, 1).u(1, 4).u(1, 1).u(2, 4).u(0, 4)
    bits.u(0, -len(bits.text) % 8).u(2, 8).u(0x5A5A, 16)
    assert parse_config(config(with_sbr(bits))).sbr is True


@pytest.mark.parametrize("written", ["", "12", "1e90", "2b", "ff", "1180"])
def test_truncated_and_reserved_configs_are_damaged(written: str):
    with pytest.raises(BitstreamDamaged):
        parse_config(bytes.fromhex(written))


def test_every_two_bytes_are_a_config_or_damaged():
    for value in range(0, 1 << 16, 7):
        try:
            parse_config(value.to_bytes(2, "big") + b"\x55\x56\xe5\x9d\x48")
        except BitstreamDamaged:
            continue


@pytest.mark.parametrize(
    ("written", "aot"),
    [
        ("fff15080017ffc", 2),
        ("fff95080017ffc", 2),  # MPEG-2's id
        ("fff14c80017ffc", 2),
        ("fff11040017ffc", 1),
        ("fff15000017ffc", 2),  # channels are in the first frame's program config element
    ],
)
def test_adts_headers(written: str, aot: int):
    found = parse_adts(bytes.fromhex(written))
    assert (found.aot, found.sbr) == (aot, None)


@pytest.mark.parametrize("written", ["fffb9064000000", "fff1", "00000000000000", "fff17c80017ffc"])
def test_invalid_adts_headers_are_refused(written: str):
    """MP3, a truncated header, silence, a reserved rate."""
    with pytest.raises(BitstreamDamaged):
        parse_adts(bytes.fromhex(written))


@pytest.mark.parametrize(
    "written",
    [
        "56e135200011901fe7f976e002630bb319b1997189718981",  # ffmpeg -mpegts_flags latm
        "56e136200011b01fe7f97ee002630bb319b1997189718981",
        "56e1472000118004c40000200c4c61766336332e312e3130325c",  # program config element
    ],
)
def test_configurations_in_latm(written: str):
    found = parse_latm(bytes.fromhex(written))
    assert found is not None
    assert (found.object_type, found.sbr) == ("LC", None)


def test_latm_announces_sbr():
    """SBR is announced in front (object type 5) or, with version 1, behind the configuration.

    Version 0 does not state the length of the configuration.
    """
    start = Bits().u(0x2B7, 11).u(20, 13).u(0, 1).text
    in_front = Bits(start).u(0, 1).u(1, 1).u(0, 13).u(5, 5).u(6, 4).u(2, 4).u(3, 4).u(2, 5)
    behind = Bits(start).u(1, 1).u(0, 1).u(0, 2).u(255, 8).u(1, 1).u(0, 13).u(0, 2).u(37, 8)
    behind = with_sbr(behind.u(2, 5).u(6, 4).u(2, 4).u(0, 3))
    for bits in (in_front.u(0, 3), behind):
        found = parse_latm(config(bits.u(0, 40)))
        assert found is not None
        assert (found.object_type, found.sbr) == ("HE-AAC", True)


def test_latm_may_use_an_earlier_configuration():
    assert parse_latm(bytes.fromhex("56e18affc410a6367f03ff3f")) is None
    for written in ("", "56e0", "fff15080017ffc", "56e135200011", "56e135600011901fe7f976e0"):
        with pytest.raises(BitstreamDamaged):
            parse_latm(bytes.fromhex(written))


def test_framing_of_packets():
    assert packet_framing(bytes.fromhex("fff15080017ffc")) == "adts"
    assert packet_framing(bytes.fromhex("56e0d22000")) == "latm"
    assert packet_framing(bytes.fromhex("de02004c")) == "raw"
    assert packet_framing(b"") == "raw"
