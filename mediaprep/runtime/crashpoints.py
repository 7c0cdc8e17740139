"""Named points at which a test kills the process, as SQLite's own tests do.

``MEDIAPREP_CRASHPOINT=publish-linked:3`` kills the process (SIGKILL) when it reaches that point for
the third time; ``*:17`` kills it at the 17th point of any name. A test raises the count until a run
completes. Without the variable, a point costs one comparison.
"""

from __future__ import annotations

import os
import signal
import threading

VARIABLE = "MEDIAPREP_CRASHPOINT"
_name, _, _count = os.environ.get(VARIABLE, "").partition(":")
_remaining = int(_count) if _count.isdigit() else 1
_lock = threading.Lock()


def crashpoint(name: str) -> None:
    """Mark a point at which a crash must neither lose nor duplicate anything."""
    global _remaining
    if not _name or _name not in ("*", name):
        return
    with _lock:
        _remaining -= 1
        if _remaining == 0:
            os.kill(os.getpid(), signal.SIGKILL)
