"""The fast path for simple command lines, such as ``mediaprep check FILE...``: without typer.

typer converts every option through pydantic, whose import takes longer than reading a small file.
A command line is simple if each option is a flag, or a name followed by its value as a word of its
own. All others are left to typer, which also reports what is wrong with them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mediaprep.cli._console import Console
    from mediaprep.cli._exit import ExitCode
    from mediaprep.model.option_spec import OptionSpec

# Commands with a fast path: the module of each, its class of arguments and its function.
_COMMANDS = {
    "check": ("mediaprep.cli.check", "CheckArguments", "check"),
    "fix": ("mediaprep.cli.fix", "FixArguments", "fix"),
}


def simple_command(words: Sequence[str]) -> Callable[[Console], ExitCode] | None:
    """Return what a simple command line stands for; None: leave it to typer.

    Raises: UsageProblem for an invalid value.
    """
    if not words or words[0] not in _COMMANDS:
        return None
    from mediaprep.cli._arguments import arguments_from, command_specs

    module_name, class_name, function_name = _COMMANDS[words[0]]
    module = import_module(module_name)
    arguments_class = getattr(module, class_name)
    values = _parse_words(words[1:], tuple(command_specs(arguments_class)))
    if values is None:
        return None
    arguments = arguments_from(arguments_class, values)
    command = getattr(module, function_name)
    return lambda console: command(console, arguments)


def _parse_words(words: Sequence[str], specs: Sequence[OptionSpec]) -> Mapping[str, Any] | None:
    """Return values by option name; None if the words are not simple."""
    flags: dict[str, tuple[str, bool]] = {}
    options: dict[str, OptionSpec] = {}
    for spec in specs:
        for names in spec.flags:
            on, _, off = names.partition("/")
            if not spec.is_flag:
                options[on] = spec
            elif not spec.count:
                flags[on] = spec.name, True
                flags |= {off: (spec.name, False)} if off else {}
    values: dict[str, Any] = {}
    inputs: list[str] = []
    rest = iter(words)
    for word in rest:
        if word in flags:
            name, value = flags[word]
            values[name] = value
        elif word in options:
            text = next(rest, "-")
            if text.startswith("-"):
                return None
            values[options[word].name] = text
        elif word.startswith("-") or not word:
            return None
        else:
            inputs.append(word)
    return {**values, "inputs": inputs} if inputs else None
