"""The arguments of commands: dataclasses whose fields are declared options.

A command consists of a class of arguments, and a function of the console and an instance of that
class. Its typer command (``_typer_command``) and its fast path without typer (``_fast_path``) are
derived from the class.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from mediaprep.config import SETTINGS
from mediaprep.errors import UsageProblem
from mediaprep.model.option_spec import (
    Group,
    OptionSpec,
    option,
    option_from,
    option_specs,
    positional,
)
from mediaprep.model.options import Options

A = TypeVar("A")
_GROUP = "option group"


def inputs_argument(
    metavar: str = "INPUT", help: str = "Files; - reads standard input."
) -> Sequence[str]:
    """Declare the input files of a command."""
    inputs: Sequence[str] = positional(help, metavar=metavar, many=True)
    return inputs


def profile_option() -> str | None:
    """Declare ``--profile``."""
    profile: str | None = option_from(SETTINGS["profile"], complete=profile_names)
    return profile


def category_option() -> str | None:
    """Declare ``--category``."""
    category: str | None = option(
        None,
        "Media category, such as dm_video.",
        metavar="NAME",
        shown_default="inferred from the content",
    )
    return category


def captions_option() -> str | None:
    """Declare ``--captions``."""
    captions: str | None = option(
        None,
        "Caption file (SRT, WebVTT or ASS) for the one input video.",
        metavar="FILE",
    )
    return captions


def files_from_option() -> str | None:
    """Declare ``--files-from``."""
    files_from: str | None = option(
        None,
        "Also read file names from this file, one per line or NUL-separated; - is standard input.",
        metavar="FILE",
    )
    return files_from


def json_option() -> bool:
    """Declare ``--json``."""
    as_json: bool = option(False, "Write one JSON document instead of text.", flags=("--json",))
    return as_json


def option_group(group: Group) -> Mapping[str, Any]:
    """Declare a field that holds the options of a group of ``Options``, by name.

    ``parse_options`` converts its value.
    """
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict, metadata={_GROUP: group})
    return options


def command_specs(arguments: type) -> Iterator[OptionSpec]:
    """Return every option of a command, those of its option group included, in order."""
    own = option_specs(arguments)
    for field in dataclasses.fields(arguments):
        if field.name in own:
            yield own[field.name]
        elif (group := field.metadata.get(_GROUP)) is not None:
            yield from (s for s in option_specs(Options).values() if s.group == group)


def arguments_from(arguments: type[A], values: Mapping[str, Any]) -> A:
    """Return the arguments that values from the command line stand for, by field name.

    Raises: UsageProblem, naming the option.
    """
    fields: dict[str, Any] = {}
    for name, spec in option_specs(arguments).items():
        try:
            if values.get(name) is not None:
                fields[name] = spec.value(values[name])
        except ValueError as problem:
            raise UsageProblem(f"{spec.flag}: {problem}") from problem
    for field in dataclasses.fields(arguments):  # type: ignore[arg-type]
        if (group := field.metadata.get(_GROUP)) is not None:
            fields[field.name] = {
                name: values[name]
                for name, spec in option_specs(Options).items()
                if spec.group == group and values.get(name) is not None
            }
    return arguments(**fields)


def default_text(spec: OptionSpec) -> str | None:
    """Return the default of an option as help texts show it; None: it needs no mention."""
    if spec.shown_default is not None:
        return spec.shown_default
    if spec.default is None or spec.is_flag or spec.positional:
        return None
    return f"{spec.default:g}" if isinstance(spec.default, float) else str(spec.default)


def profile_names(incomplete: str) -> list[str]:
    """Return the names of profiles that begin with ``incomplete``, for shell completion."""
    # Shell completion alone needs it.
    from mediaprep.profile import bundled, own

    return [name for name in (*bundled(), *own()) if name.startswith(incomplete)]
