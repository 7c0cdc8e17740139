"""The child's end of ``runtime.child``: confine the process, import the handler, serve."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import Any, NoReturn, TypeAlias

from mediaprep.runtime import sandbox
from mediaprep.runtime.child import ENVIRONMENT, REQUEST_BYTES, ChildConfig
from mediaprep.runtime.launcher import (
    SETUP_FAILED,
    CannotConfine,
    restrict_calls,
    restrict_files,
    set_limits,
    set_no_new_privileges,
)
from mediaprep.runtime.prefork import is_single_threaded
from mediaprep.runtime.startup import imports_frozen

ALARM_GRACE_SECONDS = 5  # after the time limit of a request, an orphaned child ends itself

Handler: TypeAlias = Callable[[Any, int], Any]


def serve_forked(config: ChildConfig, channel: int, lifeline: int) -> NoReturn:
    """Serve in a child that ``runtime.prefork`` forked."""
    os.environ.update(ENVIRONMENT)
    _serve(config, channel, lifeline)


def serve_spawned(config: dict[str, Any], channel: int, lifeline: int) -> NoReturn:
    """Serve in a new interpreter; ``config`` is a ChildConfig as JSON."""
    _serve(ChildConfig(**{**config, "folders": tuple(config["folders"])}), channel, lifeline)


def limit_data(most: int) -> None:
    """Limit the writable memory of this process to ``most`` bytes, within its hard limit.

    Linux only; does nothing elsewhere.
    """
    if sys.platform != "linux":
        return
    import resource

    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _serve(config: ChildConfig, channel: int, lifeline: int) -> NoReturn:
    """Confine this process, import the handler and answer requests until the parent is gone."""
    with socket.socket(fileno=channel) as connection:
        try:
            _die_with_parent(lifeline)
            _confine(config)
            with imports_frozen():
                module, _, name = config.entry.partition(":")
                handler: Handler = getattr(importlib.import_module(module), name)(config.options)
        except (CannotConfine, ImportError, AttributeError, OSError, ValueError) as problem:
            _send(connection, {"error": f"{type(problem).__name__}: {problem}"})
            os._exit(SETUP_FAILED)
        _send(connection, {"ready": True})
        with contextlib.suppress(ConnectionError):
            while (request := _receive(connection)) is not None:
                message, descriptor = request
                _limit_time(int(message["seconds"]) + ALARM_GRACE_SECONDS)
                body = handler(message["body"], descriptor)
                _send(connection, {"id": message["id"], "body": body})
                signal.alarm(0)
    os._exit(0)


def _send(connection: socket.socket, message: dict[str, Any]) -> None:
    connection.sendall(json.dumps(message).encode() + b"\n")


def _receive(connection: socket.socket) -> tuple[dict[str, Any], int] | None:
    """Return the next request and its descriptor, None if the parent closed the socket."""
    line, descriptors = b"", []
    while not line.endswith(b"\n"):
        chunk, more, _, _ = socket.recv_fds(connection, REQUEST_BYTES, 1)
        if not chunk:
            return None
        line += chunk
        descriptors += more
    return json.loads(line), descriptors[0]


def _limit_time(seconds: int) -> None:
    """End this process after so many seconds of wall clock, or twice as many of CPU time."""
    import resource

    signal.alarm(seconds)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + 2 * seconds, hard))


def _die_with_parent(lifeline: int) -> None:
    """Have the kernel send SIGKILL when no process holds the writing end of this pipe (Linux).

    Elsewhere the end of the socket and the alarm have to do.
    """
    if sys.platform != "linux":
        return
    import fcntl

    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | fcntl.FASYNC)
    if select.select([lifeline], [], [], 0)[0]:  # closed before the signal was set up
        os._exit(SETUP_FAILED)


def _confine(config: ChildConfig) -> None:
    set_limits(
        {
            "as": config.memory_bytes,
            "data": config.data_bytes,
            "fsize": 0,
            "nofile": sandbox.DESCRIPTORS,
        }
    )
    if config.level != "strict":
        return
    if not is_single_threaded():
        raise CannotConfine("Landlock binds one thread, and this process has more")
    set_no_new_privileges()
    restrict_files(
        sandbox.library_folders(),
        [*config.folders, *sandbox.common_files()],
        ["/dev/null"],
    )
    restrict_calls(block_exec=True)
