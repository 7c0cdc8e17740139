"""List private metadata in the boxes of MP4, MOV, HEIF and AVIF.

User data, item lists, keys, uuid boxes, image items, data tracks.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from mediaprep.model.media import PrivateItem
from mediaprep.probing.formats import isoitems, tagnames
from mediaprep.probing.formats.boxes import Box, BoxReader, fourcc
from mediaprep.probing.formats.isotrack import IsoTrack

XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
USMT_UUID = bytes.fromhex("55534d5421d24fcebb88695cfac9c740")
# QuickTime File Format, User Data Atoms; 3GPP TS 26.244, 8; iTunes; cameras (exiftool's QuickTime
# tags)
_CODES = (
    ("location", "©xyz loci GPMF gps0"),
    (
        "device",
        "©mak ©mod ©mdl manu modl @mak @mod @sec info hinv FIRM LENS CAME MUID SETT HMMT mcvr smta "
        "CNMN CNFV CNCV cmid cmnm",
    ),
    ("maker", "AMBA NCDT NCTG MVTG PENT CNDM MMA LEIC QVMI"),
    (
        "owner",
        "©ART ©aut ©prd ©dir ©wrt ©own ©cpy ©prf ©src ©com aART auth perf cprt ownr apID ©hst ©pub "
        "©cdk",
    ),
    (
        "comment",
        "©swr ©nam ©cmt ©des ©inf ©alb ©gen ©key ©lyr ©grp titl dscp desc ldes gnre albm kywd Xtra "
        "keyw catg purl sdes ID32",
    ),
    ("time", "©day yrrc date purd IDIT ©ed1"),
    ("thumbnail", "covr thmb CNTH pict"),
)
_USER_DATA = {
    code.encode("latin-1").ljust(4): kind for kind, codes in _CODES for code in codes.split()
} | {b"gps ": "location"}
_TRACK_ENTRIES = {
    **dict.fromkeys(("gpmd", "camm", "gps "), "location"),
    **dict.fromkeys(("rtmd", "ameb", "amba"), "device"),
    "CTMD": "maker",
}
# Top-level boxes that are the structure of the file, or whose content is read below.
_STRUCTURE = frozenset(
    b"ftyp styp moov mdat moof mfra sidx ssix wide free skip pdin prft emsg meta meco udta uuid "
    b"idat imda jp2h pnot PICT IDIT".split()
) | {b"gps "}
# Sony's profile box; PIFF's protection, track and sample encryption boxes: nothing about a person.
_IMPERSONAL_UUIDS = frozenset(
    bytes.fromhex(text)
    for text in (
        "50524f4621d24fcebb88695cfac9c740",
        "d08a4f1810f34a82b6c832d8aba183d3",
        "8974dbce7be74c5184f97148f9882554",
        "a2394f525a9b4f14a2446c427c648df4",
    )
)
# More bytes of media data than this outside of all samples count as hidden data; files of cameras
# and encoders have none.
UNREFERENCED = 64
MAX_ITEMS = 200
MAX_BLOCKS = 10  # EXIF or XMP blocks of one file that are read
MAX_KEYS = 1000
_XMP_BYTES = 2**22
_SAMPLE_BYTES = 2**16  # of a box whose content is not known, examined for anything but zeros


class _PrivateItems:
    """Collects items, each once and at most ``MAX_ITEMS``."""

    def __init__(self) -> None:
        self.items: dict[PrivateItem, None] = {}

    def extend(self, items: Sequence[PrivateItem]) -> None:
        for item in items:
            if len(self.items) < MAX_ITEMS:
                self.items[item] = None

    def add(self, kind: str, where: str) -> None:
        self.extend((PrivateItem(kind=kind, where=where),))


def from_file(
    reader: BoxReader,
    top: Sequence[Box],
    moov: Box | None,
    tracks: Sequence[IsoTrack],
    junk_from: int | None,
) -> tuple[PrivateItem, ...]:
    """Return the private items of all boxes, and of data after the last; note damage."""
    found = _PrivateItems()
    if junk_from is not None and reader.window.holds_data(junk_from):
        found.add("comment", "data behind the last box")
    for box in top:
        _one_box(reader, box, "", found)
        if box.kind not in _STRUCTURE and _holds_data(reader, box):
            found.add("maker", f"{box.name} box")
    if _unreferenced(top, tracks) > UNREFERENCED:
        found.add("comment", "media data of no track")
    if moov is not None:
        _movie(reader, moov, found)
    for track in tracks:
        _one_track(track, found)
    return tuple(found.items)


def items_end(reader: BoxReader, meta: Box) -> int:
    """Return the offset after the last byte of any image item that lies in the file."""
    items = (item for item in isoitems.read(reader, meta).items if not item.in_idat)
    return max((start + length for item in items for start, length in item.extents), default=0)


def _movie(reader: BoxReader, moov: Box, found: _PrivateItems) -> None:
    for box in reader.boxes(moov.body, moov.end):
        if box.kind == b"trak":
            for inner in reader.boxes(box.body, box.end):
                _one_box(reader, inner, "moov/trak/", found)
        elif box.kind == b"mvhd":
            data = reader.payload(box, 12)
            if len(data) == 12 and any(data[4:12] if data[0] == 1 else data[4:8]):
                found.add("time", "moov/mvhd/creation_time")
        else:
            _one_box(reader, box, "moov/", found)


def _one_box(reader: BoxReader, box: Box, path: str, found: _PrivateItems) -> None:
    with reader.guarded(box):
        if box.kind == b"udta":
            _user_data(reader, box, f"{path}udta/", found)
        elif box.kind == b"meta":
            _meta(reader, box, f"{path}meta/", found)
        elif box.kind == b"uuid":
            _uuid(reader, box, path, found)
        elif box.kind in (b"gps ", b"IDIT"):
            found.add(_USER_DATA[box.kind], path + box.name.strip())
        elif box.kind in (b"free", b"skip") and _holds_data(reader, box):
            found.add("comment", f"{path}{box.name}")


def _unreferenced(top: Sequence[Box], tracks: Sequence[IsoTrack]) -> int:
    """Return the bytes of ``mdat`` boxes that no sample takes; 0 if a track states no sizes."""
    sizes = [track.sample_bytes for track in tracks if track.sample_bytes is not None]
    if not tracks or len(sizes) < len(tracks):
        return 0
    return sum(box.end - box.body for box in top if box.kind == b"mdat") - sum(sizes)


def _holds_data(reader: BoxReader, box: Box) -> bool:
    """Return True if a box holds more than zeros, or the note that GPAC leaves in unused space."""
    data = reader.window.at(box.body, min(box.end - box.body, _SAMPLE_BYTES)).strip(b"\0")
    return bool(data) and not data.startswith(b"IsoMedia File Produced")


def _one_track(track: IsoTrack, found: _PrivateItems) -> None:
    where = f"track {track.id} ({track.codec})"
    if track.codec in _TRACK_ENTRIES:
        found.add(_TRACK_ENTRIES[track.codec], where)
    elif track.codec == "mebx":
        kinds = {tagnames.kind_of(key) for key in track.entry_keys}
        found.add("location" if "location" in kinds else "maker", where)


def _user_data(reader: BoxReader, udta: Box, path: str, found: _PrivateItems) -> None:
    for box in reader.boxes(udta.body, udta.end):
        if box.kind == b"meta":
            _meta(reader, box, f"{path}meta/", found)
        elif box.kind == b"XMP_":
            found.extend(_xmp_items(reader.payload(box, _XMP_BYTES), f"{path}XMP"))
        elif box.kind in _USER_DATA and _has_text(reader, box):
            found.add(_USER_DATA[box.kind], path + box.name)


def _has_text(reader: BoxReader, box: Box) -> bool:
    """Return True unless a text is empty, or the name of ffmpeg's muxer.

    QuickTime's text is (length, language, bytes).
    """
    data = reader.payload(box, 256)
    if box.kind[:1] == b"\xa9":
        data = data[4:]
    return bool(data.strip(b"\0 ")) and not data.startswith(b"Lavf")


def _meta(reader: BoxReader, meta: Box, path: str, found: _PrivateItems) -> None:
    """Read a ``meta`` box: ISO's has version and flags, QuickTime's begins with its first child."""
    head = reader.payload(meta, 12)
    start = meta.body if head[4:8] == b"hdlr" else meta.body + 4
    boxes = {box.kind: box for box in reader.boxes(start, meta.end)}
    if b"iinf" in boxes:
        _image_items(reader, meta, path, found)
    for box in boxes.values():
        if box.kind in (b"uuid", b"udta"):
            _one_box(reader, box, path, found)
        elif box.kind in (b"ID32", b"Xtra") or (
            box.kind in (b"xml ", b"bxml") and _holds_data(reader, box)
        ):
            found.add("comment", path + box.name.strip())
    if b"ilst" in boxes:
        keys = _keys(reader, boxes[b"keys"]) if b"keys" in boxes else []
        for item in reader.boxes(boxes[b"ilst"].body, boxes[b"ilst"].end):
            _list_item(reader, item, keys, path, found)


def _list_item(
    reader: BoxReader, item: Box, keys: list[str], path: str, found: _PrivateItems
) -> None:
    """Read one entry of an ``ilst``: named by a key, by a text, or by its four characters."""
    value = reader.child(item, b"data")
    if value is None or value.end - value.body <= 8:
        return
    number = int.from_bytes(item.kind, "big")
    if keys and 0 < number <= len(keys):
        found.extend(tagnames.named(keys[number - 1], path + keys[number - 1]))
    elif item.kind == b"----":
        name = reader.child(item, b"name")
        text = "----"
        if name is not None:
            text = reader.payload(name, 256)[4:].decode("utf-8", "replace")
        found.extend(tagnames.named(text, f"{path}ilst/{text}"))
    elif item.kind in _USER_DATA:
        found.add(_USER_DATA[item.kind], f"{path}ilst/{fourcc(item.kind)}")


def _keys(reader: BoxReader, box: Box) -> list[str]:
    """Return the names of a ``keys`` box in order; its entries are (size, namespace, name)."""
    return [
        reader.payload(entry, 256).decode("utf-8", "replace")
        for entry in reader.boxes(box.body + 8, box.end)
    ][:MAX_KEYS]


def _uuid(reader: BoxReader, box: Box, path: str, found: _PrivateItems) -> None:
    kind = reader.payload(box, 16)
    if kind == XMP_UUID:
        found.extend(_xmp_items(reader.payload(box, _XMP_BYTES)[16:], f"{path}uuid XMP"))
    elif kind == USMT_UUID:
        found.add("maker", f"{path}uuid USMT")
    elif kind not in _IMPERSONAL_UUIDS and "trak" not in path:
        found.add("maker", f"{path}uuid {kind.hex()}")


def _xmp_items(data: bytes, where: str) -> list[PrivateItem]:
    from mediaprep.probing.formats.xmp import xmp_items  # local: few videos need it

    return xmp_items(data, where)


def _exif_items(data: bytes, where: str) -> list[PrivateItem]:
    from mediaprep.probing.formats.exif import exif_items  # local: videos do not need it

    return exif_items(data, where)


def _image_items(reader: BoxReader, meta: Box, path: str, found: _PrivateItems) -> None:
    """Read the EXIF and XMP items of HEIF and AVIF (ISO/IEC 23008-12, annex A).

    EXIF is preceded by a 4-byte offset to its TIFF header.
    """
    idat = reader.child(meta._replace(body=meta.body + 4), b"idat")
    metadata = (
        item
        for item in isoitems.read(reader, meta).items
        if item.extents and (item.kind == "Exif" or item.content_type == "application/rdf+xml")
    )
    for item in islice(metadata, MAX_BLOCKS):
        offset, length = item.extents[0]
        if item.in_idat and idat is not None:
            offset += idat.body
        data = reader.window.at(offset, min(length or 2**20, _XMP_BYTES))
        if item.kind == "Exif":
            tiff = data[4 + int.from_bytes(data[:4], "big") :]
            found.extend(_exif_items(tiff, f"{path}Exif"))
        else:
            found.extend(_xmp_items(data, f"{path}XMP"))
