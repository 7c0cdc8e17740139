"""Walk the elements of Matroska and WebM (RFC 8794, RFC 9559): tracks, tags, attachments, sizes.

Clusters are skipped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from mediaprep.errors import SourceUnreadable
from mediaprep.model.media import PrivateItem
from mediaprep.probing.formats import tagnames
from mediaprep.probing.formats.ebml import Element, ElementReader
from mediaprep.probing.formats.refused import EXPECTED
from mediaprep.probing.formats.walkers import Completeness
from mediaprep.probing.formats.window import Window
from mediaprep.probing.identify.sniffed import Sniffed, recognised
from mediaprep.runtime.source import Readable

MAX_ITEMS = 200
MAX_TAG_DEPTH = 4
# Element identifiers, RFC 9559, 27.1
_EBML, _SEGMENT, _VOID, _CLUSTER = 0x1A45DFA3, 0x18538067, 0xEC, 0x1F43B675
_INFO, _TRACKS, _TAGS, _ATTACHMENTS = 0x1549A966, 0x1654AE6B, 0x1254C367, 0x1941A469
_CHAPTERS, _CUES, _SEEK = 0x1043A770, 0x1C53BB6B, 0x114D9B74
_LEVEL_1 = {_SEGMENT, _CLUSTER, _INFO, _TRACKS, _TAGS, _ATTACHMENTS, _CHAPTERS, _CUES, _SEEK, _EBML}
_TITLE, _DATE = 0x7BA9, 0x4461
_TAG, _SIMPLE_TAG, _TAG_NAME, _TAG_STRING, _TAG_BINARY = 0x7373, 0x67C8, 0x45A3, 0x4487, 0x4485
_ATTACHED, _FILE_NAME, _MEDIA_TYPE = 0x61A7, 0x466E, 0x4660
_TRACK, _NUMBER = 0xAE, 0xD7
_ENCODINGS, _ENCRYPTION = 0x6D80, 0x5035
_NAMES = {
    _CLUSTER: "cluster",
    _CUES: "cues",
    _TAGS: "tags",
    _ATTACHMENTS: "attachments",
    _TRACKS: "tracks",
}
_DOCTYPE_PATTERN = re.compile(rb"\x42\x82[\x80-\xff]([a-z0-9]+)")


class MatroskaTrack(NamedTuple):
    """One track: its number, and whether its packets are encrypted."""

    number: int
    encrypted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MatroskaFacts:
    """What the elements state.

    tracks     in order
    complete   True: the segment's size fits the file; None: unknown size (a live recording)
    private    tags, title, date, attachments
    """

    tracks: tuple[MatroskaTrack, ...] = ()
    complete: bool | None = None
    incomplete_because: str | None = None
    private: tuple[PrivateItem, ...] = ()


class _MatroskaFields:
    """What a walk collects."""

    def __init__(self) -> None:
        self.tracks: list[MatroskaTrack] = []
        self.private: dict[PrivateItem, None] = {}

    def add(self, *items: PrivateItem) -> None:
        for item in items:
            if len(self.private) < MAX_ITEMS:
                self.private[item] = None


def identify(source: Readable, head: bytes) -> Sniffed:
    """Distinguish Matroska and WebM. Raises: SourceUnreadable for another EBML document type."""
    doctype = _DOCTYPE_PATTERN.search(head[:4096])
    name = doctype[1] if doctype else b""
    if name not in (b"webm", b"matroska"):
        raise SourceUnreadable(
            f"an EBML file of type {name.decode('latin-1')!r}, not Matroska; {EXPECTED}: "
            "export it as MP4"
        )
    return recognised(name.decode("ascii"))


def completeness(source: Readable) -> Completeness:
    """Check that the segment and its elements end within the file."""
    facts = walk(source)
    return facts.complete, facts.incomplete_because


def private_items(source: Readable) -> list[PrivateItem]:
    """Return tags, title, date and attachments."""
    return list(walk(source).private)


def encrypted_tracks(source: Readable) -> set[int]:
    """Return the numbers of the tracks whose packets are encrypted."""
    return {track.number for track in walk(source).tracks if track.encrypted}


def walk(source: Readable) -> MatroskaFacts:
    """Read the structure. Raises: SourceUnreadable if there is no segment."""
    reader = ElementReader(Window(source))
    segment = _first_segment(reader)
    if segment is None or segment.id != _SEGMENT:
        raise SourceUnreadable(
            "a Matroska header without a segment: copy it again", rule="file-complete"
        )
    found = _MatroskaFields()
    complete, because = _segment(reader, segment, found)
    return MatroskaFacts(
        tracks=tuple(found.tracks),
        complete=complete,
        incomplete_because=because,
        private=tuple(found.private),
    )


def _first_segment(reader: ElementReader) -> Element | None:
    """Return the first element after the EBML header that is not void."""
    size = reader.window.size
    header = reader.element(0, size)
    if header is None or header.end is None:
        return None
    segment = reader.element(header.end, size)
    while segment is not None and segment.id == _VOID and segment.end is not None:
        segment = reader.element(segment.end, size)
    return segment


def _segment(reader: ElementReader, segment: Element, found: _MatroskaFields) -> Completeness:
    """Read the elements of the first level; return whether the segment is complete."""
    size = reader.window.size
    end = size if segment.end is None else min(segment.end, size)
    at, whole = segment.body, True
    while at < end:
        element = reader.element(at, end)
        if element is None:
            whole = reader.left > 0 and segment.end is not None  # what follows is not an element
            break
        if element.end is None:
            if element.id != _CLUSTER:
                break
            at = _past_open_cluster(reader, element, end)
            continue
        if element.end > size:
            name = _NAMES.get(element.id, f"0x{element.id:X}")
            missing = element.end - size
            return False, f"an element ({name}) ends {missing} bytes after the end of the file"
        _first_level(reader, element, found)
        at = element.end
    if segment.end is not None and segment.end > size:
        return False, f"the segment ends {segment.end - size} bytes after the end of the file"
    if segment.end is None:
        return None, "the segment states no size (a live recording)"
    if not found.tracks:
        return False, "no track in it"
    return (True, None) if whole else (None, "more elements than are read")


def _past_open_cluster(reader: ElementReader, cluster: Element, end: int) -> int:
    """Return the end of a cluster of unknown size: the next element of level 1, or ``end``."""
    at = cluster.body
    while at < end:
        element = reader.element(at, end)
        if element is None or element.id in _LEVEL_1:
            return at if element is not None else end
        at = element.end if element.end is not None else end
    return end


def _first_level(reader: ElementReader, element: Element, found: _MatroskaFields) -> None:
    if element.id in (_INFO, _TRACKS, _TAGS, _ATTACHMENTS):
        for child in reader.children(element):
            _second_level(reader, child, found)


def _second_level(reader: ElementReader, element: Element, found: _MatroskaFields) -> None:
    if element.id == _TITLE and reader.text(element):
        found.add(PrivateItem(kind="comment", where="Info/Title"))
    elif element.id == _DATE and reader.number(element):
        found.add(PrivateItem(kind="time", where="Info/DateUTC"))
    elif element.id == _TRACK and len(found.tracks) < MAX_ITEMS:
        found.tracks.append(_track(reader, element))
    elif element.id == _TAG:
        _tags(reader, element, found, depth=0)
    elif element.id == _ATTACHED:
        _attachment(reader, element, found)


def _track(reader: ElementReader, entry: Element) -> MatroskaTrack:
    parts = reader.parts(entry)
    encodings = reader.children(parts[_ENCODINGS]) if _ENCODINGS in parts else ()
    encrypted = any(
        child.id == _ENCRYPTION for encoding in encodings for child in reader.children(encoding)
    )
    return MatroskaTrack(number=reader.number(parts.get(_NUMBER)), encrypted=encrypted)


def _tags(reader: ElementReader, parent: Element, found: _MatroskaFields, *, depth: int) -> None:
    for child in reader.children(parent):
        if child.id != _SIMPLE_TAG:
            continue
        parts = reader.parts(child)
        value = parts.get(_TAG_STRING, parts.get(_TAG_BINARY))
        has_value = value is not None and value.end is not None and value.end > value.body
        if _TAG_NAME in parts and has_value:
            name = reader.text(parts[_TAG_NAME])
            found.add(*tagnames.named(name, f"Tags/{name}"))
        if depth < MAX_TAG_DEPTH:
            _tags(reader, child, found, depth=depth + 1)


def _attachment(reader: ElementReader, attached: Element, found: _MatroskaFields) -> None:
    """Note an attached file: a font says nothing about a person, a picture is a cover.

    Anything else may hold anything.
    """
    parts = reader.parts(attached)
    name, media_type = reader.text(parts.get(_FILE_NAME)), reader.text(parts.get(_MEDIA_TYPE))
    if "font" not in media_type and "opentype" not in media_type:
        kind = "thumbnail" if media_type.startswith("image/") else "owner"
        found.add(PrivateItem(kind=kind, where=f"Attachments/{name}"))
