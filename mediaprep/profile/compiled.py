"""Bundled profiles that were checked before: JSON files beside the TOML files they are made from.

Reading one takes about 1 ms; parsing the TOML with pydantic takes about 100 ms. The files are
written by ``python -m mediaprep.profile.build`` and committed; a test compares them with the TOML
files. See docs/decisions/compiled-profiles.md.
"""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

from mediaprep.model.limits import Constraint, Ladder, Rung
from mediaprep.model.placement import Encoding, Placement, Requirement
from mediaprep.profile.profile import Profile

FOLDER = "compiled"
_TYPE = "$type"
_RECORDS = {
    record.__name__: record
    for record in (
        *get_args(Constraint),
        *get_args(Encoding),
        *(Fraction, Ladder, Placement, Profile, Requirement, Rung),
    )
}


def read(path: Path) -> Profile | None:
    """Return the compiled profile of a TOML file.

    None if there is none, or if a file that it was made from has changed since.
    """
    try:
        content = json.loads(place(path).read_bytes(), object_hook=_record)
    except FileNotFoundError:
        return None
    if any(_checksum(path.with_name(name)) != n for name, n in content["checksums"].items()):
        return None
    profile: Profile = content["profile"]
    return profile


def text(profile: Profile, sources: Iterable[Path]) -> str:
    """Return the content of a compiled profile; ``sources``: the TOML files it was made from."""
    checksums = {path.name: _checksum(path) for path in sources}
    content = {"checksums": checksums, "profile": profile}
    return json.dumps(content, default=_as_json, indent=1, ensure_ascii=False) + "\n"


def place(path: Path) -> Path:
    """Return the path of the compiled profile of a TOML file."""
    return path.parent / FOLDER / f"{path.stem}.json"


def _checksum(path: Path) -> int:
    """Return the CRC-32 of a file, -1 if it does not exist."""
    return zlib.crc32(path.read_bytes()) if path.is_file() else -1


def _as_json(value: Any) -> dict[str, Any]:
    """Return a record as its type and its fields; tuples become arrays."""
    if isinstance(value, Fraction):
        fields = {"numerator": value.numerator, "denominator": value.denominator}
    else:
        fields = {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}
    return {_TYPE: type(value).__name__, **fields}


def _record(fields: dict[str, Any]) -> Any:
    """Return the record that an object describes; an object without a type is a mapping."""
    name = fields.pop(_TYPE, None)
    if name is None:
        return fields
    return _RECORDS[name](**{key: _tuples(value) for key, value in fields.items()})


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
