"""Name the colour space that an ICC profile describes, by its tags (ICC.1:2010)."""

from __future__ import annotations

import struct

MAX_TAGS = 100
_TAG_BYTES = 2**16  # of one tag that are read
# Distance of an XYZ column: profiles round differently, and the spaces differ by 0.02 and more.
_TOLERANCE = 0.003
# D50-adapted colorants, red, green and blue as X, Y, Z each: IEC 61966-2-1 (sRGB), Apple's Display
# P3 profile, Adobe RGB (1998) 4.3.1.2, ROMM RGB (ISO 22028-2), ITU-R BT.2020 adapted by Bradford's
# matrix.
_SPACES = {
    "sRGB": (0.4361, 0.2225, 0.0139, 0.3851, 0.7169, 0.0971, 0.1431, 0.0606, 0.7141),
    "Display P3": (0.5151, 0.2412, -0.0011, 0.2920, 0.6922, 0.0419, 0.1571, 0.0666, 0.7841),
    "Adobe RGB": (0.6097, 0.3111, 0.0195, 0.2053, 0.6257, 0.0609, 0.1492, 0.0632, 0.7446),
    "ProPhoto RGB": (0.7977, 0.2880, 0.0000, 0.1352, 0.7119, 0.0000, 0.0313, 0.0001, 0.8249),
    "BT.2020": (0.6735, 0.2791, -0.0019, 0.1656, 0.6753, 0.0299, 0.1251, 0.0456, 0.7972),
}
# Linear light of the encoded value 0.5 (IEC 61966-2-1); the tolerance admits gammas 2.17 to 2.30.
_SRGB_HALF, _HALF_TOLERANCE = 0.2140, 0.01
_PARAMETERS = {0: 1, 1: 3, 2: 4, 3: 5, 4: 7}  # of a parametric curve, by its function type


def colour_space(profile: bytes) -> str | None:
    """Return the name of the space; None if the data is not a profile.

    ``sRGB``, ``Display P3``, ``Adobe RGB``, ``ProPhoto RGB``, ``BT.2020``, ``CMYK``, ``Gray``, else
    the profile's own description.
    """
    if len(profile) < 132 or profile[36:40] != b"acsp":
        return None
    tags = _tags(profile)
    match profile[16:20]:
        case b"CMYK":
            return "CMYK"
        case b"GRAY":
            return "Gray"
        case b"RGB ":
            name = _matrix_space(tags)
            if name is not None:
                return name
    return _description(tags) or "a profile without a name"


def _tags(profile: bytes) -> dict[bytes, bytes]:
    count = min(struct.unpack_from(">I", profile, 128)[0], MAX_TAGS)
    table = profile[132 : 132 + 12 * count]
    entries = struct.iter_unpack(">4sII", table[: len(table) // 12 * 12])
    return {name: profile[start : start + min(size, _TAG_BYTES)] for name, start, size in entries}


def _matrix_space(tags: dict[bytes, bytes]) -> str | None:
    """Return the known space with these colorants; sRGB only with its tone curve."""
    columns = [_xyz(tags.get(name, b"")) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
    values = [value for column in columns for value in column]
    for name, known in _SPACES.items():
        if len(values) == len(known) and all(
            abs(a - b) < _TOLERANCE for a, b in zip(values, known, strict=True)
        ):
            half = _half(tags.get(b"gTRC", b""))
            is_srgb_curve = half is not None and abs(half - _SRGB_HALF) < _HALF_TOLERANCE
            if name != "sRGB" or is_srgb_curve:
                return name
    return None


def _xyz(tag: bytes) -> tuple[float, ...]:
    """Return X, Y, Z; () for another tag."""
    if tag[:4] != b"XYZ " or len(tag) < 20:
        return ()
    return tuple(value / 65536 for value in struct.unpack_from(">iii", tag, 8))


def _half(tag: bytes) -> float | None:
    """Return the linear light of the encoded value 0.5 by a tone curve; None for another tag."""
    if tag[:4] == b"curv" and len(tag) >= 14:
        return _half_of_samples(tag)
    if tag[:4] == b"para" and len(tag) >= 16:
        return _half_of_function(tag)
    return None


def _half_of_samples(tag: bytes) -> float | None:
    """Read a curveType (10.6): one gamma, or samples."""
    count = struct.unpack_from(">I", tag, 8)[0]
    values = struct.unpack_from(f">{min(count, (len(tag) - 12) // 2)}H", tag, 12)
    if count == 1:
        return float(0.5 ** (values[0] / 256))
    if not count or count > len(values):
        return None
    return float((values[(count - 1) // 2] + values[count // 2]) / 2 / 65535)


def _half_of_function(tag: bytes) -> float | None:
    """Evaluate a parametricCurveType (10.18)."""
    kind = struct.unpack_from(">H", tag, 8)[0]
    count = _PARAMETERS.get(kind)
    if count is None or len(tag) < 12 + 4 * count:
        return None
    values: list[float] = [value / 65536 for value in struct.unpack_from(f">{count}i", tag, 12)]
    g, a, b, c, d, e, f = values + [0.0] * (7 - count)
    if kind == 0:
        return float(0.5**g)
    base = a * 0.5 + b
    power = float(base**g) if base > 0 else 0.0
    if kind < 3:
        return power + (c if kind == 2 else 0.0)
    return power + e if d <= 0.5 else c * 0.5 + f


def _description(tags: dict[bytes, bytes]) -> str | None:
    tag = tags.get(b"desc", b"")
    if tag[:4] == b"desc" and len(tag) >= 12:
        text = tag[12 : 12 + struct.unpack_from(">I", tag, 8)[0]].decode("latin-1")
    elif tag[:4] == b"mluc" and len(tag) >= 28:
        size, start = struct.unpack_from(">II", tag, 20)
        text = tag[start : start + size].decode("utf-16-be", "replace")
    else:
        return None
    return "".join(char for char in text[:80] if char.isprintable()).strip() or None
