"""MediaInfo, the second opinion. Reads from a file object and only files whose kind the bytes have told: given a playlist it opens
what that names (HLS, DASH), and no option stops it. Absent or failing, it has no opinion."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import importlib.util
import json
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from mediaprep.runtime.source import Readable
from mediaprep.runtime.source_file import SourceFile

BUFFER_BYTES = 2**16  # larger ones take longer, and of a transport stream fewer facts come
SECONDS = 5.0  # hostile-input: MediaInfo needs 3 to 20 ms, or for ever
_NAMES = (
    ("libmediainfo.0.dylib", "libmediainfo.dylib")
    if sys.platform == "darwin"
    else ("libmediainfo.so.0",)
)
_FINISHED, _READ_ON = 0x08, 2**64 - 1
Fields: TypeAlias = Mapping[str, str]


class MediaInfoReport:
    """What MediaInfo says: one mapping of field names (as in its JSON: ``ScanType``, ``PixelAspectRatio``) to texts for each track."""

    __slots__ = ("tracks",)

    def __init__(self, tracks: tuple[Fields, ...]) -> None:
        self.tracks = tracks

    def general(self) -> Fields:
        """The file as a whole; empty where nothing is said."""
        return next(iter(self.of_kind("General")), {})

    def of_kind(self, kind: str) -> tuple[Fields, ...]:
        """The tracks of a kind (Video, Audio, Text, Other), in its order."""
        return tuple(track for track in self.tracks if track.get("@type") == kind)

    def track(self, kind: str, position: int) -> Fields:
        """The track of that kind at a position; empty where there is none."""
        found = self.of_kind(kind)
        return found[position] if position < len(found) else {}


def opinion(
    source: Readable, *, parser: str | None = None, parse_speed: float = 0, seconds: float = SECONDS
) -> MediaInfoReport | None:
    """MediaInfo's word on the file; None where the library is absent, fails, or does not come to an end in ``seconds``: then its thread
    is left behind, so call it in a child that is ended afterwards. ``parser``: its name for the one that is to read the file, which takes
    half as long as to let it try them all. ``parse_speed`` 0 reads headers only (3 ms against 9)."""
    library = _library()
    if library is None:
        return None
    said: list[str] = []

    def ask() -> None:
        with contextlib.suppress(OSError, ValueError):
            said.append(_asked(library, source, parser, parse_speed))

    thread = threading.Thread(target=ask, name="mediainfo", daemon=True)
    thread.start()
    thread.join(seconds)
    return _parsed(said[0]) if said else None


@functools.cache
def _library() -> ctypes.CDLL | None:
    """libmediainfo, from pymediainfo's wheel or the host; None: there is none. The wheel's Python is left alone: importing it takes longer
    than asking."""
    spec = importlib.util.find_spec("pymediainfo")
    folder = Path(spec.origin).parent if spec is not None and spec.origin is not None else None
    for name in _NAMES:
        inside = folder / name if folder is not None else None
        try:
            library = ctypes.CDLL(str(inside) if inside is not None and inside.is_file() else name)
        except OSError:
            continue
        handle, text, size = ctypes.c_void_p, ctypes.c_wchar_p, ctypes.c_size_t
        for call, result, *arguments in (
            ("New", handle),
            ("Option", text, handle, text, text),
            ("Open_Buffer_Init", size, handle, ctypes.c_uint64, ctypes.c_uint64),
            ("Open_Buffer_Continue", size, handle, ctypes.c_char_p, size),
            ("Open_Buffer_Continue_GoTo_Get", ctypes.c_uint64, handle),
            ("Open_Buffer_Finalize", size, handle),
            ("Inform", text, handle, size),
            ("Close", None, handle),
            ("Delete", None, handle),
        ):
            function = getattr(library, f"MediaInfo_{call}")
            function.restype, function.argtypes = result, arguments
        return library
    return None


def _asked(library: ctypes.CDLL, source: Readable, parser: str | None, parse_speed: float) -> str:
    """Its JSON. It is fed piece by piece and says where it wants to read on (MediaInfoDLL.h, "Open by buffer")."""
    file, handle = SourceFile(source), library.MediaInfo_New()
    try:
        options = {
            "CharSet": "UTF-8",
            "Inform": "JSON",
            "Complete": "",
            "ParseSpeed": str(parse_speed),
            "File_ForceParser": parser or "",
        }
        for name, value in options.items():
            library.MediaInfo_Option(handle, name, value)
        library.MediaInfo_Open_Buffer_Init(handle, source.size_bytes, 0)
        while piece := file.read(BUFFER_BYTES):
            if library.MediaInfo_Open_Buffer_Continue(handle, piece, len(piece)) & _FINISHED:
                break
            wanted = library.MediaInfo_Open_Buffer_Continue_GoTo_Get(handle)
            if wanted != _READ_ON:
                file.seek(wanted)
                library.MediaInfo_Open_Buffer_Init(handle, source.size_bytes, file.tell())
        library.MediaInfo_Open_Buffer_Finalize(handle)
        return str(library.MediaInfo_Inform(handle, 0))
    finally:
        library.MediaInfo_Close(handle)
        library.MediaInfo_Delete(handle)


def _parsed(text: str) -> MediaInfoReport | None:
    try:
        tracks: Any = json.loads(text)["media"]["track"]
        return MediaInfoReport(
            tuple(
                {name: value for name, value in track.items() if isinstance(value, str)}
                for track in tracks
            )
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
