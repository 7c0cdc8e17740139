"""Make typer commands out of classes of arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, TypeVar

import typer

from mediaprep.cli._arguments import arguments_from, command_specs, default_text
from mediaprep.cli._console import Console
from mediaprep.cli._exit import ExitCode
from mediaprep.model.option_spec import OptionSpec

A = TypeVar("A")


def typer_command(
    command: Callable[[Console, A], ExitCode], arguments: type[A]
) -> Callable[..., None]:
    """Return a command as a function that typer can register."""

    def run(context: typer.Context, **values: Any) -> None:
        raise typer.Exit(command(Console.of(context), arguments_from(arguments, values)))

    run.__name__, run.__doc__ = command.__name__, command.__doc__
    return with_parameters(run, arguments)


def with_parameters(function: Callable[..., None], arguments: type) -> Callable[..., None]:
    """Replace ``**values`` in a signature with the options that ``arguments`` declares."""
    signature = inspect.signature(function, eval_str=True)
    own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    declared = [_typer_parameter(spec) for spec in command_specs(arguments)]
    function.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[*own, *declared]
    )
    return function


@cache  # commands share most options
def _typer_parameter(spec: OptionSpec) -> inspect.Parameter:
    """Return the parameter of a typer function for one option.

    Values stay text, and are None if omitted: ``arguments_from`` converts them, with and without
    typer alike.
    """
    default: Any = None
    if not spec.positional:
        info = typer.Option(
            *spec.flags,
            help=_help(spec),
            metavar="|".join(spec.choices) or spec.metavar,
            count=spec.count,
            show_default=False,
            autocompletion=_completion(spec),
        )
    else:
        info = typer.Argument(help=spec.help, metavar=spec.metavar, show_default=False)
        if not spec.many:
            default = inspect.Parameter.empty
    value_type: Any = _value_type(spec)
    return inspect.Parameter(
        spec.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[value_type, info],
    )


def _value_type(spec: OptionSpec) -> Any:
    """Return the type of what typer passes on."""
    if spec.count:
        return int
    if spec.type is bool:
        return bool | None
    if spec.many:
        return list[str] | None
    return str if spec.positional else str | None


def _completion(spec: OptionSpec) -> Callable[[str], list[str]] | None:
    """Return what completes a partial value in the shell."""
    if not spec.choices:
        return spec.complete

    def complete(incomplete: str) -> list[str]:
        return [choice for choice in spec.choices if choice.startswith(incomplete)]

    return complete


def _help(spec: OptionSpec) -> str:
    default = default_text(spec)
    return spec.help if default is None else f"{spec.help} [default: {default}]"
