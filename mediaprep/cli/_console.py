"""What all commands share: global options, settings, output and error streams, and signals."""

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

from mediaprep.config import SETTINGS, Settings, load
from mediaprep.model.option_spec import option, option_from
from mediaprep.runtime.paths import display_name

# The other imports are local: each command loads only what it needs, and an answer starts sooner.
if TYPE_CHECKING:
    import typer

    from mediaprep.model.events import Event, Listener
    from mediaprep.report.json import JsonStream
    from mediaprep.report.lines import Line
    from mediaprep.report.progress import ProgressDisplay
    from mediaprep.runtime.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalOptions:
    """The options of ``mediaprep`` itself, which every command accepts; None: omitted."""

    config: Path | None = option(
        None,
        "Read this configuration file, which overrides all others.",
        metavar="FILE",
        parse=Path,
    )
    isolated: bool = option(
        False, "Ignore environment variables and all configuration files except --config."
    )
    verbose: int = option(
        0,
        "Log to stderr, with tracebacks of errors; repeat for more detail.",
        flags=("-v", "--verbose"),
        count=True,
    )
    quiet: bool = option(False, "Show no progress on stderr.", flags=("-q", "--quiet"))
    color: str | None = option_from(SETTINGS["color"])
    ffmpeg: str | None = option_from(SETTINGS["ffmpeg"])
    sandbox: str | None = option_from(SETTINGS["sandbox"])
    progress: str | None = option_from(SETTINGS["progress"])
    log_file: str | None = option_from(SETTINGS["log-file"])


@dataclass(slots=True, kw_only=True)
class Console:
    """The streams, settings and cancellation of one command."""

    options: GlobalOptions
    settings: Settings
    cancel: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def of(cls, context: typer.Context) -> Console:
        """Return the console of a command. Raises: UsageProblem for an invalid configuration."""
        return cls.start(context.obj if isinstance(context.obj, GlobalOptions) else GlobalOptions())

    @classmethod
    def start(cls, options: GlobalOptions) -> Console:
        """Return a console with these options. Raises: as ``of``."""
        if options.isolated:
            # imageio-ffmpeg and our wrapper of it read the variable themselves
            os.environ.pop("MEDIAPREP_FFMPEG", None)
        console = cls(options=options, settings=load(options.config, isolated=options.isolated))
        console._start_log()
        return console

    def write(self, text: str) -> None:
        """Write text to stdout. A reader that closed the pipe is not an error."""
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115 (for the rest of the process)

    def lines(self, lines: Iterable[Line]) -> None:
        """Write lines to stdout, in colour if that is enabled."""
        from mediaprep.report.lines import render

        self.write(render(lines, colour=self.colour(sys.stdout)))

    def document(self, content: Any) -> None:
        """Write one JSON document to stdout."""
        from mediaprep.report.json import dumps

        self.write(dumps(content) + "\n")

    def json_stream(self, **head: Any) -> JsonStream:
        """Return a JSON document on stdout whose ``files`` are render one by one."""
        from mediaprep.report.json import JsonStream

        return JsonStream(self.write, sandbox=self.effective_sandbox, **head)

    @property
    def effective_sandbox(self) -> str:
        """The sandbox level of child processes; none if the requested level is not available."""
        from mediaprep.probing.reader.pool import effective_sandbox

        return effective_sandbox(self._requested_sandbox)

    @property
    def _requested_sandbox(self) -> str:
        return self.options.sandbox or self.settings.text("sandbox") or "auto"

    def colour(self, stream: TextIO) -> bool:
        """Return True if output to ``stream`` is coloured.

        In this order: --color, NO_COLOR, FORCE_COLOR, TERM=dumb, whether it is a terminal.
        """
        requested = self.options.color or self.settings.text("color") or "auto"
        if requested != "auto":
            return requested == "always"
        if os.environ.get("NO_COLOR"):
            return False
        if os.environ.get("FORCE_COLOR"):
            return True
        return is_terminal(stream)

    @property
    def ffmpeg(self) -> str | None:
        """The requested ffmpeg binary; None: the bundled one."""
        return self.options.ffmpeg or self.settings.text("ffmpeg")

    def context(self, *, timeout: float | None = None, listener: Listener | None = None) -> Context:
        """Return the context of a run that starts now; ``timeout`` in seconds."""
        from mediaprep.model.events import ignore
        from mediaprep.runtime.context import Context

        timeout = timeout if timeout is not None else self.settings.number("timeout")
        deadline = None if timeout is None else time.monotonic() + timeout
        return Context(
            deadline=deadline,
            cancel=self.cancel,
            listener=self._logging(listener or ignore),
            ffmpeg=self.ffmpeg,
            sandbox=self._requested_sandbox,
        )

    def progress_mode(self) -> str:
        """Return how progress is shown: bar, plain, json or none."""
        if self.options.progress is not None:
            mode = self.options.progress
        elif self.options.quiet:
            mode = "none"
        else:
            mode = self.settings.text("progress") or "auto"
        if mode == "auto":
            return "bar" if is_terminal(sys.stderr) else "plain"
        return mode

    def progress_display(self) -> ProgressDisplay[Event]:
        """Return the listener that shows the progress of files on stderr."""
        from mediaprep.report.progress import file_progress

        return file_progress(self.progress_mode(), sys.stderr)

    @contextlib.contextmanager
    def stoppable(self) -> Iterator[None]:
        """Let SIGINT and SIGTERM cancel the run, so that it stops child processes and cleans up.

        A second signal interrupts at once. Raises: StoppedBySignal, in place of the errors that the
        cancellation caused.
        """
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

    def describe_error(self, problem: BaseException) -> str:
        """Return one line about an exception; with -v its traceback goes to stderr."""
        if self.options.verbose:
            sys.stderr.write("".join(map(_escaped, traceback.format_exception(problem))))
        return one_line(problem, verbose=bool(self.options.verbose))

    def log(self, message: str, /, **facts: Any) -> None:
        """Write one record to the log."""
        if self._log_enabled:
            import logging

            logging.getLogger("mediaprep").info(message, extra={"facts": facts})

    @property
    def _log_path(self) -> str | None:
        return self.options.log_file or self.settings.text("log-file")

    @property
    def _log_enabled(self) -> bool:
        return bool(self.options.verbose or self._log_path)

    def _logging(self, listener: Listener) -> Listener:
        """Return a listener that also logs the events, if there is a log."""
        if not self._log_enabled:
            return listener

        def log_and_pass_on(event: Event) -> None:
            import dataclasses

            if event.event != "progress":
                facts = dataclasses.asdict(event)
                self.log(facts.pop("event"), **facts)
            listener(event)

        return log_and_pass_on

    def _start_log(self) -> None:
        if self._log_enabled:
            from mediaprep.cli import _log

            path = self._log_path
            _log.start(verbose=self.options.verbose, path=None if path is None else Path(path))


class StoppedBySignal(BaseException):
    """A signal stopped the run; ``number`` is the signal's."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(number)


def is_terminal(stream: TextIO) -> bool:
    """Return True if the stream is a terminal that can move its cursor."""
    return os.environ.get("TERM") != "dumb" and stream.isatty()


def one_line(problem: BaseException, *, verbose: bool = False) -> str:
    """Return an exception as one line; an unexpected one is called an internal error."""
    from mediaprep.errors import MediaPrepError

    if isinstance(problem, MediaPrepError):
        return str(problem)
    hint = "" if verbose else "; run again with -v for the traceback"
    return f"internal error: {type(problem).__name__}: {problem}{hint}"


def print_error(text: str) -> None:
    """Write text to stderr, each line escaped."""
    with contextlib.suppress(BrokenPipeError):
        for line in text.splitlines() or [""]:
            sys.stderr.write(display_name(line) + "\n")
        sys.stderr.flush()


def _escaped(text: str) -> str:
    return "".join(display_name(line) + "\n" for line in text.splitlines())
