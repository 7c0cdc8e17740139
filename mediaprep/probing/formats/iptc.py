"""Find private facts in IPTC records (IPTC-IIM 4.2)."""

from __future__ import annotations

import struct

from mediaprep.model.media import PrivateItem

MAX_DATASETS = 500
_APPLICATION_RECORD = b"\x1c\x02"  # the tag marker, and record 2
_KINDS = {  # by the number of the dataset
    **dict.fromkeys((26, 27, 90, 92, 95, 100, 101), "location"),
    **dict.fromkeys((65, 70), "device"),
    **dict.fromkeys((80, 85, 110, 115, 116, 118, 122), "owner"),
    **dict.fromkeys((5, 25, 40, 105, 120), "comment"),
    **dict.fromkeys((30, 35, 55, 60, 62, 63), "time"),
}


def iptc_items(data: bytes, where: str = "IPTC") -> list[PrivateItem]:
    """Return the private facts of records, bare or in Photoshop's image resource 0x0404.

    Each kind is returned once.
    """
    at = data.find(_APPLICATION_RECORD)
    kinds: list[str | None] = []
    while at >= 0 and at + 5 <= len(data) and data[at] == 0x1C and len(kinds) < MAX_DATASETS:
        dataset, length = data[at + 2], struct.unpack_from(">H", data, at + 3)[0]
        if length & 0x8000:  # an extended dataset
            break
        if data[at + 1] == 2 and length:
            kinds.append(_KINDS.get(dataset))
        at += 5 + length
    return [PrivateItem(kind=kind, where=where) for kind in dict.fromkeys(kinds) if kind]
