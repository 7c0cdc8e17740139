"""The command line of a planned run as a user can run it: names in place of descriptors."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from mediaprep.tools.ffmpeg import SOURCE_FD, TARGET


def printable_argv(words: Sequence[str], source: str, target: str) -> tuple[str, ...]:
    """Replace the descriptor of the source and the work file by names.

    ``-protocol_whitelist fd -fd SOURCE_FD -i fd:`` becomes ``-protocol_whitelist file -i
    file:NAME``; ``-y`` is dropped, so that ffmpeg asks before it overwrites a file.
    """
    printable: list[str] = []
    pending = list(words)
    while pending:
        word = pending.pop(0)
        following = pending[0] if pending else None
        if word == "-fd" and following == SOURCE_FD:
            pending.pop(0)
        elif word == "-i" and following == "fd:":
            pending.pop(0)
            printable += ["-i", f"file:{source}"]
        elif word == "-protocol_whitelist" and following == "fd":
            pending.pop(0)
            printable += ["-protocol_whitelist", "file"]
        elif word == TARGET:
            printable.append(f"file:{target}")
        elif word != "-y":
            printable.append(word)
    return tuple(printable)


def quoted(words: Sequence[str]) -> str:
    """Return the words as one line for a POSIX shell."""
    return shlex.join(words)
