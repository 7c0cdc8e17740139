"""Parse and format exact values: rates, sizes, durations, bit rates, ratios.

Every parser raises ValueError with the accepted forms.
"""

from __future__ import annotations

import re
from fractions import Fraction

MB = 10**6
MIB = 2**20
PICTURE_PIXELS_MAX = 64_000_000  # of one picture; larger ones are not decoded (docs/security.md)
_NUMBER = r"(\d+(?:\.\d+)?)"
_NTSC_TOLERANCE = Fraction(1, 200)  # frames per second: 29.97 and 23.98 are within it


def parse_rate(text: str) -> Fraction:
    """Parse frames per second: ``"60"``, ``"30000/1001"``, ``"29.97"``.

    NTSC decimals snap to N*1000/1001: 29.97 is 30000/1001.
    """
    if re.fullmatch(r"\d+/0*[1-9]\d*", text.strip()):
        return Fraction(text.strip())
    if not re.fullmatch(_NUMBER, text.strip()):
        raise ValueError(
            f"invalid frame rate {text!r}; expected a number such as 30, 29.97 or 30000/1001"
        )
    value = Fraction(text.strip())
    ntsc = Fraction(round(value * Fraction(1001, 1000)) * 1000, 1001)
    return ntsc if value.denominator != 1 and abs(value - ntsc) < _NTSC_TOLERANCE else value


def parse_bytes(text: str) -> tuple[Fraction, str]:
    """Parse a size: ``"512 MB"`` -> (512, "MB"); units B, kB, MB, GB, KiB, MiB, GiB."""
    found = re.fullmatch(_NUMBER + r"\s*(B|kB|KB|MB|GB|KiB|MiB|GiB)", text.strip())
    if not found:
        raise ValueError(
            f"invalid size {text!r}; expected a number and B, kB, MB, GB, KiB, MiB or GiB, "
            "such as 15MB"
        )
    return Fraction(found[1]), "kB" if found[2] == "KB" else found[2]


_DECIMAL = {"B": 1, "kB": 10**3, "MB": MB, "GB": 10**9, "KiB": 2**10, "MiB": MIB, "GiB": 2**30}
_BINARY = _DECIMAL | {"kB": 2**10, "MB": MIB, "GB": 2**30}


def bytes_written(number: Fraction, unit: str) -> int:
    """Return the bytes that an output may have: 10^6 per MB."""
    return int(number * _DECIMAL[unit])


def bytes_judged(number: Fraction, unit: str) -> int:
    """Return the bytes that a source may have: 2^20 per MB, as servers count."""
    return int(number * _BINARY[unit])


def parse_bit_rate(text: str) -> int:
    """Parse bit/s: ``"2048k"``, ``"5 Mbit/s"``, ``"128 kbit/s"``, ``"96000"`` (k = 1000)."""
    found = re.fullmatch(_NUMBER + r"\s*(k|M|kbit/s|Mbit/s|bit/s|)", text.strip())
    if not found:
        raise ValueError(
            f"invalid bit rate {text!r}; expected a number with k, M, kbit/s or Mbit/s, "
            "such as 2048k"
        )
    return int(Fraction(found[1]) * {"k": 1000, "M": 10**6, "": 1, "b": 1}[found[2][:1]])


def parse_duration(text: str) -> Fraction:
    """Parse seconds: ``"140 s"``, ``"139.9"``, ``"2:20"``, ``"1:02:03.5"``, ``"20 min"``."""
    text = text.strip()
    if found := re.fullmatch(_NUMBER + r"\s*(ms|s|min|h|)", text):
        return Fraction(found[1]) * {
            "ms": Fraction(1, 1000),
            "min": Fraction(60),
            "h": Fraction(3600),
        }.get(found[2], Fraction(1))
    if found := re.fullmatch(r"(?:(\d+):)?(\d{1,2}):([0-5]?\d(?:\.\d+)?)", text):
        return int(found[1] or 0) * 3600 + int(found[2]) * 60 + Fraction(found[3])
    raise ValueError(
        f"invalid duration {text!r}; expected seconds, M:SS or a number with ms, s, min or h, "
        "such as 139.9 s"
    )


def parse_size(text: str) -> tuple[int, int]:
    """Parse a picture size: ``"1280x720"`` -> (1280, 720)."""
    found = re.fullmatch(r"(\d+)\s*[xX×]\s*(\d+)", text.strip())
    if not found:
        raise ValueError(f"invalid picture size {text!r}; expected WIDTHxHEIGHT, such as 1280x720")
    return int(found[1]), int(found[2])


def parse_ratio(text: str) -> Fraction:
    """Parse a ratio: ``"16:9"``, ``"16/9"`` or ``"1.5"``."""
    found = re.fullmatch(_NUMBER + r"(?:\s*[:/]\s*" + _NUMBER + ")?", text.strip())
    if not found or (found[2] and Fraction(found[2]) == 0):
        raise ValueError(f"invalid ratio {text!r}; expected W:H, such as 16:9")
    return Fraction(found[1]) / Fraction(found[2] or 1)


def rate_text(rate: Fraction) -> str:
    """Format a rate with at most three decimals: 30000/1001 -> ``29.97``."""
    return _decimal(rate, 3)


def duration_text(seconds: Fraction) -> str:
    """Format seconds with as many decimals as needed, at most 4: ``140.0065 s``, ``12 s``."""
    return f"{_decimal(seconds, 4)} s"


def ratio_text(ratio: Fraction) -> str:
    """Format a ratio: 4/3 -> ``4:3``."""
    return f"{ratio.numerator}:{ratio.denominator}"


def size_text(size: tuple[int, int]) -> str:
    """Format a picture size: (1280, 720) -> ``1280x720``."""
    return f"{size[0]}x{size[1]}"


def bit_rate_text(bit_rate: int) -> str:
    """Format bit/s: 2048000 -> ``2048 kbit/s``."""
    return f"{round(bit_rate / 1000)} kbit/s"


def bytes_text(count: int) -> str:
    """Format bytes with decimal units: ``37.9 MB`` (10^6), ``812 kB``, ``17 B``."""
    for unit, size in (("GB", 10**9), ("MB", MB), ("kB", 1000)):
        if count >= size:
            digits = ".3g" if count < 100 * size else ".0f"
            return f"{count / size:{digits}} {unit}"
    return f"{count} B"


def _decimal(value: Fraction, places: int) -> str:
    text = f"{float(value):.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
