"""The bit rate that a limit of bytes leaves to the picture."""

from __future__ import annotations

from fractions import Fraction

from mediaprep.targets.frame_rate import FRAME_RATE_MAX

# Bytes of an MP4 besides the streams: the head, and tables for each frame and for each second of
# sound.
_HEAD_BYTES = 4000
_FRAME_BYTES = 16
_SOUND_BYTES_PER_SECOND = 300
# bit/s of a copied sound of unknown bit rate: the most that stereo AAC LC encoders produce.
_COPIED_SOUND_BIT_RATE = 320_000


def affordable_bit_rate(
    limit: int, length: Fraction, sound_bit_rate: int | None, rate: Fraction | None
) -> int:
    """Return the bit/s of the picture with which a file of ``length`` seconds has ``limit`` bytes.

    Sound and container are included. ``sound_bit_rate``: None = unknown, 0 = no sound. The result
    may be 0 or less.
    """
    tables = (rate or FRAME_RATE_MAX) * _FRAME_BYTES
    if sound_bit_rate != 0:
        tables += _SOUND_BYTES_PER_SECOND
    whole = int((limit - _HEAD_BYTES - length * tables) * 8 / length)
    return whole - (_COPIED_SOUND_BIT_RATE if sound_bit_rate is None else sound_bit_rate)
