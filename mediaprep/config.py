"""Settings: configuration files, environment variables and defaults.

A setting comes from the first of these that has it: the command line, the file passed with
``--config``, the environment, ``mediaprep.toml`` or ``[tool.mediaprep]`` in ``pyproject.toml`` in
this folder or the nearest one above, the user's own file, the defaults. Files are merged key by
key. An unknown key is an error that names the file and the most similar key.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from mediaprep.errors import UsageProblem
from mediaprep.model.level import LEVELS
from mediaprep.model.option_spec import OptionSpec, option_specs
from mediaprep.model.options import DEFAULT_PROFILE, Options

FILE_NAME = "mediaprep.toml"
PREFIX = "MEDIAPREP_"
Value = str | int | bool | float


def _declared_settings() -> Iterator[OptionSpec]:
    """Yield the settings of the program, and the options of a repair that are settings too."""
    setting = partial(OptionSpec, configurable=True)
    yield setting(
        name="profile",
        default=DEFAULT_PROFILE,
        help="Profile (twitter), placement (twitter/dm_video), or path of a profile file.",
        flags=("-p", "--profile"),
        metavar="PROFILE",
    )
    yield setting(
        name="ffmpeg",
        default=None,
        help="Path of the ffmpeg binary to use.",
        flags=("--ffmpeg",),
        metavar="PATH",
        shown_default="the bundled one",
    )
    yield setting(
        name="sandbox",
        default="auto",
        help="Weakest sandbox that is accepted for reading and encoding files.",
        flags=("--sandbox",),
        choices=("auto", "strict", "basic"),
    )
    yield from (spec for spec in option_specs(Options).values() if spec.configurable)
    yield setting(
        name="fail_on",
        default="must",
        help="Exit with code 1 for findings of this level and above: must, observed, should.",
        flags=("--fail-on",),
        choices=LEVELS,
    )
    yield setting(
        name="jobs",
        type=int,
        default=1,
        help="Number of files to process at the same time.",
        flags=("-j", "--jobs"),
        metavar="N",
        minimum=1,
    )
    yield setting(
        name="timeout",
        type=float,
        default=None,
        help="Stop the run after this many seconds.",
        flags=("--timeout",),
        metavar="SECONDS",
        minimum=0.001,
    )
    yield setting(
        name="color",
        default="auto",
        help="Use colours in the output; auto: if it is a terminal.",
        flags=("--color",),
        choices=("auto", "always", "never"),
    )
    yield setting(
        name="progress",
        default="auto",
        help="How to show progress on stderr; auto: a bar on a terminal, plain lines elsewhere.",
        flags=("--progress",),
        choices=("auto", "bar", "plain", "json", "none"),
    )
    yield setting(
        name="log_file",
        default=None,
        help="Append the log to this file, as JSON lines.",
        flags=("--log-file",),
        metavar="FILE",
    )


# Every key of the configuration file.
SETTINGS: Mapping[str, OptionSpec] = {spec.key: spec for spec in _declared_settings()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings in force.

    values    the value of every key; None: none
    origins   where each value comes from: ``default``, an environment variable, or a path
    files     the configuration files that were read, nearest first
    """

    values: Mapping[str, Value | None]
    origins: Mapping[str, str]
    files: tuple[str, ...] = ()

    def text(self, key: str) -> str | None:
        """Return the value of a text setting."""
        value = self.values[key]
        return None if value is None else str(value)

    def flag(self, key: str) -> bool:
        """Return the value of a boolean setting."""
        return bool(self.values[key])

    def number(self, key: str) -> float | None:
        """Return the value of a numeric setting."""
        value = self.values[key]
        return None if value is None else float(value)


def load(
    explicit: Path | None = None,
    *,
    isolated: bool = False,
    environment: Mapping[str, str] | None = None,
    start: Path | None = None,
) -> Settings:
    """Return the settings in force.

    explicit      a configuration file that overrides all other sources
    isolated      use only ``explicit`` and the defaults
    environment   None: that of the process
    start         folder to search upwards from; None: the current one

    Raises: UsageProblem, one line for each invalid key or value.
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
    values: dict[str, Value | None] = {key: spec.default for key, spec in SETTINGS.items()}
    origins = dict.fromkeys(SETTINGS, "default")
    for origin, layer in reversed(layers):
        for key, value in layer.items():
            values[key], origins[key] = value, origin
    return Settings(values=values, origins=origins, files=tuple(files))


def own_file() -> Path:
    """Return the path of the user's own configuration file, which may not exist."""
    from platformdirs import user_config_path

    return user_config_path("mediaprep", appauthor=False) / "config.toml"


def variable(key: str) -> str:
    """Return the name of the environment variable of a setting."""
    return PREFIX + key.upper().replace("-", "_")


def _project_file(start: Path) -> Path | None:
    """Return the nearest file, from ``start`` upwards, that may hold settings of the project."""
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
        project = folder / "pyproject.toml"
        if project.is_file() and _read_table(project) is not None:
            return project
    return None


def _from_file(path: Path) -> tuple[str, Mapping[str, Value]]:
    table = _read_table(path) or {}
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


def _read_table(path: Path) -> Mapping[str, Any] | None:
    """Return the settings in a file; None for a pyproject.toml that has none."""
    # Not needed without a file, and then the time of its import is saved.
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
            return None  # it belongs to another project, whose tools report the error
        raise UsageProblem(f"{path}: invalid TOML: {problem}") from problem
    if path.name != "pyproject.toml":
        return content
    table = content.get("tool", {}).get("mediaprep")
    if table is not None and not isinstance(table, dict):
        raise UsageProblem(f"{path}: tool.mediaprep: expected a table")
    return table


def _from_environment(environment: Mapping[str, str]) -> list[tuple[str, Mapping[str, Value]]]:
    found: list[tuple[str, Mapping[str, Value]]] = []
    for key, spec in SETTINGS.items():
        text = environment.get(variable(key))
        if not text:
            continue
        try:
            found.append((variable(key), {key: _checked(key, _parsed(text, spec.type))}))
        except ValueError as problem:
            raise UsageProblem(f"{variable(key)}: {problem}") from problem
    return found


def _parsed(text: str, kind: type) -> Value:
    """Return the value of an environment variable, whose text has no type."""
    if kind is str:
        return text
    if kind is bool:
        if text.lower() not in ("1", "0", "true", "false", "yes", "no"):
            raise ValueError(f"{text!r} is invalid; expected true or false")
        return text.lower() in ("1", "true", "yes")
    try:
        return int(text) if kind is int else float(text)
    except ValueError:
        raise ValueError(f"{text!r} is invalid; expected {_EXPECTED[kind]}") from None


_EXPECTED = {
    str: "text in quotes",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
}


def _checked(key: str, value: Any) -> Value:
    """Return the value if key and value are valid. Raises: ValueError."""
    spec = SETTINGS.get(key)
    if spec is None:
        # For this error alone: the package reads the profiles.
        from mediaprep.profile import similar_or_all

        raise ValueError(f"unknown setting{similar_or_all(key, SETTINGS)}")
    whole_as_float = spec.type is float and type(value) is int
    if type(value) is not spec.type and not whole_as_float:
        raise ValueError(f"{value!r} is invalid; expected {_EXPECTED[spec.type]}")
    if spec.choices and value not in spec.choices:
        raise ValueError(f"{value!r} is invalid; expected {' or '.join(spec.choices)}")
    if spec.type in (int, float):
        spec.check_bounds(value)
    checked: Value = value
    return checked


__all__ = ["FILE_NAME", "SETTINGS", "Settings", "load", "own_file", "variable"]
