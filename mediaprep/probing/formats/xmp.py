"""Find private facts in an XMP packet (ISO 16684-1) by the property names in use."""

from __future__ import annotations

import re
from functools import cache

from mediaprep.model.media import PrivateItem

_PACKET_BYTES = 2**22
_PROPERTIES = (
    (
        "location",
        r"exif:GPS(?!VersionID)\w+|Iptc4xmpCore:Location\b|photoshop:(?:City|State|Country)\b"
        r"|Iptc4xmpExt:Location\w+",
    ),
    (
        "device",
        r"tiff:(?:Make|Model)\b|aux:(?:SerialNumber|Lens\w*|Firmware)|exifEX:\w*(?:Serial|Lens)\w*",
    ),
    ("comment", r"xmp:CreatorTool\b|xmpMM:History\b"),
    (
        "owner",
        r"dc:(?:creator|rights|publisher|contributor)\b|xmpRights:\w+"
        r"|photoshop:(?:Credit|Source|AuthorsPosition|CaptionWriter)\b",
    ),
    (
        "owner",
        r"aux:OwnerName|exifEX:CameraOwnerName|plus:\w+|Iptc4xmpCore:CreatorContactInfo"
        r"|mwg-rs:\w+|Iptc4xmpExt:PersonInImage",
    ),
    (
        "comment",
        r"dc:(?:description|title|subject)\b|photoshop:(?:Headline|Instructions)\b"
        r"|exif:UserComment|lr:\w+|xmp:Label",
    ),
    ("time", r"xmp:(?:CreateDate|ModifyDate)\b|exif:DateTime\w+|photoshop:DateCreated"),
)


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[bytes]], ...]:
    """Compile the patterns when a packet is found: most files have none."""
    return tuple((kind, re.compile(pattern.encode())) for kind, pattern in _PROPERTIES)


def xmp_items(data: bytes, where: str = "XMP") -> list[PrivateItem]:
    """Return the private facts of a packet, one for each group of properties."""
    text = data[:_PACKET_BYTES]
    if b"\0<\0" in text[:64] or b"<\0" in text[:4]:  # UTF-16
        text = text.replace(b"\0", b"")
    found = ((kind, pattern.search(text)) for kind, pattern in _patterns())
    return [
        PrivateItem(kind=kind, where=f"{where}/{hit[0].decode('ascii', 'replace')}")
        for kind, hit in found
        if hit
    ]
