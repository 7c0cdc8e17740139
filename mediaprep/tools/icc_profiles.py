"""Build ICC profiles: sRGB, and wide spaces that a container names without a profile."""

from __future__ import annotations

import struct

# D50-adapted colorants, red, green and blue as X, Y, Z each: Apple's Display P3 profile; ITU-R
# BT.2020 adapted by Bradford's matrix.
_COLORANTS = {
    "Display P3": (
        *(0.51512, 0.24120, -0.00105),
        *(0.29198, 0.69225, 0.04189),
        *(0.15710, 0.06657, 0.78407),
    ),
    "BT.2020": (
        *(0.67348, 0.27905, -0.00193),
        *(0.16566, 0.67534, 0.02998),
        *(0.12506, 0.04561, 0.79686),
    ),
}
_D50 = (0.9642, 1.0, 0.8249)
_HEADER_BYTES = 128
_CREATED = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
_CREATED_AT = slice(24, 36)  # in the header, ICC.1:2001-12, 6.1.8
_CURVE_POINTS = 1024


def srgb_profile() -> bytes:
    """Return an sRGB profile with a fixed creation time, so that outputs are reproducible."""
    from PIL import ImageCms

    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    data[_CREATED_AT] = _CREATED
    return bytes(data)


def named_profile(space: str | None) -> bytes | None:
    """Return a matrix profile (ICC.1:2001-12) with sRGB's tone curve; None for another space."""
    colorants = _COLORANTS.get(space or "")
    if colorants is None:
        return None
    tags = {
        b"wtpt": b"XYZ " + bytes(4) + _fixed(*_D50),
        b"cprt": b"text" + bytes(4) + b"none\0\0\0\0",
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"wide\0" + bytes(79),
    }
    curve = _tone_curve()
    for number, name in enumerate((b"r", b"g", b"b")):
        column = colorants[3 * number : 3 * number + 3]
        tags[name + b"XYZ"] = b"XYZ " + bytes(4) + _fixed(*column)
        tags[name + b"TRC"] = curve
    return _assembled(tags)


def _fixed(*values: float) -> bytes:
    """Return s15Fixed16Numbers."""
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def _tone_curve() -> bytes:
    """Return sRGB's transfer function (IEC 61966-2-1) as a sampled curve."""
    encoded = [number / (_CURVE_POINTS - 1) for number in range(_CURVE_POINTS)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in encoded]
    points = (round(value * 65535) for value in linear)
    return b"curv" + bytes(4) + struct.pack(f">I{_CURVE_POINTS}H", _CURVE_POINTS, *points)


def _assembled(tags: dict[bytes, bytes]) -> bytes:
    """Return header, tag table and tag data."""
    offset, table, body = _HEADER_BYTES + 4 + 12 * len(tags), b"", b""
    for name, data in tags.items():
        table += name + struct.pack(">II", offset + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    version, device_class = 0x02100000, b"mntr"
    size = struct.pack(">I", offset + len(body))
    head = size + bytes(4) + struct.pack(">I4s", version, device_class) + b"RGB XYZ " + _CREATED
    head += b"acsp" + bytes(28) + _fixed(*_D50) + bytes(48)
    return head + struct.pack(">I", len(tags)) + table + body
