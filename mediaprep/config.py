"""Where settings come from: the command line, else ``--config``, else the environment, else ``mediaprep.toml`` or ``[tool.mediaprep]``
upwards, else the user's own file, else the defaults.

Files are merged key by key, the nearer one first. Keys are strict: an unknown one is an error that names the file and the likely key.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mediaprep.errors import UsageProblem

FILE_NAME = "mediaprep.toml"
PREFIX = "MEDIAPREP_"
Value = str | int | bool | float


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigKey:
    """One setting: its type, the words it may be (empty: any), its default (None: none), and what it means."""

    type: type
    default: Value | None
    meaning: str
    words: tuple[str, ...] = ()


KEYS: Mapping[str, ConfigKey] = {
    "profile": ConfigKey(
        type=str, default="twitter", meaning="profile, placement or path of a profile"
    ),
    "ffmpeg": ConfigKey(
        type=str, default=None, meaning="ffmpeg binary to use instead of the bundled one"
    ),
    "sandbox": ConfigKey(
        type=str,
        default="auto",
        words=("auto", "strict", "basic"),
        meaning="weakest confinement that is accepted",
    ),
    "quality": ConfigKey(
        type=str,
        default=None,
        words=("fast", "default", "best", "hq"),
        meaning="encoding effort; none: the profile's",
    ),
    "rate": ConfigKey(
        type=str,
        default="quality",
        words=("quality", "table"),
        meaning="capped quality, or the table's bit rate",
    ),
    "fit": ConfigKey(
        type=str,
        default="pad",
        words=("pad", "crop", "scale"),
        meaning="how a picture of forbidden shape is made to fit",
    ),
    "encoder": ConfigKey(type=str, default="libx264", meaning="video encoder, or auto"),
    "fix-level": ConfigKey(
        type=str,
        default="must",
        words=("must", "observed", "should"),
        meaning="also fix findings of this level",
    ),
    "keep-metadata": ConfigKey(type=bool, default=False, meaning="leave private metadata in"),
    "fail-on": ConfigKey(
        type=str,
        default="must",
        words=("must", "observed", "should"),
        meaning="findings of which level make check exit 1",
    ),
    "jobs": ConfigKey(type=int, default=1, meaning="files worked on at a time"),
    "timeout": ConfigKey(type=float, default=None, meaning="seconds that one run may take"),
    "color": ConfigKey(
        type=str, default="auto", words=("auto", "always", "never"), meaning="colour in the answer"
    ),
    "progress": ConfigKey(
        type=str,
        default="auto",
        words=("auto", "bar", "plain", "json", "none"),
        meaning="how progress is drawn",
    ),
    "log-file": ConfigKey(type=str, default=None, meaning="file that gets the log as JSON lines"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``values``: every key with the value in force (None: none). ``origins``: where each was said: ``default``, an environment variable
    or a path. ``files``: the configuration files that were read, nearest first."""

    values: Mapping[str, Value | None]
    origins: Mapping[str, str]
    files: tuple[str, ...] = ()

    def text(self, key: str) -> str | None:
        """The value of a text setting."""
        value = self.values[key]
        return None if value is None else str(value)

    def flag(self, key: str) -> bool:
        """The value of a yes-or-no setting."""
        return bool(self.values[key])

    def number(self, key: str) -> float | None:
        """The value of a numeric setting."""
        value = self.values[key]
        return None if value is None else float(value)


def load(
    explicit: Path | None = None,
    *,
    isolated: bool = False,
    environment: Mapping[str, str] | None = None,
    start: Path | None = None,
) -> Settings:
    """The settings in force. ``isolated``: nothing but ``explicit`` and the defaults. ``start``: the folder to look upwards from.

    Raises: UsageProblem, one line for each wrong key or value.
    """
    layers: list[tuple[str, Mapping[str, Value]]] = []
    files: list[str] = []
    if explicit is not None:
        layers.append(_from_file(explicit))
        files.append(str(explicit))
    if not isolated:
        layers += _from_environment(os.environ if environment is None else environment)
        for path in (_project_file(start or Path.cwd()), own_file()):
            if path is not None and path.is_file():
                layers.append(_from_file(path))
                files.append(str(path))
    values: dict[str, Value | None] = {}
    origins: dict[str, str] = {}
    for key, known in KEYS.items():
        origin, value = next(
            ((name, layer[key]) for name, layer in layers if key in layer),
            ("default", known.default),
        )
        values[key], origins[key] = value, origin
    return Settings(values=values, origins=origins, files=tuple(files))


def own_file() -> Path:
    """The user's own configuration file, whether or not it exists."""
    from platformdirs import user_config_path

    return user_config_path("mediaprep", appauthor=False) / "config.toml"


def _project_file(start: Path) -> Path | None:
    """The nearest ``mediaprep.toml``, or ``pyproject.toml`` with ``[tool.mediaprep]``, from ``start`` upwards."""
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
        project = folder / "pyproject.toml"
        if project.is_file() and _table_of(project) is not None:
            return project
    return None


def _from_file(path: Path) -> tuple[str, Mapping[str, Value]]:
    table = _table_of(path) or {}
    problems: list[str] = []
    values: dict[str, Value] = {}
    for key, value in table.items():
        try:
            values[key] = _checked(key, value)
        except ValueError as problem:
            problems.append(f"{path}: {key}: {problem}")
    if problems:
        raise UsageProblem("\n".join(problems))
    return str(path), values


def _table_of(path: Path) -> Mapping[str, Any] | None:
    """The settings in a file; None for a pyproject.toml that has none."""
    import tomllib

    try:
        text = path.read_text(encoding="utf-8")
        if path.name == "pyproject.toml" and "mediaprep" not in text:
            return None
        content = tomllib.loads(text)
    except OSError as problem:
        raise UsageProblem(f"{path}: cannot be read: {problem.strerror}") from problem
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        if path.name == "pyproject.toml":
            return None  # somebody else's file, and not ours to judge
        raise UsageProblem(f"{path}: not TOML: {problem}") from problem
    if path.name != "pyproject.toml":
        return content
    table = content.get("tool", {}).get("mediaprep")
    if table is not None and not isinstance(table, dict):
        raise UsageProblem(f"{path}: tool.mediaprep: want a table")
    return table


def _from_environment(environment: Mapping[str, str]) -> list[tuple[str, Mapping[str, Value]]]:
    found: list[tuple[str, Mapping[str, Value]]] = []
    for key, known in KEYS.items():
        name = PREFIX + key.upper().replace("-", "_")
        text = environment.get(name)
        if not text:
            continue
        try:
            found.append((name, {key: _checked(key, _parsed(text, known.type))}))
        except ValueError as problem:
            raise UsageProblem(f"{name}: {problem}") from problem
    return found


def _parsed(text: str, kind: type) -> Value:
    if kind is bool:
        if text.lower() not in ("1", "0", "true", "false", "yes", "no"):
            raise ValueError(f"{text!r}: want true or false")
        return text.lower() in ("1", "true", "yes")
    try:
        return text if kind is str else int(text) if kind is int else float(text)
    except ValueError:
        raise ValueError(f"{text!r}: want a number") from None


def _checked(key: str, value: Any) -> Value:
    """The value, where key and value are right. Raises: ValueError with what was wanted."""
    known = KEYS.get(key)
    if known is None:
        from mediaprep.profile import similar_or_all

        raise ValueError(f"no such setting{similar_or_all(key, KEYS)}")
    number = known.type is float and type(value) is int
    if type(value) is not known.type and not number:
        words = {
            str: "text in quotes",
            bool: "true or false",
            int: "a whole number",
            float: "a number",
        }
        raise ValueError(f"{value!r}: want {words[known.type]}")
    if known.words and value not in known.words:
        raise ValueError(f"{value!r}: want {' or '.join(known.words)}")
    if known.type in (int, float) and not value > 0:
        raise ValueError(f"{value!r}: want more than 0")
    checked: Value = value
    return checked


__all__ = ["FILE_NAME", "KEYS", "ConfigKey", "Settings", "load", "own_file"]
