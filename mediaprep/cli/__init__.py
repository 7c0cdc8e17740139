"""The command line: ``mediaprep``, also ``python -m mediaprep``.

One module a command: parse, call the library, render, return an exit code.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

# Options of mediaprep itself, and whether a value follows: they are taken before and after the command.
_GLOBAL = {
    "-v": False,
    "-vv": False,
    "--verbose": False,
    "-q": False,
    "--quiet": False,
    "--isolated": False,
    "--config": True,
    "--color": True,
    "--ffmpeg": True,
    "--sandbox": True,
    "--progress": True,
    "--log-file": True,
}


def main() -> None:
    """The console script."""
    sys.exit(run(sys.argv[1:]))


def run(words: Sequence[str]) -> int:
    """Carry out one command line; the exit code. Whatever goes wrong is told in one line on stderr."""
    from mediaprep.cli import _fast_path
    from mediaprep.runtime.prefork import fork

    words = hoisted(words)
    forked = fork(
        _fast_path.children_wanted(words, os.cpu_count() or 1),
        "mediaprep.probing.reader.serve:serve_prefork",
    )

    from mediaprep.cli._console import StoppedBySignal, complain, one_line
    from mediaprep.cli._exit import ExitCode, of_error

    try:
        if forked:
            from mediaprep.probing.reader.pool import add_preforked

            add_preforked(forked)
        code = _carried_out(words)
    except StoppedBySignal as stopped:
        complain(
            f"mediaprep: stopped by {signal.Signals(stopped.number).name}; nothing was left behind"
        )
        return 128 + stopped.number
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception as problem:  # the edge of the program: the last place where an error can still be told in one line
        if (usage := _usage_code(problem)) is not None:
            return usage
        verbose = any(word in ("-v", "-vv", "--verbose") for word in words)
        code = of_error(problem)
        if verbose:
            import traceback

            complain("".join(traceback.format_exception(problem)))
        complain(f"mediaprep: {one_line(problem, verbose=verbose)}")
    return int(code or 0)


def _carried_out(words: Sequence[str]) -> int | None:
    from mediaprep.cli import _fast_path

    if (asked := _fast_path.plain_check(words)) is not None:
        from mediaprep.cli._check import run as check
        from mediaprep.cli._console import Console, GlobalOptions

        return check(Console.start(GlobalOptions()), asked)
    if (given := _fast_path.plain_fix(words)) is not None:
        from mediaprep.cli._console import Console, GlobalOptions
        from mediaprep.cli._fix import run as fix

        return fix(Console.start(GlobalOptions()), given)
    from mediaprep.cli.app import app

    code: int | None = app(args=list(words), prog_name="mediaprep", standalone_mode=False)
    return code


def _usage_code(problem: Exception) -> int | None:
    """The code of what typer raises about the command line; None for anything else."""
    if "typer" not in sys.modules:
        return None
    import typer

    from mediaprep.cli._exit import ExitCode

    if isinstance(problem, typer.Abort):
        return ExitCode.INTERRUPTED
    return _usage(problem) if isinstance(problem, typer.TyperException) else None


def hoisted(words: Sequence[str]) -> list[str]:
    """The words with the options of mediaprep itself brought to the front; what follows ``--`` is left where it is."""
    front: list[str] = []
    rest: list[str] = []
    pending = list(words)
    while pending:
        word = pending.pop(0)
        if word == "--":
            rest += [word, *pending]
            break
        if _GLOBAL.get(word, False):
            front += [word, *pending[:1]]
            del pending[:1]
        elif word in _GLOBAL or (
            word.startswith("--") and _GLOBAL.get(word.partition("=")[0], False)
        ):
            front.append(word)
        else:
            rest.append(word)
    return front + rest


def _usage(problem: Exception) -> int:
    """A wrong command line: one line, and where the help is. A command without arguments that wants some: its help, on stdout."""
    import typer

    from mediaprep.cli._console import complain
    from mediaprep.cli._exit import ExitCode

    context = getattr(problem, "ctx", None)
    command = context.command_path if context is not None else "mediaprep"
    message = (
        problem.format_message() if isinstance(problem, typer.TyperException) else str(problem)
    )
    if "\n" in message.strip():
        typer.echo(message)
    else:
        complain(
            f"{command}: {message.replace('Value error, ', '')} (see {command} --help)"
        )  # pydantic's word, not ours
    return ExitCode.USAGE
