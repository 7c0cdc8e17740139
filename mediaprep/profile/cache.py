"""Profiles that were checked once, in the user's cache folder. Reading TOML through pydantic's models costs 100 ms, an entry 3.

An entry holds for the very bytes of every file that the profile was made of, and for this very code; anything else in its place is passed
over. It is read strictly: only the records of a profile can come of it, whatever it says.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import zlib
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from mediaprep.model.limits import (
    AnyOf,
    Attachments,
    ByteLimit,
    DimensionRange,
    Ladder,
    OneOf,
    Range,
    Required,
    Rung,
    Sizes,
)
from mediaprep.model.placement import (
    AnimationEncoding,
    ImageEncoding,
    Placement,
    Requirement,
    SubtitleEncoding,
    VideoEncoding,
)

T = TypeVar("T")
_CODE = (
    *(
        "profile/__init__.py",
        "profile/file.py",
        "profile/categories.py",
        "profile/limits.py",
        "profile/cache.py",
    ),
    *("model/placement.py", "model/limits.py", "model/units.py"),
)
_RECORDS: Mapping[str, type] = MappingProxyType(
    {
        kind.__name__: kind
        for kind in (
            *(OneOf, Range, AnyOf, DimensionRange, Sizes, ByteLimit),
            *(Attachments, Required, Rung, Ladder),
            *(
                Requirement,
                Placement,
                VideoEncoding,
                AnimationEncoding,
                ImageEncoding,
                SubtitleEncoding,
            ),
        )
    }
)


def read(path: Path, kind: type[T]) -> T | None:
    """The profile (of the type ``kind``) of a TOML file; None: there is no entry that holds."""
    try:
        entry = json.loads(_place(path).read_bytes())
        if (
            entry["of"] != str(path.absolute())
            or entry["code"] != _code()
            or any(_text(Path(name)) != known for name, known in entry["files"].items())
        ):
            return None
        found = _decoded(entry["profile"], {**_RECORDS, kind.__name__: kind})
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        ZeroDivisionError,
        RecursionError,
    ):
        return None
    return found if isinstance(found, kind) else None


def write(path: Path, profile: Any, files: Mapping[Path, bytes]) -> None:
    """Keep a profile; ``files``: what it was made of, with their bytes. A folder that cannot be written is no error."""
    place = _place(path)
    texts = {str(name.absolute()): data.decode("latin-1") for name, data in files.items()}
    entry = {
        "of": str(path.absolute()),
        "code": _code(),
        "files": texts,
        "profile": _encoded(profile),
    }
    text = json.dumps(entry, separators=(",", ":"))
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = place.with_suffix(f".{os.getpid()}")
        part.write_text(text, encoding="ascii")
        part.replace(place)


def _place(path: Path) -> Path:
    from platformdirs import user_cache_path

    name = f"{path.stem[:60]}-{zlib.crc32(os.fsencode(path.absolute())):08x}.json"  # two of one name only push each other out
    return user_cache_path("mediaprep", appauthor=False) / "profiles" / name


def _text(path: Path) -> str:
    """The bytes as JSON holds them."""
    return path.read_bytes().decode("latin-1")


@cache
def _code() -> str:
    """What changes with the code that makes profiles: name, size and time of its files."""
    here = Path(__file__).parent.parent
    stats = [(name, (here / name).stat()) for name in _CODE]
    return repr([(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats])


def _encoded(value: Any) -> Any:
    """A record as [its name, its fields], a fraction and a mapping likewise; texts, numbers and None as they are."""
    if isinstance(value, Fraction):
        return ["/", value.numerator, value.denominator]
    if isinstance(value, Mapping):
        return ["{}", *([key, _encoded(item)] for key, item in value.items())]
    if isinstance(value, tuple):
        return ["()", *map(_encoded, value)]
    if dataclasses.is_dataclass(value):
        return [
            type(value).__name__,
            *(
                [field.name, _encoded(getattr(value, field.name))]
                for field in dataclasses.fields(value)
            ),
        ]
    return value


def _decoded(value: Any, records: Mapping[str, type]) -> Any:
    """Raises: KeyError, TypeError, ValueError, ZeroDivisionError for what was not written here."""
    if not isinstance(value, list):
        return value
    name, *rest = value
    if name == "/":
        return Fraction(*rest)
    if name == "()":
        return tuple(_decoded(item, records) for item in rest)
    fields = {key: _decoded(item, records) for key, item in rest}
    return fields if name == "{}" else records[name](**fields)
