"""Private metadata in the boxes of MP4, MOV, HEIF and AVIF: user data, item lists, keys, uuid boxes, image items, data tracks."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import islice

from mediaprep.model.media import PrivateItem
from mediaprep.probing.formats import isoitems, tagnames
from mediaprep.probing.formats.boxes import Box, BoxReader, fourcc
from mediaprep.probing.formats.exif import exif_items, xmp_items
from mediaprep.probing.formats.isotrack import IsoTrack

XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
USMT_UUID = bytes.fromhex("55534d5421d24fcebb88695cfac9c740")
_CODES = (  # QuickTime File Format, User Data Atoms; 3GPP TS 26.244, 8; iTunes; cameras (exiftool's QuickTime tags)
    ("location", "©xyz loci GPMF gps0"),
    (
        "device",
        "©mak ©mod ©mdl manu modl @mak @mod @sec info hinv FIRM LENS CAME MUID SETT HMMT mcvr smta CNMN CNFV CNCV cmid cmnm",
    ),
    ("maker", "AMBA NCDT NCTG MVTG PENT CNDM MMA LEIC QVMI"),
    (
        "owner",
        "©ART ©aut ©prd ©dir ©wrt ©own ©cpy ©prf ©src ©com aART auth perf cprt ownr apID ©hst ©pub ©cdk",
    ),
    (
        "comment",
        "©swr ©nam ©cmt ©des ©inf ©alb ©gen ©key ©lyr ©grp titl dscp desc ldes gnre albm kywd Xtra keyw catg purl sdes ID32",
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
_STRUCTURE = (
    frozenset(  # top-level boxes that hold what the file is made of, or are looked at below
        b"ftyp styp moov mdat moof mfra sidx ssix wide free skip pdin prft emsg meta meco udta uuid idat imda jp2h pnot PICT IDIT".split()
    )
    | {b"gps "}
)
_PLAIN_UUIDS = frozenset(  # Sony's profile box; PIFF's protection, track and sample encryption boxes: what is in the file, not whose
    bytes.fromhex(text)
    for text in (
        "50524f4621d24fcebb88695cfac9c740",
        "d08a4f1810f34a82b6c832d8aba183d3",
        "8974dbce7be74c5184f97148f9882554",
        "a2394f525a9b4f14a2446c427c648df4",
    )
)
UNREFERENCED = 64  # bytes of media data that no sample lies in: more are looked upon as hidden; real files have none
MAX_ITEMS = 200
MAX_BLOCKS = 10  # EXIF or XMP blocks of one file that are read


class _PrivateItems:
    """Collects items, each once and at most ``MAX_ITEMS``."""

    def __init__(self) -> None:
        self.items: dict[PrivateItem, None] = {}

    def add(self, *items: PrivateItem) -> None:
        for item in items:
            if len(self.items) < MAX_ITEMS:
                self.items[item] = None

    def one(self, kind: str, where: str) -> None:
        self.add(PrivateItem(kind=kind, where=where))


def from_file(
    reader: BoxReader,
    top: Sequence[Box],
    moov: Box | None,
    tracks: Sequence[IsoTrack],
    junk_from: int | None,
) -> tuple[PrivateItem, ...]:
    """Everything private that the boxes hold, and what lies behind the last of them; damage becomes faults."""
    found = _PrivateItems()
    if junk_from is not None and reader.window.at(junk_from, 2**16).strip(b"\0"):
        found.one("comment", "data behind the last box")
    for box in top:
        _one_box(reader, box, "", found)
        if box.kind not in _STRUCTURE and _holds_something(reader, box):
            found.one("maker", f"{box.name} box")
    if _unreferenced(top, tracks) > UNREFERENCED:
        found.one("comment", "media data of no track")
    if moov is not None:
        for box in reader.boxes(moov.body, moov.end):
            if box.kind == b"trak":
                for inner in reader.boxes(box.body, box.end):
                    _one_box(reader, inner, "moov/trak/", found)
            elif box.kind == b"mvhd":
                data = reader.payload(box, 12)
                if len(data) == 12 and any(data[4:12] if data[0] == 1 else data[4:8]):
                    found.one("time", "moov/mvhd/creation_time")
            else:
                _one_box(reader, box, "moov/", found)
    for track in tracks:
        _one_track(track, found)
    return tuple(found.items)


def _one_box(reader: BoxReader, box: Box, path: str, found: _PrivateItems) -> None:
    try:
        if box.kind == b"udta":
            _user_data(reader, box, f"{path}udta/", found)
        elif box.kind == b"meta":
            _meta(reader, box, f"{path}meta/", found)
        elif box.kind == b"uuid":
            _uuid(reader, box, path, found)
        elif box.kind in (b"gps ", b"IDIT"):
            found.one(_USER_DATA[box.kind], path + box.name.strip())
        elif box.kind in (b"free", b"skip") and _holds_something(reader, box):
            found.one("comment", f"{path}{box.name}")
    except (struct.error, IndexError) as problem:
        reader.fault(f"{box.name} at byte {box.start}: {problem}")


def _unreferenced(top: Sequence[Box], tracks: Sequence[IsoTrack]) -> int:
    """Bytes of ``mdat`` boxes beyond what the samples take; 0 where a track does not tell."""
    if not tracks or any(track.sample_bytes is None for track in tracks):
        return 0
    return sum(box.end - box.body for box in top if box.kind == b"mdat") - sum(
        track.sample_bytes or 0 for track in tracks
    )


def _holds_something(reader: BoxReader, box: Box) -> bool:
    """Whether a box that is to be skipped holds more than zeros or what a muxer says of itself (GPAC)."""
    data = reader.window.at(box.body, min(box.end - box.body, 2**16)).strip(b"\0")
    return bool(data) and not data.startswith(b"IsoMedia File Produced")


def _one_track(track: IsoTrack, found: _PrivateItems) -> None:
    where = f"track {track.id} ({track.codec})"
    if track.codec in _TRACK_ENTRIES:
        found.one(_TRACK_ENTRIES[track.codec], where)
    elif track.codec == "mebx":
        kinds = {tagnames.kind_of(key) for key in track.entry_keys}
        found.one("location" if "location" in kinds else "maker", where)


def _user_data(reader: BoxReader, udta: Box, path: str, found: _PrivateItems) -> None:
    for box in reader.boxes(udta.body, udta.end):
        if box.kind == b"meta":
            _meta(reader, box, f"{path}meta/", found)
        elif box.kind == b"XMP_":
            found.add(*xmp_items(reader.payload(box, 2**22), f"{path}XMP"))
        elif box.kind in _USER_DATA and _says_something(reader, box):
            found.one(_USER_DATA[box.kind], path + box.name)


def _says_something(reader: BoxReader, box: Box) -> bool:
    """QuickTime text is (length, language, bytes); 3GPP text has a full box header and a language: an empty one says nothing, nor does
    the name of the muxer that ffmpeg writes."""
    data = reader.payload(box, 256)
    if box.kind[:1] == b"\xa9":
        data = data[4:] if len(data) >= 4 else b""
    return bool(data.strip(b"\0 ")) and not data.startswith(b"Lavf")


def _meta(reader: BoxReader, meta: Box, path: str, found: _PrivateItems) -> None:
    """ISO's ``meta`` is a full box, QuickTime's is not: the first child tells."""
    head = reader.payload(meta, 12)
    start = meta.body if head[4:8] == b"hdlr" else meta.body + 4
    boxes = {box.kind: box for box in reader.boxes(start, meta.end)}
    if b"iinf" in boxes:
        _items(reader, meta, path, found)
    for box in boxes.values():
        if box.kind in (b"uuid", b"udta"):
            _one_box(reader, box, path, found)
        elif box.kind in (b"ID32", b"Xtra") or (
            box.kind in (b"xml ", b"bxml") and _holds_something(reader, box)
        ):
            found.one("comment", path + box.name.strip())
    if b"ilst" not in boxes:
        return
    keys = _keys(reader, boxes[b"keys"]) if b"keys" in boxes else []
    for item in reader.boxes(boxes[b"ilst"].body, boxes[b"ilst"].end):
        value = reader.child(item, b"data")
        if value is None or value.end - value.body <= 8:
            continue
        number = int.from_bytes(item.kind, "big")
        if keys and 0 < number <= len(keys):
            found.add(*tagnames.named(keys[number - 1], path + keys[number - 1]))
        elif item.kind == b"----":
            name = reader.child(item, b"name")
            text = (
                reader.payload(name, 256)[4:].decode("utf-8", "replace")
                if name is not None
                else "----"
            )
            found.add(*tagnames.named(text, f"{path}ilst/{text}"))
        elif item.kind in _USER_DATA:
            found.one(_USER_DATA[item.kind], f"{path}ilst/{fourcc(item.kind)}")


def _keys(reader: BoxReader, box: Box) -> list[str]:
    """Names of a ``keys`` box, in order: its entries are (size, namespace, name) like boxes."""
    return [
        reader.payload(entry, 256).decode("utf-8", "replace")
        for entry in reader.boxes(box.body + 8, box.end)
    ][:1000]


def _uuid(reader: BoxReader, box: Box, path: str, found: _PrivateItems) -> None:
    kind = reader.payload(box, 16)
    if kind == XMP_UUID:
        found.add(*xmp_items(reader.payload(box, 2**22)[16:], f"{path}uuid XMP"))
    elif kind == USMT_UUID:
        found.one("maker", f"{path}uuid USMT")
    elif kind not in _PLAIN_UUIDS and "trak" not in path:
        found.one("maker", f"{path}uuid {kind.hex()}")


def _items(reader: BoxReader, meta: Box, path: str, found: _PrivateItems) -> None:
    """EXIF (after a 4-byte offset to its TIFF header) and XMP items of HEIF and AVIF (ISO/IEC 23008-12, annex A)."""
    idat = reader.child(meta._replace(body=meta.body + 4), b"idat")
    items = (
        item
        for item in isoitems.read(reader, meta).items
        if item.kind == "Exif" or item.content_type == "application/rdf+xml"
    )
    for item in islice((item for item in items if item.extents), MAX_BLOCKS):
        offset, length = item.extents[0]
        offset += idat.body if item.in_idat and idat is not None else 0
        data = reader.window.at(offset, min(length or 2**20, 2**22))
        if item.kind == "Exif":
            found.add(*exif_items(data[4 + int.from_bytes(data[:4], "big") :], f"{path}Exif"))
        else:
            found.add(*xmp_items(data, f"{path}XMP"))


def items_end(reader: BoxReader, meta: Box) -> int:
    """One past the last byte of any item that lies in the file."""
    items = (item for item in isoitems.read(reader, meta).items if not item.in_idat)
    return max((start + length for item in items for start, length in item.extents), default=0)
