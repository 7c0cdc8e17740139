"""The answer of a reader process, validated: nothing that the process sends is trusted."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Any

from mediaprep.errors import EnvironmentProblem, SourceUnreadable
from mediaprep.model.media import Media
from mediaprep.model.serialize import decode
from mediaprep.runtime.child import ChildDied
from mediaprep.runtime.paths import display_name

REMEDY = "the file is damaged or malicious; re-save it with another program"


@dataclass(frozen=True, slots=True)
class ReaderAnswer:
    """Facts, or the error that took their place. ``spent``: the process must be replaced."""

    facts: Media | None
    problem: SourceUnreadable | EnvironmentProblem | None = None
    spent: bool = False

    def media(self) -> Media:
        """Return the facts. Raises: SourceUnreadable, EnvironmentProblem."""
        if self.facts is None:
            raise self.problem or SourceUnreadable("nothing was read")
        return self.facts


def parse_answer(body: Any) -> ReaderAnswer:
    """Validate the answer of a reader process. Raises: ChildDied if it is malformed."""
    match body:
        case {"media": facts, "spent": bool(spent)}:
            try:
                return ReaderAnswer(decode(Media, _printable(facts)), spent=spent)
            except ValueError as problem:
                raise ChildDied(None, f"its facts are invalid: {problem}") from problem
        case {"unreadable": str(reason), "rule": "file-kind" | "file-complete" as rule}:
            return ReaderAnswer(None, SourceUnreadable(display_name(reason[:500]), rule=rule))
        case {"failed": str(reason)}:
            text = f"the reader failed on this file ({display_name(reason[:500])}): {REMEDY}"
            return ReaderAnswer(None, SourceUnreadable(text, rule="file-complete"))
        case {"memory": _}:
            text = (
                "reading this file needs more memory than a reader may use:"
                " a size in it is malformed, or its pictures are too large"
            )
            return ReaderAnswer(None, SourceUnreadable(text, rule="file-complete"), spent=True)
        case {"cannot": str(reason)}:
            text = f"the reader process cannot import a module: {display_name(reason[:500])}"
            return ReaderAnswer(None, EnvironmentProblem(text), spent=True)
    raise ChildDied(None, "its answer is malformed")


def describe_crash(died: ChildDied) -> str:
    """Say how a reader process ended while it read a file."""
    if died.exit_code is None or died.exit_code >= 0:
        return f"the reader exited while it read this file ({died})"
    number = -died.exit_code
    name = signal.Signals(number).name if number in set(signal.Signals) else "unknown"
    return f"the reader crashed on this file (signal {number}, {name})"


def _printable(body: Any) -> Any:
    """Escape unprintable characters in the file's own text (names of tags, codecs, languages).

    Such text ends in messages, logs and terminals. Captions stay as they are: they are written
    again.
    """
    match body:
        case str():
            return body if body.isprintable() else display_name(body)
        case list():
            return [_printable(item) for item in body]
        case dict():
            return {
                name: item if name == "cues" else _printable(item) for name, item in body.items()
            }
    return body
