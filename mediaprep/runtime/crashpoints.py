"""Named steps at which a test kills the process, as SQLite's own tests do: raise the count until no fault fires.

``MEDIAPREP_FAULT=publish-linked:3`` ends the process by SIGKILL when it comes to that step for the third time; ``*:17`` at its 17th step of
any name. Without the variable a step costs one comparison.
"""

from __future__ import annotations

import os
import signal
import threading

VARIABLE = "MEDIAPREP_FAULT"
_wanted, _, _count = os.environ.get(VARIABLE, "").partition(":")
_left = int(_count) if _count.isdigit() else 1
_lock = threading.Lock()


def step(name: str) -> None:
    """A point between two effects, where a crash must not lose or double anything."""
    global _left
    if not _wanted or _wanted not in ("*", name):
        return
    with _lock:
        _left -= 1
        if _left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
