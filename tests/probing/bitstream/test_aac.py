"""AudioSpecificConfigs and ADTS headers as bytes; expected values by ISO/IEC 14496-3."""

from __future__ import annotations

import pytest

from mediaprep.probing.bitstream.aac import (
    packet_framing,
    parse_adts,
    parse_config,
    parse_latm,
)
from mediaprep.probing.bitstream.bits import BitstreamDamaged
from tests.probing.bitstream.bitwriter import Bits


def config(bits: Bits) -> bytes:
    text = bits.text + "0" * (-len(bits.text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (
            "1210",
            {
                "aot": 2,
                "sample_rate": 44100,
                "channels": 2,
                "sbr": None,
                "ps": None,
                "frame_length": 1024,
                "object_type": "LC",
            },
        ),
        (
            "119056e500",
            {"aot": 2, "sample_rate": 48000, "channels": 2, "sbr": False, "object_type": "LC"},
        ),  # ffmpeg's own
        ("11b056e500", {"channels": 6, "channel_configuration": 6}),
        ("11e056e500", {"channels": 8, "channel_configuration": 12}),
        (
            "118004c40000200c4c61766336332e312e31303256e500",
            {"channel_configuration": 0, "channels": 2, "sbr": False},
        ),  # ffmpeg -aac_pce 1
        (
            "131056e598",
            {
                "aot": 2,
                "sample_rate": 24000,
                "sbr": True,
                "extension_rate": 48000,
                "object_type": "HE-AAC",
            },
        ),  # 0x2b7
        (
            "131056e59d4880",
            {"sbr": True, "ps": True, "extension_rate": 48000, "object_type": "HE-AACv2"},
        ),  # 0x2b7, 0x548
        (
            "2b920800",
            {
                "aot": 2,
                "sample_rate": 22050,
                "sbr": True,
                "ps": None,
                "extension_rate": 44100,
                "object_type": "HE-AAC",
            },
        ),  # AOT 5
        (
            "eb8a0800",
            {
                "aot": 2,
                "sbr": True,
                "ps": True,
                "channel_configuration": 1,
                "extension_rate": 44100,
                "object_type": "HE-AACv2",
            },
        ),
        ("0a10", {"aot": 1, "object_type": "Main"}),
        ("1a10", {"aot": 3, "object_type": "SSR"}),
        ("2210", {"aot": 4, "object_type": "LTP"}),
        ("1214", {"aot": 2, "frame_length": 960}),
        ("ba1000", {"aot": 23, "frame_length": 512, "object_type": "LD"}),
    ],
)
def test_audio_specific_configs(written: str, expected: dict[str, object]):
    found = parse_config(bytes.fromhex(written))
    assert {name: getattr(found, name) for name in expected} == expected


def test_object_types_above_31_are_escaped():
    usac = parse_config(config(Bits().u(31, 5).u(42 - 32, 6).u(3, 4).u(2, 4).u(0, 16)))
    assert (usac.aot, usac.object_type, usac.sample_rate, usac.channels) == (
        42,
        "xHE-AAC",
        48000,
        2,
    )
    eld = parse_config(
        config(Bits().u(31, 5).u(39 - 32, 6).u(4, 4).u(1, 4).u(1, 1).u(0, 3).u(1, 1).u(0, 16))
    )
    assert (eld.object_type, eld.frame_length, eld.sbr) == ("ELD", 480, True)


def test_a_rate_of_its_own():
    found = parse_config(config(Bits().u(2, 5).u(15, 4).u(12345, 24).u(1, 4).u(0, 3)))
    assert (found.sample_rate, found.channels) == (12345, 1)


def test_down_sampled_sbr_keeps_the_rate():
    found = parse_config(config(Bits().u(5, 5).u(3, 4).u(2, 4).u(3, 4).u(2, 5).u(0, 3)))
    assert (found.sbr, found.sample_rate, found.extension_rate) == (True, 48000, 48000)


def test_channels_of_a_program_config_element_are_counted():
    """Front: one single, one pair; side none; back: one pair; one LFE: 5.1."""
    bits = Bits().u(2, 5).u(3, 4).u(0, 4).u(0, 3)
    bits.u(0, 4).u(1, 2).u(3, 4).u(2, 4).u(0, 4).u(1, 4).u(1, 2).u(0, 3).u(0, 4).u(0, 3)
    bits.u(0, 1).u(0, 4).u(1, 1).u(1, 4).u(1, 1).u(2, 4).u(0, 4)
    bits.u(0, -len(bits.text) % 8).u(0, 8)
    assert parse_config(config(bits)).channels == 6


@pytest.mark.parametrize("written", ["", "12", "1e90", "2b", "ff", "1180"])
def test_configs_cut_short_or_reserved_are_damaged(written: str):
    with pytest.raises(BitstreamDamaged):
        parse_config(bytes.fromhex(written))


def test_every_two_bytes_are_a_config_or_damaged():
    for value in range(0, 1 << 16, 7):
        try:
            parse_config(value.to_bytes(2, "big") + b"\x55\x56\xe5\x9d\x48")
        except BitstreamDamaged:
            continue


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("fff15080017ffc", (2, 44100, 2, 2)),
        ("fff95080017ffc", (2, 44100, 2, 2)),  # MPEG-2's id
        ("fff14c80017ffc", (2, 48000, 2, 2)),
        ("fff11040017ffc", (1, 44100, 1, 1)),
        ("fff15000017ffc", (2, 44100, 0, None)),  # channels are in the first frame's PCE
    ],
)
def test_adts_headers(written: str, expected: tuple[int, ...]):
    found = parse_adts(bytes.fromhex(written))
    assert (found.aot, found.sample_rate, found.channel_configuration, found.channels) == expected


@pytest.mark.parametrize("written", ["fffb9064000000", "fff1", "00000000000000", "fff17c80017ffc"])
def test_invalid_adts_headers_are_refused(written: str):
    """MP3, a truncated header, silence, a reserved rate."""
    with pytest.raises(BitstreamDamaged):
        parse_adts(bytes.fromhex(written))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (
            "56e135200011901fe7f976e002630bb319b1997189718981",
            ("LC", 48000, 2, None),
        ),  # ffmpeg -mpegts_flags latm
        ("56e136200011b01fe7f97ee002630bb319b1997189718981", ("LC", 48000, 6, None)),
        (
            "56e1472000118004c40000200c4c61766336332e312e3130325c",
            ("LC", 48000, 2, None),
        ),  # channels in a program config element
    ],
)
def test_configurations_in_latm(written: str, expected: tuple[object, ...]):
    found = parse_latm(bytes.fromhex(written))
    assert found is not None
    assert (found.object_type, found.sample_rate, found.channels, found.sbr) == expected


def test_latm_announces_sbr():
    """SBR is announced in front (object type 5) or, with version 1, behind the configuration.

    Version 0 does not state the length of the configuration.
    """
    start = Bits().u(0x2B7, 11).u(20, 13).u(0, 1)
    hierarchical = parse_latm(
        config(
            Bits(start.text)
            .u(0, 1)
            .u(1, 1)
            .u(0, 13)
            .u(5, 5)
            .u(6, 4)
            .u(2, 4)
            .u(3, 4)
            .u(2, 5)
            .u(0, 3)
            .u(0, 40)
        )
    )
    assert hierarchical is not None
    assert (hierarchical.object_type, hierarchical.sample_rate, hierarchical.extension_rate) == (
        "HE-AAC",
        24000,
        48000,
    )
    behind = Bits(start.text).u(1, 1).u(0, 1).u(0, 2).u(255, 8).u(1, 1).u(0, 13).u(0, 2).u(37, 8)
    behind = behind.u(2, 5).u(6, 4).u(2, 4).u(0, 3).u(0x2B7, 11).u(5, 5).u(1, 1).u(3, 4).u(0, 40)
    extended = parse_latm(config(behind))
    assert extended is not None
    assert (extended.object_type, extended.sbr, extended.extension_rate) == ("HE-AAC", True, 48000)


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
