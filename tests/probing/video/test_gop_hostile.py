"""Any bytes: no exception, bounded work, and results of the declared types."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaprep.probing.bitstream.nal import _MOST_UNITS, length_size, unit_starts
from mediaprep.probing.video.gop_scanner import GopScanner, scanner_for
from mediaprep.probing.video.timing import frame_timing
from tests.probing.bitstream.bitwriter import H264, avcc
from tests.probing.demuxing import demux

CODECS = (
    "h264",
    "hevc",
    "vvc",
    "mpeg1video",
    "mpeg2video",
    "mpeg4",
    "vp8",
    "vp9",
    "av1",
    "prores",
    "nonsense",
)
STRUCTURES = {None, "closed", "closed-nonidr", "open", "gdr", "no-rap", "starts-mid-gop"}


def check(scanner: GopScanner) -> None:
    found = scanner.result()
    assert found.gop.structure in STRUCTURES
    assert (found.gop.structure is None) == (found.reason is not None)
    frame_timing(
        found.frame_pts or (),
        Fraction(1, 90000),
        declared=None,
        header_rate=found.stream.timing_rate,
    )


@pytest.mark.parametrize("codec", CODECS)
@settings(max_examples=60, deadline=None)
@given(
    extradata=st.none() | st.binary(max_size=60),
    packets=st.lists(st.binary(max_size=80), max_size=6),
    key=st.booleans(),
)
def test_random_bytes(codec: str, extradata: bytes | None, packets: list[bytes], key: bool):
    scanner = scanner_for(codec, extradata, Fraction(1, 90000))
    for number, packet in enumerate(packets):
        scanner.add(packet, number if number % 3 else None, key)
    check(scanner)


@pytest.mark.parametrize(
    "name",
    [
        *("open.mp4", "open.ts", "tff.mp4", "hevc_open.mp4", "hevc_field.mp4", "mpeg2_open.mpg"),
        *("mpeg4_open.mp4", "xvid.avi", "vp8.webm", "vp9.webm", "av1.mp4"),
    ],
)
def test_real_packets_with_random_damage(make: Callable[[str], Path], name: str):
    """Bytes are flipped, cut, repeated, replaced and inserted, mostly near the front."""
    track = demux(make(name))
    chance = random.Random(name)
    for _ in range(12):
        extradata = (
            damaged(chance, track.extradata or b"") if chance.random() < 0.5 else track.extradata
        )
        scanner = scanner_for(track.codec, extradata, track.time_base)
        for packet in track.packets[:40]:
            data = damaged(chance, packet.data[:3000]) if chance.random() < 0.6 else packet.data
            scanner.add(memoryview(data), packet.pts, chance.random() < 0.2)
        check(scanner)


def damaged(chance: random.Random, data: bytes) -> bytes:
    out = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at = min(int(chance.expovariate(1 / 30)), len(out))
        match chance.randint(0, 4):
            case 0 if at < len(out):
                out[at] ^= 1 << chance.randint(0, 7)
            case 1:
                del out[at + 1 :]
            case 2:
                out[at:at] = chance.choice(
                    [
                        b"\0\0\1",
                        b"\0\0\0\1",
                        b"\xff\xff\xff\xff",
                        b"\0\0\3",
                        bytes([chance.randint(0, 255)]) * 5,
                    ]
                )
            case 3:
                out[at : at + 4] = struct.pack(
                    ">I", chance.choice([0, 1, 255, 2**31, 2**32 - 1, len(out)])
                )
            case _:
                out[at:at] = out[: chance.randint(0, 40)]
    return bytes(out)


@pytest.mark.parametrize(
    "unit", [b"\0", b"\1\1", b"\0\0\1", b"\0\0\0\1", b"\0\0\1\xff", b"\0\0\0\1\x09"]
)
@pytest.mark.parametrize("width", [0, 1, 2, 4])
def test_a_packet_of_nothing_but_start_codes_is_not_read_to_its_end(unit: bytes, width: int):
    data = unit * (1_000_000 // len(unit))
    assert sum(1 for _ in unit_starts(data, width)) <= _MOST_UNITS
    length_size(data, width)


def test_parameter_sets_with_absurd_numbers():
    """Widths of 2^32 or a million reference frames are read or refused, never looped over."""
    for position in range(8, 100):
        sps = bytearray(H264().sps())
        sps[4:4] = b"\x00" * 4 + bytes([position])
        record = avcc(H264())[:6] + len(sps).to_bytes(2, "big") + bytes(sps) + b"\0"
        check(scanner_for("h264", record, Fraction(1, 25)))
