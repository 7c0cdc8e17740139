"""The command line: ``mediaprep``, also ``python -m mediaprep``.

One module a command: parse, call the library, render, return an exit code.
"""

# Imports are local here: child processes are forked before this process has imported much
# (``runtime.startup``), and typer is loaded only for command lines that need it.

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence


def main() -> None:
    """Run the console script."""
    sys.exit(run(sys.argv[1:]))


def run(words: Sequence[str]) -> int:
    """Execute one command line and return the exit code; an error is one line on stderr."""
    from mediaprep.runtime.startup import fork_children

    forked = fork_children(
        reader_count(words, os.cpu_count() or 1), "mediaprep.probing.reader.serve:serve_prefork"
    )

    from mediaprep.cli._console import StoppedBySignal, one_line, print_error
    from mediaprep.cli._exit import ExitCode, of_error

    words = global_options_first(words)
    try:
        if forked:
            from mediaprep.probing.reader.pool import add_preforked

            add_preforked(forked)
        code = _execute(words)
    except StoppedBySignal as stopped:
        name = signal.Signals(stopped.number).name
        print_error(f"mediaprep: stopped by {name}; nothing was left behind")
        return 128 + stopped.number
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception as problem:  # the last place where an error can become one line
        if (usage := _usage_error(problem)) is not None:
            return usage
        verbose = any(word in ("-v", "-vv", "--verbose") for word in words)
        if verbose:
            import traceback

            print_error("".join(traceback.format_exception(problem)))
        print_error(f"mediaprep: {one_line(problem, verbose=verbose)}")
        return of_error(problem)
    return int(code or 0)


def _execute(words: Sequence[str]) -> int | None:
    from mediaprep.cli._fast_path import simple_command

    if (command := simple_command(words)) is not None:
        from mediaprep.cli._console import Console, GlobalOptions

        return command(Console.start(GlobalOptions()))
    from mediaprep.cli.app import app

    code: int | None = app(args=list(words), prog_name="mediaprep", standalone_mode=False)
    return code


def reader_count(words: Sequence[str], cores: int) -> int:
    """Return how many reader processes a command line will probably use; 0: none, or unknown.

    A wrong number costs time, but is not an error.
    """
    plain = [word for word in words if not word.startswith("-")]
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


def global_options_first(words: Sequence[str]) -> list[str]:
    """Move the options of mediaprep itself before the command; words after ``--`` stay."""
    from mediaprep.cli._console import GlobalOptions
    from mediaprep.model.option_spec import option_specs

    takes_value = {
        flag: not spec.is_flag
        for spec in option_specs(GlobalOptions).values()
        for flag in spec.flags
    }
    takes_value["-vv"] = False
    front: list[str] = []
    rest: list[str] = []
    pending = list(words)
    while pending:
        word = pending.pop(0)
        if word == "--":
            rest += [word, *pending]
            break
        if takes_value.get(word, False):
            front += [word, *pending[:1]]
            del pending[:1]
        elif word in takes_value or takes_value.get(word.partition("=")[0], False):
            front.append(word)
        else:
            rest.append(word)
    return front + rest


def _usage_error(problem: Exception) -> int | None:
    """Report an error that typer found in the command line; None for any other error."""
    if "typer" not in sys.modules:
        return None
    import typer

    from mediaprep.cli._console import print_error
    from mediaprep.cli._exit import ExitCode

    if isinstance(problem, typer.Abort):
        return ExitCode.INTERRUPTED
    if not isinstance(problem, typer.TyperException):
        return None
    context = getattr(problem, "ctx", None)
    command = context.command_path if context is not None else "mediaprep"
    print_error(f"{command}: {problem.format_message()} (see {command} --help)")
    return ExitCode.USAGE
