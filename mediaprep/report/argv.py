"""The command line of a planned run as a person can run it: the descriptor and the work file replaced by names. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from mediaprep.tools.ffmpeg import SOURCE_FD, TARGET


def shown_argv(words: Sequence[str], source: str, target: str) -> tuple[str, ...]:
    """``-protocol_whitelist fd -fd SOURCE_FD -i fd:`` becomes ``-protocol_whitelist file -i file:NAME``; ``-y`` goes, so that nothing is
    overwritten unasked."""
    kept: list[str] = []
    pending = list(words)
    while pending:
        word = pending.pop(0)
        following = pending[0] if pending else None
        if word == "-fd" and following == SOURCE_FD:
            pending.pop(0)
        elif word == "-i" and following == "fd:":
            pending.pop(0)
            kept += ["-i", f"file:{source}"]
        elif word == "-protocol_whitelist" and following == "fd":
            pending.pop(0)
            kept += ["-protocol_whitelist", "file"]
        elif word == TARGET:
            kept.append(f"file:{target}")
        elif word != "-y":
            kept.append(word)
    return tuple(kept)


def quoted(words: Sequence[str]) -> str:
    """The words as one line for a POSIX shell."""
    return shlex.join(words)
