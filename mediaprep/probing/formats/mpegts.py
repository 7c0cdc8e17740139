"""MPEG transport streams by their tables (ISO/IEC 13818-1): the elementary streams of the first programs, ID3 among them."""

from __future__ import annotations

from dataclasses import dataclass

from mediaprep.probing.formats.streams import SYNC, transport_packets
from mediaprep.probing.formats.window import Readable, Window

_HEAD = (
    2**20
)  # tables repeat at least every 0.5 s (ETSI TR 101 154); a megabyte is that at 16 Mbit/s
_VIDEO = {0x01, 0x02, 0x10, 0x1B, 0x20, 0x21, 0x24, 0x33, 0x42, 0xD1, 0xEA}
_AUDIO = {0x03, 0x04, 0x0F, 0x11, 0x1C, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87}
_METADATA = 0x15


@dataclass(frozen=True, slots=True, kw_only=True)
class TsStream:
    """One elementary stream: its packet identifier, stream type, and kind: video, audio, metadata (ID3) or data."""

    pid: int
    type: int
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TsFacts:
    """``packet_bytes`` 188, 192 or 204; ``streams`` of all programs found, () where no table came; ``whole_packets``:
    no part of a packet at the end."""

    packet_bytes: int
    streams: tuple[TsStream, ...]
    whole_packets: bool


def walk(source: Readable) -> TsFacts | None:
    """Read the tables at the beginning. None: not a transport stream."""
    window = Window(source, _HEAD)
    head = window.at(0, min(_HEAD, window.size))
    shape = transport_packets(head[:65536], window.size)
    if shape is None:
        return None
    packet, offset = shape
    programs: set[int] = set()
    streams: dict[int, TsStream] = {}
    for at in range(offset, len(head) - 187, packet):
        if (
            head[at] != SYNC or not head[at + 1] & 0x40
        ):  # the first packet of a section has the start indicator
            continue
        pid = (head[at + 1] & 0x1F) << 8 | head[at + 2]
        if pid == 0:
            programs |= _programs(_section(head[at : at + 188]))
        elif pid in programs:
            streams |= _streams(_section(head[at : at + 188]))
            programs.discard(pid)
            if not programs:
                break
    leading = 4 if packet == 192 else 0
    return TsFacts(
        packet_bytes=packet,
        streams=tuple(streams.values()),
        whole_packets=(window.size - offset + leading) % packet == 0,
    )


def _section(packet: bytes) -> bytes:
    """The table section that begins in a packet, as far as it lies in it."""
    at = 4 + (1 + packet[4] if packet[3] & 0x20 else 0)
    if not packet[3] & 0x10 or at >= len(packet):
        return b""
    return packet[at + 1 + packet[at] :]


def _programs(section: bytes) -> set[int]:
    if len(section) < 12 or section[0] != 0x00:
        return set()
    end = min(3 + ((section[1] & 15) << 8 | section[2]) - 4, len(section) - 3)
    entries = (section[at : at + 4] for at in range(8, end, 4))
    return {(entry[2] & 0x1F) << 8 | entry[3] for entry in entries if entry[:2] != b"\0\0"}


def _streams(section: bytes) -> dict[int, TsStream]:
    if len(section) < 12 or section[0] != 0x02:
        return {}
    end = min(3 + ((section[1] & 15) << 8 | section[2]) - 4, len(section) - 4)
    at = 12 + ((section[10] & 15) << 8 | section[11])
    found = {}
    while at < end:
        kind, pid = section[at], (section[at + 1] & 0x1F) << 8 | section[at + 2]
        length = (section[at + 3] & 15) << 8 | section[at + 4]
        name = (
            "video"
            if kind in _VIDEO
            else "audio"
            if kind in _AUDIO
            else "metadata"
            if kind == _METADATA
            else "data"
        )
        if name == "data" and b"ID3 " in section[at + 5 : at + 5 + length]:
            name = "metadata"
        found[pid] = TsStream(pid=pid, type=kind, kind=name)
        at += 5 + length
    return found
