"""MediaInfo, the second opinion. Reads from a file object and only files whose kind the bytes have told: given a playlist it opens
what that names (HLS, DASH), and no option stops it. Absent or failing, it has no opinion."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any, TypeAlias

from mediaprep.tools.rawfile import Bytes, RawFile

BUFFER_BYTES = 2**18
SECONDS = 5.0  # hostile-input: MediaInfo needs 3 to 20 ms, or for ever
Fields: TypeAlias = Mapping[str, str]


class Opinion:
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


def opinion(source: Bytes, *, parse_speed: float = 0, seconds: float = SECONDS) -> Opinion | None:
    """MediaInfo's word on the file; None where the library is absent, fails, or does not come to an end in ``seconds``: then its thread
    is left behind, so call it in a child that is ended afterwards. ``parse_speed`` 0 reads headers only (3 ms against 9)."""
    try:
        from pymediainfo import MediaInfo
    except ImportError:
        return None
    said: list[str] = []

    def ask() -> None:
        try:
            said.append(MediaInfo.parse(RawFile(source), output="JSON", full=False, parse_speed=parse_speed, buffer_size=BUFFER_BYTES))
        except (OSError, RuntimeError, ValueError):
            return

    thread = threading.Thread(target=ask, name="mediainfo", daemon=True)
    thread.start()
    thread.join(seconds)
    return _parsed(said[0]) if said else None


def _parsed(text: str) -> Opinion | None:
    try:
        tracks: Any = json.loads(text)["media"]["track"]
        return Opinion(tuple({name: value for name, value in track.items() if isinstance(value, str)} for track in tracks))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
