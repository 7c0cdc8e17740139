"""What every command shares: the global options, the settings, where answer and complaints go, and how a run is stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, TextIO

from mediaprep.runtime.source import display_name

if TYPE_CHECKING:
    import typer

    from mediaprep.config import Settings
    from mediaprep.model.events import Event, Listener
    from mediaprep.report.json import JsonStream
    from mediaprep.report.lines import Line
    from mediaprep.runtime.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalOptions:
    """The options of ``mediaprep`` itself; None: not given."""

    config: Path | None = None
    isolated: bool = False
    verbose: int = 0
    quiet: bool = False
    color: str | None = None
    ffmpeg: str | None = None
    sandbox: str | None = None
    log_file: Path | None = None
    progress: str | None = None


@dataclass(slots=True, kw_only=True)
class Console:
    """One command's dealings with the outside: what it writes, and the means it hands to the library."""

    options: GlobalOptions
    settings: Settings
    cancel: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def of(cls, context: typer.Context) -> Console:
        """The console of a command. Raises: UsageProblem for a wrong configuration."""
        return cls.start(context.obj if isinstance(context.obj, GlobalOptions) else GlobalOptions())

    @classmethod
    def start(cls, options: GlobalOptions) -> Console:
        """The console of a command with these options. Raises: as ``of``."""
        from mediaprep import config

        if options.isolated:
            os.environ.pop("MEDIAPREP_FFMPEG", None)  # the tools look it up themselves
        console = cls(
            options=options, settings=config.load(options.config, isolated=options.isolated)
        )
        console._log()
        return console

    def say(self, text: str) -> None:
        """A piece of the answer, to stdout. A reader that has gone is no error."""
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115 (for the rest of the process)

    def lines(self, lines: Iterable[Line]) -> None:
        """Lines of the answer, coloured where that is wanted."""
        from mediaprep.report.lines import written

        self.say(written(lines, colour=self.colour(sys.stdout)))

    def document(self, content: Any) -> None:
        """The answer as one JSON document."""
        from mediaprep.report.json import dumps

        self.say(dumps(content) + "\n")

    def growing(self, **head: Any) -> JsonStream:
        """The answer as one JSON document whose ``files`` come one by one."""
        from mediaprep.report.json import JsonStream

        return JsonStream(self.say, sandbox=self.confinement, **head)

    @property
    def confinement(self) -> str:
        """The level that children are confined with in this run; none where what is asked for cannot be had (then none is started)."""
        from mediaprep.probing.reader.pool import effective_sandbox

        return effective_sandbox(self._asked_sandbox)

    @property
    def _asked_sandbox(self) -> str:
        return self.options.sandbox or self.settings.text("sandbox") or "auto"

    def colour(self, stream: TextIO) -> bool:
        """--color, else NO_COLOR, FORCE_COLOR, TERM=dumb, else whether it is a terminal."""
        asked = self.options.color or self.settings.text("color") or "auto"
        if asked != "auto":
            return asked == "always"
        if os.environ.get("NO_COLOR"):
            return False
        if os.environ.get("FORCE_COLOR"):
            return True
        return os.environ.get("TERM") != "dumb" and stream.isatty()

    @property
    def ffmpeg(self) -> str | None:
        """The binary asked for, by option, environment or file."""
        return self.options.ffmpeg or self.settings.text("ffmpeg")

    def context(self, *, timeout: float | None = None, listener: Listener | None = None) -> Context:
        """The means of a run; ``timeout`` in seconds from now."""
        from mediaprep.model.events import ignore
        from mediaprep.runtime.context import Context

        timeout = timeout if timeout is not None else self.settings.number("timeout")
        sandbox = self._asked_sandbox
        deadline = None if timeout is None else time.monotonic() + timeout
        return Context(
            deadline=deadline,
            cancel=self.cancel,
            listener=self._heard(listener or ignore),
            ffmpeg=self.ffmpeg,
            sandbox=sandbox,
        )

    def drawer(self) -> Any:
        """The listener that draws progress on stderr."""
        from mediaprep.report.progress import drawer

        asked = self.options.progress or (
            "none" if self.options.quiet else self.settings.text("progress") or "auto"
        )
        terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        return drawer(asked, sys.stderr, terminal=terminal)

    @contextlib.contextmanager
    def stoppable(self) -> Iterator[None]:
        """While it is entered, SIGINT and SIGTERM stop the run in order: children are ended, work files removed. A second one is not waited
        for. Raises: Stopped, in place of whatever the stopping made fail."""
        stopped: list[int] = []

        def stop(number: int, frame: FrameType | None) -> None:
            if stopped:
                raise KeyboardInterrupt
            stopped.append(number)
            self.cancel.set()

        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            if stopped:
                raise StoppedBySignal(stopped[0])

    def failed(self, problem: BaseException) -> str:
        """One line about an exception; with -v its traceback goes to stderr."""
        if self.options.verbose:
            sys.stderr.write("".join(map(_escaped, traceback.format_exception(problem))))
        return one_line(problem, verbose=bool(self.options.verbose))

    def log(self, what: str, **facts: Any) -> None:
        """One record for the log."""
        if self._logged:
            import logging

            logging.getLogger("mediaprep").info(what, extra={"facts": facts})

    @property
    def _logged(self) -> bool:
        return bool(self.options.verbose or self.options.log_file or self.settings.text("log-file"))

    def _heard(self, listener: Listener) -> Listener:
        if not self._logged:
            return listener

        def both(event: Event) -> None:
            import dataclasses

            if event.event != "progress":
                facts = dataclasses.asdict(event)
                self.log(facts.pop("event"), **facts)
            listener(event)

        return both

    def _log(self) -> None:
        if self._logged:
            from mediaprep.cli import _log

            path = self.options.log_file or self.settings.text("log-file")
            _log.start(verbose=self.options.verbose, path=None if path is None else Path(path))


class StoppedBySignal(BaseException):
    """A signal stopped the run; ``number`` is the signal's."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(number)


def one_line(problem: BaseException, *, verbose: bool = False) -> str:
    """An exception in one line; one that was not meant to happen says so, and where the traceback is."""
    from mediaprep.errors import MediaPrepError

    if isinstance(problem, MediaPrepError):
        return str(problem)
    hint = "" if verbose else "; run again with -v for the traceback"
    return f"internal error: {type(problem).__name__}: {problem}{hint}"


def complain(text: str) -> None:
    """To stderr, each line escaped."""
    with contextlib.suppress(BrokenPipeError):
        for line in text.splitlines() or [""]:
            sys.stderr.write(display_name(line) + "\n")
        sys.stderr.flush()


def _escaped(text: str) -> str:
    return "".join(display_name(line) + "\n" for line in text.splitlines())
