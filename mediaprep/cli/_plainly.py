"""The command lines that most people type, ``mediaprep check FILE...`` with nothing unusual about it, without typer: with pydantic, by
which it converts each option, starting it takes longer than reading a small file does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mediaprep.cli._check import Asked

_FLAGS = {"--json": "as_json", "--deep": "deep", "--exit-zero": "exit_zero", "--post": "post"}
_VALUES = {"-p": "profile", "--profile": "profile", "--category": "category"}


def plain_check(words: Sequence[str]) -> Asked | None:
    """The options of a plain ``check``; None: let typer read these words, and complain where they are wrong."""
    if not words or words[0] != "check":
        return None
    given: dict[str, Any] = {}
    inputs: list[str] = []
    rest = list(words[1:])
    while rest:
        word = rest.pop(0)
        if word in _FLAGS:
            given[_FLAGS[word]] = True
        elif word in _VALUES and rest and not rest[0].startswith("-"):
            given[_VALUES[word]] = rest.pop(0)
        elif word.startswith("-") or not word:
            return None
        else:
            inputs.append(word)
    if not inputs:
        return None
    from mediaprep.cli._check import Asked

    return Asked(inputs=inputs, **given)


def children_wanted(words: Sequence[str], cores: int) -> int:
    """How many reading children a command line will need, as far as a glance tells; 0: none, or unknown. Too many or few is no error."""
    if not {"check", "probe", "plan", "fix"} & set(words[:1]) or {"-h", "--help"} & set(words):
        return 0
    if words[0] in ("plan", "fix"):
        return 1
    names = sum(not word.startswith("-") for word in words[1:])
    return cores if "--files-from" in words else min(cores, names)
