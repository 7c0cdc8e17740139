"""Write RIFF files for tests."""

from __future__ import annotations

import struct


def riff_file(*chunks, form=b"WEBP", size=None):
    body = form + b"".join(
        kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) & 1)
        for kind, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body) if size is None else size) + body
