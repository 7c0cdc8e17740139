"""Read the tables of an MPEG transport stream (ISO/IEC 13818-1): the streams of its programs."""

from __future__ import annotations

from dataclasses import dataclass

from mediaprep.model.media import PrivateItem
from mediaprep.probing.formats.window import Window
from mediaprep.probing.identify.sniffed import Sniffed, recognised
from mediaprep.runtime.source import Readable

SYNC = 0x47
PACKET_SIZES = (188, 192, 204)
_CONSECUTIVE = 8  # packets that must begin with the sync byte
_DETECT_BYTES = 2**16
# Tables repeat at least every 0.5 s (ETSI TR 101 154): within a megabyte up to 16 Mbit/s.
_HEAD = 2**20
_VIDEO = {0x01, 0x02, 0x10, 0x1B, 0x20, 0x21, 0x24, 0x33, 0x42, 0xD1, 0xEA}
_AUDIO = {0x03, 0x04, 0x0F, 0x11, 0x1C, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87}
_METADATA = 0x15


@dataclass(frozen=True, slots=True, kw_only=True)
class TsStream:
    """One elementary stream; its kind is video, audio, metadata (ID3) or data."""

    pid: int
    type: int
    kind: str


def detect(source: Readable, head: bytes) -> Sniffed | None:
    """Recognise consecutive packets by their sync bytes."""
    found = transport_packets(head, source.size_bytes) is not None
    return recognised("mpegts") if found else None


def private_items(source: Readable) -> list[PrivateItem]:
    """Return the metadata streams."""
    return [
        PrivateItem(kind="comment", where=f"ID3 stream 0x{stream.pid:x}")
        for stream in streams(source) or ()
        if stream.kind == "metadata"
    ]


def transport_packets(head: bytes, size: int) -> tuple[int, int] | None:
    """Return (packet size, offset of the first sync byte); None for another format."""
    for packet in PACKET_SIZES:
        first = 4 if packet == 192 else 0
        for offset in (first, *range(2 * packet)):
            if _packets_follow(head, size, packet, offset):
                return packet, offset
    return None


def _packets_follow(head: bytes, size: int, packet: int, offset: int) -> bool:
    """Return True if packets of this size begin at ``offset``, as many as the file may hold."""
    if head[offset : offset + 1] != b"\x47":
        return False
    marks = head[offset::packet][:_CONSECUTIVE]
    if len(marks) < min(_CONSECUTIVE, max(1, (size - offset) // packet)):
        return False
    if len(marks) < 3 and size != offset + packet * len(marks):
        return False
    # adaptation field control 0 is reserved: ISO/IEC 13818-1, 2.4.3.3
    controls = head[offset + 3 :: packet][: len(marks)]
    return marks.count(SYNC) == len(marks) and all(control & 0x30 for control in controls)


def streams(source: Readable) -> tuple[TsStream, ...] | None:
    """Return the streams of all programs in the first tables; None for another format."""
    window = Window(source, _HEAD)
    head = window.at(0, min(_HEAD, window.size))
    layout = transport_packets(head[:_DETECT_BYTES], window.size)
    if layout is None:
        return None
    packet, offset = layout
    programs: set[int] = set()
    found: dict[int, TsStream] = {}
    for at in range(offset, len(head) - 187, packet):
        if head[at] != SYNC or not head[at + 1] & 0x40:
            continue  # only the first packet of a section has the start indicator
        pid = (head[at + 1] & 0x1F) << 8 | head[at + 2]
        if pid == 0:
            programs |= _programs(_section(head[at : at + 188]))
        elif pid in programs:
            found |= _streams(_section(head[at : at + 188]))
            programs.discard(pid)
            if not programs:
                break
    return tuple(found.values())


def _section(packet: bytes) -> bytes:
    """Return the table section that begins in a packet, as far as the packet holds it."""
    at = 4 + (1 + packet[4] if packet[3] & 0x20 else 0)
    if not packet[3] & 0x10 or at >= len(packet):
        return b""
    return packet[at + 1 + packet[at] :]


def _programs(section: bytes) -> set[int]:
    """Return the packet identifiers of the program map tables (2.4.4.3)."""
    if len(section) < 12 or section[0] != 0x00:
        return set()
    end = min(3 + ((section[1] & 15) << 8 | section[2]) - 4, len(section) - 3)
    entries = (section[at : at + 4] for at in range(8, end, 4))
    return {(entry[2] & 0x1F) << 8 | entry[3] for entry in entries if entry[:2] != b"\0\0"}


def _streams(section: bytes) -> dict[int, TsStream]:
    """Return the streams of a program map table (2.4.4.8) by packet identifier."""
    if len(section) < 12 or section[0] != 0x02:
        return {}
    end = min(3 + ((section[1] & 15) << 8 | section[2]) - 4, len(section) - 4)
    at = 12 + ((section[10] & 15) << 8 | section[11])
    found = {}
    while at < end:
        stream_type, pid = section[at], (section[at + 1] & 0x1F) << 8 | section[at + 2]
        length = (section[at + 3] & 15) << 8 | section[at + 4]
        kind = _kind(stream_type, section[at + 5 : at + 5 + length])
        found[pid] = TsStream(pid=pid, type=stream_type, kind=kind)
        at += 5 + length
    return found


def _kind(stream_type: int, descriptors: bytes) -> str:
    if stream_type in _VIDEO:
        return "video"
    if stream_type in _AUDIO:
        return "audio"
    return "metadata" if stream_type == _METADATA or b"ID3 " in descriptors else "data"
