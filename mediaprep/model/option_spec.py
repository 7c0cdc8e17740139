"""How an option is declared: once, as a dataclass field with its help text, metavar and parser.

``Options`` (the options of a repair) and the argument classes of the commands are declared with
``option``. The command line, the configuration file and the tables of docs/cli.md are derived from
these declarations.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from types import NoneType, UnionType
from typing import Any, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

Group: TypeAlias = Literal["repair", "inspection"]
_SPEC = "option"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OptionSpec:
    """One option, as it was declared.

    name           name of the field, and keyword of the library
    type           type that a setting must have: bool, int, float or str
    default        value of the field if nothing is given
    help           one sentence that can be understood on its own
    metavar        placeholder of the value in help texts; None: a flag or a choice
    choices        the accepted words; (): any
    flags          names on the command line; (): a positional argument
    parse          converts the text from the command line, raises ValueError; None: text
    minimum, maximum   bounds of a number; None: none
    configurable   also a key of the configuration file and an environment variable
    shown_default  default as shown in help texts; None: the default itself
    complete       returns completions of an incomplete value, for the shell
    group          repair: for plan, fix, batch and watch; inspection: for check and probe
    count          a flag that counts how often it was given
    """

    name: str
    type: type = str
    default: Any
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

    def value(self, given: Any) -> Any:
        """Convert what the command line or the configuration gives.

        Raises: ValueError.
        """
        if not isinstance(given, str):
            return given
        if self.choices and given not in self.choices:
            raise ValueError(f"{given!r} is not one of {', '.join(self.choices)}")
        if self.parse is not None:
            return self.parse(given)
        return self._number(given) if self.type in (int, float) else given

    def _number(self, text: str) -> float:
        whole = self.type is int
        try:
            number = int(text) if whole else float(text)
        except ValueError:
            expected = "a whole number" if whole else "a number"
            raise ValueError(f"{text!r} is not {expected}") from None
        if self.minimum is not None and not number >= self.minimum:
            raise ValueError(f"{text} is too small; the minimum is {self.minimum:g}")
        if self.maximum is not None and not number <= self.maximum:
            raise ValueError(f"{text} is too large; the maximum is {self.maximum:g}")
        return number


def option(
    default: Any,
    help: str,
    *,
    flags: tuple[str, ...] = (),
    metavar: str | None = None,
    parse: Callable[[str], Any] | None = None,
    minimum: float | None = None,
    maximum: float | None = None,
    configurable: bool = False,
    shown_default: str | None = None,
    group: Group = "repair",
    count: bool = False,
) -> Any:
    """Declare a dataclass field as an option.

    Its type and choices follow from the annotation of the field; without ``flags`` it is called
    ``--`` and the name of the field.
    """
    declared = {
        "default": default,
        "help": help,
        "flags": flags,
        "metavar": metavar,
        "parse": parse,
        "minimum": minimum,
        "maximum": maximum,
        "configurable": configurable,
        "shown_default": shown_default,
        "group": group,
        "count": count,
    }
    return dataclasses.field(default=default, metadata={_SPEC: declared})


def option_from(spec: OptionSpec, **changes: Any) -> Any:
    """Declare a field as an option that is already declared elsewhere, with some changes."""
    changed = dataclasses.replace(spec, **changes)
    return dataclasses.field(default=changed.when_omitted, metadata={_SPEC: changed})


def positional(help: str, *, metavar: str, parse: Callable[[str], Any] | None = None) -> Any:
    """Declare a field as a required positional argument."""
    declared = {"default": None, "help": help, "metavar": metavar, "parse": parse}
    return dataclasses.field(metadata={_SPEC: declared})


def option_specs(declaring: type) -> Mapping[str, OptionSpec]:
    """Return the options that a dataclass declares, by field name, in order."""
    if declaring not in _SPECS:
        _SPECS[declaring] = _declared_by(declaring)
    return _SPECS[declaring]


_SPECS: dict[type, Mapping[str, OptionSpec]] = {}


def _declared_by(declaring: type) -> Mapping[str, OptionSpec]:
    hints = get_type_hints(declaring)
    specs = {}
    for field in dataclasses.fields(declaring):
        declared = field.metadata.get(_SPEC)
        if isinstance(declared, OptionSpec):
            specs[field.name] = dataclasses.replace(declared, name=field.name)
        elif declared is not None:
            specs[field.name] = _spec(field.name, hints[field.name], declared)
    return specs


def _spec(name: str, hint: Any, declared: Mapping[str, Any]) -> OptionSpec:
    value_type, choices = _type_and_choices(hint)
    flags = declared.get("flags")
    if flags == ():
        dashed = name.replace("_", "-")
        tri_state = value_type is bool and declared["configurable"]
        flags = (f"--{dashed}/--no-{dashed}" if tri_state else f"--{dashed}",)
    return OptionSpec(
        **{**declared, "name": name, "type": value_type, "choices": choices, "flags": flags or ()}
    )


def _type_and_choices(hint: Any) -> tuple[type, tuple[str, ...]]:
    """Return the simple type of an annotation (str for all others), and the words of a Literal."""
    parts = [hint]
    if get_origin(hint) in (Union, UnionType):
        parts = [part for part in get_args(hint) if part is not NoneType]
    if len(parts) != 1:
        return str, ()
    if get_origin(parts[0]) is Literal:
        return str, get_args(parts[0])
    return (parts[0] if parts[0] in (bool, int, float) else str), ()
