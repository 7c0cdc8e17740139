"""MediaInfo, the second reader.

It reads from a file object, and only files whose format was recognised before: given a playlist, it
opens the files that the playlist names (HLS, DASH), and no option prevents that. Without the
library, or if it fails, there is no report.
"""

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

BUFFER_BYTES = 2**16  # larger buffers are slower, and yield fewer facts of a transport stream
SECONDS = 5.0  # MediaInfo takes 3 to 20 ms, or does not return
_NAMES = (
    ("libmediainfo.0.dylib", "libmediainfo.dylib")
    if sys.platform == "darwin"
    else ("libmediainfo.so.0",)
)
_FINISHED, _READ_ON = 0x08, 2**64 - 1
_HANDLE, _TEXT, _SIZE = ctypes.c_void_p, ctypes.c_wchar_p, ctypes.c_size_t
_SIGNATURES: tuple[tuple[Any, ...], ...] = (  # name, result, arguments (MediaInfoDLL.h)
    ("New", _HANDLE),
    ("Option", _TEXT, _HANDLE, _TEXT, _TEXT),
    ("Open_Buffer_Init", _SIZE, _HANDLE, ctypes.c_uint64, ctypes.c_uint64),
    ("Open_Buffer_Continue", _SIZE, _HANDLE, ctypes.c_char_p, _SIZE),
    ("Open_Buffer_Continue_GoTo_Get", ctypes.c_uint64, _HANDLE),
    ("Open_Buffer_Finalize", _SIZE, _HANDLE),
    ("Inform", _TEXT, _HANDLE, _SIZE),
    ("Close", None, _HANDLE),
    ("Delete", None, _HANDLE),
)
Fields: TypeAlias = Mapping[str, str]


class MediaInfoReport:
    """MediaInfo's report: for each track a mapping of field names to texts.

    The names are those of its JSON: ``ScanType``, ``PixelAspectRatio`` ...
    """

    __slots__ = ("tracks",)

    def __init__(self, tracks: tuple[Fields, ...]) -> None:
        self.tracks = tracks

    def general(self) -> Fields:
        """Return the fields of the file as a whole; empty if there are none."""
        return next(iter(self.of_kind("General")), {})

    def of_kind(self, kind: str) -> tuple[Fields, ...]:
        """Return the tracks of a kind (Video, Audio, Text, Other), in MediaInfo's order."""
        return tuple(track for track in self.tracks if track.get("@type") == kind)

    def track(self, kind: str, position: int) -> Fields:
        """Return the track of that kind at a position; empty if there is none."""
        found = self.of_kind(kind)
        return found[position] if position < len(found) else {}


def read_report(
    source: Readable, *, parser: str | None = None, seconds: float = SECONDS
) -> MediaInfoReport | None:
    """Return MediaInfo's report, from headers only.

    With ``parser``, MediaInfo's name of one, only that is tried, in half the time. Return None if
    the library is absent, fails, or does not return within ``seconds``: then its thread continues,
    so that the process should be ended soon.
    """
    library = _library()
    if library is None:
        return None
    reports: list[str] = []

    def read() -> None:
        with contextlib.suppress(OSError, ValueError):
            reports.append(_read_json(library, source, parser))

    thread = threading.Thread(target=read, name="mediainfo", daemon=True)
    thread.start()
    thread.join(seconds)
    return _parsed(reports[0]) if reports else None


@functools.cache
def _library() -> ctypes.CDLL | None:
    """Return libmediainfo, from pymediainfo's wheel or the host; None without either.

    pymediainfo itself is not imported: that takes longer than reading a report.
    """
    spec = importlib.util.find_spec("pymediainfo")
    folder = Path(spec.origin).parent if spec is not None and spec.origin is not None else None
    for name in _NAMES:
        bundled = folder / name if folder is not None else None
        path = str(bundled) if bundled is not None and bundled.is_file() else name
        try:
            library = ctypes.CDLL(path)
        except OSError:
            continue
        for call, result, *arguments in _SIGNATURES:
            function = getattr(library, f"MediaInfo_{call}")
            function.restype, function.argtypes = result, arguments
        return library
    return None


def _read_json(library: ctypes.CDLL, source: Readable, parser: str | None) -> str:
    """Feed the file piece by piece and return MediaInfo's JSON.

    MediaInfo states where it wants to read next (MediaInfoDLL.h, "Open by buffer").
    """
    file, handle = SourceFile(source), library.MediaInfo_New()
    try:
        options = {
            "CharSet": "UTF-8",
            "Inform": "JSON",
            "Complete": "",
            "ParseSpeed": "0",  # headers only: 3 ms instead of 9
            "File_ForceParser": parser or "",
        }
        for name, value in options.items():
            library.MediaInfo_Option(handle, name, value)
        library.MediaInfo_Open_Buffer_Init(handle, source.size_bytes, 0)
        while piece := file.read(BUFFER_BYTES):
            if library.MediaInfo_Open_Buffer_Continue(handle, piece, len(piece)) & _FINISHED:
                break
            position = library.MediaInfo_Open_Buffer_Continue_GoTo_Get(handle)
            if position != _READ_ON:
                file.seek(position)
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
