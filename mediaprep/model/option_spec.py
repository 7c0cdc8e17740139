"""How an option is declared: once, as a dataclass field with its help text, metavar and parser.

``Options`` (the options of a repair) and the argument classes of the commands are declared with
``option``. The command line, the configuration file and the tables of docs/cli.md are derived from
these declarations.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

Group: TypeAlias = Literal["repair", "inspection"]
_SPEC = "option"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OptionSpec:
    """One option, as it was declared.

    name           name of the field, and keyword of the library
    type           type of the value if there is no ``parse``: bool, int, float or str
    default        value of the field if it is omitted
    help           a text that can be understood on its own
    metavar        placeholder of the value in help texts; None: a flag or a choice
    choices        the accepted words; (): any
    flags          names on the command line
    parse          converts the text from the command line, raises ValueError; None: text
    minimum, maximum   bounds of a number; None: none
    configurable   also a key of the configuration file and an environment variable
    shown_default  default as shown in help texts; None: the default itself
    complete       returns completions of an incomplete value, for the shell
    group          repair: for plan, fix, batch and watch; inspection: for check and probe
    count          a flag that counts how often it is repeated
    positional     an argument without a name on the command line
    many           a positional argument that takes all remaining words
    """

    name: str = ""
    type: type = str
    default: Any = None
    help: str
    metavar: str | None = None
    choices: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    parse: Callable[[str], Any] | None = None
    minimum: float | None = None
    maximum: float | None = None
    configurable: bool = False
    shown_default: str | None = None
    complete: Callable[[str], list[str]] | None = None
    group: Group = "repair"
    count: bool = False
    positional: bool = False
    many: bool = False

    @property
    def key(self) -> str:
        """The key in the configuration file."""
        return self.name.replace("_", "-")

    @property
    def flag(self) -> str:
        """The long name on the command line; the metavar of a positional argument."""
        return self.flags[-1].partition("/")[0] if self.flags else self.metavar or self.name

    @property
    def is_flag(self) -> bool:
        """Return True if the option takes no value."""
        return self.type is bool or self.count

    @property
    def when_omitted(self) -> Any:
        """The value if the command line does not name the option; None: the setting applies."""
        return None if self.configurable else self.default

    def value(self, raw: Any) -> Any:
        """Convert the value from the command line or the configuration.

        Raises: ValueError.
        """
        if not isinstance(raw, str):
            return raw
        if self.choices and raw not in self.choices:
            raise ValueError(f"{raw!r} is not one of {', '.join(self.choices)}")
        if self.parse is not None:
            return self.parse(raw)
        return self._number(raw) if self.type in (int, float) else raw

    def _number(self, text: str) -> float:
        try:
            number: float = self.type(text)
        except ValueError:
            expected = "a whole number" if self.type is int else "a number"
            raise ValueError(f"{text!r} is not {expected}") from None
        self.check_bounds(number)
        return number

    def check_bounds(self, number: float) -> None:
        """Raise ValueError if a number lies outside the minimum and maximum."""
        if self.minimum is not None and not number >= self.minimum:
            raise ValueError(f"{number:g} is too small; the minimum is {self.minimum:g}")
        if self.maximum is not None and not number <= self.maximum:
            raise ValueError(f"{number:g} is too large; the maximum is {self.maximum:g}")


def option(
    default: Any,
    help: str,
    *,
    flags: tuple[str, ...] = (),
    metavar: str | None = None,
    choices: tuple[str, ...] = (),
    type: type | None = None,
    parse: Callable[[str], Any] | None = None,
    minimum: float | None = None,
    maximum: float | None = None,
    configurable: bool = False,
    shown_default: str | None = None,
    group: Group = "repair",
    count: bool = False,
) -> Any:
    """Declare a dataclass field as an option.

    flags   (): ``--`` and the name of the field
    type    None: that of the default; text if there is none
    """
    spec = OptionSpec(
        type=type or (str if default is None else default.__class__),
        default=default,
        help=help,
        flags=flags,
        metavar=metavar,
        choices=choices,
        parse=parse,
        minimum=minimum,
        maximum=maximum,
        configurable=configurable,
        shown_default=shown_default,
        group=group,
        count=count,
    )
    return dataclasses.field(default=default, metadata={_SPEC: spec})


def option_from(spec: OptionSpec, **changes: Any) -> Any:
    """Declare a field as an option that is already declared elsewhere, with some changes."""
    changed = dataclasses.replace(spec, **changes)
    return dataclasses.field(default=changed.when_omitted, metadata={_SPEC: changed})


def positional(
    help: str,
    *,
    metavar: str,
    parse: Callable[[str], Any] | None = None,
    many: bool = False,
) -> Any:
    """Declare a field as a positional argument: required, or ``many``."""
    spec = OptionSpec(help=help, metavar=metavar, parse=parse, positional=True, many=many)
    metadata = {_SPEC: spec}
    if many:
        return dataclasses.field(default=(), metadata=metadata)
    return dataclasses.field(metadata=metadata)


def option_specs(declaring: type) -> Mapping[str, OptionSpec]:
    """Return the options that a dataclass declares, by field name, in order."""
    if declaring not in _SPECS:
        _SPECS[declaring] = {
            field.name: _named(field.metadata[_SPEC], field.name)
            for field in dataclasses.fields(declaring)
            if _SPEC in field.metadata
        }
    return _SPECS[declaring]


_SPECS: dict[type, Mapping[str, OptionSpec]] = {}


def _named(spec: OptionSpec, name: str) -> OptionSpec:
    flags = spec.flags
    if not flags and not spec.positional:
        dashed = name.replace("_", "-")
        flags = (f"--{dashed}",)
        if spec.type is bool and spec.configurable:  # so that it can be set against the setting
            flags = (f"--{dashed}/--no-{dashed}",)
    return dataclasses.replace(spec, name=name, flags=flags)
