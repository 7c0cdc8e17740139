"""The command lines that most people type, ``mediaprep check FILE...`` and ``fix FILE...`` with nothing unusual about them, without typer:
with pydantic, by which it converts each option, starting it takes longer than reading a small file does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mediaprep.cli._check import CheckArguments

_PLACEMENT = {"-p": "profile", "--profile": "profile", "--category": "category"}
_CHECK = (
    {"--json": "as_json", "--deep": "deep", "--exit-zero": "exit_zero", "--post": "post"},
    _PLACEMENT,
)
_FIX = (
    {
        "--json": "as_json",
        "-f": "force",
        "--force": "force",
        "--split": "split",
        "--measure": "measure",
        "--square-pixels": "square_pixels",
    },
    {
        **_PLACEMENT,
        "-o": "output",
        "--output": "output",
        "--trim": "trim",
        "--snap": "snap",
        "--rung": "rung",
        "--max-size": "max_size",
    },
)
# What typer gives ``fix`` for options that are not there, by their parameters' names.
FIX_DEFAULTS: Mapping[str, Any] = MappingProxyType({
    **dict.fromkeys(("output", "profile", "category", "trim", "snap", "fit", "rung", "quality", "rate", "max_size", "loudness")),
    **dict.fromkeys(("keep_metadata", "frame_rate", "encoder", "min_vmaf", "fix_level", "captions", "report", "files_from", "timeout", "jobs")),
    **dict.fromkeys(("split", "square_pixels", "measure", "post", "force", "dry_run", "as_json"), False),
    "to": "auto",
})  # fmt: skip


def plain_check(words: Sequence[str]) -> CheckArguments | None:
    """The options of a plain ``check``; None: let typer read these words, and complain where they are wrong."""
    given = _given(words, "check", *_CHECK)
    if given is None:
        return None
    from mediaprep.cli._check import CheckArguments

    return CheckArguments(**given)


def plain_fix(words: Sequence[str]) -> Mapping[str, Any] | None:
    """The options of a plain ``fix``, by their parameters' names; None: as ``plain_check``."""
    given = _given(words, "fix", *_FIX)
    return None if given is None else {**FIX_DEFAULTS, **given}


def _given(
    words: Sequence[str], command: str, flags: Mapping[str, str], values: Mapping[str, str]
) -> dict[str, Any] | None:
    if not words or words[0] != command:
        return None
    given: dict[str, Any] = {}
    inputs: list[str] = []
    rest = list(words[1:])
    while rest:
        word = rest.pop(0)
        if word in flags:
            given[flags[word]] = True
        elif word in values and rest and not rest[0].startswith("-"):
            given[values[word]] = rest.pop(0)
        elif word.startswith("-") or not word:
            return None
        else:
            inputs.append(word)
    return {"inputs": inputs, **given} if inputs else None


def children_wanted(words: Sequence[str], cores: int) -> int:
    """How many reading children a command line will need, as far as a glance tells; 0: none, or unknown. Too many or few is no error."""
    plain = [
        word for word in words if not word.startswith("-")
    ]  # options of mediaprep itself stand before the command
    command, names = plain[0] if plain else "", len(plain) - 1
    if {"-h", "--help", "--cluster"} & set(words):
        return 0
    match command:
        case "plan" | "fix":
            return 1
        case "batch":
            return cores
        case "check" | "probe":
            return cores if "--files-from" in words else min(cores, names)
    return 0
