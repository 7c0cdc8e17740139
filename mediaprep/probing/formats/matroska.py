"""Matroska and WebM by their elements (RFC 8794, RFC 9559): sizes, tags, attachments, tracks; clusters are passed over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from mediaprep.errors import SourceUnreadable
from mediaprep.model.media import PrivateItem
from mediaprep.probing.formats import tagnames
from mediaprep.probing.formats.window import Readable, Window

MAX_ELEMENTS = 300_000
MAX_ITEMS = 200
_EBML, _SEGMENT, _VOID, _CLUSTER = 0x1A45DFA3, 0x18538067, 0xEC, 0x1F43B675
_INFO, _TRACKS, _TAGS, _ATTACHMENTS, _CHAPTERS, _CUES, _SEEK = (
    0x1549A966,
    0x1654AE6B,
    0x1254C367,
    0x1941A469,
    0x1043A770,
    0x1C53BB6B,
    0x114D9B74,
)
_LEVEL_1 = {_SEGMENT, _CLUSTER, _INFO, _TRACKS, _TAGS, _ATTACHMENTS, _CHAPTERS, _CUES, _SEEK, _EBML}
_DOCTYPE, _TITLE, _DATE = 0x4282, 0x7BA9, 0x4461
_TAG, _SIMPLE_TAG, _TAG_NAME, _TAG_STRING, _TAG_BINARY = 0x7373, 0x67C8, 0x45A3, 0x4487, 0x4485
_ATTACHED, _FILE_NAME, _MEDIA_TYPE = 0x61A7, 0x466E, 0x4660
_TRACK, _NUMBER, _TYPE, _CODEC, _LANGUAGE, _DEFAULT, _ENCODINGS, _ENCODING, _ENCRYPTION = (
    0xAE,
    0xD7,
    0x83,
    0x86,
    0x22B59C,
    0x88,
    0x6D80,
    0x6240,
    0x5035,
)
_EDITION, _CHAPTER = 0x45B9, 0xB6
_TYPES = {1: "video", 2: "audio", 17: "subtitle", 33: "data"}


class Element(NamedTuple):
    """One element: its identifier with the marker bits, start of its data, and its end (None: of unknown size)."""

    id: int
    start: int
    body: int
    end: int | None


class MatroskaTrack(NamedTuple):
    """One track: its number, kind (video, audio, subtitle, data), codec identifier, language, default flag, whether it is encrypted."""

    number: int
    kind: str
    codec: str
    language: str
    default: bool
    encrypted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MatroskaFacts:
    """What the elements say.

    doctype      matroska or webm
    tracks       in order; chapters: how many of the first edition; attachments: their file names
    clusters     that were passed over; cues: an index is there
    complete     the segment's size fits the file; None: its size is unknown (a live recording) and the last cluster is whole
    private      tags, title, date, attachments
    """

    doctype: str
    tracks: tuple[MatroskaTrack, ...] = ()
    chapters: int = 0
    attachments: tuple[str, ...] = ()
    clusters: int = 0
    cues: bool = False
    complete: bool | None = None
    incomplete_because: str | None = None
    private: tuple[PrivateItem, ...] = ()


class _ElementReader:
    def __init__(self, window: Window) -> None:
        self.window = window
        self.left = MAX_ELEMENTS

    def element(self, at: int, limit: int) -> Element | None:
        """The element at ``at``; None where none begins there."""
        head = self.window.at(at, min(12, limit - at))
        if not head or head[0] < 0x10 or self.left <= 0:
            return None
        self.left -= 1
        id_size = 9 - head[0].bit_length()
        first = head[id_size] if id_size < len(head) else 0
        length = 9 - first.bit_length()
        if not first or id_size + length > len(head):
            return None
        value = int.from_bytes(head[id_size : id_size + length], "big") & (1 << 7 * length) - 1
        body = at + id_size + length
        return Element(
            int.from_bytes(head[:id_size], "big"),
            at,
            body,
            None if value == (1 << 7 * length) - 1 else body + value,
        )

    def children(self, parent: Element) -> Iterator[Element]:
        """Elements of a master of known size; one that reaches past its parent is cut to it."""
        end = min(parent.end if parent.end is not None else self.window.size, self.window.size)
        at = parent.body
        while at < end:
            found = self.element(at, end)
            if found is None:
                return
            at = min(found.end if found.end is not None else end, end)
            yield found._replace(end=at)

    def text(self, element: Element, most: int = 512) -> str:
        """A string's first bytes."""
        return (
            self.window.at(element.body, min((element.end or 0) - element.body, most))
            .rstrip(b"\0")
            .decode("utf-8", "replace")
        )

    def number(self, element: Element) -> int:
        """An unsigned integer."""
        return int.from_bytes(
            self.window.at(element.body, min((element.end or 0) - element.body, 8)), "big"
        )


class _MatroskaFields:
    def __init__(self) -> None:
        self.tracks: list[MatroskaTrack] = []
        self.private: dict[PrivateItem, None] = {}
        self.attachments: list[str] = []
        self.chapters = 0
        self.clusters = 0
        self.cues = False

    def add(self, *items: PrivateItem) -> None:
        for item in items:
            if len(self.private) < MAX_ITEMS:
                self.private[item] = None


def walk(source: Readable) -> MatroskaFacts:
    """Read the structure. Raises: SourceUnreadable where no segment is there."""
    window = Window(source)
    reader = _ElementReader(window)
    header = reader.element(0, window.size)
    doctype = ""
    if header is not None and header.id == _EBML and header.end is not None:
        doctype = next(
            (reader.text(child) for child in reader.children(header) if child.id == _DOCTYPE),
            "matroska",
        )
    segment = (
        reader.element(header.end, window.size)
        if header is not None and header.end is not None
        else None
    )
    while segment is not None and segment.id == _VOID and segment.end is not None:
        segment = reader.element(segment.end, window.size)
    if segment is None or segment.id != _SEGMENT:
        raise SourceUnreadable(
            "a Matroska header without a segment: copy it again", rule="file-complete"
        )
    found = _MatroskaFields()
    complete, because = _segment(reader, segment, found)
    return MatroskaFacts(
        doctype=doctype,
        tracks=tuple(found.tracks),
        chapters=found.chapters,
        attachments=tuple(found.attachments),
        clusters=found.clusters,
        cues=found.cues,
        complete=complete,
        incomplete_because=because,
        private=tuple(found.private),
    )


def _segment(
    reader: _ElementReader, segment: Element, found: _MatroskaFields
) -> tuple[bool | None, str | None]:
    """Read what is on the first level; whether it is whole."""
    size = reader.window.size
    end = size if segment.end is None else min(segment.end, size)
    at, whole = segment.body, True
    while at < end:
        element = reader.element(at, end)
        if element is None:
            whole = reader.left > 0 and segment.end is not None  # nothing more that is an element
            break
        if element.end is None:
            if element.id != _CLUSTER:
                break
            found.clusters += 1
            at = _past_open_cluster(reader, element, end)
            continue
        if element.end > size:
            return (
                False,
                f"an element ({_name(element.id)}) ends {element.end - size} bytes after the end of the file",
            )
        _first_level(reader, element, found)
        at = element.end
    if segment.end is not None and segment.end > size:
        return False, f"the segment ends {segment.end - size} bytes after the end of the file"
    if segment.end is None:
        return None, "the segment states no size (a live recording)"
    if not found.tracks:
        return False, "no track in it"
    return (True, None) if whole else (None, "more elements than are read")


def _name(number: int) -> str:
    return {
        _CLUSTER: "cluster",
        _CUES: "cues",
        _TAGS: "tags",
        _ATTACHMENTS: "attachments",
        _TRACKS: "tracks",
    }.get(number, f"0x{number:X}")


def _past_open_cluster(reader: _ElementReader, cluster: Element, end: int) -> int:
    """Where a cluster of unknown size stops: at the next element of the first level, or at the end."""
    at = cluster.body
    while at < end:
        element = reader.element(at, end)
        if element is None or element.id in _LEVEL_1:
            return at if element is not None else end
        at = element.end if element.end is not None else end
    return end


def _first_level(reader: _ElementReader, element: Element, found: _MatroskaFields) -> None:
    if element.id == _CLUSTER:
        found.clusters += 1
    elif element.id == _CUES:
        found.cues = True
    elif element.id == _CHAPTERS:
        edition = next((child for child in reader.children(element) if child.id == _EDITION), None)
        found.chapters = (
            sum(child.id == _CHAPTER for child in reader.children(edition))
            if edition is not None
            else 0
        )
    elif element.id in (_INFO, _TRACKS, _TAGS, _ATTACHMENTS):
        for child in reader.children(element):
            if child.id == _TITLE and reader.text(child):
                found.add(PrivateItem(kind="comment", where="Info/Title"))
            elif child.id == _DATE and reader.number(child):
                found.add(PrivateItem(kind="time", where="Info/DateUTC"))
            elif child.id == _TRACK and len(found.tracks) < MAX_ITEMS:
                found.tracks.append(_track(reader, child))
            elif child.id == _TAG:
                _tags(reader, child, found, depth=0)
            elif child.id == _ATTACHED:
                _attachment(reader, child, found)


def _track(reader: _ElementReader, entry: Element) -> MatroskaTrack:
    parts = {child.id: child for child in reader.children(entry)}
    encrypted = False
    if _ENCODINGS in parts:
        for encoding in reader.children(parts[_ENCODINGS]):
            encrypted = encrypted or any(
                child.id == _ENCRYPTION for child in reader.children(encoding)
            )
    return MatroskaTrack(
        number=reader.number(parts[_NUMBER]) if _NUMBER in parts else 0,
        kind=_TYPES.get(reader.number(parts[_TYPE]) if _TYPE in parts else 0, "data"),
        codec=reader.text(parts[_CODEC]) if _CODEC in parts else "",
        language=reader.text(parts[_LANGUAGE])
        if _LANGUAGE in parts
        else "eng",  # RFC 9559, 5.1.4.1.19: the default
        default=bool(reader.number(parts[_DEFAULT])) if _DEFAULT in parts else True,
        encrypted=encrypted,
    )


def _tags(reader: _ElementReader, parent: Element, found: _MatroskaFields, *, depth: int) -> None:
    for child in reader.children(parent):
        if child.id != _SIMPLE_TAG:
            continue
        parts = {part.id: part for part in reader.children(child)}
        said = parts.get(_TAG_STRING, parts.get(_TAG_BINARY))
        if (
            _TAG_NAME in parts
            and said is not None
            and said.end is not None
            and said.end > said.body
        ):
            name = reader.text(parts[_TAG_NAME])
            found.add(*tagnames.named(name, f"Tags/{name}"))
        if depth < 4:
            _tags(reader, child, found, depth=depth + 1)


def _attachment(reader: _ElementReader, attached: Element, found: _MatroskaFields) -> None:
    """A font is none of a person's facts; a picture is a cover; anything else may be anything."""
    parts = {part.id: part for part in reader.children(attached)}
    name = reader.text(parts[_FILE_NAME]) if _FILE_NAME in parts else ""
    media_type = reader.text(parts[_MEDIA_TYPE]) if _MEDIA_TYPE in parts else ""
    if len(found.attachments) < MAX_ITEMS:
        found.attachments.append(name)
    if "font" not in media_type and "opentype" not in media_type:
        kind = "thumbnail" if media_type.startswith("image/") else "owner"
        found.add(PrivateItem(kind=kind, where=f"Attachments/{name}"))
