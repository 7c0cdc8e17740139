"""Write small H.264 streams by the syntax tables, so that tests know every bit of them."""

from __future__ import annotations

from dataclasses import dataclass, field

P, B, I = 0, 1, 2  # noqa: E741 - slice_type (ITU-T H.264 table 7-6)


@dataclass
class Bits:
    text: str = ""

    def u(self, value: int, count: int) -> Bits:
        self.text += f"{value:0{count}b}" if count else ""
        return self

    def ue(self, *values: int) -> Bits:
        for value in values:
            code = f"{value + 1:b}"
            self.text += "0" * (len(code) - 1) + code
        return self

    def rbsp(self, header: bytes) -> bytes:
        """Return a NAL unit with stop bit, alignment and emulation prevention (7.4.1)."""
        text = self.text + "1"
        text += "0" * (-len(text) % 8)
        raw, out, zeros = int(text, 2).to_bytes(len(text) // 8, "big"), bytearray(header), 0
        for byte in raw:
            if zeros >= 2 and byte <= 3:
                out.append(3)
                zeros = 0
            out.append(byte)
            zeros = 0 if byte else zeros + 1
        return bytes(out)


@dataclass
class H264:
    """A sequence and a picture parameter set (ids 0), and slices that refer to them."""

    frame_mbs_only: bool = True
    profile_idc: int = 77
    constraints: int = 0
    level_idc: int = 30
    width_mbs: int = 20
    height_units: int = 15
    frame_num_bits: int = 4
    poc_bits: int = 6
    poc_type: int = 0
    vui: str = ""
    # What profiles with chroma_format_idc write after the id
    extra: Bits = field(default_factory=Bits)

    def sps(self) -> bytes:
        bits = Bits().u(self.profile_idc, 8).u(self.constraints, 8).u(self.level_idc, 8).ue(0)
        bits.text += self.extra.text
        bits.ue(self.frame_num_bits - 4, self.poc_type)
        if self.poc_type == 0:
            bits.ue(self.poc_bits - 4)
        elif self.poc_type == 1:
            bits.u(0, 1).ue(0, 0, 0)
        bits.ue(1).u(0, 1).ue(self.width_mbs - 1, self.height_units - 1).u(self.frame_mbs_only, 1)
        if not self.frame_mbs_only:
            bits.u(0, 1)
        bits.u(1, 1).u(0, 1).u(bool(self.vui), 1)
        bits.text += self.vui
        return bits.rbsp(b"\x67")

    def pps(self) -> bytes:
        return Bits().ue(0, 0).u(0, 2).ue(0, 0, 0).u(0, 3).ue(0, 0, 0).u(0, 3).rbsp(b"\x68")

    def slice(
        self,
        kind: int,
        *,
        idr: bool = False,
        first_mb: int = 0,
        frame_num: int = 0,
        field_of: str = "",
        poc: int = 0,
        used: bool = True,
        alike: bool = True,
    ) -> bytes:
        """Return a slice.

        ``field_of``: "top" or "bottom"; ``alike``: all slices of the picture have this type
        (slice_type 5 to 9).
        """
        bits = (
            Bits()
            .ue(first_mb, kind + 5 * alike, 0)
            .u(frame_num % (1 << self.frame_num_bits), self.frame_num_bits)
        )
        if not self.frame_mbs_only:
            bits.u(bool(field_of), 1)
            if field_of:
                bits.u(field_of == "bottom", 1)
        if idr:
            bits.ue(0)
        if self.poc_type == 0:
            bits.u(poc % (1 << self.poc_bits), self.poc_bits)
        bits.u(0x5A5A5A5A, 32)
        return bits.rbsp(bytes([(0x60 if used or idr else 0) | (5 if idr else 1)]))


def recovery(count: int = 0) -> bytes:
    """Return an SEI NAL unit with a recovery point (D.1.8)."""
    payload = Bits().ue(count).u(0b1000, 4)
    payload.text += "1" + "0" * (-(len(payload.text) + 1) % 8)
    body = int(payload.text, 2).to_bytes(len(payload.text) // 8, "big")
    return bytes([6, 6, len(body)]) + body + b"\x80"


def sei(kind: int, payload: bytes) -> bytes:
    return bytes([6, kind, len(payload)]) + payload + b"\x80"


def prefixed(*units: bytes, width: int = 4) -> bytes:
    return b"".join(len(unit).to_bytes(width, "big") + unit for unit in units)


def annexb(*units: bytes, long: bool = True) -> bytes:
    return b"".join((b"\0\0\0\1" if long else b"\0\0\1") + unit for unit in units)


def avcc(stream: H264, width: int = 4, sets: bool = True) -> bytes:
    """Return an AVCDecoderConfigurationRecord (ISO/IEC 14496-15 5.3.3.1)."""
    sps, pps = stream.sps(), stream.pps()
    if not sets:
        return bytes([1, stream.profile_idc, 0, stream.level_idc, 0xFC | (width - 1), 0xE0, 0])
    head = bytes([1, stream.profile_idc, 0, stream.level_idc, 0xFC | (width - 1), 0xE1])
    return head + len(sps).to_bytes(2, "big") + sps + b"\x01" + len(pps).to_bytes(2, "big") + pps
