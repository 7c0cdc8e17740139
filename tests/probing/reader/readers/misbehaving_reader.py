"""A reader for tests that runs in the child process and does what the file's text says."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import threading
import time
from fractions import Fraction
from pathlib import Path

from mediaprep.errors import SourceUnreadable
from mediaprep.model.media import Media, Video
from mediaprep.probing.identify.sniffed import Sniffed
from mediaprep.probing.request import ReadRequest
from mediaprep.runtime.source import Source

EMPTY = Video(name="from the child")


def read(source: Source, sniffed: Sniffed, request: ReadRequest) -> Media:
    """Run the command that is the first word of the file; the rest is its argument."""
    verb, _, argument = source.read_at(0, 1000).decode().partition(" ")
    if verb.startswith("crash"):
        ctypes.string_at(0)
    if verb == "abort":
        signal.signal(signal.SIGABRT, signal.SIG_DFL)
        os.abort()
    if verb == "exit":
        os._exit(int(argument))
    if verb == "spin":
        while True:
            pass
    if verb == "sleep":
        time.sleep(60)
    if verb == "signal":
        signal.raise_signal(int(argument))
    # The first process waits, later ones do not: they share the offset of the file description.
    if verb == "sleep-once":
        if os.lseek(source.fd, 0, os.SEEK_CUR) == 0:
            os.lseek(source.fd, 1, os.SEEK_SET)
            time.sleep(60)
        return EMPTY
    if verb == "eat":
        hold = [bytearray(50 * 2**20) for _ in range(200)]
        return Video(size_bytes=len(hold))
    if verb == "hold":
        return Video(size_bytes=len(bytearray(int(argument) * 2**20)))
    if verb == "linger":
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        return Video(size_bytes=os.getpid())
    if verb == "unreadable":
        raise SourceUnreadable(argument, rule="file-complete")
    if verb == "bug":
        raise IndexError("list index out of range")
    if verb == "pid":
        return Video(size_bytes=os.getpid())
    if verb == "request":
        return Video(
            size_bytes=source.size_bytes,
            duration=request.clip_duration,
            incomplete_because=str(sniffed.format),
        )
    if verb == "environment":
        return Video(incomplete_because=" ".join(sorted(os.environ)))
    if verb == "descriptors":
        return Video(size_bytes=sum(map(is_open, range(64))))
    if verb == "modules":
        return Video(complete="numpy" in sys.modules)
    if verb == "many":
        return Video(shots=tuple(Fraction(n, 7) for n in range(int(argument))))
    if verb == "try":
        return Video(incomplete_because=attempt(argument))
    return Video(size_bytes=source.size_bytes, incomplete_because=verb)


def is_open(descriptor: int) -> bool:
    """Return True if ``descriptor`` is open; /proc/self/fd cannot be listed in the sandbox."""
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def attempt(argument: str) -> str:
    """Try an action that the sandbox should forbid; return "refused: ..." or "done"."""
    action, _, where = argument.partition(" ")
    try:
        if action == "open":
            Path(where).read_bytes()
        if action == "reopen":
            os.open("/proc/self/fd/" + where, os.O_RDONLY)
        if action == "list":
            os.listdir(where)
        if action == "write":
            Path(where).write_bytes(b"x")
        if action == "devnull":
            Path("/dev/null").write_bytes(b"")
        if action == "connect":
            socket.create_connection(("127.0.0.1", int(where)), timeout=5)
        if action == "fork" and os.fork() == 0:
            os._exit(0)
        if action == "exec":
            os.execv("/bin/true", ["true"])
        if action == "kill":
            os.kill(int(where), 9)
        if action == "import":
            __import__(where)
    except OSError as problem:
        return f"refused: {type(problem).__name__}"
    return "done"
